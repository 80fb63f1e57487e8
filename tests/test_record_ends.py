"""Records that end: merged into another, or removed; and who reads their mail then."""

import pytest

from app import filing, records
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.model import MessageId, RecordId, Viewer
from app.records import Pushed
from app.search import search_messages
from app.search.indexer import Indexer
from app.store import Store, audit, documents, filings, record_ends, visibility
from app.store import records as store_records
from tests import make
from tests.make import NOW, mail


@pytest.fixture
def dora(store: Store) -> Viewer:
    """She administers and has a mailbox of the team."""
    return make.viewer(store, make.user(store, "Dora", is_admin=True))


@pytest.fixture
def mails(store: Store, dora: Viewer) -> list[MessageId]:
    """Three messages in Dora's mailbox."""
    box = make.account(store, dora.user_id)
    make.deliver(store, box, *(mail(str(n), message_id=f"<{n}@x>") for n in range(3)))
    return make.message_ids(store)


def again(store: Store, viewer: Viewer) -> Viewer:
    return make.viewer(store, viewer.user_id)


def put(store: Store, viewer: Viewer, record: RecordId, *ids: MessageId, **given: object) -> None:
    for one in ids:
        filing.file_message(store, again(store, viewer), one, record, now=NOW, **given)


def merge(store: Store, viewer: Viewer, dropped: RecordId, kept: RecordId) -> None:
    viewer = again(store, viewer)
    version = records.plan_merge(store, viewer, dropped, kept).version
    records.merge_records(store, viewer, dropped, kept, version=version, now=NOW)


def remove(store: Store, viewer: Viewer, record: RecordId) -> None:
    viewer = again(store, viewer)
    version = records.plan_removal(store, viewer, record).version
    records.remove_record(store, viewer, record, version=version, now=NOW)


