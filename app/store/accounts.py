"""Mailboxes: their settings, who may see them, and their checks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.errors import Conflict, NotFound
from app.model import (
    DEFAULT_SKIP_FOLDERS,
    Account,
    AccountId,
    AuthType,
    PublicId,
    Security,
    UserId,
    Viewer,
)
from app.store.database import (
    Store,
    from_seconds,
    maybe_from_seconds,
    new_public_id,
    to_seconds,
)
from app.store.states import FARTHEST_AHEAD, READY

COLUMNS = (
    "id, public_id, address, host, port, security, login, verify_certificate, is_strict,"
    " paused_at, closed_at, auth_type, auth_type = 'oauth' and sealed_tokens is null"
)


QUIET_CHECKS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an account: unread on the server, new since the check before, or the error."""

    checked_at: datetime
    unread: int | None
    new: int | None
    error: str | None


def add(
    store: Store,
    *,
    address: str,
    host: str | None,
    port: int,
    security: Security,
    login: str,
    sealed_password: bytes | None,
    verify_certificate: bool,
    skip_folders: Sequence[str],
    users: Sequence[UserId],
    now: datetime,
    is_strict: bool = False,
    auth_type: AuthType = "password",
    public_id: PublicId | None = None,
) -> Account:
    """A new mailbox; without `host` an archive-only one.

    Raises Conflict if address, server and login are those of another one. Effects: inside the
    caller's transaction; the worker looks at it at once.
    """
    _refuse_taken(store, address, host, login)
    added = store.archive.conn.execute(
        "insert into accounts (public_id, address, host, port, security, login,"
        " sealed_password, verify_certificate, is_strict, auth_type, created_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            public_id or new_public_id(),
            address,
            host,
            port,
            security,
            login,
            sealed_password,
            verify_certificate,
            is_strict,
            auth_type,
            to_seconds(now),
        ],
    )
    account_id = AccountId(added.lastrowid or 0)
    add_users(store, account_id, users)
    _put_skip_folders(store, account_id, skip_folders)
    return get(store, account_id)


def change(store: Store, changed: Account, *, sealed_password: bytes | None = None) -> None:
    """Keep what an account says now, and its password if given; who sees it is not touched.

    With another type of authorization the other one's secret goes, and the tokens also with
    another server or login.
    A strict mailbox that becomes an open one, or the reverse, is indexed anew as far as it
    matters. Raises Conflict as `add` does. Effects: inside the caller's transaction.
    """
    before = get(store, changed.id)
    _refuse_taken(store, changed.address, changed.host, changed.login, but=changed.id)
    conn = store.archive.conn
    conn.execute(
        "update accounts set address = ?, host = ?, port = ?, security = ?, login = ?,"
        " verify_certificate = ?, is_strict = ?, closed_at = ?, auth_type = ?,"
        " sealed_password = iif(?, null, coalesce(?, sealed_password)),"
        " sealed_tokens = iif(?, sealed_tokens, null) where id = ?",
        [
            changed.address,
            changed.host,
            changed.port,
            changed.security,
            changed.login,
            changed.verify_certificate,
            changed.is_strict,
            None if changed.closed_at is None else to_seconds(changed.closed_at),
            changed.auth_type,
            changed.auth_type == "oauth",
            sealed_password,
            _keeps_tokens(before, changed),
            changed.id,
        ],
    )
    conn.execute("delete from account_skip_folders where account_id = ?", [changed.id])
    _put_skip_folders(store, changed.id, changed.skip_folders)
    if before.is_strict != changed.is_strict:
        conn.execute(
            "insert into index_queue (kind, subject_id) select 'message', h.message_id"
            " from holdings h join messages m on m.id = h.message_id"
            " where h.account_id = ? and m.archived_at is not null",
            [changed.id],
        )


def get(store: Store, account_id: AccountId) -> Account:
    return _one(store, "id = ?", account_id)


def by_public_id(store: Store, public_id: str) -> Account:
    return _one(store, "public_id = ?", public_id)


def by_address(store: Store, address: str) -> Account:
    """The mailbox of an address; an archive-only one before others. Raises NotFound."""
    return _one(store, "address = ? order by host is not null, id limit 1", address)


def all_accounts(store: Store) -> list[Account]:
    rows = store.archive.conn.execute(
        f"select {COLUMNS} from accounts order by address, id"
    ).fetchall()
    return [_account_from(store, row) for row in rows]


