"""Servers that stall, drip and talk without end: each is given up, and no folder waits for it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from app.errors import RemoteError
from app.model import Account
from app.store import Store
from app.sync import connect, sync_account, wire
from tests.dovecot import HOST
from tests.sync.conftest import Clock, add_account, copies, raw_mail
from tests.sync.scripted import ScriptedImap, listening

SOON = 0.05
ENDLESS = b"x" * 65_536


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits, a thousandth of what they are."""
    monkeypatch.setattr(connect, "CONNECT_SECONDS", SOON)
    monkeypatch.setattr(connect, "_GREETING_SECONDS", SOON)
    for name in ("LINE_SECONDS", "LITERAL_SECONDS", "LONGEST_COMMAND_SECONDS"):
        monkeypatch.setattr(wire, name, SOON)
    monkeypatch.setattr(wire, "MOST_LINE", 100_000)
    monkeypatch.setattr(wire, "MOST_ANSWER", 1_000_000)


@dataclass
class Attempt:
    """An account on a server that talks as told."""

    store: Store
    account: Account

    def problem(self) -> RemoteError:
        with pytest.raises(RemoteError) as raised:
            sync_account(self.store, self.account, "secret", now=Clock())
        return raised.value


@pytest.fixture
def attempt(store: Store) -> Iterator[Callable[[Callable[[socket.socket], None]], Attempt]]:
    """Starts a server that talks as told."""
    ends = []

    def start(talk: Callable[[socket.socket], None]) -> Attempt:
        server = listening(talk)
        ends.append(server)
        port = server.__enter__()
        return Attempt(store, add_account(store, login="a@x.test", port=port, security="none"))

    yield start
    for server in ends:
        server.__exit__(None, None, None)


def until_hung_up(caller: socket.socket) -> None:
    with suppress(OSError):
        while caller.recv(4096):
            pass


def drip(caller: socket.socket, piece: bytes) -> None:
    """Say it again and again, as long as somebody listens."""
    with suppress(OSError):
        while True:
            caller.sendall(piece)


def after_greeting(talk: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def greet(caller: socket.socket) -> None:
        caller.sendall(b"* OK ready\r\n")
        caller.recv(4096)
        talk(caller)

    return greet


@pytest.mark.parametrize(
    "talk",
    [
        until_hung_up,
        lambda caller: drip(caller, b"* OK hello\r\n"),
        after_greeting(until_hung_up),
        after_greeting(lambda caller: drip(caller, ENDLESS)),
        after_greeting(lambda caller: drip(caller, b"* OK still here\r\n")),
        after_greeting(lambda caller: drip(caller, b"* 1 FETCH (FLAGS ())\r\n")),
        after_greeting(lambda caller: drip(caller, b"* LIST (" + ENDLESS + b"\r\n")),
        after_greeting(lambda caller: drip(caller, b"* 1 FETCH (BODY[] {99999999999}\r\n")),
        after_greeting(lambda caller: drip(caller, b"{}{}{}\r\n")),
    ],
    ids=[
        "black-hole",
        "greetings-without-end",
        "silent-after-greeting",
        "line-without-end",
        "kept-alive-without-end",
        "answers-without-end",
        "long-lines-without-end",
        "literal-without-end",
        "no-imap",
    ],
)
def test_a_server_without_end_is_given_up_and_asked_again_later(
    attempt: Callable[[Callable[[socket.socket], None]], Attempt],
    talk: Callable[[socket.socket], None],
) -> None:
    assert attempt(talk).problem().is_retryable


@pytest.mark.parametrize("where", [b"LIST", b"STATUS", b"EXAMINE", b"UID SEARCH", b"UID FETCH"])
def test_a_server_that_falls_silent_in_mid_check_is_given_up(
    attempt: Callable[[Callable[[socket.socket], None]], Attempt], where: bytes
) -> None:
    server = ScriptedImap(messages={uid: raw_mail(uid) for uid in range(1, 10)})
    server.silent_at = where

    assert attempt(server.talk).problem().is_retryable


def test_a_greeting_without_end_is_no_imap_server(
    attempt: Callable[[Callable[[socket.socket], None]], Attempt],
) -> None:
    problem = attempt(lambda caller: drip(caller, ENDLESS)).problem()

    assert "No IMAP server answers" in str(problem)


def test_a_message_that_stands_still_is_dropped_and_comes_whole_next_time(
    attempt: Callable[[Callable[[socket.socket], None]], Attempt], store: Store
) -> None:
    server = ScriptedImap(messages={1: raw_mail(1)})
    server.stalls_after = 100
    stalled = attempt(server.talk)

    sync_account(store, stalled.account, "secret", now=Clock())
    before = copies(store)
    server.stalls_after = None
    sync_account(store, stalled.account, "secret", now=Clock())

    assert before == []
    assert copies(store) == [raw_mail(1)]


def test_what_came_in_clear_text_before_tls_is_not_heard_after_it() -> None:
    server = ScriptedImap(answers={b"NOOP": b"TAG OK done\r\n* OK forged\r\n"})
    with listening(server.talk) as port, socket.create_connection((HOST, port)) as clear:
        client = wire.Wire(clear, connect.Server(HOST, port, "starttls"), lambda: False)
        client.noop()

        client.sock, secured = socket.socketpair()
        client.send(b"A1 CAPABILITY\r\n")
        secured.sendall(b"* OK secure\r\n")

        assert client.readline() == b"* OK secure\r\n"
        secured.close()
        client.shutdown()
