"""Messages unite and copies part only where nobody reads more or less by it."""

from dataclasses import replace

import pytest

from app import filing
from app.errors import NotFound
from app.mail import ParsedMail, parse
from app.store import (
    Store,
    audit,
    decisions,
    filings,
    holdings,
    messages,
    reparse,
)
from app.store.database import write
from app.store.visibility import who_may_read
from tests import make
from tests.store.newer import archive, person, same_for_all, told_apart

# -- messages that turn out to be one


def test_messages_that_are_the_same_become_one_with_all_that_people_made(
    store: Store, two, newer
) -> None:
    first, second = two
    archive(store, "Alice", first, "Spostex")
    archive(store, "Bob", second, "Beton")
    old_id = make.public_id(store, second)
    newer(same_for_all)

    reparse.reparse(store)

    assert make.message_ids(store) == [first]
    assert len(filings.record_ids(store, first)) == 2
    assert [verb for verb, _ in audit.verbs_on(store, first)] == ["archive", "archive"]
    bob = make.viewer(store, person(store, "Bob"))
    assert messages.get(store, bob, old_id).id == first
    assert len(messages.copies(store, bob, first)) == 1
    assert who_may_read(store, first) == {1, 2, 3}


def test_what_was_refused_for_either_of_them_is_refused_for_the_one(
    store: Store, two, newer
) -> None:
    """R54: suggestions go on learning from it."""
    records = [make.record(store, name) for name in ("Spostex", "Beton")]
    with write(store.archive):
        for message, record in zip(two, records, strict=True):
            decisions.refuse(store, message, record, now=make.NOW)
        decisions.refuse(store, two[1], records[0], now=make.NOW)
    newer(same_for_all)

    reparse.reparse(store)

    refused = store.archive.conn.execute("select message_id, record_id from refusals order by 2")
    assert refused.fetchall() == [(two[0], record) for record in records]


def test_the_old_id_of_a_message_hides_as_the_message_does(store: Store, two, newer) -> None:
    _, second = two
    old_id = make.public_id(store, second)
    newer(same_for_all)

    reparse.reparse(store)

    with pytest.raises(NotFound):
        messages.get(store, make.viewer(store, person(store, "Charlie")), old_id)


def test_what_one_person_set_aside_stays_aside_and_waits_for_the_other(
    store: Store, two, newer
) -> None:
    first, second = two
    alice, bob = (make.viewer(store, person(store, name)) for name in ("Alice", "Bob"))
    filing.set_aside(store, bob, second, now=make.NOW)
    newer(same_for_all)

    reparse.reparse(store)

    assert holdings.is_set_aside(store, bob, first)
    assert not holdings.is_set_aside(store, alice, first)


def test_a_union_that_would_show_more_or_less_to_anybody_is_not_made(
    store: Store, two, newer
) -> None:
    """What only foremen read is for nobody's sake shown to all, nor kept from those who read it."""
    first, second = two
    foremen = make.role(store, "foreman")
    archive(store, "Alice", first, "Spostex")
    archive(store, "Bob", second, "Beton")
    with write(store.archive):
        filings.set_roles(store, second, [foremen])
    before = [who_may_read(store, one) for one in two]
    newer(same_for_all)

    done = reparse.reparse(store)

    assert done.is_finished
    assert make.message_ids(store) == [first, second]
    assert [who_may_read(store, one) for one in two] == before
    assert reparse.reparse(store).done == 0


def test_messages_for_different_roles_stay_two_although_nobody_has_those_roles_yet(
    store: Store, two, newer
) -> None:
    """Somebody may get one tomorrow."""
    for name, one, role in (("Alice", two[0], "foreman"), ("Bob", two[1], "buyer")):
        archive(store, name, one, f"Record of {name}")
        role_id = make.role(store, role)
        with write(store.archive):
            filings.set_roles(store, one, [role_id])
    newer(same_for_all)

    reparse.reparse(store)

    assert make.message_ids(store) == [*two]
    roles = [[role.name for role in filings.roles_of(store, one)] for one in two]
    assert roles == [["foreman"], ["buyer"]]


