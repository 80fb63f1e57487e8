"""What a person is told when a mailbox cannot be opened, and that the password is safe."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import AuthFailed, LetterbookError, RemoteError
from app.model import Account, AccountId, PublicId, Security
from app.sync import connect
from app.sync.connect import connect as open_session
from tests.dovecot import HOST, PASSWORD, Certificate, Dovecot, is_installed, running
from tests.sync.scripted import ScriptedImap, greeter, listening

HTTP = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"
SMTP = b"220 mail.ex.test ESMTP Postfix\r\n"
POP3 = b"+OK POP3 server ready\r\n"


def account(port: int, security: Security = "none", *, login: str = "ann@ex.test") -> Account:
    return Account(
        AccountId(1), PublicId("x"), login, host=HOST, port=port, security=security, login=login
    )


def attempt(of: Account, *, password: str = PASSWORD, ca_file: Path | None = None) -> int:
    """Open a session and give the number of folders."""
    with open_session(of, password, now=lambda: datetime.now(UTC), ca_file=ca_file) as remote:
        return len(remote.list_folders())


def problem(of: Account, *, password: str = PASSWORD, ca_file: Path | None = None) -> RemoteError:
    with pytest.raises(RemoteError) as raised:
        attempt(of, password=password, ca_file=ca_file)
    return raised.value


def secured(server: Dovecot, security: Security) -> Account:
    port = server.tls_port if security == "tls" else server.port
    return account(port, security, login=server.new_user())


@pytest.fixture(scope="module", params=["expired", "other_host"])
def bad_server(request: pytest.FixtureRequest) -> Iterator[tuple[Certificate, Dovecot]]:
    if not is_installed():
        pytest.skip("Dovecot is not installed here")
    with running(request.param) as server:
        yield request.param, server


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_every_kind_of_security_connects(dovecot: Dovecot, security: Security) -> None:
    assert attempt(secured(dovecot, security), ca_file=dovecot.ca_file) == 5


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_is_out_of_date_or_for_another_host_is_refused(
    bad_server: tuple[Certificate, Dovecot], security: Security
) -> None:
    kind, server = bad_server
    expected = {
        "expired": r"expired on .* issued by \"localhost\", is valid from \d+ \w+ 20\d\d to \d+",
        "other_host": "not valid for 127.0.0.1.* and for: mail.other.test",
    }

    refusal = problem(secured(server, security), ca_file=server.ca_file)

    assert re.search(expected[kind], str(refusal))
    assert not refusal.is_retryable


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_self_signed_certificate_is_refused(dovecot: Dovecot, security: Security) -> None:
    refusal = problem(secured(dovecot, security))

    assert "is self-signed" in str(refusal)
    assert 'issued by "localhost"' in str(refusal)
    assert not refusal.is_retryable


@pytest.mark.dovecot
def test_no_password_leaves_when_the_certificate_is_refused(dovecot: Dovecot) -> None:
    refused = secured(dovecot, "starttls")

    problem(refused)

    assert not [c for c in dovecot.login_commands() if refused.login in c]


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_without_verification_every_certificate_will_do(
    bad_server: tuple[Certificate, Dovecot], security: Security
) -> None:
    _, server = bad_server

    assert attempt(replace(secured(server, security), verify_certificate=False)) == 5


@pytest.mark.dovecot
@pytest.mark.parametrize("password", ["wrong", "zażółć", "", 'a"b\\c'])
def test_a_wrong_password_is_told_as_such(dovecot: Dovecot, password: str) -> None:
    with pytest.raises(AuthFailed, match="does not accept the user name or password"):
        attempt(secured(dovecot, "tls"), password=password, ca_file=dovecot.ca_file)


@pytest.mark.dovecot
def test_tls_at_a_port_for_plain_imap_names_the_way_out(dovecot: Dovecot) -> None:
    refusal = problem(account(dovecot.port, "tls"))

    assert "speaks IMAP, but not SSL/TLS from the start. Choose STARTTLS" in str(refusal)


@pytest.mark.parametrize(
    ("words", "after_hearing", "security"),
    [
        (SMTP, False, "none"),
        (SMTP, False, "starttls"),
        (SMTP, False, "tls"),
        (POP3, False, "none"),
        (HTTP, True, "none"),
        (HTTP, True, "tls"),
    ],
    ids=["smtp", "smtp-starttls", "smtp-tls", "pop3", "http", "http-tls"],
)
def test_a_server_that_is_not_imap_is_quoted(
    words: bytes, after_hearing: bool, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(connect, "_GREETING_SECONDS", 0.2)
    with listening(greeter(words, after_hearing=after_hearing)) as port:
        refusal = problem(account(port, security))

    said = words.decode().splitlines()[0]
    assert f"No IMAP server answers at {HOST}:{port} (it said: {said})" in str(refusal)
    assert not refusal.is_retryable


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "CONNECT_SECONDS", 0.05)
    monkeypatch.setattr(connect, "_GREETING_SECONDS", 0.05)
    with listening(lambda caller: caller.recv(1) and None) as port:
        refusal = problem(account(port))

    assert "did not answer in time" in str(refusal)
    assert refusal.is_retryable


def test_a_closed_port_is_told_as_such() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

    assert f"refuses connections at port {port}" in str(problem(account(port)))


def test_an_unknown_host_is_told_as_such() -> None:
    refusal = problem(replace(account(1), host="no.such.invalid"))

    assert 'There is no server called "no.such.invalid"' in str(refusal)


def test_starttls_that_is_not_offered_ends_before_the_password() -> None:
    server = ScriptedImap()
    with listening(server.talk) as port:
        refusal = problem(account(port, "starttls"))

    assert "does not offer STARTTLS" in str(refusal)
    assert server.heard == [b"CAPABILITY"]


def test_starttls_that_is_refused_ends_before_the_password() -> None:
    server = ScriptedImap(capabilities=b"IMAP4rev1 STARTTLS")
    server.answers = {b"STARTTLS": b"TAG NO not today\r\n"}
    with listening(server.talk) as port:
        problem(account(port, "starttls"))

    assert not [command for command in server.heard if command.startswith(b"LOGIN")]


def test_a_greeting_that_skips_sign_in_cannot_keep_starttls_away() -> None:
    def preauth(caller: socket.socket) -> None:
        caller.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] in\r\n")
        ScriptedImap(capabilities=b"IMAP4rev1 STARTTLS").talk(caller)

    with listening(preauth) as port:
        assert not problem(account(port, "starttls")).is_retryable


def test_a_server_that_lets_nobody_in_now_is_not_a_wrong_password() -> None:
    server = ScriptedImap(answers={b"LOGIN": b"TAG NO [UNAVAILABLE] backend down\r\n"})
    with listening(server.talk) as port:
        refusal = problem(account(port))

    assert "[UNAVAILABLE] backend down" in str(refusal)
    assert refusal.is_retryable


def test_a_connection_lost_at_sign_in_is_not_a_wrong_password() -> None:
    server = ScriptedImap(answers={b"LOGIN": b"* BYE overloaded\r\n"})
    with listening(server.talk) as port:
        assert problem(account(port)).is_retryable


def test_a_file_of_authorities_that_is_not_there_is_named(tmp_path: Path) -> None:
    refusal = problem(account(1, "tls"), ca_file=tmp_path / "none.pem")

    assert "LETTERBOOK_CA_FILE" in str(refusal)


@pytest.mark.dovecot
def test_a_certificate_that_is_trusted_later_is_accepted_without_a_restart(
    dovecot: Dovecot, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("")
    refused = secured(dovecot, "tls")
    problem(refused, ca_file=ca_file)

    ca_file.write_bytes(dovecot.ca_file.read_bytes())

    assert attempt(refused, ca_file=ca_file) == 5


@pytest.mark.parametrize(
    "answer",
    [
        b'TAG NO Login failed for ann with pa"ss\\word\r\n',
        b'TAG BAD Unknown command: LOGIN "ann@ex.test" "pa\\"ss\\\\word"\r\n',
        b'* BYE I do not like cGEic3Ncd29yZA== nor pa"ss\\word\r\n',
    ],
)
def test_a_password_that_the_server_repeats_is_not_said_again(answer: bytes) -> None:
    server = ScriptedImap(answers={b"LOGIN": answer})

    with listening(server.talk) as port, pytest.raises(LetterbookError) as raised:
        attempt(account(port), password='pa"ss\\word')

    said = str(raised.value)
    assert "***" in said
    assert not re.search(r"ss\\+word|cGEic", said)
