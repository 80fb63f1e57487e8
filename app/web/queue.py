"""The resource "queue": what waits to be archived, the two circles, and forced checks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.errors import NotFound
from app.model import Account, Page, Viewer
from app.store import Store, accounts, jobs, queue
from app.store.jobs import JobResult
from app.store.queue import Circles, Show
from app.web import flash, render
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import HOME
from app.web.view import MessageView, message_view

_PAGE: Final = 50
_TABS: Final[dict[str, Show]] = {"": "waiting", "open": "open", "all": "all"}


@dataclass(frozen=True, slots=True)
class Check:
    """A forced check: its job, and how it stands."""

    job: str
    result: JobResult
    is_worker_alive: bool


@dataclass(frozen=True, slots=True)
class QueuePage:
    """What queue/index.html shows. `newest` is the first row's id where new rows would appear."""

    rows: Page
    show: str
    mailboxes: list[Account]
    mailbox: str
    older_count: int
    older_is_capped: bool
    newest: str
    opened: MessageView | None
    check: Check | None
    next_check_seconds: int | None
    refresh_seconds: int | None


@dataclass(frozen=True, slots=True)
class CirclesPage:
    """The circles; `new_rows` above `newest`, the first row of the queue that is open."""

    circles: Circles
    newest: str = ""
    new_rows: int = 0


@get("/queue", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    if asked(request, "open") and request.headers.get("hx-target") == "pane":
        view = message_view(store, viewer, asked(request, "open"), wanted=asked(request, "view"))
        return render.page(request, "messages/show.html", context=view, fragment="queue/_pane.html")
    context = _queue_page(request, store, viewer)
    return render.page(request, "queue/index.html", context=context, section="queue")


@get("/queue/act", sync_to_thread=True)
def act(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    """The toolbar's buttons: to the page that does it, for the row that is selected."""
    message, verb = asked(request, "message"), asked(request, "do")
    if not message.isalnum():
        return render.to(HOME, show=asked(request, "show"), done=flash.CHOOSE)
    if verb == "display":
        return render.to(f"/email/messages/{message}")
    return render.to(f"/email/messages/{message}/attach")


@post("/queue/check", sync_to_thread=True)
def check(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    job = jobs.request_check(store_of(request), viewer, now=datetime.now(UTC))
    return render.to(HOME, job=job)


@get("/check/{job:str}", sync_to_thread=True)
def show_check(
    request: HTMXRequest, viewer: NamedDependency[Viewer], job: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    context = _check(store, viewer, job)
    if not render.wants_fragment(request):
        return render.to(HOME, job=job)
    return render.page(request, "", context=context, fragment="queue/_check.html")


@get("/circles", sync_to_thread=True)
def circles(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Response[None]:
    """The circles; 204 while they are as the browser has them."""
    store = store_of(request)
    now = datetime.now(UTC)
    found = queue.circles(store, viewer, now=now)
    newest = asked(request, "newest")
    new_rows = _rows_above(store, viewer, newest, now) if newest.isalnum() else 0
    if asked(request, "have") == render.circles_state(found, new_rows):
        return Response(None, status_code=204)
    context = CirclesPage(found, newest, new_rows)
    return render.page(request, "queue/circles.html", context=context, fragment="queue/_state.html")


def _queue_page(request: HTMXRequest, store: Store, viewer: Viewer) -> QueuePage:
    now = datetime.now(UTC)
    mailboxes = accounts.of_viewer(store, viewer)
    mailbox = next((one for one in mailboxes if one.public_id == asked(request, "mailbox")), None)
    tab = asked(request, "show")
    before, after = asked(request, "before"), asked(request, "after")
    rows = queue.rows(
        store,
        viewer,
        show=_TABS.get(tab, "waiting"),
        account=mailbox.id if mailbox else None,
        before=before,
        after=after,
        limit=_PAGE,
        now=now,
    )
    is_top = tab != "all" and not (mailbox or before or after)
    older = queue.older_count(store, viewer, now=now) if tab != "all" else 0
    return QueuePage(
        rows=rows,
        show=tab if tab in _TABS else "",
        mailboxes=mailboxes,
        mailbox=mailbox.public_id if mailbox else "",
        older_count=min(older, queue.MOST_COUNTED),
        older_is_capped=older > queue.MOST_COUNTED,
        newest=_newest(rows) if is_top else "",
        opened=_opened(request, store, viewer),
        check=_asked_check(request, store, viewer),
        next_check_seconds=_next_check(store, viewer, now),
        refresh_seconds=_refresh(asked(request, "refresh")),
    )


def _newest(rows: Page) -> str:
    return rows.rows[0].message.public_id if rows.rows else "none"


def _opened(request: HTMXRequest, store: Store, viewer: Viewer) -> MessageView | None:
    wanted = asked(request, "open")
    return message_view(store, viewer, wanted, wanted=asked(request, "view")) if wanted else None


def _check(store: Store, viewer: Viewer, job: str) -> Check:
    """How a check of the viewer's own stands. Raises NotFound."""
    result = jobs.result(store, viewer, job)
    return Check(job, result, jobs.is_worker_alive(store, now=datetime.now(UTC)))


def _asked_check(request: HTMXRequest, store: Store, viewer: Viewer) -> Check | None:
    job = asked(request, "job")
    try:
        return _check(store, viewer, job) if job else None
    except NotFound:
        return None


def _refresh(wanted: str) -> int | None:
    """Seconds after which a page without scripts asks for itself again (R31)."""
    is_sensible = wanted.isascii() and wanted.isdecimal() and len(wanted) < 5
    return max(30, int(wanted)) if is_sensible else None


def _next_check(store: Store, viewer: Viewer, now: datetime) -> int | None:
    due = accounts.next_due_at(store, viewer.accounts)
    return None if due is None else max(0, int((due - now) / timedelta(seconds=1)))


def _rows_above(store: Store, viewer: Viewer, newest: str, now: datetime) -> int:
    """How many rows the queue has above the one that the browser shows first, 50 at most."""
    rows = queue.rows(store, viewer, limit=_PAGE, now=now).rows
    ids: list[str] = [row.message.public_id for row in rows]
    return ids.index(newest) if newest in ids else len(ids)


router = Router("/email", route_handlers=[index, act, check, show_check, circles])
