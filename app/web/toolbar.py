"""The buttons above the lists: what they do to the selected rows, or the page that does it."""

from datetime import UTC, datetime

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect

from app import filing
from app.errors import Invalid
from app.model import Viewer
from app.store import messages
from app.web import flash, render
from app.web.db import store_of
from app.web.forms import field, fields
from app.web.session import HOME


@post("/email/act", sync_to_thread=True)
def act(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    """Acts on the selection, else on the current row, which a script names."""
    chosen = [one for one in dict.fromkeys(fields(request, "message")) if one.isalnum()]
    if not chosen and (current := field(request, "current")).isalnum():
        chosen = [current]
    verb, back = field(request, "do"), field(request, "back")
    if not chosen:
        return render.back_to(back, done=flash.CHOOSE)
    if len(chosen) > filing.MOST_AT_ONCE:
        return render.back_to(back, done=flash.TOO_MANY)
    if verb in ("aside", "back"):
        return _set_aside(request, viewer, chosen, is_back=verb == "back")
    if verb in ("display", "edit"):
        if len(chosen) > 1:
            return render.back_to(back, done=flash.CHOOSE_ONE)
        return render.to(f"/email/messages/{chosen[0]}" + ("/access" if verb == "edit" else ""))
    back = render.place(back)
    given = {name: field(request, name) for name in ("type", "record")}
    given["back"] = field(request, "way") or ("" if back == HOME else back)
    if len(chosen) == 1:
        return render.to(f"/email/messages/{chosen[0]}/attach", **given)
    return render.to("/email/attach", message=chosen, **given)


def _set_aside(
    request: HTMXRequest, viewer: Viewer, chosen: list[str], *, is_back: bool
) -> Redirect:
    store, now, back = store_of(request), datetime.now(UTC), field(request, "back")
    if len(chosen) == 1:
        return set_one_aside(request, viewer, chosen[0], is_back=is_back)
    ids = [one.id for one in messages.by_public_ids(store, viewer, chosen)]
    do_all = filing.take_all_back if is_back else filing.set_all_aside
    done = do_all(store, viewer, ids, now=now)
    return render.back_to(
        back,
        done=flash.BACK_MANY if is_back else flash.ASIDE_MANY,
        message=chosen[0],
        n=str(len(done)),
        at="" if is_back else str(int(now.timestamp())),
    )


def set_one_aside(
    request: HTMXRequest, viewer: Viewer, message_id: str, *, is_back: bool
) -> Redirect:
    """Set a message aside, or take it back. Raises NotFound."""
    store, now = store_of(request), datetime.now(UTC)
    message = messages.get(store, viewer, message_id)
    done = flash.TAKEN_BACK if is_back else flash.ASIDE
    try:
        if is_back:
            filing.take_back(store, viewer, message.id, now=now)
        else:
            filing.set_aside(store, viewer, message.id, now=now)
    except Invalid:
        done = flash.FILED
    return render.back_to(field(request, "back"), done=done, message=message.public_id)


router = Router("/", route_handlers=[act])