def of_viewer(store: Store, viewer: Viewer) -> list[Account]:
    """The mailboxes whose "User" list names the viewer."""
    return [account for account in all_accounts(store) if account.id in viewer.accounts]


def users(store: Store, account_id: AccountId) -> list[UserId]:
    rows = store.archive.conn.execute(
        "select user_id from account_users where account_id = ? order by user_id", [account_id]
    )
    return [UserId(row[0]) for row in rows]


def add_users(store: Store, account_id: AccountId, added: Sequence[UserId]) -> None:
    """Let people see a mailbox. Effects: inside the caller's transaction; may be repeated."""
    store.archive.conn.executemany(
        "insert into account_users (account_id, user_id) values (?, ?) on conflict do nothing",
        [(account_id, user_id) for user_id in added],
    )


def put_users(store: Store, account_id: AccountId, users: Sequence[UserId]) -> None:
    """Let exactly these people see a mailbox. Effects: inside the caller's transaction."""
    store.archive.conn.execute("delete from account_users where account_id = ?", [account_id])
    add_users(store, account_id, users)


def server_set_by(store: Store, account_id: AccountId) -> UserId | None:
    """Who said last where the account's server is; None: the operator, at the command line."""
    row = store.archive.conn.execute(
        "select user_id from audit where account_id = ? and verb = 'set server'"
        " order by id desc limit 1",
        [account_id],
    ).fetchone()
    return None if row is None or row[0] is None else UserId(row[0])


def paused_by(store: Store, account_id: AccountId) -> UserId | None:
    """Who paused it last; None: the operator, at the command line."""
    row = store.archive.conn.execute(
        "select user_id from audit where account_id = ? and verb = 'pause account'"
        " order by id desc limit 1",
        [account_id],
    ).fetchone()
    return None if row is None or row[0] is None else UserId(row[0])


def sealed_password(store: Store, account_id: AccountId) -> bytes | None:
    row = store.archive.conn.execute(
        "select sealed_password from accounts where id = ?", [account_id]
    ).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def claim_due(store: Store, *, now: datetime, next_at: datetime) -> Account | None:
    """The account that has waited longest, its due time moved to `next_at`; None: none is due.

    The time is moved first and rows are counted, so a crash cannot loop and two workers cannot
    take the same one. A time that is days ahead is none: a clock that was wrong has set it.
    """
    conn = store.archive.conn
    row = conn.execute(
        f"select id, due_at from accounts where {READY}"
        " and due_at not between :now + 1 and :farthest"
        " and coalesce(wait_until, 0) not between :now + 1 and :farthest"
        " order by due_at, id limit 1",
        {"now": to_seconds(now), "farthest": to_seconds(now + FARTHEST_AHEAD)},
    ).fetchone()
    if row is None:
        return None
    claimed = conn.execute(
        "update accounts set due_at = ? where id = ? and due_at = ?",
        [to_seconds(next_at), row[0], row[1]],
    )
    return get(store, AccountId(row[0])) if claimed.rowcount else None


def watched(store: Store, ids: frozenset[AccountId]) -> list[AccountId]:
    """Those of the accounts that the worker looks at, sorted."""
    rows = store.archive.conn.execute(
        "select id from accounts where host is not null and paused_at is null"
        " and closed_at is null and id in (select value from json_each(?)) order by id",
        [json.dumps(sorted(ids))],
    )
    return [AccountId(row[0]) for row in rows]


def next_due_at(store: Store, ids: frozenset[AccountId]) -> datetime | None:
    """When the first of these accounts is looked at next; None without any."""
    row = store.archive.conn.execute(
        "select min(max(due_at, coalesce(wait_until, 0))) from accounts"
        f" where {READY} and id in (select value from json_each(?))",
        [json.dumps(sorted(ids))],
    ).fetchone()
    return maybe_from_seconds(row[0])


def set_due(store: Store, account_id: AccountId, *, at: datetime) -> None:
    store.archive.conn.execute(
        "update accounts set due_at = ? where id = ?", [to_seconds(at), account_id]
    )


def hurry(store: Store, account_id: AccountId, *, now: datetime) -> None:
    """Have a mailbox that is well looked at now, if it is not due already."""
    store.archive.conn.execute(
        "update accounts set due_at = min(due_at, :now) where id = :id and trouble = ''"
        " and due_at > :now",
        {"id": account_id, "now": to_seconds(now)},
    )


def pause(store: Store, account_id: AccountId, *, at: datetime | None) -> None:
    """Stop looking at a mailbox, or go on with `at=None`."""
    paused_at = None if at is None else to_seconds(at)
    store.archive.conn.execute(
        "update accounts set paused_at = ?, due_at = 0 where id = ?", [paused_at, account_id]
    )


