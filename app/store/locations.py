"""Where copies were seen: (folder, uidvalidity, uid), their flags, and what failed to be read."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.model import (
    FIRST_MADE_UP_UID,
    AccountId,
    Copy,
    CopyId,
    Digest,
    Folder,
    FolderId,
    MessageId,
)
from app.store import blobs
from app.store.database import Store, from_seconds, to_seconds, transaction
from app.store.folders import FIRST_FORMER, shift_to_former
from app.store.folders import get as get_folder
from app.store.ingest import refresh_holdings
from app.store.messages import copies_from


@dataclass(frozen=True, slots=True)
class Place:
    """A copy in a folder: `at` is (uidvalidity, uid)."""

    at: tuple[int, int]
    received_at: datetime
    flags: tuple[str, ...]
    copy: Copy


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a copy without reading it."""

    copy_id: CopyId
    size_bytes: int
    received_at: datetime


def flags_by_uid(
    store: Store, folder_id: FolderId, uidvalidity: int, *, among: Collection[int] | None = None
) -> dict[int, tuple[str, ...]]:
    """The flags of every live location, or of those of some UIDs: {7: ("\\\\Seen",)}."""
    chosen = "" if among is None else " and uid in (select value from json_each(:uids))"
    rows = store.archive.conn.execute(
        "select uid, flags from locations where folder_id = :folder and uidvalidity = :uidvalidity"
        f" and gone_since is null{chosen}",
        {
            "folder": folder_id,
            "uidvalidity": uidvalidity,
            "uids": json.dumps(list(among or ())),
        },
    )
    return {uid: tuple(flags.split()) for uid, flags in rows}


def known_uids(store: Store, folder_id: FolderId, uidvalidity: int, *, first: int = 0) -> set[int]:
    """Every UID from `first` on that has a location, gone ones included."""
    rows = store.archive.conn.execute(
        "select uid from locations where folder_id = ? and uidvalidity = ? and uid >= ?",
        [folder_id, uidvalidity, first],
    )
    return {row[0] for row in rows}


def gone_uids(store: Store, folder_id: FolderId, uidvalidity: int) -> set[int]:
    """Every UID whose location the server holds no more."""
    rows = store.archive.conn.execute(
        "select uid from locations where folder_id = ? and uidvalidity = ?"
        " and gone_since is not null",
        [folder_id, uidvalidity],
    )
    return {row[0] for row in rows}


def count_below(store: Store, folder_id: FolderId, uidvalidity: int, uid: int) -> int:
    """How many messages below a UID the folder holds as far as we know: those that failed and
    those that were removed here, too.
    """
    row = store.archive.conn.execute(
        "select (select count(*) from locations where folder_id = :folder"
        "   and uidvalidity = :uidvalidity and uid < :uid and gone_since is null)"
        " + (select count(*) from failures where folder_id = :folder"
        "   and uidvalidity = :uidvalidity and uid < :uid and gone_since is null)"
        " + (select count(*) from purged_places where folder_id = :folder"
        "   and uidvalidity = :uidvalidity and uid < :uid)",
        {"folder": folder_id, "uidvalidity": uidvalidity, "uid": uid},
    ).fetchone()
    return int(row[0])


def looks(
    store: Store, folder_id: FolderId, uidvalidity: int, uids: Collection[int]
) -> dict[int, Look]:
    """How the copies under these UIDs look, gone ones included.

    Without those that were set apart and came again: what the server says of them is not true.
    """
    rows = store.archive.conn.execute(
        "select l.uid, c.id, c.size_bytes, l.received_at from locations l"
        " join copies c on c.id = l.copy_id where l.folder_id = :folder"
        " and l.uidvalidity = :uidvalidity and l.uid in (select value from json_each(:uids))"
        " and not exists (select 1 from locations o where o.copy_id = l.copy_id"
        "   and o.folder_id = l.folder_id and o.uid = l.uid and o.uidvalidity >= :former)",
        {
            "folder": folder_id,
            "uidvalidity": uidvalidity,
            "uids": json.dumps(list(uids)),
            "former": FIRST_FORMER,
        },
    )
    return {row[0]: Look(CopyId(row[1]), row[2], from_seconds(row[3])) for row in rows}


