"""Content-addressed bytes in mail.db: written once, never changed.

Small contents lie many to a block, like beside like; a block is one zstd frame.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from threading import local

import zstandard

from app.errors import Corrupt
from app.model import BlobId, Digest
from app.store import recipe
from app.store.database import Store, marks, sound

RECIPE, TEXT, OTHER = 0, 1, 2
BLOCK_BYTES = 49_152
"""Of contents in a block: more would make small blobs slow to read, less would store more."""

LEVEL, LARGE_LEVEL = 6, 3
_RECENT_BLOCKS = 32
_LOOKS = 3
_AT_ONCE = 500

_of_thread = local()

logger = logging.getLogger(__name__)


NAMED = (
    "select id from {0}.copies"
    " union all select blob_id from {0}.parts where blob_id is not null"
    " union all select text_blob from {0}.messages where text_blob is not null"
)
"""Every blob that a row of archive.db names, attached under that name ("main": not attached)."""


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A blob to be put: `content` is its bytes or, if `kind` is RECIPE, a recipe for them."""

    digest: Digest
    kind: int
    content: bytes


def find(store: Store, digest: Digest) -> BlobId | None:
    """The id of the blob with this SHA-256; None if it is not there."""
    row = store.mail.conn.execute(
        "select id from blobs where substr(digest, 1, 8) = ? and digest = ?", [digest[:8], digest]
    ).fetchone()
    return None if row is None else BlobId(row[0])


def find_all(store: Store, digests: Iterable[Digest]) -> dict[Digest, BlobId]:
    """The ids of the blobs with these SHA-256s; those that are not there are absent."""
    found: dict[Digest, BlobId] = {}
    wanted = list(set(digests))
    for at in range(0, len(wanted), _AT_ONCE):
        some = {digest[:8]: digest for digest in wanted[at : at + _AT_ONCE]}
        rows = store.mail.conn.execute(
            f"select id, digest from blobs where substr(digest, 1, 8) in ({marks(len(some))})",
            list(some),
        )
        found.update({row[1]: row[0] for row in rows})
    return {digest: found[digest] for digest in wanted if digest in found}


def find_prefix(store: Store, prefix: bytes) -> list[tuple[BlobId, Digest]]:
    """The blobs whose SHA-256 begins with these eight bytes."""
    rows = store.mail.conn.execute(
        "select id, digest from blobs where substr(digest, 1, 8) = ?", [prefix]
    )
    return [(BlobId(row[0]), Digest(row[1])) for row in rows]


def digests_of(store: Store, ids: Sequence[int]) -> dict[int, Digest]:
    """The SHA-256 of each of these blobs; those that are missing are absent."""
    found: dict[int, Digest] = {}
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        found.update(
            store.mail.conn.execute(
                f"select id, digest from blobs where id in ({marks(len(some))})", some
            ).fetchall()
        )
    return found


def put_all(store: Store, new_blobs: Iterable[NewBlob]) -> dict[Digest, BlobId]:
    """Write blobs inside the caller's transaction on mail.db; those that are there stay.

    Gives the ids of all of them.
    """
    new_blobs = list(new_blobs)
    ids = find_all(store, [blob.digest for blob in new_blobs])
    first_id = next_id = _next_id(store)
    open_blocks: dict[int, list[tuple[BlobId, NewBlob]]] = {RECIPE: [], TEXT: [], OTHER: []}
    filled = dict.fromkeys(open_blocks, 0)
    for blob in new_blobs:
        if blob.digest in ids:
            continue
        ids[blob.digest] = BlobId(next_id)
        size_bytes = len(blob.content)
        if filled[blob.kind] and filled[blob.kind] + size_bytes > BLOCK_BYTES:
            _write_block(store, open_blocks[blob.kind])
            open_blocks[blob.kind], filled[blob.kind] = [], 0
        open_blocks[blob.kind].append((BlobId(next_id), blob))
        filled[blob.kind] += size_bytes
        next_id += 1
    for blobs in open_blocks.values():
        if blobs:
            _write_block(store, blobs)
    if next_id > first_id:
        _note_given(store, next_id - 1)
    return ids


def stored_recipe(store: Store, blob_id: int) -> bytes | None:
    """The recipe that builds a blob; None if it is stored as it is. Raises Corrupt."""
    _, kind, content = _stored(store, blob_id.to_bytes(8))
    return content if kind == RECIPE else None


def resolved(store: Store, reference: bytes) -> BlobId:
    """The blob that a step of a recipe names, by its id or digest. Raises Corrupt."""
    if len(reference) == 8:
        return BlobId(int.from_bytes(reference))
    blob_id = find(store, Digest(reference))
    if blob_id is None:
        raise Corrupt(f"The stored bytes of blob {_named(reference)} are missing.")
    return blob_id


