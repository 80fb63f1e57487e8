"""Archives: its columns, its filters, its address; and the queue's toggle and addresses."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app import filing
from app.search.indexer import Indexer
from app.store import accounts
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

ARCHIVES = "/email/archives"


def archive(team: Team, *subjects: str, record: str = "company", uid: int = 1) -> list[str]:
    """Mail that Alice put under a record of the team."""
    ids = team.deliver(
        *(mail(one, message_id=f"<{one}@x>", text="Dzień dobry.") for one in subjects), uid=uid
    )
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    for one in ids:
        filing.file_message(team.store, viewer, team.id_of(one), getattr(team, record), now=now)
    Indexer(team.store).drain()
    return [str(one) for one in ids]


def href(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert found
    return found.group(1).replace("&amp;", "&")


def test_the_column_names_all_visible_places(team: Team, alice: Browser, charlie: Browser) -> None:
    """R47, R58: more than fit are named in the title; others' places not at all."""
    (one,) = archive(team, "Faktura", record="secret")
    viewer, later = team.viewer(team.alice), datetime.now(UTC) + timedelta(seconds=1)
    for record in (team.company, team.project):
        filing.file_message(team.store, viewer, team.id_of(one), record, now=later)

    own, others = alice.get(ARCHIVES).text, charlie.get(ARCHIVES).text

    assert 'title="Łomianki Playground Construction">+1</span>' in own
    assert "Email attached to" in own
    assert all(name in own for name in ("Board", "Spostex S.A."))
    assert all(name in others for name in ("Łomianki Playground Construction", "Spostex S.A."))
    assert "Board" not in others
    assert "+1" not in others


def test_a_neutral_mark_names_nobody(team: Team, sit_down) -> None:
    """A9, A6: a member reads on what lies under a record that he may not see."""
    archive(team, "Faktura", record="secret")

    text = sit_down("bob").get(ARCHIVES).text

    assert "Faktura" in text
    assert '<span class="chip neutral">Archived</span>' in text
    assert "Board" not in text
    assert "Alice" not in text


def test_the_email_menu_has_its_three_entries(team: Team, alice: Browser) -> None:
    """R6: Accounts, Queue and Archives; Accounts lists the mailboxes."""
    page = alice.get("/email/queue").text

    menu = re.findall(r'<a href="(/email/\w+)"[^>]*>([A-Z]\w+)</a>', page)
    for entry in (
        ("/email/accounts", "Accounts"),
        ("/email/queue", "Queue"),
        (ARCHIVES, "Archives"),
    ):
        assert entry in menu
    assert "office@firma.pl" in alice.get("/email/accounts").text


def test_one_row_whatever_folders_and_mailboxes_hold_it(team: Team, alice: Browser) -> None:
    """R37, R48: named by one's own mailboxes, others' are not; marked when it is archived."""
    (one,) = team.deliver(mail("Faktura"))
    team.deliver(mail("Faktura"), folder="Projects", uid=7)
    boss = make.account(team.store, team.alice, address="boss@firma.pl")
    for box in (boss, accounts.by_address(team.store, "charlie@firma.pl")):
        make.deliver(team.store, box, mail("Faktura"))
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)

    page = alice.get("/email/queue").text

    assert page.count("Select Faktura") == 1
    assert 'title="boss@firma.pl, office@firma.pl"' in page
    assert "charlie@firma.pl" not in page
    assert re.search(rf'<tr id="row-{one}" class="[^"]*archived', page)
    assert "Spostex S.A." in page


def test_filters_stand_in_the_address_and_go_together(team: Team, alice: Browser) -> None:
    """R68: type=, record=, attached=none and q=."""
    archive(team, "Faktura A")
    archive(team, "Faktura B", "Oferta B", record="project", uid=5)
    archive(team, "Faktura C", record="secret", uid=9)
    project = team.record(team.project)

    def subjects(query: str) -> list[str]:
        page = alice.get(f"{ARCHIVES}?{query}").text
        return sorted(re.findall(r"Select ((?:Faktura|Oferta) .)", page))

    assert subjects("") == ["Faktura A", "Faktura B", "Faktura C", "Oferta B"]
    assert subjects("type=companies") == ["Faktura A"]
    assert subjects("type=projects") == ["Faktura B", "Faktura C", "Oferta B"]
    assert subjects(f"record={project}") == ["Faktura B", "Oferta B"]
    assert subjects(f"record={project}&q=faktura") == ["Faktura B"]
    assert subjects("type=projects&q=faktura") == ["Faktura B", "Faktura C"]
    assert subjects("attached=none") == []
    assert "Nothing in the archive is like that." in alice.get(f"{ARCHIVES}?attached=none").text


def test_a_filter_by_a_hidden_record_is_as_by_a_missing_one(team: Team, charlie: Browser) -> None:
    """R46."""
    archive(team, "Faktura", record="secret")

    hidden = charlie.get(f"{ARCHIVES}?record={team.record(team.secret)}")
    missing = charlie.get(f"{ARCHIVES}?record=aaaaaaaaaaaaa")

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text


