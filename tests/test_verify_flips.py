"""One bit flipped anywhere in mail.db: verification says so, or the bit meant nothing."""

import random
import shutil
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from app.demo.mail import generate
from app.errors import LetterbookError
from app.search.indexer import Indexer
from app.store import Store, blobs, messages, open_store
from app.verify import verify
from tests import make

FLIPS = 300
PAGE = 4096
END = datetime(2026, 3, 20, 15, tzinfo=UTC)


def meaning(store: Store) -> tuple[object, ...]:
    """What mail.db says: of each blob its digest, kind and content, whatever lies where."""
    blocks = {
        block_id: (kind, zstandard.ZstdDecompressor().decompress(payload))
        for block_id, kind, payload in store.mail.conn.execute(
            "select id, kind, payload from blocks"
        )
    }
    placed = store.mail.conn.execute("select id, digest, block_id, start, size_bytes from blobs")
    return blocks, {
        blob_id: (digest, blocks[block][0], blocks[block][1][start:][:size])
        for blob_id, digest, block, start, size in placed
    }


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory: mail of the demo company, and an attachment of 200 KB."""
    directory = tmp_path_factory.mktemp("sound") / "data"
    with closing(open_store(directory)) as store:
        box = make.account(store, make.user(store, "Alice"))
        mails = generate(messages=60, seed=3, end=END)
        raws = [one.deliveries[0].raw for one in mails]
        noise = random.Random(1).randbytes(150_000).hex()
        make.deliver(store, box, *raws, make.mail("Noise", text=noise, message_id="<n@x>"))
        store.archive.conn.execute("update folders set server_messages = 1, checked_at = null")
        Indexer(store).drain()
        store.mail.conn.execute("vacuum")
        store.mail.conn.execute("pragma wal_checkpoint(truncate)")
    return directory


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_is_found_or_means_nothing(sound: Path, tmp_path: Path, seed: int) -> None:
    directory = tmp_path / "data"
    shutil.copytree(sound, directory)
    whole = (directory / "mail.db").read_bytes()
    with closing(open_store(directory)) as store:
        before = meaning(store)
        copies = {copy.id: copy.digest for copy in messages.copies_after(store, 0, limit=1_000)}
        assert verify(store).faults == ()
    chance = random.Random(seed)

    for number in range(FLIPS // 6):
        at = chance.choice(trees(whole)) if number % 2 else chance.randrange(len(whole))
        bit = chance.randrange(8)
        assert is_found(directory, whole, at, bit) or means_nothing(directory, before, copies), at


def trees(whole: bytes) -> list[int]:
    """The bytes that lie in pages of SQLite's own trees and not in long contents."""
    first = (2, 5, 10, 13)
    starts = [at for at in range(0, len(whole), PAGE) if at == 0 or whole[at] in first]
    return [at for start in starts for at in range(start, start + PAGE)]


def is_found(directory: Path, whole: bytes, at: int, bit: int) -> bool:
    """Whether verification, in a fresh connection, finds the bit flipped."""
    damaged = bytearray(whole)
    damaged[at] ^= 1 << bit
    for path in directory.glob("mail.db*"):
        path.unlink()
    (directory / "mail.db").write_bytes(damaged)
    try:
        with closing(open_store(directory)) as store:
            return bool(verify(store).faults)
    except LetterbookError:
        return True


def means_nothing(directory: Path, before: object, copies: dict[int, bytes]) -> bool:
    with closing(open_store(directory)) as store:
        read = {copy_id: sha256(blobs.read(store, copy_id)).digest() for copy_id in copies}
        return read == copies and meaning(store) == before
