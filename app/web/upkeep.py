"""The resource "upkeep", for administrators: what keeps the archive sound, and how it stands.

State, never content (R78): ids, mailboxes and folders, no subjects.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app.model import Viewer
from app.settings import Settings
from app.store import Store, jobs, upkeep
from app.store.upkeep import Kind, Upkeep
from app.web import render
from app.web.db import store_of
from app.web.session import admins_only

UPKEEP: Final = "/upkeep"
KINDS: Final[tuple[Kind, ...]] = (
    *("verify", "index", "backup", "rehearsal", "repack", "reparse", "sweep"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A kind of upkeep: its latest run, its latest good one; `is_off`: it is not switched on."""

    kind: Kind
    run: Upkeep | None
    good: Upkeep | None
    is_off: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """A verification that was asked for: blocks looked at, and how many there are; 0: not begun."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class UpkeepPage:
    """Every kind, and what the latest verification found, of many the first; `more` are left out.

    `progress` is None where no verification waits or goes on.
    """

    lines: tuple[Line, ...]
    faults: tuple[str, ...]
    damaged: tuple[dict[str, Any], ...]
    more: int
    progress: Progress | None
    is_worker_alive: bool


@get("/", sync_to_thread=True)
def show(request: HTMXRequest) -> Template:
    settings: Settings = request.app.state.settings
    page = _page(store_of(request), has_backup=settings.backup_dir is not None)
    return render.page(
        request, "upkeep/show.html", context=page, section="upkeep", fragment="upkeep/_state.html"
    )


@post("/verify", sync_to_thread=True)
def verify(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    jobs.request_verify(store_of(request), viewer, now=datetime.now(UTC))
    return render.to(UPKEEP)


def _page(store: Store, *, has_backup: bool) -> UpkeepPage:
    lines = tuple(
        Line(
            kind,
            upkeep.last(store, kind),
            upkeep.last(store, kind, good=True),
            is_off=kind in ("backup", "rehearsal") and not has_backup,
        )
        for kind in KINDS
    )
    detail = lines[0].run.detail if lines[0].run else {}
    return UpkeepPage(
        lines,
        tuple(detail.get("faults", ())),
        tuple(detail.get("damaged", ())),
        int(detail.get("more", 0)),
        _progress(store),
        jobs.is_worker_alive(store, now=datetime.now(UTC)),
    )


def _progress(store: Store) -> Progress | None:
    job = jobs.open_job(store, "verify")
    if job is None:
        return None
    told = jobs.outcome(store, job).progress
    return Progress(**json.loads(told)) if told else Progress(0, 0)


router = Router(UPKEEP, route_handlers=[show, verify], guards=[admins_only])
