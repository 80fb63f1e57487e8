"""Signing a mailbox in at its provider: the page, the way there, and the way back.

The way there is an ordinary link on a page that a form leads to: a form that is redirected to
another origin is stopped by our own `form-action 'self'`. The way back is a GET that changes
something; its state, which works once and in the same browser, stands for a form's token.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.errors import AuthFailed, Invalid, RemoteError
from app.model import Account, Viewer
from app.settings import Settings
from app.sync.oauth import person_of
from app.sync.registered import Provider
from app.web import flash, render
from app.web.account_form import ACCOUNTS, changeable, key_of, providers_of
from app.web.db import store_of
from app.web.forms import asked
from app.web.session import current

_ANSWER: Final = ("state", "code", "error", "error_description", "client_info")
_LONGEST_ANSWER: Final = 8_000
_NO_ANSWER: Final = "The sign-in came back without an answer. Nothing was changed. Start it again."


@dataclass(frozen=True, slots=True)
class SignInPage:
    """Where a person stands: before, with the `url` to go to, or after an `error`."""

    account: Account
    provider: Provider | None
    person: str
    url: str = ""
    error: str = ""


@get("/{account_id:str}/sign-in", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template:
    account = changeable(store_of(request), viewer, account_id)
    return _page(request, account)


@post("/{account_id:str}/sign-in", sync_to_thread=True)
def begin(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template:
    store = store_of(request)
    account = changeable(store, viewer, account_id)
    settings: Settings = request.app.state.settings
    try:
        url = mailboxes.begin_sign_in(
            store,
            viewer,
            account.id,
            mailboxes.provider_of_account(account, providers_of(request)),
            session=current(request).token,
            public_url=settings.public_url,
            key=key_of(request),
            now=datetime.now(UTC),
        )
    except (Invalid, RemoteError) as exc:
        return _page(request, account, error=str(exc))
    return _page(request, account, url=url)


@get("/sign-in", sync_to_thread=True)
def come_back(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    """Where the provider sends people back to. Raises Invalid for a state that is not known."""
    store = store_of(request)
    answer = {name: asked(request, name, most=_LONGEST_ANSWER) for name in _ANSWER}
    account, flow = mailboxes.take_sign_in(
        store,
        viewer,
        answer["state"],
        session=current(request).token,
        key=key_of(request),
        now=datetime.now(UTC),
    )
    try:
        if not (answer["code"] or answer["error"]):
            raise Invalid("code", _NO_ANSWER)
        mailboxes.finish_sign_in(
            store,
            viewer,
            account,
            mailboxes.provider_of_account(account, providers_of(request)),
            flow,
            {name: value for name, value in answer.items() if value},
            key=key_of(request),
            now=datetime.now(UTC),
        )
    except (AuthFailed, Invalid, RemoteError) as exc:
        return _page(request, account, error=str(exc))
    return render.to(f"{ACCOUNTS}/{account.public_id}", done=flash.SIGNED_IN)


def _page(request: HTMXRequest, account: Account, *, url: str = "", error: str = "") -> Template:
    provider = None
    try:
        provider = mailboxes.provider_of_account(account, providers_of(request))
    except Invalid as exc:
        error = error or str(exc)
    context = SignInPage(account, provider, person_of(account.login), url, error)
    return render.page(
        request,
        "accounts/sign_in.html",
        context=context,
        section="accounts",
        status=422 if error else 200,
    )


router = Router("/", route_handlers=[show, begin, come_back])