def test_a_message_whose_old_identity_another_one_takes_is_no_part_of_it(
    store: Store, newer
) -> None:
    box = make.account(store)
    first, second = make.mail("A", message_id="<a@x>"), make.mail("B", message_id="<b@x>")
    make.deliver(store, box, first, second)
    as_first = parse(first)

    def swap(mail: ParsedMail) -> ParsedMail:
        if mail.subject == "A":
            return replace(mail, internet_message_id="other")
        return replace(mail, internet_message_id="a@x", content_digest=as_first.content_digest)

    newer(swap)
    reparse.reparse(store)

    assert make.message_ids(store) == [1, 2]
    make.deliver(store, box, b"Received: x\r\n" + second, first_uid=3)
    assert [copy.message_id for copy in messages.copies_after(store, 0, limit=9)] == [1, 2, 2]


def test_a_strict_mailbox_does_not_lose_its_waiting_mail_to_another_s_archive(
    store: Store, newer
) -> None:
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    make.deliver(store, make.account(store, alice), make.mail(message_id="<1@a>"))
    strict = make.account(store, bob, address="bob@firma.pl", is_strict=True)
    make.deliver(store, strict, make.mail(message_id="<2@a>"))
    first, second = make.message_ids(store)
    archive(store, "Alice", first, "Spostex", only_for=(alice,))
    newer(same_for_all)

    reparse.reparse(store)

    assert make.message_ids(store) == [first, second]
    assert who_may_read(store, second) == {bob}


# -- copies that turn out to be two


def test_copies_of_two_messages_part_and_the_filings_stay_with_the_archiver_s(
    store: Store, newer
) -> None:
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    charlie = make.user(store, "Charlie")
    make.deliver(store, make.account(store, alice), make.mail(to="a@firma.pl"))
    theirs = make.account(store, bob, address="bob@firma.pl")
    make.deliver(store, theirs, make.mail(to="b@firma.pl"))
    (both,) = make.message_ids(store)
    archive(store, "Bob", both, "Spostex")
    newer(told_apart)

    reparse.reparse(store)

    first, second = make.message_ids(store)
    mine = messages.best_copy(store, make.viewer(store, charlie), first)
    assert b"b@firma.pl" in mine.raw
    assert who_may_read(store, second) == {alice}
    assert not filings.is_archived(store, second)
    assert who_may_read(store, first) == {bob, alice, charlie}


def test_copies_part_although_those_that_go_are_what_the_message_was(store: Store, newer) -> None:
    """Or else reading again would end there with every try."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    make.deliver(store, make.account(store, alice), make.mail(to="a@firma.pl"))
    theirs = make.account(store, bob, address="bob@firma.pl")
    make.deliver(store, theirs, make.mail(to="b@firma.pl"))
    (both,) = make.message_ids(store)
    archive(store, "Bob", both, "Spostex")
    newer(lambda mail: told_apart(mail) if mail.to[0].address == "b@firma.pl" else mail)

    done = reparse.reparse(store)

    first, second = make.message_ids(store)
    assert done.is_finished
    assert (first, who_may_read(store, second)) == (both, {alice})
    assert b"b@firma.pl" in messages.best_copy(store, make.viewer(store, bob), first).raw
    assert b"a@firma.pl" in messages.best_copy(store, make.viewer(store, alice), second).raw


def test_copies_stay_together_where_a_person_would_read_more(store: Store, newer) -> None:
    """What is archived hides from a strict mailbox; by itself it would wait there again."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    strict = make.account(store, bob, address="bob@firma.pl", is_strict=True)
    make.deliver(store, strict, make.mail(to="b@firma.pl"))
    make.deliver(store, make.account(store, alice), make.mail(to="a@firma.pl"))
    (both,) = make.message_ids(store)
    archive(store, "Alice", both, "Spostex", only_for=(alice,))
    newer(told_apart)

    reparse.reparse(store)

    assert make.message_ids(store) == [both]
    assert who_may_read(store, both) == {alice}
