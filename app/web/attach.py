"""The resource "filing of a message": the form that archives and attaches, and its undoing."""

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import filing
from app.errors import Invalid, NotFound
from app.model import Message, Record, Row, Viewer
from app.records import add_record
from app.store import Store, filings, messages, queue, records
from app.web import flash, render
from app.web.archives import ARCHIVES
from app.web.db import store_of
from app.web.filing_form import (
    Choice,
    FilingForm,
    choice_asked,
    choice_sent,
    chosen_roles,
    known_roles,
    new_record,
    offered_roles,
    require_record,
    select,
    way_back,
)
from app.web.forms import field
from app.web.session import HOME


@dataclass(frozen=True, slots=True)
class AttachPage:
    """A message, and the form that archives or attaches it."""

    row: Row
    form: FilingForm

    @property
    def is_archived(self) -> bool:
        return self.row.message.archived_at is not None


@get("/attach", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    choice = choice_asked(request)
    return _form(request, _attach_page(store, viewer, message, choice))


@post("/attach", sync_to_thread=True)
def create(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    choice = choice_sent(request)
    if choice.is_new and choice.draft is None:
        return _form(request, _attach_page(store, viewer, message, choice))
    try:
        is_standing = bool(field(request, "standing"))
        record, is_done = _file(store, viewer, message, choice, is_standing=is_standing)
    except Invalid as exc:
        message = messages.get(store, viewer, message_id)
        context = _attach_page(store, viewer, message, choice, errors={exc.field: exc.reason})
        return _form(request, context, status=422)
    done = flash.ATTACHED if message.archived_at else flash.ARCHIVED
    return render.back_to(
        way_back(choice.back, record),
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


def _file(
    store: Store, viewer: Viewer, message: Message, choice: Choice, *, is_standing: bool
) -> tuple[Record, bool]:
    """The record it lies under now, and whether it did not before. Raises Invalid, NotFound.

    `is_standing`: the form offered no roles, but showed those that the message has.
    """
    now, chosen = datetime.now(UTC), chosen_roles(choice.roles)
    roles = None if is_standing and not chosen else chosen
    draft = choice.draft
    if not choice.is_new or draft is None:
        record = require_record(store, viewer, choice)
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
    selected = select(store, viewer, choice, suggestions)
    draft, readers = None, None
    if selected.is_new:
        newcomer = filing.newcomer(store, viewer, message.id)
        draft = new_record(choice, selected, newcomer)
    if selected.record or selected.is_new:
        roles = known_roles(choice.roles)
        readers = filing.readers(store, viewer, message.id, selected.record, roles)
    has_roles = message.archived_at is None
    form = FilingForm(
        action=f"/email/messages/{message.public_id}/attach",
        cancel=f"/email/messages/{message.public_id}",
        types=selected.types,
        type=selected.type,
        record=selected.record,
        text=selected.text,
        suggestions=suggestions,
        reasons=selected.reasons,
        found=selected.found,
        has_roles=has_roles,
        roles=offered_roles(store, has_roles=has_roles),
        chosen_roles=choice.roles,
        standing=filings.roles_of(store, message.id),
        keepers=filing.keepers(store, viewer, message.id),
        stricts=filing.keepers(store, viewer, message.id, is_strict=True),
        readers=readers,
        draft=draft,
        back=choice.back,
        errors=errors or {},
    )
    return AttachPage(row, form)


def _is_readable(store: Store, viewer: Viewer, message_id: str) -> bool:
    """Whether the viewer may still read it: the record may have been his only way to it."""
    try:
        messages.get(store, viewer, message_id)
    except NotFound:
        return False
    return True


router = Router("/email/messages/{message_id:str}", route_handlers=[show, create, detach])