def replace_recipes(store: Store, recipes: Mapping[BlobId, bytes]) -> None:
    """Have blobs built by other recipes, which the caller proved.

    The caller holds `lock.removal`. Effects: inside the caller's transaction on mail.db; the old
    recipes lie unnamed in their blocks until the sweep.
    """
    group: list[tuple[BlobId, bytes]] = []
    for blob_id, content in recipes.items():
        if group and sum(len(one) for _, one in group) + len(content) > BLOCK_BYTES:
            _move(store, group)
            group = []
        group.append((blob_id, content))
    if group:
        _move(store, group)


def _move(store: Store, recipes: Sequence[tuple[BlobId, bytes]]) -> None:
    block = store.mail.conn.execute(
        "insert into blocks (kind, payload) values (?, ?)",
        [RECIPE, compressed(b"".join([content for _, content in recipes]))],
    )
    start = 0
    for blob_id, content in recipes:
        store.mail.conn.execute(
            "update blobs set block_id = ?, start = ?, size_bytes = ? where id = ?",
            [block.lastrowid, start, len(content), blob_id],
        )
        start += len(content)


def get(store: Store, digest: Digest) -> bytes:
    """The bytes with this SHA-256, rebuilt and proved.

    Raises Corrupt if they are missing or are not what was stored.
    """
    blob_id = find(store, digest)
    if blob_id is None:
        raise Corrupt(f"The stored bytes of {digest.hex()} are missing.")
    return read(store, blob_id)


def read(store: Store, blob_id: int) -> bytes:
    """The bytes of a blob, rebuilt and proved. Raises Corrupt, as `get`."""
    digest, content = unproved(store, blob_id)
    if sha256(content).digest() != digest:
        raise Corrupt(f"The stored bytes of blob {blob_id} are damaged.")
    return content


