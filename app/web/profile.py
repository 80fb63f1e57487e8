"""One's own profile: name, language, time zone, password, and where one is signed in."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import AuthFailed, Invalid
from app.settings import Settings, machine_zone
from app.store import team as teams
from app.store.sessions import OpenSession
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.session import current
from app.web.signin import address_of, agent_of, refuse_plain_http, welcome

PROFILE = "/profile"


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """The form as typed; `team_zone` counts where no own time zone is chosen."""

    name: str
    email: str
    language: str
    time_zone: str
    team_zone: str
    tab: str = "profile"
    languages: dict[str, str] = field(default_factory=lambda: dict(people.LANGUAGES))
    zones: tuple[str, ...] = field(default_factory=people.zone_names)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """The form, which never shows what was typed."""

    tab: str = "password"
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeysPage:
    """What every key does, and whether this browser takes single ones."""

    tab: str = "keys"


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """Where one is signed in; `this` is the handle of the session that asks."""

    sessions: list[OpenSession]
    this: str
    tab: str = "sessions"


@get("/", sync_to_thread=True)
def show(request: HTMXRequest) -> Template:
    user = current(request).user
    return _profile(request, user.name, user.language, user.time_zone)


@post("/", sync_to_thread=True)
def update(request: HTMXRequest) -> Template | Redirect:
    name, language, zone = (forms.field(request, one) for one in ("name", "language", "time_zone"))
    try:
        people.change_profile(
            store_of(request),
            current(request).user.id,
            name=name,
            language=language,
            time_zone=zone,
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        return _profile(request, name, language, zone, errors={exc.field: exc.reason})
    return render.to(PROFILE, done=flash.SAVED)


@get("/password", sync_to_thread=True)
def show_password(request: HTMXRequest) -> Template:
    return _page(request, "profile/password.html", PasswordPage())


@post("/password", sync_to_thread=True)
def change_password(request: HTMXRequest) -> Template | Redirect:
    settings: Settings = request.app.state.settings
    new = forms.secret(request, "password")
    try:
        refuse_plain_http(settings)
        if new != forms.secret(request, "again"):
            raise Invalid("again", "The two passwords differ. Type the same one twice.")
        token = people.change_password(
            store_of(request),
            current(request).user,
            forms.secret(request, "old"),
            new,
            address=address_of(request),
            agent=agent_of(request),
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        page = PasswordPage(errors={exc.field: exc.reason})
        return _page(request, "profile/password.html", page, status=422)
    except AuthFailed as exc:
        page = PasswordPage(errors={"old": str(exc)})
        return _page(request, "profile/password.html", page, status=422)
    return welcome(settings, token, f"{PROFILE}/password?done={flash.SAVED}")


@get("/keys", sync_to_thread=True)
def keys(request: HTMXRequest) -> Template:
    return _page(request, "profile/keys.html", KeysPage())


@get("/sessions", sync_to_thread=True)
def sessions(request: HTMXRequest) -> Template:
    me = current(request)
    found = people.my_sessions(store_of(request), me.user.id, now=datetime.now(UTC))
    page = SessionsPage(found, people.handle_of_session(me.token))
    return _page(request, "profile/sessions.html", page)


@post("/sessions/end", sync_to_thread=True)
def end_session(request: HTMXRequest) -> Redirect:
    handle, user = forms.field(request, "session"), current(request).user
    people.end_my_session(store_of(request), user.id, handle, now=datetime.now(UTC))
    return render.to(f"{PROFILE}/sessions", done=flash.ENDED)


@post("/sessions/end-others", sync_to_thread=True)
def end_others(request: HTMXRequest) -> Redirect:
    me = current(request)
    people.end_other_sessions(store_of(request), me.user.id, me.token, now=datetime.now(UTC))
    return render.to(f"{PROFILE}/sessions", done=flash.ENDED)


def _profile(
    request: HTMXRequest,
    name: str,
    language: str,
    zone: str,
    *,
    errors: dict[str, str] | None = None,
) -> Template:
    team_zone = teams.get(store_of(request)).time_zone or machine_zone()
    email = current(request).user.email
    page = ProfilePage(name, email, language, zone, team_zone, errors=errors or {})
    return _page(request, "profile/show.html", page, status=422 if errors else 200)


def _page(request: HTMXRequest, name: str, context: object, *, status: int = 200) -> Template:
    return render.page(request, name, context=context, section="profile", status=status)


router = Router(
    PROFILE,
    route_handlers=[
        show,
        update,
        show_password,
        change_password,
        keys,
        sessions,
        end_session,
        end_others,
    ],
)
