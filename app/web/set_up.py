"""The first page of an empty Letterbook: the team and its first administrator."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from litestar import Router, get, post
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.model import Team
from app.settings import Settings, is_loopback_host, machine_zone
from app.store import Store
from app.web import forms, render
from app.web.db import store_of
from app.web.session import SET_UP, SIGN_IN
from app.web.signin import (
    INSECURE,
    address_of,
    agent_of,
    is_safe,
    open_form,
    refuse_plain_http,
    welcome,
)

FIRST_PAGE: Final = "/email/accounts"
_FORWARDED: Final = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class SetUpPage:
    """The form as typed; `asks_code` where somebody else could have opened it."""

    name: str = ""
    email: str = ""
    company: str = ""
    domains: str = ""
    language: str = "en"
    time_zone: str = ""
    asks_code: bool = False
    refused: str = ""
    token: str = ""
    languages: dict[str, str] = field(default_factory=lambda: dict(people.LANGUAGES))
    zones: tuple[str, ...] = field(default_factory=people.zone_names)
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True)
def show(request: HTMXRequest) -> Template:
    if not people.needs_set_up(store_of(request)):
        raise NotFound
    return _form(request, SetUpPage(time_zone=machine_zone()))


@post("/", sync_to_thread=True)
def create(request: HTMXRequest) -> Template | Redirect:
    settings: Settings = request.app.state.settings
    typed = _typed(request)
    try:
        refuse_plain_http(settings)
        token = _set_up(request, store_of(request), typed)
    except Conflict:
        return render.to(SIGN_IN)
    except Forbidden:
        return _form(request, typed, status=422)
    except Invalid as exc:
        return _form(request, replace(typed, errors={_id_of(exc): exc.reason}), status=422)
    return welcome(settings, token, FIRST_PAGE)


def asks_code(request: HTMXRequest) -> bool:
    """Whether the browser may stand elsewhere than at this machine.

    A proxy, or a port that was forwarded into a container, makes everybody look near.
    """
    settings: Settings = request.app.state.settings
    host = request.client.host if request.client else ""
    is_near = settings.is_loopback and is_loopback_host(host)
    return not is_near or any(name in request.headers for name in _FORWARDED)


def _set_up(request: HTMXRequest, store: Store, typed: SetUpPage) -> str:
    """The new session's token. Raises Conflict, Invalid."""
    now, address = datetime.now(UTC), address_of(request)
    if not people.needs_set_up(store):
        raise Conflict("The team is set up already. Sign in.")
    if asks_code(request):
        expected: bytes | None = request.app.state.set_up_code
        people.check_code(store, forms.field(request, "code"), expected, address=address, now=now)
    if not typed.company:
        raise Invalid("company", "Type the name of your company.")
    password = forms.secret(request, "password")
    if password != forms.secret(request, "again"):
        raise Invalid("again", "The two passwords differ. Type the same one twice.")
    return people.set_up(
        store,
        Team(
            (typed.company,),
            tuple(typed.domains.replace(",", " ").split()),
            typed.language,
            typed.time_zone,
        ),
        email=typed.email,
        name=typed.name,
        password=password,
        address=address,
        agent=agent_of(request),
        now=now,
    )


def _typed(request: HTMXRequest) -> SetUpPage:
    name, email, company, domains, language, time_zone = (
        forms.field(request, one)
        for one in ("name", "email", "company", "domains", "language", "time_zone")
    )
    return SetUpPage(name, email, company, domains, language, time_zone)


def _id_of(error: Invalid) -> str:
    return "company" if error.field == "names" else error.field


def _form(request: HTMXRequest, page: SetUpPage, *, status: int = 200) -> Template:
    settings: Settings = request.app.state.settings
    refused = "" if is_safe(settings) else INSECURE
    asked = replace(page, asks_code=asks_code(request), refused=refused)
    return open_form(
        request,
        "set_up/index.html",
        lambda token: replace(asked, token=token),
        status=status,
    )


router = Router(
    SET_UP, route_handlers=[show, create], opt={"is_public": True, "is_before_set_up": True}
)
