"""Who sees a record that an administrator does not see: he may let people in, himself too (R78)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import records
from app.errors import Invalid
from app.model import Record, Role, User, UserId, Viewer
from app.store import Store, users
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.session import admins_only


@dataclass(frozen=True, slots=True)
class RecordAccessPage:
    """The roles and people that a record is kept for, and who could be let in; not its name."""

    record_id: str
    roles: list[Role]
    people: list[User]
    others: list[User]
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_id: FromPath[str]
) -> Template:
    store = store_of(request)
    return _page(request, store, records.kept_for_some(store, viewer, record_id))


@post("/", sync_to_thread=True)
def let_in(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    record = records.kept_for_some(store, viewer, record_id)
    known: dict[str, UserId] = {user.public_id: user.id for user in users.all_active(store)}
    try:
        chosen = forms.fields(request, "people")
        if not known.keys() >= set(chosen):
            raise Invalid("people", "One of the people is not there any more. Choose again.")
        people = [known[one] for one in chosen]
        records.let_in(store, viewer, record_id, people, now=datetime.now(UTC))
    except Invalid as exc:
        return _page(request, store, record, {exc.field: exc.reason})
    return render.to(f"/audit/records/{record_id}", done=flash.SAVED)


def _page(
    request: HTMXRequest, store: Store, record: Record, errors: dict[str, str] | None = None
) -> Template:
    context = RecordAccessPage(
        record.public_id,
        [role for role in users.roles(store) if role.id in record.roles],
        [user for user in users.every(store) if user.id in record.users],
        [user for user in users.all_active(store) if user.id not in record.users],
        errors or {},
    )
    status = 422 if errors else 200
    return render.page(
        request, "audit/record.html", context=context, section="audit", status=status
    )


router = Router(
    "/audit/records/{record_id:str}", route_handlers=[show, let_in], guards=[admins_only]
)
