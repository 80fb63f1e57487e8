"""The types of records: the four that are always there, and the team's own."""

import re
from datetime import datetime
from typing import Final

from app.errors import Conflict, Invalid, NotFound
from app.model import RecordType, UserId, one_line, version_of
from app.search.analysis import fold
from app.store import Store, audit, record_types, records, transaction
from app.store.database import new_public_id

MOST_TYPE_CHARACTERS: Final = 60
DEFAULT_TYPES: Final = ("companies", "contacts", "warehouse", "projects")
ICONS: Final = (
    "folder",
    "building",
    "people",
    "box",
    "crane",
    "truck",
    "wrench",
    "house",
    "document",
    "scales",
    "coin",
    "flag",
)
"""The icons that a type may have, by name."""

_NOT_IN_KEY: Final = re.compile(r"[^a-z0-9]+")
_PREFIX: Final = re.compile(r"[^\W\d_][^\W_]{0,9}")


def create_type(
    store: Store,
    *,
    singular: str,
    plural: str,
    icon: str = "",
    code_prefix: str = "",
    by: UserId,
    now: datetime,
) -> RecordType:
    """A type of records of one's own; its key, for addresses and commands, comes from the plural.

    Raises Invalid for an empty, too long or taken name. Effects: one transaction, audited.
    """
    typed = _checked(RecordType("", singular, plural, icon, code_prefix))
    key = _NOT_IN_KEY.sub("-", fold(typed.plural)).strip("-") or f"type-{new_public_id()[:6]}"
    made = RecordType(key, typed.singular, typed.plural, typed.icon, typed.code_prefix)
    with transaction(store):
        _require_free(store, made)
        record_types.add(store, made)
        audit.note(store, "create record type", by=by, now=now, type=key)
    return made


def change_type(
    store: Store, changed: RecordType, *, version: str, by: UserId, now: datetime
) -> None:
    """Call a type otherwise, or give it another icon or prefix; its key stays.

    Raises NotFound, Invalid as `create_type`, Conflict if somebody saved since `version`.
    Effects: one transaction, audited.
    """
    changed = _checked(changed)
    with transaction(store):
        old = find_type(store, changed.key)
        if type_version(old) != version:
            raise Conflict("Somebody else changed this record type in the meantime.")
        _require_free(store, changed)
        record_types.change(store, changed)
        audit.note(
            store,
            "change record type",
            by=by,
            now=now,
            type=old.key,
            was=_shown(old),
            now_is=_shown(changed),
        )


def archive_type(store: Store, key: str, *, by: UserId, now: datetime) -> None:
    """Put a type away that no record is of any more.

    Raises NotFound, Invalid for a type in use and for the four that are always there. Effects: one
    transaction, audited; may be repeated.
    """
    with transaction(store):
        kind = find_type(store, key)
        if key in DEFAULT_TYPES:
            raise Invalid("type", f"{kind.plural} always stay: the menus and the help name them.")
        count = record_types.count_records(store, key)
        if count:
            raise Invalid(
                "type",
                f"{kind.plural} cannot be put away: {count:,} of them are there, those put away"
                " among them. Merge them into others or remove them first.",
            )
        if not kind.is_archived:
            record_types.set_archived(store, key, at=now)
            audit.note(store, "archive record type", by=by, now=now, type=key)


def restore_type(store: Store, key: str, *, by: UserId, now: datetime) -> None:
    """Bring a type back. Raises NotFound. Effects: as `archive_type`."""
    with transaction(store):
        if find_type(store, key).is_archived:
            record_types.set_archived(store, key, at=None)
            audit.note(store, "restore record type", by=by, now=now, type=key)


def find_type(store: Store, key: str) -> RecordType:
    """The type, put away or not. Raises NotFound."""
    for kind in records.types(store, with_archived=True):
        if kind.key == key:
            return kind
    raise NotFound


def type_version(kind: RecordType) -> str:
    """Stands for what the form of a record type shows."""
    return version_of(_shown(kind))


def next_code(store: Store, kind: RecordType) -> str:
    """The first code after all of the type's prefix, e.g. PRJ-43; "" for a type without one."""
    if not kind.code_prefix:
        return ""
    return f"{kind.code_prefix}-{record_types.highest_number(store, kind) + 1}"


def _shown(kind: RecordType) -> list[str]:
    return [kind.singular, kind.plural, kind.icon, kind.code_prefix]


def _checked(kind: RecordType) -> RecordType:
    """The type as it is kept. Raises Invalid."""
    prefix = one_line(kind.code_prefix).strip("-").upper()
    if prefix and not _PREFIX.fullmatch(prefix):
        raise Invalid(
            "code_prefix",
            "A prefix is 1 to 10 letters and digits and begins with a letter, like PRJ.",
        )
    if kind.icon and kind.icon not in ICONS:
        raise Invalid("icon", "Choose one of the icons.")
    return RecordType(
        kind.key,
        _checked_name("singular", kind.singular),
        _checked_name("plural", kind.plural),
        kind.icon,
        prefix,
    )


def _checked_name(field: str, name: str) -> str:
    name = one_line(name)
    if not (fold(name) and len(name) <= MOST_TYPE_CHARACTERS):
        raise Invalid(field, f"Type a name of at most {MOST_TYPE_CHARACTERS} characters.")
    return name


def _require_free(store: Store, wanted: RecordType) -> None:
    for kind in records.types(store, with_archived=True):
        if kind.key == wanted.key:
            continue
        if fold(kind.plural) == fold(wanted.plural):
            away = " It was put away; bring it back." if kind.is_archived else ""
            raise Invalid("plural", f"There is a record type {kind.plural!r} already.{away}")
        if wanted.code_prefix and kind.code_prefix == wanted.code_prefix:
            raise Invalid("code_prefix", f"{kind.plural} have this prefix already.")
