"""Signing in and out, and a person's own sessions and password."""

from contextlib import suppress
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final

from app.errors import AuthFailed, Busy, Invalid, NotFound
from app.model import User, UserId, Viewer
from app.people.members import find_user, folded, user_of_link
from app.people.passwords import hash_password, is_right
from app.people.throttle import note_failure, require_calm
from app.people.tokens import digest_of
from app.store import Store, audit, sessions, transaction, users, visibility
from app.store.sessions import OpenSession

IDLE_FOR: Final = timedelta(days=7)
SESSION_FOR: Final = timedelta(days=30)
TOUCH_EVERY: Final = timedelta(minutes=1)


def sign_in(
    store: Store, email: str, password: str, *, address: str, agent: str, now: datetime
) -> str:
    """A new session's token, for the person with that address and password.

    Raises AuthFailed with the same sentence for an unknown person, a wrong password and a person
    without one; with another after too many failures. Effects: a session row, or a failure row;
    audited, without what was typed.
    """
    keys = {"user": _key_of(email), "address": f"address:{address}"}
    require_calm(store, keys, now=now)
    user = _known(store, email)
    if not is_right(password, users.password_hash(store, user.id) if user else None) or not user:
        note_failure(store, keys, user=user.id if user else None, now=now)
        raise AuthFailed("The e-mail address or the password is wrong.")
    return open_session(store, user.id, address=address, agent=agent, now=now)


def sign_out(store: Store, token: str, *, now: datetime) -> None:
    """End a session. Effects: one transaction, audited; may be repeated."""
    with transaction(store):
        if session := sessions.session(store, digest_of(token)):
            sessions.end_session(store, digest_of(token))
            audit.note(store, "sign out", by=session.user.id, now=now)


def viewer_of_session(store: Store, token: str, *, now: datetime) -> tuple[Viewer, User] | None:
    """Who a session's token stands for, with his rights as they are now; None: sign in anew.

    Effects: notes at most once a minute that the session is in use.
    """
    digest = digest_of(token)
    session = sessions.session(store, digest)
    if session is None:
        return None
    seconds = now.timestamp()
    idle = seconds - session.last_seen_at
    if idle > IDLE_FOR.total_seconds() or (
        seconds - session.created_at > SESSION_FOR.total_seconds()
    ):
        sessions.end_session(store, digest)
        return None
    if idle > TOUCH_EVERY.total_seconds():
        with suppress(Busy), transaction(store):  # a page that is only read waits for no write
            sessions.touch_session(store, digest, now=now)
    return visibility.viewer_of(store, session.user.id), session.user


def set_password_by_link(
    store: Store, token: str, password: str, *, address: str, agent: str, now: datetime
) -> str:
    """Set the password of the link's person and sign him in; gives the session's token.

    Raises NotFound for a void link, Invalid for a bad password. Effects: the link is used up and
    all his other sessions end.
    """
    hashed = hash_password(password)
    with transaction(store):
        user = user_of_link(store, token, now=now)
        users.set_password_hash(store, user.id, hashed)
        audit.note(store, "set password", by=user.id, now=now)
    return open_session(store, user.id, address=address, agent=agent, now=now)


def change_password(
    store: Store, user: User, old: str, new: str, *, address: str, agent: str, now: datetime
) -> str:
    """Set one's own password; gives the token of the new session that goes on.

    Raises Invalid for a wrong old password or a bad new one, AuthFailed after too many wrong
    ones. Effects: all his sessions end, this one too; audited.
    """
    keys = {"user": _key_of(user.email)}
    require_calm(store, keys, now=now)
    if not is_right(old, users.password_hash(store, user.id)):
        note_failure(store, keys, user=user.id, now=now)
        raise Invalid("old", "This is not your current password.")
    if new == old:
        raise Invalid("password", "The new password is the old one. Choose another.")
    hashed = hash_password(new)
    with transaction(store):
        users.set_password_hash(store, user.id, hashed)
        audit.note(store, "change password", by=user.id, now=now)
    return open_session(store, user.id, address=address, agent=agent, now=now)


def my_sessions(store: Store, user_id: UserId, *, now: datetime) -> list[OpenSession]:
    """Where a person is signed in, the latest first."""
    found = sessions.of_user(store, user_id, since=now - IDLE_FOR)
    return [one for one in found if one.created_at > now - SESSION_FOR]


def handle_of_session(token: str) -> str:
    """What names this session in the list of them."""
    return sessions.handle_of(digest_of(token))


def end_my_session(store: Store, user_id: UserId, handle: str, *, now: datetime) -> None:
    """End one of a person's own sessions. Raises NotFound. Effects: one transaction, audited."""
    with transaction(store):
        if not sessions.end_by_handle(store, user_id, handle):
            raise NotFound
        audit.note(store, "end session", by=user_id, now=now, sessions=1)


def end_other_sessions(store: Store, user_id: UserId, token: str, *, now: datetime) -> int:
    """End all of a person's sessions but this one. Effects: one transaction, audited."""
    with transaction(store):
        ended = sessions.end_others(store, user_id, digest_of(token))
        audit.note(store, "end session", by=user_id, now=now, sessions=ended)
    return ended


def open_session(store: Store, user_id: UserId, *, address: str, agent: str, now: datetime) -> str:
    """The token of a new session of a person whose identity was checked.

    Effects: one transaction, audited.
    """
    token = token_urlsafe(32)
    with transaction(store):
        sessions.add_session(
            store, user_id, digest_of(token), address=address[:100], agent=agent[:300], now=now
        )
        audit.note(store, "open session", by=user_id, now=now)
    return token


def _known(store: Store, email: str) -> User | None:
    try:
        return find_user(store, email)
    except NotFound:
        return None


def _key_of(email: str) -> str:
    return f"user:{folded(email)[:300]}"
