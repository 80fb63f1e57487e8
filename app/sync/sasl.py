"""Signing in to an IMAP server with an access token: XOAUTH2, or OAUTHBEARER (RFC 7628)."""

import imaplib

from imapclient import IMAPClient

from app.errors import AuthFailed, RemoteError
from app.sync.faults import Server, login_problem, said, translated, unsaid


def log_in_with_token(client: IMAPClient, server: Server, user: str, token: str) -> None:
    """Raises AuthFailed if the server does not let this user in with it, else RemoteError.

    Gmail offers both mechanisms and Microsoft the first alone.
    """
    xoauth2, bearer = _xoauth2(user, token), _bearer(server, user, token)
    with unsaid(xoauth2.decode(), bearer.decode()), translated(server):
        if client.has_capability("AUTH=XOAUTH2"):
            _authenticate(client, server, "XOAUTH2", xoauth2, b"")
        elif client.has_capability("AUTH=OAUTHBEARER"):
            _authenticate(client, server, "OAUTHBEARER", bearer, b"\x01")
        else:
            raise RemoteError(
                f"{server} offers no oAuth login over this connection. Choose SSL/TLS, or "
                "Password login.",
                is_retryable=False,
            )


def _xoauth2(user: str, token: str) -> bytes:
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def _bearer(server: Server, user: str, token: str) -> bytes:
    name = user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 4
    place = f"host={server.host}\x01port={server.port}"
    return f"n,a={name},\x01{place}\x01auth=Bearer {token}\x01\x01".encode()


def _authenticate(
    client: IMAPClient, server: Server, mechanism: str, words: bytes, end: bytes
) -> None:
    """A server that refuses says why in a challenge of its own, and wants `end` before its NO."""
    answers = iter((words,))
    try:
        client._imap.authenticate(mechanism, lambda _: next(answers, end))
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as exc:
        problem = login_problem(exc, server)
        if isinstance(problem, AuthFailed):
            problem = AuthFailed(
                f"{server} does not accept the oAuth login (it said: {said(exc)}). Check the "
                "login, and whether IMAP is allowed for this mailbox."
            )
        raise problem from exc
