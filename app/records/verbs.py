"""The verbs of records: create, change, push, put away, with who may see them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

from app.errors import Conflict, Invalid, NotFound
from app.model import Record, RecordId, RoleId, UserId, Viewer, one_line
from app.records.draft import Draft, checked, draft_of, record_version
from app.search.analysis import fold
from app.store import Store, audit, records, transaction, visibility
from app.store import users as store_users

Outcome = Literal["new", "changed", "unchanged"]


class SameName(Invalid):
    """There is a record of this type and name already: `record`, which the viewer may see."""

    def __init__(self, record: Record) -> None:
        super().__init__("name", f"There is a record {record.name!r} of this type already.")
        self.record = record


@dataclass(frozen=True, slots=True)
class Pushed:
    """What another system or a file says of a record; None: it says nothing, and it stays."""

    name: str
    external_id: str = ""
    code: str | None = None
    notes: str | None = None
    aliases: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    roles: tuple[RoleId, ...] | None = None
    users: tuple[UserId, ...] | None = None


def create_record(
    store: Store,
    *,
    record_type: str,
    name: str,
    aliases: Sequence[str] = (),
    domains: Sequence[str] = (),
    addresses: Sequence[str] = (),
    roles: Sequence[RoleId] = (),
    users: Sequence[UserId] = (),
    code: str = "",
    external_id: str = "",
    notes: str = "",
    may_share_name: bool = False,
    by: UserId | None,
    now: datetime,
) -> RecordId:
    """Make a record; without roles and users everybody in the team may see it.

    Raises Invalid for an unknown type, an empty name, a malformed domain or address, a code or an
    external id that is taken, and SameName for a name that a visible record has, unless it
    `may_share_name`. Effects: one transaction, audited; it is found at once.
    """
    draft = Draft(
        name,
        code,
        notes,
        tuple(aliases),
        tuple(addresses),
        tuple(domains),
        tuple(roles),
        tuple(users),
        external_id,
    )
    with transaction(store):
        return add_record(
            store,
            record_type=record_type,
            draft=draft,
            may_share_name=may_share_name,
            by=by,
            now=now,
        )


def add_record(
    store: Store,
    *,
    record_type: str,
    draft: Draft,
    may_share_name: bool = False,
    by: UserId | None,
    now: datetime,
) -> RecordId:
    """As `create_record`, inside the caller's transaction: a record made while filing under it."""
    draft = checked(draft)
    _require_access_exists(store, draft)
    viewer = None if by is None else visibility.viewer_of(store, by)
    if not may_share_name:
        _require_own_name(store, viewer, record_type, draft, besides=None)
    record_id = records.add(
        store,
        record_type=record_type,
        name=draft.name,
        folded_name=fold(draft.name),
        code=draft.code,
        external_id=draft.external_id,
        notes=draft.notes,
        aliases=draft.aliases,
        domains=draft.domains,
        addresses=draft.addresses,
        roles=draft.roles,
        users=draft.users,
        now=now,
    )
    audit.note(store, "create record", by=by, now=now, record_id=record_id)
    return record_id


def would_see(viewer: Viewer, draft: Draft) -> bool:
    """Whether the viewer may see the record once it is saved so."""
    is_open = not draft.roles and not draft.users
    return is_open or viewer.user_id in draft.users or not viewer.roles.isdisjoint(draft.roles)


def change_record(
    store: Store,
    viewer: Viewer,
    record_id: RecordId,
    draft: Draft,
    *,
    version: str,
    may_share_name: bool = False,
    now: datetime,
) -> None:
    """Save a record anew; the rights count from the next request.

    Raises NotFound if the viewer may not see it, Conflict if somebody saved since `version`,
    Invalid as `create_record`. Effects: one transaction, audited; with other rights its messages
    are queued for the index.
    """
    draft = checked(draft)
    with transaction(store):
        old = visible(store, viewer, record_id)
        if record_version(old) != version:
            raise Conflict("Somebody else saved this record in the meantime.")
        if not may_share_name and fold(old.name) != fold(draft.name):
            _require_own_name(store, viewer, old.type, draft, besides=record_id)
        save(store, old, draft, by=viewer.user_id, now=now)


