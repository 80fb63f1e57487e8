"""What was delivered is kept byte-exact and once, however often it comes."""

from base64 import encodebytes
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import Corrupt
from app.model import Digest
from app.store import Store, accounts, blobs, folders, threads
from app.store.database import write
from tests import make


def counts(store: Store) -> dict[str, int]:
    return {
        table: store.archive.conn.execute(f"select count(*) from {table}").fetchone()[0]
        for table in ("messages", "copies", "locations", "parts", "holdings")
    }


def test_ingesting_twice_is_ingesting_once(store: Store) -> None:
    box = make.account(store)
    make.deliver(store, box, make.mail())
    before = counts(store)

    again = make.deliver(store, box, make.mail())

    assert counts(store) == before
    assert (again.stored, again.known) == (0, 0)


def test_the_same_bytes_in_two_folders_are_one_copy_in_two_places(store: Store) -> None:
    """R52."""
    box = make.account(store)
    make.deliver(store, box, make.mail())

    second = make.deliver(store, box, make.mail(), folder="Archive")

    assert (second.stored, second.known) == (0, 1)
    assert counts(store) == {
        "messages": 1,
        "copies": 1,
        "locations": 2,
        "parts": 1,
        "holdings": 1,
    }


def test_copies_that_differ_in_trace_headers_are_one_message(store: Store) -> None:
    ours, theirs = make.account(store), make.account(store, address="boss@firma.pl")
    make.deliver(store, ours, make.mail(headers="Received: from a by b\n"))

    make.deliver(store, theirs, make.mail(headers="Received: from a by c\nX-Spam: no\n"))

    assert counts(store)["messages"] == 1
    assert counts(store)["copies"] == 2


def test_one_message_id_with_two_contents_is_two_messages(store: Store) -> None:
    box = make.account(store)

    make.deliver(store, box, make.mail(text="draft"), make.mail(text="sent"))

    assert counts(store)["messages"] == 2


def test_mail_without_message_id_is_kept(store: Store) -> None:
    box = make.account(store)

    make.deliver(store, box, b"Subject: a\n\nx", b"Subject: b\n\nx", b"")

    assert counts(store)["messages"] == 3


def test_an_attachment_in_many_mails_is_one_blob(store: Store) -> None:
    box = make.account(store)
    lines = encodebytes(bytes(range(256)) * 40).decode()
    mails = [
        (
            f"From: a@b.pl\nSubject: {number}\nMessage-ID: <{number}@b.pl>\n"
            'Content-Type: multipart/mixed; boundary="x"\n\n'
            f"--x\nContent-Type: text/plain\n\nMail {number}\n--x\n"
            'Content-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n\n'
            f"{lines}--x--\n"
        ).encode()
        for number in range(50)
    ]

    make.deliver(store, box, *mails)

    sizes = [row[0] for row in store.mail.conn.execute("select size_bytes from blobs")]
    assert sum(size > 5_000 for size in sizes) == 1
    assert [blobs.get(store, Digest(d)) for d in make.copy_digests(store)] == mails


def test_a_known_copy_in_another_mailbox_costs_no_bytes(store: Store) -> None:
    """R52."""
    make.deliver(store, make.account(store), make.mail())
    before = blobs.stored_bytes(store)

    make.deliver(store, make.account(store, address="boss@firma.pl"), make.mail())

    assert blobs.stored_bytes(store) == before


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    raw=st.binary(max_size=2_000) | st.text(max_size=500).map(lambda t: t.encode(errors="replace"))
)
def test_any_bytes_come_back_exactly(store: Store, raw: bytes) -> None:
    box = (accounts.all_accounts(store) or [make.account(store)])[0]

    make.deliver(store, box, raw, first_uid=counts(store)["locations"] + 1)

    assert blobs.get(store, Digest(sha256(raw).digest())) == raw


