"""The directory of a backup: who may use it, and how a file gets there whole or not at all."""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.backup.manifest import MANIFEST, Manifest
from app.errors import Conflict, Invalid, LetterbookError

LOCK = "letterbook.lock"
PARTIAL = ".partial"
KEY = "secret.key"
_BUSY = "A backup to {} is running, or one is restored from it. Try again when it has ended."
_OURS = re.compile(r"mail/\d{6,}\.db|archive/\d{8}T\d{6}Z\.db\.zst")


def prepare(directory: Path, data: Path) -> None:
    """Make a directory fit for a backup, where it is missing or empty.

    Raises Invalid if others may read it, if it lies in the data directory, or if it holds
    something else.
    """
    if directory.resolve().is_relative_to(data.resolve()):
        raise Invalid("dest", f"{directory} lies inside the data directory. Name another place.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = directory.stat().st_mode & 0o777
    if mode & 0o077:
        raise Invalid(
            "dest",
            f"Others may read or write {directory} (mode {mode:o}), and a backup holds all mail. "
            f"Run: chmod 700 {directory}",
        )
    names = {path.name for path in directory.iterdir()}
    if names and not names & {LOCK, MANIFEST}:
        raise Invalid(
            "dest", f"{directory} is not empty and holds no backup. Name a new or empty directory."
        )


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Be the one that writes this backup. Raises Conflict if another one does."""
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    with held(descriptor, fcntl.LOCK_EX, _BUSY.format(directory)):
        yield


@contextmanager
def unchanged(directory: Path) -> Iterator[None]:
    """Read a backup that nobody writes meanwhile, also from a place that is read-only."""
    try:
        descriptor = os.open(directory / LOCK, os.O_RDONLY)
    except OSError:  # a copy without its lock: nobody writes it
        yield
        return
    with held(descriptor, fcntl.LOCK_SH, _BUSY.format(directory)):
        yield


@contextmanager
def held(descriptor: int, operation: int, busy: str) -> Iterator[None]:
    """Lock an open file or directory, and close it at the end. Raises Conflict(busy)."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        yield
    except BlockingIOError as exc:
        raise Conflict(busy) from exc
    finally:
        os.close(descriptor)


def partial(directory: Path) -> Path:
    """An empty directory for what is not finished; what a broken run left there goes."""
    path = directory / PARTIAL
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    return path


def clean(directory: Path, manifest: Manifest | None) -> None:
    """Remove what is not finished, and files of ours that the manifest does not name."""
    shutil.rmtree(directory / PARTIAL, ignore_errors=True)
    named = {file.name for file in manifest.files} if manifest else set()
    for path in (*directory.glob("mail/*"), *directory.glob("archive/*")):
        name = path.relative_to(directory).as_posix()
        if name not in named and _OURS.fullmatch(name):
            path.unlink()


def publish(path: Path, final: Path) -> None:
    """Give a finished file its name, for its owner only, durable before it is seen."""
    final.parent.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o600)
    sync(path)
    path.rename(final)
    sync(final.parent)
    sync(final.parent.parent)


def sync(path: Path) -> None:
    """Have the disk hold a file or a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def need_space(directory: Path, size_bytes: int, what: str) -> None:
    """Raises LetterbookError if a file system has not so much space left."""
    free = shutil.disk_usage(directory).free
    if free < size_bytes:
        raise LetterbookError(
            f"{what} needs about {size_bytes:,} bytes, and {directory} has {free:,} left. "
            "Nothing was written. Free some space, or name another place."
        )


@contextmanager
def told(directory: Path, kept: str) -> Iterator[None]:
    """Say in a sentence why the file system refused, and what was kept."""
    try:
        yield
    except OSError as exc:
        place = exc.filename or directory
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LetterbookError(
                f"No space is left in {directory}. {kept} Free some space and run it again."
            ) from exc
        raise LetterbookError(f"{place} cannot be used ({exc.strerror}). {kept}") from exc
