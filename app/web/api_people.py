"""The API's resources "roles" and "users": the names with which records and mail are kept."""

from litestar import Router, get
from litestar.plugins.htmx import HTMXRequest
from msgspec import Struct

from app.store import users
from app.web.api import ANY
from app.web.db import store_of


class RoleAnswer(Struct, frozen=True):
    name: str


class UserAnswer(Struct, frozen=True):
    """A colleague; `email` is what names him in a record's `users`."""

    name: str
    email: str


@get("/roles", sync_to_thread=True, opt=ANY, summary="The team's roles")
def list_roles(request: HTMXRequest) -> list[RoleAnswer]:
    return [RoleAnswer(role.name) for role in users.roles(store_of(request))]


@get("/users", sync_to_thread=True, opt=ANY, summary="The people who may sign in")
def list_users(request: HTMXRequest) -> list[UserAnswer]:
    return [UserAnswer(user.name, user.email) for user in users.all_active(store_of(request))]


router = Router("/", route_handlers=[list_roles, list_users], tags=["people"])
