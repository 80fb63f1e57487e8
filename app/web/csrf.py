"""Every change comes from our own page: a token in each form, and the browser's word for it.

The token is an HMAC of the session's own secret (before sign-in: of a random cookie), so that
there is nothing to store, it dies with the session, and a planted cookie does not help.
"""

import hmac
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import Cookie, FormMultiDict
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.settings import Settings
from app.web import uploads
from app.web.db import AnyRequest
from app.web.session import signed_in

FIELD: Final = "_csrf"
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_FORMS: Final = frozenset((RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART))
_LOOPBACK: Final = ("127.0.0.1", "localhost")


def form_cookie_name(settings: Settings) -> str:
    """The cookie behind the token of a form that is open to people not signed in."""
    return "__Host-letterbook-form" if settings.is_https else "letterbook-form"


def new_form_cookie(settings: Settings) -> Cookie:
    return Cookie(
        key=form_cookie_name(settings),
        value=token_urlsafe(32),
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def token_for(settings: Settings, secret: str) -> str:
    """The form token that belongs to a session's or a form cookie's secret."""
    key = f"{secret}\0{settings.secret_key}".encode()
    return hmac.new(key, b"letterbook form token", sha256).hexdigest()


def token_of(request: AnyRequest) -> str:
    """The token for the forms of this answer; empty without a session and a form cookie."""
    settings: Settings = request.app.state.settings
    found = signed_in(request)
    secret = found.token if found else request.cookies.get(form_cookie_name(settings), "")
    return token_for(settings, secret) if secret else ""


def own_origins(settings: Settings) -> tuple[str, ...]:
    """The origins that are us: the public address and, on loopback, its other names."""
    parts = urlsplit(settings.public_url)
    port = f":{parts.port}" if parts.port else ""
    own = f"{parts.scheme}://{parts.netloc}"
    if not settings.is_loopback:
        return (own,)
    return tuple(dict.fromkeys((own, *(f"{parts.scheme}://{name}{port}" for name in _LOOPBACK))))


class FormGuard(ASGIMiddleware):
    """Refuses unsafe methods without our token or from elsewhere; leaves the form in the state.

    A handler in a worker thread cannot read the body, so that `forms.fields` takes it from there.
    """

    exclude_opt_key = "is_api"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._origins = own_origins(settings)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: AnyRequest = scope["litestar_app"].request_class(scope, receive=receive)
        if request.method not in _SAFE:
            self._check_origin(request)
            given, expected = "", token_of(request)
            if request.content_type[0] in _FORMS:
                form = await self._form(request, expected)
                scope["state"]["form"] = form
                given = str(form.get(FIELD, ""))
            if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
                raise PermissionDeniedException(
                    "This form is out of date. Go back, reload the page and send it again."
                )
        await next_app(scope, receive, send)

    async def _form(self, request: AnyRequest, expected: str) -> FormMultiDict:
        """The form; where a page takes a file (opt `takes_upload`), the file is left beside it."""
        is_upload = request.content_type[0] == RequestEncodingType.MULTI_PART
        opt = request.scope["route_handler"].opt
        if not (is_upload and opt.get("takes_upload")):
            return await request.form()
        form, upload = await uploads.receive(
            request,
            self._settings.data / "uploads",
            limit_bytes=opt.get("upload_limit", self._settings.upload_limit),
            token=(FIELD, expected),
        )
        request.scope["state"]["upload"] = upload
        return form

    def _check_origin(self, request: AnyRequest) -> None:
        """The browser's own word; very old ones give none, then the token decides.

        A page with Referrer-Policy no-referrer, as ours, sends "Origin: null" with its forms
        (Fetch, 3.1): then Sec-Fetch-Site must say that the form is our own.
        """
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        is_own = origin in (None, "null", *self._origins) and site in (None, "same-origin")
        if not is_own or (origin == "null" and site is None):
            raise PermissionDeniedException(
                "This form came from another address than Letterbook's own"
                f" ({self._origins[0]}). Open Letterbook there and send it again."
            )
