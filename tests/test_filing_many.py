"""Many messages at once, and two people at the same one."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.errors import Invalid, NotFound
from app.filing import (
    file_message,
    file_messages,
    filed_at,
    plan,
    readers_of_all,
    set_all_aside,
    suggest_for_all,
    take_all_back,
    unfile_all,
)
from app.model import MessageId, RecordId, RoleId, Viewer
from app.people.roles import remove_role
from app.records import archive_record
from app.store import Store, audit, filings, holdings, open_store, records, users
from tests import make
from tests.make import NOW


@pytest.fixture
def alice(store: Store) -> Viewer:
    """She has four messages; a fifth is Bob's alone."""
    user = make.user(store, "Alice")
    box = make.account(store, user)
    make.deliver(store, box, *[make.mail(f"M{n}", message_id=f"<{n}@x>") for n in range(4)])
    bob = make.account(store, make.user(store, "Bob"), address="bob@firma.pl")
    make.deliver(store, bob, make.mail("Bobs", message_id="<9@x>"))
    return make.viewer(store, user)


@pytest.fixture
def ids(store: Store, alice: Viewer) -> list[MessageId]:
    return make.message_ids(store)


@pytest.fixture
def record(store: Store) -> RecordId:
    return make.record(store)


def do(store: Store, viewer: Viewer, ids, record: RecordId, *, roles=(), standing=(), now=NOW):
    _, outcomes = file_messages(
        store, viewer, ids, lambda: record, roles=roles, standing=standing, now=now
    )
    return list(outcomes.values())


def test_each_message_has_its_own_result(store: Store, alice, ids, record) -> None:
    """R47, R55, R46: archived, attached, there already, hidden and unknown."""
    file_message(store, alice, ids[1], make.record(store, "Adamski"), now=NOW)
    file_message(store, alice, ids[2], record, now=NOW)

    wanted = [*ids, MessageId(999)]
    planned = list(plan(store, alice, wanted, record).values())
    done = do(store, alice, wanted, record)

    assert planned == done
    assert done == ["archived", "attached", "already", "archived", "missing", "missing"]
    assert not filings.is_archived(store, ids[4])
    assert [verb for verb, _ in audit.verbs_on(store, ids[0])] == ["archive"]
    assert [verb for verb, _ in audit.verbs_on(store, ids[1])] == ["archive", "attach"]


def test_roles_restrict_only_what_is_archived_by_it(store: Store, alice, ids, record) -> None:
    """R49: those archived before keep theirs; one archived meanwhile is left as it is."""
    foreman, other = make.role(store, "foreman"), make.record(store, "Adamski")
    file_message(store, alice, ids[0], other, now=NOW)
    file_message(store, alice, ids[1], other, now=NOW)

    done = do(store, alice, ids[:3], record, roles=[foreman], standing=[ids[0]])

    assert done == ["attached", "refused", "archived"]
    assert filings.record_ids(store, ids[1]) == [other]
    assert [len(filings.roles_of(store, one)) for one in ids[:3]] == [0, 0, 1]


def test_one_that_lost_its_roles_meanwhile_is_left_as_it_is(
    store: Store, alice, ids, record
) -> None:
    """It was to keep them: without any it would be open to all."""
    done = do(store, alice, ids[:2], record, standing=[ids[0]])

    assert done == ["cleared", "archived"]
    assert not filings.is_archived(store, ids[0])


@pytest.mark.parametrize("trouble", ["role", "put away", "hidden"])
def test_nothing_is_saved_where_the_record_or_a_role_is_wrong(
    store: Store, alice, ids, record, trouble: str
) -> None:
    roles = [RoleId(99)] if trouble == "role" else []
    if trouble == "put away":
        archive_record(store, alice, record, now=NOW)
    if trouble == "hidden":
        record = make.record(store, "Board", only_for=(make.user(store, "Charlie"),))

    with pytest.raises(NotFound if trouble == "hidden" else Invalid):
        do(store, alice, ids, record, roles=roles)

    assert not any(filings.is_archived(store, one) for one in ids)


def test_a_new_record_that_fails_leaves_nothing(store: Store, alice, ids) -> None:
    def make_it() -> RecordId:
        raise Invalid("name", "Give the record a name.")

    with pytest.raises(Invalid):
        file_messages(store, alice, ids, make_it, roles=[], standing=[], now=NOW)

    assert not any(filings.is_archived(store, one) for one in ids)


def test_undo_takes_away_what_that_second_did_and_no_more(store: Store, alice, ids, record) -> None:
    """R70: back in the queue, roles cleared, audited; an earlier filing stays."""
    foreman, later = make.role(store, "foreman"), NOW + timedelta(seconds=5)
    file_message(store, alice, ids[0], record, now=NOW)
    do(store, alice, ids[:3], record, roles=[foreman], standing=[ids[0]], now=later)

    shown = filed_at(store, alice, record, later)
    undone = unfile_all(store, alice, record, later, now=later)

    assert shown == undone == ids[1:3]
    assert [filings.is_archived(store, one) for one in ids[:3]] == [True, False, False]
    assert [filings.roles_of(store, one) for one in ids[1:3]] == [[], []]
    assert [verb for verb, _ in audit.verbs_on(store, ids[1])] == ["archive", "detach"]
    assert unfile_all(store, alice, record, later, now=later) == []


