"""The resource "users", for administrators: invite, change, keep out, let in, one-time links."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import Conflict, Invalid
from app.model import Role, RoleId, User, Viewer
from app.settings import Settings
from app.store import Store, users
from app.store.users import Person
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.profile import PROFILE
from app.web.session import admins_only

USERS = "/users"


@dataclass(frozen=True, slots=True)
class UsersPage:
    """Everybody, with what he may do and when he was here last; the demo lets all in by a click."""

    people: list[Person]
    me: Viewer
    is_demo: bool


@dataclass(frozen=True, slots=True)
class UserPage:
    """The form of a person, as typed; `user` is None for a new one.

    `saved` is what is kept, where somebody else saved in between.
    """

    user: User | None
    roles: list[Role]
    name: str = ""
    email: str = ""
    is_admin: bool = False
    chosen: frozenset[RoleId] = frozenset()
    version: str = ""
    is_me: bool = False
    saved: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InvitePage:
    """The one-time link, shown this once."""

    user: User
    link: str


@get("/", sync_to_thread=True)
def index(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    found = users.people(store_of(request), now=datetime.now(UTC))
    return _page(request, "users/index.html", UsersPage(found, viewer, request.app.state.is_demo))


@get("/new", sync_to_thread=True)
def new(request: HTMXRequest) -> Template:
    return _page(request, "users/new.html", UserPage(None, users.roles(store_of(request))))


@post("/", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    typed = _typed(request, store, None)
    try:
        user, token = people.invite(
            store,
            email=typed.email,
            name=typed.name,
            is_admin=typed.is_admin,
            roles=forms.role_ids(request, "roles"),
            by=viewer.user_id,
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        page = _typed(request, store, None, errors={exc.field: exc.reason})
        return _page(request, "users/new.html", page, status=422)
    return _page(request, "users/link.html", InvitePage(user, _link(request, token)))


@get("/{user_id:str}/edit", sync_to_thread=True)
def edit(request: HTMXRequest, viewer: NamedDependency[Viewer], user_id: FromPath[str]) -> Template:
    store = store_of(request)
    user = users.by_public_id(store, user_id)
    return _page(request, "users/edit.html", _kept(store, viewer, user))


@post("/{user_id:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], user_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    user = users.by_public_id(store, user_id)
    try:
        people.change_user(
            store,
            user.id,
            name=forms.field(request, "name"),
            is_admin=bool(forms.field(request, "is_admin")),
            roles=forms.role_ids(request, "roles"),
            version=forms.field(request, "version"),
            by=viewer.user_id,
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        page = _typed(request, store, user, viewer, errors={exc.field: exc.reason})
        return _page(request, "users/edit.html", page, status=422)
    except Conflict as exc:
        page = _conflict(request, store, viewer, users.get(store, user.id), str(exc))
        return _page(request, "users/edit.html", page, status=422)
    is_out = user.id == viewer.user_id and not forms.field(request, "is_admin")
    return render.to(PROFILE if is_out else USERS, done=flash.SAVED)


@post("/{user_id:str}/link", sync_to_thread=True)
def link(
    request: HTMXRequest, viewer: NamedDependency[Viewer], user_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    user = users.by_public_id(store, user_id)
    if user.deactivated_at:
        return render.to(f"{USERS}/{user.public_id}/edit")
    token = people.create_link(store, user.id, by=viewer.user_id, now=datetime.now(UTC))
    return _page(request, "users/link.html", InvitePage(user, _link(request, token)))


@post("/{user_id:str}/deactivate", sync_to_thread=True)
def deactivate(
    request: HTMXRequest, viewer: NamedDependency[Viewer], user_id: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    user = users.by_public_id(store, user_id)
    try:
        people.deactivate_user(store, user.id, by=viewer.user_id, now=datetime.now(UTC))
    except Invalid as exc:
        page = _kept(store, viewer, user, errors={exc.field: exc.reason})
        return _page(request, "users/edit.html", page, status=422)
    return render.to(USERS, done=flash.SAVED)


@post("/{user_id:str}/reactivate", sync_to_thread=True)
def reactivate(
    request: HTMXRequest, viewer: NamedDependency[Viewer], user_id: FromPath[str]
) -> Redirect:
    store = store_of(request)
    user = users.by_public_id(store, user_id)
    people.reactivate_user(store, user.id, by=viewer.user_id, now=datetime.now(UTC))
    return render.to(USERS, done=flash.SAVED)


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="users", status=status)


def _link(request: HTMXRequest, token: str) -> str:
    settings: Settings = request.app.state.settings
    return f"{settings.public_url}/sign-in/{token}"


def _kept(
    store: Store, viewer: Viewer, user: User, *, errors: dict[str, str] | None = None
) -> UserPage:
    return UserPage(
        user,
        users.roles(store),
        user.name,
        user.email,
        user.is_admin,
        frozenset(users.roles_of(store, user.id)),
        people.user_version(store, user),
        is_me=viewer.user_id == user.id,
        errors=errors or {},
    )


def _typed(
    request: HTMXRequest,
    store: Store,
    user: User | None,
    viewer: Viewer | None = None,
    *,
    version: str = "",
    saved: tuple[tuple[str, str], ...] = (),
    errors: dict[str, str] | None = None,
) -> UserPage:
    return UserPage(
        user,
        users.roles(store),
        forms.field(request, "name"),
        user.email if user else forms.field(request, "email"),
        bool(forms.field(request, "is_admin")),
        frozenset(forms.role_ids(request, "roles")),
        version or forms.field(request, "version"),
        is_me=bool(user and viewer and viewer.user_id == user.id),
        saved=saved,
        errors=errors or {},
    )


def _conflict(
    request: HTMXRequest, store: Store, viewer: Viewer, user: User, reason: str
) -> UserPage:
    """What was typed, beside what somebody else saved; sent again, it is saved over that."""
    kept = _kept(store, viewer, user)
    saved = (
        ("Name", kept.name),
        ("Roles", ", ".join(r.name for r in kept.roles if r.id in kept.chosen)),
        ("Administrator", "yes" if kept.is_admin else "no"),
    )
    return _typed(
        request,
        store,
        user,
        viewer,
        version=kept.version,
        saved=saved,
        errors={"conflict": reason},
    )


router = Router(
    USERS,
    route_handlers=[index, new, create, edit, update, link, deactivate, reactivate],
    guards=[admins_only],
)
