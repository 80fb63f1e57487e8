"""A record as somebody types it, and what is made of what he typed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.errors import Invalid
from app.model import (
    Record,
    RoleId,
    UserId,
    checked_address,
    checked_domain,
    one_line,
    version_of,
)
from app.search.analysis import fold

MOST_NAME_CHARACTERS: Final = 200
MOST_CODE_CHARACTERS: Final = 100
MOST_ID_CHARACTERS: Final = 200
MOST_NOTES_CHARACTERS: Final = 10_000
MOST_MARKS: Final = 200


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
    external_id: str = ""


def draft_of(record: Record) -> Draft:
    """The record as its form shows it."""
    return Draft(
        record.name,
        record.code,
        record.notes,
        record.aliases,
        record.addresses,
        record.domains,
        record.roles,
        record.users,
        record.external_id,
    )


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
        record.external_id,
    )


def checked(draft: Draft) -> Draft:
    """The draft as it is kept. Raises Invalid."""
    return replace(
        draft,
        roles=tuple(dict.fromkeys(draft.roles)),
        users=tuple(dict.fromkeys(draft.users)),
        **{field: check(draft) for field, check in _CHECKS.items()},
    )


def problems(draft: Draft) -> dict[str, str]:
    """What is wrong with each field, as far as the draft alone tells."""
    found: dict[str, str] = {}
    for field, check in _CHECKS.items():
        try:
            check(draft)
        except Invalid as exc:
            found[field] = exc.reason
    return found


def _checked_line(field: str, text: str, most: int) -> str:
    text = one_line(text)
    if len(text) > most:
        raise Invalid(field, f"It has at most {most} characters.")
    return text


def _checked_notes(notes: str) -> str:
    notes = "\n".join(one_line(line) for line in notes.strip().splitlines())
    if len(notes) > MOST_NOTES_CHARACTERS:
        raise Invalid("notes", f"Notes have at most {MOST_NOTES_CHARACTERS:,} characters.")
    return notes


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


_CHECKS: Final[dict[str, Callable[[Draft], Any]]] = {
    "name": lambda draft: _checked_name(draft.name),
    "code": lambda draft: _checked_line("code", draft.code, MOST_CODE_CHARACTERS),
    "aliases": lambda draft: _each(
        "aliases", draft.aliases, lambda text: _checked_name(text, field="aliases")
    ),
    "addresses": lambda draft: _each("addresses", draft.addresses, checked_address),
    "domains": lambda draft: _each("domains", draft.domains, checked_domain),
    "notes": lambda draft: _checked_notes(draft.notes),
    "external_id": lambda draft: _checked_line(
        "external_id", draft.external_id, MOST_ID_CHARACTERS
    ),
}