def test_nobody_undoes_what_another_did(store: Store, alice, ids, record) -> None:
    do(store, alice, ids, record)
    bob = make.viewer(store, users.by_email(store, "bob@firma.pl").id)
    secret = make.record(store, "Board", only_for=(alice.user_id,))

    assert unfile_all(store, bob, record, NOW, now=NOW) == []
    with pytest.raises(NotFound):
        unfile_all(store, bob, secret, NOW, now=NOW)
    assert filings.is_archived(store, ids[0])


def test_many_are_set_aside_and_taken_back(store: Store, alice, ids, record) -> None:
    """A2: what is archived and what is hidden stays as it is."""
    file_message(store, alice, ids[0], record, now=NOW)

    done = set_all_aside(store, alice, ids, now=NOW)
    noted = holdings.set_aside_at(store, alice, NOW)
    back = take_all_back(store, alice, noted, now=NOW)

    assert done == noted == back == ids[1:4]
    assert not holdings.is_set_aside(store, alice, ids[1])


def test_the_fewest_and_the_most_readers_are_said(store: Store, alice, ids, record) -> None:
    """A5: of a mailbox of hers alone, and of one that is shared."""
    foreman = make.role(store, "foreman")
    people = [make.user(store, name) for name in ("Carol", "Dan")]
    shared = make.account(store, alice.user_id, *people, address="shared@firma.pl")
    make.deliver(store, shared, make.mail("Shared", message_id="<7@x>"))
    viewer = make.viewer(store, alice.user_id)
    found = records.by_ids(store, viewer, [record])[record]

    said = readers_of_all(store, viewer, [*ids[:4], make.message_ids(store)[-1]], found, [foreman])

    assert (said.least, said.people, said.reads_it) == (1, 3, True)
    assert said.mailboxes == ("office@firma.pl", "shared@firma.pl")


def test_a_record_that_fits_all_is_filled_in(store: Store) -> None:
    """R42, R43: one that fits some only is offered."""
    user = make.user(store, "Alice")
    box, spostex = make.account(store, user), make.record(store)
    texts = ("Spostex S.A.", "Spostex S.A.", "x")
    mails = [
        make.mail("M", text=text, sender="x@gmail.com", message_id=f"<{n}@x>")
        for n, text in enumerate(texts)
    ]
    make.deliver(store, box, *mails)
    viewer, found = make.viewer(store, user), make.message_ids(store)

    (all_of,) = suggest_for_all(store, viewer, found[:2])
    (some_of,) = suggest_for_all(store, viewer, found)

    assert (all_of.record.id, all_of.is_preselected) == (spostex, True)
    assert (some_of.is_preselected, some_of.reasons) == (
        False,
        ("It fits 2 of the first 3 messages",),
    )


# -- two at once, each with a connection of his own


def at_once(store: Store, *verbs: Callable[[Store], object]) -> list[object]:
    """What each gave or raised; all begin at the same moment."""
    start, results = threading.Barrier(len(verbs)), [None] * len(verbs)

    def run(number: int, verb: Callable[[Store], object]) -> None:
        own = open_store(store.directory)
        start.wait()
        try:
            results[number] = verb(own)
        except Invalid as exc:
            results[number] = exc
        own.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("turn", range(5))
def test_of_two_first_forms_one_sets_the_roles(store: Store, alice, ids, turn: int) -> None:
    """R49: the other is refused, whichever comes first, and puts it nowhere."""
    roles = [make.role(store, "foreman"), make.role(store, "office worker")]
    under = [make.record(store, "Spostex"), make.record(store, "Adamski")]
    one = ids[0]

    results = at_once(
        store,
        lambda own: file_message(own, alice, one, under[0], roles=[roles[0]], now=NOW),
        lambda own: file_message(own, alice, one, under[1], roles=[roles[1]], now=NOW),
    )

    first = results.index(True)
    refused = results[1 - first]
    assert isinstance(refused, Invalid)
    assert refused.field == "roles"
    assert [role.id for role in filings.roles_of(store, one)] == [roles[first]]
    assert filings.record_ids(store, one) == [under[first]]


def test_two_selections_at_once_leave_no_half(store: Store, alice, ids, record) -> None:
    """R49: one has archived them all, the other has been told so for each."""
    foreman, other = make.role(store, "foreman"), make.record(store, "Adamski")

    results = at_once(
        store,
        lambda own: do(own, alice, ids[:4], record, roles=[foreman]),
        lambda own: do(own, alice, ids[:4], other, roles=[foreman]),
    )

    assert sorted(map(set, results), key=str) == [{"archived"}, {"refused"}]


def test_a_role_removed_in_the_same_moment(store: Store, alice, ids, record) -> None:
    foreman = make.role(store, "foreman")

    filed, removed = at_once(
        store,
        lambda own: file_message(own, alice, ids[0], record, roles=[foreman], now=NOW),
        lambda own: remove_role(own, foreman, by=alice.user_id, now=NOW),
    )

    assert (filed is True) == isinstance(removed, Invalid)
    assert filings.is_archived(store, ids[0]) == (filed is True)
