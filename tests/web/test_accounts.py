"""The list of mailboxes, the form of one, and what may be done with it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from app import mailboxes
from app.model import DEFAULT_SKIP_FOLDERS, Account
from app.store import accounts, folders, jobs
from app.store.folders import Listed
from tests import make
from tests.make import mail
from tests.web.conftest import Team

LIST = "/email/accounts"
NEW = "/email/accounts/new"
FORM: dict[str, Any] = {
    "address": "biuro@firma.pl",
    "host": "imap.firma.pl",
    "login": "biuro@firma.pl",
    "password": "pass word",
    "security": "tls",
    "port": "993",
    "verify_certificate": "1",
    "skip": list(DEFAULT_SKIP_FOLDERS),
}


def user_id(team: Team, user: int) -> str:
    row = team.store.archive.conn.execute(
        "select public_id from users where id = ?", [user]
    ).fetchone()
    return str(row[0])


def named(team: Team, address: str) -> Account:
    return accounts.by_address(team.store, address)


def own(team: Team) -> Account:
    """Charlie's mailbox, which is his alone."""
    return named(team, "charlie@firma.pl")


def note_check(team: Team, account: Account, **given: Any) -> None:
    checked = {"unread": 7, "new": 2, "error": None, "now": datetime.now(UTC)} | given
    accounts.record_check(team.store, account.id, **checked)


# -- the list


def test_the_last_check_says_when_how_many_unread_and_how_many_new(team, alice) -> None:
    """R24."""
    note_check(team, team.office)

    text = alice.get(LIST).text

    assert re.search(r"</time> · 7 unread on the server · 2 new since the check before", text)
    assert all(
        f">{head}</th>" in text
        for head in ("Email address", "IMAP server address", "User", "Last check")
    )
    assert "<bdi>Alice</bdi>, <bdi>Bob</bdi>" in text


def test_an_error_stands_there_in_plain_words(team, alice) -> None:
    note_check(team, team.office, unread=None, new=None, error="The server sleeps.")

    assert "The server sleeps." in alice.get(LIST).text


def test_the_proof_adds_up(team, alice) -> None:
    """R73: and it leads to its folders."""
    listed = [Listed("INBOX", "", None), Listed("Trash", "\\Trash", "Trash")]
    inbox, trash = folders.record_listing(team.store, team.office.id, listed, now=datetime.now(UTC))
    make.deliver(team.store, team.office, mail())
    for folder, messages in ((inbox, 1), (trash, 222)):
        folders.record_pass(
            team.store,
            folder.id,
            uidvalidity=1,
            uidnext=2,
            highestmodseq=None,
            messages=messages,
            unseen=0,
            error=None,
            now=datetime.now(UTC),
        )

    text = " ".join(alice.get(LIST).text.split())

    assert "223 on the server = 1 stored + 222 skipped (<bdi>Trash</bdi>) + 0 failed</a>" in text
    assert f'<a class="proof" href="{LIST}/{team.office.public_id}">' in text


def test_an_unchecked_certificate_and_a_clear_connection_stay_marked(team, alice) -> None:
    """R18."""
    account = team.office
    team.store.archive.conn.execute(
        "update accounts set verify_certificate = 0, security = 'none' where id = ?", [account.id]
    )

    text = alice.get(LIST).text

    assert "Certificate not checked" in text
    assert "Not encrypted" in text


def test_others_see_the_mailboxes_that_name_them_and_administrators_all(
    team, alice, charlie, admin
) -> None:
    """A4, R78."""
    assert "office@firma.pl" in alice.get(LIST).text
    assert "office@firma.pl" not in charlie.get(LIST).text
    assert all(one in admin.get(LIST).text for one in ("office@firma.pl", "charlie@firma.pl"))


def test_the_empty_list_says_what_to_do(team, admin, alice) -> None:
    team.store.archive.conn.execute("delete from account_users")
    for_others = " ".join(alice.get(LIST).text.split())
    team.store.archive.conn.execute("delete from account_skip_folders")
    team.store.archive.conn.execute("delete from accounts")

    assert "No mailbox is shared with you." in for_others
    assert "Add your own</a> or ask" in for_others
    text = admin.get(LIST).text
    assert "No mailbox yet." in text
    assert 'href="/email/accounts/import"' in text


def test_the_list_is_a_part_of_its_page(team, alice) -> None:
    full, fragment = alice.get(LIST).text, alice.fragment(LIST).text

    assert "<!doctype" not in fragment
    assert " ".join(fragment.split()) in " ".join(full.split())


