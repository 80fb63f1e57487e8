"""The resource "message": its page ("Display"), its HTML in a frame, its parts and its source."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app.errors import NotFound
from app.mail.redact import marked
from app.model import Message, Viewer
from app.sight import Sight, sight
from app.store import Store, messages
from app.web import csrf, render
from app.web.db import store_of
from app.web.forms import asked
from app.web.headers import FILE_POLICY, PRIVATE, body_policy
from app.web.html_body import SafeHtml, raster_type, safe_html
from app.web.view import mail_html, message_view

_UNSAFE_IN_NAME: Final = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|;%]+')
_LONGEST_NAME: Final = 120
MOST_NAMED: Final = 1_000


@dataclass(frozen=True, slots=True)
class BodyPage:
    """The document in the frame: safe HTML, or the plain text where the HTML is over a limit."""

    safe: SafeHtml | None
    text: str


@dataclass(frozen=True, slots=True)
class WhoPage:
    """Why the viewer can see a message, and who else can; of those the first `most` are named."""

    message: Message
    sight: Sight
    most: int = MOST_NAMED


@get("/", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template:
    view = message_view(store_of(request), viewer, message_id, wanted=asked(request, "view"))
    section = "archives" if view.message.archived_at else "queue"
    return render.page(request, "messages/show.html", context=view, section=section)


@get("/who", sync_to_thread=True)
def who(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template:
    """Why the viewer can see it, and who else can (R79)."""
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    context = WhoPage(message, sight(store, viewer, message.id))
    section = "archives" if message.archived_at else "queue"
    return render.page(
        request,
        "messages/who.html",
        context=context,
        section=section,
        fragment="messages/_who.html",
    )


@get("/body", sync_to_thread=True)
def body(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template:
    mail = mail_html(store_of(request), viewer, message_id)
    with_remote = asked(request, "images") == "1"
    context = BodyPage(safe_html(mail.html, mail.images, with_remote=with_remote), mail.text)
    page = render.bare_page(request, "messages/body.html", context=context)
    origins = csrf.own_origins(request.app.state.settings)
    page.headers["Content-Security-Policy"] = body_policy(origins, with_remote=with_remote)
    return page


@get("/source.eml", sync_to_thread=True)
def source(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Response[bytes]:
    return source_file(store_of(request), viewer, message_id)


@get("/parts/{position:int}", sync_to_thread=True)
def part(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    message_id: FromPath[str],
    position: FromPath[int],
) -> Response[bytes]:
    return part_file(store_of(request), viewer, message_id, position)


def source_file(store: Store, viewer: Viewer, public_id: str) -> Response[bytes]:
    """The message as a download; a header says whether it is exact (A20). Raises NotFound."""
    message = messages.get(store, viewer, public_id)
    copy = messages.best_copy(store, viewer, message.id)
    raw, mark = (copy.raw, "") if copy.is_own else (marked(copy.raw), "-without-bcc")
    name = f"{clean_name(message.subject) or 'message'}{mark}.eml"
    answer = _file(raw, name, "message/rfc822")
    answer.headers["Letterbook-Source"] = "exact" if copy.is_own else "without-bcc"
    return answer


def part_file(store: Store, viewer: Viewer, public_id: str, position: int) -> Response[bytes]:
    """A part, decoded, as a download. Raises NotFound."""
    message = messages.get(store, viewer, public_id)
    if not 0 <= position < 100_000:
        raise NotFound
    found, content = messages.part_bytes(store, viewer, message.id, position)
    name = clean_name(found.filename) or f"part-{position}"
    return _file(content, name, raster_type(content) or "application/octet-stream")


def clean_name(name: str) -> str:
    """A file name without paths, controls and what systems forbid in names."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1] if "/" in name or "\\" in name else name
    visible = "".join(one for one in name if unicodedata.category(one) not in ("Cc", "Cf", "Cs"))
    cleaned = _UNSAFE_IN_NAME.sub("_", visible).strip(" .")
    if len(cleaned) <= _LONGEST_NAME:
        return cleaned
    stem, dot, extension = cleaned.rpartition(".")
    if not dot or len(extension) > 10:
        return cleaned[:_LONGEST_NAME]
    return f"{stem[: _LONGEST_NAME - len(extension) - 1]}.{extension}"


def disposition(name: str) -> str:
    """Content-Disposition for a download (RFC 6266, the name in UTF-8 by RFC 5987)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # Wide forms of quotes, slashes and semicolons have just become plain ones.
    plain = _UNSAFE_IN_NAME.sub("_", plain).strip(" .") or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _file(content: bytes, name: str, media_type: str) -> Response[bytes]:
    headers = {
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": FILE_POLICY,
        "X-Frame-Options": "DENY",
        "Cache-Control": PRIVATE,
    }
    return Response(content, media_type=media_type, headers=headers)


router = Router("/email/messages/{message_id:str}", route_handlers=[show, who, body, source, part])
