"""The form that puts messages under a record: what it says so far, and what it offers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from litestar.plugins.htmx import HTMXRequest

from app.errors import Invalid, NotFound
from app.filing import Outcome, Readership
from app.model import Message, Record, RecordType, Role, RoleId, Suggestion, Viewer
from app.records import Draft
from app.search.analysis import fold
from app.search.lookup import exactly, look_up
from app.search.newcomer import Newcomer
from app.store import Store, records, users
from app.web.archives import ARCHIVES
from app.web.forms import asked, fields
from app.web.forms import field as sent
from app.web.session import local_path

NEW: Final = "new"
"""What stands in Select Record for a record that the form itself makes."""

_DRAFTED: Final = ("name", "domains", "addresses")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form says so far, as typed; `candidate` is a record of its list, chosen instead.

    `record` is what was chosen before and `like` what stands in the text field: where they differ,
    somebody typed on and has chosen nothing yet. `draft` is the new record as typed; None while
    its fields are not open.
    """

    type: str = ""
    record: str = ""
    candidate: str = ""
    like: str = ""
    roles: frozenset[str] = frozenset()
    back: str = ""
    draft: Draft | None = None

    @property
    def is_new(self) -> bool:
        return NEW in (self.candidate, "" if self.candidate else self.record)


@dataclass(frozen=True, slots=True)
class Planned:
    """One of several messages, and what will happen to it or did; `message` is None if missing."""

    public_id: str
    message: Message | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class FilingForm:
    """What the form shows. `record` is what is chosen, `reasons` why if not by hand.

    `others` may fit too, `found` is what the text found, for who has no script. `has_roles`: a
    message is archived by it for the first time, so that roles are offered; `standing` are those
    set before. `keepers` are the viewer's mailboxes whose members go on reading it whatever the
    roles, `stricts` those whose members read it as the archive allows only (A5). `draft` is the
    new record where one is being made, `readers` is None while none is chosen. `planned` is what
    will happen where the messages are several, `cancel` is where one goes instead.
    """

    action: str
    cancel: str
    types: list[RecordType]
    type: RecordType
    record: Record | None
    text: str
    suggestions: Sequence[Suggestion]
    reasons: tuple[str, ...]
    found: list[Record]
    has_roles: bool
    roles: list[Role]
    chosen_roles: frozenset[str]
    standing: Sequence[Role]
    keepers: tuple[str, ...]
    stricts: tuple[str, ...]
    readers: Readership | None
    draft: Draft | None
    back: str
    errors: dict[str, str] = field(default_factory=dict)
    planned: tuple[Planned, ...] = ()

    @property
    def messages(self) -> list[str]:
        """The public ids of several messages."""
        return [one.public_id for one in self.planned]

    @property
    def standing_messages(self) -> list[str]:
        """Those that were archived before the roles are chosen."""
        return [one.public_id for one in self.planned if one.outcome in ("attached", "already")]

    @property
    def others(self) -> list[Suggestion]:
        chosen = self.record.id if self.record else None
        return [one for one in self.suggestions if one.record.id != chosen]

    @property
    def rest(self) -> list[Record]:
        """What the text found and is not among `others`."""
        known = {one.record.id for one in self.others}
        return [one for one in self.found if one.id not in known]


def choice_asked(request: HTMXRequest) -> Choice:
    """What the address says."""
    has_draft = "name" in request.query_params
    return Choice(
        type=asked(request, "type"),
        record=asked(request, "record"),
        candidate=asked(request, "candidate"),
        like=asked(request, "like"),
        roles=frozenset(map(str, request.query_params.getall("roles", []))),
        back=asked(request, "back", most=2000),
        draft=_draft(*(asked(request, name) for name in _DRAFTED)) if has_draft else None,
    )


def choice_sent(request: HTMXRequest) -> Choice:
    """What the form that was sent says."""
    has_draft = bool(fields(request, "name"))
    return Choice(
        type=sent(request, "type"),
        record=sent(request, "record"),
        candidate=sent(request, "candidate"),
        like=sent(request, "like"),
        roles=frozenset(fields(request, "roles")),
        back=sent(request, "back"),
        draft=_draft(*(sent(request, name) for name in _DRAFTED)) if has_draft else None,
    )


