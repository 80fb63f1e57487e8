"""The resource "removal for good": a form for administrators who may read the message."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.errors import Forbidden, Invalid
from app.model import Message, Viewer
from app.purge import LONGEST_REASON, purge_message
from app.store import messages
from app.web import flash, forms, render
from app.web.db import store_of

WORD: Final = "REMOVE"
"""What is typed to confirm, in every language."""


@dataclass(frozen=True, slots=True)
class PurgePage:
    """The message, what was typed so far, and the word to type."""

    message: Message
    word: str = WORD
    longest: int = LONGEST_REASON
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@get("/purge", sync_to_thread=True)
def ask(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template:
    message = messages.get(store_of(request), viewer, message_id)
    if not viewer.is_admin:
        raise Forbidden("A message is removed for good by administrators only.")
    return _page(request, PurgePage(message))


@post("/purge", sync_to_thread=True)
def purge(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template | Redirect:
    store, reason = store_of(request), forms.field(request, "reason")
    message = messages.get(store, viewer, message_id)
    try:
        if viewer.is_admin and forms.field(request, "word") != WORD:
            raise Invalid("word", "Type the word as it stands there, in capitals.")
        purge_message(store, viewer, message.public_id, reason=reason, now=datetime.now(UTC))
    except Invalid as exc:
        context = PurgePage(message, reason=reason, errors={exc.field: exc.reason})
        return _page(request, context, status=422)
    return render.to("/email/queue", done=flash.REMOVED)


def _page(request: HTMXRequest, context: PurgePage, *, status: int = 200) -> Template:
    return render.page(
        request, "messages/purge.html", context=context, section="queue", status=status
    )


router = Router("/email/messages/{message_id:str}", route_handlers=[ask, purge])
