"""What a backup is made of: snapshots of archive.db, and segments, which are files of blocks.

A segment is a small SQLite file with the two tables of mail.db: some blocks, and the blobs in them.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zstandard
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # pysqlite3 where it is

from app.errors import Corrupt
from app.store import blobs
from app.store.database import Store

CHUNK_BYTES = 16_000_000
"""Written at a time, so that mail.db's log is not held back meanwhile."""

PAGE_BYTES = 1_024
"""Smaller pages waste less behind each block."""

_TABLES = """
create table target.blocks (
  id integer primary key, kind integer not null, payload blob not null
) strict;
create table target.blobs (
  id integer primary key, digest blob not null, block_id integer not null,
  start integer not null, size_bytes integer
) strict;
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a snapshot of archive.db holds."""

    messages: int
    copies: int


@dataclass(frozen=True, slots=True)
class Held:
    """What of a segment mail.db has no more: moved elsewhere, or removed for good."""

    gone_bytes: int
    is_removed: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What a new segment holds."""

    blocks: int
    payload_bytes: int


def archive_id(store: Store) -> str:
    """What tells this archive from others, in the backup too."""
    return str(store.archive.conn.execute("select archive_id from team").fetchone()[0])


def archive_bytes(store: Store) -> int:
    """The size of archive.db now, what is in its log included."""
    (pages,) = store.archive.conn.execute("pragma page_count").fetchone()
    (page_bytes,) = store.archive.conn.execute("pragma page_size").fetchone()
    return int(pages * page_bytes)


def snapshot(store: Store, path: Path) -> Counts:
    """Write archive.db, as it is at this moment, to a new file, and check it.

    Raises Corrupt if it is not sound, OSError if the disk is full.
    """
    with _translated(path):
        store.archive.conn.execute("vacuum into ?", [str(path)])
        conn = sqlite3.connect(path)
        try:
            (state,) = conn.execute("pragma quick_check(1)").fetchone()
            if state != "ok":
                raise Corrupt(f"{store.directory / 'archive.db'} is damaged ({state}).")
            (messages,) = conn.execute("select count(*) from messages").fetchone()
            (copies,) = conn.execute("select count(*) from copies").fetchone()
        finally:
            conn.close()
    return Counts(messages, copies)


class Blocks:
    """The blocks of mail.db at one moment, held against segments: what these have, what they lack.

    Whoever makes one keeps `no_removal` until it is closed. `last_block` and `last_blob`
    are the highest ids that were ever given.
    """

    def __init__(self, store: Store) -> None:
        self.path = store.directory / "mail.db"
        # Everything is in tables of a temporary file: memory stays flat.
        self._conn = sqlite3.connect("", isolation_level=None)
        self._conn.execute("pragma wal_autocheckpoint = 0")
        self._conn.execute("attach ? as mail", [str(self.path)])
        self.last_block = self._last_id("blocks")
        self.last_blob = self._last_id("blobs")
        for table in ("live", "had", "wanted"):
            self._conn.execute(f"create table {table} (id integer primary key)")
        self._conn.execute(
            "insert into live select distinct block_id from mail.blobs where block_id <= ?",
            [self.last_block],
        )
        self._same_blobs = 0

    def close(self) -> None:
        self._conn.close()

    def look(self, segment: Path) -> Held:
        """Note what a segment has. Raises Corrupt if it cannot be read."""
        with _attached(self._conn, segment, "segment"):
            self._conn.execute(
                "insert or ignore into had select distinct block_id from segment.blobs"
            )
            self._same_blobs += self._number(
                "select count(*) from segment.blobs s join mail.blobs m on m.id = s.id"
                " where m.block_id = s.block_id and m.digest = s.digest"
            )
            gone = "not in (select id from live)"
            is_removed = self._number(
                f"select exists (select 1 from segment.blobs s where block_id {gone} and not exists"
                " (select 1 from mail.blobs m where m.id = s.id and m.digest = s.digest))"
            )
            if not self._number(
                f"select exists (select 1 from segment.blobs where block_id {gone})"
            ):
                return Held(0, is_removed=False)
            gone_bytes = self._number(
                f"select coalesce(sum(length(payload)), 0) from segment.blocks where id {gone}"
            )
        return Held(gone_bytes, bool(is_removed))

    def is_of_them(self) -> bool:
        """Whether the segments looked at are of this mail.db: the same blobs in the same blocks."""
        return self._same_blobs == self._number(
            "select count(*) from mail.blobs where block_id in (select id from had)"
        )

    def retire(self, segment: Path) -> None:
        """Count a segment that was looked at no more: its blocks are wanted."""
        with _attached(self._conn, segment, "segment"):
            self._conn.execute("delete from had where id in (select block_id from segment.blobs)")

    def want(self) -> int:
        """Settle which blocks the new segments get: their bytes."""
        self._conn.execute(
            "insert into wanted select id from live where id not in (select id from had)"
        )
        return self._number(
            "select coalesce(sum(length(b.payload)), 0)"
            " from wanted w join mail.blocks b on b.id = w.id"
        )

    def write(
        self,
        path: Path,
        sources: Sequence[Path],
        *,
        most_bytes: int,
        progress: Callable[[int], None],
    ) -> Written | None:
        """Write wanted blocks to a new segment, as many as it may hold; None: there are none left.

        Those that mail.db lost, and no segment has, are left out. They come from the first of the
        sources that has them, in the end mail.db. `progress` hears of the bytes of each chunk.
        Raises OSError if the disk is full.
        """
        if not self._number("select exists (select 1 from wanted)"):
            return None
        with _attached(self._conn, path, "target"):
            self._conn.execute(f"pragma target.page_size = {PAGE_BYTES}")
            self._conn.execute("pragma target.journal_mode = off")
            self._conn.execute("pragma target.synchronous = off")
            for statement in _TABLES.split(";"):
                self._conn.execute(statement)
            room = most_bytes
            for source in (*sources, self.path):
                with _attached(self._conn, source, "source"):
                    while room > 0 and (size_bytes := self._copy_chunk(room)):
                        room -= size_bytes
                        progress(size_bytes)
            self._conn.execute(
                "insert into target.blobs select id, digest, block_id, start, size_bytes"
                " from mail.blobs where block_id in (select id from target.blocks) order by id"
            )
            written = Written(self._number("select count(*) from target.blocks"), most_bytes - room)
        if written.blocks:
            return written
        path.unlink()  # what is wanted yet is lost: no source has it
        return None

    def _copy_chunk(self, room: int) -> int:
        """Copy the next wanted blocks that the source has; their bytes."""
        rows = self._conn.execute(
            "select w.id, length(b.payload) from wanted w join source.blocks b on b.id = w.id"
            " order by w.id limit 1000"
        ).fetchall()
        chosen: list[int] = []
        filled = 0
        for block_id, size_bytes in rows:
            if chosen and filled + size_bytes > min(room, CHUNK_BYTES):
                break
            chosen.append(block_id)
            filled += size_bytes
        if chosen:
            between = "id in (select id from wanted) and id between ? and ?"
            ends = [chosen[0], chosen[-1]]
            self._conn.execute(
                "insert into target.blocks select id, kind, payload"
                f" from source.blocks where {between} order by id",
                ends,
            )
            self._conn.execute(
                "delete from wanted where id in (select id from target.blocks)"
                " and id between ? and ?",
                ends,
            )
        return filled

    def _last_id(self, table: str) -> int:
        return self._number(
            f"select max((select coalesce(max(id), 0) from mail.{table}),"
            f" (select coalesce(max(seq), 0) from mail.sqlite_sequence where name = '{table}'))"
        )

    def _number(self, query: str) -> int:
        return int(self._conn.execute(query).fetchone()[0])


def damaged_blocks(segment: Path, progress: Callable[[int], None]) -> int:
    """Read a segment again, every frame against its checksum: how many blocks are damaged.

    Raises Corrupt if it is not sound in itself.
    """
    damaged = 0
    with _translated(segment):
        conn = sqlite3.connect(segment)
        try:
            (state,) = conn.execute("pragma quick_check(1)").fetchone()
            (strays,) = conn.execute(
                "select count(*) from blobs where block_id not in (select id from blocks)"
            ).fetchone()
            if state != "ok" or strays:
                raise Corrupt(f"{segment} was not written as it should be ({state}).")
            for (payload,) in conn.execute("select payload from blocks"):
                damaged += not _is_sound(payload)
                progress(len(payload))
        finally:
            conn.close()
    return damaged


def missing_blobs(snapshot: Path, segments: Sequence[Path]) -> tuple[int, int]:
    """How many blobs a snapshot of archive.db names, and how many of them no segment has."""
    conn = sqlite3.connect("", isolation_level=None)
    try:
        conn.execute("create table named (id integer primary key)")
        with _attached(conn, snapshot, "archive"):
            conn.execute(f"insert or ignore into named {blobs.NAMED.format('archive')}")
        (named,) = conn.execute("select count(*) from named").fetchone()
        for segment in segments:
            with _attached(conn, segment, "segment"):
                conn.execute("delete from named where id in (select id from segment.blobs)")
        (missing,) = conn.execute("select count(*) from named").fetchone()
    finally:
        conn.close()
    return named, missing


def join(
    directory: Path, segments: Sequence[Path], *, last_block: int, last_blob: int
) -> Iterator[Path]:
    """Fill the empty mail.db of a data directory from segments; gives each one when it is done.

    A blob that two segments have lies in the higher block: there it was moved. New ids begin after
    the last ones. Not durable yet.
    """
    path = directory / "mail.db"
    conn = sqlite3.connect(path, isolation_level=None)
    try:
        conn.execute("pragma journal_mode = off")
        conn.execute("pragma synchronous = off")
        for segment in segments:
            with _attached(conn, segment, "segment"):
                conn.execute(
                    "insert into main.blobs (id, digest, block_id, start, size_bytes)"
                    " select id, digest, block_id, start, size_bytes from segment.blobs where true"
                    " on conflict (id) do update set digest = excluded.digest,"
                    " block_id = excluded.block_id, start = excluded.start,"
                    " size_bytes = excluded.size_bytes where excluded.block_id > block_id"
                )
        conn.execute("create temp table live (id integer primary key)")
        conn.execute("insert into live select distinct block_id from main.blobs")
        for segment in segments:
            with _attached(conn, segment, "segment"):
                conn.execute(
                    "insert into main.blocks (id, kind, payload) select id, kind, payload"
                    " from segment.blocks where id in (select id from live) order by id"
                )
            yield segment
        conn.execute("delete from sqlite_sequence where name in ('blocks', 'blobs')")
        conn.execute(
            "insert into sqlite_sequence (name, seq) values ('blocks', ?), ('blobs', ?)",
            [last_block, last_blob],
        )
    finally:
        conn.close()


def _is_sound(payload: bytes) -> bool:
    try:
        for _ in zstandard.ZstdDecompressor().read_to_iter(payload):
            pass
    except zstandard.ZstdError:
        return False
    return True


@contextmanager
def _attached(conn: "sqlite3.Connection", path: Path, name: str) -> Iterator[None]:
    with _translated(path):
        conn.execute(f"attach ? as {name}", [str(path)])
        try:
            yield
        finally:
            conn.execute(f"detach {name}")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors in our words; a full disk is the OSError it is elsewhere."""
    try:
        yield
    except sqlite3.DatabaseError as exc:
        if "full" in str(exc):
            raise OSError(errno.ENOSPC, "no space left", str(path)) from exc
        raise Corrupt(f"{path} is damaged or cannot be read ({exc}).") from exc
