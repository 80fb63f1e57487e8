"""Deliveries become blobs, messages, copies and locations. Durable when `ingest` returns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from app.model import AccountId, BlobId, CopyId, Digest, FolderId, MessageId
from app.store import blobs, fresh, tombstones
from app.store.blobs import NewBlob
from app.store.database import Store, marks, new_public_id, to_seconds, transaction, write
from app.store.reading import Reading, add_parts, columns, new_blobs, read, recipe_of
from app.store.ties import threads_of

_AT_ONCE = 500

OLD_SECONDS = 30 * 86_400
"""What a mailbox received so long before it was added never is in its queue's default view."""

HELD = (
    "select f.account_id, m.id, m.sort_at, min(l.first_seen_at), max(l.received_at),"
    " max(l.gone_since is null and f.skipped_by is null"
    "   and instr(lower(l.flags), '\\seen') = 0),"
    " max(l.gone_since is null and f.skipped_by is null), m.archived_at is not null,"
    " max(l.received_at) < a.created_at - :old"
)
"""What a mailbox `a` holds of a message `m`, of all its places `l`: a row of `holdings`."""


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


def link(store: Store, places: Sequence[tuple[Delivery, CopyId]], *, now: datetime) -> None:
    """Note where copies that are kept lie, too; the deliveries' bytes are not looked at.

    A copy that is no more (removed meanwhile) gets no place. Effects: one transaction; may be
    repeated.
    """
    with transaction(store):
        of_copy = _messages_of(store, {copy_id for _, copy_id in places})
        kept = [one for one in places if one[1] in of_copy]
        _place(store, kept, of_copy, set(), 0, now=now)


