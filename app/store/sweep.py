"""Bytes that nothing in archive.db needs any more leave mail.db, and the files on disk.

Ingest puts blobs first and names them later. So blobs are unnamed under the write locks of both
databases, and whoever was about to name one finds it missing and puts it anew.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # pysqlite3 where it is

from app.errors import Busy, Conflict, Corrupt
from app.store import blobs, packing, recipe, tombstones
from app.store.database import Store, require_room, write

_BLOCKS_PER_WRITE = 8
_IN_USE = (
    "The databases were in use, so old bytes may remain on disk. It is tried again in an hour."
)
_NOT_ITS_OWN = (
    "archive.db knows of no mail, and mail.db holds some: archive.db was lost, or is another"
    " archive's. Nothing was removed. Stop Letterbook and restore archive.db from a backup;"
    " without one, tools/rescue.py gets the mail out."
)
_PRESENT, _RECIPE, _NEEDED = 1, 2, 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """How many blobs went, and how many blocks were written anew without what is dead in them."""

    blobs: int
    blocks: int
    is_finished: bool = True


def sweep(store: Store, *, stop: Callable[[], bool] = lambda: False) -> Swept:
    """Remove the blobs that nothing needs, and their bytes; whole mails only if they were purged.

    The caller holds `lock.removal`. Raises Corrupt if a recipe cannot be read: what it needs is not
    known then; or if archive.db knows of no mail at all. Nothing is removed then.
    Effects: may be repeated after any interruption.
    """
    if not _has_had_mail(store) and any(True for _ in blobs.ids(store)):
        raise Corrupt(_NOT_ITS_OWN)
    orphans = _orphans(store)
    removed = _unname(store, orphans) if orphans.found else 0
    rewritten = 0
    dead = _blocks_with_dead_bytes(store)
    members = packing.members(store, set(dead))
    for at in range(0, len(dead), _BLOCKS_PER_WRITE):
        if stop():
            return Swept(removed, rewritten, is_finished=False)
        with write(store.mail):
            for block_id in dead[at : at + _BLOCKS_PER_WRITE]:
                rewritten += _rewrite(store, block_id, members.get(block_id, []))
    return Swept(removed, rewritten)


def wipe(store: Store) -> None:
    """Have the files on disk forget what was removed.

    Deleted content is overwritten (secure_delete), but rows that SQLite moved may have left traces
    in unused corners of its pages: the databases are written anew, and nobody else can write
    meanwhile. The logs are emptied. Raises Conflict while somebody reads an older state,
    OutOfSpace where there is no room for it; then it is to be done again.
    """
    is_busy = False
    try:
        for db, name in ((store.archive, "archive.db"), (store.mail, "mail.db")):
            require_room(store, (store.directory / name).stat().st_size)
            db.conn.execute("vacuum")
            is_busy |= bool(db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()[0])
    except (Busy, sqlite3.OperationalError) as exc:
        raise Conflict(f"{_IN_USE} ({exc})") from exc
    if is_busy:
        raise Conflict(_IN_USE)


@dataclass(frozen=True, slots=True)
class _Orphans:
    """Blobs that nothing needed when it was looked, and how far that look went."""

    found: list[int]
    last_blob: int
    last_message: int


def _has_had_mail(store: Store) -> bool:
    found = store.archive.conn.execute(
        "select exists (select 1 from copies) or exists (select 1 from purges)"
    )
    return bool(found.fetchone()[0])


def _orphans(store: Store) -> _Orphans:
    conn = store.mail.conn
    (last_blob,) = conn.execute("select coalesce(max(id), 0) from blobs").fetchone()
    # A byte for each blob: there may be millions. A lost block may have held a recipe.
    state = bytearray(last_blob + 1)
    whole: list[int] = []
    removed = tombstones.every(store)
    for blob_id, digest, kind in conn.execute(
        "select b.id, b.digest, k.kind from blobs b left join blocks k on k.id = b.block_id"
        " where b.id <= ?",
        [last_blob],
    ):
        is_recipe = kind in (blobs.RECIPE, None)
        state[blob_id] = _PRESENT | (_RECIPE if is_recipe else 0)
        if is_recipe and digest not in removed:
            whole.append(blob_id)
    (last_message,) = store.archive.conn.execute(
        "select coalesce(max(id), 0) from messages"
    ).fetchone()
    # A whole mail goes only if it was removed for good. That no row names it may mean that an older
    # archive.db was put in place of this one.
    rows = store.archive.conn.execute(blobs.NAMED.format("main"))
    for named in chain((row[0] for row in rows), whole):
        todo = [named]
        while todo:
            one = todo.pop()
            if one > last_blob or not state[one] & _PRESENT or state[one] & _NEEDED:
                continue
            state[one] |= _NEEDED
            if state[one] & _RECIPE:
                todo += _pieces(store, one)
    found = [
        one for one in range(1, last_blob + 1) if state[one] & _PRESENT and state[one] < _NEEDED
    ]
    return _Orphans(found, last_blob, last_message)


def _pieces(store: Store, blob_id: int) -> list[int]:
    """The blobs that a blob is built of."""
    content = blobs.stored_recipe(store, blob_id)
    return [blobs.resolved(store, one) for one in recipe.references(content or b"")]


def _unname(store: Store, orphans: _Orphans) -> int:
    """Take away the rows of blobs, but of those that were named since the look; how many went."""
    # mail.db commits first: whoever waits to name a blob is to see what became of it.
    with write(store.archive), write(store.mail):
        doomed = set(orphans.found) - _named_since(store, orphans)
        store.mail.conn.executemany("delete from blobs where id = ?", [(one,) for one in doomed])
    return len(doomed)


def _named_since(store: Store, orphans: _Orphans) -> set[int]:
    """What rows name that were written after the look; inside both transactions."""
    conn = store.archive.conn
    found: set[int] = set()
    parameters = {
        "orphans": json.dumps(orphans.found),
        "blob": orphans.last_blob,
        "message": orphans.last_message,
    }
    todo: list[int] = []
    for query in (
        "select id from copies where id > :blob",
        "select id from copies where id in (select value from json_each(:orphans))",
        "select blob_id from parts where message_id > :message and blob_id is not null",
        "select text_blob from messages where id > :message and text_blob is not null",
    ):
        todo += [row[0] for row in conn.execute(query, parameters)]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += _pieces(store, one)
    return found


def _blocks_with_dead_bytes(store: Store) -> list[int]:
    """The blocks that hold more than their blobs, or none."""
    dead: list[int] = []
    for block_id, header, blobs_there, its_bytes in store.mail.conn.execute(
        "select k.id, substr(k.payload, 1, ?), s.blobs, s.size_bytes from blocks k left join ("
        # Null, up to the block's end, makes the sum null.
        "  select block_id, count(*) as blobs,"
        "  case when count(*) = count(size_bytes) then sum(size_bytes) end as size_bytes"
        "  from blobs group by block_id) s on s.block_id = k.id order by k.id",
        [packing.HEADER_BYTES],
    ):
        is_unnamed = blobs_there is None
        if is_unnamed or (its_bytes is not None and its_bytes < packing.content_bytes(header)):
            dead.append(block_id)
    return dead


def _rewrite(store: Store, block_id: int, members: list[tuple[int, int, int | None]]) -> bool:
    """Have only the living in a block; False if it is damaged, or changed meanwhile."""
    conn = store.mail.conn
    if not members:
        is_unnamed = conn.execute(
            "delete from blocks where id = :id"
            " and not exists (select 1 from blobs where block_id = :id)",
            {"id": block_id},
        )
        return bool(is_unnamed.rowcount)
    try:
        content = blobs.block_content(store, block_id)
    except Corrupt as exc:  # verification names what lies in it; the others go on
        logger.warning("a damaged block is left as it is", extra={"problem": str(exc)})
        return False
    (kind,) = conn.execute("select kind from blocks where id = ?", [block_id]).fetchone()
    pieces = [content[start : start + (size or 0)] for _, start, size in members]
    made = conn.execute(
        "insert into blocks (kind, payload) values (?, ?)",
        [kind, blobs.compressed(b"".join(pieces))],
    )
    start = 0
    for (blob_id, _, _), piece in zip(members, pieces, strict=True):
        conn.execute(
            "update blobs set block_id = ?, start = ?, size_bytes = ? where id = ?",
            [made.lastrowid, start, len(piece), blob_id],
        )
        start += len(piece)
    conn.execute("delete from blocks where id = ?", [block_id])
    return True
