"""The switch of a mailbox by which the archive binds its members (A5)."""

from datetime import UTC, datetime

import pytest

from app import filing
from app.search.indexer import Indexer
from app.store import accounts
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

NEW = "/email/accounts/new"


@pytest.fixture
def shared(team: Team) -> str:
    """The address of the form of a mailbox of Alice's and Bob's; Alice archived to her secret."""
    account = make.account(team.store, team.alice, team.bob, address="hr@firma.pl", host=None)
    now = datetime.now(UTC)
    make.deliver(team.store, account, mail("Umowa"), received_at=now, now=now)
    (message,) = make.message_ids(team.store)
    filing.file_message(team.store, team.viewer(team.alice), message, team.secret, now=now)
    Indexer(team.store).drain()
    return f"/email/accounts/{account.public_id}/edit"


def switch(team: Team, admin: Browser, form: str, **given: str) -> int:
    people = [
        row[0]
        for row in team.store.archive.conn.execute(
            "select public_id from users where id in (?, ?)", [team.alice, team.bob]
        )
    ]
    answer = admin.send(form, {"users": people, **given, "_csrf": admin.token(NEW)})
    return answer.status_code


def seen(browser: Browser) -> list[bool]:
    pages = ("/email/queue", "/email/archives", "/search?q=umowa", "/email/archives?q=umowa")
    return ["Select Umowa" in browser.get(one).text for one in pages[:2]] + [
        "<mark>Umowa</mark>" in browser.get(one).text for one in pages[2:]
    ]


def test_the_switch_counts_at_once_in_queue_archive_and_search(
    team: Team, admin: Browser, alice: Browser, sit_down, shared: str
) -> None:
    """A5: the index need not have followed; who archived it reads on."""
    bob = sit_down("bob")
    usual = seen(bob)

    status = switch(team, admin, shared, is_strict="1")

    assert (usual, status) == ([True] * 4, 303)
    assert (
        'name="is_strict" value="1" aria-describedby="strict-hint" checked'
        in admin.get(shared).text
    )
    assert seen(bob) == [False] * 4
    assert seen(alice) == [True] * 4


def test_turned_off_members_read_again_and_it_is_audited_both_ways(
    team: Team, admin: Browser, sit_down, shared: str
) -> None:
    """A5, R69."""
    bob = sit_down("bob")
    switch(team, admin, shared, is_strict="1")
    Indexer(team.store).drain()
    hidden = seen(bob)

    switch(team, admin, shared)
    Indexer(team.store).drain()

    assert hidden == [False] * 4
    assert seen(bob) == [True] * 4
    page = " ".join(admin.get("/audit").text.split())
    assert "bound the members of" in page
    assert "let the members of" in page


def test_only_who_may_change_the_mailbox_turns_it(
    team: Team, alice: Browser, charlie: Browser, shared: str
) -> None:
    """R9: a shared mailbox is an administrator's; hidden equals missing."""
    assert charlie.get(shared).status_code == 404
    assert charlie.post(shared, seen_on=NEW, is_strict="1").status_code in (403, 404)
    assert alice.post(shared, seen_on=NEW, is_strict="1").status_code in (403, 404)
    assert not accounts.by_address(team.store, "hr@firma.pl").is_strict
