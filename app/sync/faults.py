"""Library errors into the product's words: one sentence each that says what to do."""

import imaplib
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import local

from app.errors import AuthFailed, RemoteError
from app.model import Security
from app.sync.waiting import waiting

# What Microsoft 365, Gmail and Yahoo say.
_THROTTLED = re.compile(r"throttled|too many|bandwidth limit|rate limit", re.IGNORECASE)
# RFC 5530's words for limits, and what Exchange says of a broken message, too. Of a command they
# may be this one's alone.
_LIMIT = re.compile(r"\[(LIMIT|OVERQUOTA)\]|server unavailable", re.IGNORECASE)
# The server's own trouble, which passes; of a folder it may be this one's alone.
_PASSING = re.compile(r"\[(UNAVAILABLE|INUSE|SERVERBUG)\]|try again", re.IGNORECASE)
_WAIT = re.compile(
    r"(?:back-?off time:?|retry[- ]after:?|again (?:in|after)) (\d+) ?(ms|milli|s|m|h)",
    re.IGNORECASE,
)
_SECONDS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0}
_LONGEST_WAIT = timedelta(days=1)
_WORDS_LIMIT = 200

_of_thread = local()


class Stopped(Exception):
    """The worker is asked to end; everything so far is stored, the rest comes next time."""


class Refused(RemoteError):
    """The server said NO or BAD, or something unreadable; the connection goes on."""


class ConnectionLost(RemoteError):
    """The connection broke or fell silent: a new one is needed."""


class Throttled(RemoteError):
    """The server wants to be left alone: for `wait`, a day at most; None if it does not say."""

    def __init__(self, server: "Server", words: str) -> None:
        super().__init__(
            f"{server} limits how much may be asked of it now (it said: {words}). What is stored"
            " stays, and Letterbook goes on by itself."
        )
        self.wait = _asked_wait(words)


class Limited(Refused):
    """A limit stands against this command; `throttled`: against all, if no other goes either."""

    def __init__(self, server: "Server", words: str) -> None:
        super().__init__(f"{server} refused: {words}")
        self.throttled = Throttled(server, words)


@dataclass(frozen=True, slots=True)
class Server:
    """Where an account's mail lies, as errors name it.

    `addresses` are those to connect to, in turn; none: wherever the host's name leads.
    """

    host: str
    port: int
    security: Security
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@contextmanager
def translated(server: Server) -> Iterator[None]:
    """Turn whatever a command raises into Refused, Throttled or ConnectionLost."""
    try:
        with waiting():
            yield
    except RemoteError:
        raise
    except TimeoutError as exc:
        raise ConnectionLost(f"{server} fell silent. Letterbook tries again.") from exc
    except imaplib.IMAP4.error as exc:
        raise _command_problem(exc, server) from exc
    except (OSError, ArithmeticError, MemoryError) as exc:
        raise ConnectionLost(f"The connection to {server} broke ({said(exc)}).") from exc
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise Refused(f"{server} gave an answer that cannot be read.") from exc


def _command_problem(exc: imaplib.IMAP4.error, server: Server) -> RemoteError:
    words = said(exc)
    is_over = isinstance(exc, imaplib.IMAP4.abort)
    if _is_throttling(words) or (is_over and _LIMIT.search(words)):
        return Throttled(server, words)
    if is_over:
        return ConnectionLost(f"The connection to {server} broke ({words}).")
    if _LIMIT.search(words):
        return Limited(server, words)
    return Refused(f"{server} refused: {words}")


def _is_throttling(words: str) -> bool:
    return bool(_THROTTLED.search(words) or _WAIT.search(words))


def _asked_wait(words: str) -> timedelta | None:
    found = _WAIT.search(words)
    if found is None:
        return None
    seconds = int(found[1]) * _SECONDS[found[2].lower()]
    return timedelta(seconds=min(seconds, _LONGEST_WAIT.total_seconds()))


