"""The resource "record": lists by type, the record's page, its e-mails, and the picker."""

from dataclasses import dataclass

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.errors import NotFound
from app.model import Page, Record, RecordType, Viewer
from app.search import search_messages
from app.search.analysis import fold
from app.store import Store, archives, records, users
from app.web import flash, render
from app.web.db import store_of
from app.web.forms import asked

_MOST = 200


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """The records of one type; `like` is the filter as typed."""

    type: RecordType
    records: list[Record]
    like: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A record; `rows` on its tab of e-mails and in the picker, where `query` is what was typed."""

    type: RecordType
    record: Record
    tab: str
    roles: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    rows: Page | None = None
    query: str = ""


@get("/", sync_to_thread=True)
def index(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_type: FromPath[str]
) -> Template:
    store = store_of(request)
    like = asked(request, "like")
    found = records.list_visible(
        store, viewer, record_type=_type(store, record_type).key, like=fold(like), limit=_MOST + 1
    )
    context = RecordsPage(_type(store, record_type), found[:_MOST], like, len(found) > _MOST)
    return render.page(request, "records/index.html", context=context, section=record_type)


@get("/{record_id:str}", sync_to_thread=True)
def show(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = _found(store, viewer, record_type, record_id)
    roles = tuple(role.name for role in users.roles(store) if role.id in record.roles)
    people = tuple(user.name for user in users.all_active(store) if user.id in record.users)
    context = RecordPage(kind, record, "overview", roles, people)
    return render.page(request, "records/show.html", context=context, section=record_type)


@get("/{record_id:str}/emails", sync_to_thread=True)
def emails(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = _found(store, viewer, record_type, record_id)
    before, after = asked(request, "before"), asked(request, "after")
    rows = archives.rows(store, viewer, record=record.id, before=before, after=after)
    context = RecordPage(kind, record, "emails", rows=rows)
    return render.page(request, "records/emails.html", context=context, section=record_type)


@get("/{record_id:str}/emails/pick", sync_to_thread=True)
def pick(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = _found(store, viewer, record_type, record_id)
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    if query:
        found = search_messages(store, viewer, query, before=before, in_archive=True)
        rows = Page(tuple(hit.row for hit in found.hits), older=found.older)
    else:
        rows = archives.rows(store, viewer, before=before, after=after)
    context = RecordPage(kind, record, "emails", rows=rows, query=query)
    return render.page(request, "records/pick.html", context=context, section=record_type)


@get("/{record_id:str}/emails/act", sync_to_thread=True)
def act(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Redirect:
    """The picker's and the tab's buttons, for the row that is selected."""
    _, record = _found(store_of(request), viewer, record_type, record_id)
    message, verb = asked(request, "message"), asked(request, "do")
    if not message.isalnum():
        page = "emails" if verb == "display" else "emails/pick"
        path = f"/records/{record.type}/{record.public_id}/{page}"
        return render.to(path, q=asked(request, "q"), done=flash.CHOOSE)
    if verb == "display":
        return render.to(f"/email/messages/{message}")
    path = f"/email/messages/{message}/attach"
    return render.to(path, type=record.type, record=record.public_id, back="record")


def _type(store: Store, key: str) -> RecordType:
    for kind in records.types(store):
        if kind.key == key:
            return kind
    raise NotFound


def _found(
    store: Store, viewer: Viewer, record_type: str, record_id: str
) -> tuple[RecordType, Record]:
    """The record, if it is of that type. Raises NotFound."""
    record = records.get(store, viewer, record_id)
    if record.type != record_type:
        raise NotFound
    return _type(store, record_type), record


router = Router("/records/{record_type:str}", route_handlers=[index, show, emails, pick, act])