@pytest.mark.parametrize("path", [LIST, NEW, f"{LIST}/aaaaaaaaaaaaa", f"{LIST}/import"])
def test_it_needs_sign_in(stranger, path) -> None:
    answer = stranger.get(path)

    assert answer.headers["location"].startswith("/sign-in")


# -- one mailbox


def test_the_mailbox_page_shows_folders_failures_and_checks(team, alice) -> None:
    """A14: the history is kept."""
    make.deliver(team.store, team.office, mail())
    (inbox,) = folders.of_account(team.store, team.office.id)
    team.store.archive.conn.execute(
        "insert into failures values (?, 1, 9, 'It cannot be read.', 3, 1700000000, null)",
        [inbox.id],
    )
    note_check(team, team.office, error="First it slept.")
    note_check(team, team.office)

    text = alice.get(f"{LIST}/{team.office.public_id}").text

    assert all(one in text for one in ("INBOX", "It cannot be read.", "First it slept."))
    assert text.index("7 unread on the server", text.index("Last checks")) < text.index(
        "First it slept."
    )


@pytest.mark.parametrize("verb", ["", "/edit"])
def test_anothers_mailbox_is_as_one_that_is_missing(team, charlie, verb) -> None:
    hidden = charlie.get(f"{LIST}/{team.office.public_id}{verb}")
    missing = charlie.get(f"{LIST}/aaaaaaaaaaaaa{verb}")

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text


@pytest.mark.parametrize("verb", ["edit", "check", "pause", "resume", "close", "test"])
def test_anothers_mailbox_cannot_be_changed(team, charlie, verb) -> None:
    before = named(team, "office@firma.pl")

    answer = charlie.post(f"{LIST}/{team.office.public_id}/{verb}", **FORM)

    assert answer.status_code == 404
    assert named(team, "office@firma.pl") == before


# -- a check of one


def test_one_mailbox_is_checked_on_demand(team, charlie) -> None:
    """R30: one job, a second press joins it; the list waits for it."""
    account = own(team)
    first = charlie.post(f"{LIST}/{account.public_id}/check", seen_on=NEW)
    second = charlie.post(f"{LIST}/{account.public_id}/check", seen_on=NEW)
    page = first.headers["location"]
    jobs.beat(team.store, now=datetime.now(UTC))

    waiting = charlie.get(page).text
    poll = charlie.fragment(page)
    job = jobs.claim(team.store, now=datetime.now(UTC))
    assert job is not None
    jobs.finish(team.store, job, result="3 new", error=None, now=datetime.now(UTC))

    assert second.headers["location"] == page
    assert "Checking..." in waiting
    assert poll.status_code == 204
    assert job.arguments == {"accounts": [account.id]}
    assert "3 new" in charlie.fragment(page).text


def test_with_scripts_the_list_waits_for_the_check(team, charlie) -> None:
    """R30: without a reload."""
    jobs.beat(team.store, now=datetime.now(UTC))
    fields = {"_csrf": charlie.token(NEW)}

    waiting = charlie.send(f"{LIST}/{own(team).public_id}/check", fields, **{"HX-Request": "true"})
    job = jobs.claim(team.store, now=datetime.now(UTC))
    assert job is not None
    jobs.finish(team.store, job, result="", error="The server sleeps.", now=datetime.now(UTC))
    done = charlie.fragment(f"{LIST}?job={job.public_id}")

    assert '<div id="accounts">' in waiting.text
    assert "Checking..." in waiting.text
    assert "<!doctype" not in waiting.text
    assert "The server sleeps." in done.text
    assert done.headers["hx-trigger"] == "checked"


def test_without_a_worker_it_says_so(charlie, team) -> None:
    answer = charlie.post(f"{LIST}/{own(team).public_id}/check", seen_on=NEW)

    assert "no worker runs" in charlie.get(answer.headers["location"]).text


def test_a_mailbox_without_a_server_cannot_be_checked(team, alice) -> None:
    account = mailboxes.open_archive(
        team.store, None, "old@firma.pl", [team.alice], now=datetime.now(UTC)
    )

    assert alice.post(f"{LIST}/{account.public_id}/check", seen_on=NEW).status_code == 422


# -- pause, resume, close


def test_pause_says_since_when_and_by_whom_and_resume_goes_on(team, charlie) -> None:
    """A21."""
    account, now = own(team), datetime.now(UTC)
    team.store.archive.conn.execute(
        "update accounts set due_at = unixepoch() + 3600 where id = ?", [team.office.id]
    )

    paused = charlie.post(f"{LIST}/{account.public_id}/pause", seen_on=LIST)
    listed = " ".join(charlie.get(paused.headers["location"]).text.split())
    claimed = accounts.claim_due(team.store, now=now, next_at=now)
    resumed = charlie.post(f"{LIST}/{account.public_id}/resume", seen_on=LIST)

    assert "is paused; its mail stays." in listed
    assert re.search(r"Paused since <time[^>]*>[^<]*</time> by <bdi>Charlie</bdi>\.", listed)
    assert f'aria-label="Resume: {account.address}"' in listed
    assert f'aria-label="Check for new emails: {account.address}"' not in listed
    assert claimed is None
    assert "is read again" in charlie.get(resumed.headers["location"]).text
    assert "Paused since" not in charlie.get(LIST).text


