"""Folders of an account, as of the last pass, and the ledger that must add up (R73)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from app.errors import NotFound
from app.model import (
    FIRST_MADE_UP_UID,
    AccountId,
    Folder,
    FolderId,
    FolderLedger,
    MessageId,
)
from app.store import passes
from app.store.database import Store, from_seconds, maybe_from_seconds, to_seconds, transaction
from app.store.ingest import refresh_holdings

COLUMNS = (
    "id, account_id, name, special_use, skipped_by, uidvalidity, uidnext, highestmodseq,"
    " server_messages, server_unseen, checked_at, gone_since, error, mailbox_id"
)


FIRST_FORMER = 2**32
"""A UIDVALIDITY that no server gives: of a place whose numbers stand for other mail now."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder as the server lists it; `skipped_by` is the skip entry that matches, if any.

    `mailbox_id` stays the same when it is renamed; "": the server does not tell.
    """

    name: str
    special_use: str
    skipped_by: str | None
    mailbox_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that could not be stored; one of an import has no `uid`."""

    folder: str
    uid: int | None
    reason: str
    tried_at: datetime


def record_listing(
    store: Store, account_id: AccountId, listed: Sequence[Listed], *, now: datetime
) -> list[Folder]:
    """Bring the account's folders in line with the server's list; nothing is deleted.

    Gives the folders that are on the server, in the order listed. One with the `mailbox_id` of a
    folder that is listed no more is that folder, renamed. A folder that is there no more is noted
    as gone, its locations too. Effects: one transaction, none if all is as it was; may be repeated.
    """
    before = {folder.name: folder for folder in of_account(store, account_id)}
    if not _is_as_listed(before, listed):
        with transaction(store):
            _note_listing(store, account_id, listed, now=now)
        before = {folder.name: folder for folder in of_account(store, account_id)}
    return [before[folder.name] for folder in listed]


def _is_as_listed(before: Mapping[str, Folder], listed: Sequence[Listed]) -> bool:
    here = {name: f for name, f in before.items() if f.gone_since is None and not _is_import(f)}
    known = {name: (f.special_use, f.skipped_by, f.mailbox_id) for name, f in here.items()}
    ids = {name: f.mailbox_id for name, f in here.items()}
    return known == {
        f.name: (f.special_use, f.skipped_by, f.mailbox_id or ids.get(f.name)) for f in listed
    }


def _note_listing(
    store: Store, account_id: AccountId, listed: Sequence[Listed], *, now: datetime
) -> None:
    conn = store.archive.conn
    _set_imports_apart(store, account_id, listed)
    _rename(store, of_account(store, account_id), listed)
    before = {folder.name: folder for folder in of_account(store, account_id)}
    for folder in listed:
        named = before.get(folder.name)
        if named and folder.mailbox_id and named.mailbox_id not in ("", folder.mailbox_id):
            _begin_anew(store, named, now=now)
        conn.execute(
            "insert into folders (account_id, name, special_use, skipped_by, mailbox_id)"
            " values (?, ?, ?, ?, ?) on conflict (account_id, name) do update set"
            " special_use = excluded.special_use, skipped_by = excluded.skipped_by,"
            " mailbox_id = coalesce(nullif(excluded.mailbox_id, ''), mailbox_id),"
            " gone_since = null",
            [account_id, folder.name, folder.special_use, folder.skipped_by, folder.mailbox_id],
        )
        old = before.pop(folder.name, None)
        if old and (old.skipped_by is None) != (folder.skipped_by is None):
            refresh_holdings(store, account_id, _messages_in(store, old.id))
    for missing in before.values():
        if not _is_import(missing):
            _note_gone(store, missing, now=now)


def _set_imports_apart(store: Store, account_id: AccountId, listed: Sequence[Listed]) -> None:
    """Give folders that were imported another name, where the server has one of theirs.

    A UID there is another message than one of the import.
    """
    before = of_account(store, account_id)
    told = {folder.name for folder in listed}
    taken = told | {folder.name for folder in before}
    for folder in before:
        if folder.name in told and _is_import(folder):
            name = next(name for name in _names_beside(folder.name) if name not in taken)
            taken.add(name)
            store.archive.conn.execute(
                "update folders set name = ? where id = ?", [name, folder.id]
            )


def _names_beside(name: str) -> Iterator[str]:
    yield f"{name} (imported)"
    yield from (f"{name} (imported {number})" for number in count(2))