def refresh_holdings(store: Store, account_id: AccountId, message_ids: Iterable[MessageId]) -> None:
    """Derive anew what the mailbox holds of these messages, from their locations.

    Effects: writes inside the caller's transaction; may be repeated.
    """
    store.archive.conn.execute(
        "insert into holdings (account_id, message_id, sort_at, downloaded_at, received_at,"
        f" is_unread, is_live, is_archived, is_old) {HELD}"
        # Cross joins keep this order: the planner would begin with every location of a folder.
        " from json_each(:ids) wanted cross join messages m on m.id = wanted.value"
        " cross join copies c on c.message_id = m.id cross join locations l on l.copy_id = c.id"
        " cross join folders f on f.id = l.folder_id cross join accounts a on a.id = f.account_id"
        " where f.account_id = :account_id group by m.id"
        " on conflict (message_id, account_id) do update set sort_at = excluded.sort_at,"
        " downloaded_at = excluded.downloaded_at, received_at = excluded.received_at,"
        " is_unread = excluded.is_unread, is_live = excluded.is_live,"
        " is_archived = excluded.is_archived, is_old = excluded.is_old",
        {
            "account_id": account_id,
            "ids": json.dumps(list(message_ids)),
            "old": OLD_SECONDS,
        },
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


def _messages_of(store: Store, copy_ids: Iterable[CopyId]) -> dict[CopyId, MessageId]:
    """The messages of those copies that are there."""
    rows = store.archive.conn.execute(
        "select id, message_id from copies where id in (select value from json_each(?))",
        [json.dumps(list(copy_ids))],
    )
    return {CopyId(copy_id): MessageId(message_id) for copy_id, message_id in rows}


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
    kept: list[tuple[Delivery, CopyId]] = []
    unseen: dict[CopyId, tuple[Reading, Delivery]] = {}
    skipped = 0
    for delivery, digest in zip(deliveries, digests, strict=True):
        if digest in removed or (digest not in new and digest not in copies):
            uid = tombstones.made_up_uid(digest) if delivery.is_import else delivery.uid
            skipped += tombstones.note_place(store, delivery.folder_id, delivery.uidvalidity, uid)
            continue
        copy_id = copies.get(digest) or CopyId(ids[digest])
        kept.append((delivery, copy_id))
        if digest in new:
            unseen.setdefault(copy_id, (new[digest], delivery))
    of_copy = _messages_of(store, {copy_id for _, copy_id in kept})
    unseen = {copy_id: one for copy_id, one in unseen.items() if copy_id not in of_copy}
    of_copy |= _add_copies(store, unseen, ids, now=now)
    return _place(store, kept, of_copy, {*unseen}, skipped, now=now)


def _place(
    store: Store,
    kept: Sequence[tuple[Delivery, CopyId]],
    of_copy: Mapping[CopyId, MessageId],
    new: set[CopyId],
    skipped: int,
    *,
    now: datetime,
) -> Ingested:
    """Note where the copies were seen; the first place of a new one is where it was stored."""
    accounts = _accounts_of_folders(store, {delivery.folder_id for delivery, _ in kept})
    touched: dict[AccountId, set[MessageId]] = {account: set() for account in accounts.values()}
    stored = known = 0
    for delivery, copy_id in kept:
        was_known = copy_id not in new
        new.discard(copy_id)
        if _add_location(store, delivery, copy_id, was_known=was_known, now=now):
            stored += not was_known
            known += was_known
            touched[accounts[delivery.folder_id]].add(of_copy[copy_id])
    store.archive.conn.executemany(
        "delete from failures where folder_id = ? and uidvalidity = ? and uid = ?",
        [(delivery.folder_id, delivery.uidvalidity, delivery.uid) for delivery, _ in kept],
    )
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


def _add_copies(
    store: Store,
    unseen: Mapping[CopyId, tuple[Reading, Delivery]],
    ids: Mapping[Digest, BlobId],
    *,
    now: datetime,
) -> dict[CopyId, MessageId]:
    """New copies, of new messages where no other copy has their identity."""
    by_identity: dict[bytes, MessageId] = {}
    wanted = list({reading.identity for reading, _ in unseen.values()})
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        rows = store.archive.conn.execute(
            f"select identity, id from messages where identity in ({marks(len(some))})", some
        )
        by_identity.update(rows.fetchall())
    new: dict[bytes, tuple[Reading, datetime]] = {}
    for reading, delivery in unseen.values():
        if reading.identity not in by_identity:
            new.setdefault(reading.identity, (reading, delivery.received_at))
    by_identity |= zip(new, add_messages(store, [*new.values()], ids), strict=True)
    of_copy = {copy_id: by_identity[reading.identity] for copy_id, (reading, _) in unseen.items()}
    store.archive.conn.executemany(
        "insert into copies (id, message_id, size_bytes, stored_at) values (?, ?, ?, ?)",
        [
            (copy_id, of_copy[copy_id], len(reading.raw), to_seconds(now))
            for copy_id, (reading, _) in unseen.items()
        ],
    )
    for copy_id, (reading, _) in unseen.items():
        fresh.keep(store, copy_id, reading.mail)
    return of_copy


def add_messages(
    store: Store, new: Sequence[tuple[Reading, datetime]], ids: Mapping[Digest, BlobId]
) -> list[MessageId]:
    """New messages, as the first copy of each tells it that was received at that time.

    Effects: inside the caller's transaction.
    """
    # An id that was given once stands for nothing else, in the index for one.
    (last,) = store.archive.conn.execute(
        "select max(coalesce((select max(id) from messages), 0),"
        " coalesce((select max(id) from former_messages), 0))"
    ).fetchone()
    added = [MessageId(last + place) for place in range(1, len(new) + 1)]
    threads = threads_of(
        store,
        [
            (message_id, reading.mail.internet_message_id, reading.mail.references)
            for message_id, (reading, _) in zip(added, new, strict=True)
        ],
    )
    store.archive.conn.executemany(
        "insert into messages (id, public_id, thread_id, identity, subject, sender_name,"
        " sender_address, to_summary, sent_at, sort_at, size_bytes, attachment_count, text_blob,"
        " text_charset, defects, parser_version) values (:id, :public_id, :thread_id, :identity,"
        " :subject, :sender_name, :sender_address, :to_summary, :sent_at, :sort_at, :size_bytes,"
        " :attachment_count, :text_blob, :text_charset, :defects, :parser_version)",
        [
            columns(reading, ids, received_at=received_at)
            | {"id": message_id, "public_id": new_public_id(), "thread_id": thread_id}
            for message_id, thread_id, (reading, received_at) in zip(
                added, threads, new, strict=True
            )
        ],
    )
    add_parts(
        store, [(message_id, one) for message_id, (one, _) in zip(added, new, strict=True)], ids
    )
    return added


def _add_location(
    store: Store, delivery: Delivery, copy_id: CopyId, *, was_known: bool, now: datetime
) -> bool:
    """Note where the copy was seen; False if that was noted already."""
    added = store.archive.conn.execute(
        "insert into locations (folder_id, uidvalidity, uid, copy_id, received_at, first_seen_at,"
        " flags, was_known) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        [
            delivery.folder_id,
            delivery.uidvalidity,
            delivery.uid,
            copy_id,
            to_seconds(delivery.received_at),
            to_seconds(now),
            " ".join(delivery.flags),
            was_known,
        ],
    )
    return bool(added.rowcount)
