"""Thin blocks become full ones: mail that came in piece by piece is stored as small as any."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import zstandard

from app.errors import Corrupt
from app.store import blobs
from app.store.database import Store, write

HEADER_BYTES = 18
"""Of a zstd frame, at most (RFC 8878 3.1.1.1): it says how much is in it."""

_FULL_BYTES = blobs.BLOCK_BYTES // 2
_MANY = 16
"""So many thin blocks are worth one that is still thin."""

_GROUPS_PER_WRITE = 8
_AT_ONCE = 50_000
"""Thin blocks that are in memory together, with the places of their blobs."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Repacked:
    """How many blocks were taken, how many stand in their place, and the bytes of payload saved."""

    taken: int = 0
    made: int = 0
    saved_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Thin:
    block_id: int
    kind: int
    content_bytes: int
    payload_bytes: int


def repack(store: Store, *, stop: Callable[[], bool] = lambda: False) -> Repacked:
    """Put the contents of thin blocks together.

    The caller holds `lock.removal`. Effects: blobs keep their ids and bytes and lie in new blocks;
    a few blocks to a transaction on mail.db; may be repeated after any interruption.
    """
    done = Repacked()
    (last,) = store.mail.conn.execute("select coalesce(max(id), 0) from blocks").fetchone()
    for kind in (blobs.RECIPE, blobs.TEXT, blobs.OTHER):
        after = 0
        while not stop() and (thin := _thin_blocks(store, kind, after, last)):
            after = thin[-1].block_id
            done = _pack(store, list(_groups(thin)), done, stop)
    return done


def _pack(
    store: Store, groups: Sequence[list[_Thin]], done: Repacked, stop: Callable[[], bool]
) -> Repacked:
    found = members(store, {thin.block_id for group in groups for thin in group})
    for at in range(0, len(groups), _GROUPS_PER_WRITE):
        if stop():
            break
        with write(store.mail):
            for group in groups[at : at + _GROUPS_PER_WRITE]:
                try:
                    contents = [blobs.block_content(store, thin.block_id) for thin in group]
                except Corrupt as exc:  # verification names what lies in it; the others go on
                    logger.warning("a damaged block is left as it is", extra={"problem": str(exc)})
                    continue
                written = _join(store, group, contents, found)
                done = Repacked(
                    done.taken + len(group),
                    done.made + 1,
                    done.saved_bytes + sum(thin.payload_bytes for thin in group) - written,
                )
    return done


def members(store: Store, block_ids: set[int]) -> dict[int, list[tuple[int, int, int | None]]]:
    """Id, start and size of the blobs in each of these blocks, in their order."""
    found: dict[int, list[tuple[int, int, int | None]]] = {}
    for blob_id, block_id, start, size_bytes in store.mail.conn.execute(
        "select id, block_id, start, size_bytes from blobs"
        " where block_id in (select value from json_each(?)) order by block_id, start",
        [json.dumps(list(block_ids))],
    ):
        found.setdefault(block_id, []).append((blob_id, start, size_bytes))
    return found


def content_bytes(header: bytes) -> int:
    """How much a block holds, by its first bytes; -1 if they do not say."""
    try:
        return int(zstandard.frame_content_size(header))
    except zstandard.ZstdError:
        return -1


def _thin_blocks(store: Store, kind: int, after: int, last: int) -> list[_Thin]:
    """The next thin blocks of a kind after one, up to the last, in the order of their ids."""
    rows = store.mail.conn.execute(
        "select id, substr(payload, 1, ?), length(payload) from blocks"
        " where id > ? and id <= ? and kind = ? order by id",
        [HEADER_BYTES, after, last, kind],
    )
    sized = ((row[0], kind, content_bytes(row[1]), row[2]) for row in rows)
    found = list(islice((_Thin(*one) for one in sized if 0 <= one[2] < _FULL_BYTES), _AT_ONCE))
    rows.close()
    return found


def _groups(thin_blocks: Sequence[_Thin]) -> Iterator[list[_Thin]]:
    """Neighbours of one kind that fill a block, or are many."""
    group: list[_Thin] = []
    filled = 0
    for thin in thin_blocks:
        if filled + thin.content_bytes > blobs.BLOCK_BYTES:
            if _is_worth(group, filled):
                yield group
            group, filled = [], 0
        group.append(thin)
        filled += thin.content_bytes
    if _is_worth(group, filled):
        yield group


def _is_worth(group: Sequence[_Thin], filled: int) -> bool:
    return len(group) > 1 and (filled >= _FULL_BYTES or len(group) >= _MANY)


def _join(
    store: Store,
    group: Sequence[_Thin],
    contents: Sequence[bytes],
    members: dict[int, list[tuple[int, int, int | None]]],
) -> int:
    """Write one block in place of several, inside the caller's transaction; gives its bytes."""
    payload = blobs.compressed(b"".join(contents))
    block_id = store.mail.conn.execute(
        "insert into blocks (kind, payload) values (?, ?)", [group[0].kind, payload]
    ).lastrowid
    offset = 0
    for thin, content in zip(group, contents, strict=True):
        for blob_id, start, size_bytes in members.get(thin.block_id, ()):
            size = len(content) - start if size_bytes is None else size_bytes
            store.mail.conn.execute(
                "update blobs set block_id = ?, start = ?, size_bytes = ? where id = ?",
                [block_id, offset + start, size, blob_id],
            )
        store.mail.conn.execute("delete from blocks where id = ?", [thin.block_id])
        offset += len(content)
    return len(payload)
