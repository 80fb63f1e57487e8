"""bench: the project's own measurements."""

from dataclasses import asdict
from pathlib import Path

import click

from app.bench import run_bench
from app.cli.common import json_option, show, waiting


@click.command()
@json_option
@click.option(
    "--mbox",
    "mboxes",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Mail to measure with: an mbox, also .gz or .zst; may be given several times.",
)
@click.option(
    "--messages",
    type=click.IntRange(300, 1_000_000),
    default=2_000,
    show_default=True,
    help="Without --mbox: so many mails of the demo company.",
)
def bench(as_json: bool, mboxes: tuple[Path, ...], messages: int) -> None:
    """Measure import, size, search, suggestion and memory, in a directory of its own."""
    with waiting("Measuring") as tick:
        measured = asdict(run_bench(mboxes, messages=messages, progress=tick))
    figures = {name: value for name, value in measured.items() if value is not None}
    lines = [
        f"{name:<20} {value:>14,.3f}" if isinstance(value, float) else f"{name:<20} {value:>14,}"
        for name, value in figures.items()
    ]
    show(figures, as_json=as_json, text="\n".join(lines))
