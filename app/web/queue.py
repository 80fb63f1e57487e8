"""The resource "queue": what waits to be archived, the two circles, and forced checks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.errors import NotFound
from app.model import Account, AccountId, Page, Viewer
from app.search import Kept, SearchPage, search_messages
from app.store import Store, accounts, archives, jobs, queue, records, transaction, users
from app.store.circles import Circles
from app.store.jobs import JobResult
from app.store.queue import Show
from app.web import flash, render
from app.web.circles import circles_of, new_rows_above, older_count, state_of
from app.web.db import store_of
from app.web.forms import asked, field
from app.web.session import HOME, zone_of
from app.web.toolbar import set_one_aside
from app.web.view import MessageView, opened_message, pane

_PAGE: Final = 50
LONGEST_ID: Final = 20
_SHOWN: Final[dict[str, Show]] = {
    "waiting": "waiting",
    "open": "open",
    "all": "all",
    "all-open": "all-open",
    "aside": "aside",
}
_REMEMBERED: Final[dict[str, Show]] = {
    "waiting": "waiting",
    "open": "open",
    "all": "waiting",
    "all-open": "open",
}
"""What each view says of the toggle "Not archived" (A1)."""
_TOP: Final = ("waiting", "open")
_TAB_COOKIE: Final = "letterbook-queue"
_YEAR_SECONDS: Final = 60 * 60 * 24 * 365
FIRST_STEPS: Final = "first-steps"


@dataclass(frozen=True, slots=True)
class Check:
    """A forced check: its job, and how it stands."""

    job: str
    result: JobResult
    is_worker_alive: bool

    @property
    def has_new(self) -> bool:
        return self.result.text[:1].isdecimal()


@dataclass(frozen=True, slots=True)
class Steps:
    """The strip of a first visit: which of its three steps are done."""

    has_mailbox: bool
    has_records: bool
    has_archived: bool


@dataclass(frozen=True, slots=True)
class QueuePage:
    """What queue/index.html shows. `newest` is the first row's id where new rows would appear;
    `place` says which page of the list it is, so that what is opened beside it keeps it.

    `next_row` is the id of the row that takes the place of one that just left the list; `admins`
    are whom to ask for a mailbox, empty for those who may add any. `found` is what a typed line
    finds of the view; None where all of it is shown.
    """

    rows: Page
    query: str
    found: SearchPage | None
    show: str
    mailboxes: list[Account]
    mailbox: str
    place: dict[str, str]
    older_count: int
    older_is_capped: bool
    newest: str
    opened: MessageView | None
    check: Check | None
    next_check_seconds: int | None
    refresh_seconds: int | None
    next_row: str
    steps: Steps | None
    admins: tuple[str, ...]

    @property
    def is_open_only(self) -> bool:
        """Whether the toggle "Not archived" is on (A1)."""
        return self.show in ("open", "all-open")


@dataclass(frozen=True, slots=True)
class CirclesPage:
    """The circles; `new_rows` above `newest`, the first row of the queue that is open."""

    circles: Circles
    newest: str = ""
    show: str = ""
    new_rows: int = 0


@dataclass(frozen=True, slots=True)
class NewRowsPage:
    """The rows above the one that the browser showed first, and which is first now."""

    rows: Page
    show: str
    newest: str
    has_mailboxes: bool


@get("/queue", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    opened = opened_message(request, store, viewer)
    if beside := pane(request, opened):
        return beside
    shown = _tab(request)
    context = _queue_page(request, store, viewer, shown, opened)
    page = render.page(request, "queue/index.html", context=context, section="queue")
    if toggle := _REMEMBERED.get(asked(request, "show")):
        page.set_cookie(_remembered(toggle, is_https=request.app.state.settings.is_https))
    return page


@get("/queue/rows", sync_to_thread=True)
def new_rows(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    """What came above the first row that the browser shows: for a list that nobody touches."""
    store, newest, shown = store_of(request), asked(request, "newest"), _tab(request)
    if not (render.wants_fragment(request) and newest.isalnum()):
        return render.to(HOME)
    rows = _above(store, viewer, newest, shown, datetime.now(UTC))
    first = rows.rows[0].message.public_id if rows.rows else newest
    many = len(viewer.accounts) > 1
    context = NewRowsPage(rows, shown, first, many)
    return render.page(request, "", context=context, fragment="queue/_new_rows.html")


@post("/messages/{message_id:str}/aside", sync_to_thread=True)
def set_aside(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Redirect:
    return set_one_aside(request, viewer, message_id, is_back=False)


@post("/messages/{message_id:str}/take-back", sync_to_thread=True)
def take_back(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Redirect:
    return set_one_aside(request, viewer, message_id, is_back=True)


@post("/queue/steps", sync_to_thread=True)
def put_steps_away(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    store = store_of(request)
    with transaction(store):
        users.put_hint_away(store, viewer.user_id, FIRST_STEPS)
    return render.to(HOME)


@post("/queue/check", sync_to_thread=True)
def check(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect | Template:
    """Have the viewer's mailboxes checked; to scripts a line that waits for the result."""
    store = store_of(request)
    job = jobs.request_check(store, viewer, now=datetime.now(UTC))
    if not render.wants_fragment(request):
        return render.back_to(field(request, "back"), job=job)
    context = _check(store, viewer, job)
    return render.page(request, "", context=context, fragment="queue/_check.html")


@get("/check/{job:str}", sync_to_thread=True)
def show_check(
    request: HTMXRequest, viewer: NamedDependency[Viewer], job: FromPath[str]
) -> Template | Redirect | Response[None]:
    """How a check stands; 204 while it goes on."""
    store = store_of(request)
    context = _check(store, viewer, job)
    if not render.wants_fragment(request):
        return render.to(HOME, job=job)
    if not context.result.is_done and asked(request, "waits") == f"{context.is_worker_alive:d}":
        return Response(None, status_code=204)
    page = render.page(request, "", context=context, fragment="queue/_check.html")
    return render.checked(page, is_done=context.result.is_done)


