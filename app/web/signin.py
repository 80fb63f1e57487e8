"""Signing in and out: the form, the one-time link, and the way back to where one was going."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from litestar import Router, get, post
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import AuthFailed, Forbidden, Invalid
from app.model import User
from app.settings import Settings
from app.store import users
from app.web import csrf, render
from app.web.db import store_of
from app.web.forms import asked, field, secret
from app.web.session import (
    HOME,
    SIGN_IN,
    client_address,
    ended_cookie,
    local_path,
    session_cookie,
    signed_in,
)

INSECURE: Final = (
    "Letterbook does not sign people in over plain http from other machines: passwords would cross"
    " the network in the clear. Put Caddy in front of it (see docs/install.md) and set"
    " LETTERBOOK_PUBLIC_URL to its https address."
)


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in form as typed, and what is wrong."""

    email: str = ""
    next: str = ""
    error: str = ""
    token: str = ""
    is_refused: bool = False
    demo_people: tuple[tuple[User, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The form behind a one-time link."""

    link: str
    error: str = ""
    token: str = ""


@get("/", sync_to_thread=True)
def show(request: HTMXRequest) -> Template | Redirect:
    wanted = local_path(asked(request, "next", most=2000) or HOME)
    if signed_in(request):
        return render.to(wanted)
    context = SignInPage(next=wanted, demo_people=demo_people(request))
    return _form(request, "sign_in/index.html", context)


@post("/", sync_to_thread=True)
def create(request: HTMXRequest) -> Template | Redirect:
    settings = _settings(request)
    wanted, email = local_path(field(request, "next")), field(request, "email")
    try:
        refuse_plain_http(settings)
        token = people.sign_in(
            store_of(request),
            email,
            secret(request, "password"),
            now=datetime.now(UTC),
            address=address_of(request),
            agent=agent_of(request),
        )
    except (AuthFailed, Forbidden) as exc:
        context = SignInPage(email, wanted, str(exc), demo_people=demo_people(request))
        return _form(request, "sign_in/index.html", context, status=422)
    return welcome(settings, token, wanted)


@get("/{link:str}", sync_to_thread=True)
def show_link(request: HTMXRequest, link: FromPath[str]) -> Template:
    people.user_of_link(store_of(request), link, now=datetime.now(UTC))
    return _form(request, "sign_in/link.html", LinkPage(link))


@post("/{link:str}", sync_to_thread=True)
def use_link(request: HTMXRequest, link: FromPath[str]) -> Template | Redirect:
    settings = _settings(request)
    password = secret(request, "password")
    try:
        refuse_plain_http(settings)
        if password != secret(request, "again"):
            raise Invalid("again", "The two passwords differ. Type the same one twice.")
        token = people.set_password_by_link(
            store_of(request),
            link,
            password,
            now=datetime.now(UTC),
            address=address_of(request),
            agent=agent_of(request),
        )
    except (Forbidden, Invalid) as exc:
        return _form(request, "sign_in/link.html", LinkPage(link, str(exc)), status=422)
    return welcome(settings, token, HOME)


@post("/sign-out", sync_to_thread=True)
def sign_out(request: HTMXRequest) -> Redirect:
    if found := signed_in(request):
        people.sign_out(store_of(request), found.token, now=datetime.now(UTC))
    answer = Redirect(SIGN_IN, status_code=303)
    answer.set_cookie(ended_cookie(_settings(request)))
    return answer


def _form(
    request: HTMXRequest, name: str, context: SignInPage | LinkPage, *, status: int = 200
) -> Template:
    settings = _settings(request)
    return open_form(
        request, name, lambda token: _with_token(context, token, settings), status=status
    )


def open_form(
    request: HTMXRequest, name: str, page_with: Callable[[str], object], *, status: int = 200
) -> Template:
    """A form for people not signed in; `page_with` makes its page for a form token.

    Effects: sets a form cookie where the browser has none yet.
    """
    settings = _settings(request)
    cookie = None
    token = csrf.token_of(request)
    if not token:
        cookie = csrf.new_form_cookie(settings)
        token = csrf.token_for(settings, cookie.value or "")
    page = render.bare_page(request, name, context=page_with(token), status=status)
    if cookie:
        page.set_cookie(cookie)
    return page


def _with_token(
    context: SignInPage | LinkPage, token: str, settings: Settings
) -> SignInPage | LinkPage:
    if isinstance(context, LinkPage):
        return LinkPage(context.link, context.error, token)
    refused = INSECURE if not is_safe(settings) else ""
    return replace(context, error=context.error or refused, token=token, is_refused=bool(refused))


def demo_people(request: HTMXRequest) -> tuple[tuple[User, str], ...]:
    """The people of the demo and their roles in words; none where this is no demo.

    Only `letterbook demo` shows them, and only to this machine: a click signs one in as them.
    """
    if not request.app.state.is_demo or not _is_this_machine(address_of(request)):
        return ()
    store = store_of(request)
    names = {role.id: role.name for role in users.roles(store)}
    return tuple(
        (user, ", ".join(names[role] for role in users.roles_of(store, user.id)))
        for user in users.all_active(store)
    )


def _is_this_machine(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def welcome(settings: Settings, token: str, wanted: str) -> Redirect:
    answer = Redirect(wanted, status_code=303)
    answer.set_cookie(session_cookie(settings, token))
    return answer


def is_safe(settings: Settings) -> bool:
    return settings.is_https or settings.is_loopback


def refuse_plain_http(settings: Settings) -> None:
    if not is_safe(settings):
        raise Forbidden(INSECURE)


def _settings(request: HTMXRequest) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def address_of(request: HTMXRequest) -> str:
    return client_address(request.headers, request.client.host if request.client else "")


def agent_of(request: HTMXRequest) -> str:
    return request.headers.get("user-agent", "")[:200]


router = Router(
    SIGN_IN, route_handlers=[show, create, show_link, use_link], opt={"is_public": True}
)
out = Router("/", route_handlers=[sign_out])
