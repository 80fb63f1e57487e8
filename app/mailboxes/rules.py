"""What a mailbox's settings may be, and who may set them (product.md R9-R21)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from unicodedata import category

from app.errors import Forbidden, Invalid, NotFound
from app.model import (
    Account,
    AccountId,
    AuthType,
    PublicId,
    Security,
    UserId,
    Viewer,
    checked_address,
    one_line,
    version_of,
)
from app.settings import is_loopback_host
from app.store import Store, accounts
from app.store.visibility import viewer_of
from app.sync.addresses import IMAP_PORTS, INTERNAL, OTHER_PORT, is_internal_host
from app.sync.registered import Provider, provider_for

LONGEST_LOGIN = 320
LONGEST_PASSWORD = 1000
LONGEST_FOLDER = 255
MOST_FOLDERS = 100

_HOST = re.compile(r"(?=.{1,253}\Z)([\w-]{1,63}\.)*[\w-]{1,63}\.?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a mailbox should be, as typed; `port` 0 stands for something that is no port."""

    address: str
    host: str
    login: str
    port: int
    security: Security = "tls"
    verify_certificate: bool = True
    skip_folders: tuple[str, ...] = ()
    users: tuple[UserId, ...] = ()
    is_strict: bool = False
    auth_type: AuthType = "password"


def cleaned(wanted: Wanted) -> Wanted:
    """The same without blanks around, empty skip folders and doubled entries."""
    folders = (one_line(name) for name in wanted.skip_folders)
    return Wanted(
        address=one_line(wanted.address).lower(),
        host=one_line(wanted.host).strip("[]").lower(),
        login=one_line(wanted.login),
        port=wanted.port,
        security=wanted.security,
        verify_certificate=wanted.verify_certificate,
        skip_folders=tuple(dict.fromkeys(name for name in folders if name)),
        users=tuple(dict.fromkeys(wanted.users)),
        is_strict=wanted.is_strict,
        auth_type=wanted.auth_type,
    )


def problems(
    viewer: Viewer | None,
    wanted: Wanted,
    password: str,
    *,
    needs_password: bool,
    allow_clear: bool,
    known: Account | None = None,
    providers: Sequence[Provider] = (),
) -> list[Invalid]:
    """Everything that a person must mend, in the order of the form; viewer None: the operator.

    `known` is the mailbox that is changed: where its server stays as it is, whoever may change
    it need not be one who may choose such a server. `providers` are those of oAuth logins, which
    have no password.

    Raises Forbidden if somebody who is no administrator names another person (R9).
    """
    wanted = cleaned(wanted)
    check_users(viewer, wanted.users)
    chooser = None if has_same_server(known, wanted) else viewer
    found = [
        _address_problem(wanted.address),
        _host_problem(chooser, wanted.host),
        _login_problem(wanted.login),
        _password_problem(password, is_needed=needs_password)
        if wanted.auth_type == "password"
        else None,
        None if chooser is None else _clear_problem(wanted, allow_clear=allow_clear),
        _provider_problem(wanted, providers),
        _port_problem(chooser, wanted.port),
        _folders_problem(wanted.skip_folders),
    ]
    return [one for one in found if one is not None]


def doer(viewer: Viewer | None) -> UserId | None:
    """Who the audit names; None: the operator at the command line."""
    return None if viewer is None else viewer.user_id


def check_users(viewer: Viewer | None, users: Sequence[UserId]) -> None:
    """Raises Forbidden if the viewer may not give a mailbox to just these people."""
    if viewer is None or viewer.is_admin or set(users) == {viewer.user_id}:
        return
    raise Forbidden("Only an administrator can set up a mailbox for other people.")


def may_change(viewer: Viewer, users: Sequence[UserId]) -> bool:
    """Whether the viewer may change a mailbox that these people see."""
    return viewer.is_admin or list(users) == [viewer.user_id]


def find_account(store: Store, viewer: Viewer, public_id: str) -> Account:
    """A mailbox that the viewer sees in the list: an administrator any, others their own.

    Raises NotFound, the same for missing and hidden.
    """
    account = accounts.by_public_id(store, public_id)
    if viewer.is_admin or account.id in viewer.accounts:
        return account
    raise NotFound


def check_right(store: Store, viewer: Viewer | None, account_id: AccountId) -> None:
    """Raises NotFound if the viewer does not see the mailbox, Forbidden if it is not his alone."""
    if viewer is None or viewer.is_admin:
        return
    if account_id not in viewer.accounts:
        raise NotFound
    if not may_change(viewer, accounts.users(store, account_id)):
        raise Forbidden(
            "This mailbox is shared. Only an administrator can change or stop it for everybody."
        )


