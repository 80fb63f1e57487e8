"""What the commands share: --data and --json, the store, long work with or without a worker."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from app.errors import Conflict, LetterbookError, NotFound
from app.jobs import drain_index, read_attachments
from app.model import AccountId
from app.settings import Settings
from app.store import Store, audit, documents, extracts, jobs, open_store, transaction
from app.store.lock import worker_lock

F = TypeVar("F", bound=Callable[..., Any])

WAIT_SECONDS = 0.1
SAY_EVERY_SECONDS = 5.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def data_option(command: F) -> F:
    """--data DIR, given to the command as `settings`."""

    def to_settings(ctx: click.Context, param: click.Parameter, value: str | None) -> Settings:
        return Settings.from_env(data=None if value is None else Path(value))

    return click.option(
        "--data",
        "settings",
        metavar="DIR",
        callback=to_settings,
        help="The data directory (LETTERBOOK_DATA; default: data).",
    )(command)


def json_option(command: F) -> F:
    """--json, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


@contextmanager
def opened(settings: Settings, *, may_begin: bool = False) -> Iterator[Store]:
    """The store, beside a worker that may run.

    Raises NotFound where there is no archive, unless the command may begin one: a misspelt --data
    would be verified, and found to have no faults.
    """
    if not may_begin and not (settings.data / "archive.db").exists():
        raise NotFound(f"There is no archive in {settings.data}. Name its directory with --data.")
    store = open_store(settings.data, checkpoints=False)
    try:
        yield store
    finally:
        store.close()


def note_deed(store: Store, verb: str, *, account_id: AccountId | None = None) -> None:
    """Add a line of the operator's to the audit. Effects: one transaction."""
    with transaction(store):
        audit.note(store, verb, by=None, now=utc_now(), account_id=account_id)


def show(document: object, *, as_json: bool, text: str) -> None:
    """Print for people, or as JSON."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    elif text:
        click.echo(text)


def read_secret(prompt: str) -> str:
    """A secret from standard input: its first line."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise LetterbookError(f"{prompt}: nothing came on standard input.")
    return line


def work(
    settings: Settings,
    store: Store,
    alone: Callable[[], Any],
    *,
    kind: jobs.Kind,
    account_id: AccountId | None = None,
    **arguments: object,
) -> Any:  # noqa: ANN401  # what the verb gives, or a job's JSON
    """Do what needs the worker's lock: here, or as a job of the worker that holds it.

    `alone` does it here. Gives what `alone` gives, or the job's JSON. Raises LetterbookError with
    the job's own sentence.
    """
    try:
        with worker_lock(settings.data):
            return alone()
    except Conflict:
        if not jobs.is_worker_alive(store, now=utc_now()):
            raise
    public_id = jobs.add(store, kind, by=None, now=utc_now(), account_id=account_id, **arguments)
    outcome = jobs.outcome(store, public_id)
    began = time.monotonic()
    with waiting(f"The worker does it ({kind})") as tick:
        while not outcome.is_done:
            time.sleep(WAIT_SECONDS)
            tick(f"{time.monotonic() - began:.0f} s")
            outcome = jobs.outcome(store, public_id)
    if outcome.is_error:
        raise LetterbookError(outcome.text)
    return json.loads(outcome.text)


def wait_for_index(settings: Settings, store: Store) -> None:
    """Leave with the index up to date: a worker does it, or this process."""
    try:
        with worker_lock(settings.data):
            drain_index(settings)
            return
    except Conflict:
        pass
    while documents.backlog(store) and jobs.is_worker_alive(store, now=utc_now()):
        time.sleep(WAIT_SECONDS)


def wait_for_all(settings: Settings, store: Store) -> None:
    """Leave with all searchable, attachments too: a worker sees to it, or this process."""

    def left() -> int:
        return extracts.backlog(store) + documents.backlog(store)

    if not left():
        return
    with waiting("Reading attachments") as tick:
        try:
            with worker_lock(settings.data):
                read_attachments(
                    settings, lambda done, total: tick(f"{done:,} of {total:,} messages")
                )
                return
        except Conflict:
            pass
        while (waits := left()) and jobs.is_worker_alive(store, now=utc_now()):
            time.sleep(WAIT_SECONDS)
            tick(f"{waits:,} messages to go")


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """Says how far long work is: on a terminal in one line, elsewhere every few seconds.

    Gives the function to call with the state, as often as one likes.
    """
    said = time.monotonic()
    is_terminal = sys.stderr.isatty()
    every = 0.2 if is_terminal else SAY_EVERY_SECONDS

    def tick(state: str) -> None:
        nonlocal said
        if time.monotonic() - said >= every:
            said = time.monotonic()
            line = f"{text}: {state}"
            click.echo(f"\r{line:<70}" if is_terminal else line, nl=not is_terminal, err=True)

    yield tick
    if is_terminal:
        click.echo("\r" + " " * 70 + "\r", nl=False, err=True)
