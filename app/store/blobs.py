"""Content-addressed bytes in mail.db: written once, never changed.

Small contents lie many to a block, like beside like; a block is one zstd frame.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import zstandard

from app.errors import Corrupt
from app.model import BlobId, Digest
from app.store import recipe
from app.store.database import Store, marks

RECIPE, TEXT, OTHER = 0, 1, 2
BLOCK_BYTES = 65_536
"""Of contents in a block: more would make small blobs slow to read, less would store more."""

LEVEL, LARGE_LEVEL = 9, 3
_RECENT_BLOCKS = 32


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A blob to be put: `content` is its bytes or, if `kind` is RECIPE, a recipe for them."""

    digest: Digest
    kind: int
    content: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a blob's content lies; `size_bytes=None`: up to the block's end."""

    digest: Digest
    block_id: int
    start: int
    size_bytes: int | None
    kind: int


def find(store: Store, digest: Digest) -> BlobId | None:
    """The id of the blob with this SHA-256; None if it is not there."""
    row = store.mail.conn.execute(
        "select id from blobs where substr(digest, 1, 8) = ? and digest = ?", [digest[:8], digest]
    ).fetchone()
    return None if row is None else BlobId(row[0])


def find_prefix(store: Store, prefix: bytes) -> list[tuple[BlobId, Digest]]:
    """The blobs whose SHA-256 begins with these eight bytes."""
    rows = store.mail.conn.execute(
        "select id, digest from blobs where substr(digest, 1, 8) = ?", [prefix]
    )
    return [(BlobId(row[0]), Digest(row[1])) for row in rows]


def digests_of(store: Store, ids: Sequence[int]) -> dict[int, Digest]:
    """The SHA-256 of each of these blobs; those that are missing are absent."""
    found: dict[int, Digest] = {}
    for at in range(0, len(ids), 500):
        some = ids[at : at + 500]
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
    ids: dict[Digest, BlobId] = {}
    (next_id,) = store.mail.conn.execute("select coalesce(max(id), 0) + 1 from blobs").fetchone()
    open_blocks: dict[int, list[tuple[BlobId, NewBlob]]] = {RECIPE: [], TEXT: [], OTHER: []}
    filled = dict.fromkeys(open_blocks, 0)
    for blob in new_blobs:
        if blob.digest in ids:
            continue
        known = find(store, blob.digest)
        ids[blob.digest] = known or BlobId(next_id)
        if known:
            continue
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
    return ids


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
    place = _place(store, "b.id = ?", [blob_id])
    if place is None:
        raise Corrupt(f"The stored bytes of blob {blob_id} are missing.")
    content = _content(store, place)
    if sha256(content).digest() != place.digest:
        raise Corrupt(f"The stored bytes of {place.digest.hex()} are damaged.")
    return content


def ids(store: Store) -> Iterator[BlobId]:
    """Every blob, oldest first."""
    for (blob_id,) in store.mail.conn.execute("select id from blobs order by id"):
        yield BlobId(blob_id)


def stored_bytes(store: Store) -> int:
    """The bytes of all payloads, compressed, without the database around them."""
    found = store.mail.conn.execute("select coalesce(sum(length(payload)), 0) from blocks")
    return int(found.fetchone()[0])


def _write_block(store: Store, blobs: Sequence[tuple[BlobId, NewBlob]]) -> None:
    contents = [blob.content for _, blob in blobs]
    is_large = len(contents) == 1 and len(contents[0]) > BLOCK_BYTES
    compressor = zstandard.ZstdCompressor(
        level=LARGE_LEVEL if is_large else LEVEL, write_checksum=True
    )
    block = store.mail.conn.execute(
        "insert into blocks (kind, payload) values (?, ?)",
        [blobs[0][1].kind, compressor.compress(b"".join(contents))],
    )
    start = 0
    for blob_id, blob in blobs:
        store.mail.conn.execute(
            "insert into blobs (id, digest, block_id, start, size_bytes) values (?, ?, ?, ?, ?)",
            [blob_id, blob.digest, block.lastrowid, start, len(blob.content)],
        )
        start += len(blob.content)


def _place(store: Store, condition: str, values: Sequence[object]) -> _Place | None:
    row = store.mail.conn.execute(
        "select b.digest, b.block_id, b.start, b.size_bytes, k.kind"
        f" from blobs b join blocks k on k.id = b.block_id where {condition}",
        values,
    ).fetchone()
    return None if row is None else _Place(Digest(row[0]), *row[1:])


def _content(store: Store, place: _Place) -> bytes:
    """What a blob stands for, not yet proved."""
    block = _block(store, place)
    end = len(block) if place.size_bytes is None else place.start + place.size_bytes
    content = block[place.start : end]
    if place.kind != RECIPE:
        return content
    return recipe.build(content, lambda reference: _referred(store, reference))


def _referred(store: Store, reference: bytes) -> bytes:
    """The bytes that a recipe names, by id or digest; the whole is proved, not its pieces."""
    by_id = "b.id = ?", [int.from_bytes(reference)]
    by_digest = "substr(b.digest, 1, 8) = ? and b.digest = ?", [reference[:8], reference]
    place = _place(store, *(by_id if len(reference) == 8 else by_digest))
    if place is None:
        raise Corrupt(f"The stored bytes of blob {reference.hex()} are missing.")
    return _content(store, place)


def _block(store: Store, place: _Place) -> bytes:
    """The contents of a block. Effects: remembers the small ones that were read last."""
    known = store.recent.pop(place.block_id, None)
    if known is None:
        (payload,) = store.mail.conn.execute(
            "select payload from blocks where id = ?", [place.block_id]
        ).fetchone()
        try:
            known = zstandard.ZstdDecompressor().decompress(payload)
        except zstandard.ZstdError as exc:
            raise Corrupt(f"The stored bytes of {place.digest.hex()} are damaged ({exc}).") from exc
        if len(store.recent) >= _RECENT_BLOCKS:
            store.recent.pop(next(iter(store.recent)))
    if len(known) <= BLOCK_BYTES:
        store.recent[place.block_id] = known
    return known
