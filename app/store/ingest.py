"""Deliveries become blobs, messages, copies and locations. Durable when `ingest` returns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from app.model import AccountId, BlobId, CopyId, Digest, FolderId, MessageId
from app.store import blobs, fresh, tombstones
from app.store.blobs import NewBlob
from app.store.database import Store, new_public_id, to_seconds, transaction, write
from app.store.reading import Reading, add_parts, columns, new_blobs, read, recipe_of
from app.store.threads import thread_of


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as a folder holds it: `flags` as the server writes them (RFC 9051 2.3.2).

    `is_import`: no server lists it, so its UID says nothing about it when it comes again.
    """

    folder_id: FolderId
    uidvalidity: int
    uid: int
    raw: bytes
    received_at: datetime
    flags: tuple[str, ...] = ()
    is_import: bool = False


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many deliveries brought new bytes, bytes that were known, and mail that was removed."""

    stored: int
    known: int
    skipped: int = 0


class _Swept(Exception):
    """A blob that was about to be named has just been swept."""


def ingest(store: Store, deliveries: Sequence[Delivery], *, now: datetime) -> Ingested:
    """Keep deliveries: blobs first and durable, then the rows that name them.

    Mail that was removed for good (`purges`) is not kept again.
    Effects: may be repeated; a delivery that is there already changes nothing.
    """
    while True:
        try:
            return _ingest(store, deliveries, now=now)
        except _Swept:  # its bytes are put anew
            continue


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


def _ingest(store: Store, deliveries: Sequence[Delivery], *, now: datetime) -> Ingested:
    digests = [Digest(sha256(delivery.raw).digest()) for delivery in deliveries]
    copies = _known_copies(store, digests)
    removed = tombstones.among(store, digests)
    new: dict[Digest, Reading] = {}
    for delivery, digest in zip(deliveries, digests, strict=True):
        if digest not in copies and digest not in new and digest not in removed:
            new[digest] = read(delivery.raw)
    for digest in _removed(store, new):
        del new[digest]
    with write(store.mail):
        ids = blobs.put_all(store, [blob for one in new.values() for blob in new_blobs(one)])
        ids |= blobs.put_all(
            store,
            [NewBlob(digest, blobs.RECIPE, recipe_of(one, ids)) for digest, one in new.items()],
        )
    with transaction(store):
        return _note(store, deliveries, digests, copies, new, ids, now=now)


def _removed(store: Store, new: Mapping[Digest, Reading]) -> set[Digest]:
    """Those whose message was removed, under another header block."""
    removed = tombstones.among(store, {one.identity for one in new.values()})
    return {digest for digest, one in new.items() if one.identity in removed}


def _known_copies(store: Store, digests: Sequence[Digest]) -> dict[Digest, CopyId]:
    """The copies with these bytes. A blob alone is none: a batch may have ended half-way."""
    found = blobs.find_all(store, digests)
    rows = store.archive.conn.execute(
        "select id from copies where id in (select value from json_each(?))",
        [json.dumps(list(found.values()))],
    )
    copies = {row[0] for row in rows}
    return {digest: CopyId(blob) for digest, blob in found.items() if blob in copies}


def _message_of(store: Store, copy_id: CopyId) -> MessageId | None:
    row = store.archive.conn.execute(
        "select message_id from copies where id = ?", [copy_id]
    ).fetchone()
    return None if row is None else MessageId(row[0])


def _note(
    store: Store,
    deliveries: Sequence[Delivery],
    digests: Sequence[Digest],
    copies: dict[Digest, CopyId],
    new: dict[Digest, Reading],
    ids: dict[Digest, BlobId],
    *,
    now: datetime,
) -> Ingested:
    """Write the rows of a batch inside the caller's transaction."""
    if blobs.digests_of(store, [*ids.values()]) != {ids[digest]: digest for digest in ids}:
        raise _Swept
    # Asked again: it may have been removed since.
    removed = tombstones.among(store, digests) | _removed(store, new)
    accounts = _accounts_of_folders(store, {delivery.folder_id for delivery in deliveries})
    touched: dict[AccountId, set[MessageId]] = {account: set() for account in accounts.values()}
    stored = known = skipped = 0
    for delivery, digest in zip(deliveries, digests, strict=True):
        if digest in removed or (digest not in new and digest not in copies):
            uid = tombstones.made_up_uid(digest) if delivery.is_import else delivery.uid
            skipped += tombstones.note_place(store, delivery.folder_id, delivery.uidvalidity, uid)
            continue
        copy_id = copies.get(digest) or CopyId(ids[digest])
        message_id = _message_of(store, copy_id)
        was_known = message_id is not None
        if message_id is None:
            message_id = _add_copy(store, copy_id, new[digest], ids, delivery, now=now)
            fresh.keep(store, copy_id, new[digest].mail)
        if _add_location(store, delivery, copy_id, was_known=was_known, now=now):
            stored += not was_known
            known += was_known
            touched[accounts[delivery.folder_id]].add(message_id)
    for account_id, message_ids in touched.items():
        refresh_holdings(store, account_id, message_ids)
        queue_messages(store, message_ids)
    return Ingested(stored, known, skipped)


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
    store: Store,
    copy_id: CopyId,
    new: Reading,
    ids: dict[Digest, BlobId],
    delivery: Delivery,
    *,
    now: datetime,
) -> MessageId:
    row = store.archive.conn.execute(
        "select id from messages where identity = ?", [new.identity]
    ).fetchone()
    message_id = (
        MessageId(row[0]) if row else add_message(store, new, ids, received_at=delivery.received_at)
    )
    store.archive.conn.execute(
        "insert into copies (id, message_id, size_bytes, stored_at) values (?, ?, ?, ?)",
        [copy_id, message_id, len(new.raw), to_seconds(now)],
    )
    return message_id


def add_message(
    store: Store, reading: Reading, ids: Mapping[Digest, BlobId], *, received_at: datetime
) -> MessageId:
    """A new message, as its first copy tells it. Effects: inside the caller's transaction."""
    # An id that was given once stands for nothing else, in the index for one.
    (message_id,) = store.archive.conn.execute(
        "select 1 + max(coalesce((select max(id) from messages), 0),"
        " coalesce((select max(id) from former_messages), 0))"
    ).fetchone()
    mail = reading.mail
    store.archive.conn.execute(
        "insert into messages (id, public_id, thread_id, identity, subject, sender_name,"
        " sender_address, to_summary, sent_at, sort_at, size_bytes, attachment_count, text_blob,"
        " text_charset, defects, parser_version) values (:id, :public_id, :thread_id, :identity,"
        " :subject, :sender_name, :sender_address, :to_summary, :sent_at, :sort_at, :size_bytes,"
        " :attachment_count, :text_blob, :text_charset, :defects, :parser_version)",
        columns(reading, ids, received_at=received_at)
        | {
            "id": message_id,
            "public_id": new_public_id(),
            "thread_id": thread_of(store, message_id, mail.internet_message_id, mail.references),
        },
    )
    add_parts(store, MessageId(message_id), reading, ids)
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
