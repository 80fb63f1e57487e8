"""The page that removes a message for good: for an administrator who may read it."""

from collections.abc import Callable

import pytest

from app.store import audit, purges
from tests import make
from tests.web.conftest import Browser, Team


@pytest.fixture
def message(team: Team) -> str:
    (one,) = team.deliver(make.mail("Faktura"))
    return one


@pytest.fixture
def boss(team: Team, sit_down: Callable[[str], Browser]) -> Browser:
    """Alice, who reads office@ and administers."""
    team.store.archive.conn.execute("update users set is_admin = 1 where id = ?", [team.alice])
    return sit_down("alice")


def path_of(message: str) -> str:
    return f"/email/messages/{message}/purge"


def test_an_administrator_removes_what_he_reads(team: Team, boss: Browser, message: str) -> None:
    page = boss.get(f"/email/messages/{message}").text
    form = boss.get(path_of(message))

    sent = boss.post(path_of(message), seen_on=path_of(message), reason="Court", word="REMOVE")

    assert path_of(message) in page
    assert form.status_code == 200
    assert sent.headers["location"] == "/email/queue?done=removed"
    assert boss.get(f"/email/messages/{message}").status_code == 404
    assert audit.latest_verbs(team.store, 1) == ["purge"]


def test_it_needs_sign_in(stranger: Browser, message: str) -> None:
    assert stranger.get(path_of(message)).headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("name", ["charlie", "admin"])
def test_a_hidden_message_is_missing_for_administrators_too(request, message: str, name) -> None:
    """R78."""
    browser = request.getfixturevalue(name)

    assert browser.get(path_of(message)).status_code == 404
    assert browser.post(path_of(message), reason="x", word="REMOVE").status_code == 404


def test_a_reader_who_does_not_administer_is_refused_and_offered_nothing(
    alice: Browser, message: str
) -> None:
    sent = alice.post(path_of(message), reason="x", word="REMOVE")

    assert sent.status_code == alice.get(path_of(message)).status_code == 403
    assert path_of(message) not in alice.get(f"/email/messages/{message}").text


def test_a_bad_id_is_missing(boss: Browser) -> None:
    assert boss.get(path_of("zzzzzzzzzzzzz")).status_code == 404


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"reason": "", "word": "REMOVE"}, "reason-error"),
        ({"reason": "Court", "word": "remove"}, "word-error"),
        ({"reason": "x" * 501, "word": "REMOVE"}, "reason-error"),
    ],
)
def test_bad_input_comes_back_and_removes_nothing(
    team: Team, boss: Browser, message: str, typed: dict[str, str], field: str
) -> None:
    answer = boss.post(path_of(message), **typed)

    assert answer.status_code == 422
    assert f'id="{field}"' in answer.text
    assert purges.latest(team.store) == 0


def test_other_methods_and_forms_from_elsewhere_are_refused(boss: Browser, message: str) -> None:
    assert boss.request("DELETE", path_of(message)).status_code == 405
    assert boss.send(path_of(message), {"reason": "x", "word": "REMOVE"}).status_code == 403
    assert boss.get(f"/email/messages/{message}").status_code == 200
