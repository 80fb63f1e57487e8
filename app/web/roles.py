"""The resource "roles", for administrators: made, renamed, removed."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import Conflict, Invalid, NotFound
from app.model import Role, RoleId, Viewer
from app.store import Store, users
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
    """The form of a role; `use` is None for a new one, `seen` the name it started with.

    `others` may be put in its place, once it is removed; `removal` tells what that would mean.
    """

    name: str = ""
    seen: str = ""
    use: RoleUse | None = None
    saved: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    others: tuple[Role, ...] = ()
    in_its_place: RoleId | None = None
    removal: people.Removal | None = None


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
    store = store_of(request)
    return _page(request, "roles/form.html", _kept(request, store, _id(role_id)))


@post("/{role_id:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], role_id: FromPath[str]
) -> Template | Redirect:
    store, role, now = store_of(request), _id(role_id), datetime.now(UTC)
    name, seen = forms.field(request, "name"), forms.field(request, "seen")
    try:
        people.rename_role(store, role, name, seen=seen, by=viewer.user_id, now=now)
    except Invalid as exc:
        page = replace(_kept(request, store, role), name=name, seen=seen)
        page = replace(page, errors={exc.field: exc.reason})
        return _page(request, "roles/form.html", page, status=422)
    except Conflict as exc:
        page = _kept(request, store, role)
        saved, errors = (("Name", page.name),), {"conflict": str(exc)}
        page = replace(page, name=name, saved=saved, errors=errors)
        return _page(request, "roles/form.html", page, status=422)
    return render.to(ROLES, done=flash.SAVED)


@post("/{role_id:str}/remove", sync_to_thread=True)
def remove(
    request: HTMXRequest, viewer: NamedDependency[Viewer], role_id: FromPath[str]
) -> Template | Redirect:
    store, role = store_of(request), _id(role_id)
    try:
        people.remove_role(
            store,
            role,
            in_its_place=_asked(forms.field(request, "in_its_place")),
            by=viewer.user_id,
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        page = replace(_kept(request, store, role), errors={exc.field: exc.reason})
        return _page(request, "roles/form.html", page, status=422)
    return render.to(ROLES, done=flash.REMOVED)


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="roles", status=status)


def _kept(request: HTMXRequest, store: Store, role_id: RoleId) -> RolePage:
    """The role as it is, and what its removal would mean if that was asked."""
    use = people.use_of_role(store, role_id)
    others = tuple(role for role in users.roles(store) if role.id != role_id)
    place = _asked(forms.asked(request, "in_its_place"))
    if place not in {role.id for role in others}:
        place = None
    removal = people.preview_removal(store, role_id, place) if place else None
    return RolePage(
        use.role.name,
        use.role.name,
        use,
        others=others,
        in_its_place=place,
        removal=removal,
    )


def _asked(text: str) -> RoleId | None:
    """The role that a form named; None: none; one that is not there for anything else."""
    if not text:
        return None
    try:
        return _id(text)
    except NotFound:
        return RoleId(0)


def _id(text: str) -> RoleId:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound
    return RoleId(int(text))


router = Router(
    ROLES, route_handlers=[index, new, create, edit, update, remove], guards=[admins_only]
)
