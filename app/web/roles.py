"""The resource "roles", for administrators: made, renamed, removed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import Conflict, Invalid, NotFound
from app.model import RoleId, Viewer
from app.store import users
from app.store.users import RoleUse
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.session import admins_only

ROLES = "/roles"


@dataclass(frozen=True, slots=True)
class RolesPage:
    """Every role with the number of its people."""

    roles: list[RoleUse]


@dataclass(frozen=True, slots=True)
class RolePage:
    """The form of a role; `use` is None for a new one, `seen` the name it started with."""

    name: str = ""
    seen: str = ""
    use: RoleUse | None = None
    saved: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True)
def index(request: HTMXRequest) -> Template:
    return _page(request, "roles/index.html", RolesPage(users.role_uses(store_of(request))))


@get("/new", sync_to_thread=True)
def new(request: HTMXRequest) -> Template:
    return _page(request, "roles/form.html", RolePage())


@post("/", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    name = forms.field(request, "name")
    try:
        people.create_role(store_of(request), name, by=viewer.user_id, now=datetime.now(UTC))
    except Invalid as exc:
        page = RolePage(name, errors={exc.field: exc.reason})
        return _page(request, "roles/form.html", page, status=422)
    return render.to(ROLES, done=flash.SAVED)


@get("/{role_id:str}/edit", sync_to_thread=True)
def edit(request: HTMXRequest, role_id: FromPath[str]) -> Template:
    use = people.use_of_role(store_of(request), _id(role_id))
    return _page(request, "roles/form.html", RolePage(use.role.name, use.role.name, use))


@post("/{role_id:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], role_id: FromPath[str]
) -> Template | Redirect:
    store, role, now = store_of(request), _id(role_id), datetime.now(UTC)
    name, seen = forms.field(request, "name"), forms.field(request, "seen")
    try:
        people.rename_role(store, role, name, seen=seen, by=viewer.user_id, now=now)
    except Invalid as exc:
        page = RolePage(name, seen, people.use_of_role(store, role), (), {exc.field: exc.reason})
        return _page(request, "roles/form.html", page, status=422)
    except Conflict as exc:
        use = people.use_of_role(store, role)
        saved = (("Name", use.role.name),)
        page = RolePage(name, use.role.name, use, saved, {"conflict": str(exc)})
        return _page(request, "roles/form.html", page, status=422)
    return render.to(ROLES, done=flash.SAVED)


@post("/{role_id:str}/remove", sync_to_thread=True)
def remove(
    request: HTMXRequest, viewer: NamedDependency[Viewer], role_id: FromPath[str]
) -> Template | Redirect:
    store, role = store_of(request), _id(role_id)
    try:
        people.remove_role(store, role, by=viewer.user_id, now=datetime.now(UTC))
    except Invalid as exc:
        use = people.use_of_role(store, role)
        page = RolePage(use.role.name, use.role.name, use, (), {exc.field: exc.reason})
        return _page(request, "roles/form.html", page, status=422)
    return render.to(ROLES, done=flash.REMOVED)


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="roles", status=status)


def _id(text: str) -> RoleId:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound
    return RoleId(int(text))


router = Router(
    ROLES, route_handlers=[index, new, create, edit, update, remove], guards=[admins_only]
)
