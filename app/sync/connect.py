"""Opening a session: TLS, the greeting, STARTTLS, sign-in, and a clear word on what fails."""

import imaplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from app.errors import RemoteError
from app.model import Account
from app.sync.addresses import public_addresses
from app.sync.certificate import certificate_problem
from app.sync.faults import Server, clean, connection_problem, login_problem, translated, unsaid
from app.sync.remote import Remote
from app.sync.sasl import log_in_with_token
from app.sync.waiting import waiting
from app.sync.wire import LINE_SECONDS, Wire

CONNECT_SECONDS = 15.0


def never() -> bool:
    return False


Secret = str | Callable[[], str]
"""A password, or what gives an access token that is fresh whenever a session is opened."""

_GREETING_SECONDS = 2.0


def connect(
    account: Account,
    secret: Secret,
    *,
    now: Callable[[], datetime],
    ca_file: Path | None = None,
    public_only: bool = False,
    is_over: Callable[[], bool] = never,
) -> Remote:
    """A signed-in, read-only session; `ca_file` is trusted besides the system's authorities.

    `public_only`: the server was set by somebody who may reach public servers only. `is_over` is
    asked every second that the server is waited for: then Stopped is raised.

    Raises AuthFailed for a wrong name or password, SignInAgain where a token is not to be had,
    else RemoteError, which is not retryable where only a person can help (certificate, settings).
    """
    with waiting():
        server = locate(account, public_only=public_only)
    context = tls_context(verify=account.verify_certificate, ca_file=ca_file)

    def sign_in() -> IMAPClient:
        with waiting():
            words = words_of(secret)  # first: without a token there is no need to call
            client = open_connection(server, context, now=now, is_over=is_over)
            try:
                log_in(client, server, account, words)
            except BaseException:
                drop(client)
                raise
            return client

    return Remote(server, sign_in)


def locate(account: Account, *, public_only: bool) -> Server:
    """Where to connect to; with `public_only` the name is resolved here and never again.

    Raises RemoteError.
    """
    if account.host is None:
        raise RemoteError("This mailbox has no server.", is_retryable=False)
    server = Server(account.host, account.port, account.security)
    if not public_only:
        return server
    try:
        return replace(server, addresses=public_addresses(server.host, server.port))
    except (OSError, UnicodeError) as exc:
        raise connection_problem(exc, server, greeting="") from exc


def tls_context(*, verify: bool, ca_file: Path | None = None) -> ssl.SSLContext:
    """What a server has to prove; read anew when a file of trusted certificates has changed."""
    paths = ssl.get_default_verify_paths()
    sources = [Path(source) for source in (paths.cafile, paths.capath, ca_file) if source]
    return _tls_context(verify, ca_file, tuple(map(_changed_at, sources)))


@lru_cache(maxsize=8)  # to read the system's authorities takes 20 ms, at each check of each mailbox
def _tls_context(
    verify: bool,  # noqa: FBT001 - the cache's key
    ca_file: Path | None,
    changed_at: tuple[int, ...],
) -> ssl.SSLContext:
    del changed_at
    return new_tls_context(verify=verify, ca_file=ca_file)


