"""bench: the project's own measurements."""

from pathlib import Path

import click

from app.bench import (
    Measured,
    run_bench,
    run_pages_bench,
    run_search_bench,
    run_suggest_bench,
    run_sync_bench,
    table,
)
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
    help="Without --mbox: so many mails of the demo company. With --sync: how many are synced.",
)
@click.option(
    "--times",
    type=click.IntRange(1, 1_000),
    default=1,
    help="The mail of --mbox so many times over, with other ids, dates and words.",
)
@click.option(
    "--growth",
    type=click.IntRange(300, 10_000_000),
    default=None,
    help="Import so many mails besides, and hold the last 10,000 against the first.",
)
@click.option(
    "--sync",
    "sync_rounds",
    is_flag=False,
    flag_value=5,
    default=None,
    type=click.IntRange(1, 100),
    metavar="[ROUNDS]",
    help="Measure instead a first sync of the first --messages mails from Dovecot, beside mbsync.",
)
@click.option(
    "--pages",
    is_flag=True,
    help="Measure instead the pages over --messages mails and --records records, and 40 people.",
)
@click.option(
    "--records",
    type=click.IntRange(100, 1_000_000),
    default=100_000,
    show_default=True,
    help="With --pages: how many.",
)
@click.option(
    "--search",
    "is_search",
    is_flag=True,
    help="Measure instead searches by kind, beside notmuch in the same process, while the archive"
    " grows and is indexed anew.",
)
@click.option(
    "--suggest",
    "is_suggest",
    is_flag=True,
    help="Measure instead the suggestions: several seeds and sizes, and among 100,000 records.",
)
@click.option("--no-peers", is_flag=True, help="Measure no other program beside it.")
def bench(
    as_json: bool,
    mboxes: tuple[Path, ...],
    messages: int,
    times: int,
    growth: int | None,
    sync_rounds: int | None,
    pages: bool,
    records: int,
    is_search: bool,
    is_suggest: bool,
    no_peers: bool,
) -> None:
    """Measure import, size, search, reading, suggestions and memory, in a directory of its own."""
    measured: Measured
    with waiting("Measuring") as tick:
        if is_suggest:
            measured = run_suggest_bench(progress=tick)
        elif is_search:
            measured = run_search_bench(
                mboxes, messages=messages, times=times, with_peers=not no_peers, progress=tick
            )
        elif sync_rounds:
            measured = run_sync_bench(
                mboxes,
                messages=messages,
                rounds=sync_rounds,
                with_peers=not no_peers,
                progress=tick,
            )
        elif pages:
            measured = run_pages_bench(messages=messages, records=records, progress=tick)
        else:
            measured = run_bench(
                mboxes,
                messages=messages,
                times=times,
                growth=growth or 0,
                with_peers=not no_peers,
                progress=tick,
            )
    document = measured.figures | {"notes": list(measured.notes)}
    show(document, as_json=as_json, text=table(measured))
