"""The resource "record types", for administrators: added and renamed."""

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


@dataclass(frozen=True, slots=True)
class RecordTypePage:
    """The form of a record type, as typed; `key` is empty for a new one."""

    singular: str = ""
    plural: str = ""
    key: str = ""
    version: str = ""
    saved: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True)
def index(request: HTMXRequest) -> Template:
    found = store_records.types(store_of(request))
    return _page(request, "record_types/index.html", RecordTypesPage(found))


@get("/new", sync_to_thread=True)
def new(request: HTMXRequest) -> Template:
    return _page(request, "record_types/form.html", RecordTypePage())


@post("/", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    singular, plural = forms.field(request, "singular"), forms.field(request, "plural")
    now = datetime.now(UTC)
    try:
        records.create_type(
            store_of(request), singular=singular, plural=plural, by=viewer.user_id, now=now
        )
    except Invalid as exc:
        page = RecordTypePage(singular, plural, errors={exc.field: exc.reason})
        return _page(request, "record_types/form.html", page, status=422)
    return render.to(RECORD_TYPES, done=flash.SAVED)


@get("/{key:str}/edit", sync_to_thread=True)
def edit(request: HTMXRequest, key: FromPath[str]) -> Template:
    kind = records.find_type(store_of(request), key)
    page = RecordTypePage(kind.singular, kind.plural, kind.key, records.type_version(kind))
    return _page(request, "record_types/form.html", page)


@post("/{key:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], key: FromPath[str]
) -> Template | Redirect:
    store, version = store_of(request), forms.field(request, "version")
    typed = RecordType(key, forms.field(request, "singular"), forms.field(request, "plural"))
    try:
        records.change_type(store, typed, version=version, by=viewer.user_id, now=datetime.now(UTC))
    except (Invalid, Conflict) as exc:
        return _page(request, "record_types/form.html", _refused(request, typed, exc), status=422)
    return render.to(RECORD_TYPES, done=flash.SAVED)


def _refused(request: HTMXRequest, typed: RecordType, error: Invalid | Conflict) -> RecordTypePage:
    if isinstance(error, Invalid):
        version, saved = forms.field(request, "version"), ()
        errors = {error.field: error.reason}
        return RecordTypePage(typed.singular, typed.plural, typed.key, version, saved, errors)
    kept = records.find_type(store_of(request), typed.key)
    return RecordTypePage(
        typed.singular,
        typed.plural,
        typed.key,
        records.type_version(kept),
        (("Name of one", kept.singular), ("Name of many", kept.plural)),
        {"conflict": str(error)},
    )


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="record-types", status=status)


router = Router(
    RECORD_TYPES, route_handlers=[index, new, create, edit, update], guards=[admins_only]
)
