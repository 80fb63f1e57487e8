"""The resource "test of a connection": asked of the worker, shown while it goes on."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.errors import Conflict, LetterbookError, NotFound
from app.mailboxes import Wanted
from app.model import Account, AccountId, Viewer
from app.store import Store, accounts, jobs
from app.store.secrets import unseal
from app.web import render
from app.web.account_form import (
    ACCOUNTS,
    Typed,
    changeable,
    errors_of,
    form_page,
    keep,
    key_of,
    password_of,
    sent,
    show_form,
    typed_again,
    wanted,
)
from app.web.db import AnyRequest, store_of

STEPS: Final = ("dns", "tcp", "tls", "login", "folders")


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of the test; `state` "waits" where it was not reached yet, "" where never."""

    name: str
    state: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class TestView:
    """How a test stands: its steps, then the folders of the server with what becomes of each."""

    job: str
    form: str
    is_done: bool
    is_good: bool
    error: str
    is_worker_alive: bool
    steps: tuple[StepLine, ...]
    folders: tuple[dict[str, Any], ...]

    @property
    def waits_for_sign_in(self) -> bool:
        """Whether all is well, up to the sign-in that "Confirm" leads to."""
        return self.is_done and self.steps[3].state == "warning"

    @property
    def imported(self) -> int:
        return sum(folder["skipped_by"] is None for folder in self.folders)


@post("/new/test", sync_to_thread=True)
def test_new(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    return _request(request, viewer, None)


@post("/{account_id:str}/test", sync_to_thread=True)
def test_known(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template | Redirect:
    return _request(request, viewer, changeable(store_of(request), viewer, account_id))


@get("/tests/{job:str}", sync_to_thread=True)
def show(request: HTMXRequest, viewer: NamedDependency[Viewer], job: FromPath[str]) -> Template:
    """How the test stands. Raises NotFound, also for others' tests."""
    store = store_of(request)
    document = jobs.arguments(store, viewer, job, "test")
    return render.page(
        request,
        "accounts/test.html",
        context=_view(store, viewer, job, str(document["form"]["action"])),
        section="accounts",
        fragment="accounts/_test.html",
    )


def test_view(
    request: AnyRequest, store: Store, viewer: Viewer, account: Account | None, job: str
) -> tuple[Typed, str, TestView] | None:
    """The form as it was tested, the token of its password while that is kept, and the test.

    None if it is not the viewer's test, or not one of this form.
    """
    try:
        document = jobs.arguments(store, viewer, job, "test")
    except NotFound:
        return None
    if document["form"]["action"] != _form_address(account):
        return None
    now = datetime.now(UTC)
    is_kept = mailboxes.kept_password(store, viewer, job, key=key_of(request), now=now)
    view = _view(store, viewer, job, document["form"]["action"])
    return typed_again(document["form"]["typed"]), job if is_kept else "", view


def _request(request: HTMXRequest, viewer: Viewer, account: Account | None) -> Template | Redirect:
    """Have the form's settings tested, or show what is wrong with them before."""
    store = store_of(request)
    typed, typed_password = sent(request), password_of(request, store, viewer)
    password = typed_password or _saved_password(request, store, viewer, account, typed)
    errors = errors_of(request, store, viewer, account, typed, password, needs_password=True)
    if errors:
        return _again(request, viewer, account, typed, typed_password, errors)
    settings = wanted(store, viewer, account, typed)
    try:
        job = mailboxes.request_test(
            store,
            viewer,
            settings,
            password,
            key=key_of(request),
            is_typed=bool(typed_password),
            public_only=_public_only(store, viewer, account, settings),
            saved_as=_saved_sign_in(account, settings),
            now=datetime.now(UTC),
            action=_form_address(account),
            typed=asdict(typed),
        )
    except Conflict as exc:
        return _again(request, viewer, account, typed, typed_password, {"form": str(exc)})
    return Redirect(f"{_form_address(account)}?test={job}#test", status_code=303)


def _again(
    request: HTMXRequest,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    password: str,
    errors: dict[str, str],
) -> Template:
    store = store_of(request)
    kept = keep(request, store, viewer, password)
    context = form_page(store, viewer, account, typed, errors=errors, kept=kept)
    return show_form(request, context, status=422)


def _public_only(store: Store, viewer: Viewer, account: Account | None, settings: Wanted) -> bool:
    """Administrators reach any server; the others also the one that was set for them."""
    if account is not None and mailboxes.has_same_server(account, settings):
        return not viewer.is_admin and mailboxes.is_bound_to_public(store, account)
    return not viewer.is_admin


def _saved_password(
    request: AnyRequest, store: Store, viewer: Viewer, account: Account | None, typed: Typed
) -> str:
    """The password of the mailbox that is changed, for a test on the same server only.

    "" if there is none, or it is sealed with another key. Another port or less security is
    another server: what listens there may be somebody else, or on the way.
    """
    with suppress(LetterbookError):
        settings = wanted(store, viewer, account, typed)
        if account is not None and mailboxes.has_same_server(account, settings):
            sealed = accounts.sealed_password(store, account.id)
            return unseal(key_of(request), account.public_id, sealed) if sealed else ""
    return ""


def _saved_sign_in(account: Account | None, settings: Wanted) -> AccountId | None:
    """The mailbox that is changed, where its sign-in is good for what is tested."""
    if account is None or account.auth_type != "oauth" or account.needs_sign_in:
        return None
    is_same = mailboxes.has_same_server(account, settings) and account.login == settings.login
    return account.id if is_same and settings.auth_type == "oauth" else None


def _form_address(account: Account | None) -> str:
    return f"{ACCOUNTS}/{account.public_id}/edit" if account else f"{ACCOUNTS}/new"


def _view(store: Store, viewer: Viewer, job: str, form: str) -> TestView:
    result = jobs.result(store, viewer, job)
    document = json.loads(result.progress) if result.progress else {"steps": [], "folders": []}
    reached = [StepLine(step["name"], step["state"], step["text"]) for step in document["steps"]]
    has_failed = result.is_error or any(step.state == "failed" for step in reached)
    rest = "" if has_failed or result.is_done else "waits"
    return TestView(
        job=job,
        form=f"{form}?test={job}#test",
        is_done=result.is_done,
        is_good=result.is_done and not has_failed and len(reached) == len(STEPS),
        error=result.text if result.is_error else "",
        is_worker_alive=jobs.is_worker_alive(store, now=datetime.now(UTC)),
        steps=(*reached, *(StepLine(name, rest) for name in STEPS[len(reached) :])),
        folders=tuple(document["folders"]),
    )


router = Router("/", route_handlers=[test_new, test_known, show])