def close(store: Store, account_id: AccountId, *, now: datetime) -> None:
    """Never look at it again and forget its password or tokens; its mail stays (A21)."""
    store.archive.conn.execute(
        "update accounts set closed_at = ?, sealed_password = null, sealed_tokens = null"
        " where id = ?",
        [to_seconds(now), account_id],
    )


def record_check(
    store: Store,
    account_id: AccountId,
    *,
    unread: int | None,
    new: int | None,
    error: str | None,
    now: datetime,
) -> None:
    """Keep how a check went; one with `unread` came to its end, whatever failed on the way.

    Effects: checks that brought nothing and failed at nothing go after QUIET_CHECKS_KEPT.
    """
    conn = store.archive.conn
    conn.execute(
        "delete from account_checks where id in (select id from account_checks"
        "  where account_id = ? and error is null and new = 0 order by id limit 2)"
        " and checked_at < ?",
        [account_id, to_seconds(now - QUIET_CHECKS_KEPT)],
    )
    conn.execute(
        "insert into account_checks (account_id, checked_at, unread, new, error)"
        " values (?, ?, ?, ?, ?)",
        [account_id, to_seconds(now), unread, new, error],
    )
    if unread is not None:
        conn.execute("update accounts set good_at = ? where id = ?", [to_seconds(now), account_id])


def last_check(store: Store, account_id: AccountId, *, good: bool = False) -> Check | None:
    """The latest check, or the latest one without an error; None before the first."""
    row = store.archive.conn.execute(
        "select checked_at, unread, new, error from account_checks where account_id = ?"
        f" {'and error is null' if good else ''} order by id desc limit 1",
        [account_id],
    ).fetchone()
    return None if row is None else Check(from_seconds(row[0]), row[1], row[2], row[3])


def checks(store: Store, account_id: AccountId, *, limit: int) -> list[Check]:
    """The account's last checks, newest first (A14)."""
    rows = store.archive.conn.execute(
        "select checked_at, unread, new, error from account_checks where account_id = ?"
        " order by id desc limit ?",
        [account_id, limit],
    )
    return [Check(from_seconds(row[0]), row[1], row[2], row[3]) for row in rows]


def _refuse_taken(
    store: Store, address: str, host: str | None, login: str, *, but: AccountId | None = None
) -> None:
    """Raises Conflict if another account has this address, server and login (R11)."""
    taken = store.archive.conn.execute(
        "select 1 from accounts where address = ? and coalesce(host, '') = ?"
        " and coalesce(login, '') = ? and id is not ?",
        [address, host or "", login, but],
    ).fetchone()
    if taken:
        raise Conflict(f"The mailbox {address} is there already, with this server and login.")


def _keeps_tokens(before: Account, after: Account) -> bool:
    return after.auth_type == "oauth" and (before.host, before.login) == (after.host, after.login)


def _put_skip_folders(store: Store, account_id: AccountId, names: Sequence[str]) -> None:
    store.archive.conn.executemany(
        "insert into account_skip_folders (account_id, name) values (?, ?)",
        [(account_id, name) for name in dict.fromkeys(names)],
    )


def _one(store: Store, condition: str, value: object) -> Account:
    row = store.archive.conn.execute(
        f"select {COLUMNS} from accounts where {condition}", [value]
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no mailbox {value}.")
    return _account_from(store, row)


def _usual_place(skip_folder: str) -> int:
    """Where the help page lists it; others follow, by name."""
    usual = DEFAULT_SKIP_FOLDERS
    return usual.index(skip_folder) if skip_folder in usual else len(usual)


def _account_from(store: Store, row: tuple[Any, ...]) -> Account:
    skipped = store.archive.conn.execute(
        "select name from account_skip_folders where account_id = ? order by name",
        [row[0]],
    )
    return Account(
        id=AccountId(row[0]),
        public_id=PublicId(row[1]),
        address=row[2],
        host=row[3],
        port=row[4],
        security=row[5],
        login=row[6],
        verify_certificate=bool(row[7]),
        skip_folders=tuple(sorted((name for (name,) in skipped), key=_usual_place)),
        is_strict=bool(row[8]),
        paused_at=maybe_from_seconds(row[9]),
        closed_at=maybe_from_seconds(row[10]),
        auth_type=row[11],
        needs_sign_in=bool(row[12]),
    )