def upsert_record(
    store: Store, viewer: Viewer | None, *, record_type: str, pushed: Pushed, now: datetime
) -> tuple[RecordId, Outcome]:
    """Make the record that another system or a file speaks of, or bring it up to date.

    It is found by its external id, else by its code, else by its name, among the records of the
    type that the viewer may see; `viewer=None` is the operator. A record with another external id
    is another record, whatever its name.

    Raises Invalid as `create_record`, and for a name that several records have. Effects: one
    transaction, audited; may be repeated, which changes nothing.
    """
    with transaction(store):
        return push_record(store, viewer, record_type=record_type, pushed=pushed, now=now)


def push_record(
    store: Store, viewer: Viewer | None, *, record_type: str, pushed: Pushed, now: datetime
) -> tuple[RecordId, Outcome]:
    """As `upsert_record`, inside the caller's transaction: one of many."""
    by = None if viewer is None else viewer.user_id
    old = meant(
        pushed,
        lambda what, value: records.known_as(store, viewer, what, value, record_type=record_type),
    )
    if old is not None and is_former(old, pushed, record_type=record_type):
        return old.id, "unchanged"
    draft = checked(draft_of_pushed(old, pushed))
    if old is None:
        made = add_record(
            store, record_type=record_type, draft=draft, may_share_name=True, by=by, now=now
        )
        return made, "new"
    return old.id, "changed" if save(store, old, draft, by=by, now=now) else "unchanged"


def meant(pushed: Pushed, look: Callable[[records.Mark, str], Sequence[Record]]) -> Record | None:
    """The record that is pushed, if it is there; `look` gives those known by a mark.

    Raises Invalid for a name that several have.
    """
    external_id = one_line(pushed.external_id)
    if external_id and (found := list(look("external id", external_id))):
        return found[0]
    code = lower(one_line(pushed.code or ""))
    if code and (found := [one for one in look("code", code) if _may_be(one, pushed)]):
        return found[0]
    found = [
        one
        for one in look("name", fold(one_line(pushed.name)))
        if _may_be(one, pushed) and not (one.code and code)
    ]
    if len(found) > 1:
        raise Invalid("name", "Several records have this name. Give the code or the external id.")
    return found[0] if found else None


def is_former(record: Record, pushed: Pushed, *, record_type: str) -> bool:
    """Whether the record was found by the id of one that became part of it.

    What is pushed of that one is not said of the record.
    """
    external_id = one_line(pushed.external_id)
    has_other = bool(external_id and record.external_id) and record.external_id != external_id
    return has_other or record.type != record_type


def lower(code: str) -> str:
    """A code as codes are compared: small letters, of ASCII only, as SQLite has them."""
    return code.encode(errors="replace").lower().decode()


def draft_of_pushed(old: Record | None, pushed: Pushed) -> Draft:
    """The record as it is to be: what is pushed over what there is."""
    before = draft_of(old) if old else Draft()
    said = {
        one.name: getattr(pushed, one.name)
        for one in fields(pushed)
        if getattr(pushed, one.name) is not None
    }
    said["external_id"] = pushed.external_id or before.external_id
    return replace(before, **said)


def archive_record(store: Store, viewer: Viewer, record_id: RecordId, *, now: datetime) -> None:
    """Put a record away: its mail stays findable, and it is not suggested any more.

    Raises NotFound. Effects: one transaction, audited; may be repeated.
    """
    with transaction(store):
        if visible(store, viewer, record_id).archived_at is None:
            records.set_archived(store, record_id, at=now)
            audit.note(store, "archive record", by=viewer.user_id, now=now, record_id=record_id)


def restore_record(store: Store, viewer: Viewer, record_id: RecordId, *, now: datetime) -> None:
    """Bring a record back that was put away. Raises NotFound. Effects: as `archive_record`."""
    with transaction(store):
        if visible(store, viewer, record_id).archived_at is not None:
            records.set_archived(store, record_id, at=None)
            audit.note(store, "restore record", by=viewer.user_id, now=now, record_id=record_id)


def kept_for_some(store: Store, viewer: Viewer, public_id: str) -> Record:
    """A record for whose access an administrator may answer without seeing it (R78).

    Raises NotFound for others, and for one that everybody sees.
    """
    if not viewer.is_admin:
        raise NotFound
    return records.kept_for_some(store, public_id)


