"""What a mailbox's state says to people: what is wrong, what to do, when it is tried next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.store import accounts, states
from app.store.states import State
from tests.web.conftest import Team

LIST = "/email/accounts"
NOW = datetime.now(UTC)


def fare(team: Team, error: str = "It is down.", **given: Any) -> None:
    """Leave office@ as a check that failed leaves it; looked at again at 15:04 UTC tomorrow."""
    state = State(**({"trouble": "passing", "failures": 3, "failing_since": NOW} | given))
    due_at = NOW.replace(hour=15, minute=4) + timedelta(days=1)
    states.keep(team.store, team.office.id, state, due_at=due_at)
    accounts.record_check(team.store, team.office.id, unread=None, new=None, error=error, now=NOW)
    team.store.archive.conn.execute("update team set time_zone = 'UTC'")


def halt(team: Team, trouble: str = "login") -> None:
    fare(team, "The login was refused.", trouble=trouble, refusals=2, halted_at=NOW)


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_a_passing_fault_says_since_when_and_when_it_is_tried_next(team, alice) -> None:
    fare(team)

    text = squeezed(alice.get(LIST).text)

    assert '<span class="passing-text">' in text
    assert "Since <time" in text
    assert "Next try at 15:04." in text
    assert "banner" not in text


def test_a_certificate_is_another_matter_and_resumes_alone(team, alice) -> None:
    fare(team, "The certificate of imap.firma.pl expired on 3 May 2025.", trouble="settings")

    text = squeezed(alice.get(LIST).text)

    assert '<span class="error-text">' in text
    assert "Next try at 15:04. It goes on by itself once that is right." in text


def test_a_refused_login_needs_attention_and_says_so_on_every_page(team, alice, admin) -> None:
    halt(team)

    queue, text = squeezed(alice.get("/email/queue").text), squeezed(admin.get(LIST).text)

    assert "gets no new mail: its server refused the login twice." in queue
    assert "an administrator can mend it." in queue
    assert "needs attention" in text
    assert f'<a href="{LIST}/{team.office.public_id}/edit">Type the password again</a>' in text
    assert "Next try" not in text


def test_a_dead_sign_in_asks_to_sign_in_again(team, admin) -> None:
    team.store.archive.conn.execute("update accounts set auth_type = 'oauth'")
    halt(team, "sign-in")

    text = squeezed(admin.get(LIST).text)

    assert "its provider wants somebody to sign in again" in text
    assert f'<a href="{LIST}/{team.office.public_id}/sign-in">Sign in again</a>' in text


def test_others_see_no_banner(team, charlie) -> None:
    halt(team)

    assert "banner" not in charlie.get("/email/queue").text


@pytest.mark.parametrize("column", ["paused_at", "closed_at"])
def test_a_mailbox_that_is_stopped_on_purpose_needs_nobody(team, alice, column) -> None:
    halt(team)

    team.store.archive.conn.execute(f"update accounts set {column} = 1")

    text = alice.get(LIST).text
    assert "banner" not in text
    assert "needs attention" not in text


def test_settings_typed_anew_make_the_error_void(team, alice) -> None:
    halt(team)

    states.renew(team.store, team.office.id, now=NOW)

    text = alice.get(LIST).text
    assert "settings changed, to be checked at once" in text
    assert "refused" not in text


def test_the_mailbox_page_says_when_it_is_checked_next(team, alice) -> None:
    fare(team, trouble="", failures=0, failing_since=None)

    text = squeezed(alice.get(f"{LIST}/{team.office.public_id}").text)

    assert "<dt>Next check</dt><dd>15:04:" in text
