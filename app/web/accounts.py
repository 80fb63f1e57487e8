"""The resource "accounts": the viewer's mailboxes and how their last check went."""

from dataclasses import dataclass

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app.model import Account, Viewer
from app.store import Store, accounts
from app.store.accounts import Check
from app.web import render
from app.web.db import store_of


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A mailbox, the number of its users, and its last check."""

    account: Account
    users: int
    check: Check | None


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """Administrators see all mailboxes' state; the others their own (R78, A4)."""

    lines: list[AccountLine]


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    shown = accounts.all_accounts(store) if viewer.is_admin else accounts.of_viewer(store, viewer)
    context = AccountsPage([_line(store, account) for account in shown])
    return render.page(request, "accounts/index.html", context=context, section="accounts")


def _line(store: Store, account: Account) -> AccountLine:
    users = accounts.users(store, account.id)
    return AccountLine(account, len(users), accounts.last_check(store, account.id))


router = Router("/email/accounts", route_handlers=[index])
