"""The ledger's pages: from a mailbox's sum down to the message, for whoever may see it."""

from datetime import UTC, datetime

import pytest

from app import filing
from app.store import folders, passes, tombstones
from app.store.passes import Comparison
from tests import make
from tests.make import mail
from tests.web.conftest import Team

NOW = datetime.now(UTC)


def address(team: Team) -> str:
    return f"/email/accounts/{team.office.public_id}/ledger?folder=INBOX"


def folder_id(team: Team) -> int:
    (inbox,) = folders.of_account(team.store, team.office.id)
    return inbox.id


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_mailbox_page_leads_to_each_folders_sum(team, alice) -> None:
    team.deliver(mail())

    text = alice.get(f"/email/accounts/{team.office.public_id}").text

    path = f"/email/accounts/{team.office.public_id}/ledger?folder=INBOX"
    assert f'<a href="{path}"><bdi>INBOX</bdi></a>' in text
    assert f'<a href="{path}&amp;part=stored" aria-label="Stored: 1, INBOX">1</a>' in text


def test_a_sum_is_shown_down_to_the_message(team, alice) -> None:
    (one,) = team.deliver(mail("Beton"))
    make.deliver(team.store, team.office, mail("Beton"), first_uid=2)

    stored, known = (alice.get(f"{address(team)}&part={part}").text for part in ("stored", "known"))

    assert "2 seen on the server = 1 stored + 1 known + 0 skipped + 0 failed" in plain(stored)
    assert f'</span> 1</td> <td><a href="/email/messages/{one}">' in plain(stored)
    assert "</span> 2</td>" in known


def test_a_message_that_is_gone_says_since_when(team, alice) -> None:
    team.deliver(mail("Beton"))
    team.store.archive.conn.execute("update locations set gone_since = unixepoch()")

    assert "gone since <time" in plain(alice.get(address(team)).text)


def test_a_failure_says_why_and_is_what_opens_first_where_there_is_nothing_else(
    team, alice
) -> None:
    folders.ensure(team.store, team.office.id, "INBOX")
    team.store.archive.conn.execute(
        "insert into failures values (?, 1, 9, 'It has no end.', 3, 1700000000, null)",
        [folder_id(team)],
    )

    text = alice.get(address(team)).text

    assert "</span> 9</td>" in text
    assert "It has no end." in text


def test_what_was_removed_for_good_has_only_its_number(team, alice) -> None:
    folders.ensure(team.store, team.office.id, "INBOX")
    team.store.archive.conn.execute(
        "insert into purged_places values (?, 1, 77)", [folder_id(team)]
    )
    assert tombstones.uids(team.store, folder_id(team), 1) == {77}

    text = alice.get(f"{address(team)}&part=skipped").text

    assert "</span> 77</td>" in text
    assert "Removed for good" in text


def test_an_administrator_sees_the_sum_but_no_subject(team, admin) -> None:
    """R78, A5."""
    (one,) = team.deliver(mail("Geheime Sache"))

    text = admin.get(address(team)).text

    assert "1 seen on the server" in plain(text)
    assert "not yours to read" in text
    assert "Geheime Sache" not in text
    assert one not in text


def test_a_member_of_a_strict_mailbox_sees_no_subject_of_what_he_may_not_read(team, alice) -> None:
    """A5: once archived, only those whom the archive allows."""
    (one,) = team.deliver(mail("Vertrag"))
    team.store.archive.conn.execute("update accounts set is_strict = 1")
    bob = team.viewer(team.bob)
    filing.file_message(
        team.store, bob, team.id_of(one), team.company, roles=[team.foreman], now=NOW
    )

    text = alice.get(address(team)).text

    assert "Vertrag" not in text
    assert "not yours to read" in text


def test_pages_follow_each_other(team, alice) -> None:
    team.deliver(*[mail(f"Nr {n}", message_id=f"<{n}@x>") for n in range(1, 103)])

    first = alice.get(address(team)).text
    second = alice.get(f"{address(team)}&part=stored&before=1.3").text

    assert first.count('<td class="number">') == 100
    assert "before=1.3" in first
    assert second.count('<td class="number">') == 2
    assert ">Older</a>" not in second


def test_the_passes_that_changed_the_sum_stand_below(team, alice) -> None:
    team.deliver(mail())
    folders.note_pass(team.store, folder_id(team), error=None, now=NOW)
    folders.note_pass(team.store, folder_id(team), error="The server sleeps.", now=NOW)

    text = plain(alice.get(address(team)).text)

    assert "Passes that changed something" in text
    assert "The server sleeps." in text


def test_what_a_comparison_found_is_told(team, alice) -> None:
    team.deliver(mail())
    team.store.archive.conn.execute("update folders set checked_at = 1, server_messages = 1")
    found = Comparison(NOW, messages=9, missed=2, vanished=1, changed=3)
    passes.note_comparison(team.store, folder_id(team), found)

    page = plain(alice.get(f"/email/accounts/{team.office.public_id}").text)
    folder = plain(alice.get(address(team)).text)

    said = "2 messages had been overlooked and are here now, 1 had vanished, 3 had other flags."
    assert said in page
    assert said in folder
    assert "Compared in full" in page


@pytest.mark.parametrize("query", ["folder=Elsewhere", "", "folder="])
def test_a_folder_that_is_not_there_is_not_found(team, alice, query) -> None:
    path = f"/email/accounts/{team.office.public_id}/ledger?{query}"

    assert alice.get(path).status_code == 404


@pytest.mark.parametrize("odd", ["part=x", "before=x", "before=1", "before=-1.-1", "before=1.99e9"])
def test_odd_parameters_show_the_beginning(team, alice, odd) -> None:
    team.deliver(mail("Beton"))

    answer = alice.get(f"{address(team)}&{odd}")

    assert answer.status_code == 200
    assert "Beton" in answer.text


def test_others_find_nothing(team, charlie, stranger) -> None:
    team.deliver(mail())
    missing = "/email/accounts/aaaaaaaaaaaaa/ledger?folder=INBOX"

    assert charlie.get(address(team)).status_code == 404
    assert charlie.get(address(team)).text == charlie.get(missing).text
    assert stranger.get(address(team)).headers["location"].startswith("/sign-in")


def test_it_is_read_only(team, alice) -> None:
    path = address(team).partition("?")[0]

    assert alice.send(path, {}).status_code in (403, 405)
