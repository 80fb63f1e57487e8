"""Test connection: what a sync would do first, step by step, and nothing that is kept."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from imapclient import IMAPClient

from app.errors import LetterbookError
from app.model import Account
from app.sync.certificate import describe
from app.sync.connect import (
    CONNECT_SECONDS,
    Secret,
    call,
    locate,
    log_in,
    open_connection,
    tls_context,
    words_of,
)
from app.sync.faults import Server, connection_problem
from app.sync.remote import Remote
from app.sync.skip import skip_entries

StepName = Literal["dns", "tcp", "tls", "login", "folders"]
STEPS: tuple[StepName, ...] = ("dns", "tcp", "tls", "login", "folders")
MOST_FOLDERS = 500
_NOT_YET = 'Nobody has signed in yet: "Confirm" leads to the sign-in.'


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to a mailbox: a sentence, and whether it is as it should be."""

    name: StepName
    state: Literal["ok", "warning", "failed"]
    text: str


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder on the server; `skipped_by` is the skip entry that keeps it out, None: imported."""

    name: str
    skipped_by: str | None


@dataclass(frozen=True, slots=True)
class Tested:
    """How far a test came: the steps so far, and the folders, at most 500, at its end."""

    steps: tuple[Step, ...] = ()
    folders: tuple[FoundFolder, ...] = ()

    @property
    def is_good(self) -> bool:
        return len(self.steps) == len(STEPS) and self.steps[-1].state != "failed"


class _Failed(Exception):
    """The step that went wrong ends the test."""

    def __init__(self, name: StepName, reason: str) -> None:
        super().__init__(reason)
        self.step = Step(name, "failed", reason)


def test_connection(
    account: Account,
    secret: Secret | None,
    *,
    now: Callable[[], datetime],
    ca_file: Path | None,
    public_only: bool,
    tell: Callable[[Tested], None],
) -> Tested:
    """Go the way to an account's folders; `tell` hears each step when it is done.

    `secret` None: an oAuth login that is still to come; the way ends there.

    Effects: none here; on the server a sign-in and LIST.
    """
    tested = Tested()
    try:
        for step in _way(account, secret, now, ca_file, public_only):
            if isinstance(step, Step):
                tested = Tested((*tested.steps, step))
            else:
                tested = Tested(tested.steps, step)
            tell(tested)
    except _Failed as failed:
        tested = Tested((*tested.steps, failed.step))
        tell(tested)
    return tested


def _way(
    account: Account,
    secret: Secret | None,
    now: Callable[[], datetime],
    ca_file: Path | None,
    public_only: bool,  # noqa: FBT001 - passed on
) -> Iterator[Step | tuple[FoundFolder, ...]]:
    server, addresses = _resolve(account, public_only=public_only)
    yield Step("dns", "ok", f"{server.host} is {addresses}.")
    _reach(server)
    yield Step("tcp", "ok", f"Port {server.port} answers.")
    client = _secure(account, server, now, ca_file)
    try:
        yield _security_step(account, server, client)
        if secret is None:
            yield Step("login", "warning", _NOT_YET)
            return
        _sign_in(client, server, account, secret)
        yield Step("login", "ok", "The login is accepted.")
        found = _folders(client, server, account)
    finally:
        _session(client, server).close()
    kept = sum(folder.skipped_by is None for folder in found)
    yield Step("folders", "ok", f"{kept} to be imported, {len(found) - kept} skipped.")
    yield found[:MOST_FOLDERS]


def _resolve(account: Account, *, public_only: bool) -> tuple[Server, str]:
    try:
        server = locate(account, public_only=public_only)
        found = server.addresses or _addresses(server)
    except LetterbookError as exc:
        raise _Failed("dns", str(exc)) from exc
    except (OSError, UnicodeError) as exc:
        raise _Failed("dns", str(connection_problem(exc, server, greeting=""))) from exc
    return server, ", ".join(found[:4])


def _addresses(server: Server) -> tuple[str, ...]:
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


def _reach(server: Server) -> None:
    try:
        call(server, CONNECT_SECONDS).close()
    except OSError as exc:
        raise _Failed("tcp", str(connection_problem(exc, server, greeting=""))) from exc


def _secure(
    account: Account, server: Server, now: Callable[[], datetime], ca_file: Path | None
) -> IMAPClient:
    try:
        context = tls_context(verify=account.verify_certificate, ca_file=ca_file)
        return open_connection(server, context, now=now)
    except LetterbookError as exc:
        raise _Failed("tls", str(exc)) from exc


def _security_step(account: Account, server: Server, client: IMAPClient) -> Step:
    if server.security == "none":
        return Step(
            "tls", "warning", "The connection is not encrypted: everybody on the way can read it."
        )
    certificate = describe(client.socket().getpeercert(binary_form=True))
    if not account.verify_certificate:
        return Step("tls", "warning", f"Encrypted. The certificate, {certificate}, is not checked.")
    return Step("tls", "ok", f"Encrypted. The certificate is valid: {certificate}.")


def _sign_in(client: IMAPClient, server: Server, account: Account, secret: Secret) -> None:
    try:
        log_in(client, server, account, words_of(secret))
    except LetterbookError as exc:
        raise _Failed("login", str(exc)) from exc


def _folders(client: IMAPClient, server: Server, account: Account) -> tuple[FoundFolder, ...]:
    try:
        listed = _session(client, server).list_folders()
    except LetterbookError as exc:
        raise _Failed("folders", str(exc)) from exc
    entries = skip_entries(listed, account.skip_folders)
    found = tuple(
        FoundFolder(folder.name, entry)
        for folder, entry in zip(listed, entries, strict=True)
        if folder.is_selectable
    )
    if not found:
        raise _Failed("folders", "The server lists no folder, not even INBOX.")
    return found


def _session(client: IMAPClient, server: Server) -> Remote:
    return Remote(server, lambda: client)