def let_in(
    store: Store, viewer: Viewer, public_id: str, people: Sequence[UserId], *, now: datetime
) -> None:
    """Let more people see such a record, the administrator himself too.

    Raises NotFound, Invalid for nobody and for somebody who is not there. Effects: one
    transaction, audited; counts from the next request.
    """
    with transaction(store):
        old = kept_for_some(store, viewer, public_id)
        if not people:
            raise Invalid("people", "Choose who is to see this record.")
        draft = replace(draft_of(old), users=tuple(dict.fromkeys((*old.users, *people))))
        save(store, old, draft, by=viewer.user_id, now=now)


def find_record(store: Store, viewer: Viewer, *, record_type: str, name: str) -> Record:
    """The record of that type and name, case and diacritics ignored; or of that code.

    Raises NotFound, with the same sentence whether it is missing or hidden, and Invalid where
    several in use have that name.
    """
    folded = fold(" ".join(name.split()))
    found = records.by_name(store, viewer, record_type=record_type, folded_name=folded)
    found = found or records.known_as(store, viewer, "code", name.strip(), record_type=record_type)
    if not found:
        raise NotFound(f"There is no record {name!r} of type {record_type!r}.")
    if len([one for one in found if one.archived_at is None]) > 1:
        codes = ", ".join(one.code for one in found if one.code) or "give them codes first"
        raise Invalid("name", f"Several records are called {name!r}. Say its code: {codes}.")
    return found[0]


# -- checks


def visible(store: Store, viewer: Viewer, record_id: RecordId) -> Record:
    """Raises NotFound."""
    found = records.by_ids(store, viewer, [record_id]).get(record_id)
    if found is None:
        raise NotFound
    return found


def differences(was: Draft, new: Draft) -> dict[str, list[object]]:
    """The fields that differ, in any order of their values: what was, what is."""
    before, after = _shown(was), _shown(new)
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}


def save(store: Store, old: Record, draft: Draft, *, by: UserId | None, now: datetime) -> bool:
    """Save a checked draft over a record; False: it was so already."""
    changed = differences(draft_of(old), draft)
    if not changed:
        return False
    _require_access_exists(store, draft)
    records.change(
        store,
        old,
        name=draft.name,
        folded_name=fold(draft.name),
        code=draft.code,
        external_id=draft.external_id,
        notes=draft.notes,
        aliases=draft.aliases,
        addresses=draft.addresses,
        domains=draft.domains,
        roles=draft.roles,
        users=draft.users,
    )
    access = {name: changed.pop(name) for name in ("roles", "users") if name in changed}
    if changed:
        audit.note(store, "change record", by=by, now=now, record_id=old.id, changed=changed)
    if access:
        audit.note(
            store,
            "change record access",
            by=by,
            now=now,
            record_id=old.id,
            roles=sorted(draft.roles),
            users=sorted(draft.users),
            roles_before=sorted(old.roles),
            users_before=sorted(old.users),
        )
    return True


def _shown(draft: Draft) -> dict[str, object]:
    """What a draft says, in one order."""
    said = {one.name: getattr(draft, one.name) for one in fields(draft)}
    return {
        name: sorted(value) if isinstance(value, tuple) else value for name, value in said.items()
    }


def _may_be(record: Record, pushed: Pushed) -> bool:
    """Whether the record is not known to the other system by another id."""
    return not (record.external_id and pushed.external_id)


def _require_own_name(
    store: Store,
    viewer: Viewer | None,
    record_type: str,
    draft: Draft,
    *,
    besides: RecordId | None,
) -> None:
    """Raises SameName for a name that a record has which the viewer may see."""
    for other in records.known_as(store, viewer, "name", fold(draft.name), record_type=record_type):
        if other.id != besides:
            raise SameName(other)


def _require_access_exists(store: Store, draft: Draft) -> None:
    roles = {role.id for role in store_users.roles(store)}
    people = {user.id for user in store_users.every(store)} if draft.users else set()
    if not (set(draft.roles) <= roles and set(draft.users) <= people):
        raise Invalid("access", "One of the roles or people is not there any more. Choose again.")
