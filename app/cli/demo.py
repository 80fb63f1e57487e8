"""demo: a company with three years of mail, synced while you watch."""

import shutil
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import click

from app.cli.common import utc_now
from app.cli.serve import address_options, log_to_stderr, serve_with_worker
from app.demo.company import COMPANY
from app.demo.export import export
from app.demo.mail import generate
from app.demo.run import Demo
from app.demo.setup import is_demo
from app.settings import Settings

TICK_SECONDS = 1.0


@click.command()
@click.option(
    "--data",
    "directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path(".demo"),
    show_default=True,
    help="The demo's own directory; an earlier demo there is removed.",
)
@address_options
@click.option("--messages", type=click.IntRange(50, 1_000_000), default=2_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other mail.")
@click.option(
    "--export",
    "target",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Only write the mailboxes as Maildirs, records.csv and truth.json.",
)
def demo(
    directory: Path,
    host: str | None,
    port: int | None,
    messages: int,
    seed: int,
    target: Path | None,
) -> None:
    """Show Letterbook with a demo company, in a directory of its own."""
    now = datetime.now(UTC)
    if target is not None:
        copies = export(target, COMPANY, generate(messages=messages, seed=seed, end=now))
        click.echo(f"{copies:,} copies are in {target}.")
        return
    if is_demo(directory):
        shutil.rmtree(directory)
    settings = Settings.from_env(data=directory, host=host, port=port or _free_port())
    log_to_stderr(settings)
    with Demo(directory, now=utc_now, messages=messages, seed=seed) as company:
        stop = threading.Event()
        thread = threading.Thread(target=_keep_going, args=(company, stop), daemon=True)
        thread.start()
        try:
            serve_with_worker(settings, is_demo=True)
        finally:
            stop.set()
            thread.join()


def _keep_going(company: Demo, stop: threading.Event) -> None:
    while not stop.wait(TICK_SECONDS):
        company.tick()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