def test_a_flipped_byte_is_noticed(store: Store) -> None:
    make.deliver(store, make.account(store), make.mail(text="x" * 500))
    (row_id, payload) = store.mail.conn.execute(
        "select id, payload from blocks where kind = 1"
    ).fetchone()
    with write(store.mail):
        store.mail.conn.execute(
            "update blocks set payload = ? where id = ?",
            [payload[:-3] + bytes([payload[-3] ^ 1]) + payload[-2:], row_id],
        )

    with pytest.raises(Corrupt):
        blobs.get(store, Digest(make.copy_digests(store)[0]))


def test_sound_bytes_that_are_not_those_that_were_stored_are_noticed(store: Store) -> None:
    """A block that unpacks and has its length is still held against the SHA-256 of each blob."""
    make.deliver(store, make.account(store), make.mail(text="x" * 500))
    (row_id, size) = store.mail.conn.execute(
        "select b.block_id, b.size_bytes from blobs b join blocks k on k.id = b.block_id"
        " where k.kind = 1"
    ).fetchone()
    with write(store.mail):
        store.mail.conn.execute(
            "update blocks set payload = ? where id = ?", [blobs.compressed(b"y" * size), row_id]
        )

    with pytest.raises(Corrupt, match="damaged"):
        blobs.get(store, Digest(make.copy_digests(store)[0]))


def test_an_answer_joins_the_conversation_whichever_comes_first(store: Store) -> None:
    alice = make.user(store, "Alice")
    box = make.account(store, alice)
    question = make.mail(message_id="<q@a>")
    answer = make.mail("Re: Beton", message_id="<a@a>", headers="In-Reply-To: <q@a>\n")
    third = make.mail("Re: Re", message_id="<t@a>", headers="References: <q@a> <a@a>\n")

    make.deliver(store, box, third, answer, question)

    first = make.message_ids(store)[0]
    found = threads.thread(store, make.viewer(store, alice), first)
    assert len(found) == 3


def test_two_conversations_that_turn_out_to_be_one_are_joined(store: Store) -> None:
    alice = make.user(store, "Alice")
    box = make.account(store, alice)
    make.deliver(store, box, make.mail("A", message_id="<a@x>"), make.mail("B", message_id="<b@x>"))

    link = make.mail("C", message_id="<c@x>", headers="References: <a@x> <b@x>\n")
    make.deliver(store, box, link, first_uid=3)

    first = make.message_ids(store)[0]
    assert len(threads.thread(store, make.viewer(store, alice), first)) == 3


def test_mail_that_answers_a_conversation_that_was_joined_is_in_the_whole(store: Store) -> None:
    alice = make.user(store, "Alice")
    box = make.account(store, alice)
    parts = [make.mail(name, message_id=f"<{name}@x>") for name in "abcd"]
    links = [
        make.mail("ab", message_id="<ab@x>", headers="References: <a@x> <b@x>\n"),
        make.mail("cd", message_id="<cd@x>", headers="References: <c@x> <d@x>\n"),
        make.mail("bd", message_id="<bd@x>", headers="References: <b@x> <d@x>\n"),
    ]
    make.deliver(store, box, *parts, *links)

    late = [
        make.mail(f"Re {n}", message_id=f"<re{n}@x>", headers=f"In-Reply-To: <{n}@x>\n")
        for n in "abcd"
    ]
    make.deliver(store, box, *late, first_uid=20)

    first = make.message_ids(store)[0]
    assert len(threads.thread(store, make.viewer(store, alice), first)) == 11


def test_the_ledger_adds_up_after_an_import(store: Store) -> None:
    box = make.account(store, host=None)
    make.deliver(store, box, make.mail(), make.mail("Other", message_id="<2@a>"))

    (ledger,) = folders.ledger(store, box.id)

    assert ledger.adds_up
    assert (ledger.seen, ledger.stored) == (2, 2)


def test_the_id_of_a_removed_blob_is_not_given_to_another(store: Store) -> None:
    """A backup's older snapshots still name it."""
    box = make.account(store)
    make.deliver(store, box, make.mail(message_id="<1@x>"))
    (last,) = list(blobs.ids(store))[-1:]
    store.mail.conn.execute("delete from blobs")

    make.deliver(store, box, make.mail("Other", message_id="<2@x>"), first_uid=2)

    assert min(blobs.ids(store)) == last + 1
