"""What the form of a mailbox holds, as typed, and what it asks for."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, get_args

from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app import mailboxes
from app.errors import Forbidden, Invalid
from app.mailboxes import Wanted
from app.model import (
    DEFAULT_PORTS,
    DEFAULT_SKIP_FOLDERS,
    Account,
    AuthType,
    Security,
    User,
    UserId,
    Viewer,
)
from app.settings import Settings
from app.store import Store, accounts, users
from app.store.secrets import load_key
from app.sync.providers import MICROSOFT, Provider, provider_of
from app.sync.registered import Provider as OAuthProvider
from app.sync.registered import providers
from app.web import render
from app.web.db import AnyRequest
from app.web.forms import field, fields, secret

ACCOUNTS: Final = "/email/accounts"
MOST_TYPED: Final = 2000
_MOST_ENTRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form says, as typed; the password is never among it.

    `users` are public ids. `version` is what an edited mailbox was when the form was opened.
    """

    address: str = ""
    host: str = ""
    login: str = ""
    security: str = "tls"
    port: str = ""
    verify_certificate: bool = True
    skip_folders: tuple[str, ...] = DEFAULT_SKIP_FOLDERS
    users: tuple[str, ...] = ()
    is_strict: bool = False
    auth_type: str = "password"
    version: str = ""


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form. `account` None: a new one. `kept` is the token of a password typed before.

    `people` are offered as users; a `locked` list is the viewer alone (A16). `test` is the job of
    a test of these settings, `find` a look-up of the server.
    """

    account: Account | None
    typed: Typed
    people: list[User]
    is_locked: bool
    errors: dict[str, str]
    kept: str
    provider: Provider | None
    microsoft: Provider
    test: Any = None
    find: Any = None
    asks_others: bool = True

    @property
    def has_server(self) -> bool:
        """Whether it is read from a server; an archive-only mailbox is not."""
        return self.account is None or self.account.host is not None

    @property
    def action(self) -> str:
        return f"{ACCOUNTS}/{self.account.public_id}/edit" if self.account else f"{ACCOUNTS}/new"


def changeable(store: Store, viewer: Viewer, public_id: str) -> Account:
    """The mailbox. Raises NotFound if it is hidden, Forbidden if it is not the viewer's alone."""
    account = mailboxes.find_account(store, viewer, public_id)
    if not mailboxes.may_change(viewer, accounts.users(store, account.id)):
        raise Forbidden("This mailbox is shared. Only an administrator can change it.")
    return account


def form_page(
    store: Store,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    *,
    errors: dict[str, str] | None = None,
    kept: str = "",
    test: object = None,
) -> FormPage:
    return FormPage(
        account=account,
        typed=typed,
        people=people_for(store, viewer, account),
        is_locked=not viewer.is_admin,
        errors=errors or {},
        kept=kept,
        provider=provider_of(typed.address),
        microsoft=MICROSOFT,
        test=test,
    )


def show_form(request: HTMXRequest, context: FormPage, *, status: int = 200) -> Template:
    settings: Settings = request.app.state.settings
    context = replace(context, asks_others=settings.find_settings == "yes")
    return render.page(
        request, "accounts/form.html", context=context, section="accounts", status=status
    )


def sent(request: AnyRequest) -> Typed:
    """The form as it was sent."""
    return Typed(
        address=field(request, "address")[:MOST_TYPED],
        host=field(request, "host")[:MOST_TYPED],
        login=field(request, "login")[:MOST_TYPED],
        security=field(request, "security")[:MOST_TYPED] or "tls",
        port=field(request, "port")[:MOST_TYPED],
        verify_certificate=bool(field(request, "verify_certificate")),
        skip_folders=_entries(request, "skip"),
        users=_entries(request, "users"),
        is_strict=bool(field(request, "is_strict")),
        auth_type=field(request, "auth_type")[:MOST_TYPED] or "password",
        version=field(request, "version")[:MOST_TYPED],
    )


def wanted(store: Store, viewer: Viewer, account: Account | None, typed: Typed) -> Wanted:
    """The settings that the form asks for. Raises Invalid for a choice that was not offered."""
    if typed.security not in get_args(Security):
        raise Invalid("security", "Choose SSL/TLS, STARTTLS or None.")
    if typed.auth_type not in get_args(AuthType):
        raise Invalid("auth_type", "Choose Password login or oAuth login.")
    security: Security = typed.security  # type: ignore[assignment]  # one of its values
    auth_type: AuthType = typed.auth_type  # type: ignore[assignment]  # likewise
    return Wanted(
        address=typed.address,
        host=typed.host,
        login=typed.login,
        port=_port(typed.port, security),
        security=security,
        verify_certificate=typed.verify_certificate,
        skip_folders=typed.skip_folders,
        users=chosen_users(viewer, people_for(store, viewer, account), typed.users),
        is_strict=typed.is_strict,
        auth_type=auth_type,
    )


