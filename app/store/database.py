"""Opening the two databases, their migrations, and the one way to write: `transaction`."""

import os
import shutil
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from secrets import token_bytes
from threading import Lock
from typing import Any

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # pysqlite3 where it is

from app.errors import Busy, Conflict, Corrupt, LetterbookError, OutOfSpace
from app.model import PublicId
from app.store.lock import opening

BUSY_SECONDS = 10
MIGRATION_SECONDS = 3_600
"""So long another process may bring a large archive to this version."""

NEXT_TO_NOTHING = 1 << 20
ROOM_TO_WORK = 16 << 20
NO_ROOM = (
    "There is no room left on the disk that holds {place}. Everything that was stored before stays."
    " Make room and do the same again."
)
IS_BUSY = (
    "Something else is being written to {place} and takes its time. Nothing was changed; do the"
    " same again."
)
MALFORMED = "{place} cannot be read: {reason}. Restore it from a backup."
_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""The driver cannot always put in words what is wrong with a damaged schema."""

_opening = Lock()
_PASSING = ("locked", "interrupted", "disk is full")
"""What SQLite says of a database that is well."""


@dataclass(frozen=True, slots=True)
class Store:
    """The two databases of one data directory, for one thread.

    `recent` holds the kind and content of the blocks that were read last, by id.
    """

    archive: Database
    mail: Database
    directory: Path
    recent: dict[int, tuple[int, bytes]] = field(default_factory=dict, compare=False, repr=False)

    def close(self) -> None:
        self.archive.conn.close()
        self.mail.conn.close()


def open_store(directory: Path, *, checkpoints: bool = True) -> Store:
    """The store of a data directory; makes it, and brings it to this version, where needed.

    `checkpoints=False` leaves checkpointing to another process: SQLite before 3.51.3 may corrupt
    a database when two connections checkpoint at the same instant.

    Raises LetterbookError if the directory cannot be written, Conflict if a newer version of
    Letterbook wrote it, Corrupt if a database is none. Effects: may be repeated, by several
    processes at once.
    """
    try:
        with _private_files():
            directory.mkdir(parents=True, exist_ok=True)
            with opening(directory):
                mail = _open(directory / "mail.db", checkpoints=checkpoints)
                archive = _open(directory / "archive.db", checkpoints=checkpoints)
    except (OSError, sqlite3.OperationalError) as exc:
        raise LetterbookError(
            f"The data directory {directory} cannot be used ({exc}). "
            "Check that it exists on a local disk and that this user may write to it."
        ) from exc
    except _UNREADABLE as exc:
        raise Corrupt(MALFORMED.format(place=directory, reason=exc)) from exc
    return Store(archive, mail, directory)


@contextmanager
def _private_files() -> Iterator[None]:
    """New files are for their owner only. One thread at a time: the mask is the whole process's."""
    with _opening:
        old_mask = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(old_mask)


@contextmanager
def sound(name: str) -> Iterator[None]:
    """Says in our words what SQLite finds wrong with a database.

    Raises Corrupt where the file makes no sense to it, LetterbookError where it cannot read now.
    """
    try:
        yield
    except _UNREADABLE as exc:
        if any(word in str(exc) for word in _PASSING):
            raise LetterbookError(f"{name} cannot be read now ({exc}). Try again.") from exc
        raise Corrupt(MALFORMED.format(place=name, reason=exc)) from exc


@contextmanager
def transaction(store: Store) -> Iterator[None]:
    """One write to archive.db, whole or not at all."""
    with write(store.archive):
        yield


@contextmanager
def write(db: Database) -> Iterator[None]:
    """One write to a database, whole or not at all.

    BEGIN IMMEDIATE, because a deferred transaction that reads before it writes fails at once with
    "database is locked" when another process writes in between, and ignores the busy timeout.
    """
    db.conn.execute("begin immediate")
    try:
        yield
        db.conn.execute("commit")
    except BaseException:
        if db.conn.in_transaction:  # SQLite itself rolls back when the disk is full
            db.conn.execute("rollback")
        raise


@contextmanager
def attempt(store: Store) -> Iterator[None]:
    """One of many changes inside a transaction on archive.db: whole, or not at all."""
    conn = store.archive.conn
    conn.execute("savepoint attempt")
    try:
        yield
    except BaseException:
        if conn.in_transaction:  # SQLite itself rolls back when the disk is full
            conn.execute("rollback to attempt")
            conn.execute("release attempt")
        raise
    conn.execute("release attempt")


def require_room(store: Store, size_bytes: int) -> None:
    """Raises OutOfSpace if so much would bring the disk near its end.

    What is written goes through the WAL, so it takes its size twice. On a disk that is full to the
    last byte nothing can be opened any more, not even to read.
    """
    if shutil.disk_usage(store.directory).free < 2 * size_bytes + ROOM_TO_WORK:
        raise OutOfSpace(NO_ROOM.format(place=store.directory))


