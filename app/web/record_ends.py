"""Two records made one, and a record removed: for administrators, after a preview."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import records as verbs
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.model import Record, RecordType, Viewer
from app.records import Merge, Removal
from app.search.lookup import look_up
from app.store import Store, records
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.records import found_record


@dataclass(frozen=True, slots=True)
class MergePage:
    """The choice of the other record among `offered`, then (`plan`) what the merge would do."""

    type: RecordType
    record: Record
    types: list[RecordType]
    chosen: str
    like: str
    offered: tuple[Record, ...] = ()
    plan: Merge | None = None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemovalPage:
    type: RecordType
    record: Record
    plan: Removal
    errors: dict[str, str] = field(default_factory=dict)


@get("/merge", sync_to_thread=True)
def choose(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = _own(store, viewer, record_type, record_id)
    return _merge_page(request, viewer, kind, record, into=forms.asked(request, "into"))


@post("/merge", sync_to_thread=True)
def merge(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template | Redirect:
    store = store_of(request)
    kind, record = _own(store, viewer, record_type, record_id)
    into, version = forms.field(request, "into"), forms.field(request, "version")
    try:
        other = records.get(store, viewer, into)
        now = datetime.now(UTC)
        kept = verbs.merge_records(store, viewer, record.id, other.id, version=version, now=now)
    except (Conflict, Invalid, NotFound) as exc:
        error = str(exc) or _GONE
        return _merge_page(request, viewer, kind, record, into=into, error=error, status=422)
    return render.to(f"/records/{kept.type}/{kept.public_id}", done=flash.SAVED)


@get("/delete", sync_to_thread=True)
def ask(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = _own(store, viewer, record_type, record_id)
    return _removal_page(request, viewer, kind, record)


@post("/delete", sync_to_thread=True)
def remove(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template | Redirect:
    store, version = store_of(request), forms.field(request, "version")
    kind, record = _own(store, viewer, record_type, record_id)
    try:
        verbs.remove_record(store, viewer, record.id, version=version, now=datetime.now(UTC))
    except Conflict as exc:
        return _removal_page(request, viewer, kind, record, error=str(exc))
    return render.to(f"/records/{record.type}", done=flash.REMOVED)


_GONE = "The other record is not there any more, or not for you. Choose another one."


def _own(
    store: Store, viewer: Viewer, record_type: str, record_id: str
) -> tuple[RecordType, Record]:
    """Raises NotFound for what the viewer may not see, Forbidden if he does not administer."""
    found = found_record(store, viewer, record_type, record_id)
    if not viewer.is_admin:
        raise Forbidden("Records are merged and removed by administrators who may see them.")
    return found


def _merge_page(
    request: HTMXRequest,
    viewer: Viewer,
    kind: RecordType,
    record: Record,
    *,
    into: str,
    error: str = "",
    status: int = 200,
) -> Template:
    store, like = store_of(request), forms.asked(request, "like")
    chosen = forms.asked(request, "type") or kind.key
    plan = None
    if into:
        try:
            other = records.get(store, viewer, into)
            plan = verbs.plan_merge(store, viewer, record.id, other.id)
        except (NotFound, Invalid) as exc:
            error, status = str(exc) or _GONE, 422
    begun = record.name.partition(" ")[0]
    near = [] if like else look_up(store, viewer, begun, record_type=chosen)
    first = [one.public_id for one in near if one.type == chosen]
    offered = () if plan else look_up(store, viewer, like, record_type=chosen, first=first)
    page = MergePage(
        kind,
        record,
        records.types(store),
        chosen,
        like,
        tuple(one for one in offered if one.id != record.id),
        plan,
        {"into": error} if error else {},
    )
    return render.page(request, "records/merge.html", context=page, section=kind.key, status=status)


def _removal_page(
    request: HTMXRequest, viewer: Viewer, kind: RecordType, record: Record, *, error: str = ""
) -> Template:
    plan = verbs.plan_removal(store_of(request), viewer, record.id)
    page = RemovalPage(kind, record, plan, {"conflict": error} if error else {})
    return render.page(
        request,
        "records/delete.html",
        context=page,
        section=kind.key,
        status=422 if error else 200,
    )


router = Router(
    "/records/{record_type:str}/{record_id:str}", route_handlers=[choose, merge, ask, remove]
)