def chosen_users(
    viewer: Viewer, people: list[User], sent_ids: tuple[str, ...]
) -> tuple[UserId, ...]:
    """The people of a form's "User" list; who is locked to himself need not send it (A16).

    Raises Forbidden for somebody whom the viewer may not name, Invalid for one who is not there.
    """
    known: dict[str, UserId] = {one.public_id: one.id for one in people}
    if not sent_ids and not viewer.is_admin:
        return (viewer.user_id,)
    if all(one in known for one in sent_ids):
        return tuple(known[one] for one in sent_ids)
    if not viewer.is_admin:
        raise Forbidden("Only an administrator can set up a mailbox for other people.")
    raise Invalid("users", "One of the people is not there any more. Choose again.")


def password_of(request: AnyRequest, store: Store, viewer: Viewer) -> str:
    """The password typed now, else the one typed before a test or an error."""
    return secret(request, "password") or mailboxes.kept_password(
        store, viewer, field(request, "kept"), key=key_of(request), now=datetime.now(UTC)
    )


def keep(request: AnyRequest, store: Store, viewer: Viewer, password: str) -> str:
    """The token under which a password waits for the form to come again; "" without one."""
    if not password or len(password) > MOST_TYPED:
        return ""
    return mailboxes.keep_password(
        store, viewer, password, key=key_of(request), now=datetime.now(UTC)
    )


def key_of(request: AnyRequest) -> bytes:
    settings: Settings = request.app.state.settings
    return load_key(settings.data, settings.secret_key)


def allows_clear(request: AnyRequest) -> bool:
    settings: Settings = request.app.state.settings
    return settings.allow_clear_passwords == "yes"


def providers_of(request: AnyRequest) -> tuple[OAuthProvider, ...]:
    """Where oAuth logins are signed in, as the settings say."""
    return providers(request.app.state.settings)


def errors_of(
    request: AnyRequest,
    store: Store,
    viewer: Viewer,
    account: Account | None,
    typed: Typed,
    password: str,
    *,
    needs_password: bool,
) -> dict[str, str]:
    """What is to be mended, by field in the form's order. Raises Forbidden."""
    try:
        found = mailboxes.problems(
            viewer,
            wanted(store, viewer, account, typed),
            password,
            needs_password=needs_password,
            allow_clear=allows_clear(request),
            known=account,
            providers=providers_of(request),
        )
    except Invalid as exc:
        found = [exc]
    reasons: dict[str, str] = {}
    for one in found:
        reasons.setdefault(one.field, one.reason)
    return reasons


def typed_again(document: dict[str, Any]) -> Typed:
    """The form that a test's job carries."""
    lists = {name: tuple(document[name]) for name in ("skip_folders", "users")}
    return Typed(**(document | lists))


def typed_of(store: Store, viewer: Viewer, account: Account | None) -> Typed:
    """What the fresh form says: the mailbox as it is, or what a new one begins with."""
    if account is None:
        return Typed(users=(users.get(store, viewer.user_id).public_id,))
    account = accounts.get(store, account.id)
    members = accounts.users(store, account.id)
    return Typed(
        address=account.address,
        host=account.host or "",
        login=account.login,
        security=account.security,
        port=str(account.port),
        verify_certificate=account.verify_certificate,
        skip_folders=account.skip_folders,
        users=tuple(users.get(store, one).public_id for one in members),
        is_strict=account.is_strict,
        auth_type=account.auth_type,
        version=mailboxes.version(account, members),
    )


def people_for(store: Store, viewer: Viewer, account: Account | None) -> list[User]:
    """Who may be chosen: everybody active and who is on the list; for most people only himself."""
    if not viewer.is_admin:
        return [users.get(store, viewer.user_id)]
    active = users.all_active(store)
    members = accounts.users(store, account.id) if account else []
    known = {one.id for one in active}
    return [*active, *(users.get(store, one) for one in members if one not in known)]


def _entries(request: AnyRequest, name: str) -> tuple[str, ...]:
    return tuple(one[:MOST_TYPED] for one in fields(request, name)[:_MOST_ENTRIES])


def _port(text: str, security: Security) -> int:
    """The port typed; empty: the one that the security usually has; 0: no port."""
    if not text:
        return DEFAULT_PORTS[security]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