def refuse_unwatched(account: Account) -> None:
    """Raises Invalid, with what to do, if the worker does not look at the mailbox."""
    if account.is_watched:
        return
    if not account.host:
        raise Invalid("account", "This mailbox has no server that could be checked.")
    if account.closed_at:
        raise Invalid("account", "This mailbox is closed. Its mail stays; nothing new is read.")
    raise Invalid("account", "This mailbox is paused. Resume it, then it is checked at once.")


def is_bound_to_public(store: Store, account: Account) -> bool:
    """Whether the worker may reach public servers only for this mailbox.

    So it is where somebody who is no administrator, as of now, said where the server is.
    """
    who = accounts.server_set_by(store, account.id)
    return who is not None and not viewer_of(store, who).is_admin


def has_same_server(known: Account | None, wanted: Wanted) -> bool:
    """Whether the settings leave a mailbox at its server, and its connection as secure."""
    if known is None:
        return False
    return (known.host, known.port, known.security) == (
        cleaned(wanted).host,
        wanted.port,
        wanted.security,
    )


def as_account(wanted: Wanted, public_id: PublicId) -> Account:
    """The settings as an account that is not saved: for a test of the connection."""
    wanted = cleaned(wanted)
    return Account(
        id=AccountId(0),
        public_id=public_id,
        address=wanted.address,
        host=wanted.host,
        port=wanted.port,
        security=wanted.security,
        login=wanted.login,
        verify_certificate=wanted.verify_certificate,
        skip_folders=wanted.skip_folders,
        is_strict=wanted.is_strict,
        auth_type=wanted.auth_type,
    )


def version(account: Account, users: Sequence[UserId]) -> str:
    """Stands for what the form of this mailbox showed."""
    return version_of(account, sorted(users))


def _address_problem(address: str) -> Invalid | None:
    if not address:
        return Invalid("address", "Type the e-mail address of the mailbox.")
    try:
        checked_address(address, field="address")
    except Invalid as exc:
        return exc
    return None


def _host_problem(viewer: Viewer | None, host: str) -> Invalid | None:
    if not host:
        return Invalid("host", "Type the address of the IMAP server; the provider's help names it.")
    if not (_is_ip(host) or _HOST.fullmatch(host)):
        return Invalid("host", f"{host!r} is neither a host name nor an IP address.")
    if viewer is not None and not viewer.is_admin and is_internal_host(host):
        return Invalid("host", INTERNAL)
    return None


def _login_problem(login: str) -> Invalid | None:
    if not login:
        return Invalid("login", "Type the login; most often it is the e-mail address.")
    if len(login) > LONGEST_LOGIN:
        return Invalid("login", f"A login has at most {LONGEST_LOGIN} characters.")
    return None


def _password_problem(password: str, *, is_needed: bool) -> Invalid | None:
    if not password:
        return Invalid("password", "Type the password of the mailbox.") if is_needed else None
    if len(password) > LONGEST_PASSWORD:
        return Invalid("password", f"A password has at most {LONGEST_PASSWORD} characters.")
    if any(category(sign) in ("Cc", "Cs") for sign in password):
        return Invalid("password", "The password has a character that cannot be typed. Retype it.")
    return None


def _clear_problem(wanted: Wanted, *, allow_clear: bool) -> Invalid | None:
    if wanted.security != "none" or allow_clear or is_loopback_host(wanted.host):
        return None
    return Invalid(
        "security",
        "Without encryption the password would cross the network for everybody to read. Choose"
        " SSL/TLS or STARTTLS, or have the operator set LETTERBOOK_ALLOW_CLEAR_PASSWORDS.",
    )


def _provider_problem(wanted: Wanted, providers: Sequence[Provider]) -> Invalid | None:
    if wanted.auth_type == "password" or not wanted.host:
        return None
    try:
        provider_for(providers, wanted.host)
    except Invalid as exc:
        return exc
    return None


def _port_problem(viewer: Viewer | None, port: int) -> Invalid | None:
    if not 1 <= port <= 65535:
        return Invalid("port", "A port is a whole number from 1 to 65535, most often 993.")
    if viewer is not None and not viewer.is_admin and port not in IMAP_PORTS:
        return Invalid("port", OTHER_PORT)
    return None


def _folders_problem(names: Sequence[str]) -> Invalid | None:
    if len(names) > MOST_FOLDERS:
        return Invalid("skip", f"At most {MOST_FOLDERS} folders can be named.")
    if any(len(name) > LONGEST_FOLDER for name in names):
        return Invalid("skip", f"The name of a folder has at most {LONGEST_FOLDER} characters.")
    return None


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
