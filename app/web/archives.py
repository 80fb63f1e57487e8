"""The resource "archives": what is archived and readable, with a search of its own."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app.model import Page, Record, RecordType, Viewer
from app.search import Kept, SearchPage, search_messages
from app.store import Store, archives, records
from app.store.archives import Filter
from app.web import render
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import zone_of
from app.web.view import MessageView, opened_message, pane

ARCHIVES = "/email/archives"
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class ArchivesPage:
    """The archive, or what was found in it; `record` is the one that the filter names.

    `place` says which page of the list it is, so that what is opened beside it keeps it.
    """

    query: str
    rows: Page
    types: list[RecordType]
    only: Filter
    record: Record | None
    found: SearchPage | None
    place: dict[str, str]
    opened: MessageView | None

    @property
    def params(self) -> dict[str, str]:
        """What an address of this list says besides the place in it."""
        return {
            "q": self.query,
            "type": self.only.record_type,
            "record": self.record.public_id if self.record else "",
            "attached": _NONE if self.only.without_record else "",
        }


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    opened = opened_message(request, store, viewer)
    if beside := pane(request, opened):
        return beside
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    record, only = _filter(request, store, viewer)
    if query:
        found, rows = search_archive(request, store, viewer, query, only)
    else:
        found, rows = None, archives.rows(store, viewer, only=only, before=before, after=after)
    place = {"before": before, "after": after}
    types = records.types(store)
    context = ArchivesPage(query, rows, types, only, record, found, place, opened)
    return render.page(request, "archives/index.html", context=context, section="archives")


def search_archive(
    request: HTMXRequest, store: Store, viewer: Viewer, query: str, only: Filter
) -> tuple[SearchPage, Page]:
    """What a typed line finds of what the filter keeps; the place in it is the address's."""
    kept = partial(archives.among, store, viewer, only=only)
    found = search_messages(
        store,
        viewer,
        query,
        before=asked(request, "before"),
        after=asked(request, "after"),
        in_archive=True,
        zone=zone_of(request),
        only=Kept(kept, archives.few(store, viewer, only=only)) if only else None,
    )
    return found, Page(tuple(hit.row for hit in found.hits), found.older, found.newer)


def _filter(request: HTMXRequest, store: Store, viewer: Viewer) -> tuple[Record | None, Filter]:
    """What the address asks for. Raises NotFound for a record that is not there, or hidden."""
    known = {one.key for one in records.types(store)}
    record_type = asked(request, "type")
    # Beside `done` the record is the one that something was just done to.
    name = "" if asked(request, "done") else asked(request, "record")
    record = records.get(store, viewer, name) if name else None
    return record, Filter(
        record=record.id if record else None,
        record_type=record_type if record_type in known else "",
        without_record=asked(request, "attached") == _NONE,
    )


router = Router(ARCHIVES, route_handlers=[index])
