"""What the worker does for the archive by itself, one thing after the other, in quiet hours."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app import verify
from app.errors import Conflict, LetterbookError
from app.mail import PARSER_VERSION
from app.search.indexer import prove_again
from app.settings import Settings, machine_zone
from app.store import (
    Store,
    documents,
    first_syncs,
    jobs,
    lock,
    open_store,
    packing,
    purges,
    reparse,
    sweep,
    team,
    upkeep,
)
from app.store.upkeep import Kind, Upkeep

QUIET_HOURS = range(1, 6)
"""Of the team's own clock."""

OVERDUE = timedelta(hours=12)
"""A machine that is off at night does it by day."""

RETRY = timedelta(hours=1)
"""What is urgent and failed is not tried sooner."""

VERIFY_EVERY = timedelta(hours=20)

_REST_SECONDS = 0.05
_MOST_QUEUED = 500
"""Messages read again that wait for the index: new mail waits behind them."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended, in a sentence, and what the next one needs to know."""

    summary: str
    is_good: bool = True
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of upkeep, due every so often after a run's end; `run` gives None to say nothing.

    `run` takes the store, the settings and whether to stop. `waits` is False for what is due as
    soon as its interval is over, at any hour; `urgent` says whether it is due before.
    """

    kind: Kind
    every: timedelta
    run: Callable[[Store, Settings, Callable[[], bool]], Report | None]
    waits: bool = True
    urgent: Callable[[Store], bool] = lambda store: False


def _repack(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report:
    with lock.removal(settings.data):
        done = packing.repack(store, stop=stop)
    if not done.made:
        return Report("Nothing to pack.")
    return Report(
        f"{done.taken:,} small blocks became {done.made:,}: {done.saved_bytes:,} bytes less."
    )


def _reparse(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report | None:
    def rest() -> None:
        time.sleep(_REST_SECONDS)
        while documents.backlog(store) > _MOST_QUEUED and not stop():
            time.sleep(_REST_SECONDS)

    try:
        # Whoever removed a message is not to wait until all mail is read.
        done = reparse.reparse(store, stop=lambda: stop() or _is_purge_waiting(store), rest=rest)
    except Conflict:
        return None
    if not done.is_finished:
        return None
    summary = f"{done.done:,} messages were read again." if done.done else "All mail is read."
    if done.failed:
        summary += (
            f" {done.failed:,} could not be, because their stored bytes are damaged. They stay as"
            " they were; `letterbook verify` names them."
        )
    return Report(summary, is_good=not done.failed, detail={"parser": PARSER_VERSION})


def _is_parser_newer(store: Store) -> bool:
    last = upkeep.last(store, "reparse")
    return last is None or last.detail.get("parser") != PARSER_VERSION


def _sweep(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report | None:
    purge, was_purge = purges.latest(store), _last_purge(store)
    with lock.removal(settings.data):
        done = sweep.sweep(store, stop=stop)
        if not done.is_finished:
            return None
        if purge > was_purge:
            sweep.wipe(store)
            # A segment of the index keeps the words of what was deleted from it.
            jobs.add(store, "reindex", by=None, now=datetime.now(UTC))
    return Report(
        f"{done.blobs:,} stored pieces that nothing needs were removed."
        if done.blobs
        else "Nothing to remove.",
        detail={"purge": purge},
    )


def _last_purge(store: Store) -> int:
    """The last removal whose bytes are gone."""
    last = upkeep.last(store, "sweep", good=True)
    return int(last.detail.get("purge", 0)) if last else 0


def _is_purge_waiting(store: Store) -> bool:
    return purges.latest(store) > _last_purge(store)


def _verify(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report:
    del settings
    done = verify.scrub(store, now=datetime.now(UTC), stop=stop)
    prove_again(store.directory)
    return Report(done.summary, done.is_good, done.detail)


TASKS: Sequence[Task] = (
    Task("sweep", timedelta(days=7), _sweep, urgent=_is_purge_waiting),
    Task("repack", timedelta(hours=20), _repack),
    Task("reparse", timedelta(days=7), _reparse, urgent=_is_parser_newer),
    Task("verify", VERIFY_EVERY, _verify),
)


def due(store: Store, tasks: Sequence[Task], *, now: datetime) -> Task | None:
    """The first task whose time has come; None: nothing to do.

    While a first sync brings mail, what may wait does: both need memory for large blocks.
    """
    if first_syncs.goes_on(store, now=now):
        tasks = [
            task for task in tasks if task.kind == "backup" or not task.waits or task.urgent(store)
        ]
    zone = ZoneInfo(team.get(store).time_zone or machine_zone())
    is_quiet = now.astimezone(zone).hour in QUIET_HOURS
    for task in tasks:
        before = upkeep.last(store, task.kind)
        waited = abs(now - before.finished_at) if before else None  # clocks are set back, too
        if before is None or waited is None or waited >= task.every + OVERDUE:
            return task
        if (before.is_good or waited >= RETRY) and task.urgent(store):
            return task
        if waited >= task.every and (is_quiet or not task.waits):
            return task
    return None


def carry_out(settings: Settings, task: Task, stop: Callable[[], bool]) -> Report | None:
    """Run a task with a store of its own; keep and give how it ended. Effects: may be repeated.

    The detail that is kept also says how often it is done: the page tells when it comes next.
    What was told to stop has not ended: None, and the next time it is done again.
    """
    store = open_store(settings.data)
    began_at = datetime.now(UTC)
    try:
        report = task.run(store, settings, stop)
    except LetterbookError as exc:
        report = None if stop() else Report(str(exc), is_good=False)
    except Exception:
        logger.exception("upkeep failed", extra={"kind": task.kind})
        report = Report(
            "It ended with a fault of Letterbook's own; the log has the details.", is_good=False
        )
    try:
        if report is not None:
            run = Upkeep(
                task.kind,
                began_at,
                datetime.now(UTC),
                report.is_good,
                report.summary,
                (report.detail or {}) | {"every_seconds": int(task.every.total_seconds())},
            )
            upkeep.record(store, run)
    finally:
        store.close()
    return report
