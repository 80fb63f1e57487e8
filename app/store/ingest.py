"""Deliveries become blobs, messages, copies and locations. Durable when `ingest` returns."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from app.mail import PARSER_VERSION, ParsedMail, decode_leaf, display, parse, split_quoted
from app.model import AccountId, Address, CopyId, Digest, FolderId, MessageId
from app.store import blobs, recipe
from app.store.blobs import NewBlob
from app.store.database import Store, new_public_id, to_seconds, transaction, write
from app.store.threads import thread_of

PREVIEW_CHARACTERS = 140
TEXT_BYTES = 65_536
"""Of the readable text, kept for snippets where it cannot be read straight from a part."""

NAMED_RECIPIENTS = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as a folder holds it: `flags` as the server writes them (RFC 9051 2.3.2)."""

    folder_id: FolderId
    uidvalidity: int
    uid: int
    raw: bytes
    received_at: datetime
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many deliveries brought new bytes, and how many bytes that were known."""

    stored: int
    known: int


@dataclass(frozen=True, slots=True)
class _New:
    """What a copy with new bytes brings."""

    mail: ParsedMail
    size_bytes: int
    part_digests: dict[int, Digest]
    part_sizes: dict[int, int]
    text_digest: Digest | None
    text_charset: str


def ingest(store: Store, deliveries: Sequence[Delivery], *, now: datetime) -> Ingested:
    """Keep deliveries: blobs first and durable, then the rows that name them.

    Effects: may be repeated; a delivery that is there already changes nothing.
    """
    digests = [Digest(sha256(delivery.raw).digest()) for delivery in deliveries]
    known = _known_copies(store, digests)
    new: dict[Digest, _New] = {}
    with write(store.mail):
        for delivery, digest in zip(deliveries, digests, strict=True):
            if digest not in known and digest not in new:
                new[digest] = _put(store, digest, delivery.raw)
    with transaction(store):
        return _note(store, deliveries, digests, new, now=now)


def refresh_holdings(store: Store, account_id: AccountId, message_ids: Iterable[MessageId]) -> None:
    """Derive anew what the mailbox holds of these messages, from their locations.

    Effects: writes inside the caller's transaction; may be repeated.
    """
    store.archive.conn.execute(
        "insert into holdings (account_id, message_id, sort_at, downloaded_at, received_at,"
        " is_unread, is_live)"
        " select f.account_id, m.id, m.sort_at, min(l.first_seen_at), max(l.received_at),"
        " max(l.gone_since is null and f.skipped_by is null"
        "   and instr(lower(l.flags), '\\seen') = 0),"
        " max(l.gone_since is null and f.skipped_by is null)"
        # Cross joins keep this order: the planner would begin with every location of a folder.
        " from json_each(:ids) wanted cross join messages m on m.id = wanted.value"
        " cross join copies c on c.message_id = m.id cross join locations l on l.copy_id = c.id"
        " cross join folders f on f.id = l.folder_id"
        " where f.account_id = :account_id group by m.id"
        " on conflict (message_id, account_id) do update set"
        " downloaded_at = excluded.downloaded_at, received_at = excluded.received_at,"
        " is_unread = excluded.is_unread, is_live = excluded.is_live",
        {"account_id": account_id, "ids": json.dumps(list(message_ids))},
    )


def _known_copies(store: Store, digests: Sequence[Digest]) -> set[Digest]:
    return {digest for digest in set(digests) if _copy(store, digest) is not None}


def _copy(store: Store, digest: Digest) -> tuple[CopyId, MessageId] | None:
    row = store.archive.conn.execute(
        "select id, message_id from copies where digest = ?", [digest]
    ).fetchone()
    return None if row is None else (CopyId(row[0]), MessageId(row[1]))


def _put(store: Store, digest: Digest, raw: bytes) -> _New:
    """Parse new bytes and write their blobs; the recipe last."""
    mail = parse(raw)
    steps, contents, part_digests = recipe.cook(raw, mail.leaves)
    new_blobs = [NewBlob(d, len(content), blobs.BYTES, content) for d, content in contents.items()]
    text_digest, text_charset = _own_text_part(mail, part_digests)
    if text_digest is None and mail.text:
        text = mail.text.encode()[:TEXT_BYTES]
        text_digest, text_charset = Digest(sha256(text).digest()), "utf-8"
        new_blobs.append(NewBlob(text_digest, len(text), blobs.BYTES, text))
    new_blobs.append(NewBlob(digest, len(raw), blobs.RECIPE, steps))
    blobs.put_all(store, new_blobs)
    sizes = {
        leaf.position: len(contents[part_digests[leaf.position]])
        if leaf.position in part_digests
        else len(decode_leaf(raw, leaf))
        for leaf in mail.leaves
    }
    return _New(mail, len(raw), part_digests, sizes, text_digest, text_charset)


def _own_text_part(mail: ParsedMail, part_digests: dict[int, Digest]) -> tuple[Digest | None, str]:
    """The blob and charset of the readable text, if one stored part is just that."""
    texts = [leaf for leaf in mail.leaves if not leaf.is_attachment]
    if len(texts) == 1 and texts[0].content_type == "text/plain":
        return part_digests.get(texts[0].position), texts[0].charset
    return None, "utf-8"


def _note(
    store: Store,
    deliveries: Sequence[Delivery],
    digests: Sequence[Digest],
    new: dict[Digest, _New],
    *,
    now: datetime,
) -> Ingested:
    """Write the rows of a batch inside the caller's transaction."""
    accounts = _accounts_of_folders(store, {delivery.folder_id for delivery in deliveries})
    touched: dict[AccountId, set[MessageId]] = {account: set() for account in accounts.values()}
    stored = known = 0
    for delivery, digest in zip(deliveries, digests, strict=True):
        found = _copy(store, digest)
        copy_id, message_id = found or _add_copy(store, digest, new[digest], delivery, now=now)
        if _add_location(store, delivery, copy_id, was_known=found is not None, now=now):
            stored += found is None
            known += found is not None
            touched[accounts[delivery.folder_id]].add(message_id)
    for account_id, message_ids in touched.items():
        refresh_holdings(store, account_id, message_ids)
        queue_messages(store, message_ids)
    return Ingested(stored, known)


