"""What was just parsed is remembered for the indexer: once, in bounds, and without its Bcc."""

import pytest

from app.mail import parse
from app.model import CopyId
from app.store import Store, documents, fresh, messages
from tests import make


def test_a_document_is_the_same_with_and_without_it(store: Store) -> None:
    make.deliver(store, make.account(store), make.mail(headers="Bcc: tajny@firma.pl\n"))
    ids = make.message_ids(store)

    (first,) = documents.message_documents(store, ids)
    (second,) = documents.message_documents(store, ids)

    assert (first.mail.bcc, second.mail.bcc) == ((), ())
    assert first.mail.headers == ()
    assert second.mail.headers != ()
    for name in ("subject", "sender", "from_", "to", "cc", "text", "internet_message_id"):
        assert getattr(first.mail, name) == getattr(second.mail, name)
    assert [leaf.filename for leaf in first.mail.leaves] == [
        leaf.filename for leaf in second.mail.leaves
    ]


def test_it_is_given_once(store: Store) -> None:
    make.deliver(store, make.account(store), make.mail())
    (copy,) = messages.copies_after(store, 0, limit=9)

    assert fresh.take(store, copy.id) is not None
    assert fresh.take(store, copy.id) is None


def test_the_oldest_is_forgotten_where_they_are_too_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "_MOST", 2)
    mail = parse(make.mail())

    for number in range(3):
        fresh.keep(store, CopyId(number), mail)

    assert [fresh.take(store, CopyId(n)) is not None for n in range(3)] == [False, True, True]


def test_what_is_kept_twice_counts_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_MOST_CHARACTERS", 2_000)

    for _ in range(5):
        fresh.keep(store, CopyId(1), parse(make.mail(text="x" * 600)))
    fresh.keep(store, CopyId(2), parse(make.mail(text="x" * 500)))

    assert [fresh.take(store, CopyId(n)) is not None for n in (1, 2)] == [True, True]


def test_long_texts_push_others_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_MOST_CHARACTERS", 2_000)

    fresh.keep(store, CopyId(1), parse(make.mail()))
    fresh.keep(store, CopyId(2), parse(make.mail(text="x" * 1_500)))

    assert fresh.take(store, CopyId(1)) is None
    assert fresh.take(store, CopyId(2)) is not None


def test_many_addresses_and_parts_push_others_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "_MOST_CHARACTERS", 10_000)
    crowd = ", ".join(f"a{number}@b.pl" for number in range(60))
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 60 + b"--b--\n"

    fresh.keep(store, CopyId(1), parse(make.mail()))
    fresh.keep(store, CopyId(2), parse(make.mail(to=crowd)))
    fresh.keep(store, CopyId(3), parse(parts))

    assert [fresh.take(store, CopyId(n)) is not None for n in (1, 2, 3)] == [False, False, True]