def read_all(store: Store, blob_ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Each blob and its bytes, proved, one by one; those that are missing or damaged are absent."""
    wanted = list(blob_ids)
    with sound("mail.db"):
        rows = store.mail.conn.execute(
            "select id, digest, block_id, start, size_bytes from blobs"
            # In the order in which they lie, so that each block is unpacked once.
            f" where id in ({marks(len(wanted))}) order by block_id",
            wanted,
        ).fetchall()
        for blob_id, digest, block_id, start, size_bytes in rows:
            try:
                block = recent_block(store, block_id)
                if block is None or block[0] == RECIPE:
                    yield blob_id, read(store, blob_id)
                    continue
                content = slice_of(str(blob_id), block[1], start, size_bytes)
            except Corrupt as exc:
                logger.warning("stored bytes cannot be read", extra={"problem": str(exc)})
                continue
            if sha256(content).digest() == digest:
                yield blob_id, content
            else:
                logger.warning("stored bytes are damaged", extra={"blob": blob_id})


def unproved(store: Store, blob_id: int) -> tuple[Digest, bytes]:
    """A blob's SHA-256, and the bytes that are to have it. Raises Corrupt."""
    with sound("mail.db"):
        return _content(store, blob_id.to_bytes(8, signed=True))


def ids(store: Store) -> Iterator[BlobId]:
    """Every blob, oldest first."""
    for (blob_id,) in store.mail.conn.execute("select id from blobs order by id"):
        yield BlobId(blob_id)


def stored_bytes(store: Store) -> int:
    """The bytes of all payloads, compressed, without the database around them."""
    found = store.mail.conn.execute("select coalesce(sum(length(payload)), 0) from blocks")
    return int(found.fetchone()[0])


def block_content(store: Store, block_id: int) -> bytes:
    """What a block holds, read anew. Raises Corrupt."""
    row = store.mail.conn.execute("select payload from blocks where id = ?", [block_id]).fetchone()
    if row is None:
        raise Corrupt(f"Block {block_id} is missing.")
    return _unpacked(block_id, row[0])


def recent_block(store: Store, block_id: int) -> tuple[int, bytes] | None:
    """A block's kind and content; None if it is gone. Effects: remembers the small ones read
    last."""
    known = store.recent.pop(block_id, None)
    if known is None:
        row = store.mail.conn.execute(
            "select kind, payload from blocks where id = ?", [block_id]
        ).fetchone()
        if row is None:
            return None
        known = row[0], _unpacked(block_id, row[1])
        if len(store.recent) >= _RECENT_BLOCKS:
            store.recent.pop(next(iter(store.recent)))
    if len(known[1]) <= BLOCK_BYTES:
        store.recent[block_id] = known
    return known


def slice_of(name: str, block: bytes, start: object, size_bytes: object) -> bytes:
    """A blob's content in its block. Raises Corrupt where there is no such place."""
    size = len(block) - start if isinstance(start, int) and size_bytes is None else size_bytes
    if not isinstance(start, int) or not isinstance(size, int):
        raise Corrupt(f"Where blob {name} lies in its block cannot be read.")
    if min(start, size) < 0 or start + size > len(block):
        raise Corrupt(f"Blob {name} would lie outside its block.")
    return block[start : start + size]


def compressed(content: bytes) -> bytes:
    """The payload of a block."""
    level = LARGE_LEVEL if len(content) > BLOCK_BYTES else LEVEL
    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(content)


def _next_id(store: Store) -> int:
    """An id that no blob had, not even one that was removed: older backups name those."""
    (last,) = store.mail.conn.execute(
        "select max((select coalesce(max(id), 0) from blobs),"
        " (select coalesce(max(seq), 0) from sqlite_sequence where name = 'blobs'))"
    ).fetchone()
    return int(last) + 1


def _note_given(store: Store, last_id: int) -> None:
    conn = store.mail.conn
    if not conn.execute(
        "update sqlite_sequence set seq = ? where name = 'blobs'", [last_id]
    ).rowcount:
        conn.execute("insert into sqlite_sequence (name, seq) values ('blobs', ?)", [last_id])


def _write_block(store: Store, blobs: Sequence[tuple[BlobId, NewBlob]]) -> None:
    block_id = store.mail.conn.execute(
        "insert into blocks (kind, payload) values (?, ?)",
        [blobs[0][1].kind, compressed(b"".join([blob.content for _, blob in blobs]))],
    ).lastrowid
    sizes = [len(blob.content) for _, blob in blobs]
    starts = accumulate(sizes, initial=0)
    store.mail.conn.executemany(
        "insert into blobs (id, digest, block_id, start, size_bytes) values (?, ?, ?, ?, ?)",
        [
            (blob_id, blob.digest, block_id, start, size)
            for (blob_id, blob), start, size in zip(blobs, starts, sizes, strict=False)
        ],
    )


def _content(store: Store, reference: bytes) -> tuple[Digest, bytes]:
    """A blob's SHA-256 and what it stands for, not yet proved. Raises Corrupt.

    Mail that is attached to mail to mail makes recipes of recipes: a list of them instead of
    recursion, which a sender could exhaust.
    """
    built: dict[bytes, bytes] = {}
    waiting: dict[bytes, bytes] = {}
    todo = [reference]
    digest = Digest(b"")
    while todo:
        now = todo[-1]
        if now not in waiting:
            digest_now, kind, content = _stored(store, now)
            digest = digest if now != reference else digest_now
            if kind != RECIPE:
                built[todo.pop()] = content
                continue
            waiting[now] = content
        needed = [one for one in recipe.references(waiting[now]) if one not in built]
        if any(one in waiting for one in needed):
            raise Corrupt(f"The recipe of blob {_named(now)} names itself.")
        todo += needed
        if not needed:
            built[todo.pop()] = recipe.build(waiting.pop(now), built.__getitem__)
    return digest, built[reference]


def _stored(store: Store, reference: bytes) -> tuple[Digest, int, bytes]:
    """A blob's SHA-256, its kind, and its content as it lies there. Raises Corrupt."""
    is_id = len(reference) == 8
    condition = "id = ?" if is_id else "substr(digest, 1, 8) = ? and digest = ?"
    values = [_number(reference)] if is_id else [reference[:8], reference]
    # A block may be packed anew between the two looks: then the blob has another place.
    for _ in range(_LOOKS):
        row = store.mail.conn.execute(
            f"select digest, block_id, start, size_bytes from blobs where {condition}", values
        ).fetchone()
        if row is None:
            break
        digest, block_id, start, size_bytes = row
        found = recent_block(store, block_id)
        if found is not None:
            kind, block = found
            return Digest(digest), kind, slice_of(_named(reference), block, start, size_bytes)
    raise Corrupt(f"The stored bytes of blob {_named(reference)} are missing.")


def _unpacked(block_id: int, payload: object) -> bytes:
    """Never more memory than there is content: a damaged frame may announce any size."""
    frame = payload if isinstance(payload, bytes) else b""
    try:
        if 0 <= zstandard.frame_content_size(frame) <= BLOCK_BYTES:
            return _unpacker().decompress(frame, allow_extra_data=False)
        unpacker = _unpacker().decompressobj()
        content = unpacker.decompress(frame)
    except zstandard.ZstdError as exc:
        raise Corrupt(f"Block {block_id} of mail.db is damaged ({exc}).") from exc
    if not unpacker.eof or unpacker.unused_data:
        raise Corrupt(f"Block {block_id} of mail.db is damaged (it is cut off).")
    return content


def _number(reference: bytes) -> int:
    """The id that a recipe names."""
    return int.from_bytes(reference, signed=True)


def _unpacker() -> zstandard.ZstdDecompressor:
    """The decompressor of this thread; making one takes a fifth as long as a block."""
    try:
        unpacker: zstandard.ZstdDecompressor = _of_thread.unpacker
    except AttributeError:
        unpacker = _of_thread.unpacker = zstandard.ZstdDecompressor()
    return unpacker


def _named(reference: bytes) -> str:
    return str(_number(reference)) if len(reference) == 8 else reference.hex()
