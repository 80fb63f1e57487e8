"""Import: mail of a file or folder into a mailbox's folder, batch by batch."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from app.errors import Invalid, OutOfSpace
from app.mail.headers import parse_date
from app.model import FIRST_MADE_UP_UID, AccountId, Digest, Folder
from app.store import Store, accounts, folders, locations
from app.store.database import require_room
from app.store.ingest import Delivery
from app.store.singly import ingest_all
from app.transfer.found import Found, Piece, Refused
from app.transfer.mbox import HEAD_END, MOST_HEAD_BYTES
from app.transfer.sources import NO_MAIL, read_mail

BATCH_BYTES = 20_000_000
BATCH_MESSAGES = 500

_RECEIVED = re.compile(rb"(?im)^received:((?:[^\n]|\n[ \t])*)")
_DATE = re.compile(rb"(?im)^date:([^\n]{5,80})")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought: read = stored + known + present + skipped + failed.

    `stored`: new bytes; `known`: bytes that another folder has; `present`: in this folder
    already; `skipped`: removed for good before; `failed`: the reasons, one a piece.
    """

    read: int = 0
    stored: int = 0
    known: int = 0
    present: int = 0
    failed: tuple[str, ...] = ()
    skipped: int = 0

    def __add__(self, other: "Imported") -> "Imported":
        return Imported(
            self.read + other.read,
            self.stored + other.stored,
            self.known + other.known,
            self.present + other.present,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )


def import_mail(
    store: Store,
    path: Path,
    account_id: AccountId,
    *,
    folder: str,
    now: datetime,
    name: str = "",
    progress: Callable[[Imported], None] = lambda done: None,
    read_bytes: Callable[[int], None] = lambda size_bytes: None,
) -> Imported:
    """Bring the mail of a file or folder into an account's folder, sub-folders below it.

    What cannot be read has its reason in the result and a row in the folder's ledger.
    `name`: what people call the file. `read_bytes` hears how much mail was brought so far, to be
    held against `mail_bytes`.

    Raises Invalid if there is no mail at `path` or the folder is the server's own, OutOfSpace.
    Effects: durable batch by batch; may be repeated and resumed, what is there already changes
    nothing.
    """
    found = read_mail(path, name)
    done = Imported()
    size_bytes = 0
    try:
        for batch in _batches(found):
            batch_bytes = sum(len(piece.raw) for piece in batch if isinstance(piece, Found))
            require_room(store, batch_bytes)
            for place, pieces in _by_folder(batch, folder).items():
                target = _folder(store, account_id, place)
                done += _import_batch(store, target, pieces, now=now)
            size_bytes += batch_bytes
            progress(done)
            read_bytes(size_bytes)
    except OutOfSpace as exc:
        raise OutOfSpace(
            f"There is no room left on the disk that holds {store.directory}. {done.read:,}"
            " messages were brought in and stay. Make room and import the same again: it goes on"
            " from there."
        ) from exc
    if not done.read:
        raise Invalid("path", NO_MAIL.format(path=path))
    return done


def _batches(found: Iterable[Piece]) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    size_bytes = 0
    for piece in found:
        size = len(piece.raw) if isinstance(piece, Found) else 0
        if batch and (size_bytes + size > BATCH_BYTES or len(batch) >= BATCH_MESSAGES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(piece)
        size_bytes += size
    if batch:
        yield batch


def _by_folder(batch: list[Piece], top: str) -> dict[str, list[Piece]]:
    """The pieces by folder: below `top`, and beside it if that is INBOX, as in IMAP."""
    sorted_out: dict[str, list[Piece]] = {}
    for piece in batch:
        below = piece.folder if top == "INBOX" else f"{top}/{piece.folder}"
        sorted_out.setdefault(below if piece.folder else top, []).append(piece)
    return sorted_out


def _folder(store: Store, account_id: AccountId, name: str) -> Folder:
    """The folder to import into, made where it is missing. Raises Invalid."""
    found = folders.ensure(store, account_id, name)
    is_servers = found.checked_at is not None or found.uidvalidity is None
    if is_servers and accounts.get(store, account_id).host is not None:
        raise Invalid(
            "folder", f"{name} is a folder of the mail server. Import into one of another name."
        )
    return found


def _import_batch(store: Store, folder: Folder, batch: list[Piece], *, now: datetime) -> Imported:
    place = folder.uidvalidity or 1
    arrived = [piece for piece in batch if isinstance(piece, Found)]
    new, present = _not_held(store, folder, arrived)
    first = locations.next_import_uid(store, folder.id, place)
    deliveries = [
        Delivery(
            folder.id, place, uid, piece.raw, _received_at(piece, now), piece.flags, is_import=True
        )
        for uid, piece in enumerate(new, start=first)
    ]
    counted, reasons = ingest_all(store, deliveries, now=now)
    refused = [piece for piece in batch if isinstance(piece, Refused)] + [
        Refused(reason, new[uid - first].key) for uid, reason in reasons.items()
    ]
    _note_failures(store, folder, arrived, refused, now=now)
    failed = tuple(piece.reason for piece in refused)
    skipped = len(new) - counted.stored - counted.known - len(reasons)  # noted once, said always
    return Imported(len(batch), counted.stored, counted.known, present, failed, skipped)


def _not_held(store: Store, folder: Folder, arrived: list[Found]) -> tuple[list[Found], int]:
    """What the folder does not hold yet, each once, and how many it does."""
    by_digest: dict[Digest, Found] = {}
    for piece in arrived:
        by_digest.setdefault(Digest(sha256(piece.raw).digest()), piece)
    held = locations.held_digests(store, folder.id, by_digest)
    new = [piece for digest, piece in by_digest.items() if digest not in held]
    return new, len(arrived) - len(new)


def _note_failures(
    store: Store, folder: Folder, arrived: list[Found], refused: list[Refused], *, now: datetime
) -> None:
    """Keep the reasons under made-up UIDs, the same at each import; drop what could be read now."""
    place = folder.uidvalidity or 1
    if before := locations.failed_uids(store, folder.id, place):
        healed = {_failure_uid(piece.key) for piece in arrived} & before.keys()
        locations.forget_failures(store, folder.id, place, healed)
    for piece in refused:
        uid = _failure_uid(piece.key)
        locations.record_failure(store, folder.id, place, uid, piece.reason, now=now)


def _failure_uid(key: str) -> int:
    """Above every UID that a server or an import gives."""
    digest = sha256(key.encode(errors="surrogateescape")).digest()
    return FIRST_MADE_UP_UID + int.from_bytes(digest[:6])


def _received_at(piece: Found, now: datetime) -> datetime:
    """When the message came: its top Received header, else its Date, the source's word, or now."""
    head = HEAD_END.search(piece.raw, 0, MOST_HEAD_BYTES)
    end = head.start() if head else MOST_HEAD_BYTES
    for pattern in (_RECEIVED, _DATE):
        match = pattern.search(piece.raw, 0, end)
        date = parse_date(match[1].rpartition(b";")[2].strip()) if match else None
        if date and 0 < date.timestamp() <= now.timestamp():
            return date
    told = piece.received_at
    return told if told and 0 < told.timestamp() <= now.timestamp() else now
