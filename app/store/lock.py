"""One worker on a data directory: a lock that ends with the process that holds it."""

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
def no_removal(directory: Path) -> Iterator[None]:
    """Keep every blob where it is meanwhile: what sweeps or repacks waits, or comes later.

    For whoever reads archive.db and then mail.db and must find in it all that was named: a
    backup, a verification. Several may hold it at once.
    """
    with _removal_lock(directory, fcntl.LOCK_SH):
        yield


@contextmanager
def removal(directory: Path) -> Iterator[None]:
    """Be the one that removes or moves stored bytes. Raises Conflict while a backup or a
    verification runs."""
    try:
        with _removal_lock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError as exc:
        raise Conflict(
            "A backup is running, or a verification; try again when it has ended."
        ) from exc


@contextmanager
def _removal_lock(directory: Path, operation: int) -> Iterator[None]:
    with (directory / "removal.lock").open("a+") as file:
        fcntl.flock(file, operation)
        yield