def failed_uids(store: Store, folder_id: FolderId, uidvalidity: int) -> dict[int, int]:
    """How often each UID that could not be read, and is there yet, was tried."""
    rows = store.archive.conn.execute(
        "select uid, tries from failures where folder_id = ? and uidvalidity = ?"
        " and gone_since is null",
        [folder_id, uidvalidity],
    )
    return dict(rows.fetchall())


def set_flags(
    store: Store,
    folder_id: FolderId,
    uidvalidity: int,
    flags: Mapping[int, tuple[str, ...]],
) -> None:
    """Note the server's flags. Effects: one transaction; may be repeated."""
    with transaction(store):
        store.archive.conn.executemany(
            "update locations set flags = ? where folder_id = ? and uidvalidity = ? and uid = ?",
            [(" ".join(names), folder_id, uidvalidity, uid) for uid, names in flags.items()],
        )
        _refresh(store, folder_id, uidvalidity, flags)


def mark_gone(
    store: Store, folder_id: FolderId, uidvalidity: int, uids: Iterable[int], *, now: datetime
) -> None:
    """Note that the server holds these no more; nothing is deleted (R72)."""
    _set_gone(store, folder_id, uidvalidity, list(uids), to_seconds(now))


def revive(store: Store, folder_id: FolderId, uidvalidity: int, uids: Iterable[int]) -> None:
    """Note that the server does hold these, though it did not name them before."""
    _set_gone(store, folder_id, uidvalidity, list(uids), None)


def set_apart(
    store: Store, folder_id: FolderId, uidvalidity: int, uids: Collection[int], *, now: datetime
) -> None:
    """Note as gone what lay under these UIDs, and free them for other mail; nothing is deleted.

    Effects: one transaction.
    """
    with transaction(store):
        former = uidvalidity + shift_to_former(store, folder_id)
        store.archive.conn.executemany(
            "update locations set gone_since = coalesce(gone_since, ?), uidvalidity = ?"
            " where folder_id = ? and uidvalidity = ? and uid = ?",
            [(to_seconds(now), former, folder_id, uidvalidity, uid) for uid in uids],
        )
        _refresh(store, folder_id, former, uids)


def retire_other_validities(
    store: Store, folder_id: FolderId, uidvalidity: int, *, now: datetime
) -> None:
    """Note as gone every location of the folder under another UIDVALIDITY; nothing is deleted."""
    rows = store.archive.conn.execute(
        "select distinct uidvalidity from locations where folder_id = ? and uidvalidity <> ?"
        " and gone_since is null",
        [folder_id, uidvalidity],
    ).fetchall()
    for (other,) in rows:
        mark_gone(store, folder_id, other, flags_by_uid(store, folder_id, other), now=now)
    store.archive.conn.execute(
        "update failures set gone_since = ? where folder_id = ? and uidvalidity <> ?"
        " and gone_since is null",
        [to_seconds(now), folder_id, uidvalidity],
    )
    store.archive.conn.execute(
        "delete from purged_places where folder_id = ? and uidvalidity <> ?",
        [folder_id, uidvalidity],
    )


def record_failure(
    store: Store, folder_id: FolderId, uidvalidity: int, uid: int, reason: str, *, now: datetime
) -> None:
    """Note that a message could not be read, and why. Effects: one row; counts the tries."""
    store.archive.conn.execute(
        "insert into failures (folder_id, uidvalidity, uid, reason, tries, tried_at)"
        " values (?, ?, ?, ?, 1, ?) on conflict do update set"
        " reason = excluded.reason, tries = tries + 1, tried_at = excluded.tried_at,"
        " gone_since = null",
        [folder_id, uidvalidity, uid, reason, to_seconds(now)],
    )


def mark_failures_gone(
    store: Store, folder_id: FolderId, uidvalidity: int, uids: Iterable[int], *, now: datetime
) -> None:
    """Note that the server holds these no more, which were never read: their count stays."""
    store.archive.conn.executemany(
        "update failures set gone_since = ? where folder_id = ? and uidvalidity = ? and uid = ?",
        [(to_seconds(now), folder_id, uidvalidity, uid) for uid in uids],
    )


def forget_failures(
    store: Store, folder_id: FolderId, uidvalidity: int, uids: Iterable[int]
) -> None:
    """Drop the notes on messages that are had now."""
    store.archive.conn.executemany(
        "delete from failures where folder_id = ? and uidvalidity = ? and uid = ?",
        [(folder_id, uidvalidity, uid) for uid in uids],
    )


