"""The resource "team", for administrators: own names and domains, language, time zone."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import people
from app.errors import Conflict, Invalid
from app.model import Team, Viewer
from app.settings import machine_zone
from app.store import team as teams
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.session import admins_only

TEAM = "/team"


@dataclass(frozen=True, slots=True)
class TeamPage:
    """The form as typed: names and domains one in a line."""

    names: str
    domains: str
    language: str
    time_zone: str
    version: str
    machine_zone: str = field(default_factory=machine_zone)
    languages: dict[str, str] = field(default_factory=lambda: dict(people.LANGUAGES))
    zones: tuple[str, ...] = field(default_factory=people.zone_names)
    saved: tuple[tuple[str, str], ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True)
def show(request: HTMXRequest) -> Template:
    kept = teams.get(store_of(request))
    page = TeamPage(
        "\n".join(kept.names),
        "\n".join(kept.domains),
        kept.language,
        kept.time_zone,
        people.team_version(kept),
    )
    return render.page(request, "team/show.html", context=page, section="team")


@post("/", sync_to_thread=True)
def update(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    store, page = store_of(request), _typed(request)
    typed = Team(
        tuple(page.names.splitlines()), tuple(page.domains.split()), page.language, page.time_zone
    )
    now = datetime.now(UTC)
    try:
        people.change_team(store, typed, version=page.version, by=viewer.user_id, now=now)
    except Invalid as exc:
        return _refused(request, replace(page, errors={exc.field: exc.reason}))
    except Conflict as exc:
        kept = teams.get(store)
        version, errors = people.team_version(kept), {"conflict": str(exc)}
        page = replace(page, version=version, saved=_saved(kept), errors=errors)
        return _refused(request, page)
    return render.to(TEAM, done=flash.SAVED)


def _typed(request: HTMXRequest) -> TeamPage:
    names, domains, language, time_zone, version = (
        forms.field(request, name)
        for name in ("names", "domains", "language", "time_zone", "version")
    )
    return TeamPage(names, domains, language, time_zone, version)


def _refused(request: HTMXRequest, page: TeamPage) -> Template:
    return render.page(request, "team/show.html", context=page, section="team", status=422)


def _saved(kept: Team) -> tuple[tuple[str, str], ...]:
    return (
        ("Own names", ", ".join(kept.names)),
        ("Own domains", ", ".join(kept.domains)),
        ("Language", people.LANGUAGES.get(kept.language, kept.language)),
        ("Time zone", kept.time_zone),
    )


router = Router(TEAM, route_handlers=[show, update], guards=[admins_only])
