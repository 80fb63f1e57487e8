"""A click while something else writes for long, or when the disk is full: whole or not at all."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import OutOfSpace
from app.store import database, holdings, open_store
from tests.make import mail
from tests.web.conftest import Browser, Team


@contextmanager
def somebody_writes(team: Team) -> Iterator[Callable[[], None]]:
    """The lock on archive.db is held by another process until the given function is called."""
    other = open_store(team.store.directory)
    other.archive.conn.execute("begin immediate")
    try:
        yield lambda: other.archive.conn.execute("rollback")
    finally:
        other.close()


def is_aside(team: Team, public_id: str) -> bool:
    return holdings.is_set_aside(team.store, team.viewer(team.alice), team.id_of(public_id))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_click_that_cannot_be_kept_is_answered_with_when_to_try_again(
    team: Team, sit_down: Callable[[str], Browser]
) -> None:
    (one,) = team.deliver(mail("Werbung"))
    alice = sit_down("alice")
    token = alice.token("/email/queue")

    with somebody_writes(team):
        answer = alice.send(f"/email/messages/{one}/aside", {"_csrf": token})
        was_aside = is_aside(team, one)
    again = alice.send(f"/email/messages/{one}/aside", {"_csrf": token})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "Nothing was changed" in answer.text
    assert not was_aside
    assert again.status_code == 303
    assert is_aside(team, one)


def test_a_click_waits_for_a_write_that_ends(
    team: Team, sit_down: Callable[[str], Browser]
) -> None:
    (one,) = team.deliver(mail("Werbung"))
    alice = sit_down("alice")
    token = alice.token("/email/queue")

    with somebody_writes(team) as let_go:
        ending = threading.Timer(0.2, let_go)
        ending.start()
        answer = alice.send(f"/email/messages/{one}/aside", {"_csrf": token})
        ending.join()

    assert answer.status_code == 303
    assert is_aside(team, one)


@pytest.mark.usefixtures("impatient")
def test_pages_are_read_while_something_else_writes(
    team: Team, sit_down: Callable[[str], Browser]
) -> None:
    (one,) = team.deliver(mail("Beton"))
    team.store.archive.conn.execute(
        "update sessions set last_seen_at = ?",
        [int((datetime.now(UTC) - timedelta(days=1)).timestamp())],
    )
    alice = sit_down("alice")

    with somebody_writes(team):
        answers = [
            alice.get(path).status_code
            for path in ("/email/queue", f"/email/messages/{one}", "/search?q=beton")
        ]

    assert answers == [200, 200, 200]


def test_a_full_disk_is_told_as_such(
    team: Team, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = team.deliver(mail("Werbung"))

    def full(*_: object, **__: object) -> None:
        raise OutOfSpace

    monkeypatch.setattr(holdings, "set_aside", full)
    answer = alice.post(f"/email/messages/{one}/aside")

    assert answer.status_code == 507
    assert "Tell the administrator" in answer.text
    assert not is_aside(team, one)