def next_import_uid(store: Store, folder_id: FolderId, uidvalidity: int) -> int:
    """The first free UID of a folder that no server has."""
    found = store.archive.conn.execute(
        "select coalesce(max(uid), 0) + 1 from (select uid, uidvalidity from locations"
        " where folder_id = :id union all select uid, uidvalidity from purged_places"
        " where folder_id = :id) where uidvalidity = :uidvalidity and uid < :made_up",
        {"id": folder_id, "uidvalidity": uidvalidity, "made_up": FIRST_MADE_UP_UID},
    )
    return int(found.fetchone()[0])


def held_digests(store: Store, folder_id: FolderId, digests: Collection[Digest]) -> set[Digest]:
    """Those of the SHA-256s whose copies a folder holds: an import need not bring them again."""
    found = blobs.find_all(store, digests)
    rows = store.archive.conn.execute(
        "select copy_id from locations where folder_id = ?"
        " and copy_id in (select value from json_each(?))",
        [folder_id, json.dumps(list(found.values()))],
    )
    held = {row[0] for row in rows}
    return {digest for digest, blob_id in found.items() if blob_id in held}


def first_seen(
    store: Store, copy_id: CopyId, accounts: Collection[AccountId] = ()
) -> tuple[datetime, tuple[str, ...]]:
    """When a copy was first received, and its flags in these mailboxes, those gone included."""
    received_at, flags = store.archive.conn.execute(
        "select min(l.received_at), coalesce(group_concat(l.flags, ' ') filter ("
        "   where f.account_id in (select value from json_each(:accounts))), '')"
        " from locations l join folders f on f.id = l.folder_id where l.copy_id = :copy",
        {"copy": copy_id, "accounts": json.dumps(sorted(accounts))},
    ).fetchone()
    return from_seconds(received_at), tuple(sorted(set(flags.split())))


def places_after(store: Store, folder: Folder, last: tuple[int, int], *, limit: int) -> list[Place]:
    """The next copies in a folder by (uidvalidity, uid).

    What is gone from there is left out where the mailbox has the same copy in a later place.
    """
    rows = store.archive.conn.execute(
        "select l.uidvalidity, l.uid, l.received_at, l.flags, c.id, c.message_id, c.size_bytes"
        " from locations l join copies c on c.id = l.copy_id"
        " where l.folder_id = :folder and (l.uidvalidity, l.uid) > (:uidvalidity, :uid)"
        " and (l.gone_since is null or not exists ("
        "   select 1 from locations o join folders f on f.id = o.folder_id"
        "   where o.copy_id = l.copy_id and f.account_id = :account and (o.gone_since is null"
        "   or (o.folder_id, o.uidvalidity, o.uid) > (l.folder_id, l.uidvalidity, l.uid))))"
        " order by l.uidvalidity, l.uid limit :limit",
        {
            "folder": folder.id,
            "account": folder.account_id,
            "uidvalidity": last[0],
            "uid": last[1],
            "limit": limit,
        },
    ).fetchall()
    copies = copies_from(store, [row[4:] for row in rows])
    return [
        Place((row[0], row[1]), from_seconds(row[2]), tuple(row[3].split()), copy)
        for row, copy in zip(rows, copies, strict=True)
    ]


def _set_gone(
    store: Store, folder_id: FolderId, uidvalidity: int, uids: list[int], at: int | None
) -> None:
    with transaction(store):
        store.archive.conn.executemany(
            "update locations set gone_since = ? where folder_id = ? and uidvalidity = ?"
            " and uid = ?",
            [(at, folder_id, uidvalidity, uid) for uid in uids],
        )
        _refresh(store, folder_id, uidvalidity, uids)


def _refresh(store: Store, folder_id: FolderId, uidvalidity: int, uids: Iterable[int]) -> None:
    message_ids = set()
    for uid in uids:
        row = store.archive.conn.execute(
            "select c.message_id from locations l join copies c on c.id = l.copy_id"
            " where l.folder_id = ? and l.uidvalidity = ? and l.uid = ?",
            [folder_id, uidvalidity, uid],
        ).fetchone()
        if row:
            message_ids.add(MessageId(row[0]))
    refresh_holdings(store, get_folder(store, folder_id).account_id, message_ids)
