"""Records from a table: what it would change, and doing so.

The plan only reads. Carrying it out writes in pieces, each one transaction; done again, whole or
after a stop, it changes nothing twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from app.errors import Invalid
from app.model import Record, RecordId, RecordType, RoleId, UserId, Viewer
from app.records.draft import Draft, checked, draft_of
from app.records.table import Row, Table, open_table, rows, several, write_table
from app.records.verbs import (
    Outcome,
    Pushed,
    differences,
    draft_of_pushed,
    is_former,
    lower,
    meant,
    push_record,
)
from app.search.analysis import fold
from app.store import Store, audit, record_ends, records, transaction, users
from app.store.records import Mark

K = TypeVar("K")
Id = TypeVar("Id", RoleId, UserId)

PIECE_ROWS: Final = 500
MOST_SHOWN: Final = 50
_COMMAS: Final = frozenset(("domains", "addresses"))


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is left out, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What a row does: the record `name` is new, or its `fields` change."""

    row: int
    type: str
    name: str
    outcome: Outcome
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Plan:
    """What a table would do. `new`, `changed` and `unchanged` count rows.

    `shown` are the first of those that do something, `widened` counts records that more people
    would see, `good` is what is carried out.
    """

    table: Table
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    widened: int = 0
    refused: list[Refused] = field(default_factory=list)
    shown: list[Planned] = field(default_factory=list)
    good: list[tuple[int, str, Pushed]] = field(default_factory=list, repr=False)


def plan_import(store: Store, viewer: Viewer | None, path: Path) -> Plan:
    """What the table in a file would do, for this viewer; None is the operator.

    Raises Invalid for a file that is no table of records.
    """
    plan, known = Plan(open_table(path)), _Known(store, viewer)
    for row in rows(plan.table):
        if isinstance(row, Invalid):
            plan.refused.append(Refused(int(row.field), row.reason))
            continue
        try:
            _plan_row(plan, known, row)
        except Invalid as exc:
            plan.refused.append(Refused(row.number, exc.reason))
    return plan


def import_records(
    store: Store,
    viewer: Viewer | None,
    plan: Plan,
    *,
    name: str,
    now: datetime,
    tell: Callable[[int], None] = lambda done: None,
) -> list[Refused]:
    """Carry out the good rows of a plan; gives those that were refused after all.

    `name` is what people call the file; `tell` is given the rows done so far.

    Effects: a transaction for each 500 rows, audited; may be repeated.
    """
    late: list[Refused] = []
    for start in range(0, len(plan.good), PIECE_ROWS):
        piece = plan.good[start : start + PIECE_ROWS]
        with transaction(store):
            for number, record_type, pushed in piece:
                try:
                    push_record(store, viewer, record_type=record_type, pushed=pushed, now=now)
                except Invalid as exc:
                    late.append(Refused(number, exc.reason))
        tell(start + len(piece))
    with transaction(store):
        audit.note(
            store,
            "import records",
            by=None if viewer is None else viewer.user_id,
            now=now,
            file=name,
            new=plan.new,
            changed=plan.changed,
            refused=len(plan.refused) + len(late),
        )
    return late


def export_records(store: Store, viewer: Viewer, *, record_type: str, now: datetime) -> str:
    """The records of a type that the viewer may see as a table that `plan_import` reads.

    Effects: audited.
    """
    found = records.select(
        store, viewer, "t.key = :type order by r.folded_name, r.id", {"type": record_type}
    )
    text = "".join(
        write_table(
            found,
            roles={role.id: role.name for role in users.roles(store)},
            users={user.id: user.email for user in users.every(store)},
        )
    )
    with transaction(store):
        audit.note(
            store,
            "export records",
            by=viewer.user_id,
            now=now,
            type=record_type,
            count=len(found),
        )
    return text


