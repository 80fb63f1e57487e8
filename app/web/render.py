"""A page, or only the part of it that htmx asked for: the same template serves both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template
from markupsafe import Markup, escape

from app.model import RecordType, User, Viewer
from app.store import Store, records, states, upkeep
from app.store.circles import Circles
from app.store.database import to_seconds
from app.store.states import Halted
from app.web import csrf, forms
from app.web.audit_words import Told, access_given
from app.web.circles import circles_of, state_of
from app.web.db import AnyRequest, store_of
from app.web.flash import Flash, flash_of
from app.web.format import badge, clock, count, day, device, month, person, size, when
from app.web.session import local_path, signed_in

STATIC: Final = Path(__file__).parent.parent / "static"
TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_PASSING: Final = frozenset(("done", "message", "record", "job", "open", "view", "at", "n"))
_LINKED_TEXT: Final = 200_000
_LINKS: Final = "noopener noreferrer nofollow"


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around a page: who looks, the form token, the circles, what just happened.

    `needs_care`: a mark for administrators at the entry of the page "Upkeep". `halted`: mailboxes
    that nobody looks at until somebody edits them. `told`: whom others let into his mailboxes.
    """

    section: str = ""
    user: User | None = None
    token: str = ""
    here: str = ""
    query: str = ""
    types: tuple[RecordType, ...] = ()
    circles: Circles | None = None
    flash: Flash | None = None
    needs_care: bool = False
    halted: tuple[Halted, ...] = ()
    told: tuple[Told, ...] = ()


def page(
    request: HTMXRequest,
    name: str,
    *,
    context: object,
    section: str = "",
    fragment: str = "",
    status: int = 200,
) -> Template:
    """The fragment for an htmx request, else the full page that includes it.

    `context` is one frozen dataclass. Effects: reads the store, so call it in a worker thread.
    """
    if fragment and wants_fragment(request):
        found = signed_in(request)
        shell = Shell(section, found.user if found else None, csrf.token_of(request), here(request))
        return _template(fragment, context, shell, status)
    return _template(name, context, _full_shell(request, section), status)


def wants_fragment(request: HTMXRequest) -> bool:
    """Whether htmx asks for a part, not for a whole page to restore from its history."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def checked(page: Template, *, is_done: bool) -> Template:
    """Has the mail icon look at once for what a check has brought."""
    if is_done:
        page.headers["HX-Trigger"] = "checked"
    return page


def bare_page(request: AnyRequest, name: str, *, context: object, status: int = 200) -> Template:
    """A page with the top panel but without figures: for errors, which come on the event loop."""
    found = signed_in(request)
    shell = Shell("", found.user if found else None, csrf.token_of(request), here(request))
    return _template(name, context, shell, status)


def to(path: str, **parameters: str | Sequence[str]) -> Redirect:
    """To another page of ours, after a change."""
    return Redirect(forms.address(path, **parameters), status_code=303)


def back_to(path: str, **parameters: str) -> Redirect:
    """Back to a page of ours that a form named, with what was done; else to the queue."""
    return Redirect(place(path, **parameters), status_code=303)


def place(path: str, **parameters: str) -> str:
    """A page of ours that a form named, without what passed there before; else the queue."""
    parts = urlsplit(local_path(path))
    kept = {key: value for key, value in parse_qsl(parts.query) if key not in _PASSING}
    return forms.address(parts.path, **{**kept, **parameters})


def here(request: AnyRequest) -> str:
    """The address of this page, for links back."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.scope['path']}?{query}" if query else str(request.scope["path"])


def prepare(environment: Environment) -> None:
    """Teach the templates our words, dates and addresses."""
    environment.trim_blocks = environment.lstrip_blocks = True
    versions = {path.name: _version(path) for path in STATIC.glob("*.*")}
    environment.globals |= {
        "_": _said,
        "ngettext": _counted,
        "static": lambda name: f"/static/{name}?v={versions.get(name, '')}",
        "url": forms.address,
        "list_url": place,
        "when": when,
        "clock": clock,
        "day": day,
        "month": month,
        "badge": badge,
        "circles_state": state_of,
    }
    environment.filters |= {
        "size": size,
        "count": count,
        "person": person,
        "device": device,
        "seconds": to_seconds,
        "zip": zip,
        "linked": _linked,
    }


def _full_shell(request: HTMXRequest, section: str) -> Shell:
    found = signed_in(request)
    token = csrf.token_of(request)
    if found is None:
        return Shell(section, token=token)
    store = store_of(request)
    return Shell(
        section,
        found.user,
        token,
        here(request),
        forms.asked(request, "q") if section == "search" else "",
        tuple(records.types(store)),
        circles_of(request, store, found.viewer, now=datetime.now(UTC))[0],
        flash_of(request, store, found.viewer),
        found.viewer.is_admin and upkeep.needs_care(store),
        tuple(states.halted(store, found.viewer)),
        _told(store, found.viewer) if section in ("queue", "accounts") else (),
    )


def _told(store: Store, viewer: Viewer) -> tuple[Told, ...]:
    return tuple(access_given(store, viewer, now=datetime.now(UTC)))


def _template(name: str, context: object, shell: Shell, status: int) -> Template:
    values: dict[str, Any] = {"page": context, "shell": shell}
    headers = {"Vary": "HX-Request, HX-History-Restore-Request, Cookie"}
    return Template(template_name=name, context=values, status_code=status, headers=headers)


def _version(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def _linked(text: str) -> Markup:
    """Plain text with its web addresses as links; very long text without."""
    if len(text) > _LINKED_TEXT:
        return escape(text)
    from jinja2.utils import urlize

    return Markup(urlize(text, rel=_LINKS, target="_blank"))  # noqa: S704 - urlize escapes


def _said(text: str, **values: object) -> Markup:
    """A text for people. It may hold what somebody typed or a server said: so it is never HTML,
    and without values no pattern either. (Jinja's own gettext takes it for both.)

    Apostrophes stay: the templates' attributes stand in double quotes.
    """
    shown = Markup(str(escape(text)).replace("&#39;", "'"))  # noqa: S704 - escaped
    return shown % values if values else shown


def _counted(one: str, many: str, number: int, **values: object) -> Markup:
    return _said(one if number == 1 else many, **{"num": number, **values})
