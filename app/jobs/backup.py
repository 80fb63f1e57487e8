"""The backup that the worker makes by itself, and the rehearsal that proves it can be restored."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.backup import MANIFEST, back_up, restore
from app.errors import LetterbookError
from app.jobs.upkeep import Report, Task
from app.settings import Settings
from app.store import Store, upkeep

REHEARSE_EVERY = timedelta(days=30)
_DAY_HOURS = 24
_NIGHT_HOURS = 4
"""A backup that ended late in the night is due again early in the next."""


class _Stopped(Exception):
    """The worker is asked to end; what is not finished goes, the next start begins anew."""


def backup_tasks(settings: Settings) -> list[Task]:
    """A backup and, where there is one, its rehearsal; none where no place for it is set."""
    if settings.backup_dir is None:
        return []
    hours = settings.backup_every_hours
    is_daily = hours >= _DAY_HOURS
    every = timedelta(hours=hours - _NIGHT_HOURS if is_daily else hours)
    tasks = [Task("backup", every, _back_up, waits=is_daily)]
    if (settings.backup_dir / MANIFEST).exists():
        tasks.append(Task("rehearsal", REHEARSE_EVERY, _rehearse))
    return tasks


def _back_up(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report | None:
    if settings.backup_dir is None:
        return None
    _refuse_lost(store, settings.backup_dir)
    try:
        done = back_up(
            store,
            settings.backup_dir,
            with_key=False,
            keep=settings.backup_keep,
            now=datetime.now(UTC),
            progress=_until(stop),
        )
    except _Stopped:
        return None
    said = (
        f"{done.snapshot.messages:,} messages are backed up in {settings.backup_dir}:"
        f" {done.new_bytes:,} new bytes, checked."
    )
    detail = {
        "directory": str(settings.backup_dir),
        "snapshot": done.snapshot.name,
        "new_bytes": done.new_bytes,
        "bytes": done.size_bytes,
    }
    return Report(" ".join([said, *done.faults]), is_good=not done.faults, detail=detail)


def _refuse_lost(store: Store, directory: Path) -> None:
    """A disk that is not mounted must not be taken for an empty place on the disk below it."""
    before = upkeep.last(store, "backup", good=True)
    was_here = before is not None and before.detail.get("directory") == str(directory)
    if was_here and not (directory / MANIFEST).exists():
        raise LetterbookError(
            f"The backup is not in {directory} any more: is its disk mounted? Nothing was written."
            f" To begin anew there, run `letterbook backup {directory}` once."
        )


def _rehearse(_store: Store, settings: Settings, stop: Callable[[], bool]) -> Report | None:
    """Restore beside the databases, on a disk that is known to keep SQLite's locks."""
    if settings.backup_dir is None:
        return None
    target = settings.data / "rehearsal"
    shutil.rmtree(target, ignore_errors=True)
    try:
        done = restore(
            settings.backup_dir,
            target,
            name=None,
            configured_key=settings.secret_key,
            now=datetime.now(UTC),
            progress=_until(stop),
        )
    except _Stopped:
        return None
    finally:
        shutil.rmtree(target, ignore_errors=True)
    said = (
        f"{done.messages:,} messages of the backup in {settings.backup_dir} were restored to a"
        " directory of their own and removed again;"
    )
    if done.damaged:
        said += f" {len(done.damaged):,} copies are damaged. `letterbook verify` names them."
    else:
        said += " every copy was rebuilt as it came."
    return Report(said, is_good=not done.damaged, detail={"snapshot": done.snapshot.name})


def _until(stop: Callable[[], bool]) -> Callable[[str], None]:
    """A progress that ends the work when the worker is asked to end."""

    def tick(_state: str) -> None:
        if stop():
            raise _Stopped

    return tick