def test_a_merge_moves_mail_and_what_the_record_is_known_by(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    kept = make.record(store, "Spostex S.A.", domains=("spostex.pl",))
    dropped = records.create_record(
        store,
        record_type="companies",
        name="Spostex Group",
        code="S-2",
        external_id="erp-2",
        notes="Old customer.",
        aliases=("SG",),
        addresses=("jan@gmail.com",),
        domains=("spostex.pl", "spostex.com"),
        by=None,
        now=NOW,
    )
    put(store, dora, dropped, *mails[:2])
    put(store, dora, kept, *mails[1:])

    merge(store, dora, dropped, kept)

    (found,) = store_records.every(store, [kept, dropped])
    assert record_ends.messages_under(store, kept) == mails
    assert set(found.aliases) == {"SG", "Spostex Group"}
    assert (found.addresses, set(found.domains)) == (
        ("jan@gmail.com",),
        {"spostex.pl", "spostex.com"},
    )
    assert (found.code, found.external_id, found.notes) == ("S-2", "erp-2", "Old customer.")
    assert audit.latest_verbs(store, 2) == ["merge records", "change record"]
    assert {*mails[:2]} <= set(documents.queued(store, limit=99).message_ids)
    assert {kept, dropped} <= set(documents.queued(store, limit=99).record_ids)


def test_who_filed_a_message_and_when_stays(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    kept, dropped = make.record(store, "A"), make.record(store, "B")
    put(store, dora, dropped, mails[0])

    merge(store, dora, dropped, kept)

    assert filings.lies_under(store, mails[0], kept) == dora.user_id
    assert filings.is_archived(store, mails[0])


def test_what_is_pushed_under_the_old_id_makes_no_new_record(store: Store, dora: Viewer) -> None:
    """R77: the other system goes on to send both."""
    first, second = Pushed("A", "erp-1", code="C-1"), Pushed("B", "erp-2", code="C-2")
    kept, _ = records.upsert_record(store, None, record_type="companies", pushed=first, now=NOW)
    other, _ = records.upsert_record(store, None, record_type="companies", pushed=second, now=NOW)
    merge(store, dora, other, kept)

    for pushed in (first, second):
        assert records.upsert_record(
            store, None, record_type="companies", pushed=pushed, now=NOW
        ) == (kept, "unchanged")

    (found,) = store_records.every(store, [kept])
    assert (found.name, found.code, found.external_id) == ("A", "C-1", "erp-1")
    assert set(found.aliases) == {"B", "C-2"}
    with pytest.raises(Invalid, match="taken"):
        records.create_record(
            store, record_type="companies", name="C", external_id="erp-2", by=None, now=NOW
        )


def test_a_merge_over_types_keeps_the_old_id_good(store: Store, dora: Viewer) -> None:
    pushed = Pushed("Anna", "7")
    other, _ = records.upsert_record(store, None, record_type="contacts", pushed=pushed, now=NOW)
    kept = make.record(store, "Anna Nowak sp.j.")
    merge(store, dora, other, kept)

    again = records.upsert_record(store, None, record_type="contacts", pushed=pushed, now=NOW)

    assert again == (kept, "unchanged")
    assert store_records.every(store, [kept])[0].external_id == ""


def test_a_merge_says_how_many_more_people_will_read_how_much(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    foreman = make.role(store, "foreman")
    bob = make.user(store, "Bob", roles=(foreman,))
    charlie = make.user(store, "Charlie")
    kept = make.record(store, "Open")
    dropped = make.record(store, "Closed", only_for=(dora.user_id,))
    put(store, dora, dropped, mails[0])
    put(store, dora, dropped, mails[1], roles=(foreman,))

    plan = records.plan_merge(store, again(store, dora), dropped, kept)
    merge(store, dora, dropped, kept)

    assert (plan.attached, plan.gain.messages, plan.gain.people) == (2, 2, 2)
    assert (plan.loss.messages, plan.is_other_access) == (0, True)
    read = [visibility.readable(store, make.viewer(store, one), mails) for one in (bob, charlie)]
    assert read == [set(mails[:2]), {mails[0]}]


def test_a_merge_into_a_closed_record_says_who_reads_less(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    charlie = make.user(store, "Charlie")
    kept = make.record(store, "Closed", only_for=(dora.user_id,))
    dropped = make.record(store, "Open")
    put(store, dora, dropped, *mails)

    plan = records.plan_merge(store, again(store, dora), dropped, kept)
    merge(store, dora, dropped, kept)

    assert (plan.gain.messages, plan.loss.messages, plan.loss.people) == (0, 3, 1)
    assert visibility.readable(store, make.viewer(store, charlie), mails) == set()


def test_what_the_merger_may_not_read_changes_nothing_he_sees(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    """R46."""
    anna = make.user(store, "Anna")
    box = make.account(store, anna, address="anna@firma.pl")
    kept, dropped = make.record(store, "A", only_for=(dora.user_id, anna)), make.record(store, "B")
    before = records.plan_merge(store, again(store, dora), dropped, kept)
    make.deliver(store, box, mail("Hidden", message_id="<h@x>"))
    hidden = make.message_ids(store)[-1]
    role = make.role(store, "foreman")
    put(store, make.viewer(store, anna), dropped, hidden, roles=(role,))

    assert records.plan_merge(store, again(store, dora), dropped, kept) == before


def test_a_merge_that_would_do_something_else_by_now_is_shown_anew(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    kept, dropped = make.record(store, "A"), make.record(store, "B", only_for=(dora.user_id,))
    seen = records.plan_merge(store, again(store, dora), dropped, kept).version
    put(store, dora, dropped, mails[0])

    with pytest.raises(Conflict):
        records.merge_records(store, again(store, dora), dropped, kept, version=seen, now=NOW)

    assert record_ends.messages_under(store, kept) == []


def test_only_administrators_who_see_both_merge(store: Store, dora: Viewer) -> None:
    alice = make.user(store, "Alice")
    open_one, hidden = make.record(store, "A"), make.record(store, "B", only_for=(alice,))

    with pytest.raises(NotFound):
        records.plan_merge(store, dora, open_one, hidden)
    with pytest.raises(NotFound):
        records.plan_merge(store, dora, hidden, open_one)
    with pytest.raises(NotFound):
        records.plan_removal(store, dora, hidden)
    with pytest.raises(Forbidden):
        records.plan_merge(store, make.viewer(store, alice), open_one, hidden)
    with pytest.raises(Forbidden):
        records.plan_removal(store, make.viewer(store, alice), open_one)
    with pytest.raises(Invalid, match="same"):
        records.plan_merge(store, dora, open_one, open_one)


def test_the_old_address_leads_on_for_those_who_may_see(store: Store, dora: Viewer) -> None:
    alice = make.viewer(store, make.user(store, "Alice"))
    kept = make.record(store, "C", only_for=(dora.user_id,))
    middle, first = make.record(store, "B"), make.record(store, "A")
    old = store_records.every(store, [first])[0].public_id
    merge(store, dora, first, middle)
    merge(store, dora, middle, kept)

    assert record_ends.successor(store, dora, old).id == kept
    with pytest.raises(NotFound):
        record_ends.successor(store, alice, old)


def test_removing_a_record_returns_what_lies_nowhere_else(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    """A18, R70: its roles are cleared, and its next archiving is a first one again."""
    foreman = make.role(store, "foreman")
    doomed, other = make.record(store, "Doomed"), make.record(store, "Other")
    put(store, dora, doomed, *mails[:2], roles=(foreman,))
    put(store, dora, other, mails[1])

    plan = records.plan_removal(store, again(store, dora), doomed)
    remove(store, dora, doomed)

    assert (plan.attached, plan.returned) == (2, 1)
    assert [filings.is_archived(store, one) for one in mails] == [False, True, False]
    assert filings.roles_of(store, mails[0]) == []
    assert [role.id for role in filings.roles_of(store, mails[1])] == [foreman]
    assert store_records.every(store, [doomed]) == []
    assert audit.latest_verbs(store, 3) == ["remove record", "detach", "detach"]
    assert filing.file_message(
        store, again(store, dora), mails[0], other, roles=(foreman,), now=NOW
    )


def test_a_removed_record_frees_its_name_code_and_id(store: Store, dora: Viewer) -> None:
    def made() -> RecordId:
        return records.create_record(
            store,
            record_type="companies",
            name="A",
            code="C-1",
            external_id="7",
            by=dora.user_id,
            now=NOW,
        )

    remove(store, dora, made())

    assert made()


def test_a_record_is_not_removed_when_it_holds_more_than_was_shown(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    doomed = make.record(store, "Doomed")
    seen = records.plan_removal(store, again(store, dora), doomed).version
    put(store, dora, doomed, mails[0])

    with pytest.raises(Conflict):
        records.remove_record(store, again(store, dora), doomed, version=seen, now=NOW)

    assert filings.is_archived(store, mails[0])


def test_a_removed_record_cannot_be_filed_under(
    store: Store, dora: Viewer, mails: list[MessageId]
) -> None:
    doomed = make.record(store, "Doomed")
    remove(store, dora, doomed)

    with pytest.raises(NotFound):
        put(store, dora, doomed, mails[0])


def test_mail_of_a_merged_record_is_found_by_those_who_see_the_other(store: Store) -> None:
    boss = make.user(store, "Boss", is_admin=True)
    bob = make.user(store, "Bob")
    make.deliver(store, make.account(store, boss), make.mail("Zement"))
    kept, hidden = make.record(store, "Los"), make.record(store, "Spostex", only_for=(boss,))
    viewer = make.viewer(store, boss)
    filing.file_message(store, viewer, make.message_ids(store)[0], hidden, now=NOW)
    Indexer(store).drain()
    before = search_messages(store, make.viewer(store, bob), "zement").total

    plan = records.plan_merge(store, viewer, hidden, kept)
    records.merge_records(store, viewer, hidden, kept, version=plan.version, now=NOW)
    Indexer(store).drain()

    assert (before, search_messages(store, make.viewer(store, bob), "zement").total) == (0, 1)
