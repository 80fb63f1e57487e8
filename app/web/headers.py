"""The headers of every answer, errors included: what a browser may do with our pages."""

from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
FILE_POLICY: Final = "sandbox; default-src 'none'"
PRIVATE: Final = "private, no-store"


async def add_headers(message: Message, scope: Scope) -> None:
    """Add what the handler did not set itself. Runs before each answer is sent."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cache-Control", _cache_control(scope, message["status"]))
    if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
        headers.setdefault("X-Frame-Options", "DENY")


def body_policy(origins: tuple[str, ...], *, with_remote: bool = False) -> str:
    """The policy of a mail's own HTML: no scripts, no address of its own, shown by us only.

    `with_remote` lets this one answer load images by https.
    """
    images = "data: https:" if with_remote else "data:"
    return (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
        f" style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none';"
        f" frame-ancestors {' '.join(origins)}"
    )


def _cache_control(scope: Scope, status: int) -> str:
    if not scope["path"].startswith("/static/") or status != 200:
        return PRIVATE
    has_hash = scope["query_string"].startswith(b"v=")
    return "public, max-age=31536000, immutable" if has_hash else "no-cache"
