"""The resource "access to an archived message": who may read it, and where it lies (R50, A10)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import filing
from app.errors import Conflict, Forbidden, Invalid
from app.filing import Readership
from app.model import Filing, Message, Role, Row, Viewer
from app.store import Store, filings, messages, queue, users
from app.web import flash, forms, render
from app.web.archives import ARCHIVES
from app.web.db import store_of
from app.web.filing_form import chosen_roles, known_roles


@dataclass(frozen=True, slots=True)
class AccessPage:
    """The roles that may read a message, as chosen so far, and the records it lies under.

    `filings` are those under records that the viewer may see; `version` stands for the roles that
    were saved when the form was made; `may_lose_it` that roles could keep the viewer out too.
    """

    row: Row
    filings: list[Filing]
    roles: list[Role]
    chosen_roles: frozenset[str]
    keepers: tuple[str, ...]
    version: str
    may_lose_it: bool
    readers: Readership
    errors: dict[str, str] = field(default_factory=dict)


@get("/access", sync_to_thread=True)
def edit(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    if message.archived_at is None:
        return render.to(f"/email/messages/{message.public_id}/attach")
    chosen = None
    if "version" in request.query_params:
        chosen = frozenset(map(str, request.query_params.getall("roles", [])))
    return _page(request, _access_page(store, viewer, message, chosen))


@post("/access", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    chosen, version = frozenset(forms.fields(request, "roles")), forms.field(request, "version")
    try:
        roles, now = chosen_roles(chosen), datetime.now(UTC)
        filing.set_roles(store, viewer, message.id, roles, version=version, now=now)
    except Invalid as exc:
        context = _access_page(store, viewer, message, chosen, {exc.field: exc.reason})
        return _page(request, context, status=422)
    except Conflict as exc:
        context = _access_page(store, viewer, message, errors={"roles": str(exc)})
        return _page(request, context, status=422)
    return render.to(ARCHIVES, done=flash.SAVED)


def _page(request: HTMXRequest, context: AccessPage, *, status: int = 200) -> Template:
    return render.page(
        request, "access/edit.html", context=context, section="archives", status=status
    )


def _access_page(
    store: Store,
    viewer: Viewer,
    message: Message,
    chosen: frozenset[str] | None = None,
    errors: dict[str, str] | None = None,
) -> AccessPage:
    """Raises Forbidden for a reader who may not change it."""
    if not filing.may_change_access(store, viewer, message.id):
        raise Forbidden(
            "You may read this message, but who else may is changed by whoever archived it, by"
            " people with access to its mailbox, and by administrators."
        )
    standing = frozenset(str(role.id) for role in filings.roles_of(store, message.id))
    shown = standing if chosen is None else chosen
    return AccessPage(
        row=queue.row(store, viewer, message.id),
        filings=filings.visible(store, viewer, message.id),
        roles=users.roles(store),
        chosen_roles=shown,
        readers=filing.readers_within(store, viewer, message.id, known_roles(shown)),
        keepers=filing.keepers(store, viewer, message.id),
        version=filing.access_version(store, message.id),
        may_lose_it=filing.may_lose_it(store, viewer, message.id),
        errors=errors or {},
    )


router = Router("/email/messages/{message_id:str}", route_handlers=[edit, update])
