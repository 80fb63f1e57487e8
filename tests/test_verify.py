"""Verification names what differs: bytes, ledger, index."""

from hashlib import sha256

import pytest

from app.model import Digest, MessageId
from app.search.indexer import Indexer
from app.store import Store, blobs, documents, messages
from app.store.blobs import NewBlob
from app.store.database import write
from app.verify import verify
from tests import make


@pytest.fixture
def filled(store: Store) -> Store:
    box = make.account(store, make.user(store, "Alice"))
    make.deliver(store, box, make.mail(text="x" * 400), make.mail("Other", message_id="<2@x>"))
    store.archive.conn.execute("update folders set server_messages = 2, checked_at = 2000000000")
    Indexer(store).drain()
    return store


def test_a_sound_store_has_no_faults(filled: Store) -> None:
    found = verify(filled)

    assert (found.copies, found.folders, found.documents, found.faults) == (2, 1, 2, ())


def test_a_sample_looks_at_that_many_copies(filled: Store) -> None:
    assert verify(filled, sample=1).copies == 1


def test_a_damaged_block_is_named_with_every_message_in_it(filled: Store) -> None:
    make.damage(filled, "kind = 0")

    found = verify(filled)

    assert "Block 2 of mail.db is damaged" in found.faults[0]
    assert "2 contents lie in it" in found.faults[0]
    assert {one["message"] for one in found.damaged} == {
        make.public_id(filled, one) for one in make.message_ids(filled)
    }
    assert found.damaged[0]["places"] == [
        {"mailbox": "office@firma.pl", "folder": "INBOX", "uid": 1, "is_on_server": True}
    ]


def test_a_part_that_two_messages_share_names_both(store: Store) -> None:
    box = make.account(store, make.user(store, "Alice"), host=None)
    text = "the same contract " * 20
    make.deliver(store, box, make.mail(text=text), make.mail("Fwd", text=text, message_id="<2@x>"))
    make.damage(store, "kind = 1")

    found = verify(store)

    assert len([fault for fault in found.faults if "mail.db is damaged" in fault]) == 1
    assert len(found.damaged) == 2
    assert not any(one["can_fetch"] for one in found.damaged)
    assert "restore a backup" in found.damaged[0]["what_to_do"]


def test_missing_bytes_are_named(filled: Store) -> None:
    with write(filled.mail):
        filled.mail.conn.execute("delete from blobs where size_bytes = 402")

    found = verify(filled)

    assert any("missing" in fault for fault in found.faults)
    assert [one["message"] for one in found.damaged] == [make.public_id(filled, MessageId(1))]


def test_a_cached_block_does_not_hide_a_damaged_one(filled: Store) -> None:
    (copy, *_) = messages.copies_after(filled, 0, limit=10)
    blobs.read(filled, copy.id)
    make.damage(filled, "kind = 1")

    assert verify(filled).damaged
    assert verify(filled, sample=2).damaged


def test_a_message_without_a_copy_and_a_copy_without_a_message_are_named(filled: Store) -> None:
    filled.archive.conn.execute("pragma foreign_keys = off")
    filled.archive.conn.execute("update copies set message_id = 77 where message_id = 1")

    faults = verify(filled).faults

    assert f"Message {make.public_id(filled, MessageId(1))} has no copy." in faults
    assert any("a row of copies" in fault and "messages" in fault for fault in faults)


def test_blobs_that_lie_over_each_other_or_outside_their_block_are_named(filled: Store) -> None:
    with write(filled.mail):
        filled.mail.conn.execute("update blobs set start = start + 9000 where id = 1")

    assert "Blob 1 would lie outside its block." in verify(filled).faults


def test_blobs_that_nobody_names_are_counted_and_no_fault(filled: Store) -> None:
    with write(filled.mail):
        blobs.put_all(filled, [NewBlob(Digest(sha256(b"left").digest()), blobs.OTHER, b"left")])

    found = verify(filled)

    assert (found.orphans, found.faults) == (1, ())


def test_mail_that_is_attached_to_mail_and_came_by_itself_too_is_sound(store: Store) -> None:
    """A part may be a recipe, and a copy may be a part: a blob is what its SHA-256 says."""
    box = make.account(store, make.user(store, "Alice"), host=None)
    inner = make.mail("Inner", text="agreed as discussed " * 10, message_id="<in@x>")
    head = 'Content-Type: multipart/mixed; boundary="b"\r\n'
    outer = (
        (
            f"From: a@x.pl\r\nSubject: Outer\r\nMessage-ID: <out@x>\r\nMIME-Version: 1.0\r\n{head}"
            "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        ).encode()
        + inner
        + b"\r\n--b--\r\n"
    )
    make.deliver(store, box, inner)
    make.deliver(store, box, outer, first_uid=2)
    Indexer(store).drain()

    assert verify(store).faults == ()


def test_a_pass_under_way_is_no_fault_of_the_ledger(filled: Store) -> None:
    filled.archive.conn.execute("update folders set server_messages = 1, checked_at = 1")

    assert verify(filled).faults == ()


def test_an_audit_line_that_cannot_be_read_is_named(filled: Store) -> None:
    filled.archive.conn.execute("insert into audit (at, verb, detail) values (1, 'x', '{')")

    assert verify(filled).faults == ("Line 1 of the audit cannot be read.",)


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

    assert "index: 1 message missing; `letterbook reindex` mends it" in faults


def test_an_index_with_another_message_in_its_place_is_noticed(filled: Store) -> None:
    """As many as there should be, but not the same."""
    filled.archive.conn.execute("pragma foreign_keys = off")
    filled.archive.conn.execute("update messages set id = 9 where id = 2")

    faults = verify(filled).faults

    assert "index: 1 message missing; `letterbook reindex` mends it" in faults
    assert "index: 1 message too many; `letterbook reindex` mends it" in faults


def test_what_waits_for_the_index_is_no_fault(filled: Store) -> None:
    box = make.account(filled, address="other@firma.pl", host=None)
    make.deliver(filled, box, make.mail("Third", message_id="<3@x>"))

    assert verify(filled).faults == ()
