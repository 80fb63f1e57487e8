"""A20: who was in Bcc is found by members of the mailbox that holds that very copy, only."""

import pytest

from app.search import search_messages
from app.store import folders, visibility
from tests.search.conftest import House, add_account, mail

ASKED = (
    "ukryty",
    "tajny",
    "tajny@ukryty.example",
    '"tajny ukryty"',
    "ukry*",
    "bcc:tajny",
    "bcc:ukry",
    "with:ukryty.example",
    "bcc:(tajny OR nikt)",
    "faktura -bcc:nikt bcc:tajny",
)


@pytest.fixture
def both(house: House) -> House:
    """Alice's mailbox has the sent copy with its Bcc; Bob's the one that was delivered."""
    message_id = house.receive(
        mail("Faktura", Bcc="Tajny <tajny@ukryty.example>", Message_ID="<b>")
    )
    theirs = add_account(house.store, "bob@team.example", [house.bob.user_id])
    inbox = folders.ensure(house.store, theirs.id, "INBOX")
    date = "Fri, 14 Mar 2025 12:01:00 +0000"
    house.receive(mail("Faktura", Message_ID="<b>", Date=date), folder=inbox)
    house.file(message_id, house.record("Spostex"))
    house.bob = visibility.viewer_of(house.store, house.bob.user_id)
    house.index()
    return house


def total(house: House, query: str, viewer: str) -> int:
    return search_messages(house.store, getattr(house, viewer), query).total


@pytest.mark.parametrize("query", ASKED)
def test_it_is_found_by_those_whose_mailbox_holds_the_copy(both: House, query: str) -> None:
    fresh = total(both, query, "alice"), total(both, query, "bob")

    both.requeue(1)
    both.index()

    assert fresh == (1, 0)
    assert (total(both, query, "alice"), total(both, query, "bob")) == (1, 0)


def test_what_is_left_out_tells_nothing_either(both: House) -> None:
    assert total(both, "faktura -bcc:tajny", "alice") == 0
    assert total(both, "faktura -bcc:tajny", "bob") == 1
    assert total(both, "faktura -ukryty", "bob") == 1


def test_a_later_copy_s_bcc_is_that_of_its_mailbox(house: House) -> None:
    """Whichever copy came first."""
    date = "Fri, 14 Mar 2025 12:01:00 +0000"
    house.receive(mail("Faktura", Message_ID="<b>", Date=date))
    theirs = add_account(house.store, "bob@team.example", [house.bob.user_id])
    sent = folders.ensure(house.store, theirs.id, "Sent")
    house.receive(
        mail("Faktura", Message_ID="<b>", Date=date, Bcc="tajny@ukryty.example"), folder=sent
    )
    house.bob = visibility.viewer_of(house.store, house.bob.user_id)
    house.index()

    assert total(house, "faktura", "alice") == 1
    assert (total(house, "tajny", "alice"), total(house, "tajny", "bob")) == (0, 1)


def test_who_leaves_the_mailbox_finds_it_by_bcc_no_more(both: House) -> None:
    both.store.archive.conn.execute(
        "delete from account_users where user_id = ?", [both.alice.user_id]
    )
    both.alice = visibility.viewer_of(both.store, both.alice.user_id)

    assert (total(both, "faktura", "alice"), total(both, "tajny", "alice")) == (1, 0)