def test_the_mailbox_page_pauses_and_stays(team, charlie) -> None:
    page = f"{LIST}/{own(team).public_id}"

    answer = charlie.post(f"{page}/pause", **{"seen_on": page, "from": "page"})

    assert answer.headers["location"] == page
    assert "Paused since" in charlie.get(page).text


def test_a_second_pause_and_close_change_nothing(team, charlie) -> None:
    """The first one's time and author stay."""
    account = own(team)
    for verb in ("pause", "pause", "close", "close"):
        charlie.post(f"{LIST}/{account.public_id}/{verb}", seen_on=NEW)

    verbs = [
        row[0]
        for row in team.store.archive.conn.execute(
            "select verb from audit where account_id = ? order by id", [account.id]
        )
    ]

    assert [verb for verb in verbs if verb != "create account"] == [
        "pause account",
        "close account",
    ]


def test_the_operator_is_named_where_he_paused_it(team, charlie) -> None:
    mailboxes.pause(team.store, None, own(team).id, now=datetime.now(UTC))

    assert "by the operator." in charlie.get(LIST).text


@pytest.mark.parametrize("verb", ["pause", "resume", "close"])
def test_a_shared_mailbox_is_stopped_by_an_administrator_only(team, alice, admin, verb) -> None:
    """R9: the button is not there, and the server refuses."""
    path = f"{LIST}/{team.office.public_id}/{verb}"

    refused = alice.post(path, seen_on=NEW)
    before = named(team, "office@firma.pl")
    done = admin.post(path, seen_on=NEW)

    assert refused.status_code == 403
    assert before == team.office
    assert done.status_code == 303
    assert "Pause: office@firma.pl" not in alice.get(LIST).text


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_closed_mailbox_is_neither_paused_nor_resumed(team, charlie, verb) -> None:
    charlie.post(f"{LIST}/{own(team).public_id}/close", seen_on=NEW)

    answer = charlie.post(f"{LIST}/{own(team).public_id}/{verb}", seen_on=NEW)

    assert answer.status_code == 422
    assert own(team).paused_at is None


@pytest.mark.parametrize("verb", ["pause", "close"])
def test_a_mailbox_without_a_server_has_nothing_to_stop(team, alice, verb) -> None:
    account = mailboxes.open_archive(
        team.store, None, "old@firma.pl", [team.alice], now=datetime.now(UTC)
    )

    answer = alice.post(f"{LIST}/{account.public_id}/{verb}", seen_on=NEW)

    assert answer.status_code == 422
    assert named(team, "old@firma.pl") == account


def test_a_paused_mailbox_is_checked_neither_alone_nor_with_the_others(team, charlie) -> None:
    account = own(team)
    charlie.post(f"{LIST}/{account.public_id}/pause", seen_on=NEW)

    alone = charlie.post(f"{LIST}/{account.public_id}/check", seen_on=NEW)
    charlie.post("/email/queue/check")
    job = jobs.claim(team.store, now=datetime.now(UTC))

    assert alone.status_code == 422
    assert job is not None
    assert job.arguments == {"accounts": []}


# -- the checklist


@pytest.mark.parametrize(
    "path",
    [NEW, *(f"{LIST}/{{}}/{verb}" for verb in ("edit", "check", "pause", "resume", "close"))],
)
def test_it_needs_the_token(team, charlie, path) -> None:
    before = accounts.all_accounts(team.store)

    answer = charlie.send(path.format(own(team).public_id), FORM)

    assert answer.status_code == 403
    assert accounts.all_accounts(team.store) == before


@pytest.mark.parametrize("verb", ["check", "pause", "resume", "close", "test"])
def test_a_get_changes_nothing(team, charlie, verb) -> None:
    assert charlie.get(f"{LIST}/{own(team).public_id}/{verb}").status_code == 405


def test_names_with_emoji_and_right_to_left_marks_stay_in_their_place(team, admin) -> None:
    maryam = make.user(team.store, "مريم 🏗️")
    make.account(team.store, maryam, address="m@firma.pl")

    assert "<bdi>مريم 🏗️</bdi>" in admin.get(LIST).text
