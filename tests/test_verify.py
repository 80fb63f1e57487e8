"""Verification names what differs: bytes, ledger, index."""

import pytest

from app.search.indexer import Indexer
from app.store import Store, documents
from app.store.database import write
from app.verify import verify
from tests import make


@pytest.fixture
def filled(store: Store) -> Store:
    box = make.account(store, make.user(store, "Alice"))
    make.deliver(store, box, make.mail(text="x" * 400), make.mail("Other", message_id="<2@x>"))
    store.archive.conn.execute("update folders set server_messages = 2, checked_at = 1")
    Indexer(store).drain()
    return store


def test_a_sound_store_has_no_faults(filled: Store) -> None:
    found = verify(filled)

    assert (found.copies, found.folders, found.documents, found.faults) == (2, 1, 2, ())


def test_a_sample_looks_at_that_many_copies(filled: Store) -> None:
    assert verify(filled, sample=1).copies == 1


def test_a_damaged_copy_is_named(filled: Store) -> None:
    with write(filled.mail):
        filled.mail.conn.execute("update blocks set payload = x'00' where kind = 1")

    (fault,) = verify(filled).faults

    assert fault.startswith("copy ")
    assert "damaged" in fault


def test_missing_bytes_are_named(filled: Store) -> None:
    with write(filled.mail):
        filled.mail.conn.execute("delete from blobs where size_bytes = 402")

    (fault,) = verify(filled).faults

    assert "missing" in fault


def test_a_message_that_the_server_has_and_the_store_has_not_is_noticed(filled: Store) -> None:
    """R73: the ledger compares the server's count with the rows that were written."""
    filled.archive.conn.execute("update folders set server_messages = 3")

    (fault,) = verify(filled).faults

    assert "INBOX: 3 seen is not 2 stored" in fault


def test_an_index_that_lacks_a_message_is_noticed(filled: Store) -> None:
    box = make.account(filled, address="other@firma.pl")
    make.deliver(filled, box, make.mail("Third", message_id="<3@x>"))
    documents.done(filled, documents.queued(filled, limit=10))

    faults = verify(filled).faults

    assert any("index: 2 messages instead of 3" in fault for fault in faults)
