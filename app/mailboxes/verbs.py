"""Setting a mailbox up and changing it. Each verb is one transaction and one audit line or more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.errors import Conflict, Invalid
from app.mailboxes.rules import (
    Wanted,
    check_right,
    check_users,
    cleaned,
    doer,
    has_same_server,
    problems,
    refuse_unwatched,
    version,
)
from app.model import Account, AccountId, PublicId, UserId, Viewer
from app.store import Store, accounts, audit, jobs, states, transaction
from app.store.database import new_public_id
from app.store.secrets import seal
from app.sync.registered import Provider

_TAKEN = "This mailbox is there already: the same address, server and login."
_NO_SERVER = "This mailbox is read from no server; there is nothing to stop."
_CLOSED = "This mailbox is closed. Type its password in its form to read it again."
_OTHER_SERVER = (
    "The server is another one: type the password again. What was saved for one server is not"
    " sent to another."
)
_IN_BETWEEN = (
    "Somebody else changed this mailbox while the form was open. What you typed stands below;"
    ' "Confirm" puts it in the place of his change.'
)


def create(
    store: Store,
    viewer: Viewer | None,
    wanted: Wanted,
    password: str,
    *,
    key: bytes,
    allow_clear: bool = False,
    providers: Sequence[Provider] = (),
    now: datetime,
) -> Account:
    """A new mailbox, which the worker looks at within a second; viewer None: the operator.

    One with an oAuth login waits until somebody has signed in; a password is not kept for it.

    Raises Invalid, Forbidden (R9). Effects: one transaction, audited.
    """
    _refuse(
        viewer,
        wanted,
        password,
        needs_password=True,
        allow_clear=allow_clear,
        providers=providers,
    )
    wanted = cleaned(wanted)
    if not wanted.users:
        raise Invalid("users", "Choose who sees this mailbox.")
    public_id = new_public_id()
    with transaction(store):
        try:
            made = accounts.add(
                store,
                address=wanted.address,
                host=wanted.host,
                port=wanted.port,
                security=wanted.security,
                login=wanted.login,
                sealed_password=_sealed(key, public_id, wanted, password),
                auth_type=wanted.auth_type,
                verify_certificate=wanted.verify_certificate,
                skip_folders=wanted.skip_folders,
                users=wanted.users,
                is_strict=wanted.is_strict,
                public_id=public_id,
                now=now,
            )
        except Conflict as exc:
            raise Invalid("address", _TAKEN) from exc
        by = doer(viewer)
        audit.note(store, "create account", by=by, now=now, account_id=made.id, users=wanted.users)
        audit.note(store, "set server", by=by, now=now, account_id=made.id)
        accounts.set_due(store, made.id, at=now)
    return made


def change(
    store: Store,
    viewer: Viewer | None,
    account_id: AccountId,
    wanted: Wanted,
    password: str,
    *,
    key: bytes,
    allow_clear: bool = False,
    providers: Sequence[Provider] = (),
    seen: str = "",
    now: datetime,
) -> None:
    """Change a mailbox; an empty password keeps the old one, unless the server is another one.

    Typing a password opens a closed mailbox again, and so does choosing the oAuth login. Another
    type of authorization erases the secret of the one before.
    `seen` is the `version` that the form showed.

    Raises Invalid, NotFound, Forbidden (R9), Conflict if somebody changed it in between.
    Effects: one transaction, audited; the worker looks at it at once, whatever was wrong before.
    """
    by = doer(viewer)
    wanted = cleaned(wanted)
    with transaction(store):
        check_right(store, viewer, account_id)
        old = accounts.get(store, account_id)
        _refuse_changed(store, old, seen)
        _refuse(
            viewer,
            wanted,
            password,
            needs_password=wanted.auth_type != old.auth_type,
            allow_clear=allow_clear,
            providers=providers,
            known=old,
        )
        is_elsewhere = wanted.host != old.host or (
            old.host and (wanted.port, wanted.security) != (old.port, old.security)
        )
        has_secret = bool(password) or wanted.auth_type == "oauth"
        if is_elsewhere and not (has_secret or old.closed_at):
            raise Invalid("password", _OTHER_SERVER)
        new = _with(old, wanted, closed_at=None if has_secret else old.closed_at)
        try:
            sealed = _sealed(key, old.public_id, wanted, password)
            accounts.change(store, new, sealed_password=sealed)
        except Conflict as exc:
            raise Invalid("address", _TAKEN) from exc
        _note_strict(store, old, is_strict=new.is_strict, by=by, now=now)
        _put_users(store, account_id, wanted.users, by=by, now=now)
        audit.note(store, "change account", by=by, now=now, account_id=account_id)
        if not has_same_server(old, wanted):
            audit.note(store, "set server", by=by, now=now, account_id=account_id)
        if password or _sign_in(old) != _sign_in(new):
            audit.note(store, "set login", by=by, now=now, account_id=account_id)
        states.renew(store, account_id, is_elsewhere=not has_same_server(old, wanted), now=now)


def share(
    store: Store,
    viewer: Viewer | None,
    account_id: AccountId,
    users: Sequence[UserId],
    *,
    is_strict: bool,
    seen: str = "",
    now: datetime,
) -> None:
    """Say who sees a mailbox, and whether the archive binds its members; nothing else changes.

    Raises NotFound, Forbidden (R9), Conflict. Effects: one transaction, audited; the rights count
    from the next request (R27).
    """
    by = doer(viewer)
    with transaction(store):
        check_right(store, viewer, account_id)
        check_users(viewer, users)
        old = accounts.get(store, account_id)
        _refuse_changed(store, old, seen)
        accounts.change(store, replace(old, is_strict=is_strict))
        _note_strict(store, old, is_strict=is_strict, by=by, now=now)
        _put_users(store, account_id, users, by=by, now=now)
        audit.note(store, "change account", by=by, now=now, account_id=account_id)


def pause(store: Store, viewer: Viewer | None, account_id: AccountId, *, now: datetime) -> None:
    """Stop looking at a mailbox for a while; one that is paused already stays as it is.

    Raises NotFound, Forbidden, Invalid if it is never looked at. Effects: one transaction, audited.
    """
    _set_paused(store, viewer, account_id, at=now, now=now)


def resume(store: Store, viewer: Viewer | None, account_id: AccountId, *, now: datetime) -> None:
    """Look at a paused mailbox again, at once. Raises and effects: as `pause`."""
    _set_paused(store, viewer, account_id, at=None, now=now)


def close(store: Store, viewer: Viewer | None, account_id: AccountId, *, now: datetime) -> None:
    """Never look at a mailbox again and forget its password; its mail stays (A21).

    Raises NotFound, Forbidden, Invalid if it has no server. Effects: one transaction, audited; a
    closed one stays as it is.
    """
    with transaction(store):
        check_right(store, viewer, account_id)
        account = accounts.get(store, account_id)
        if not account.host:
            raise Invalid("account", _NO_SERVER)
        if account.closed_at:
            return
        accounts.close(store, account_id, now=now)
        by = doer(viewer)
        audit.note(store, "close account", by=by, now=now, account_id=account_id)


def check(store: Store, viewer: Viewer, account: Account, *, now: datetime) -> PublicId:
    """Have one mailbox checked now; gives the job. Raises Invalid if it is not looked at."""
    refuse_unwatched(account)
    return jobs.request_check(store, viewer, now=now, account_id=account.id)


def _set_paused(
    store: Store,
    viewer: Viewer | None,
    account_id: AccountId,
    *,
    at: datetime | None,
    now: datetime,
) -> None:
    with transaction(store):
        check_right(store, viewer, account_id)
        account = accounts.get(store, account_id)
        if not account.host:
            raise Invalid("account", _NO_SERVER)
        if account.closed_at:
            raise Invalid("account", _CLOSED)
        if bool(account.paused_at) == bool(at):
            return
        accounts.pause(store, account_id, at=at)
        verb = "resume account" if at is None else "pause account"
        by = doer(viewer)
        audit.note(store, verb, by=by, now=now, account_id=account_id)


def _refuse(
    viewer: Viewer | None,
    wanted: Wanted,
    password: str,
    *,
    needs_password: bool,
    allow_clear: bool,
    providers: Sequence[Provider],
    known: Account | None = None,
) -> None:
    for problem in problems(
        viewer,
        wanted,
        password,
        needs_password=needs_password,
        allow_clear=allow_clear,
        providers=providers,
        known=known,
    ):
        raise problem


def _refuse_changed(store: Store, account: Account, seen: str) -> None:
    if seen and seen != version(account, accounts.users(store, account.id)):
        raise Conflict(_IN_BETWEEN)


def _note_strict(
    store: Store, old: Account, *, is_strict: bool, by: UserId | None, now: datetime
) -> None:
    """Note that the archive binds the members of a mailbox from now on, or no more (A5)."""
    if is_strict != old.is_strict:
        verb = "set strict"
        audit.note(store, verb, by=by, now=now, account_id=old.id, is_strict=is_strict)


def _put_users(
    store: Store,
    account_id: AccountId,
    users: Sequence[UserId],
    *,
    by: UserId | None,
    now: datetime,
) -> None:
    """Note whom a change lets in and keeps out, by id."""
    before, after = set(accounts.users(store, account_id)), set(users)
    if before == after:
        return
    accounts.put_users(store, account_id, users)
    audit.note(
        store,
        "share account",
        by=by,
        now=now,
        account_id=account_id,
        added=sorted(after - before),
        removed=sorted(before - after),
    )


def _with(old: Account, wanted: Wanted, *, closed_at: datetime | None) -> Account:
    return replace(
        old,
        address=wanted.address,
        host=wanted.host,
        port=wanted.port,
        security=wanted.security,
        login=wanted.login,
        verify_certificate=wanted.verify_certificate,
        skip_folders=tuple(sorted(wanted.skip_folders)),
        is_strict=wanted.is_strict,
        auth_type=wanted.auth_type,
        closed_at=closed_at,
    )


def _sign_in(account: Account) -> tuple[object, ...]:
    return account.auth_type, account.login, account.verify_certificate


def _sealed(key: bytes, public_id: PublicId, wanted: Wanted, password: str) -> bytes | None:
    """The password to keep; None for an oAuth login, and where the saved one stays."""
    is_kept = password and wanted.auth_type == "password"
    return seal(key, public_id, password) if is_kept else None