class _Known:
    """The records there are, and what the table said of them so far."""

    def __init__(self, store: Store, viewer: Viewer | None) -> None:
        self.types = _types_by_name(records.types(store))
        self.roles = {fold(role.name): role.id for role in users.roles(store)}
        self.people = {user.email.casefold(): user.id for user in users.every(store)}
        self.records: dict[tuple[str, Mark, str], list[Record]] = {}
        self.taken = records.taken(store)
        self.rows: dict[RecordId, int] = {}
        self.claims: dict[tuple[str, Mark, str], int] = {}
        for record in records.select(store, viewer, "1 order by r.id", {}):
            for what, value in _marks_of(record.external_id, record.code, record.name):
                self.records.setdefault((record.type, what, value), []).append(record)
        visible = {record.id: record for found in self.records.values() for record in found}
        for record_type, external_id, record_id in record_ends.former_ids(store):
            if record_id in visible:
                self.records[record_type, "external id", external_id] = [visible[record_id]]

    def find(self, record_type: str, pushed: Pushed) -> Record | None:
        """The record that is meant. Raises Invalid for a name that several have."""

        return meant(pushed, lambda what, value: self.records.get((record_type, what, value), []))

    def claim(self, row: int, record_type: str, old: Record | None, draft: Draft) -> None:
        """Raises Invalid where an earlier row, or another record, has what this row claims."""
        if old is not None:
            _claim(self.rows, old.id, row, "It speaks of the same record as row {}.")
        for what, value in _marks_of(draft.external_id, draft.code, draft.name):
            if what == "name" and (old or draft.external_id or draft.code):
                continue
            key = (record_type, what, value)
            _claim(self.claims, key, row, f"Its {what} stands in row {{}} already.")
            if key in self.taken and (old is None or self.taken[key] != old.id):
                raise Invalid(
                    "row",
                    f"Its {what} is taken by another record of this type, though perhaps not one"
                    " for you to see.",
                )


def _claim(claims: dict[K, int], key: K, row: int, sentence: str) -> None:
    """Raises Invalid with the row that was first."""
    earlier = claims.setdefault(key, row)
    if earlier != row:
        raise Invalid("row", sentence.format(earlier))


def _marks_of(external_id: str = "", code: str = "", name: str = "") -> list[tuple[Mark, str]]:
    """By what a record is told from others, as `meant` and `taken` ask for it."""
    marks: tuple[tuple[Mark, str], ...] = (
        ("external id", external_id),
        ("code", lower(code)),
        ("name", fold(name)),
    )
    return [(what, value) for what, value in marks if value]


def _types_by_name(types: Sequence[RecordType]) -> dict[str, RecordType]:
    """Each type by its key, and by its name of one and of many."""
    named = {fold(name): kind for kind in types for name in (kind.singular, kind.plural)}
    return named | {kind.key: kind for kind in types}


def _plan_row(plan: Plan, known: _Known, row: Row) -> None:
    """Count a row and keep it. Raises Invalid."""
    said = row.cells.get("type", "")
    kind = known.types.get(fold(said))
    if kind is None:
        there = ", ".join(dict.fromkeys(one.key for one in known.types.values()))
        raise Invalid("type", f"There is no record type {said!r}. There are: {there}.")
    pushed = _pushed(known, row)
    old = known.find(kind.key, pushed)
    if old is not None and is_former(old, pushed, record_type=kind.key):
        plan.unchanged += 1
        return
    draft = checked(draft_of_pushed(old, pushed))
    known.claim(row.number, kind.key, old, draft)
    changed = tuple(differences(draft_of(old), draft)) if old else ()
    outcome: Outcome = "new" if old is None else "changed" if changed else "unchanged"
    plan.new += outcome == "new"
    plan.changed += outcome == "changed"
    plan.unchanged += outcome == "unchanged"
    plan.widened += bool(old and _widens(old, draft))
    if outcome != "unchanged":
        plan.good.append((row.number, kind.key, pushed))
        if len(plan.shown) < MOST_SHOWN:
            plan.shown.append(Planned(row.number, kind.key, draft.name, outcome, changed))


def _pushed(known: _Known, row: Row) -> Pushed:
    """What a row says. Raises Invalid for a role or person that is not there."""

    def values(column: str) -> tuple[str, ...] | None:
        cell = row.cells.get(column)
        return None if cell is None else several(cell, at_commas=column in _COMMAS)

    return Pushed(
        name=row.cells.get("name", ""),
        external_id=row.cells.get("external_id", ""),
        code=row.cells.get("code"),
        notes=row.cells.get("notes"),
        aliases=values("aliases"),
        addresses=values("addresses"),
        domains=values("domains"),
        roles=_ids(values("roles"), lambda name: known.roles.get(fold(name)), "role"),
        users=_ids(values("users"), lambda mail: known.people.get(mail.casefold()), "person"),
    )


def _ids(
    values: Sequence[str] | None, find: Callable[[str], Id | None], what: str
) -> tuple[Id, ...] | None:
    """Those who are named; None: the table has no such column. Raises Invalid."""
    if values is None:
        return None
    found = [(value, find(value)) for value in values]
    for value, one in found:
        if one is None:
            raise Invalid("access", f"There is no {what} {value!r}.")
    return tuple(one for _, one in found if one is not None)


def _widens(old: Record, draft: Draft) -> bool:
    """Whether people would see the record who may not yet, by a role or by name."""
    is_open = not (draft.roles or draft.users)
    is_within = set(draft.roles) <= set(old.roles) and set(draft.users) <= set(old.users)
    return not old.is_open and (is_open or not is_within)