def new_public_id() -> PublicId:
    """13 random base32 characters: 65 bits that tell nothing of how many there are."""
    return PublicId(b32encode(token_bytes(10))[:13].decode().lower())


def to_seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def from_seconds(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe_from_seconds(seconds: int | None) -> datetime | None:
    return None if seconds is None else from_seconds(seconds)


def marks(count: int) -> str:
    """Question marks for a list of values: marks(3) == "?,?,?"."""
    return ",".join("?" * count)


class _Connection(sqlite3.Connection):
    """A connection on which a full disk is OutOfSpace and a lock that stays is Busy."""

    directory = Path()

    def execute(self, *arguments: Any) -> Any:  # noqa: ANN401  # the driver's own signature
        try:
            return super().execute(*arguments)
        except sqlite3.OperationalError as exc:
            _refuse_full_disk(exc, self.directory)
            _refuse_busy(exc, self.directory)
            raise

    def executemany(self, *arguments: Any) -> Any:  # noqa: ANN401  # the driver's own signature
        try:
            return super().executemany(*arguments)
        except sqlite3.OperationalError as exc:
            _refuse_full_disk(exc, self.directory)
            _refuse_busy(exc, self.directory)
            raise


def _refuse_full_disk(error: Exception, directory: Path) -> None:
    """Raises OutOfSpace for a full disk.

    SQLite calls it an I/O error where it was the wal-index that could not grow.
    """
    is_full = "disk is full" in str(error)
    if "disk I/O error" in str(error):
        with suppress(OSError):
            is_full = shutil.disk_usage(directory).free < NEXT_TO_NOTHING
    if is_full:
        raise OutOfSpace(NO_ROOM.format(place=directory)) from error


def _refuse_busy(error: Exception, directory: Path) -> None:
    if "is locked" in str(error):
        raise Busy(IS_BUSY.format(place=directory)) from error


def _open(path: Path, *, checkpoints: bool) -> Database:
    connection = sqlite3.connect(
        path,
        factory=_Connection,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.directory = path.parent
    for pragma in (
        "journal_mode = wal",
        "synchronous = full",
        # What is deleted is overwritten: a message that is removed for good is to be gone.
        "secure_delete = on",
        "foreign_keys = on",
        "cache_size = -16000",
        "journal_size_limit = 67108864",
        f"wal_autocheckpoint = {1000 if checkpoints or _is_sound() else 0}",
    ):
        connection.execute(f"pragma {pragma}")
    db = Database(connection)
    _migrate(db, path)
    return db


def _is_sound() -> bool:
    """Whether this SQLite has the repair of the WAL-reset bug (3.51.3)."""
    return bool(sqlite3.sqlite_version_info >= (3, 51, 3))


def _migrate(db: Database, path: Path) -> None:
    """Bring a database to the newest version: archive_001.sql, archive_002.sql, ...

    Each in one transaction; whoever waits for the lock finds it done. archive.db's see mail.db,
    which is up to date by then, as `mail`.
    """
    scripts = sorted(
        script.name
        for script in files("app.store").iterdir()
        if script.name.startswith(f"{path.stem}_") and script.name.endswith(".sql")
    )
    if _version(db) > len(scripts):
        raise Conflict(
            f"{path} was written by a newer version of Letterbook (schema {_version(db)}, "
            f"this program knows {len(scripts)}). Start that version; nothing was changed."
        )
    if _version(db) == len(scripts):
        return
    db.conn.execute(f"pragma busy_timeout = {MIGRATION_SECONDS * 1000}")
    # Tables are made anew under their names, so references are checked at the end only.
    db.conn.execute("pragma foreign_keys = off")
    if path.stem == "archive":
        db.conn.execute("attach ? as mail", [str(path.with_name("mail.db"))])
    for number, script in enumerate(scripts, start=1):
        with write(db):
            if _version(db) < number:
                _run(db, files("app.store").joinpath(script).read_text(), version=number)
    if path.stem == "archive":
        db.conn.execute("detach mail")
    db.conn.execute("pragma foreign_keys = on")
    db.conn.execute(f"pragma busy_timeout = {BUSY_SECONDS * 1000}")


def _run(db: Database, script: str, *, version: int) -> None:
    for statement in _statements(script):
        db.conn.execute(statement)
    if db.conn.execute("pragma main.foreign_key_check").fetchone():
        raise Corrupt("The database names rows that are not there; restore it from a backup.")
    db.conn.execute(f"pragma main.user_version = {version}")


def _version(db: Database) -> int:
    return int(db.conn.execute("pragma main.user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one (executescript would commit the transaction)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
