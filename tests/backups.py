"""What the tests of backups share: an archive of mail that does not compress, and its files."""

from hashlib import sha256
from pathlib import Path
from random import Random

from app.backup import BackedUp, Restored, back_up, restore
from app.model import Account
from app.store import Store, messages
from app.store.database import write
from tests import make


def back(store: Store, dest: Path, **options: object) -> BackedUp:
    given = {"with_key": False, "keep": 14, "now": make.NOW} | options
    return back_up(store, dest, **given)


def bring_back(dest: Path, target: Path, **options: object) -> Restored:
    given = {"name": None, "configured_key": "", "now": make.NOW} | options
    return restore(dest, target, **given)


def deliver(
    store: Store, box: Account, count: int, *, seed: int = 1, noise_bytes: int = 8_000
) -> None:
    """Mails one by one, each with blocks of its own; their texts are twice the noise."""
    (uid,) = store.archive.conn.execute("select count(*) + 1 from locations").fetchone()
    for number in range(count):
        noise = Random(f"{seed} {number}").randbytes(noise_bytes).hex()
        raw = make.mail(f"Mail {seed}.{number}", text=noise, message_id=f"<{seed}.{number}@x>")
        make.deliver(store, box, raw, first_uid=uid + number)


def remove(store: Store, subject: str) -> None:
    """Take a message's bytes, alone in their blocks, and its rows out for good."""
    archive, mail = store.archive.conn, store.mail.conn
    (message_id, text) = archive.execute(
        "select id, text_blob from messages where subject = ?", [subject]
    ).fetchone()
    (copy,) = archive.execute("select id from copies where message_id = ?", [message_id]).fetchone()
    archive.execute("delete from locations where copy_id = ?", [copy])
    for table in ("copies", "parts", "holdings"):
        archive.execute(f"delete from {table} where message_id = ?", [message_id])
    archive.execute("delete from messages where id = ?", [message_id])
    with write(store.mail):
        for blob in (copy, text):
            mail.execute(
                "delete from blocks where id = (select block_id from blobs where id = ?)", [blob]
            )
            mail.execute("delete from blobs where id = ?", [blob])


def files(dest: Path) -> dict[str, bytes]:
    """Every file of a backup with the SHA-256 of its bytes."""
    return {
        str(path.relative_to(dest)): sha256(path.read_bytes()).digest()
        for path in dest.rglob("*")
        if path.is_file()
    }


def digests(store: Store) -> list[bytes]:
    return sorted(copy.digest for copy in messages.copies_after(store, 0, limit=10_000))
