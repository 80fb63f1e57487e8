"""The locks of a data directory: each ends with the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Conflict


@contextmanager
def worker_lock(directory: Path) -> Iterator[None]:
    """Be the one process that syncs, imports and writes the index.

    Raises Conflict if another one is. Effects: `<data>/worker.lock` stays, without meaning.
    """
    with (directory / "worker.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            raise Conflict(
                f"A worker runs on {directory} already (process {file.read().strip() or '?'}). "
                "Stop it first, or let it do the work."
            ) from exc
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def opening(directory: Path) -> Iterator[None]:
    """Be the one process that opens the databases: of two that give a new one its journal mode at
    once, SQLite refuses one without waiting, and the first start of web and worker would fail."""
    with _held(directory / "open.lock", fcntl.LOCK_EX):
        yield


@contextmanager
def no_removal(directory: Path) -> Iterator[None]:
    """Keep every blob where it is meanwhile: what sweeps or repacks waits, or comes later.

    For whoever reads archive.db and then mail.db and must find in it all that was named: a
    backup, a verification. Several may hold it at once.
    """
    with _held(directory / "removal.lock", fcntl.LOCK_SH):
        yield


@contextmanager
def removal(directory: Path) -> Iterator[None]:
    """Be the one that removes or moves stored bytes. Raises Conflict while a backup or a
    verification runs."""
    try:
        with _held(directory / "removal.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError as exc:
        raise Conflict(
            "A backup is running, or a verification; try again when it has ended."
        ) from exc


@contextmanager
def _held(path: Path, operation: int) -> Iterator[None]:
    with path.open("a+") as file:
        fcntl.flock(file, operation)
        yield
