"""Roles: made, renamed, and removed where nothing needs them."""

from datetime import datetime
from typing import Final

from app.errors import Conflict, Invalid, NotFound
from app.model import RoleId, UserId, one_line
from app.store import Store, audit, transaction, users
from app.store.users import RoleUse

MOST_ROLE_CHARACTERS: Final = 100


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


def remove_role(store: Store, role_id: RoleId, *, by: UserId, now: datetime) -> None:
    """Take a role from everybody and away.

    Raises NotFound; Invalid while a record or a message is restricted to it, because without its
    last role it would be open to all. Effects: one transaction, audited.
    """
    with transaction(store):
        use = use_of_role(store, role_id)
        if use.records or use.messages:
            raise Invalid(
                "remove",
                "Records or messages are restricted to this role. Change who may see them first.",
            )
        users.remove_role(store, role_id)
        audit.note(store, "remove role", by=by, now=now, role=use.role.name, people=use.people)


def _checked_name(name: str) -> str:
    name = one_line(name)
    if not 0 < len(name) <= MOST_ROLE_CHARACTERS:
        reason = f"Give the role a name of at most {MOST_ROLE_CHARACTERS} characters."
        raise Invalid("name", reason)
    return name


def _require_free(store: Store, name: str, *, besides: RoleId | None) -> None:
    """SQLite's own nocase knows ASCII only."""
    for role in users.roles(store):
        if role.id != besides and role.name.casefold() == name.casefold():
            raise Invalid("name", f"There is a role {role.name!r} already.")