def queue_messages(store: Store, message_ids: Iterable[MessageId]) -> None:
    """Have messages indexed anew. Effects: inside the caller's transaction; may be repeated."""
    store.archive.conn.executemany(
        "insert into index_queue (kind, subject_id) values ('message', ?)",
        [(message_id,) for message_id in sorted(message_ids)],
    )


def _accounts_of_folders(store: Store, folders: set[FolderId]) -> dict[FolderId, AccountId]:
    rows = store.archive.conn.execute(
        "select id, account_id from folders where id in (select value from json_each(?))",
        [json.dumps(sorted(folders))],
    )
    return {FolderId(folder): AccountId(account) for folder, account in rows}


def _add_copy(
    store: Store, digest: Digest, new: _New, delivery: Delivery, *, now: datetime
) -> tuple[CopyId, MessageId]:
    identity = sha256(
        new.mail.internet_message_id.encode(errors="replace") + b"\0" + new.mail.content_digest
    ).digest()
    row = store.archive.conn.execute(
        "select id from messages where identity = ?", [identity]
    ).fetchone()
    message_id = (
        MessageId(row[0]) if row else _add_message(store, identity, new, delivery.received_at)
    )
    added = store.archive.conn.execute(
        "insert into copies (public_id, message_id, digest, size_bytes, stored_at)"
        " values (?, ?, ?, ?, ?)",
        [new_public_id(), message_id, digest, new.size_bytes, to_seconds(now)],
    )
    return CopyId(added.lastrowid or 0), message_id


def _add_message(store: Store, identity: bytes, new: _New, received_at: datetime) -> MessageId:
    mail = new.mail
    (message_id,) = store.archive.conn.execute(
        "select coalesce(max(id), 0) + 1 from messages"
    ).fetchone()
    sent_at = None if mail.sent_at is None else to_seconds(mail.sent_at)
    store.archive.conn.execute(
        "insert into messages (id, public_id, identity, thread_id, internet_message_id, subject,"
        " sender_name, sender_address, to_summary, preview, sent_at, sort_at, size_bytes,"
        " attachment_count, text_digest, text_charset, defects, parser_version)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            message_id,
            new_public_id(),
            identity,
            thread_of(store, message_id, mail.internet_message_id, mail.references),
            display(mail.internet_message_id),
            display(mail.subject),
            display(mail.sender.name),
            display(mail.sender.address),
            display(_summary(mail.to)),
            _preview(mail.text),
            sent_at,
            to_seconds(_sort_time(mail.sent_at, received_at)),
            new.size_bytes,
            sum(leaf.is_attachment for leaf in mail.leaves),
            new.text_digest,
            new.text_charset,
            " ".join(mail.defects),
            PARSER_VERSION,
        ],
    )
    store.archive.conn.executemany(
        "insert into parts (message_id, position, content_type, charset, filename, content_id,"
        " size_bytes, is_attachment, digest) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                message_id,
                leaf.position,
                display(leaf.content_type),
                display(leaf.charset),
                display(leaf.filename),
                display(leaf.content_id),
                new.part_sizes[leaf.position],
                leaf.is_attachment,
                new.part_digests.get(leaf.position),
            )
            for leaf in mail.leaves
        ],
    )
    return MessageId(message_id)


def _add_location(
    store: Store, delivery: Delivery, copy_id: CopyId, *, was_known: bool, now: datetime
) -> bool:
    """Note where the copy was seen; False if that was noted already."""
    place = [delivery.folder_id, delivery.uidvalidity, delivery.uid]
    added = store.archive.conn.execute(
        "insert into locations (folder_id, uidvalidity, uid, copy_id, received_at, first_seen_at,"
        " flags, was_known) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        [
            *place,
            copy_id,
            to_seconds(delivery.received_at),
            to_seconds(now),
            " ".join(delivery.flags),
            was_known,
        ],
    )
    store.archive.conn.execute(
        "delete from failures where folder_id = ? and uidvalidity = ? and uid = ?", place
    )
    return bool(added.rowcount)


def _sort_time(sent_at: datetime | None, received_at: datetime) -> datetime:
    """The claimed date where it can be believed, else when the server received it."""
    if sent_at is None or sent_at.year < 1980 or sent_at > received_at + timedelta(days=1):
        return received_at
    return sent_at


def _summary(recipients: tuple[Address, ...]) -> str:
    names = [person.name or person.address for person in recipients[:NAMED_RECIPIENTS]]
    more = len(recipients) - len(names)
    return ", ".join(names) + (f" +{more}" if more else "")


def _preview(text: str) -> str:
    new_text, _ = split_quoted(text[: 20 * PREVIEW_CHARACTERS])
    return display(" ".join((new_text or text)[: 4 * PREVIEW_CHARACTERS].split()))[
        :PREVIEW_CHARACTERS
    ]
