"""The JSON API under /api/v1: who asks is told by a token, never by a cookie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Final

from litestar.concurrency import sync_to_thread
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.middleware import ASGIMiddleware
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send

from app import people
from app.errors import AuthFailed
from app.model import Viewer
from app.settings import Settings
from app.store.api_tokens import ApiToken
from app.web.db import AnyRequest, Stores
from app.web.session import note_origin

NEEDS: Final = "needs"
"""Of a handler's `opt`: the scopes of which one is enough. Without it a handler is closed."""

READ: Final = {NEEDS: ("read",)}
READ_RECORDS: Final = {NEEDS: ("read", "records")}
WRITE_RECORDS: Final = {NEEDS: ("records",)}
FILE: Final = {NEEDS: ("file",)}
ANY: Final = {NEEDS: tuple(people.SCOPES)}

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str, QueryParameter(max_length=100, description="`next` of the page before; empty: the first.")
]

_REALM: Final = 'Bearer realm="Letterbook"'
_WITHOUT: Final = (
    "Send a token in the header Authorization: Bearer. It is made under Profile, API tokens."
)
_IN_THE_CLEAR: Final = (
    "Letterbook takes no tokens over plain http from other machines: they would cross the network"
    " in the clear. Put Caddy in front of it (see docs/install.md), set LETTERBOOK_PUBLIC_URL to"
    " its https address, and make a new token."
)
_CHANGING: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))


@dataclass(frozen=True, slots=True)
class Caller:
    """The person that a request's token stands for, with his rights and time zone of now."""

    viewer: Viewer
    token: ApiToken
    zone: tzinfo


def caller_of(request: AnyRequest) -> Caller:
    """Who asks, behind the gate."""
    found: Caller = request.scope["state"]["caller"]
    return found


def provide_caller(request: AnyRequest) -> Viewer:
    """The viewer of a request behind the gate."""
    return caller_of(request).viewer


class TokenGate(ASGIMiddleware):
    """Lets in whoever has a good token with one of the scopes that the handler needs."""

    def __init__(self, settings: Settings, stores: Stores) -> None:
        self._is_safe = settings.is_https or settings.is_loopback
        self._stores = stores

    @staticmethod
    def should_bypass_for_scope(scope: Scope) -> bool:
        """Pages have a gate of their own."""
        marks = scope["route_handler"].opt
        return not marks.get("is_api") or bool(marks.get("is_public"))

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: AnyRequest = scope["litestar_app"].request_class(scope, receive=receive)
        if not self._is_safe:
            raise PermissionDeniedException(_IN_THE_CLEAR)
        caller = await sync_to_thread(self._find, bearer(request.headers), note_origin(request))
        _require_scope(request, caller.token)
        _require_json(request)
        scope["state"]["caller"] = caller
        await next_app(scope, receive, send)

    def _find(self, token: str, address: str) -> Caller:
        if not token:
            raise NotAuthorizedException(_WITHOUT, headers={"WWW-Authenticate": _REALM})
        store, now = self._stores.get(), datetime.now(UTC)
        try:
            viewer, found = people.viewer_of_token(store, token, address=address, now=now)
        except people.TooManyAttempts as exc:
            wait = str(int(people.FAILURES_WITHIN.total_seconds()))
            raise TooManyRequestsException(str(exc), headers={"Retry-After": wait}) from exc
        except AuthFailed as exc:
            says = f'{_REALM}, error="invalid_token"'
            raise NotAuthorizedException(str(exc), headers={"WWW-Authenticate": says}) from exc
        return Caller(viewer, found, people.zone_of(store, found.user))


def bearer(headers: Mapping[str, str]) -> str:
    """The token of the header Authorization; "" if there is none."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _require_scope(request: AnyRequest, token: ApiToken) -> None:
    if request.method == "OPTIONS":
        return
    needed: tuple[str, ...] = request.scope["route_handler"].opt.get(NEEDS, ())
    if set(needed).isdisjoint(token.scopes):
        one_of = " or ".join(needed)
        says = f'{_REALM}, error="insufficient_scope", scope="{" ".join(needed)}"'
        raise PermissionDeniedException(
            f"This token is not for that: it needs the scope {one_of}, and has"
            f" {', '.join(token.scopes)}. Make one with it under Profile, API tokens.",
            headers={"WWW-Authenticate": says},
            extra={"scope": one_of},
        )


def _require_json(request: AnyRequest) -> None:
    sent = request.headers.get("content-type", "")
    if request.method in _CHANGING and sent and request.content_type[0] != "application/json":
        raise HTTPException(
            status_code=415, detail="Send JSON, with the header Content-Type: application/json."
        )
