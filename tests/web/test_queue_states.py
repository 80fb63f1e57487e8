"""The queue's states: live rows, the remembered tab, what an empty one says, the first steps."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app import filing
from app.store import accounts
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

QUEUE = "/email/queue"
LATER = "Sat, 15 Mar 2025 08:00:00 +0000"


def plain(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", text).split())


# -- new rows


def test_the_list_does_not_wait_for_the_index(team: Team, alice: Browser) -> None:
    """R28: stored is listed, whole, though nothing is indexed yet."""
    (one,) = team.deliver(mail("Faktura", text="Treść"))

    assert "Faktura" in alice.get(QUEUE).text
    assert "Treść" in alice.get(f"/email/messages/{one}").text


def test_new_rows_come_as_a_fragment_of_the_list(team: Team, alice: Browser) -> None:
    """R31: only what is above the first row, and which row is the first then."""
    (first,) = team.deliver(mail("Erste", message_id="<1@x>"))
    (second,) = team.deliver(mail("Zweite", message_id="<2@x>", date=LATER), uid=2)

    text = alice.fragment(f"{QUEUE}/rows?newest={first}&show=waiting").text
    whole = alice.get(f"{QUEUE}?show=waiting").text

    row = text.partition("</tr>")[0].strip()
    assert " ".join(row.split()) in " ".join(whole.split())
    assert "Erste" not in text
    assert f'name="newest" value="{second}" hx-swap-oob="true"' in text
    assert text.lstrip().startswith("<tr")


def test_an_empty_list_is_fetched_whole(team: Team, alice: Browser) -> None:
    """R31."""
    empty = alice.get(QUEUE).text
    team.deliver(mail())

    text = alice.fragment("/email/circles?newest=none&show=waiting").text

    assert 'name="newest" value="none"' in empty
    assert 'hx-select="#rows"' in text


def test_new_rows_are_counted_by_the_tab_that_is_open(team: Team, alice: Browser) -> None:
    (first,) = team.deliver(mail("Erste", message_id="<1@x>"))
    (second,) = team.deliver(mail("Zweite", message_id="<2@x>", date=LATER), uid=2)
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(second), team.company, now=now)

    waiting = alice.fragment(f"/email/circles?newest={first}&show=waiting").text
    not_archived = alice.fragment(f"/email/circles?newest={first}&show=open").text

    assert "1 new message" in waiting
    assert "new message" not in plain(not_archived)


def test_only_the_top_of_the_list_asks_for_new_rows(team: Team, alice: Browser) -> None:
    """R31."""
    (one,) = team.deliver(mail())

    assert 'id="newest"' in alice.get(QUEUE).text
    assert 'id="newest"' not in alice.get(f"{QUEUE}?before={one}").text
    assert 'id="newest"' not in alice.get(f"{QUEUE}?show=all").text


@pytest.mark.parametrize("query", ["", "newest=", "newest=%3Cx%3E", "newest=none"])
def test_odd_questions_for_rows_are_answered(alice: Browser, query: str) -> None:
    assert alice.get(f"{QUEUE}/rows?{query}").status_code == 303
    assert alice.fragment(f"{QUEUE}/rows?{query}").status_code in (200, 303)


def test_rows_of_others_stay_away(team: Team, charlie: Browser) -> None:
    """R36."""
    (one,) = team.deliver(mail("Geheim"))

    assert "Geheim" not in charlie.fragment(f"{QUEUE}/rows?newest={one}").text
    assert "Geheim" not in charlie.fragment(f"{QUEUE}/rows?newest=none").text


def test_rows_need_sign_in(stranger: Browser) -> None:
    assert stranger.fragment(f"{QUEUE}/rows?newest=none").headers["hx-redirect"] == "/sign-in"


def test_without_scripts_there_is_a_refresh_link(alice: Browser) -> None:
    """R31."""
    assert re.search(r'class="button no-js" href="/email/queue">Refresh', alice.get(QUEUE).text)


# -- the remembered tab


def test_not_archived_is_remembered_until_waiting_is_chosen(team: Team, alice: Browser) -> None:
    """A1."""
    open_tab = 'show=open" aria-current="page"'
    before = alice.get(QUEUE).text

    alice.get(f"{QUEUE}?show=open")
    remembered = alice.get(QUEUE).text
    alice.get(f"{QUEUE}?show=waiting")

    assert open_tab not in before
    assert open_tab in remembered
    assert open_tab not in alice.get(QUEUE).text


def test_other_tabs_are_not_remembered(alice: Browser) -> None:
    alice.get(f"{QUEUE}?show=all")

    assert 'show=waiting" aria-current="page"' in alice.get(QUEUE).text


@pytest.mark.parametrize("value", ["aside", "<x>", "all", ""])
def test_an_odd_cookie_is_no_tab(alice: Browser, value: str) -> None:
    alice.cookies.set("letterbook-queue", value)

    assert 'show=waiting" aria-current="page"' in alice.get(QUEUE).text


# -- empty


def test_who_may_add_mailboxes_for_all_is_told_how(team: Team, sit_down) -> None:
    team.store.archive.conn.execute("delete from account_users")
    team.store.archive.conn.execute("update users set is_admin = 1 where name = 'Alice'")

    text = sit_down("alice").get(QUEUE).text

    assert "No mailbox yet. Add one , or import a file ." in plain(text)
    assert 'href="/email/accounts/new"' in text
    assert 'href="/email/accounts/import"' in text


def test_others_are_told_whom_to_ask(team: Team, sit_down) -> None:
    team.store.archive.conn.execute("delete from account_users")
    make.user(team.store, "Dora", is_admin=True)

    text = plain(sit_down("bob").get(QUEUE).text)

    assert "No mailbox is shared with you." in text
    assert "Add your own or ask Dora" in text


def test_nothing_waiting_says_when_it_looked_and_looks_next(team: Team, alice: Browser) -> None:
    """R35."""
    now = datetime.now(UTC)
    team.store.archive.conn.execute("update accounts set created_at = unixepoch()")
    team.deliver(mail("Alte Rechnung"), received_at=now - timedelta(days=400))
    accounts.record_check(team.store, team.office.id, unread=0, new=0, error=None, now=now)

    text = plain(alice.get(QUEUE).text)

    assert re.search(
        r"Nothing waiting\. Last check \d\d:\d\d, next in \d+ s - 1 older - show", text
    )


# -- the first steps


def test_the_first_visit_shows_three_steps(team: Team, alice: Browser) -> None:
    text = plain(alice.get(QUEUE).text)

    assert "Three steps to a first archived message" in text
    assert "Add a mailbox (done)" in text
    assert "Make your records (done)" in text
    assert 'press "Archive new email"' in text or "Archive new email" in text


def test_put_away_they_are_gone_for_good_and_only_for_oneself(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    answer = alice.post("/email/queue/steps")

    assert answer.status_code == 303
    assert "Three steps" not in alice.get(QUEUE).text
    assert "Three steps" in charlie.get(QUEUE).text


def test_done_they_are_gone_too(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)

    assert "Three steps" not in alice.get(QUEUE).text


def test_putting_them_away_needs_the_token_and_a_post(alice: Browser) -> None:
    assert alice.send("/email/queue/steps", {}).status_code == 403
    assert alice.get("/email/queue/steps").status_code == 405


def test_an_administrator_who_is_not_listed_sees_nothing(team: Team, sit_down) -> None:
    """R36, A4: not in the queue, not by its address, not in the circles."""
    (one,) = team.deliver(mail("Geheim"))
    team.store.archive.conn.execute("update users set is_admin = 1 where name = 'Charlie'")

    admin = sit_down("charlie")

    assert "Geheim" not in admin.get(f"{QUEUE}?show=all").text
    assert admin.get(f"/email/messages/{one}").status_code == 404
    assert "unread on server" not in admin.get(QUEUE).text


def test_without_a_mailbox_no_button_stands_there_for_nothing(team: Team, alice: Browser) -> None:
    team.store.archive.conn.execute("delete from account_users")

    assert "Check for new emails" not in alice.get(QUEUE).text
