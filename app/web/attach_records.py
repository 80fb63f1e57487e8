"""What "Select Record" offers while somebody types."""

from dataclasses import dataclass

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.model import Record, RecordType, Viewer
from app.records import find_type
from app.search.lookup import look_up
from app.store import records as store_records
from app.web import render
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import HOME

_MOST_FIRST = 8


@dataclass(frozen=True, slots=True)
class OptionsPage:
    """Records that the text finds; `singulars` names the types."""

    records: list[Record]
    type: RecordType
    text: str
    singulars: dict[str, str]


@get("/email/attach/records", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    """The options of the list. Raises NotFound for an unknown type."""
    store, text = store_of(request), asked(request, "like")
    if not render.wants_fragment(request):
        return render.to(HOME)
    kind = find_type(store, asked(request, "type"))
    first = request.query_params.getall("first", [])[:_MOST_FIRST]
    found = look_up(store, viewer, text, record_type=kind.key, first=list(map(str, first)))
    singulars = {one.key: one.singular for one in store_records.types(store)}
    context = OptionsPage(found, kind, text, singulars)
    return render.page(request, "", context=context, fragment="attach/_options.html")


router = Router("/", route_handlers=[index])
