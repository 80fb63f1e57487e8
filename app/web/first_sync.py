"""How far the first sync of a mailbox is: a part of its page that renews itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.model import Account, Viewer
from app.store import Store, accounts, first_syncs, jobs
from app.store.first_syncs import FirstSync
from app.web import render
from app.web.account_form import ACCOUNTS
from app.web.db import store_of
from app.web.forms import asked

SHOWN_AFTER_END = timedelta(minutes=10)
"""So long the search index may need for what came last; later other mail waits for it, too."""

State = Literal["soon", "running", "silent", "paused", "no worker", "indexing", "done"]


@dataclass(frozen=True, slots=True)
class FirstSyncView:
    """`sync` is None before the server told how much there is. `version` changes with the text."""

    account: Account
    sync: FirstSync | None
    state: State
    time_left: str
    version: str


def first_sync_view(store: Store, account: Account) -> FirstSyncView | None:
    """None where none is under way."""
    view = _view(store, account)
    return None if view is None or view.state == "done" else view


@get("/{account_id:str}/first-sync", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template | Redirect | Response[None]:
    """The part of the page, and nothing while it is as the browser has it."""
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    if not render.wants_fragment(request):
        return render.to(f"{ACCOUNTS}/{account.public_id}")
    view = _view(store, account)
    if view is None or view.version == asked(request, "have"):
        return Response(None, status_code=204)
    return render.page(request, "", context=view, fragment="accounts/_first_sync.html")


def _view(store: Store, account: Account) -> FirstSyncView | None:
    if not account.host or account.closed_at:
        return None
    now = datetime.now(UTC)
    if first_syncs.ended_before(store, account.id, now - SHOWN_AFTER_END):
        return None
    sync = first_syncs.of_account(store, account.id)
    if sync is None and (
        accounts.last_check(store, account.id) or not first_syncs.is_open(store, account.id)
    ):
        return None
    state = _state(store, account, sync, now=now)
    time_left = _time_left(sync) if sync and state == "running" else ""
    version = sha256(repr((sync, state, time_left)).encode()).hexdigest()[:12]
    return FirstSyncView(account, sync, state, time_left, version)


def _state(store: Store, account: Account, sync: FirstSync | None, *, now: datetime) -> State:
    if sync and sync.finished_at and not sync.waiting:
        return "done"
    if not jobs.is_worker_alive(store, now=now):
        return "no worker"
    if sync and sync.finished_at:
        return "indexing"
    if account.paused_at:
        return "paused"
    if sync is None:
        return "soon"
    return "silent" if now - sync.updated_at > first_syncs.BREAK else "running"


def _time_left(sync: FirstSync) -> str:
    """Like "2 h 10 min", in steps as rough as the estimate; "" while it cannot be told."""
    left = sync.time_left
    if left is None:
        return ""
    minutes = max(1, round(left / timedelta(minutes=1)))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60 // 10 * 10} min"
    return f"{minutes // (24 * 60)} d {minutes // 60 % 24} h"
