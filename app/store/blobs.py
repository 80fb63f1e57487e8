"""Content-addressed bytes in mail.db: written once, never changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import zstandard

from app.errors import Corrupt
from app.model import Digest
from app.store import recipe
from app.store.database import Store

BYTES, RECIPE = 0, 1
LEVEL = 3


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A blob to be put: `payload` is its bytes, or a recipe that builds them."""

    digest: Digest
    size_bytes: int
    form: int
    payload: bytes


def has(store: Store, digest: Digest) -> bool:
    found = store.mail.conn.execute("select 1 from blobs where digest = ?", [digest])
    return found.fetchone() is not None


def put_all(store: Store, new_blobs: list[NewBlob]) -> None:
    """Write blobs inside the caller's transaction on mail.db; those that are there stay."""
    compress = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress
    store.mail.conn.executemany(
        "insert into blobs (digest, size_bytes, form, payload) values (?, ?, ?, ?)"
        " on conflict (digest) do nothing",
        [(blob.digest, blob.size_bytes, blob.form, compress(blob.payload)) for blob in new_blobs],
    )


def get(store: Store, digest: Digest) -> bytes:
    """The bytes with this SHA-256, rebuilt and proved.

    Raises Corrupt if they are missing or are not what was stored.
    """
    content = _read(store, digest)
    if sha256(content).digest() != digest:
        raise Corrupt(f"The stored bytes of {digest.hex()} are damaged.")
    return content


def digests(store: Store) -> Iterator[Digest]:
    """Every blob's digest, oldest first."""
    for (digest,) in store.mail.conn.execute("select digest from blobs order by id"):
        yield Digest(digest)


def stored_bytes(store: Store) -> int:
    """The bytes of all payloads, compressed, without the database around them."""
    found = store.mail.conn.execute("select coalesce(sum(length(payload)), 0) from blobs")
    return int(found.fetchone()[0])


def _read(store: Store, digest: Digest) -> bytes:
    row = store.mail.conn.execute(
        "select form, size_bytes, payload from blobs where digest = ?", [digest]
    ).fetchone()
    if row is None:
        raise Corrupt(f"The stored bytes of {digest.hex()} are missing.")
    form, size_bytes, compressed = row
    try:
        payload = zstandard.ZstdDecompressor().decompress(compressed)
    except zstandard.ZstdError as exc:
        raise Corrupt(f"The stored bytes of {digest.hex()} are damaged ({exc}).") from exc
    content = payload if form == BYTES else recipe.build(payload, lambda d: _read(store, d))
    if len(content) != size_bytes:
        raise Corrupt(f"The stored bytes of {digest.hex()} have another length than noted.")
    return content
