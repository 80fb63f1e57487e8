"""The resource "filing of a message": the form that archives and attaches, and its undoing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import filing
from app.errors import Invalid, NotFound
from app.filing import Readership
from app.model import Message, Record, RecordType, Role, RoleId, Row, Suggestion, Viewer
from app.records import Draft, add_record
from app.search.analysis import fold
from app.store import Store, filings, messages, queue, records, users
from app.web import flash, render
from app.web.archives import ARCHIVES
from app.web.db import store_of
from app.web.forms import asked, field, fields
from app.web.session import HOME, local_path

_MOST_RECORDS: Final = 200
NEW: Final = "new"
"""What stands in Select Record for a record that the form itself makes."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form says so far, as typed; `candidate` is a suggested record, chosen instead.

    `draft` is the new record as typed; None while its fields are not open.
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
        return self.record == NEW and not self.candidate


@dataclass(frozen=True, slots=True)
class AttachPage:
    """The form: its choices, what is chosen and why, and who may read the message then.

    `standing` are the roles set at the first archiving; `roles` are offered before it only.
    `keepers` are the viewer's mailboxes whose members go on reading it whatever the roles (A5).
    `draft` is the new record where one is being made, `readers` is None while none is chosen.
    """

    row: Row
    types: list[RecordType]
    type: RecordType
    records: list[Record]
    record: str
    like: str
    suggestions: list[Suggestion]
    reasons: tuple[str, ...]
    roles: list[Role]
    chosen_roles: frozenset[str]
    standing: list[Role]
    keepers: tuple[str, ...]
    readers: Readership | None
    draft: Draft | None
    back: str
    errors: dict[str, str]

    @property
    def is_archived(self) -> bool:
        return self.row.message.archived_at is not None