def login_problem(exc: imaplib.IMAP4.error, server: Server) -> AuthFailed | RemoteError:
    """Tell a wrong password from a server that cannot let anybody in now."""
    words = said(exc)
    if _is_throttling(words) or _LIMIT.search(words):
        return Throttled(server, words)
    if isinstance(exc.__context__, imaplib.IMAP4.abort):
        return ConnectionLost(f"{server} ended the connection during sign-in ({words}).")
    if _PASSING.search(words):
        return RemoteError(f"{server} lets nobody in at the moment ({words}).")
    return AuthFailed(
        f"{server} does not accept the user name or password (it said: {words}). "
        "Check both; some providers ask for an app password."
    )


def connection_problem(exc: Exception, server: Server, *, greeting: str) -> RemoteError:
    """Say why no session came about. `greeting`: what the server says to a caller, "" if unknown.

    A certificate that does not verify has its own text (certificate.py).
    """
    if isinstance(exc, socket.gaierror):
        return RemoteError(f'There is no server called "{server.host}". Check its spelling.')
    if isinstance(exc, ConnectionRefusedError):
        return RemoteError(
            f"{server.host} refuses connections at port {server.port}. Check the port "
            "(usually 993 for SSL/TLS, 143 for STARTTLS) and whether the server runs."
        )
    if isinstance(exc, TimeoutError) and not greeting:
        return RemoteError(
            f"{server} did not answer in time. Check server, port and connection security "
            "(an SSL/TLS port stays silent when it is called without), and the firewall."
        )
    if isinstance(exc, ssl.SSLError) and not greeting:
        return RemoteError(
            f"No IMAP server with SSL/TLS answers at {server} ({exc.reason or said(exc)}). "
            "Check server, port and connection security.",
            is_retryable=False,
        )
    if isinstance(exc, ssl.SSLError) and greeting.startswith("* "):
        return RemoteError(
            f"{server} speaks IMAP, but not SSL/TLS from the start. Choose STARTTLS, or the "
            "server's SSL/TLS port (usually 993).",
            is_retryable=False,
        )
    words = greeting or said(exc)
    if words.upper().startswith("* BYE"):
        turned_away = f"{server} turns every caller away now (it said: {words})."
        is_throttled = _is_throttling(words) or _LIMIT.search(words)
        return Throttled(server, words) if is_throttled else RemoteError(turned_away)
    if words.upper().startswith("* OK"):
        why = "falls silent" if isinstance(exc, TimeoutError) else f"breaks off: {said(exc)}"
        return ConnectionLost(f"{server} greets, and then {why}. Letterbook tries again.")
    if isinstance(exc, imaplib.IMAP4.error | ssl.SSLError | TimeoutError):
        return _not_imap(server, words)
    if isinstance(exc, UnicodeError):
        return RemoteError(f'"{server.host}" is not a host name.', is_retryable=False)
    return RemoteError(f"{server} cannot be reached ({said(exc)}).")


def _not_imap(server: Server, words: str) -> RemoteError:
    return RemoteError(
        f"No IMAP server answers at {server} (it said: {words}). Check server and port.",
        is_retryable=False,
    )


@contextmanager
def unsaid(*secrets: str) -> Iterator[None]:
    """What this thread says within of a server's words does not repeat these, as written or in
    base64: some servers answer with the command that they do not like."""
    forms = [one for secret in secrets if secret for one in _forms(secret)]
    before = getattr(_of_thread, "unsaid", ())
    _of_thread.unsaid = (*before, *sorted(forms, key=len, reverse=True))
    try:
        yield
    finally:
        _of_thread.unsaid = before


def _forms(secret: str) -> set[str]:
    written = {secret, secret.replace("\\", "\\\\").replace('"', '\\"')}
    written.add(b64encode(secret.encode(errors="replace")).decode())
    # An error holds the repr of the line.
    return written | {repr(one.encode(errors="replace"))[2:-1] for one in written}


def said(exc: Exception) -> str:
    """The server's own words out of an error, cleaned and short.

    imaplib wraps them as the repr of bytes: `command error: BAD [b'Unknown folder']`.
    """
    text = str(exc)
    for secret in getattr(_of_thread, "unsaid", ()):
        text = text.replace(secret, "***")
    if quoted := re.search(r"""b(['"])(.*)\1""", text, re.DOTALL):
        text = quoted[2].replace("\\r", "").replace("\\n", " ")
    return clean(text) or type(exc).__name__


def clean(text: str) -> str:
    """One printable line of at most 200 characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:_WORDS_LIMIT]
