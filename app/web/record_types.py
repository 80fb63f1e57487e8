"""The resource "record types", for administrators: added, changed, put away and brought back."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import records
from app.errors import Conflict, Invalid
from app.model import RecordType, Viewer
from app.store import records as store_records
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.session import admins_only

RECORD_TYPES = "/record-types"


@dataclass(frozen=True, slots=True)
class RecordTypesPage:
    types: list[RecordType]
    always: tuple[str, ...] = records.DEFAULT_TYPES
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecordTypePage:
    """The form of a record type, as typed; its key is empty for a new one."""

    type: RecordType
    version: str = ""
    saved: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    icons: tuple[str, ...] = records.ICONS


@get("/", sync_to_thread=True)
def index(request: HTMXRequest) -> Template:
    return _index(request)


@get("/new", sync_to_thread=True)
def new(request: HTMXRequest) -> Template:
    return _page(request, "record_types/form.html", RecordTypePage(RecordType("", "", "")))


@post("/", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    typed, now = _typed(request, ""), datetime.now(UTC)
    try:
        records.create_type(
            store_of(request),
            singular=typed.singular,
            plural=typed.plural,
            icon=typed.icon,
            code_prefix=typed.code_prefix,
            by=viewer.user_id,
            now=now,
        )
    except Invalid as exc:
        page = RecordTypePage(typed, errors={exc.field: exc.reason})
        return _page(request, "record_types/form.html", page, status=422)
    return render.to(RECORD_TYPES, done=flash.SAVED)


@get("/{key:str}/edit", sync_to_thread=True)
def edit(request: HTMXRequest, key: FromPath[str]) -> Template:
    kind = records.find_type(store_of(request), key)
    page = RecordTypePage(kind, records.type_version(kind))
    return _page(request, "record_types/form.html", page)


@post("/{key:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], key: FromPath[str]
) -> Template | Redirect:
    store, version = store_of(request), forms.field(request, "version")
    typed, now = _typed(request, key), datetime.now(UTC)
    try:
        records.change_type(store, typed, version=version, by=viewer.user_id, now=now)
    except (Invalid, Conflict) as exc:
        return _page(request, "record_types/form.html", _refused(request, typed, exc), status=422)
    return render.to(RECORD_TYPES, done=flash.SAVED)


@post("/{key:str}/archive", sync_to_thread=True)
def archive(
    request: HTMXRequest, viewer: NamedDependency[Viewer], key: FromPath[str]
) -> Template | Redirect:
    try:
        records.archive_type(store_of(request), key, by=viewer.user_id, now=datetime.now(UTC))
    except Invalid as exc:
        return _index(request, error=exc.reason)
    return render.to(RECORD_TYPES, done=flash.SAVED)


@post("/{key:str}/restore", sync_to_thread=True)
def restore(request: HTMXRequest, viewer: NamedDependency[Viewer], key: FromPath[str]) -> Redirect:
    records.restore_type(store_of(request), key, by=viewer.user_id, now=datetime.now(UTC))
    return render.to(RECORD_TYPES, done=flash.SAVED)


def _typed(request: HTMXRequest, key: str) -> RecordType:
    return RecordType(
        key,
        forms.field(request, "singular"),
        forms.field(request, "plural"),
        forms.field(request, "icon"),
        forms.field(request, "code_prefix"),
    )


def _refused(request: HTMXRequest, typed: RecordType, error: Invalid | Conflict) -> RecordTypePage:
    if isinstance(error, Invalid):
        version = forms.field(request, "version")
        return RecordTypePage(typed, version, errors={error.field: error.reason})
    kept = records.find_type(store_of(request), typed.key)
    return RecordTypePage(
        typed,
        records.type_version(kept),
        (
            ("Name of one", kept.singular),
            ("Name of many", kept.plural),
            ("Icon", kept.icon or "-"),
            ("Prefix of codes", kept.code_prefix or "-"),
        ),
        {"conflict": str(error)},
    )


def _index(request: HTMXRequest, *, error: str = "") -> Template:
    found = store_records.types(store_of(request), with_archived=True)
    page = RecordTypesPage(found, error=error)
    return _page(request, "record_types/index.html", page, status=422 if error else 200)


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="record-types", status=status)


router = Router(
    RECORD_TYPES,
    route_handlers=[index, new, create, edit, update, archive, restore],
    guards=[admins_only],
)