@dataclass(frozen=True, slots=True)
class Selected:
    """What the form shows of Record Type and Select Record. `is_new`: the form makes the record."""

    types: list[RecordType]
    type: RecordType
    record: Record | None
    reasons: tuple[str, ...]
    text: str
    found: list[Record]
    is_new: bool


def select(
    store: Store, viewer: Viewer, choice: Choice, suggestions: Sequence[Suggestion]
) -> Selected:
    """What is chosen so far, else what was suggested for certain, else what to choose from."""
    record = None if choice.is_new else chosen_record(store, viewer, choice)
    if record and record.archived_at is not None:
        record = None
    if not (record or choice.is_new or choice.type or choice.record or choice.candidate):
        record = next((one.record for one in suggestions if one.is_preselected), None)
    chosen = record.id if record else None
    reasons = next((one.reasons for one in suggestions if one.record.id == chosen), ())
    types = records.types(store)
    wanted = record.type if record else choice.type
    kind = next((one for one in types if one.key == wanted), types[0])
    text = record.name if record else _typed(store, viewer, choice)
    found: list[Record] = []
    if record is None and choice.type and not choice.is_new:
        first = [one.record.public_id for one in suggestions]
        found = look_up(store, viewer, text, record_type=kind.key, first=first)
    return Selected(types, kind, record, reasons, text, found, choice.is_new)


def chosen_record(store: Store, viewer: Viewer, choice: Choice) -> Record | None:
    """The record that was chosen, or whose whole name was typed; None if none that he may see."""
    if choice.candidate:
        return _found(store, viewer, choice.candidate)
    record = _found(store, viewer, choice.record)
    if record and choice.type in ("", record.type) and _is_named(record, choice.like):
        return record
    return exactly(store, viewer, choice.like, record_type=choice.type) if choice.like else None


def require_record(store: Store, viewer: Viewer, choice: Choice) -> Record:
    """The record to attach to. Raises Invalid if there is none, or none that the viewer sees."""
    record = chosen_record(store, viewer, choice)
    if record is None:
        raise Invalid("record", "Choose the record that this e-mail belongs to.")
    return record


def new_record(choice: Choice, selected: Selected, newcomer: Newcomer) -> Draft:
    """The new record as typed, at first as the message's other side suggests it."""
    kind = selected.type
    if choice.draft is not None:
        return choice.draft
    if selected.text or kind.key not in ("companies", "contacts"):
        return Draft(selected.text)
    if kind.key == "companies":
        address = "" if newcomer.domain else newcomer.address
        return _draft(newcomer.company, newcomer.domain, address)
    return _draft(newcomer.person, "", newcomer.address)


def offered_roles(store: Store, *, has_roles: bool) -> list[Role]:
    return users.roles(store) if has_roles else []


def chosen_roles(values: frozenset[str]) -> list[RoleId]:
    """The roles of a form. Raises Invalid for what can be none."""
    found = known_roles(values)
    if len(found) < len(values):
        raise Invalid("roles", "One of the roles is not there any more. Choose again.")
    return found


def known_roles(values: frozenset[str]) -> list[RoleId]:
    """Those of the values that may be roles, as such."""
    return sorted(
        RoleId(int(value))
        for value in values
        if value.isascii() and value.isdecimal() and len(value) < 10
    )


def way_back(back: str, record: Record) -> str:
    if back == "record":
        return f"/records/{record.type}/{record.public_id}/emails"
    return ARCHIVES if back == "archives" else local_path(back)


def _draft(name: str, domain: str, address: str) -> Draft:
    return Draft(
        name,
        domains=(domain,) if domain else (),
        addresses=(address,) if address else (),
    )


def _found(store: Store, viewer: Viewer, public_id: str) -> Record | None:
    try:
        return records.get(store, viewer, public_id) if public_id else None
    except NotFound:
        return None


def _is_named(record: Record, text: str) -> bool:
    return not text or fold(text) == fold(record.name)


def _typed(store: Store, viewer: Viewer, choice: Choice) -> str:
    """The text, if it is not just the name of what was chosen before."""
    before = _found(store, viewer, choice.record)
    return "" if before and _is_named(before, choice.like) else choice.like
