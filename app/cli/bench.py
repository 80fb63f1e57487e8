"""bench: the project's own measurements."""

from dataclasses import asdict
from pathlib import Path

import click

from app.bench import run_bench
from app.cli.common import json_option, show, waiting
from app.errors import Invalid


@click.command()
@json_option
@click.option(
    "--mbox",
    "mboxes",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Mail to measure with: an mbox, also .gz or .zst; may be given several times.",
)
def bench(as_json: bool, mboxes: tuple[Path, ...]) -> None:
    """Measure import, size, search and memory on given mail, in a directory of its own."""
    if not mboxes:
        raise Invalid("mbox", "Name the mail to measure with: --mbox FILE")
    with waiting("Measuring") as tick:
        figures = asdict(run_bench(mboxes, progress=tick))
    lines = [
        f"{name:<20} {value:>14,.2f}" if isinstance(value, float) else f"{name:<20} {value:>14,}"
        for name, value in figures.items()
    ]
    show(figures, as_json=as_json, text="\n".join(lines))
