"""The resource "record": lists by type, the record's page, its e-mails, and the picker."""

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.errors import NotFound
from app.model import Page, Record, RecordId, RecordType, Viewer
from app.records import export_records, find_type
from app.search import SearchPage
from app.search.analysis import fold
from app.store import Store, archives, record_ends, record_lists, records, users
from app.store.archives import Filter
from app.store.record_lists import RecordsFound
from app.web import render
from app.web.archives import search_archive
from app.web.db import AnyRequest, store_of
from app.web.forms import asked
from app.web.record_import import table_file

ARCHIVED = "archived"


class Moved(NotFound):
    """The record became part of another one that the viewer may see: it is at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """The records of one type; `like` is the filter as typed, `attached` counts by record.

    `archived` is how many are put away, `is_archived` whether those are shown; `total` counts all
    that are found, 10,001 standing for more.
    """

    type: RecordType
    found: RecordsFound
    attached: dict[RecordId, int]
    like: str
    archived: int
    is_archived: bool
    total: int


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
    found: SearchPage | None = None


@get("/", sync_to_thread=True)
def index(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_type: FromPath[str]
) -> Template:
    store, kind = store_of(request), find_type(store_of(request), record_type)
    like, after, before = (asked(request, name) for name in ("like", "after", "before"))
    is_archived = asked(request, "show") == ARCHIVED
    found = record_lists.find(
        store,
        viewer,
        record_type=kind.key,
        like=fold(like),
        after=after,
        before=before,
        is_archived=is_archived,
    )
    counts = record_lists.attached_counts(store, viewer, [one.id for one in found.records])
    away = record_lists.count(store, viewer, record_type=kind.key, is_archived=True)
    total = record_lists.count(
        store, viewer, record_type=kind.key, like=fold(like), is_archived=is_archived
    )
    context = RecordsPage(kind, found, counts, like, away, is_archived, total)
    return render.page(request, "records/index.html", context=context, section=record_type)


@get("/export.csv", sync_to_thread=True)
def export(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_type: FromPath[str]
) -> Response[bytes]:
    """The records of the type that the viewer may see, those put away among them."""
    store, kind = store_of(request), find_type(store_of(request), record_type)
    text = export_records(store, viewer, record_type=kind.key, now=datetime.now(UTC))
    return table_file(text.encode("utf-8-sig"), f"{kind.key}.csv")


@get("/{record_id:str}", sync_to_thread=True)
def show(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = found_record(store, viewer, record_type, record_id)
    roles = tuple(role.name for role in users.roles(store) if role.id in record.roles)
    people = tuple(user.name for user in users.every(store) if user.id in record.users)
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
    kind, record = found_record(store, viewer, record_type, record_id)
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    found = None
    if query:
        found, rows = search_archive(request, store, viewer, query, Filter(record=record.id))
    else:
        only = Filter(record=record.id)
        rows = archives.rows(store, viewer, only=only, before=before, after=after)
    context = RecordPage(kind, record, "emails", rows=rows, query=query, found=found)
    return render.page(request, "records/emails.html", context=context, section=record_type)


@get("/{record_id:str}/emails/pick", sync_to_thread=True)
def pick(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = found_record(store, viewer, record_type, record_id)
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    if query:
        _, rows = search_archive(request, store, viewer, query, Filter())
    else:
        rows = archives.rows(store, viewer, before=before, after=after)
    context = RecordPage(kind, record, "emails", rows=rows, query=query)
    return render.page(request, "records/pick.html", context=context, section=record_type)


def found_record(
    store: Store, viewer: Viewer, record_type: str, record_id: str
) -> tuple[RecordType, Record]:
    """The record, if it is of that type. Raises NotFound, and Moved for one that was merged."""
    try:
        record = records.get(store, viewer, record_id)
    except NotFound:
        kept = record_ends.successor(store, viewer, record_id)
        raise Moved(f"/records/{kept.type}/{kept.public_id}") from None
    if record.type != record_type:
        raise NotFound
    return find_type(store, record_type), record


def to_successor(_: AnyRequest, moved: Moved) -> Redirect:
    return render.to(moved.path)


router = Router("/records/{record_type:str}", route_handlers=[index, export, show, emails, pick])
