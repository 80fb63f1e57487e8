"""The text of attachments in the store: kept once for each content, and gone with it (R4)."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from app.errors import NotFound
from app.model import MessageId
from app.store import blobs, extracts, folders
from app.store.database import write
from app.store.extracts import Extract, Source
from app.store.ingest import Delivery, ingest
from tests.search.conftest import add_account

NOW = datetime(2025, 3, 14, tzinfo=UTC)
PDF = b"%PDF-1.4 " + bytes(range(256))


def mail(number, *files):
    message = EmailMessage()
    message["Subject"], message["Message-ID"] = f"Mail {number}", f"<{number}@a>"
    message.set_content("Text.")
    for name, content in files:
        if isinstance(content, str):
            message.add_attachment(content, filename=name, cte="quoted-printable")
        else:
            message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return bytes(message)


@pytest.fixture
def receive(store):
    folder = folders.ensure(store, add_account(store, "a@b.example", []).id, "INBOX")

    def receive(number, *files):
        received = datetime(2025, 1, number, tzinfo=UTC)
        ingest(store, [Delivery(folder.id, 1, number, mail(number, *files), received)], now=NOW)
        ((newest,),) = store.archive.conn.execute("select max(id) from messages").fetchall()
        return MessageId(newest)

    return receive


def source_of(store, message_id):
    (one,) = extracts.attachments(store, [message_id])
    return one.source


def test_messages_with_attachments_wait_the_newest_first(store, receive):
    old, _, new = receive(1, ("a.pdf", PDF)), receive(2), receive(3, ("b.pdf", PDF))

    waiting = [entry.message_id for entry in extracts.waiting(store, limit=9)]

    assert waiting == [new, old]


def test_one_content_in_two_messages_is_read_once(store, receive):
    one, two = receive(1, ("a.pdf", PDF)), receive(2, ("other name.pdf", PDF))
    source = source_of(store, one)

    extracts.put(store, {source: Extract("read", "Faktura")})

    assert source_of(store, two) == source
    assert extracts.indexed_texts(store, [one, two]) == {one: ("Faktura",), two: ("Faktura",)}


def test_an_attachment_without_a_blob_of_its_own_is_read_from_the_copy(store, receive):
    message_id = receive(1, ("a.csv", "zażółć;1\n" * 30))
    source = source_of(store, message_id)

    assert source.position > 0
    assert extracts.content(store, source).decode() == "zażółć;1\n" * 30
    with pytest.raises(NotFound):
        extracts.content(store, Source(source.blob_id, 99))


def test_text_goes_with_its_blob(store, receive):
    source = source_of(store, receive(1, ("a.pdf", PDF)))
    extracts.put(store, {source: Extract("read", "Faktura")})

    with write(store.mail):
        store.mail.conn.execute("delete from blobs where id = ?", [source.blob_id])

    assert extracts.texts(store, [source]) == {}
    assert store.mail.conn.execute("select count(*) from extracts").fetchone() == (0,)
    extracts.put(store, {source: Extract("read", "Faktura")})
    assert extracts.texts(store, [source]) == {}


def test_what_is_lost_or_was_read_by_an_older_version_waits_again(store, receive):
    old, lost, good = (receive(n, (f"{n}.pdf", PDF + bytes([n]))) for n in (1, 2, 3))
    for message_id in (old, good):
        extracts.put(store, {source_of(store, message_id): Extract("empty")})
    store.mail.conn.execute(
        "update extracts set version = 0 where blob_id = ?", [source_of(store, old).blob_id]
    )
    extracts.done(store, extracts.waiting(store, limit=9), [])

    assert extracts.enqueue_unread(store) == 2

    assert [entry.message_id for entry in extracts.waiting(store, limit=9)] == [lost, old]


def test_only_messages_with_text_are_indexed_anew(store, receive):
    one, two = receive(1, ("a.pdf", PDF)), receive(2, ("b.pdf", PDF))
    store.archive.conn.execute("delete from index_queue")

    extracts.done(store, extracts.waiting(store, limit=9), [two])

    assert extracts.backlog(store) == 0
    queued = store.archive.conn.execute("select subject_id from index_queue").fetchall()
    assert queued == [(two,)]
    assert one != two


def test_a_damaged_text_counts_as_none(store, receive):
    source = source_of(store, receive(1, ("a.pdf", PDF)))
    extracts.put(store, {source: Extract("read", "Faktura")})

    store.mail.conn.execute("update extracts set text = x'00'")

    assert extracts.texts(store, [source]) == {}


def test_the_index_gets_a_bounded_text_without_the_names_of_pages(store, receive):
    message_id = receive(1, ("a.pdf", PDF))
    text = "\fpage 1\nFaktura\fpage 2\n" + "x" * 300_000
    extracts.put(store, {source_of(store, message_id): Extract("cut", text)})

    (indexed,) = extracts.indexed_texts(store, [message_id])[message_id]

    assert indexed.startswith("Faktura\nxxx")
    assert len(indexed) == extracts.MOST_INDEXED


def test_pages_have_names():
    assert list(extracts.pages("\fpage 1\nA\nB\fpage 2\n")) == [("page 1", "A\nB"), ("page 2", "")]
    assert list(extracts.pages("A\nB")) == [("", "A\nB")]


def test_every_status_but_those_with_text_has_its_words():
    assert {*extracts.STATUSES} - {*extracts.NOT_READ} == {"read", "unknown"}


def test_reading_again_with_another_parser_forgets_what_lay_at_a_place(store, receive):
    source = source_of(store, receive(1, ("a.csv", "zażółć;1\n" * 30)))
    extracts.put(store, {source: Extract("read", "zażółć")})

    with write(store.mail):
        extracts.forget(store, [source.blob_id])

    assert extracts.texts(store, [source]) == {}
    assert blobs.read(store, source.blob_id)
    assert extracts.statuses(store, [source]) == {}
