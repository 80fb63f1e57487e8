"""The resource "search": one box over everything the viewer may read."""

from dataclasses import dataclass

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app.model import Viewer
from app.search import SearchPage, search_messages
from app.web import render
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import zone_of


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """What was found; None before anything was asked."""

    query: str
    found: SearchPage | None


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    query = asked(request, "q")
    found = None
    if query:
        store = store_of(request)
        before, after = asked(request, "before"), asked(request, "after")
        found = search_messages(
            store, viewer, query, before=before, after=after, zone=zone_of(request)
        )
    context = ResultsPage(query, found)
    return render.page(request, "search/index.html", context=context, section="search")


router = Router("/search", route_handlers=[index])
