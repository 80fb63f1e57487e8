"""The resource "accounts": the mailboxes, how their last checks went, and that the sum is right."""

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.errors import NotFound
from app.model import Account, Folder, FolderLedger, User, Viewer
from app.store import Store, accounts, folders, jobs, states, users
from app.store.accounts import Check
from app.store.folders import Failure
from app.store.jobs import JobResult
from app.store.states import State
from app.web import (
    account_edit,
    account_finds,
    account_sign_in,
    account_tests,
    first_sync,
    imports,
    ledger,
    render,
)
from app.web.account_form import ACCOUNTS
from app.web.audit_words import Told, access_changes
from app.web.db import store_of
from app.web.first_sync import FirstSyncView, first_sync_view
from app.web.forms import asked, field
from app.web.ledger import Compared, Proof

MOST_CHECKS = 50
MOST_FAILURES = 200


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A mailbox, who sees it, its last check and its proof.

    `is_due`: the settings were typed after the last check, so that its error is void. `next_at`:
    when it is looked at next, past where it is due; None: it is not.
    `paused_by`: a name, "" where the operator paused it.
    """

    account: Account
    users: list[User]
    check: Check | None
    is_due: bool
    state: State
    next_at: datetime | None
    proof: Proof
    may_change: bool
    paused_by: str
    first_sync: FirstSyncView | None


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check that somebody asked for here, and how it stands."""

    job: str
    result: JobResult


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """Administrators see all mailboxes' state; the others their own (R78, A4)."""

    lines: list[AccountLine]
    check: CheckView | None
    saved: Account | None
    is_resumed: bool
    is_worker_alive: bool


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A folder as of its last pass, and its sum."""

    folder: Folder
    ledger: FolderLedger


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One mailbox: its folders, what failed there, its last checks, and who was let into it."""

    line: AccountLine
    now: datetime
    folders: list[FolderLine]
    failures: list[Failure]
    checks: list[Check]
    compared: Compared
    told: list[Told]


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Response[None]:
    """The list; to the script that waits for a check, nothing before it is done."""
    store = store_of(request)
    context = _accounts_page(request, store, viewer, job=asked(request, "job"))
    waits = context.check and not context.check.result.is_done and context.is_worker_alive
    if waits and render.wants_fragment(request):
        return Response(None, status_code=204)
    return _list(request, context)


@get("/{account_id:str}", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template:
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    sums = {line.name: line for line in folders.ledger(store, account.id)}
    context = AccountPage(
        _line(store, viewer, account),
        datetime.now(UTC),
        [FolderLine(one, sums[one.name]) for one in folders.of_account(store, account.id)],
        folders.failures(store, account.id, limit=MOST_FAILURES),
        accounts.checks(store, account.id, limit=MOST_CHECKS),
        ledger.compared(store, account),
        access_changes(store, viewer, account.id),
    )
    return render.page(request, "accounts/show.html", context=context, section="accounts")


@post("/{account_id:str}/check", sync_to_thread=True)
def check(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Redirect | Template:
    """Have a mailbox checked; to scripts the list, which waits for the result."""
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    job = mailboxes.check(store, viewer, account, now=datetime.now(UTC))
    if not render.wants_fragment(request):
        return render.to(ACCOUNTS, job=job)
    return _list(request, _accounts_page(request, store, viewer, job=job))


@post("/{account_id:str}/pause", sync_to_thread=True)
def pause(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Redirect:
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    mailboxes.pause(store, viewer, account.id, now=datetime.now(UTC))
    return _back(request, account)


@post("/{account_id:str}/resume", sync_to_thread=True)
def resume(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Redirect:
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    mailboxes.resume(store, viewer, account.id, now=datetime.now(UTC))
    return _back(request, account, verb="resume")


@post("/{account_id:str}/close", sync_to_thread=True)
def close(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Redirect:
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    mailboxes.close(store, viewer, account.id, now=datetime.now(UTC))
    return render.to(ACCOUNTS, saved=account.public_id)


def _back(request: HTMXRequest, account: Account, **parameters: str) -> Redirect:
    """To the mailbox's own page if the button stood there, else to the list."""
    if field(request, "from") == "page":
        return render.to(f"{ACCOUNTS}/{account.public_id}")
    return render.to(ACCOUNTS, saved=account.public_id, **parameters)


def _list(request: HTMXRequest, context: AccountsPage) -> Template:
    page = render.page(
        request,
        "accounts/index.html",
        context=context,
        section="accounts",
        fragment="accounts/_list.html",
    )
    return render.checked(page, is_done=bool(context.check and context.check.result.is_done))


def _accounts_page(request: HTMXRequest, store: Store, viewer: Viewer, *, job: str) -> AccountsPage:
    shown = accounts.all_accounts(store) if viewer.is_admin else accounts.of_viewer(store, viewer)
    saved = asked(request, "saved")
    return AccountsPage(
        [_line(store, viewer, account) for account in shown],
        _asked_check(store, viewer, job),
        next((one for one in shown if one.public_id == saved), None),
        asked(request, "verb") == "resume",
        jobs.is_worker_alive(store, now=datetime.now(UTC)),
    )


def _asked_check(store: Store, viewer: Viewer, job: str) -> CheckView | None:
    try:
        return CheckView(job, jobs.result(store, viewer, job)) if job else None
    except NotFound:
        return None


def _line(store: Store, viewer: Viewer, account: Account) -> AccountLine:
    members = accounts.users(store, account.id)
    last = accounts.last_check(store, account.id)
    state = states.of(store, account.id)
    return AccountLine(
        account,
        [users.get(store, one) for one in members],
        last,
        last is not None and last.unread is None and bool(state.edits) and not state.trouble,
        state,
        states.next_try_at(store, account.id),
        ledger.proof(folders.ledger(store, account.id)),
        mailboxes.may_change(viewer, members),
        _paused_by(store, account) if account.paused_at else "",
        first_sync_view(store, account),
    )


def _paused_by(store: Store, account: Account) -> str:
    """The name of who paused it; "" for the operator, at the command line."""
    who = accounts.paused_by(store, account.id)
    return users.get(store, who).name if who else ""


router = Router(
    ACCOUNTS,
    route_handlers=[
        index,
        show,
        check,
        pause,
        resume,
        close,
        first_sync.show,
        account_edit.router,
        account_sign_in.router,
        account_tests.router,
        account_finds.router,
        imports.router,
        ledger.show,
    ],
)
