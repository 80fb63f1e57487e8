"""The resource "API tokens": a person's own on the profile, everybody's for administrators."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import Invalid
from app.model import Viewer
from app.store import api_tokens
from app.store.api_tokens import ApiToken
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.session import admins_only

TOKENS = "/profile/tokens"
TOKENS_OF_ALL = "/users/tokens"
_USUAL_DAYS: Final = "90"
_KEPT_IN_SIGHT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TokensPage:
    """A person's tokens and the form of a new one, as typed."""

    tokens: list[ApiToken]
    now: datetime
    name: str = ""
    days: str = _USUAL_DAYS
    chosen: frozenset[str] = frozenset()
    scopes: dict[str, str] = field(default_factory=lambda: dict(people.SCOPES))
    most_days: int = people.MOST_DAYS
    tab: str = "tokens"
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewTokenPage:
    """The token, shown this once."""

    token: str
    tab: str = "tokens"


@dataclass(frozen=True, slots=True)
class AllTokensPage:
    """Everybody's tokens: whose, for what, until when."""

    tokens: list[ApiToken]
    now: datetime


@get("/", sync_to_thread=True)
def mine(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    now = datetime.now(UTC)
    tokens = _in_sight(api_tokens.of_user(store_of(request), viewer.user_id), now)
    return _page(request, "profile/tokens.html", TokensPage(tokens, now))


@post("/", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store, now = store_of(request), datetime.now(UTC)
    name, days = forms.field(request, "name"), forms.field(request, "days")
    scopes = forms.fields(request, "scopes")
    number = int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else 0
    try:
        _, token = people.create_token(
            store, viewer.user_id, name=name, scopes=scopes, days=number, now=now
        )
    except Invalid as exc:
        tokens = _in_sight(api_tokens.of_user(store, viewer.user_id), now)
        errors = {exc.field: exc.reason}
        page = TokensPage(tokens, now, name, days, frozenset(scopes), errors=errors)
        return _page(request, "profile/tokens.html", page, status=422)
    return _page(request, "profile/token.html", NewTokenPage(token))


@post("/{token_id:str}/revoke", sync_to_thread=True)
def revoke_mine(
    request: HTMXRequest, viewer: NamedDependency[Viewer], token_id: FromPath[str]
) -> Redirect:
    people.revoke_token(store_of(request), viewer, token_id, now=datetime.now(UTC))
    return render.to(TOKENS, done=flash.SAVED)


@get("/", sync_to_thread=True)
def everybodys(request: HTMXRequest) -> Template:
    now = datetime.now(UTC)
    context = AllTokensPage(_in_sight(api_tokens.every(store_of(request)), now), now)
    return render.page(request, "users/tokens.html", context=context, section="users")


@post("/{token_id:str}/revoke", sync_to_thread=True)
def revoke(
    request: HTMXRequest, viewer: NamedDependency[Viewer], token_id: FromPath[str]
) -> Redirect:
    people.revoke_token(store_of(request), viewer, token_id, now=datetime.now(UTC))
    return render.to(TOKENS_OF_ALL, done=flash.SAVED)


def _in_sight(tokens: list[ApiToken], now: datetime) -> list[ApiToken]:
    """Without those that ended long ago; the audit keeps them."""
    return [
        one
        for one in tokens
        if one.is_good(now) or (one.revoked_at or one.expires_at) > now - _KEPT_IN_SIGHT
    ]


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="profile", status=status)


own = Router(TOKENS, route_handlers=[mine, create, revoke_mine])
of_all = Router(TOKENS_OF_ALL, route_handlers=[everybodys, revoke], guards=[admins_only])
