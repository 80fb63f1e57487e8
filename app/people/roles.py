"""Roles: made, renamed, and removed where nothing opens by it unseen."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.errors import Conflict, Invalid, NotFound
from app.model import RoleId, User, UserId, Viewer, one_line
from app.people.members import is_shown
from app.search.analysis import fold
from app.store import Store, audit, transaction, users, visibility
from app.store.users import RoleUse

MOST_ROLE_CHARACTERS: Final = 100
MOST_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """A person, and how many messages more or fewer he could read."""

    user: User
    gains: int
    loses: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What it would mean to remove a role and put another, or none, in its place.

    `looked_at` is the number of messages that were counted, the newest; `is_all`: there are no
    others that the role opens.
    """

    changes: tuple[Change, ...]
    looked_at: int
    is_all: bool


def create_role(store: Store, name: str, *, by: UserId | None, now: datetime) -> None:
    """Make a role. Raises Invalid for an empty or taken name. Effects: one transaction, audited."""
    name = _checked_name(name)
    with transaction(store):
        _require_free(store, name, besides=None)
        users.add_role(store, name)
        audit.note(store, "create role", by=by, now=now, role=name)


def use_of_role(store: Store, role_id: RoleId) -> RoleUse:
    """A role and what hangs on it. Raises NotFound."""
    for use in users.role_uses(store):
        if use.role.id == role_id:
            return use
    raise NotFound


def rename_role(
    store: Store, role_id: RoleId, name: str, *, seen: str, by: UserId, now: datetime
) -> None:
    """Give a role another name; `seen` is the one that the form showed.

    Raises NotFound, Invalid for an empty or taken name, Conflict if it was renamed in between.
    Effects: one transaction, audited.
    """
    name = _checked_name(name)
    with transaction(store):
        old = use_of_role(store, role_id).role.name
        if old != seen:
            raise Conflict("Somebody else renamed this role in the meantime.")
        _require_free(store, name, besides=role_id)
        users.rename_role(store, role_id, name)
        audit.note(store, "rename role", by=by, now=now, role=role_id, name=name, before=old)


def preview_removal(store: Store, role_id: RoleId, in_its_place: RoleId | None) -> Removal:
    """Who could read more, or less, once the role is gone; by the one rule, for each.

    Whoever has the other role then reads what this one opened, whoever has this one only does
    not: so it is asked for a viewer with other roles, and nothing is written.
    """
    ids = users.kept_for_role(store, role_id, limit=MOST_LOOKED_AT + 1)
    looked_at = ids[:MOST_LOOKED_AT]
    changes = []
    for user in users.all_active(store):
        before = visibility.viewer_of(store, user.id)
        after = _with_removed(before, role_id, in_its_place)
        if after.roles == before.roles:
            continue
        now, then = (visibility.readable(store, one, looked_at) for one in (before, after))
        changes.append(Change(user, len(then - now), len(now - then)))
    return Removal(tuple(changes), len(looked_at), len(ids) <= MOST_LOOKED_AT)


def remove_role(
    store: Store,
    role_id: RoleId,
    *,
    in_its_place: RoleId | None = None,
    by: UserId,
    now: datetime,
) -> None:
    """Take a role from everybody and away; what is kept for it is kept for another one then.

    Raises NotFound; Invalid, where none is put in its place, while a record or a message is kept
    for it: without its last role it would be open to all. Effects: one transaction, audited.
    """
    with transaction(store):
        use = use_of_role(store, role_id)
        other = _other(store, role_id, in_its_place)
        if (use.records or use.messages) and other is None:
            raise Invalid(
                "in_its_place",
                "Records or messages are kept for this role. Choose the role they are kept for"
                " then: without one they would be open to everybody.",
            )
        if other is not None:
            users.replace_role(store, role_id, other)
        users.remove_role(store, role_id)
        audit.note(
            store,
            "remove role",
            by=by,
            now=now,
            role=use.role.name,
            id=role_id,
            by_role=other,
            people=use.people,
            records=use.records,
            messages=use.messages,
        )


def _with_removed(viewer: Viewer, role_id: RoleId, in_its_place: RoleId | None) -> Viewer:
    """The viewer who sees now what he would see then."""
    roles: Iterable[RoleId] = viewer.roles - {role_id}
    if in_its_place in viewer.roles:
        roles = {*roles, role_id}
    return replace(viewer, roles=frozenset(roles))


def _other(store: Store, role_id: RoleId, in_its_place: RoleId | None) -> RoleId | None:
    if in_its_place is None:
        return None
    if in_its_place == role_id or in_its_place not in {role.id for role in users.roles(store)}:
        raise Invalid("in_its_place", "This role is not there any more. Choose another one.")
    return in_its_place


def _checked_name(name: str) -> str:
    name = one_line(name)
    if not is_shown(name) or len(name) > MOST_ROLE_CHARACTERS:
        reason = f"Give the role a name of at most {MOST_ROLE_CHARACTERS} characters."
        raise Invalid("name", reason)
    return name


def _require_free(store: Store, name: str, *, besides: RoleId | None) -> None:
    """Two names are one where only case, diacritics or invisible marks tell them apart."""
    for role in users.roles(store):
        if role.id != besides and fold(role.name) == fold(name):
            raise Invalid("name", f"There is a role {role.name!r} already.")
