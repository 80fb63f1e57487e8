"""The part of a mailbox's page that says how far its first sync is."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.store import accounts, documents, first_syncs, folders, jobs, locations
from app.store.first_syncs import Counts
from app.store.folders import Listed
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team


def page(team: Team) -> str:
    return f"/email/accounts/{team.office.public_id}"


def part(team: Team) -> str:
    return f"{page(team)}/first-sync"


def begin(team: Team, *, done: int = 41_250, at: datetime | None = None) -> None:
    """203,118 messages, INBOX first, some of them here; a worker runs."""
    now = at or datetime.now(UTC)
    listed = [Listed("INBOX", "", None), Listed("Sent", "\\Sent", None)]
    inbox, sent = folders.record_listing(team.store, team.office.id, listed, now=now)
    counts = {inbox.id: Counts(200_000, 12), sent.id: Counts(3_118, 0)}
    begun = now - timedelta(seconds=120)
    first_syncs.begin(team.store, team.office.id, counts, now=begun)
    for number, moment in ((0, begun), (done, now)):
        first_syncs.note(
            team.store,
            team.office.id,
            inbox.id,
            total=200_000,
            done=number,
            more_bytes=number * 1_000,
            reached_at=datetime(2024, 3, 12, 12, tzinfo=UTC) if number else None,
            is_complete=False,
            now=moment - timedelta(seconds=50 if not number else 0),
        )
    jobs.beat(team.store, now=datetime.now(UTC))


def said(text: str) -> str:
    """The words of the part, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_it_says_how_much_is_here_how_fast_and_down_to_when(team: Team, alice: Browser) -> None:
    begin(team)

    text = alice.get(page(team)).text
    words = said(text)

    assert "Importing 41,250 of 203,118 messages (20 %) , 41 MB of about 203 MB" in words
    assert "Newest down to 12 March 2024 in INBOX" in words
    assert "Search covers that, and the folders that are done; the others follow" in words
    assert '<progress id="downloaded" max="203118" value="41250">' in text
    assert '<progress id="searchable" max="203118" value="41250">' in text
    assert "Sent Here 0 On the server 3,118 Newest down to follows" in words


def test_speed_and_time_left_are_those_of_the_last_minute(team: Team, alice: Browser) -> None:
    begin(team)
    now = datetime.now(UTC)
    (inbox, _) = folders.of_account(team.store, team.office.id)
    for number in range(2):
        first_syncs.note(
            team.store,
            team.office.id,
            inbox.id,
            total=200_000,
            done=41_250 + 600 * number,
            more_bytes=600_000 * number,
            reached_at=None,
            is_complete=False,
            now=now + timedelta(seconds=70 + 6 * number),
        )

    words = said(alice.fragment(part(team)).text)

    assert "In the last minute: 100 messages and 100 KB a second." in words
    assert "about 27 min left" in words


def test_the_part_is_what_the_page_includes(team: Team, alice: Browser) -> None:
    begin(team)

    assert alice.fragment(part(team)).text.strip() in alice.get(page(team)).text


def test_nothing_is_sent_while_nothing_changed(team: Team, alice: Browser) -> None:
    begin(team)
    have = re.search(r"first-sync\?have=(\w+)", alice.get(page(team)).text)
    assert have

    unchanged = alice.fragment(f"{part(team)}?have={have[1]}")
    begin(team, done=42_000)
    changed = alice.fragment(f"{part(team)}?have={have[1]}")

    assert (unchanged.status_code, unchanged.text) == (204, "")
    assert "42,000 of 203,118" in changed.text


def test_without_scripts_the_address_leads_to_the_page(team: Team, alice: Browser) -> None:
    answer = alice.get(part(team))

    assert (answer.status_code, answer.headers["location"]) == (303, page(team))


def test_every_user_of_the_mailbox_sees_it_and_nobody_else(
    team: Team, sit_down: Any, admin: Browser, charlie: Browser, stranger: Browser
) -> None:
    begin(team)

    assert "41,250" in sit_down("bob").fragment(part(team)).text
    assert "41,250" in admin.fragment(part(team)).text
    assert charlie.fragment(part(team)).status_code == 404
    assert charlie.fragment("/email/accounts/nothing/first-sync").status_code == 404
    assert "41,250" not in stranger.fragment(part(team)).text
    assert admin.request("POST", part(team)).status_code in (403, 405)


