"""Not for the archive: set aside, seen on its tab, and taken back (A2)."""

from datetime import UTC, datetime

import pytest

from app import filing
from app.store import holdings
from tests.make import mail
from tests.web.conftest import Browser, Team

QUEUE = "/email/queue"


def is_aside(team: Team, public_id: str) -> bool:
    return holdings.is_set_aside(team.store, team.viewer(team.alice), team.id_of(public_id))


def test_the_toolbar_sets_the_selected_row_aside_and_says_so(team: Team, alice: Browser) -> None:
    """A2, R68."""
    (one,) = team.deliver(mail("Werbung"))

    answer = alice.post("/email/act", message=one, do="aside", back=f"{QUEUE}?show=open")
    text = alice.get(answer.headers["location"]).text

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{QUEUE}?show=open&done=aside&message={one}"
    assert is_aside(team, one)
    assert "<p>Set aside</p>" in text
    assert f'action="/email/messages/{one}/take-back"' in text
    assert "Nothing waiting." in text


def test_its_tab_shows_it_and_takes_it_back(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail("Werbung"))
    alice.post(f"/email/messages/{one}/aside", back=QUEUE)

    tab = alice.get(f"{QUEUE}?show=aside").text
    answer = alice.post("/email/act", message=one, do="back", back=f"{QUEUE}?show=aside")

    assert "Werbung" in tab
    assert 'value="back" data-hotkey="y"' in tab
    assert not is_aside(team, one)
    assert "It waits in the queue again." in alice.get(answer.headers["location"]).text


def test_undo_takes_it_back(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail("Werbung"))
    alice.post(f"/email/messages/{one}/aside", back=QUEUE)

    alice.post(f"/email/messages/{one}/take-back", back=QUEUE)

    assert "Werbung" in alice.get(QUEUE).text


def test_the_row_below_takes_its_place(team: Team, alice: Browser) -> None:
    older, gone, _newer = (
        team.deliver(
            mail(f"Mail {n}", message_id=f"<{n}@x>", date=f"Fri, 1{n} Mar 2025 08:00:00 +0000"),
            uid=n + 1,
        )[0]
        for n in range(3)
    )

    answer = alice.post(f"/email/messages/{gone}/aside", back=QUEUE)

    assert f'data-next="{older}"' in alice.get(answer.headers["location"]).text


def test_the_message_page_offers_it_while_it_waits(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())

    waiting = alice.get(f"/email/messages/{one}").text
    alice.post(f"/email/messages/{one}/aside")
    aside = alice.get(f"/email/messages/{one}").text

    assert "Not for the archive" in waiting
    assert "Take back" in aside
    assert "Not for the archive" not in aside


def test_what_is_archived_is_not_set_aside_and_says_why(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    viewer = team.viewer(team.alice)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=datetime.now(UTC))

    answer = alice.post(f"/email/messages/{one}/aside", back=QUEUE)

    assert "It is archived already." in alice.get(answer.headers["location"]).text
    assert not is_aside(team, one)


def test_an_empty_tab_says_what_it_is_for(alice: Browser) -> None:
    assert "Nothing is set aside." in alice.get(f"{QUEUE}?show=aside").text


@pytest.mark.parametrize("verb", ["aside", "take-back"])
def test_it_is_only_for_members(team: Team, charlie: Browser, verb: str) -> None:
    """R36, R46: hidden equals missing."""
    (one,) = team.deliver(mail())

    hidden = charlie.post(f"/email/messages/{one}/{verb}")
    missing = charlie.post(f"/email/messages/aaaaaaaaaaaaa/{verb}")
    odd = charlie.post(f"/email/messages/%3Cx%3E/{verb}")

    assert hidden.status_code == missing.status_code == odd.status_code == 404
    assert hidden.text == missing.text == odd.text


@pytest.mark.parametrize("verb", ["aside", "take-back"])
def test_it_needs_sign_in_a_token_and_a_post(
    team: Team, alice: Browser, stranger: Browser, verb: str
) -> None:
    (one,) = team.deliver(mail())
    path = f"/email/messages/{one}/{verb}"

    assert alice.send(path, {}).status_code == 403
    assert alice.get(path).status_code == 405
    assert stranger.send(path, {}).status_code in (303, 403)
    assert not is_aside(team, one)


def test_it_never_leads_elsewhere(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())

    answer = alice.post(f"/email/messages/{one}/aside", back="https://evil.example/")

    assert answer.headers["location"].startswith("/email/queue?")
