"""R4, R46: a hit says in which attachment it was found, and where there."""

import pytest

from app.search import found_in, search_messages
from app.search.query import parse
from app.store import extracts, folders
from app.store.extracts import Extract
from app.store.visibility import viewer_of
from tests.search.conftest import add_account, mail

INVOICE = "\fpage 1\nFaktura VAT\fpage 2\nDostawa betonu, zamówienie ZAM/2025/211\fpage 3\nRazem"


@pytest.fixture
def receive(house):
    def receive(subject="Faktura", text="W załączeniu.", *, name="fv.pdf", said=INVOICE, **more):
        message_id = house.receive(mail(subject, text, attachment=name), **more)
        (one,) = extracts.attachments(house.store, [message_id])
        extracts.put(house.store, {one.source: Extract("read", said)})
        return message_id

    return receive


def places(house, text, *, viewer=None):
    house.index()
    page = search_messages(house.store, viewer or house.alice, text)
    return [hit.found_in and (hit.found_in.filename, hit.found_in.place) for hit in page.hits]


def test_a_hit_says_file_page_and_passage(house, receive):
    receive()
    house.index()

    (hit,) = search_messages(house.store, house.alice, "zamówienia beton").hits

    assert (hit.found_in.filename, hit.found_in.place) == ("fv.pdf", "page 2")
    assert "".join(mark.text for mark in hit.found_in.passage).startswith("Dostawa betonu")
    marked = [mark.text for mark in hit.found_in.passage if mark.is_hit]
    assert marked == ["betonu", "zamówienie"]


def test_what_the_mail_itself_says_was_not_found_in_an_attachment(house, receive):
    receive("Faktura", "Za beton, zamówienie.")

    assert places(house, "zamówienie") == [None]
    assert places(house, "jan faktura") == [None]
    assert places(house, "fv.pdf") == [None]
    assert places(house, "zamówienie OR razem") == [None]
    assert places(house, "-nieobecne faktura") == [None]


def test_only_the_words_that_the_mail_lacks_are_looked_for(house, receive):
    receive("Faktura", "Za beton.")

    assert places(house, "beton razem") == [("fv.pdf", "page 3")]
    assert places(house, '"ZAM/2025/211"') == [("fv.pdf", "page 2")]
    assert places(house, "zamów*") == [("fv.pdf", "page 2")]


def test_the_operator_shows_where_though_the_mail_says_it_too(house, receive):
    receive("Faktura", "Za beton.")

    assert places(house, "attachment:beton") == [("fv.pdf", "page 2")]
    assert places(house, "attachment:załączeniu") == []


def test_a_file_without_pages_has_no_place(house, receive):
    receive(name="notatka.txt", said="Deskowanie stropu")

    assert places(house, "deskowania") == [("notatka.txt", "")]


def test_each_message_names_its_own_file(house, receive):
    """One content in a message that Alice reads and in one that she does not."""
    receive(name="mine.pdf")
    other = add_account(house.store, "other@team.example", [house.bob.user_id])
    receive(name="theirs.pdf", folder=folders.ensure(house.store, other.id, "INBOX"))

    assert places(house, "razem") == [("mine.pdf", "page 3")]


def test_nothing_is_told_of_a_message_that_the_viewer_may_not_read(house, receive):
    """R46: asked for by mistake, it is left out."""
    other = add_account(house.store, "other@team.example", [house.bob.user_id])
    hidden = receive(folder=folders.ensure(house.store, other.id, "INBOX"))
    bob, query = viewer_of(house.store, house.bob.user_id), parse("razem")

    assert found_in.find_in(house.store, bob, query, {hidden: ""}).keys() == {hidden}
    assert found_in.find_in(house.store, house.alice, query, {hidden: ""}) == {}


def test_looking_is_bounded(house, receive, monkeypatch):
    receive()
    assert places(house, "razem") == [("fv.pdf", "page 3")]

    monkeypatch.setattr(found_in, "MOST_CHARACTERS", 20)

    assert places(house, "razem") == [None]


def test_a_text_that_is_gone_leaves_the_hit(house, receive):
    receive()
    house.index()
    house.store.mail.conn.execute("delete from extracts")

    assert places(house, "razem") == [None]
