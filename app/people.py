"""People: accounts of the team's members, sign-in, sessions, one-time links."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import AuthFailed, Invalid, NotFound
from app.model import User, UserId, Viewer
from app.store import Store, audit, transaction, users, visibility

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
IDLE_FOR = timedelta(days=7)
SESSION_FOR = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=1)
LINK_FOR = timedelta(days=3)
FAILURES_WITHIN = timedelta(minutes=15)
MOST_FAILURES = {"user": 10, "address": 50}

_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,253}")
_hasher = PasswordHasher()
_hashing = BoundedSemaphore(2)
"""A hash takes 64 MB and 0.2 s: no more than two at a time."""

_NO_ONES_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$KKjztl38/2Boi8MODzJFhw$cE9uiiuEaY2sZH9WQDf+8LQV9hUMT42hm8qH6wNwr/U"
)
"""Checked for an unknown person, so that the answer takes as long."""


def create_user(
    store: Store,
    *,
    email: str,
    name: str,
    is_admin: bool = False,
    roles: Sequence[str] = (),
    password: str | None = None,
    by: UserId | None,
    now: datetime,
) -> UserId:
    """Make a person; without a password only a one-time link lets him in.

    Raises Invalid for a malformed or taken address, a missing name, an unknown role, or a short
    password. Effects: one transaction, audited.
    """
    email = _checked_address(email)
    if not name.strip():
        raise Invalid("name", "Give the person a name.")
    hashed = None if password is None else hash_password(password)
    with transaction(store):
        user_id = users.add(
            store,
            email=email,
            name=" ".join(name.split()),
            is_admin=is_admin,
            roles=users.role_ids(store, roles),
            password_hash=hashed,
            now=now,
        )
        audit.note(store, "create user", by=by, now=now, user=user_id)
    return user_id


def find_user(store: Store, email: str) -> User:
    """The active person with that address, whatever its case. Raises NotFound."""
    return users.by_email(store, _folded(email))


def viewer_for(store: Store, email: str) -> Viewer:
    """The viewer that the person with that address is. Raises NotFound."""
    return visibility.viewer_of(store, find_user(store, email).id)


def create_role(store: Store, name: str, *, by: UserId | None, now: datetime) -> None:
    """Make a role. Raises Invalid for an empty or taken name. Effects: one transaction, audited."""
    name = " ".join(name.split())
    if not 0 < len(name) <= 100:
        raise Invalid("name", "Give the role a name of at most 100 characters.")
    with transaction(store):
        users.add_role(store, name)
        audit.note(store, "create role", by=by, now=now, role=name)


def hash_password(password: str) -> str:
    """The argon2id hash. Raises Invalid if the password is too short or too long."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password", f"A password has at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise Invalid("password", f"A password has at most {LONGEST_PASSWORD} characters.")
    with _hashing:
        return _hasher.hash(password)


def sign_in(
    store: Store, email: str, password: str, *, address: str, agent: str, now: datetime
) -> str:
    """A new session's token, for the person with that address and password.

    Raises AuthFailed with the same sentence for an unknown person, a wrong password and a person
    without one; with another after too many failures. Effects: a session row, or a failure row.
    """
    keys = {"user": f"user:{_folded(email)[:300]}", "address": f"address:{address}"}
    since = now - FAILURES_WITHIN
    for kind, key in keys.items():
        if users.count_failures(store, key, since=since) >= MOST_FAILURES[kind]:
            raise AuthFailed("Too many attempts. Wait a quarter of an hour and try again.")
    user = _verified(store, email, password)
    if user is None:
        with transaction(store):
            users.record_failure(store, list(keys.values()), now=now, keep_since=since)
        raise AuthFailed("The e-mail address or the password is wrong.")
    return _open_session(store, user, address=address, agent=agent, now=now)


def sign_out(store: Store, token: str) -> None:
    """End a session. Effects: may be repeated."""
    users.end_session(store, _digest(token))


def viewer_of_session(store: Store, token: str, *, now: datetime) -> tuple[Viewer, User] | None:
    """Who a session's token stands for, with his rights as they are now; None: sign in anew.

    Effects: notes at most once a minute that the session is in use.
    """
    digest = _digest(token)
    session = users.session(store, digest)
    if session is None:
        return None
    seconds = now.timestamp()
    idle = seconds - session.last_seen_at
    if idle > IDLE_FOR.total_seconds() or (
        seconds - session.created_at > SESSION_FOR.total_seconds()
    ):
        users.end_session(store, digest)
        return None
    if idle > TOUCH_EVERY.total_seconds():
        users.touch_session(store, digest, now=now)
    return visibility.viewer_of(store, session.user.id), session.user


def create_link(store: Store, user_id: UserId, *, by: UserId | None, now: datetime) -> str:
    """The token of a one-time link with which a person sets a password, good for three days.

    Effects: one transaction, audited; earlier links of his are void.
    """
    token = token_urlsafe(32)
    with transaction(store):
        users.add_link(store, user_id, _digest(token), expires_at=now + LINK_FOR, now=now)
        audit.note(store, "create link", by=by, now=now, user=user_id)
    return token


def user_of_link(store: Store, token: str, *, now: datetime) -> User:
    """Whom a one-time link is for. Raises NotFound if it is unknown, used or too old."""
    user = users.user_of_link(store, _digest(token), now=now)
    if user is None:
        raise NotFound("This link was used already or is too old. Ask for a new one.")
    return user


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
    return _open_session(store, user, address=address, agent=agent, now=now)


def deactivate_user(store: Store, user_id: UserId, *, by: UserId | None, now: datetime) -> None:
    """Keep a person out from now on; what he did stays. Effects: one transaction, audited."""
    with transaction(store):
        users.deactivate(store, user_id, now=now)
        audit.note(store, "deactivate user", by=by, now=now, user=user_id)


def _verified(store: Store, email: str, password: str) -> User | None:
    try:
        user = find_user(store, email)
    except NotFound:
        user = None
    hashed = user and users.password_hash(store, user.id)
    typed = password[:LONGEST_PASSWORD].encode(errors="replace")
    with _hashing:
        try:
            _hasher.verify(hashed or _NO_ONES_HASH, typed)
        except (VerificationError, InvalidHashError):
            return None
    return user if hashed else None


def _open_session(store: Store, user: User, *, address: str, agent: str, now: datetime) -> str:
    token = token_urlsafe(32)
    users.add_session(
        store, user.id, _digest(token), address=address[:100], agent=agent[:300], now=now
    )
    return token


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()


def _folded(email: str) -> str:
    """The address as it is kept; what SQLite cannot hold becomes a question mark."""
    return email.strip().casefold().encode(errors="replace").decode()


def _checked_address(email: str) -> str:
    email = _folded(email)
    if not _ADDRESS.fullmatch(email):
        raise Invalid("email", f"{email!r} is no e-mail address.")
    return email