def test_the_list_says_it_in_a_line(team: Team, alice: Browser) -> None:
    begin(team)

    assert "First sync: 41,250 of 203,118 messages are here (20 %)." in said(
        alice.get("/email/accounts").text
    )


def test_a_pause_says_that_what_is_here_stays(team: Team, alice: Browser) -> None:
    begin(team)
    accounts.pause(team.store, team.office.id, at=datetime.now(UTC))

    words = said(alice.get(page(team)).text)

    assert "Paused at 41,250 of 203,118 messages (20 %)" in words
    assert '"Resume" goes on where it stopped.' in words.replace("&#34;", '"')
    assert "In the last minute" not in words


def test_silence_of_the_server_is_said(team: Team, alice: Browser) -> None:
    begin(team, at=datetime.now(UTC) - timedelta(minutes=10))

    words = said(alice.get(page(team)).text)

    assert re.search(r"Nothing came since [\w:, ]+\. What is here stays", words)


def test_without_a_worker_the_way_to_start_one_is_said(team: Team, alice: Browser) -> None:
    begin(team)
    jobs.beat(team.store, now=datetime.now(UTC) - timedelta(hours=1))

    assert "Start it with: letterbook run" in said(alice.fragment(part(team)).text)


def test_skipped_messages_are_counted_and_lead_to_the_reasons(team: Team, alice: Browser) -> None:
    begin(team)
    (inbox, _) = folders.of_account(team.store, team.office.id)
    for uid in range(3):
        locations.record_failure(team.store, inbox.id, 1, uid, "It is torn.", now=datetime.now(UTC))

    text = alice.get(page(team)).text

    assert f'<a href="{page(team)}#failed">3 skipped because unreadable</a>' in text
    assert 'id="failed"' in text


def test_all_downloaded_is_not_yet_all_searchable(team: Team, alice: Browser) -> None:
    team.deliver(mail())
    begin(team, done=200_000)
    first_syncs.finish(team.store, team.office.id, now=datetime.now(UTC))

    waiting = said(alice.get(page(team)).text)
    documents.done(team.store, documents.queued(team.store, limit=10))
    end = alice.fragment(part(team))
    later = alice.get(page(team)).text

    assert "All 200,000 messages are here. 1 wait for the search index." in waiting
    assert "Done: all 200,000 messages are here and can be searched." in end.text
    assert "hx-get" not in end.text
    assert "First sync" not in later


def test_what_waits_for_the_index_long_after_is_other_mail(team: Team, alice: Browser) -> None:
    begin(team, done=200_000)
    ended = datetime.now(UTC) - timedelta(minutes=11)
    first_syncs.finish(team.store, team.office.id, now=ended)
    team.deliver(mail())

    assert "First sync" not in alice.get(page(team)).text
    assert alice.fragment(part(team)).status_code == 204


def test_before_the_server_told_the_page_waits_for_it(team: Team, alice: Browser) -> None:
    jobs.beat(team.store, now=datetime.now(UTC))

    text = alice.get(page(team)).text

    assert "Letterbook is about to ask the server how much there is." in text
    assert f'hx-get="{part(team)}?have=' in text


def test_a_mailbox_without_a_server_has_none(team: Team, admin: Browser) -> None:
    account = make.account(team.store, team.alice, address="old@firma.pl", host=None)

    assert "First sync" not in admin.get(f"/email/accounts/{account.public_id}").text


def test_the_red_circle_is_marked_while_it_goes_on(team: Team, alice: Browser) -> None:
    """A11."""
    begin(team)

    text = alice.get("/email/queue").text

    assert "Queue, about 12 unread on server" in " ".join(text.split())
    assert ">~12</span>" in text


@pytest.mark.parametrize(
    ("rate", "left"), [(100_000, "27 min"), (20_000, "2 h 10 min"), (1_000, "1 d 20 h")]
)
def test_time_left_is_as_rough_as_it_is_known(
    team: Team, alice: Browser, rate: int, left: str
) -> None:
    begin(team)
    team.store.archive.conn.execute(
        "update first_syncs set recent = ?", [f"[[0, 0, 0], [10, 10, {rate * 10}]]"]
    )

    assert f"about {left} left" in said(alice.fragment(part(team)).text)
