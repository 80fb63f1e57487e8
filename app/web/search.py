"""The resource "search": one box over everything the viewer may read."""

from dataclasses import dataclass

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app.model import Viewer
from app.search import SearchPage, Sort, search_messages
from app.search.advice import Advice, advise
from app.search.query import Chip, without
from app.web import render
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import zone_of
from app.web.view import MessageView, opened_message, pane


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """What was found; None before anything was asked. `advice`: what to try after nothing was.

    `place` says which page of the list it is, so that what is opened beside it keeps it.
    """

    query: str
    sort: Sort
    found: SearchPage | None
    advice: Advice
    place: dict[str, str]
    opened: MessageView | None

    @property
    def params(self) -> dict[str, str]:
        """What an address of this list says besides the place in it."""
        return {"q": self.query, "sort": "" if self.sort == "date" else self.sort}

    @property
    def chips(self) -> tuple[tuple[Chip, str], ...]:
        """The parts of the query, each with the line that is left without it."""
        parts = self.found.query.chips if self.found else ()
        return tuple((one, without(self.query, one)) for one in parts)


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    opened = opened_message(request, store, viewer)
    if beside := pane(request, opened):
        return beside
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    sort: Sort = "relevance" if asked(request, "sort") == "relevance" else "date"
    zone = zone_of(request)
    found, advice = None, Advice()
    if query:
        found = search_messages(
            store, viewer, query, before=before, after=after, sort=sort, zone=zone
        )
        if not (found.hits or before or after):
            advice = advise(store, viewer, query, zone=zone)
    place = {"before": before, "after": after}
    context = ResultsPage(query, sort, found, advice, place, opened)
    return render.page(request, "search/index.html", context=context, section="search")


router = Router("/search", route_handlers=[index])