@get("/attach", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    has_draft = "name" in request.query_params
    choice = Choice(
        type=asked(request, "type"),
        record=asked(request, "record"),
        candidate=asked(request, "candidate"),
        like=asked(request, "like"),
        roles=frozenset(map(str, request.query_params.getall("roles", []))),
        back=asked(request, "back"),
        draft=_draft(*(asked(request, name) for name in _DRAFTED)) if has_draft else None,
    )
    return _form(request, _attach_page(store, viewer, message, choice))


@post("/attach", sync_to_thread=True)
def create(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    choice = _sent_choice(request)
    if choice.is_new and choice.draft is None:
        return _form(request, _attach_page(store, viewer, message, choice))
    try:
        record, is_done = _file(store, viewer, message, choice)
    except Invalid as exc:
        message = messages.get(store, viewer, message_id)
        context = _attach_page(store, viewer, message, choice, errors={exc.field: exc.reason})
        return _form(request, context, status=422)
    done = flash.ATTACHED if message.archived_at else flash.ARCHIVED
    return render.back_to(
        _way_back(choice.back, record),
        done=done if is_done else flash.ALREADY,
        message=message.public_id,
        record=record.public_id,
    )


@post("/detach", sync_to_thread=True)
def detach(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Redirect:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    record = records.get(store, viewer, field(request, "record"))
    filing.unfile(store, viewer, message.id, record.id, now=datetime.now(UTC))
    back = field(request, "back")
    if back.startswith("/email/messages/") and not filings.is_archived(store, message.id):
        back = HOME
    if not _is_readable(store, viewer, message_id):
        back = ARCHIVES
    return render.back_to(
        back, done=flash.DETACHED, message=message.public_id, record=record.public_id
    )


def _file(store: Store, viewer: Viewer, message: Message, choice: Choice) -> tuple[Record, bool]:
    """The record it lies under now, and whether it did not before. Raises Invalid, NotFound."""
    now, roles = datetime.now(UTC), chosen_roles(choice.roles)
    draft = choice.draft
    if not choice.is_new or draft is None:
        record = _chosen_record(store, viewer, choice)
        is_done = filing.file_message(store, viewer, message.id, record.id, roles=roles, now=now)
        return record, is_done
    record_id = filing.file_under_new(
        store,
        viewer,
        message.id,
        lambda: add_record(store, record_type=choice.type, draft=draft, by=viewer.user_id, now=now),
        roles=roles,
        now=now,
    )
    return records.by_ids(store, viewer, [record_id])[record_id], True


def _form(request: HTMXRequest, context: AttachPage, *, status: int = 200) -> Template:
    return render.page(
        request,
        "attach/show.html",
        context=context,
        section="archives" if context.is_archived else "queue",
        fragment="attach/_form.html",
        status=status,
    )


def _attach_page(
    store: Store,
    viewer: Viewer,
    message: Message,
    choice: Choice,
    *,
    errors: dict[str, str] | None = None,
) -> AttachPage:
    row = queue.row(store, viewer, message.id)
    lies_under = {record.id for record in row.attached_to}
    found = filing.suggest(store, viewer, message.id)
    suggestions = [one for one in found if one.record.id not in lies_under]
    chosen, reasons = _prefilled(store, viewer, choice, suggestions)
    types = records.types(store)
    wanted = chosen.type if chosen else choice.type
    kind = next((one for one in types if one.key == wanted), types[0])
    is_new = choice.is_new and chosen is None
    readers = None
    if chosen or is_new:
        roles = known_roles(choice.roles)
        readers = filing.readers(store, viewer, message.id, chosen, roles)
    return AttachPage(
        row=row,
        types=types,
        type=kind,
        records=_offered(store, viewer, kind.key, choice.like, chosen),
        record=chosen.public_id if chosen else NEW if is_new else "",
        like=choice.like,
        suggestions=suggestions,
        reasons=reasons,
        roles=[] if message.archived_at else users.roles(store),
        chosen_roles=choice.roles,
        standing=filings.roles_of(store, message.id),
        keepers=filing.keepers(store, viewer, message.id),
        readers=readers,
        draft=_new_record(store, viewer, message, choice, kind) if is_new else None,
        back=choice.back,
        errors=errors or {},
    )


def _prefilled(
    store: Store, viewer: Viewer, choice: Choice, suggestions: list[Suggestion]
) -> tuple[Record | None, tuple[str, ...]]:
    """The record that the form shows as chosen, and why if it was not chosen by hand."""
    wanted = choice.candidate or choice.record
    for suggestion in suggestions:
        record = suggestion.record
        is_wanted = record.public_id == wanted and choice.type in ("", record.type)
        if is_wanted or record.public_id == choice.candidate:
            return record, suggestion.reasons
        if suggestion.is_preselected and not (wanted or choice.type):
            return record, suggestion.reasons
    try:
        found = records.get(store, viewer, wanted)
    except NotFound:
        return None, ()
    is_offered = found.archived_at is None and choice.type in ("", found.type)
    return (found, ()) if is_offered else (None, ())


def _offered(
    store: Store, viewer: Viewer, kind: str, like: str, chosen: Record | None
) -> list[Record]:
    """The records to choose from, the chosen one among them."""
    found = records.list_visible(
        store, viewer, record_type=kind, like=fold(like), limit=_MOST_RECORDS
    )
    if chosen and chosen.id not in {record.id for record in found}:
        return [chosen, *found]
    return found


# -- a new record

_DRAFTED: Final = ("name", "domains", "addresses")


def _draft(name: str, domain: str, address: str) -> Draft:
    return Draft(
        name,
        domains=(domain,) if domain else (),
        addresses=(address,) if address else (),
    )


def _new_record(
    store: Store, viewer: Viewer, message: Message, choice: Choice, kind: RecordType
) -> Draft:
    """The new record as typed, at first as the message's sender suggests it."""
    if choice.draft is not None:
        return choice.draft
    found = filing.newcomer(store, viewer, message.id)
    if kind.key == "companies":
        return _draft(found.company, found.domain, "" if found.domain else found.address)
    if kind.key == "contacts":
        return _draft(found.person, "", found.address)
    return Draft(choice.like)


# -- what was sent


def _sent_choice(request: HTMXRequest) -> Choice:
    has_draft = bool(fields(request, "name"))
    return Choice(
        type=field(request, "type"),
        record=field(request, "record"),
        candidate=field(request, "candidate"),
        like=field(request, "like"),
        roles=frozenset(fields(request, "roles")),
        back=field(request, "back"),
        draft=_draft(*(field(request, name) for name in _DRAFTED)) if has_draft else None,
    )


def _chosen_record(store: Store, viewer: Viewer, choice: Choice) -> Record:
    """The record to attach to. Raises Invalid if there is none, or none that the viewer sees."""
    try:
        return records.get(store, viewer, choice.candidate or choice.record)
    except NotFound as exc:
        raise Invalid("record", "Choose the record that this e-mail belongs to.") from exc


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


def _is_readable(store: Store, viewer: Viewer, message_id: str) -> bool:
    """Whether the viewer may still read it: the record may have been his only way to it."""
    try:
        messages.get(store, viewer, message_id)
    except NotFound:
        return False
    return True


def _way_back(back: str, record: Record) -> str:
    if back == "record":
        return f"/records/{record.type}/{record.public_id}/emails"
    return ARCHIVES if back == "archives" else local_path(back)


router = Router("/email/messages/{message_id:str}", route_handlers=[show, create, detach])
