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