@pytest.mark.parametrize("query", ["type=zz", "attached=zz", "before=zz", "after=zz", "type=%00"])
def test_odd_filters_still_show_a_page(team: Team, alice: Browser, query: str) -> None:
    archive(team, "Faktura")

    assert "Faktura" in alice.get(f"{ARCHIVES}?{query}").text


def test_pages_keep_the_filters_both_ways(team: Team, alice: Browser) -> None:
    archive(team, *(f"Mail {n:03}" for n in range(53)), record="project")

    first = alice.get(f"{ARCHIVES}?type=projects").text
    second = alice.get(href(first, "next")).text
    again = alice.get(href(second, "prev")).text

    assert "type=projects" in href(first, "next")
    assert second.count('name="message"') == 3
    assert re.findall(r"Mail \d+", again) == re.findall(r"Mail \d+", first)


def test_a_record_that_something_was_done_to_is_no_filter(team: Team, alice: Browser) -> None:
    (one,) = archive(team, "Faktura")
    archive(team, "Oferta", record="project", uid=5)
    record = team.record(team.company)

    page = alice.get(f"{ARCHIVES}?done=attached&message={one}&record={record}").text

    assert "Oferta" in page


def test_the_number_of_older_messages_follows_what_changes(team: Team, alice: Browser) -> None:
    """A2: whatever page counted it before, and for the mailbox that is shown."""
    old = datetime.now(UTC) - timedelta(days=400)
    team.store.archive.conn.execute("update accounts set created_at = unixepoch()")
    boss = make.account(team.store, team.alice, address="boss@firma.pl", host=None)
    team.deliver(mail("A", message_id="<a@x>"), received_at=old)

    def older(query: str = "") -> list[str]:
        page = " ".join(alice.get(f"/email/queue?{query}").text.split())
        return re.findall(r"(\d+) older - ", page)

    first = older(), older(f"mailbox={boss.public_id}")
    (two,) = team.deliver(mail("B", message_id="<b@x>"), received_at=old, uid=2)
    second = older()
    alice.post(f"/email/messages/{two}/aside")

    assert first == (["1"], [])
    assert (second, older()) == (["2"], ["1"])


def test_the_toggle_is_remembered_for_every_view(team: Team, alice: Browser) -> None:
    """A1, A2: also behind "older - show"."""
    archive(team, "Faktura")
    team.deliver(mail("Offen", message_id="<o@x>"), uid=5)

    on = alice.get("/email/queue?show=open").text
    after = alice.get("/email/queue").text

    assert "Faktura" not in on
    assert "Faktura" not in after
    assert "Offen" in after
    assert 'href="/email/queue?show=all-open"' in after
    assert "Faktura" in alice.get("/email/queue?show=all").text
    assert "Faktura" in alice.get("/email/queue").text


def test_what_is_opened_keeps_its_place_in_the_list(team: Team, alice: Browser) -> None:
    """R68: page and view stand in the address of an opened row, and stay when it closes."""
    team.deliver(*(mail(f"Mail {n:03}", message_id=f"<{n}@x>") for n in range(53)))
    second = href(alice.get("/email/queue?show=all").text, "next")

    row = re.search(r'hx-get="([^"]+)"', alice.get(second).text.split("<tbody>")[1])
    assert row
    opened = alice.get(row.group(1).replace("&amp;", "&")).text

    assert opened.count('name="message"') == 3
    closed = re.search(r'href="([^"]+)" data-close', opened)
    assert closed
    assert alice.get(closed.group(1).replace("&amp;", "&")).text.count('name="message"') == 3
    assert "show=all" in closed.group(1)


def test_the_source_for_others_says_that_it_is_not_exact(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    """A20: whether or not there was a Bcc; members get the exact bytes."""
    raw = mail("Faktura", headers="Bcc: boss@firma.pl\nResent-Bcc: chef@firma.pl\n")
    (one,) = team.deliver(raw)
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)
    path = f"/email/messages/{one}"

    own, others = alice.get(f"{path}/source.eml"), charlie.get(f"{path}/source.eml")

    assert own.content == raw
    assert others.content.startswith(b"X-Letterbook-Copy: without Bcc, so not the exact bytes\r\n")
    assert others.content.partition(b"\r\n")[2] == mail("Faktura")
    assert "Faktura-without-bcc.eml" in others.headers["content-disposition"]
    assert "Download source (without Bcc)" in charlie.get(path).text
    assert "without Bcc" not in alice.get(path).text


def test_a_copy_of_one_s_own_is_shown_rather_than_one_with_bcc(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    """A20, R52: Charlie received it too, by another mailbox; its bytes are his."""
    (one,) = team.deliver(mail("Faktura", headers="Bcc: boss@firma.pl\n"))
    theirs = mail(
        "Faktura", headers="Received: from mx (mx) by imap; Fri, 14 Mar 2025 08:00:01 Z\n"
    )
    make.deliver(team.store, accounts.by_address(team.store, "charlie@firma.pl"), theirs)

    source = charlie.get(f"/email/messages/{one}/source.eml").content

    assert source == theirs
    assert "boss@firma.pl" in alice.get(f"/email/messages/{one}").text
    assert "boss@firma.pl" not in charlie.get(f"/email/messages/{one}").text
