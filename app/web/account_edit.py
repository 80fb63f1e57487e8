"""Setting a mailbox up and changing it: the pages around the form."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.errors import Conflict, Invalid
from app.model import Account, Viewer
from app.store import Store, accounts
from app.sync.providers import Provider, provider_of
from app.web import render
from app.web.account_finds import filled, found_form, use
from app.web.account_form import (
    ACCOUNTS,
    Typed,
    allows_clear,
    changeable,
    chosen_users,
    errors_of,
    form_page,
    keep,
    key_of,
    password_of,
    people_for,
    providers_of,
    sent,
    show_form,
    typed_of,
    wanted,
)
from app.web.account_tests import test_view
from app.web.db import store_of
from app.web.forms import asked, field


@dataclass(frozen=True, slots=True)
class ProviderPage:
    """What our own table knows of the provider of an address."""

    provider: Provider | None
    find: None = None


@get("/new", sync_to_thread=True)
def new(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    return _open_form(request, viewer, None)


@post("/new", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    return _answer(request, viewer, None)


@get("/{account_id:str}/edit", sync_to_thread=True)
def edit(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template:
    return _open_form(request, viewer, changeable(store_of(request), viewer, account_id))


@post("/{account_id:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template | Redirect:
    return _answer(request, viewer, changeable(store_of(request), viewer, account_id))


@get("/provider", sync_to_thread=True)
def provider(request: HTMXRequest) -> Template:
    """What the table says of the address typed so far: a hint beside the field."""
    context = ProviderPage(provider_of(asked(request, "address")))
    return render.page(
        request,
        "accounts/provider.html",
        context=context,
        section="accounts",
        fragment="accounts/_provider.html",
    )


def _open_form(request: HTMXRequest, viewer: Viewer, account: Account | None) -> Template:
    """The form, fresh, or as it was when the test or look-up of its address was asked for."""
    store = store_of(request)
    typed, kept, test, find = typed_of(store, viewer, account), "", None, None
    if job := asked(request, "test"):
        typed, kept, test = test_view(request, store, viewer, account, job) or (typed, "", None)
    elif job := asked(request, "find"):
        typed, kept, find = found_form(request, store, viewer, account, job) or (typed, "", None)
    page = form_page(store, viewer, account, typed, kept=kept, test=test)
    return show_form(request, replace(page, find=find))


def _answer(request: HTMXRequest, viewer: Viewer, account: Account | None) -> Template | Redirect:
    """Save, or show the form again: with what is wrong, or with one skip folder more or less."""
    store = store_of(request)
    typed, password = sent(request), password_of(request, store, viewer)
    if step := field(request, "do"):
        typed = _stepped(store, viewer, typed, step)
        return _again(request, viewer, account, typed, password, {}, status=200)
    if account is not None and account.host is None:
        return _share(request, viewer, account, typed)
    needs_password = account is None or account.auth_type != "password"
    errors = errors_of(
        request, store, viewer, account, typed, password, needs_password=needs_password
    )
    if errors:
        return _again(request, viewer, account, typed, password, errors)
    try:
        saved = _save(request, store, viewer, account, typed, password)
    except Invalid as exc:
        return _again(request, viewer, account, typed, password, {exc.field: exc.reason})
    except Conflict as exc:
        typed = replace(typed, version=typed_of(store, viewer, account).version)
        return _again(request, viewer, account, typed, password, {"form": str(exc)})
    mailboxes.drop_password(store, field(request, "kept"))
    if saved.needs_sign_in:
        return render.to(f"{ACCOUNTS}/{saved.public_id}/sign-in")
    return render.to(ACCOUNTS, saved=saved.public_id)


def _save(
    request: HTMXRequest,
    store: Store,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    password: str,
) -> Account:
    given: dict[str, Any] = {
        "key": key_of(request),
        "allow_clear": allows_clear(request),
        "providers": providers_of(request),
        "now": datetime.now(UTC),
    }
    settings = wanted(store, viewer, account, typed)
    if account is None:
        return mailboxes.create(store, viewer, settings, password, **given)
    mailboxes.change(store, viewer, account.id, settings, password, seen=typed.version, **given)
    return accounts.get(store, account.id)


def _share(
    request: HTMXRequest, viewer: Viewer, account: Account, typed: Typed
) -> Template | Redirect:
    """An archive-only mailbox has people to choose, and nothing else."""
    store = store_of(request)
    try:
        chosen = chosen_users(viewer, people_for(store, viewer, account), typed.users)
        mailboxes.share(
            store,
            viewer,
            account.id,
            chosen,
            is_strict=typed.is_strict,
            seen=typed.version,
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        return _again(request, viewer, account, typed, "", {exc.field: exc.reason})
    except Conflict as exc:
        typed = replace(typed, version=typed_of(store, viewer, account).version)
        return _again(request, viewer, account, typed, "", {"form": str(exc)})
    return render.to(ACCOUNTS, saved=account.public_id)


def _again(
    request: HTMXRequest,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    password: str,
    errors: dict[str, str],
    *,
    status: int = 422,
) -> Template:
    store = store_of(request)
    if not typed.login:
        typed = replace(typed, login=typed.address)
    kept = keep(request, store, viewer, password)
    context = form_page(store, viewer, account, typed, errors=errors, kept=kept)
    return show_form(request, context, status=status)


def _stepped(store: Store, viewer: Viewer, typed: Typed, step: str) -> Typed:
    """The form after one of its small buttons."""
    verb, _, at = step.partition("-")
    if verb == "use":
        job, _, place = at.partition("-")
        return use(store, viewer, typed, job, place)
    if verb == "add":
        return replace(typed, skip_folders=(*typed.skip_folders, ""))
    if verb == "remove" and at.isascii() and at.isdecimal():
        kept = (name for place, name in enumerate(typed.skip_folders) if str(place) != at)
        return replace(typed, skip_folders=tuple(kept))
    found = provider_of(typed.address)
    return filled(typed, found) if verb == "fill" and found else typed


router = Router("/", route_handlers=[new, create, edit, update, provider])
