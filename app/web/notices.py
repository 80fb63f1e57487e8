"""What a mailbox's members are told: whom others let into it (R78)."""

from datetime import UTC, datetime

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect

from app.errors import Invalid
from app.model import Viewer
from app.store import audit, transaction
from app.web import forms, render
from app.web.db import store_of


@post("/", sync_to_thread=True)
def put_away(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    """Until the latest that stood there: what came meanwhile is told still."""
    store, now = store_of(request), datetime.now(UTC)
    with transaction(store):
        audit.note_told(store, viewer.user_id, until=min(_moment(request), now))
    return render.back_to(forms.field(request, "back"))


def _moment(request: HTMXRequest) -> datetime:
    text = forms.field(request, "until")
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise Invalid("until", "Open the queue and press the button there.")
    return datetime.fromtimestamp(int(text), UTC)


router = Router("/email/notices", route_handlers=[put_away])
