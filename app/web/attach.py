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
from app.model import Message, Record, RecordType, Role, RoleId, Row, Suggestion, Viewer
from app.search.analysis import fold
from app.store import Store, accounts, filings, messages, queue, records, users
from app.web import flash, render
from app.web.archives import ARCHIVES
from app.web.db import store_of
from app.web.forms import asked, field, fields
from app.web.session import HOME

_MOST_RECORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form says so far, as typed; `candidate` is a suggested record, chosen instead."""

    type: str = ""
    record: str = ""
    candidate: str = ""
    like: str = ""
    roles: frozenset[str] = frozenset()
    back: str = ""


@dataclass(frozen=True, slots=True)
class AttachPage:
    """The form: its choices, what is chosen and why, and who may read the message now.

    `standing` are the roles set at the first archiving; `roles` are offered before it only.
    `keepers` are the viewer's mailboxes whose members go on reading it whatever the roles (A5).
    """

    row: Row
    types: list[RecordType]
    type: str
    records: list[Record]
    record: str
    like: str
    suggestions: list[Suggestion]
    reasons: tuple[str, ...]
    roles: list[Role]
    chosen_roles: frozenset[str]
    standing: list[Role]
    keepers: tuple[str, ...]
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
    choice = Choice(
        type=asked(request, "type"),
        record=asked(request, "record"),
        candidate=asked(request, "candidate"),
        like=asked(request, "like"),
        roles=frozenset(map(str, request.query_params.getall("roles", []))),
        back=asked(request, "back"),
    )
    return _form(request, _attach_page(store, viewer, message, choice))


@post("/attach", sync_to_thread=True)
def create(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    choice = _sent_choice(request)
    try:
        record = _chosen_record(store, viewer, choice)
        roles = _chosen_roles(choice.roles)
        is_new = filing.file_message(
            store, viewer, message.id, record.id, roles=roles, now=datetime.now(UTC)
        )
    except Invalid as exc:
        message = messages.get(store, viewer, message_id)
        context = _attach_page(store, viewer, message, choice, errors={exc.field: exc.reason})
        return _form(request, context, status=422)
    done = flash.ATTACHED if message.archived_at else flash.ARCHIVED
    return render.to(
        _way_back(choice.back, record, message),
        done=done if is_new else flash.ALREADY,
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
    return render.back_to(
        field(request, "back"),
        done=flash.DETACHED,
        message=message.public_id,
        record=record.public_id,
    )


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
    suggestions = filing.suggest(store, viewer, message.id)
    chosen, reasons = _prefilled(store, viewer, choice, suggestions)
    types = records.types(store)
    kind = chosen.type if chosen else choice.type
    kind = kind if kind in {one.key for one in types} else types[0].key
    row = queue.row(store, viewer, message.id)
    return AttachPage(
        row=row,
        types=types,
        type=kind,
        records=_offered(store, viewer, kind, choice.like, chosen),
        record=chosen.public_id if chosen else "",
        like=choice.like,
        suggestions=suggestions,
        reasons=reasons,
        roles=[] if message.archived_at else users.roles(store),
        chosen_roles=choice.roles,
        standing=filings.roles_of(store, message.id),
        keepers=tuple(
            one.address
            for one in accounts.of_viewer(store, viewer)
            if one.address in row.accounts and not one.is_strict
        ),
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
    return (found, ()) if choice.type in ("", found.type) else (None, ())


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


def _sent_choice(request: HTMXRequest) -> Choice:
    return Choice(
        type=field(request, "type"),
        record=field(request, "record"),
        candidate=field(request, "candidate"),
        like=field(request, "like"),
        roles=frozenset(fields(request, "roles")),
        back=field(request, "back"),
    )


def _chosen_record(store: Store, viewer: Viewer, choice: Choice) -> Record:
    """The record to attach to. Raises Invalid if there is none, or none that the viewer sees."""
    try:
        return records.get(store, viewer, choice.candidate or choice.record)
    except NotFound as exc:
        raise Invalid("record", "Choose the record that this e-mail belongs to.") from exc


def _chosen_roles(values: frozenset[str]) -> list[RoleId]:
    if not all(value.isascii() and value.isdecimal() and len(value) < 10 for value in values):
        raise Invalid("roles", "One of the roles is not there any more. Choose again.")
    return [RoleId(int(value)) for value in sorted(values)]


def _way_back(back: str, record: Record, message: Message) -> str:
    if back == "record":
        return f"/records/{record.type}/{record.public_id}/emails"
    return ARCHIVES if back == "archives" else HOME


router = Router("/email/messages/{message_id:str}", route_handlers=[show, create, detach])
