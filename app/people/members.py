"""The team's members: made, invited by a one-time link, changed, kept out and let in again."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final
from unicodedata import category

from app.errors import Conflict, Invalid, NotFound
from app.model import RoleId, User, UserId, Viewer, one_line, version_of
from app.people.passwords import hash_password
from app.people.tokens import digest_of
from app.store import Store, audit, sessions, transaction, users, visibility
from app.store import team as teams

LINK_FOR: Final = timedelta(days=3)
MOST_NAME_CHARACTERS: Final = 200

_LAST: Final = (
    "This is the last administrator. Make another one first; one who was invited counts from his"
    " first sign-in on."
)
_ADDRESS: Final = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,253}")


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
    password. Effects: one transaction, audited; with the first person the team counts as set up.
    """
    email, name = checked_email(email), checked_name(name)
    hashed = None if password is None else hash_password(password)
    with transaction(store):
        user_id = users.add(
            store,
            email=email,
            name=name,
            is_admin=is_admin,
            roles=users.role_ids(store, roles),
            password_hash=hashed,
            now=now,
        )
        teams.mark_set_up(store, now=now)
        audit.note(store, "create user", by=by, now=now, user=user_id)
    return user_id


def invite(
    store: Store,
    *,
    email: str,
    name: str,
    is_admin: bool,
    roles: Sequence[RoleId],
    by: UserId,
    now: datetime,
) -> tuple[User, str]:
    """Make a person, and the token of the one-time link that lets him in.

    Raises Invalid as `create_user`. Effects: one transaction, audited.
    """
    email, name, token = checked_email(email), checked_name(name), token_urlsafe(32)
    with transaction(store):
        _require_roles(store, roles)
        user_id = users.add(
            store,
            email=email,
            name=name,
            is_admin=is_admin,
            roles=roles,
            password_hash=None,
            now=now,
        )
        sessions.add_link(store, user_id, digest_of(token), expires_at=now + LINK_FOR, now=now)
        audit.note(store, "create user", by=by, now=now, user=user_id)
        audit.note(store, "create link", by=by, now=now, user=user_id)
        return users.get(store, user_id), token


def find_user(store: Store, email: str) -> User:
    """The active person with that address, whatever its case. Raises NotFound."""
    return users.by_email(store, folded(email))


def viewer_for(store: Store, email: str) -> Viewer:
    """The viewer that the person with that address is. Raises NotFound."""
    return visibility.viewer_of(store, find_user(store, email).id)


def user_version(store: Store, user: User) -> str:
    """Stands for what the form of a user shows."""
    return version_of(user.name, user.is_admin, *users.roles_of(store, user.id))


def change_user(
    store: Store,
    user_id: UserId,
    *,
    name: str,
    is_admin: bool,
    roles: Sequence[RoleId],
    version: str,
    by: UserId,
    now: datetime,
) -> None:
    """Save what an administrator changed; rights count from the person's next request.

    Raises Conflict if somebody saved since `version`, Invalid for a missing name, an unknown role
    and the last administrator's own right. Effects: one transaction, audited.
    """
    name = checked_name(name)
    with transaction(store):
        old = users.get(store, user_id)
        if user_version(store, old) != version:
            raise Conflict("Somebody else saved this person in the meantime.")
        _require_roles(store, roles)
        if old.is_admin and not is_admin and not users.has_other_admin(store, user_id):
            raise Invalid("is_admin", _LAST)
        before = users.roles_of(store, user_id)
        users.change(store, user_id, name=name, is_admin=is_admin, roles=roles)
        audit.note(
            store,
            "change user",
            by=by,
            now=now,
            user=user_id,
            name=name,
            is_admin=is_admin,
            roles=list(roles),
            name_before=old.name,
            was_admin=old.is_admin,
            roles_before=before,
        )


def create_link(store: Store, user_id: UserId, *, by: UserId | None, now: datetime) -> str:
    """The token of a one-time link with which a person sets a password, good for three days.

    Effects: one transaction, audited; earlier links of his are void.
    """
    token = token_urlsafe(32)
    with transaction(store):
        sessions.add_link(store, user_id, digest_of(token), expires_at=now + LINK_FOR, now=now)
        audit.note(store, "create link", by=by, now=now, user=user_id)
    return token


def user_of_link(store: Store, token: str, *, now: datetime) -> User:
    """Whom a one-time link is for. Raises NotFound if it is unknown, used or too old."""
    user = sessions.user_of_link(store, digest_of(token), now=now)
    if user is None:
        raise NotFound("This link was used already or is too old. Ask for a new one.")
    return user


def deactivate_user(store: Store, user_id: UserId, *, by: UserId | None, now: datetime) -> None:
    """Keep a person out from now on; what he did stays.

    Raises Invalid for oneself and for the last administrator. Effects: one transaction, audited;
    his sessions end and his links are void.
    """
    with transaction(store):
        if by == user_id:
            raise Invalid("deactivate", "You cannot shut yourself out. Ask another administrator.")
        if users.get(store, user_id).is_admin and not users.has_other_admin(store, user_id):
            raise Invalid("deactivate", _LAST)
        users.deactivate(store, user_id, now=now)
        audit.note(store, "deactivate user", by=by, now=now, user=user_id)


def reactivate_user(store: Store, user_id: UserId, *, by: UserId | None, now: datetime) -> None:
    """Let a person in again, with his password, roles and mailboxes as they were.

    Effects: one transaction, audited.
    """
    with transaction(store):
        users.reactivate(store, user_id)
        audit.note(store, "reactivate user", by=by, now=now, user=user_id)


def folded(email: str) -> str:
    """The address as it is kept; what SQLite cannot hold becomes a question mark."""
    return email.strip().casefold().encode(errors="replace").decode()


def checked_email(email: str) -> str:
    """Raises Invalid."""
    email = folded(email)
    if not email:
        raise Invalid("email", "Type the e-mail address.")
    if not _ADDRESS.fullmatch(email) or one_line(email) != email:
        raise Invalid("email", f"{one_line(email)[:100]!r} is no e-mail address.")
    return email


def checked_name(name: str) -> str:
    """Raises Invalid."""
    name = one_line(name)
    if not is_shown(name):
        raise Invalid("name", "Type a name.")
    if len(name) > MOST_NAME_CHARACTERS:
        raise Invalid("name", f"A name has at most {MOST_NAME_CHARACTERS} characters.")
    return name


def is_shown(name: str) -> bool:
    """Whether there is something to see in it, not only marks and joiners."""
    return any(category(sign)[0] in "LNPS" for sign in name)


def _require_roles(store: Store, roles: Sequence[RoleId]) -> None:
    if not set(roles) <= {role.id for role in users.roles(store)}:
        raise Invalid("roles", "One of the roles is not there any more. Choose again.")
