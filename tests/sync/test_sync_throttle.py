"""What servers say when they are asked too much, and how long they want to be left alone."""

import imaplib
from datetime import timedelta

import pytest

from app.errors import RemoteError
from app.store import Store
from app.sync import sync_account
from app.sync.faults import Limited, Refused, Server, Throttled, login_problem, translated
from tests.sync.conftest import Clock, add_account
from tests.sync.scripted import greeter, listening

SERVER = Server("mail.ex.test", 993, "tls")


def told(words: str) -> RemoteError:
    """What becomes of a command that is refused with these words."""
    with pytest.raises(RemoteError) as raised, translated(SERVER):
        raise imaplib.IMAP4.error(f"UID command error: BAD [{words.encode()!r}]")
    return raised.value


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        # Seen from Microsoft 365, Gmail, Yahoo.
        ("Request is throttled. Suggested Backoff Time: 299961 milliseconds", 299.961),
        ("[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", None),
        ("[ALERT] Too many simultaneous connections. (Failure)", None),
        ("[LIMIT] Rate limit hit, please try again in 10 minutes", 600),
        ("[UNAVAILABLE] Retry after 90 seconds", 90),
        ("[THROTTLED] Retry-After: 2 hours", 7_200),
    ],
)
def test_a_server_that_wants_to_be_left_alone_says_for_how_long(
    words: str, wait: float | None
) -> None:
    problem = told(words)

    assert isinstance(problem, Throttled)
    assert problem.wait == (None if wait is None else timedelta(seconds=wait))
    assert problem.is_retryable
    assert words in str(problem)


@pytest.mark.parametrize(
    "words",
    [
        "Suggested Backoff Time: 99999999999999999999999 milliseconds, throttled",
        "[UNAVAILABLE] Retry after 400 hours",
    ],
)
def test_no_server_is_left_alone_for_longer_than_a_day(words: str) -> None:
    problem = told(words)

    assert isinstance(problem, Throttled)
    assert problem.wait == timedelta(days=1)


@pytest.mark.parametrize(
    "words", ["Server Unavailable. 15", "[LIMIT] too large", "[OVERQUOTA] Quota exceeded"]
)
def test_a_limit_without_more_words_may_be_that_of_one_command(words: str) -> None:
    problem = told(words)

    assert isinstance(problem, Limited)
    assert problem.throttled.wait is None
    assert words in str(problem.throttled)
    assert isinstance(login_problem(imaplib.IMAP4.error(words), SERVER), Throttled)
    with pytest.raises(Throttled), translated(SERVER):
        raise imaplib.IMAP4.abort(f"command: LIST => {words}")


@pytest.mark.parametrize(
    "words",
    ["Unknown folder", "[NONEXISTENT] wait 10 minutes", "limit", "[SERVERBUG] oops", "[INUSE] no"],
)
def test_another_refusal_is_no_throttling(words: str) -> None:
    problem = told(words)

    assert isinstance(problem, Refused)


def test_a_connection_ended_for_asking_too_much_is_throttling() -> None:
    with pytest.raises(Throttled) as raised, translated(SERVER):
        raise imaplib.IMAP4.abort("command: LIST => Account exceeded bandwidth limits.")

    assert raised.value.wait is None


def test_a_sign_in_refused_for_asking_too_much_is_no_wrong_password() -> None:
    words = "[AUTHENTICATIONFAILED] too many attempts, try again in 5 minutes"

    problem = login_problem(imaplib.IMAP4.error(words), SERVER)

    assert isinstance(problem, Throttled)
    assert problem.wait == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"* BYE [UNAVAILABLE] Too many connections\r\n", Throttled),
        (b"* BYE down\r\n", RemoteError),
    ],
)
def test_a_server_that_turns_callers_away_is_asked_again(
    greeting: bytes, kind: type[RemoteError], store: Store
) -> None:
    with listening(greeter(greeting)) as port:
        account = add_account(store, login="ann@ex.test", port=port, security="none")
        with pytest.raises(RemoteError) as raised:
            sync_account(store, account, "secret", now=Clock())

    assert type(raised.value) is kind
    assert raised.value.is_retryable
