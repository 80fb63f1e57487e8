"""Who is signed in: the session cookie, and the gate in front of every page but a few."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Response
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.response import Redirect
from litestar.types import ASGIApp, Receive, Scope, Send

from app import people
from app.errors import NotFound
from app.model import User, Viewer
from app.settings import Settings
from app.store.audit import came_from
from app.web.db import AnyRequest, Stores
from app.web.format import viewer_zone

HOME: Final = "/email/queue"
SIGN_IN: Final = "/sign-in"
SET_UP: Final = "/set-up"
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_LIFETIME_SECONDS: Final = 60 * 60 * 24 * 30


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a request, his rights as of now, his session's token and time zone."""

    viewer: Viewer
    user: User
    token: str
    zone: tzinfo


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host and https; plain http on loopback cannot have it."""
    return "__Host-letterbook" if settings.is_https else "letterbook"


def session_cookie(settings: Settings, token: str) -> Cookie:
    return _cookie(settings, token, max_age=_LIFETIME_SECONDS)


def ended_cookie(settings: Settings) -> Cookie:
    return _cookie(settings, "", max_age=0)


def signed_in(request: AnyRequest) -> SignedIn | None:
    """Who is signed in, or None on the few pages that are open to all."""
    return request.scope["state"].get("signed_in")


def provide_viewer(request: AnyRequest) -> Viewer:
    """The viewer of a page behind the gate."""
    return current(request).viewer


def current(request: AnyRequest) -> SignedIn:
    """Who is signed in, on a page behind the gate."""
    found = signed_in(request)
    if found is None:
        raise NotAuthorizedException
    return found


def zone_of(request: AnyRequest) -> tzinfo:
    """The time zone in which whoever is signed in means his dates."""
    return current(request).zone


def admins_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: for people who are no administrators the page is not there."""
    found: SignedIn | None = connection.scope["state"].get("signed_in")
    if found is None or not found.viewer.is_admin:
        raise NotFound


def local_path(text: str) -> str:
    """`text` if it is a path on this site, else the queue: nothing redirects elsewhere."""
    if len(text) > 2000 or not _LOCAL_PATH.fullmatch(text):
        return HOME
    parts = urlsplit(text)
    is_elsewhere = parts.scheme or parts.netloc or parts.path.startswith((SIGN_IN, SET_UP))
    return HOME if is_elsewhere else text


class Gate(ASGIMiddleware):
    """Finds the session; pages that are not marked `is_public` need one.

    While nobody was ever made, all pages but those marked `is_before_set_up` lead to the first.
    """

    exclude_opt_key = "is_api"

    def __init__(self, settings: Settings, stores: Stores) -> None:
        self._settings = settings
        self._stores = stores
        self._is_set_up = False

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: AnyRequest = scope["litestar_app"].request_class(scope, receive=receive)
        token = request.cookies.get(cookie_name(self._settings), "")
        found = None
        if token or not self._is_set_up:
            found = await sync_to_thread(self._find, token)
        scope["state"]["signed_in"] = found
        note_origin(request)
        viewer_zone.set(found.zone if found else None)
        marks = scope["route_handler"].opt
        if not (self._is_set_up or marks.get("is_before_set_up", False)):
            answer: Response[None] | Redirect = _to(request, SET_UP)
        elif found or marks.get("is_public", False):
            await next_app(scope, receive, send)
            return
        else:
            answer = _to_sign_in(request)
        await answer.to_asgi_response(None, request)(scope, receive, send)

    def _find(self, token: str) -> SignedIn | None:
        store = self._stores.get()
        self._is_set_up = self._is_set_up or not people.needs_set_up(store)
        found = people.viewer_of_session(store, token, now=datetime.now(UTC)) if token else None
        return SignedIn(*found, token, people.zone_of(store, found[1])) if found else None


def _to_sign_in(request: AnyRequest) -> Response[None] | Redirect:
    """To the sign-in page and, for a page that can be asked for again, back afterwards."""
    if request.headers.get("hx-request") == "true" or request.method not in ("GET", "HEAD"):
        return _to(request, SIGN_IN)
    query = request.scope["query_string"].decode("latin-1")
    wanted = local_path(request.scope["path"] + (f"?{query}" if query else ""))
    return Redirect(f"{SIGN_IN}?next={quote(wanted, safe='/')}", status_code=303)


def _to(request: AnyRequest, path: str) -> Response[None] | Redirect:
    if request.headers.get("hx-request") == "true":
        return Response(None, status_code=200, headers={"HX-Redirect": path})
    return Redirect(path, status_code=303)


def _cookie(settings: Settings, token: str, *, max_age: int) -> Cookie:
    return Cookie(
        key=cookie_name(settings),
        value=token,
        path="/",
        max_age=max_age,
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def note_origin(request: AnyRequest) -> str:
    """Where a request comes from. Effects: what it does is in the audit as from there."""
    host = request.client.host if request.client else ""
    address = client_address(request.headers, host) or "unknown"
    came_from.set(address)
    return address


def client_address(headers: Mapping[str, str], host: str) -> str:
    """Where a request comes from; a proxy's word counts only from this machine."""
    forwarded = headers.get("x-forwarded-for", "")
    if forwarded and host in ("127.0.0.1", "::1"):
        return forwarded.rsplit(",", 1)[-1].strip()[:64]
    return host
