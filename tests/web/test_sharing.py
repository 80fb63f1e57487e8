"""Who is let into a mailbox, by whom, and that its people are told (R25-R27, R78, A21)."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from app import mailboxes
from app.model import UserId
from app.store import accounts, audit, users
from tests.make import mail
from tests.web.conftest import Browser, Team

QUEUE, ACCOUNTS, NOTICES = "/email/queue", "/email/accounts", "/email/notices"


def share(
    team: Team, *people: UserId, by: UserId | None = None, at: datetime | None = None
) -> None:
    """Put these people on the list of office@."""
    viewer = team.viewer(by) if by else None
    now = at or datetime.now(UTC)
    mailboxes.share(team.store, viewer, team.office.id, people, is_strict=False, now=now)


def dora(team: Team) -> UserId:
    return users.by_email(team.store, "dora@firma.pl").id


def notices(browser: Browser, page: str = QUEUE) -> list[str]:
    """What stands above the page, tags left out."""
    found = re.search(
        r'<form[^>]*class="banner notice".*?</form>', browser.get(page).text, re.DOTALL
    )
    return lines_of(found.group(0)) if found else []


def lines_of(text: str) -> list[str]:
    items = re.findall(r"<li>(.*?)</li>", text, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", item)).split()) for item in items]


def test_members_are_told_whom_an_administrator_lets_in(
    team: Team, admin: Browser, alice: Browser, charlie: Browser
) -> None:
    """R78: himself too; others are told nothing."""
    share(team, team.alice, team.bob, dora(team), by=dora(team))

    (told,) = notices(alice)

    assert re.fullmatch(r"Dora gave themselves access to office@firma.pl on \d+ \w+ \d{4}", told)
    assert notices(alice, ACCOUNTS) == [told]
    assert notices(charlie) == []
    assert notices(admin) == []


def test_what_is_told_can_be_put_away_and_stays_on_the_mailbox_s_page(
    team: Team, admin: Browser, alice: Browser
) -> None:
    """R78."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    share(team, team.alice, team.bob, team.charlie, by=dora(team), at=yesterday)
    until = re.search(r'name="until" value="(\d+)"', alice.get(QUEUE).text)
    assert until
    share(team, team.alice, team.bob, team.charlie, dora(team), by=dora(team))

    answer = alice.post(NOTICES, until=until.group(1), back=f"{QUEUE}?show=all")

    assert answer.headers["location"] == f"{QUEUE}?show=all"
    assert [line.split(" on ")[0] for line in notices(alice)] == [
        "Dora gave themselves access to office@firma.pl"
    ]
    page = alice.get(f"{ACCOUNTS}/{team.office.public_id}").text
    shown = lines_of(page[page.index('id="let-in"') :])
    assert len(shown) == 2
    assert shown[1].startswith("Dora gave Charlie access")


def test_after_thirty_days_it_is_old(team: Team, admin: Browser, alice: Browser) -> None:
    before = datetime.now(UTC) - timedelta(days=30, minutes=1)
    share(team, team.alice, team.bob, dora(team), by=dora(team), at=before)

    assert notices(alice) == []


def test_who_is_taken_off_is_told_of_nothing(team: Team, admin: Browser, charlie: Browser) -> None:
    share(team, team.alice, team.charlie, by=dora(team))
    before = notices(charlie)
    share(team, team.alice, by=dora(team))

    assert len(before) == 1
    assert notices(charlie) == []


@pytest.mark.parametrize("until", ["", "x", "-1", "1e9", "9" * 20, "\u00b2"])
def test_a_notice_is_not_put_away_by_nonsense(
    team: Team, admin: Browser, alice: Browser, until: str
) -> None:
    share(team, team.alice, team.bob, dora(team), by=dora(team))

    answer = alice.post(NOTICES, until=until)

    assert answer.status_code == 422
    assert len(notices(alice)) == 1


def test_nobody_puts_away_what_is_still_to_come(team: Team, admin: Browser, alice: Browser) -> None:
    alice.post(NOTICES, until="99999999999")
    later = datetime.now(UTC) + timedelta(minutes=1)

    share(team, team.alice, team.bob, dora(team), by=dora(team), at=later)

    assert len(notices(alice)) == 1


def test_notices_need_a_session_and_the_form_s_token(alice: Browser, stranger: Browser) -> None:
    assert stranger.send(NOTICES, {"until": "1"}).headers["location"] == "/sign-in"
    assert alice.send(NOTICES, {"until": "1"}).status_code == 403
    assert alice.get(NOTICES).status_code == 405


def test_the_next_request_counts_for_who_is_let_in_and_taken_off(
    team: Team, admin: Browser, charlie: Browser
) -> None:
    """R25, R27."""
    (one,) = team.deliver(mail("Fence"))
    message = f"/email/messages/{one}"
    before = charlie.get(message).status_code
    share(team, team.alice, team.charlie, by=dora(team))
    during = charlie.get(message).status_code
    share(team, team.alice, by=dora(team))

    assert (before, during) == (404, 200)
    assert charlie.get(message).status_code == 404
    assert "Fence" not in charlie.get(QUEUE).text


def test_a_mailbox_without_people_is_warned_of_and_its_mail_stays(
    team: Team, admin: Browser, alice: Browser
) -> None:
    """A21."""
    (one,) = team.deliver(mail("Fence"))
    page = f"{ACCOUNTS}/{team.office.public_id}/edit"
    text = admin.get(page).text
    version = re.search(r'name="version" value="(\w+)"', text)
    assert version
    sent = {"address": "office@firma.pl", "host": "imap.firma.pl", "login": "office@firma.pl"}
    sent |= {"verify_certificate": "1", "port": "993", "version": version.group(1)}

    answer = admin.post(page, seen_on=page, **sent)
    shown = admin.get(answer.headers["location"]).text

    assert answer.status_code == 303
    assert "Nobody sees the queue of this mailbox now" in shown
    assert accounts.users(team.store, team.office.id) == []
    assert alice.get(f"/email/messages/{one}").status_code == 404
    assert "share account" in audit.latest_verbs(team.store, 3)
