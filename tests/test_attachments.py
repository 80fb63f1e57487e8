"""R4: the worker reads attachments, once each, and what it read is searchable."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.extract.reader import Reader, Stopped
from app.jobs import attachments, read_attachments, rebuild_index
from app.jobs.attachments import read_some
from app.model import MessageId, Viewer
from app.search import search_messages
from app.settings import Settings
from app.store import Store, accounts, extracts
from app.store.extracts import Extract
from tests import make
from tests.extract import documents
from tests.purging import remove, sweep_now


@dataclass
class Counting(Reader):
    """A reader that says what it read, in this process: the child has its own tests."""

    names: list[str] = field(default_factory=list)
    stop_at: str = ""

    def read(self, attachment, content):
        if attachment.filename == self.stop_at:
            raise Stopped
        self.names.append(attachment.filename)
        return Extract("read", f"tekst {attachment.filename}")


@pytest.fixture
def alice(store: Store) -> Viewer:
    alice = make.user(store, "Alice", is_admin=True)
    make.account(store, alice, host=None)
    return make.viewer(store, alice)


@pytest.fixture
def receive(store: Store, alice: Viewer) -> Callable[..., MessageId]:
    (account,) = accounts.all_accounts(store)

    def receive(number: int, *files: tuple[str, bytes]) -> MessageId:
        head = f"Message-ID: <{number}@a>\r\nDate: Fri, {number} Mar 2024 08:00:00 +0000\r\n"
        raw = head.encode() + documents.mail(f"Mail {number}", "Tekst.", *files)
        make.deliver(store, account, raw, first_uid=number)
        return make.message_ids(store)[-1]

    return receive


def found(store: Store, viewer: Viewer, text: str) -> list[MessageId]:
    return [hit.row.message.id for hit in search_messages(store, viewer, text).hits]


def test_an_invoice_number_that_only_the_pdf_has_is_found(store, alice, receive):
    message_id = receive(1, ("a.pdf", documents.pdf("Faktura", "FV/2025/03/117")))
    receive(2, ("b.docx", documents.docx("Umowa")))

    read_attachments(Settings.from_env({}, data=store.directory))

    assert found(store, alice, "FV/2025/03/117") == [message_id]
    assert extracts.backlog(store) == 0
    assert extracts.counts(store) == {"read": 2}


def test_the_newest_are_read_first_and_a_content_once(store, receive):
    same = documents.pdf("same")
    for number in (1, 2, 3):
        receive(number, (f"{number}.pdf", same if number < 3 else documents.pdf("other")))
    reader = Counting()

    assert read_some(store, reader) == 3

    assert reader.names == ["3.pdf", "2.pdf"]
    assert read_some(store, reader) == 0


def test_a_worker_that_is_stopped_keeps_what_is_finished(store, receive):
    for number in (1, 2, 3):
        receive(number, (f"{number}.pdf", documents.pdf(str(number))))

    assert read_some(store, Counting(stop_at="2.pdf")) == 1

    assert extracts.backlog(store) == 2
    again = Counting()
    read_some(store, again)
    assert again.names == ["2.pdf", "1.pdf"]


def test_a_turn_ends_in_time_and_the_next_goes_on(store, receive, monkeypatch):
    for number in (1, 2):
        receive(number, (f"{number}.pdf", documents.pdf(str(number))))
    monkeypatch.setattr(attachments, "TURN_SECONDS", -1.0)

    assert [read_some(store, Counting()) for _ in range(3)] == [1, 1, 0]


def test_a_rebuild_of_the_index_reads_no_document_again(store, alice, receive, monkeypatch):
    message_id = receive(1, ("a.pdf", documents.pdf("Deskowanie")))
    settings = Settings.from_env({}, data=store.directory)
    read_attachments(settings)
    monkeypatch.setattr(Reader, "read", None)

    rebuild_index(settings)
    read_attachments(settings)

    assert found(store, alice, "deskowania") == [message_id]


def test_the_text_of_a_message_that_is_removed_goes_with_it(store, alice, receive):
    message_id = receive(1, ("a.pdf", documents.pdf("Tajne")))
    (one,) = extracts.attachments(store, [message_id])
    read_some(store, Counting())
    assert extracts.texts(store, [one.source])

    remove(store, alice, message_id)
    sweep_now(store)

    assert extracts.texts(store, [one.source]) == {}
    assert extracts.counts(store) == {}
    assert found(store, alice, "tekst") == []


def test_a_message_that_is_gone_leaves_the_queue(store, alice, receive):
    remove(store, alice, receive(1, ("a.pdf", documents.pdf("a"))))

    assert read_some(store, Counting()) == 1
    assert extracts.backlog(store) == 0


def test_an_attachment_whose_bytes_are_damaged_holds_up_nothing(store, receive):
    damaged = receive(2, ("a.pdf", documents.pdf("a")))
    receive(1, ("b.pdf", documents.pdf("b")))
    (one,) = extracts.attachments(store, [damaged])
    store.mail.conn.execute("update blobs set start = -5 where id = ?", [one.source.blob_id])
    reader = Counting()

    assert read_some(store, reader) == 2

    assert reader.names == ["b.pdf"]
    assert extracts.enqueue_unread(store) == 1


def test_a_hostile_attachment_costs_its_own_text(store, alice, receive):
    receive(1, ("bomb.docx", documents.word(*[b" " * (1 << 20)] * 65)), ("ok.txt", b"notatka"))

    read_attachments(Settings.from_env({}, data=store.directory))

    assert extracts.counts(store) == {"read": 1, "large": 1}
    assert len(found(store, alice, "notatka")) == 1