def _rename(store: Store, before: Sequence[Folder], listed: Sequence[Listed]) -> None:
    """Give folders their new names, if these are free and the server still has the folder.

    A name that another folder had before it vanished is not free: its locations are its own.
    """
    names = {folder.name for folder in before}
    vanished = {
        folder.mailbox_id: folder
        for folder in before
        if folder.mailbox_id and folder.gone_since is None
    }
    for folder in listed:
        vanished = {key: old for key, old in vanished.items() if old.name != folder.name}
    for folder in listed:
        old = vanished.pop(folder.mailbox_id, None)
        if old is not None and folder.name not in names:
            store.archive.conn.execute(
                "update folders set name = ? where id = ?", [folder.name, old.id]
            )


def read_from(store: Store, account_id: AccountId, source: str, *, now: datetime) -> None:
    """Note which server and login the folders are read from.

    At another one the same numbers stand for other messages: all that is known of the old ones is
    kept as gone, under numbers that no server gives. Effects: one transaction; may be repeated.
    """
    conn = store.archive.conn
    with transaction(store):
        (before,) = conn.execute(
            "select read_from from accounts where id = ?", [account_id]
        ).fetchone()
        if before == source:
            return
        conn.execute("update accounts set read_from = ? where id = ?", [source, account_id])
        if before is not None:
            for folder in of_account(store, account_id):
                if not _is_import(folder):
                    _begin_anew(store, folder, now=now)


def record_pass(
    store: Store,
    folder_id: FolderId,
    *,
    uidvalidity: int | None,
    uidnext: int | None,
    highestmodseq: int | None,
    messages: int,
    unseen: int,
    error: str | None,
    now: datetime,
) -> None:
    """Note how a pass over a folder ended; with an error the next pass looks again."""
    store.archive.conn.execute(
        "update folders set uidvalidity = ?, uidnext = ?, highestmodseq = ?, server_messages = ?,"
        " server_unseen = ?, error = ?, checked_at = ? where id = ?",
        [
            uidvalidity,
            uidnext,
            highestmodseq,
            messages,
            unseen,
            error,
            to_seconds(now),
            folder_id,
        ],
    )
    note_pass(store, folder_id, error=error, now=now)


def note_pass(store: Store, folder_id: FolderId, *, error: str | None, now: datetime) -> None:
    """Keep the folder's sum, if it is another one than after the pass before."""
    (sums,) = _sums(store, "f.id = ?", folder_id)
    passes.note(store, folder_id, sums, error=error, now=now)


def ensure(store: Store, account_id: AccountId, name: str) -> Folder:
    """The account's folder of that name, made where it is missing: for imports."""
    with transaction(store):
        store.archive.conn.execute(
            "insert into folders (account_id, name, uidvalidity) values (?, ?, 1)"
            " on conflict do nothing",
            [account_id, name],
        )
    (folder,) = (f for f in of_account(store, account_id) if f.name == name)
    return folder


def get(store: Store, folder_id: FolderId) -> Folder:
    row = store.archive.conn.execute(
        f"select {COLUMNS} from folders where id = ?", [folder_id]
    ).fetchone()
    if row is None:
        raise NotFound
    return _folder_from(row)


def of_account(store: Store, account_id: AccountId) -> list[Folder]:
    """The account's folders by name, those that are gone included."""
    rows = store.archive.conn.execute(
        f"select {COLUMNS} from folders where account_id = ? order by name", [account_id]
    )
    return [_folder_from(row) for row in rows]


def ledger(store: Store, account_id: AccountId) -> list[FolderLedger]:
    """What the server showed of each folder, and what became of it.

    `seen` is the server's own count at the last pass plus what is gone since, read or not; it is
    compared with the rows that were written, so a message that was overlooked makes the sum wrong.
    """
    return _sums(store, "f.account_id = ?", account_id)


def _sums(store: Store, condition: str, value: int) -> list[FolderLedger]:
    rows = store.archive.conn.execute(
        f"with chosen as (select f.* from folders f where {condition}),"
        " held as (select folder_id, count(*) as places, sum(was_known) as known,"
        "   count(gone_since) as gone from locations"
        "   where folder_id in (select id from chosen) group by folder_id)"
        " select f.name, f.skipped_by, f.server_messages, a.host is null or"
        " (f.checked_at is null and f.uidvalidity is not null),"
        " coalesce(l.places, 0), coalesce(l.known, 0), coalesce(l.gone, 0),"
        " (select count(*) from failures x where x.folder_id = f.id),"
        " (select count(x.gone_since) from failures x where x.folder_id = f.id),"
        " (select count(*) from purged_places x where x.folder_id = f.id),"
        " f.gone_since is not null"
        " from chosen f join accounts a on a.id = f.account_id"
        " left join held l on l.folder_id = f.id order by f.name",
        [value],
    )
    return [_ledger_from(row) for row in rows]


