"""The resource "archives": what is archived and readable, with a search of its own."""

from dataclasses import dataclass

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.model import Page, Viewer
from app.search import SearchPage, search_messages
from app.store import archives
from app.web import flash, render
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import zone_of

ARCHIVES = "/email/archives"


@dataclass(frozen=True, slots=True)
class ArchivesPage:
    """The archive, or what was found in it."""

    query: str
    rows: Page
    found: SearchPage | None = None


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    if query:
        found = search_messages(
            store, viewer, query, before=before, in_archive=True, zone=zone_of(request)
        )
        rows = Page(tuple(hit.row for hit in found.hits), older=found.older)
        context = ArchivesPage(query, rows, found)
    else:
        context = ArchivesPage("", archives.rows(store, viewer, before=before, after=after))
    return render.page(request, "archives/index.html", context=context, section="archives")


@get("/act", sync_to_thread=True)
def act(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    """The toolbar's buttons, for the row that is selected."""
    message = asked(request, "message")
    if not message.isalnum():
        return render.to(ARCHIVES, q=asked(request, "q"), done=flash.CHOOSE)
    if asked(request, "do") == "display":
        return render.to(f"/email/messages/{message}")
    if asked(request, "do") == "edit":
        return render.to(f"/email/messages/{message}/access")
    return render.to(f"/email/messages/{message}/attach", back="archives")


router = Router(ARCHIVES, route_handlers=[index, act])
