"""What is the same message, what it costs to hold it again, and who sees which header block."""

from base64 import encodebytes
from datetime import timedelta
from random import Random

import pytest

from app import filing
from app.mail import parse
from app.model import Account, UserId
from app.store import Store, messages
from app.store.totals import totals
from tests import make
from tests.store.test_corpora import CORPORA, ham_mails, odd_mails

LARGE = 10_000_000


def kept_bytes(store: Store) -> int:
    """The two databases, what still lies in their logs included."""
    for db in (store.archive, store.mail):
        db.conn.execute("pragma wal_checkpoint(truncate)")
    return totals(store).database_bytes


def offer(size_bytes: int, *, trace: str = "") -> bytes:
    """A mail of a text in quoted-printable and a PDF that does not compress."""
    pdf = encodebytes(Random(1).randbytes(size_bytes)).decode()
    words = " ".join(f"pozycja =C5=82{number}" for number in range(2_000))
    text = "=\r\n".join(words[at : at + 70] for at in range(0, len(words), 70))
    return (
        f"{trace}From: Jan <jan@spostex.pl>\r\nSubject: Oferta\r\nMessage-ID: <o@spostex.pl>\r\n"
        'Date: Fri, 14 Mar 2025 08:00:00 +0000\r\nContent-Type: multipart/mixed; boundary="x"\r\n'
        "\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n--x\r\n"
        'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{pdf}--x--\r\n"
    ).encode()


def trace(number: int) -> str:
    """The header lines that only one delivery has."""
    hops = "".join(
        f"Received: from mx{hop}.example.com by mail{number}.firma.pl with ESMTPS;"
        f"\r\n Fri, 14 Mar 2025 08:0{number}:0{hop} +0000\r\n"
        for hop in range(5)
    )
    return f"{hops}Delivered-To: person{number}@firma.pl\r\nX-Spam-Score: -{number}.1\r\n"


def test_a_mail_in_five_mailboxes_is_one_message_and_costs_its_header_lines(store: Store) -> None:
    boxes = [make.account(store, address=f"person{n}@firma.pl") for n in range(5)]
    make.deliver(store, boxes[0], offer(200_000, trace=trace(0)))
    before = kept_bytes(store)

    for number, box in enumerate(boxes[1:], start=1):
        make.deliver(store, box, offer(200_000, trace=trace(number)))

    assert len(make.message_ids(store)) == 1
    assert len(messages.copies_after(store, 0, limit=10)) == 5
    assert (kept_bytes(store) - before) / 4 < 2_000


def test_attaching_a_large_mail_to_twenty_records_costs_no_room(store: Store) -> None:
    """R51."""
    alice = make.user(store, "Alice")
    make.deliver(store, make.account(store, alice), offer(LARGE))
    (message,) = make.message_ids(store)
    records = [make.record(store, f"Firma {number}") for number in range(20)]
    before = kept_bytes(store)

    for record in records:
        viewer = make.viewer(store, alice)
        filing.file_message(store, viewer, message, record, roles=[], now=make.NOW)

    assert before > LARGE
    assert (kept_bytes(store) - before) / 20 < 10_000


def test_an_attachment_of_fifty_mails_in_five_mailboxes_is_kept_once(store: Store) -> None:
    boxes = [make.account(store, address=f"person{n}@firma.pl") for n in range(5)]
    pdf, before = encodebytes(Random(2).randbytes(300_000)).decode(), 0
    for number in range(50):
        raw = (
            f"From: a@b.pl\nSubject: {number}\nMessage-ID: <{number}@b.pl>\n"
            'Content-Type: multipart/mixed; boundary="x"\n\n'
            f"--x\nContent-Type: text/plain\n\nMail {number}\n--x\n"
            'Content-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n\n'
            f"{pdf}--x--\n"
        ).encode()
        make.deliver(store, boxes[number % 5], raw, first_uid=number + 1)
        before = before or kept_bytes(store)

    assert len(make.message_ids(store)) == 50
    assert kept_bytes(store) - before < 300_000


@pytest.mark.parametrize(
    "sent",
    [
        make.mail("Oferta", text="Proszę.", date="Fri, 14 Mar 2025 08:05:00 +0000"),
        make.mail("Oferta", text="Proszę o ofertę."),
        make.mail("Oferta na beton", text="Proszę."),
    ],
)
def test_a_draft_and_what_was_sent_of_it_are_two_messages(store: Store, sent: bytes) -> None:
    draft = make.mail("Oferta", text="Proszę.")
    box = make.account(store)

    make.deliver(store, box, draft, folder="Drafts")
    make.deliver(store, box, sent, folder="Sent")

    assert len(make.message_ids(store)) == 2


@pytest.mark.corpora
@pytest.mark.skipif(not CORPORA.exists(), reason="the shared corpora are not beside this tree")
def test_no_mail_of_the_corpora_is_dropped_for_its_message_id(store: Store) -> None:
    """Different mails share a Message-ID, or have none."""
    raws = [*odd_mails(), *ham_mails()]
    found = [parse(raw) for raw in raws]
    contents: dict[str, set[bytes]] = {}
    for mail in found:
        contents.setdefault(mail.internet_message_id, set()).add(mail.content_digest)
    shared = [name for name, some in contents.items() if name and len(some) > 1]

    make.deliver(store, make.account(store), *raws)

    assert len(shared) > 50
    assert len(contents[""]) > 100
    assert len(make.message_ids(store)) == sum(map(len, contents.values()))
    assert len(messages.copies_after(store, 0, limit=10_000)) == len(set(raws))


# -- whose header block one sees (A20)


@pytest.fixture
def team(store: Store) -> tuple[UserId, UserId, UserId]:
    return make.user(store, "Alice"), make.user(store, "Bob"), make.user(store, "Charlie")


def send_with_bcc(store: Store, *boxes: Account) -> None:
    """The first mailbox has what was sent, with its Bcc; the others what came, without."""
    sent = make.mail(headers="Bcc: tajny@firma.pl\n")
    make.deliver(store, boxes[0], sent)
    for box in boxes[1:]:
        make.deliver(store, box, make.mail(headers="Received: from a by b\n"))


def test_the_receiver_reads_his_own_copy(store: Store, team) -> None:
    alice, bob, _ = team
    send_with_bcc(
        store,
        make.account(store, alice, address="alice@firma.pl"),
        make.account(store, bob, address="bob@firma.pl"),
    )
    (message,) = make.message_ids(store)

    his = messages.best_copy(store, make.viewer(store, bob), message)
    hers = messages.best_copy(store, make.viewer(store, alice), message)

    assert b"tajny" in hers.raw
    assert his.is_own
    assert his.raw.startswith(b"Received: from a by b")
    assert b"tajny" not in his.raw
    assert len(messages.copies(store, make.viewer(store, bob), message)) == 1


def test_who_reads_through_a_record_gets_the_archivers_copy_without_bcc(store, team) -> None:
    alice, _, charlie = team
    send_with_bcc(store, make.account(store, alice, address="alice@firma.pl"))
    (message,) = make.message_ids(store)
    record = make.record(store)
    later = make.NOW + timedelta(days=1)
    filing.file_message(store, make.viewer(store, alice), message, record, roles=[], now=later)

    seen = messages.best_copy(store, make.viewer(store, charlie), message)

    assert not seen.is_own
    assert b"tajny" not in seen.raw
    assert seen.raw == make.mail()
    assert messages.copies(store, make.viewer(store, charlie), message) == []