def under_way(store: Store, account_id: AccountId) -> set[str]:
    """The folders whose last pass did not end well or has not ended, so that sums are open yet."""
    rows = store.archive.conn.execute(
        "select f.name from folders f where f.account_id = :account and (f.error is not null"
        " or exists (select 1 from locations l where l.folder_id = f.id"
        "   and (l.first_seen_at > f.checked_at or l.gone_since > f.checked_at))"
        " or exists (select 1 from failures x where x.folder_id = f.id"
        "   and x.tried_at > f.checked_at)"
        " or (f.checked_at is null and f.uidvalidity is null))",
        {"account": account_id},
    )
    return {row[0] for row in rows}


def _ledger_from(row: tuple[Any, ...]) -> FolderLedger:
    name, skipped_by, on_server, is_import, places, known, gone, failed, *rest = row
    failed_gone, purged, is_gone = rest
    there = places - gone + failed - failed_gone + purged
    is_counted = skipped_by is not None and not is_import and not is_gone
    # Of a folder that is skipped since it was read, what was read is not skipped, too.
    skipped = purged + (max(0, on_server - there) if is_counted else 0)
    counted = places + failed + purged if is_import or is_gone else on_server + gone + failed_gone
    if skipped_by is not None and not is_import:
        counted = places + failed + skipped
    return FolderLedger(name, counted, places - known, known, skipped, failed, purged)


def failures(store: Store, account_id: AccountId, *, limit: int) -> list[Failure]:
    """The messages that could not be stored, and why, the latest tried first."""
    rows = store.archive.conn.execute(
        "select f.name, x.uid, x.reason, x.tried_at from failures x"
        " join folders f on f.id = x.folder_id where f.account_id = ?"
        " order by x.tried_at desc, f.name, x.uid limit ?",
        [account_id, limit],
    )
    return [
        Failure(name, uid if uid < FIRST_MADE_UP_UID else None, reason, from_seconds(tried_at))
        for name, uid, reason, tried_at in rows
    ]


def shift_to_former(store: Store, folder_id: FolderId) -> int:
    """What makes a server's UIDVALIDITY one that is free and that no server gives."""
    (highest,) = store.archive.conn.execute(
        "select coalesce(max(uidvalidity), 0) from locations where folder_id = ?", [folder_id]
    ).fetchone()
    return int(highest // FIRST_FORMER + 1) * FIRST_FORMER


def _is_import(folder: Folder) -> bool:
    """Whether it was made by an import (`ensure`): it is on no server and cannot vanish there."""
    return folder.checked_at is None and folder.uidvalidity is not None


def _messages_in(store: Store, folder_id: FolderId) -> list[MessageId]:
    rows = store.archive.conn.execute(
        "select distinct c.message_id from locations l join copies c on c.id = l.copy_id"
        " where l.folder_id = ?",
        [folder_id],
    )
    return [MessageId(row[0]) for row in rows]


def _note_gone(store: Store, folder: Folder, *, now: datetime) -> None:
    if folder.gone_since is not None:
        return
    conn = store.archive.conn
    conn.execute(
        "update folders set gone_since = ?, server_messages = 0, server_unseen = 0 where id = ?",
        [to_seconds(now), folder.id],
    )
    conn.execute(
        "update locations set gone_since = ? where folder_id = ? and gone_since is null",
        [to_seconds(now), folder.id],
    )
    conn.execute("delete from purged_places where folder_id = ?", [folder.id])
    refresh_holdings(store, folder.account_id, _messages_in(store, folder.id))


def _begin_anew(store: Store, folder: Folder, *, now: datetime) -> None:
    messages = _messages_in(store, folder.id)
    store.archive.conn.execute(
        "update folders set uidvalidity = null, uidnext = null, highestmodseq = null,"
        " server_messages = 0, server_unseen = 0, checked_at = null, error = null, mailbox_id = ''"
        " where id = ?",
        [folder.id],
    )
    store.archive.conn.execute(
        "update locations set gone_since = coalesce(gone_since, :now),"
        " uidvalidity = uidvalidity + :shift where folder_id = :folder and uidvalidity < :first",
        {
            "now": to_seconds(now),
            "folder": folder.id,
            "first": FIRST_FORMER,
            "shift": shift_to_former(store, folder.id),
        },
    )
    for table in ("failures", "purged_places"):
        store.archive.conn.execute(f"delete from {table} where folder_id = ?", [folder.id])
    refresh_holdings(store, folder.account_id, messages)


def _folder_from(row: tuple[Any, ...]) -> Folder:
    return Folder(
        id=FolderId(row[0]),
        account_id=AccountId(row[1]),
        name=row[2],
        special_use=row[3],
        skipped_by=row[4],
        uidvalidity=row[5],
        uidnext=row[6],
        highestmodseq=row[7],
        server_messages=row[8],
        server_unseen=row[9],
        checked_at=maybe_from_seconds(row[10]),
        gone_since=maybe_from_seconds(row[11]),
        error=row[12],
        mailbox_id=row[13],
    )
