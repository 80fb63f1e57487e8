"""R79: every message page answers why one can see it, and who else can."""

import pytest

from app import filing
from tests import make
from tests.make import NOW, mail
from tests.web.conftest import Browser, Team


@pytest.fixture
def message(team: Team) -> str:
    """Alice archived it to the company, for the role foreman, and to what only she may see."""
    (found,) = team.deliver(mail())
    viewer, id_ = team.viewer(team.alice), team.id_of(found)
    filing.file_message(team.store, viewer, id_, team.company, roles=[team.foreman], now=NOW)
    filing.file_message(team.store, viewer, id_, team.secret, now=NOW)
    return f"/email/messages/{found}"


def test_a_reader_is_told_every_way_of_his_own(team: Team, alice: Browser, message: str) -> None:
    """R79: in words, with the mailbox and the records; roles that one lacks open no way."""
    (other,) = team.deliver(mail("Other", message_id="<2@spostex.pl>"), uid=2)
    viewer, id_ = team.viewer(team.alice), team.id_of(other)
    filing.file_message(team.store, viewer, id_, team.secret, now=NOW)

    bound, free = (alice.get(f"{one}/who").text for one in (message, f"/email/messages/{other}"))

    assert "You have access to the mailbox office@firma.pl." in bound
    assert "It is attached to" not in bound
    assert ">Board</bdi></a>, open to you by name." in free
    assert f'href="{message}/who"' in alice.get(message).text


def test_he_who_may_change_access_sees_who_else_reads(
    team: Team, alice: Browser, sit_down, message: str
) -> None:
    """R79: people by name, each with his ways; the role that lets him in is named."""
    make.user(team.store, "Erik", roles=(team.foreman,))

    page = alice.get(f"{message}/who").text

    assert "You and 2 other people" in page
    assert "access to the mailbox office@firma.pl" in page
    assert "open to everybody, and has the role foreman" in page
    assert "Charlie" not in page.split('id="others-heading"')[1]


def test_what_the_asker_may_not_see_is_told_to_nobody(
    team: Team, sit_down, alice: Browser, message: str
) -> None:
    """R79, A6: neither the hidden record nor who reads only because of it."""
    before = sit_down("bob").get(f"{message}/who").text
    erik = make.user(team.store, "Erik")
    vault = make.record(team.store, "Vault", only_for=(team.alice, erik))
    id_ = team.id_of(message.rsplit("/", 1)[1])
    viewer = team.viewer(team.alice)
    filing.set_roles(
        team.store, viewer, id_, [], version=filing.access_version(team.store, id_), now=NOW
    )
    filing.unfile(team.store, viewer, id_, team.company, now=NOW)
    filing.file_message(team.store, viewer, id_, vault, now=NOW)

    page = sit_down("bob").get(f"{message}/who").text

    assert "Board" not in before
    assert "Vault" not in page
    assert "Erik" not in page
    assert "Erik" in alice.get(f"{message}/who").text


def test_a_reader_by_record_alone_is_not_told_of_others(team: Team, charlie: Browser) -> None:
    """R79: he may ask for himself only."""
    (found,) = team.deliver(mail())
    viewer, id_ = team.viewer(team.alice), team.id_of(found)
    filing.file_message(team.store, viewer, id_, team.company, now=NOW)

    page = charlie.get(f"/email/messages/{found}/who").text

    assert "It is attached to" in page
    assert "That is told to whoever archived it" in page
    assert "Alice" not in page.split('id="others-heading"')[1]


def test_an_administrator_who_may_read_it_may_ask_and_who_may_not_finds_nothing(
    team: Team, admin: Browser, message: str
) -> None:
    """R78: to administer is no way to a message."""
    (other,) = team.deliver(mail("Other", message_id="<2@spostex.pl>"), uid=2)
    viewer, id_ = team.viewer(team.alice), team.id_of(other)
    filing.file_message(team.store, viewer, id_, team.company, now=NOW)

    assert admin.get(f"{message}/who").status_code == 404
    page = admin.get(f"/email/messages/{other}/who").text
    assert "Charlie" in page
    assert "office@firma.pl" not in page


def test_the_archiver_of_a_strict_mailbox_is_told_so(team: Team, alice: Browser) -> None:
    """A5: he goes on reading what he archived from it."""
    board = make.account(team.store, team.alice, address="board@firma.pl", is_strict=True)
    make.deliver(team.store, board, mail())
    (id_,) = make.message_ids(team.store)
    viewer = team.viewer(team.alice)
    filing.file_message(team.store, viewer, id_, team.secret, now=NOW)

    page = alice.get(f"/email/messages/{make.public_id(team.store, id_)}/who").text

    assert "You archived it from the strict mailbox board@firma.pl." in page
    assert "Nobody else, as far as you can be told." in page


def test_the_fragment_is_a_part_of_the_page(alice: Browser, message: str) -> None:
    fragment = alice.fragment(f"{message}/who").text

    assert fragment.strip() in alice.get(f"{message}/who").text
    assert "<html" not in fragment


def test_others_and_strangers_get_nothing(
    team: Team, charlie: Browser, stranger: Browser, message: str
) -> None:
    """R46: a message that one may not read has no such page; without a session nothing has."""
    assert charlie.get(f"{message}/who").status_code == 404
    assert charlie.get("/email/messages/aaaaaaaaaaaaa/who").status_code == 404
    assert stranger.get(f"{message}/who").status_code == 303
    assert stranger.request("POST", f"{message}/who").status_code in (403, 405)
