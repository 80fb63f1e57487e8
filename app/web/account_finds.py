"""The resource "settings found from an address": asked of the worker, put into the form."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.errors import Conflict, Invalid, NotFound
from app.model import Account, Viewer, checked_address
from app.settings import Settings
from app.store import Store, jobs
from app.sync.providers import Found, Provider, provider_at, provider_of
from app.web import render
from app.web.account_form import (
    ACCOUNTS,
    FormPage,
    Typed,
    changeable,
    form_page,
    keep,
    key_of,
    password_of,
    sent,
    show_form,
    typed_again,
)
from app.web.db import AnyRequest, store_of

SWITCHED_OFF: Final = (
    "Look-ups are switched off here, and our own table does not know this provider. Its help names"
    " the server."
)


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A server that was found: `help` is its provider's, if known.

    `is_elsewhere`: only DNS says so, of an unknown server outside the address's own domain.
    """

    found: Found
    help: Provider | None
    is_elsewhere: bool


@dataclass(frozen=True, slots=True)
class FindView:
    """How a look-up stands; `error` is a sentence. Without a `job` the answer was here."""

    domain: str
    provider: Provider | None = None
    job: str = ""
    form: str = ""
    is_done: bool = True
    is_worker_alive: bool = True
    error: str = ""
    lines: tuple[FoundLine, ...] = ()

    @property
    def find(self) -> "FindView":
        """Itself: the fragment is a part of the form's page too."""
        return self


@post("/new/find", sync_to_thread=True)
def find_new(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    return _request(request, viewer, None)


@post("/{account_id:str}/find", sync_to_thread=True)
def find_known(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template | Redirect:
    return _request(request, viewer, changeable(store_of(request), viewer, account_id))


@get("/finds/{job:str}", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], job: FromPath[str]
) -> Template | Response[None]:
    """How the look-up stands; to the script that waits, nothing before it is done.

    Raises NotFound, also for others' look-ups.
    """
    view = _view(store_of(request), viewer, job)
    if not view.is_done and view.is_worker_alive and render.wants_fragment(request):
        return Response(None, status_code=204)
    return _shown(request, view)


def found_form(
    request: AnyRequest, store: Store, viewer: Viewer, account: Account | None, job: str
) -> tuple[Typed, str, FindView] | None:
    """The form as it was when the look-up was asked for, an empty server filled with what was
    found; the token of its password while that is kept; and how the look-up stands.

    None if it is not the viewer's look-up, or not one of this form.
    """
    try:
        document = jobs.arguments(store, viewer, job, "find")
    except NotFound:
        return None
    if document["form"]["action"] != _form_address(account):
        return None
    now = datetime.now(UTC)
    is_kept = mailboxes.kept_password(store, viewer, job, key=key_of(request), now=now)
    typed, view = typed_again(document["form"]["typed"]), _view(store, viewer, job)
    if view.lines and not typed.host:
        typed = filled(typed, view.lines[0].found)
    return typed, job if is_kept else "", view


def use(store: Store, viewer: Viewer, typed: Typed, job: str, at: str) -> Typed:
    """The form with one of the servers that a look-up of the viewer's found; else as it was."""
    try:
        lines = _view(store, viewer, job).lines
    except NotFound:
        return typed
    chosen = [line.found for place, line in enumerate(lines) if str(place) == at]
    return filled(typed, chosen[0]) if chosen else typed


def filled(typed: Typed, found: Found | Provider) -> Typed:
    """The form with a server that is known; a login that somebody typed stays."""
    is_own = typed.login not in ("", typed.address)
    login = found.login if isinstance(found, Found) and not is_own else typed.login
    known = provider_at(found.host)
    return replace(
        typed,
        host=found.host,
        port=str(found.port),
        security=found.security,
        login=login or typed.address,
        auth_type=(known.auth_type if known else None) or typed.auth_type,
    )


def _request(request: HTMXRequest, viewer: Viewer, account: Account | None) -> Template | Redirect:
    """Answer from our own table, else have the worker ask."""
    store, typed = store_of(request), sent(request)
    try:
        address = checked_address(typed.address, field="address")
    except Invalid as exc:
        reason = exc.reason if typed.address else "Type the e-mail address of the mailbox first."
        return _refused(request, store, viewer, account, typed, {"address": reason})
    domain = address.rpartition("@")[2]
    settings: Settings = request.app.state.settings
    known = provider_of(address)
    if known is not None or settings.find_settings == "no":
        view = FindView(domain, known, error="" if known else SWITCHED_OFF)
        typed = filled(typed, known) if known else typed
        return _answered(request, store, viewer, account, typed, view)
    is_script = render.wants_fragment(request)
    try:
        job = mailboxes.request_find(
            store,
            viewer,
            address,
            "" if is_script else password_of(request, store, viewer),
            key=key_of(request),
            now=datetime.now(UTC),
            action=_form_address(account),
            typed=asdict(typed),
        )
    except Conflict as exc:
        return _refused(request, store, viewer, account, typed, {"form": str(exc)})
    if is_script:
        return _shown(request, _view(store, viewer, job))
    return Redirect(f"{_form_address(account)}?find={job}#provider", status_code=303)


def _refused(
    request: HTMXRequest,
    store: Store,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    errors: dict[str, str],
) -> Template:
    if render.wants_fragment(request):
        return _shown(request, FindView("", error=" ".join(errors.values())), status=422)
    return show_form(
        request, _form(request, store, viewer, account, typed, errors=errors), status=422
    )


def _answered(
    request: HTMXRequest,
    store: Store,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    view: FindView,
) -> Template:
    if render.wants_fragment(request):
        return _shown(request, view)
    return show_form(request, replace(_form(request, store, viewer, account, typed), find=view))


def _form(
    request: HTMXRequest,
    store: Store,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    *,
    errors: dict[str, str] | None = None,
) -> FormPage:
    kept = keep(request, store, viewer, password_of(request, store, viewer))
    return form_page(store, viewer, account, typed, errors=errors, kept=kept)


def _shown(request: HTMXRequest, view: FindView, *, status: int = 200) -> Template:
    return render.page(
        request,
        "accounts/provider.html",
        context=view,
        section="accounts",
        fragment="accounts/_provider.html",
        status=status,
    )


def _form_address(account: Account | None) -> str:
    return f"{ACCOUNTS}/{account.public_id}/edit" if account else f"{ACCOUNTS}/new"


def _view(store: Store, viewer: Viewer, job: str) -> FindView:
    """Raises NotFound."""
    document = jobs.arguments(store, viewer, job, "find")
    result = jobs.result(store, viewer, job)
    domain = str(document["address"]).rpartition("@")[2]
    told = json.loads(result.text)[0]["found"] if result.is_done and not result.is_error else []
    return FindView(
        domain,
        job=job,
        form=f"{document['form']['action']}?find={job}#provider",
        is_done=result.is_done,
        is_worker_alive=jobs.is_worker_alive(store, now=datetime.now(UTC)),
        error=result.text if result.is_error else "",
        lines=tuple(_line(Found(**one), domain) for one in told),
    )


def _line(found: Found, domain: str) -> FoundLine:
    is_below = f".{found.host}".endswith(f".{domain}")
    known = provider_at(found.host)
    is_unproved = found.source in ("dns", "guess") and known is None
    return FoundLine(found, known, is_unproved and not is_below)


router = Router("/", route_handlers=[find_new, find_known, show])
