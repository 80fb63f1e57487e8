"""Damaged blobs replaced under their ids, by bytes that are proved. Blobs keep their ids."""

from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256

from app.errors import Corrupt
from app.mail import decode_leaf
from app.model import Digest, MessageId
from app.store import blobs
from app.store.blobs import NewBlob
from app.store.database import Store, sound, transaction, write
from app.store.reading import Reading, add_parts, new_blobs, read, recipe_of

MOST_BITS = 8
"""So few differ by damage to the digest alone: of two that have nothing in common 128 do."""


def is_whole(store: Store, blob_id: int) -> bool:
    """Whether a blob is there and is what was stored, read anew."""
    store.recent.clear()
    try:
        blobs.read(store, blob_id)
    except Corrupt:
        return False
    return True


def mend(store: Store, raw: bytes, harm: Collection[int]) -> None:
    """Put what these bytes hold in the place of damaged blobs that have the same SHA-256.

    The caller holds `lock.removal`. Effects: one transaction on mail.db; may be repeated.
    """
    reading = read(raw)
    with sound("mail.db"), write(store.mail):
        for new in _contents(reading):
            blob_id = blobs.find(store, new.digest)
            if blob_id is not None and blob_id in harm and not is_whole(store, blob_id):
                _replace(store, blob_id, new)
        digest = Digest(sha256(raw).digest())
        copy_id = blobs.find(store, digest)
        if copy_id is not None and copy_id in harm and not is_whole(store, copy_id):
            ids = blobs.put_all(store, new_blobs(reading))
            _replace(store, copy_id, NewBlob(digest, blobs.RECIPE, recipe_of(reading, ids)))


def correct(store: Store, blob_id: int) -> None:
    """Write a blob's SHA-256 anew where it alone is damaged, as a few bits show.

    The caller holds `lock.removal`. Effects: one transaction on mail.db; may be repeated.
    """
    store.recent.clear()
    try:
        digest, content = blobs.unproved(store, blob_id)
    except Corrupt:
        return
    right = sha256(content).digest()
    bits = (int.from_bytes(digest) ^ int.from_bytes(right)).bit_count()
    if 0 < bits <= MOST_BITS:
        found = blobs.stored_recipe(store, blob_id)
        new = NewBlob(Digest(right), blobs.OTHER, content)
        if found is not None:
            new = NewBlob(Digest(right), blobs.RECIPE, found)
        with sound("mail.db"), write(store.mail):
            store.mail.conn.execute("update blobs set digest = ? where id = ?", [right, blob_id])
            # In a block of its own: a backup that has the old one would seem to be another's.
            _replace(store, blob_id, new)


def derive_again(store: Store, message_id: MessageId, raw: bytes) -> None:
    """Have a message's parts and text named anew, as its bytes tell them.

    The caller holds `lock.removal`. Effects: a transaction on each database; may be repeated.
    """
    reading = read(raw)
    with write(store.mail):
        ids = blobs.put_all(store, new_blobs(reading))
    with transaction(store):
        conn = store.archive.conn
        conn.execute("delete from parts where message_id = ?", [message_id])
        add_parts(store, [(message_id, reading)], ids)
        text = None if reading.text is None else ids[reading.text.digest]
        conn.execute(
            "update messages set text_blob = ?, text_charset = ? where id = ?",
            [text, reading.text_charset, message_id],
        )


def rebuild_index(store: Store) -> None:
    """Make the index of mail.db anew from its table."""
    with sound("mail.db"), write(store.mail):
        store.mail.conn.execute("reindex")


def drop(store: Store, blob_ids: Iterable[int]) -> None:
    """Remove blobs that nobody needs, and the blocks that nothing lies in.

    The caller holds `lock.removal`. Effects: one transaction on mail.db; may be repeated.
    """
    with sound("mail.db"), write(store.mail):
        store.mail.conn.executemany(
            "delete from blobs where id = ?", [(blob_id,) for blob_id in blob_ids]
        )
        store.mail.conn.execute("delete from blocks where id not in (select block_id from blobs)")


def _contents(reading: Reading) -> Iterator[NewBlob]:
    """All that a copy's bytes give: its parts as they are stored and decoded, and its text."""
    yield from new_blobs(reading)
    for leaf in reading.mail.leaves:
        content = decode_leaf(reading.raw, leaf)
        kind = blobs.TEXT if leaf.content_type.startswith("text/") else blobs.OTHER
        yield NewBlob(Digest(sha256(content).digest()), kind, content)


def _replace(store: Store, blob_id: int, new: NewBlob) -> None:
    """In a block of its own; the next packing puts it beside others."""
    block = store.mail.conn.execute(
        "insert into blocks (kind, payload) values (?, ?)",
        [new.kind, blobs.compressed(new.content)],
    )
    store.mail.conn.execute(
        "update blobs set block_id = ?, start = 0, size_bytes = ? where id = ?",
        [block.lastrowid, len(new.content), blob_id],
    )