def new_tls_context(*, verify: bool, ca_file: Path | None = None) -> ssl.SSLContext:
    """As `tls_context`, for who may change it."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as exc:
            raise RemoteError(
                f"The file of trusted certificates {ca_file} cannot be used ({exc}). "
                "Check LETTERBOOK_CA_FILE.",
                is_retryable=False,
            ) from exc
    return context


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def open_connection(
    server: Server,
    context: ssl.SSLContext,
    *,
    now: Callable[[], datetime],
    is_over: Callable[[], bool] = never,
) -> IMAPClient:
    """A connection that is secure as the account wants it, before sign-in."""
    try:
        return _dial(server, context, is_over)
    except ssl.SSLCertVerificationError as exc:
        shown = _shown_certificate(server)
        text = certificate_problem(exc, shown, host=server.host, now=now())
        raise RemoteError(text, is_retryable=False) from exc
    except (OSError, imaplib.IMAP4.error, UnicodeError) as exc:
        raise connection_problem(exc, server, greeting=_greeting(exc, server)) from exc


class _Client(IMAPClient):  # type: ignore[misc]  # imapclient is not typed
    """imapclient over a socket of our own: it connects to the addresses that were resolved."""

    def __init__(
        self, server: Server, context: ssl.SSLContext, is_over: Callable[[], bool]
    ) -> None:
        self._server = server
        self._is_over = is_over
        super().__init__(
            server.host,
            server.port,
            ssl=server.security == "tls",
            ssl_context=context,
            timeout=SocketTimeout(connect=CONNECT_SECONDS, read=LINE_SECONDS),
        )

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - imapclient's name
        opened = call(self._server, CONNECT_SECONDS)
        if self.ssl:
            opened = self.ssl_context.wrap_socket(opened, server_hostname=self._server.host)
        return Wire(opened, self._server, self._is_over)


def call(server: Server, timeout_seconds: float) -> socket.socket:
    """A bare connection to the server. Raises OSError, of the last address tried."""
    *others, last = server.addresses or (server.host,)
    for address in others:
        with suppress(OSError):
            return _reached(address, server.port, timeout_seconds)
    return _reached(last, server.port, timeout_seconds)


def _reached(address: str, port: int, timeout_seconds: float) -> socket.socket:
    """A connection that notices within two minutes that the other end is gone, as far as the
    system can: one that listens has nothing to say for long.
    """
    reached = socket.create_connection((address, port), timeout_seconds)
    reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            reached.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return reached


def _dial(
    server: Server, context: ssl.SSLContext, is_over: Callable[[], bool] = never
) -> IMAPClient:
    client = _Client(server, context, is_over)
    # imapclient has imaplib trace at level 5, which writes the repr of every message: three
    # times its size in memory, and bodies in a log.
    client._imap.debug = 0
    # Folder names pass as the bytes that the server sent; remote.py decodes them.
    client._imap._encoding = "latin-1"
    client.folder_encode = False
    client.normalise_times = False
    if server.security == "starttls":
        try:
            _start_tls(client, server, context)
        except BaseException:
            drop(client)
            raise
    return client


def _start_tls(client: IMAPClient, server: Server, context: ssl.SSLContext) -> None:
    """Secure the connection, or fail: it never goes on in clear text.

    A PREAUTH greeting leaves no room for STARTTLS; imaplib refuses it there.
    """
    if not client.has_capability("STARTTLS"):
        raise RemoteError(
            f"{server} does not offer STARTTLS, so nothing was sent. Choose SSL/TLS (usually "
            "port 993), or ask whoever runs the server.",
            is_retryable=False,
        )
    client.starttls(context)


def words_of(secret: Secret) -> str:
    """The password, or a fresh access token. Raises SignInAgain, RemoteError."""
    return secret if isinstance(secret, str) else secret()


def log_in(client: IMAPClient, server: Server, account: Account, words: str) -> None:
    """Sign in as the account says, with its password or a token. Raises AuthFailed, RemoteError."""
    login = account.login or account.address
    with unsaid(words, f"\0{login}\0{words}"):
        if account.auth_type == "oauth":
            log_in_with_token(client, server, mailbox_of(login), words)
        else:
            _log_in_with_password(client, server, login, words)


def mailbox_of(login: str) -> str:
    r"""What a token opens: `office@firma.pl`, also for the login `jan@firma.pl\office@firma.pl`."""
    person, _, mailbox = login.partition("\\")
    return mailbox or person


def _log_in_with_password(client: IMAPClient, server: Server, login: str, password: str) -> None:
    """LOGIN carries ASCII only and may be disabled; AUTHENTICATE PLAIN takes UTF-8."""
    with translated(server):
        is_plain_text = (login + password).isascii() and (login + password).isprintable()
        can_login = is_plain_text and not client.has_capability("LOGINDISABLED")
        if not can_login and not client.has_capability("AUTH=PLAIN"):
            raise RemoteError(
                f"{server} takes no password over this connection. Choose SSL/TLS or STARTTLS; "
                "a password with letters outside ASCII needs a server with AUTH=PLAIN.",
                is_retryable=False,
            )
        try:
            if can_login:
                # imaplib quotes the password, but not the name.
                client.login(client._imap._quote(login), password)
            else:
                client.plain_login(login, password)
        except LoginError as exc:
            raise login_problem(exc, server) from exc


def _shown_certificate(server: Server) -> bytes | None:
    """The certificate that the server shows (DER), had over a connection that proves nothing."""
    try:
        client = _dial(server, tls_context(verify=False))
    except (OSError, imaplib.IMAP4.error, RemoteError):
        return None
    try:
        shown: bytes | None = client.socket().getpeercert(binary_form=True)
        return shown
    finally:
        drop(client)


def _greeting(exc: Exception, server: Server) -> str:
    """The first line that a caller hears there, for the error text; "" if nothing readable.

    After a failed handshake without TLS, else as the account would hear it.
    """
    if not isinstance(exc, ssl.SSLError | imaplib.IMAP4.error | TimeoutError):
        return ""
    try:
        with call(server, _GREETING_SECONDS) as caller:
            if server.security == "tls" and not isinstance(exc, ssl.SSLError):
                with tls_context(verify=False).wrap_socket(caller) as secured:
                    return _first_line(secured)
            return _first_line(caller)
    except OSError:
        return ""


def _first_line(caller: socket.socket) -> str:
    """A web server speaks only when it is spoken to: an empty line will do."""
    try:
        heard = caller.recv(512)
    except TimeoutError:
        caller.sendall(b"\r\n\r\n")
        heard = caller.recv(512)
    line = heard.split(b"\n")[0].strip()
    return clean(line.decode("latin-1")) if line.isascii() and line[:1] > b" " else ""


def drop(client: IMAPClient) -> None:
    """Close without a word; imaplib stumbles over sockets that are closed already."""
    with suppress(OSError, AttributeError, imaplib.IMAP4.error):
        client.shutdown()
