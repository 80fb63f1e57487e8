"""The verbs of records: create, change, put away, with who may see them; and their types."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.errors import Conflict, Invalid, NotFound
from app.model import (
    Record,
    RecordId,
    RecordType,
    RoleId,
    UserId,
    Viewer,
    checked_address,
    checked_domain,
    one_line,
    version_of,
)
from app.search.analysis import fold
from app.store import Store, audit, records, transaction
from app.store import users as store_users
from app.store.database import new_public_id

MOST_NAME_CHARACTERS: Final = 200
MOST_CODE_CHARACTERS: Final = 100
MOST_NOTES_CHARACTERS: Final = 10_000
MOST_MARKS: Final = 200
MOST_TYPE_CHARACTERS: Final = 60
_NOT_IN_KEY: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as somebody types it; without roles and users it is open to everybody."""

    name: str = ""
    code: str = ""
    notes: str = ""
    aliases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    roles: tuple[RoleId, ...] = ()
    users: tuple[UserId, ...] = ()


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
    notes: str = "",
    by: UserId | None,
    now: datetime,
) -> RecordId:
    """Make a record; without roles and users everybody in the team may see it.

    Raises Invalid for an unknown type, an empty or doubled name, or a malformed domain or
    address. Effects: one transaction, audited; it is found at once.
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
    )
    with transaction(store):
        return add_record(store, record_type=record_type, draft=draft, by=by, now=now)


def add_record(
    store: Store, *, record_type: str, draft: Draft, by: UserId | None, now: datetime
) -> RecordId:
    """As `create_record`, inside the caller's transaction: a record made while filing under it."""
    draft = _checked(draft)
    _require_access_exists(store, draft)
    record_id = records.add(
        store,
        record_type=record_type,
        name=draft.name,
        folded_name=fold(draft.name),
        code=draft.code,
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


def record_version(record: Record) -> str:
    """Stands for what the form of a record shows."""
    return version_of(
        record.name,
        record.code,
        record.notes,
        sorted(record.aliases),
        sorted(record.addresses),
        sorted(record.domains),
        sorted(record.roles),
        sorted(record.users),
    )


def would_see(viewer: Viewer, draft: Draft) -> bool:
    """Whether the viewer may see the record once it is saved so."""
    is_open = not draft.roles and not draft.users
    return is_open or viewer.user_id in draft.users or not viewer.roles.isdisjoint(draft.roles)


def change_record(
    store: Store, viewer: Viewer, record_id: RecordId, draft: Draft, *, version: str, now: datetime
) -> None:
    """Save a record anew; the rights count from the next request.

    Raises NotFound if the viewer may not see it, Conflict if somebody saved since `version`,
    Invalid as `create_record`. Effects: one transaction, audited; with other rights its messages
    are queued for the index.
    """
    draft = _checked(draft)
    with transaction(store):
        old = _visible(store, viewer, record_id)
        if record_version(old) != version:
            raise Conflict("Somebody else saved this record in the meantime.")
        _require_access_exists(store, draft)
        records.change(
            store,
            old,
            name=draft.name,
            folded_name=fold(draft.name),
            code=draft.code,
            notes=draft.notes,
            aliases=draft.aliases,
            addresses=draft.addresses,
            domains=draft.domains,
            roles=draft.roles,
            users=draft.users,
        )
        audit.note(store, "change record", by=viewer.user_id, now=now, record_id=record_id)
        if set(old.roles) != set(draft.roles) or set(old.users) != set(draft.users):
            audit.note(
                store,
                "change record access",
                by=viewer.user_id,
                now=now,
                record_id=record_id,
                roles=list(draft.roles),
                users=list(draft.users),
                roles_before=list(old.roles),
                users_before=list(old.users),
            )


def archive_record(store: Store, viewer: Viewer, record_id: RecordId, *, now: datetime) -> None:
    """Put a record away: its mail stays findable, and it is not suggested any more.

    Raises NotFound. Effects: one transaction, audited; may be repeated.
    """
    with transaction(store):
        if _visible(store, viewer, record_id).archived_at is None:
            records.set_archived(store, record_id, at=now)
            audit.note(store, "archive record", by=viewer.user_id, now=now, record_id=record_id)


def restore_record(store: Store, viewer: Viewer, record_id: RecordId, *, now: datetime) -> None:
    """Bring a record back that was put away. Raises NotFound. Effects: as `archive_record`."""
    with transaction(store):
        if _visible(store, viewer, record_id).archived_at is not None:
            records.set_archived(store, record_id, at=None)
            audit.note(store, "restore record", by=viewer.user_id, now=now, record_id=record_id)


def find_record(store: Store, viewer: Viewer, *, record_type: str, name: str) -> Record:
    """The record of that type and name, case and diacritics ignored.

    Raises NotFound, with the same sentence whether it is missing or hidden.
    """
    try:
        return records.by_name(
            store, viewer, record_type=record_type, folded_name=fold(" ".join(name.split()))
        )
    except NotFound as exc:
        raise NotFound(f"There is no record {name!r} of type {record_type!r}.") from exc


def search_records(
    store: Store, viewer: Viewer, *, record_type: str, text: str = "", limit: int = 50
) -> list[Record]:
    """Records of a type whose name holds the text, case and diacritics ignored, by name."""
    return records.list_visible(
        store, viewer, record_type=record_type, like=fold(text.strip()), limit=limit
    )


# -- record types


def create_type(
    store: Store, *, singular: str, plural: str, by: UserId, now: datetime
) -> RecordType:
    """A type of records of one's own; its key, for addresses and commands, comes from the plural.

    Raises Invalid for an empty, too long or taken name. Effects: one transaction, audited.
    """
    singular, plural = (
        _checked_type_name("singular", singular),
        _checked_type_name("plural", plural),
    )
    key = _NOT_IN_KEY.sub("-", fold(plural)).strip("-") or f"type-{new_public_id()[:6]}"
    made = RecordType(key, singular, plural)
    with transaction(store):
        _require_type_free(store, made)
        records.add_type(store, made)
        audit.note(store, "create record type", by=by, now=now, type=key)
    return made


def rename_type(
    store: Store, changed: RecordType, *, version: str, by: UserId, now: datetime
) -> None:
    """Call a type otherwise; its key stays.

    Raises NotFound, Invalid as `create_type`, Conflict if somebody saved since `version`.
    Effects: one transaction, audited.
    """
    singular = _checked_type_name("singular", changed.singular)
    plural = _checked_type_name("plural", changed.plural)
    with transaction(store):
        old = find_type(store, changed.key)
        if type_version(old) != version:
            raise Conflict("Somebody else renamed this record type in the meantime.")
        renamed = RecordType(old.key, singular, plural)
        _require_type_free(store, renamed)
        records.rename_type(store, renamed)
        audit.note(store, "rename record type", by=by, now=now, type=old.key, plural=plural)


def find_type(store: Store, key: str) -> RecordType:
    """Raises NotFound."""
    for kind in records.types(store):
        if kind.key == key:
            return kind
    raise NotFound


def type_version(kind: RecordType) -> str:
    """Stands for what the form of a record type shows."""
    return version_of(kind.singular, kind.plural)


# -- checks


def _visible(store: Store, viewer: Viewer, record_id: RecordId) -> Record:
    found = records.by_ids(store, viewer, [record_id]).get(record_id)
    if found is None:
        raise NotFound
    return found


def _checked(draft: Draft) -> Draft:
    """The draft as it is kept. Raises Invalid."""
    notes = "\n".join(one_line(line) for line in draft.notes.strip().splitlines())
    if len(notes) > MOST_NOTES_CHARACTERS:
        raise Invalid("notes", f"Notes have at most {MOST_NOTES_CHARACTERS:,} characters.")
    code = one_line(draft.code)
    if len(code) > MOST_CODE_CHARACTERS:
        raise Invalid("code", f"A code has at most {MOST_CODE_CHARACTERS} characters.")
    return Draft(
        _checked_name(draft.name),
        code,
        notes,
        _each("aliases", draft.aliases, lambda text: _checked_name(text, field="aliases")),
        _each("addresses", draft.addresses, checked_address),
        _each("domains", draft.domains, checked_domain),
        tuple(dict.fromkeys(draft.roles)),
        tuple(dict.fromkeys(draft.users)),
    )


def _each(field: str, typed: Sequence[str], check: Callable[[str], str]) -> tuple[str, ...]:
    if len(typed) > MOST_MARKS:
        raise Invalid(field, f"At most {MOST_MARKS} lines.")
    return tuple(dict.fromkeys(check(one) for one in typed))


def _checked_name(name: str, *, field: str = "name") -> str:
    name = one_line(name)
    if not fold(name):
        raise Invalid(field, "Give the record a name.")
    if len(name) > MOST_NAME_CHARACTERS:
        raise Invalid(field, f"A name has at most {MOST_NAME_CHARACTERS} characters.")
    return name


def _require_access_exists(store: Store, draft: Draft) -> None:
    roles = {role.id for role in store_users.roles(store)}
    people = {user.id for user in store_users.every(store)} if draft.users else set()
    if not (set(draft.roles) <= roles and set(draft.users) <= people):
        raise Invalid("access", "One of the roles or people is not there any more. Choose again.")


def _checked_type_name(field: str, name: str) -> str:
    name = one_line(name)
    if not 0 < len(name) <= MOST_TYPE_CHARACTERS:
        raise Invalid(field, f"Type a name of at most {MOST_TYPE_CHARACTERS} characters.")
    return name


def _require_type_free(store: Store, wanted: RecordType) -> None:
    for kind in records.types(store):
        if kind.key != wanted.key and fold(kind.plural) == fold(wanted.plural):
            raise Invalid("plural", f"There is a record type {kind.plural!r} already.")