@get("/circles", sync_to_thread=True)
def circles(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Response[None]:
    """The circles; 204 while they are as the browser has them."""
    store = store_of(request)
    now = datetime.now(UTC)
    found, above = circles_of(request, store, viewer, now=now)
    newest, shown = asked(request, "newest"), _tab(request)
    is_list = newest.isalnum() and len(newest) <= LONGEST_ID
    count = new_rows_above(above, store, viewer, newest, shown, now=now) if is_list else 0
    if asked(request, "have") == state_of(found, count):
        return Response(None, status_code=204)
    context = CirclesPage(found, newest, shown, count)
    return render.page(request, "queue/circles.html", context=context, fragment="queue/_state.html")


def _queue_page(
    request: HTMXRequest, store: Store, viewer: Viewer, shown: Show, opened: MessageView | None
) -> QueuePage:
    now = datetime.now(UTC)
    mailboxes = accounts.of_viewer(store, viewer)
    mailbox = next((one for one in mailboxes if one.public_id == asked(request, "mailbox")), None)
    account = mailbox.id if mailbox else None
    query, before, after = (asked(request, name) for name in ("q", "before", "after"))
    found: SearchPage | None = None
    if query:
        found = _search(request, store, viewer, shown, account, now=now)
        rows = Page(tuple(hit.row for hit in found.hits), found.older, found.newer)
    else:
        rows = queue.rows(
            store,
            viewer,
            show=shown,
            account=account,
            before=before,
            after=after,
            limit=_PAGE,
            now=now,
        )
    is_top = shown in _TOP and not (mailbox or query or before or after)
    is_counted = shown in _TOP and not query
    older = older_count(request, store, viewer, account, now=now) if is_counted else 0
    return QueuePage(
        rows=rows,
        query=query,
        found=found,
        show=shown,
        mailboxes=mailboxes,
        mailbox=mailbox.public_id if mailbox else "",
        place={"before": before, "after": after},
        older_count=min(older, queue.MOST_COUNTED),
        older_is_capped=older > queue.MOST_COUNTED,
        newest=_newest(rows) if is_top else "",
        opened=opened,
        check=_asked_check(request, store, viewer),
        next_check_seconds=_next_check(store, viewer, now),
        refresh_seconds=_refresh(asked(request, "refresh")),
        next_row=_next_row(request, store, viewer, rows),
        steps=_steps(store, viewer),
        admins=() if mailboxes or viewer.is_admin else _admins(store),
    )


def _search(
    request: HTMXRequest,
    store: Store,
    viewer: Viewer,
    shown: Show,
    account: AccountId | None,
    *,
    now: datetime,
) -> SearchPage:
    """What a typed line finds of a view; the place in it is the address's."""
    among = partial(queue.among, store, viewer, show=shown, account=account, now=now)
    return search_messages(
        store,
        viewer,
        asked(request, "q"),
        before=asked(request, "before"),
        after=asked(request, "after"),
        limit=_PAGE,
        zone=zone_of(request),
        only=Kept(among, queue.few(store, viewer, show=shown, account=account, now=now)),
    )


def _tab(request: HTMXRequest) -> Show:
    """What the address asks for, else what this browser last chose of the two (A1)."""
    if wanted := asked(request, "show"):
        return _SHOWN.get(wanted, "waiting")
    return "open" if request.cookies.get(_TAB_COOKIE) == "open" else "waiting"


def _remembered(shown: Show, *, is_https: bool) -> Cookie:
    return Cookie(
        key=_TAB_COOKIE,
        value=shown,
        path="/email",
        max_age=_YEAR_SECONDS,
        secure=is_https,
        httponly=True,
        samesite="lax",
    )


def _next_row(request: HTMXRequest, store: Store, viewer: Viewer, rows: Page) -> str:
    """The row below the place of the message that the flash is about, if that one has left."""
    found = flash.flash_of(request, store, viewer)
    gone = found.message if found else None
    if gone is None or gone.id in {row.message.id for row in rows.rows}:
        return ""
    place = (gone.sort_at, gone.id)
    below = (one.message for one in rows.rows if (one.message.sort_at, one.message.id) < place)
    return next((one.public_id for one in below if one.archived_at is None), "")


def _steps(store: Store, viewer: Viewer) -> Steps | None:
    """The strip of the first visit; None once it was put away, or where all is done."""
    if FIRST_STEPS in users.put_away(store, viewer.user_id):
        return None
    steps = Steps(
        bool(viewer.accounts),
        any(
            records.list_visible(store, viewer, record_type=kind.key, limit=1)
            for kind in records.types(store)
        ),
        bool(archives.rows(store, viewer, limit=1).rows),
    )
    is_done = steps.has_mailbox and steps.has_records and steps.has_archived
    return None if is_done else steps


def _admins(store: Store) -> tuple[str, ...]:
    return tuple(user.name for user in users.all_active(store) if user.is_admin)


def _newest(rows: Page) -> str:
    return rows.rows[0].message.public_id if rows.rows else "none"


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


def _above(store: Store, viewer: Viewer, newest: str, shown: Show, now: datetime) -> Page:
    """What the list has above the row that the browser shows first, at most a page of it."""
    after = "" if newest == "none" else newest
    return queue.rows(store, viewer, show=shown, after=after, limit=_PAGE, now=now)


router = Router(
    "/email",
    route_handlers=[
        index,
        new_rows,
        set_aside,
        take_back,
        put_steps_away,
        check,
        show_check,
        circles,
    ],
)
