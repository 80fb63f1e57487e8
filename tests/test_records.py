"""The verbs of records: what they refuse, and what they leave in the index queue and the audit."""

from datetime import timedelta

import pytest

from app import records
from app.errors import Conflict, Invalid, NotFound
from app.model import Record, RecordId, RecordType, RoleId, UserId, Viewer
from app.records import Draft, Pushed
from app.store import Store, audit, documents, record_lists
from app.store import records as store_records
from tests import make
from tests.make import NOW


@pytest.fixture
def alice(store: Store) -> UserId:
    return make.user(store, "Alice")


def kept(store: Store, record_id: int) -> Record:
    (found,) = store_records.every(store, [record_id])
    return found


def change(store: Store, user: UserId, record_id: int, draft: Draft, version: str = "") -> None:
    records.change_record(
        store,
        make.viewer(store, user),
        record_id,
        draft,
        version=version or records.record_version(kept(store, record_id)),
        now=NOW,
    )


def test_a_record_is_made_with_notes_and_code(store: Store, alice: UserId) -> None:
    record_id = records.create_record(
        store,
        record_type="companies",
        name="  Spostex\tS.A. ",
        code=" S-1 ",
        notes=" Pays late. \n\n Call Ewa. ",
        by=alice,
        now=NOW,
    )

    found = kept(store, record_id)
    assert (found.name, found.code, found.notes) == (
        "Spostex S.A.",
        "S-1",
        "Pays late.\n\nCall Ewa.",
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"record_type": "ships"}, "type"),
        ({"name": ""}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"aliases": ["x" * 201]}, "aliases"),
        ({"domains": ["no domain"]}, "domains"),
        ({"addresses": ["@x.pl"]}, "addresses"),
        ({"roles": [RoleId(99)]}, "access"),
        ({"users": [UserId(99)]}, "access"),
    ],
)
def test_wrong_input_names_its_field(store: Store, given: dict[str, object], field: str) -> None:
    given = {"record_type": "companies", "name": "N"} | given

    with pytest.raises(Invalid) as caught:
        records.create_record(store, by=None, now=NOW, **given)

    assert caught.value.field == field
    assert store_records.every(store, range(10)) == []


def test_a_change_needs_the_version_that_was_shown(store: Store, alice: UserId) -> None:
    record_id = make.record(store)
    shown = records.record_version(kept(store, record_id))
    change(store, alice, record_id, Draft("Spostex Group"))

    with pytest.raises(Conflict):
        change(store, alice, record_id, Draft("Mine"), version=shown)

    assert kept(store, record_id).name == "Spostex Group"


def test_saving_the_same_again_changes_no_version(store: Store, alice: UserId) -> None:
    record_id = make.record(store, domains=("b.pl", "a.pl"))
    before = records.record_version(kept(store, record_id))

    change(store, alice, record_id, Draft("Spostex S.A.", domains=("a.pl", "b.pl")))

    assert records.record_version(kept(store, record_id)) == before


def test_a_record_may_keep_its_own_name_but_take_no_other(store: Store, alice: UserId) -> None:
    record_id = make.record(store)
    make.record(store, "Wilga")

    change(store, alice, record_id, Draft("SPOSTEX s.a."))

    assert kept(store, record_id).name == "SPOSTEX s.a."
    with pytest.raises(records.SameName, match="already"):
        change(store, alice, record_id, Draft("wilga"))


def test_who_may_not_see_a_record_changes_nothing(store: Store, alice: UserId) -> None:
    bob = make.user(store, "Bob")
    record_id = make.record(store, only_for=(alice,))
    viewer, version = make.viewer(store, bob), records.record_version(kept(store, record_id))

    with pytest.raises(NotFound):
        records.change_record(store, viewer, record_id, Draft("Mine"), version=version, now=NOW)
    with pytest.raises(NotFound):
        records.archive_record(store, viewer, record_id, now=NOW)
    with pytest.raises(NotFound):
        records.restore_record(store, viewer, record_id, now=NOW)

    assert kept(store, record_id).name == "Spostex S.A."


def test_who_would_see_a_draft(store: Store, alice: UserId) -> None:
    role = make.role(store, "foreman")
    bob = make.viewer(store, make.user(store, "Bob", roles=(role,)))

    assert records.would_see(bob, Draft())
    assert records.would_see(bob, Draft(roles=(role,), users=(alice,)))
    assert records.would_see(bob, Draft(users=(bob.user_id,)))
    assert not records.would_see(bob, Draft(users=(alice,)))


def test_archiving_twice_is_one_change(store: Store, alice: UserId) -> None:
    record_id, viewer = make.record(store), make.viewer(store, alice)
    records.archive_record(store, viewer, record_id, now=NOW)

    records.archive_record(store, viewer, record_id, now=NOW + timedelta(days=1))

    assert kept(store, record_id).archived_at == NOW
    assert store_records.list_visible(store, viewer, record_type="companies") == []
    records.restore_record(store, viewer, record_id, now=NOW)
    assert kept(store, record_id).archived_at is None


def test_each_change_is_queued_for_the_index(store: Store, alice: UserId) -> None:
    record_id, viewer = make.record(store), make.viewer(store, alice)
    documents.done(store, documents.queued(store, limit=10))

    records.archive_record(store, viewer, record_id, now=NOW)

    assert documents.queued(store, limit=10).record_ids == (record_id,)


def test_pages_of_records_lead_on_and_back(store: Store, alice: UserId) -> None:
    for name in ("Ada", "Ćma", "Ewa", "Łoś", "Zoo"):
        make.record(store, name)
    viewer = make.viewer(store, alice)

    first = record_lists.find(store, viewer, record_type="companies", limit=2)
    second = record_lists.find(store, viewer, record_type="companies", after=first.next, limit=2)
    third = record_lists.find(store, viewer, record_type="companies", after=second.next, limit=2)
    back = record_lists.find(store, viewer, record_type="companies", before=third.previous, limit=2)

    names = [[record.name for record in page.records] for page in (first, second, third, back)]
    assert names == [["Ada", "Ćma"], ["Ewa", "Łoś"], ["Zoo"], ["Ewa", "Łoś"]]
    assert (first.previous, third.next) == ("", "")
    assert back.previous
    assert back.next


def test_a_list_counts_only_what_one_may_see(store: Store, alice: UserId) -> None:
    """R46."""
    make.record(store, "Łoś", only_for=(alice,))
    make.record(store, "Losowa")
    bob = make.viewer(store, make.user(store, "Bob"))
    away = make.record(store, "Old")
    records.archive_record(store, bob, away, now=NOW)

    def counted(viewer: Viewer, **given: object) -> int:
        return record_lists.count(store, viewer, record_type="companies", **given)

    assert (counted(make.viewer(store, alice)), counted(bob)) == (2, 1)
    assert (counted(bob, like="los"), counted(bob, like="%")) == (1, 0)
    assert counted(bob, is_archived=True) == 1


def test_types_are_added_and_renamed(store: Store, alice: UserId) -> None:
    made = records.create_type(store, singular="Żuraw", plural="Żurawie", by=alice, now=NOW)
    version = records.type_version(made)
    records.change_type(
        store, RecordType(made.key, "Crane", "Cranes"), version=version, by=alice, now=NOW
    )

    assert records.find_type(store, "zurawie") == RecordType("zurawie", "Crane", "Cranes")
    with pytest.raises(Conflict):
        records.change_type(
            store, RecordType(made.key, "A", "B"), version=version, by=alice, now=NOW
        )
    with pytest.raises(Invalid, match="already"):
        records.create_type(store, singular="C", plural="cranes", by=alice, now=NOW)
    with pytest.raises(Invalid, match="already"):
        records.create_type(store, singular="C", plural="Żurawie", by=alice, now=NOW)


def test_a_name_that_several_have_is_asked_for_by_code(store: Store, alice: UserId) -> None:
    viewer = make.viewer(store, alice)
    for code in ("N-1", "N-2"):
        records.create_record(
            store,
            record_type="companies",
            name="Nova",
            code=code,
            may_share_name=True,
            by=None,
            now=NOW,
        )

    with pytest.raises(Invalid, match="N-1, N-2"):
        records.find_record(store, viewer, record_type="companies", name="nova")
    found = records.find_record(store, viewer, record_type="companies", name="n-2")
    records.archive_record(store, viewer, found.id, now=NOW)
    left = records.find_record(store, viewer, record_type="companies", name="NOVA")
    assert (found.code, left.code) == ("N-2", "N-1")


# -- what another system pushes


def push(
    store: Store, user: UserId | None, pushed: Pushed, record_type: str = "companies"
) -> tuple[RecordId, str]:
    viewer = None if user is None else make.viewer(store, user)
    return records.upsert_record(store, viewer, record_type=record_type, pushed=pushed, now=NOW)


def test_pushing_the_same_again_changes_nothing(store: Store, alice: UserId) -> None:
    """R77."""
    pushed = Pushed("Spostex S.A.", "erp-7", domains=("spostex.pl",))
    made, outcome = push(store, alice, pushed)
    queue = documents.last_queued(store)

    again = push(store, alice, pushed)

    assert (outcome, again) == ("new", (made, "unchanged"))
    assert (kept(store, made).external_id, documents.last_queued(store)) == ("erp-7", queue)
    assert audit.latest_verbs(store, 9) == ["create record"]


def test_what_is_pushed_is_found_by_id_then_code_then_name(store: Store, alice: UserId) -> None:
    by_name = make.record(store, "Wilga")
    by_code = records.create_record(
        store, record_type="companies", name="Spostex", code="S-1", by=None, now=NOW
    )

    assert push(store, alice, Pushed("WILGA", "erp-1")) == (by_name, "changed")
    assert push(store, alice, Pushed("Spostex Group", "erp-2", code="s-1")) == (by_code, "changed")
    assert push(store, alice, Pushed("Another name", "erp-1")) == (by_name, "changed")
    assert kept(store, by_code).name == "Spostex Group"


def test_what_a_push_does_not_say_stays(store: Store, alice: UserId) -> None:
    record_id = make.record(store, domains=("spostex.pl",), only_for=(alice,))

    push(store, alice, Pushed("Spostex S.A.", "erp-7", notes="Pays late."))

    found = kept(store, record_id)
    assert (found.domains, found.users, found.notes) == (("spostex.pl",), (alice,), "Pays late.")


def test_a_name_of_two_records_or_with_another_id_is_not_taken_for_the_one_pushed(
    store: Store, alice: UserId
) -> None:
    first, _ = push(store, alice, Pushed("Nova", "erp-1"))
    second, outcome = push(store, alice, Pushed("Nova", "erp-2"))

    assert (outcome, first != second) == ("new", True)
    with pytest.raises(Invalid, match="Several"):
        push(store, alice, Pushed("Nova"))


def test_a_push_does_not_touch_what_its_sender_may_not_see(store: Store, alice: UserId) -> None:
    hidden = make.record(store, only_for=(make.user(store, "Bob"),))

    made, outcome = push(store, alice, Pushed("Spostex S.A.", notes="x"))

    assert (made != hidden, outcome) == (True, "new")
    assert kept(store, hidden).notes == ""
    assert push(store, None, Pushed("Nova"))[1] == "new"


def test_ids_and_codes_are_one_of_a_kind_within_a_type(store: Store, alice: UserId) -> None:
    push(store, alice, Pushed("A", "erp-1", code="PRJ-1"))

    assert push(store, alice, Pushed("B", "erp-1"), "projects")[1] == "new"
    with pytest.raises(Invalid, match="taken") as caught:
        push(store, alice, Pushed("C", "erp-2", code="prj-1"))
    assert caught.value.field == "code"


def test_a_type_with_a_prefix_offers_the_next_code(store: Store, alice: UserId) -> None:
    """R40."""
    kind = records.create_type(
        store, singular="Job", plural="Jobs", code_prefix="prj", icon="box", by=alice, now=NOW
    )
    for name, code in (("A", "PRJ-41"), ("B", "prj-9"), ("C", "PRJ-4x"), ("D", "PR-77")):
        push(store, alice, Pushed(name, code=code), kind.key)

    assert (kind.code_prefix, records.next_code(store, kind)) == ("PRJ", "PRJ-42")


def test_a_type_is_put_away_only_when_nothing_is_of_it(store: Store, alice: UserId) -> None:
    """R40: the four that are always there stay."""
    kind = records.create_type(store, singular="Job", plural="Jobs", by=alice, now=NOW)
    push(store, alice, Pushed("A"), kind.key)
    empty = records.create_type(store, singular="Case", plural="Cases", by=alice, now=NOW)

    records.archive_type(store, empty.key, by=alice, now=NOW)

    with pytest.raises(Invalid, match="1 of them"):
        records.archive_type(store, kind.key, by=alice, now=NOW)
    with pytest.raises(Invalid, match="always stay"):
        records.archive_type(store, "warehouse", by=alice, now=NOW)
    with pytest.raises(Invalid, match="no record type"):
        push(store, alice, Pushed("B"), empty.key)
    assert empty.key not in [one.key for one in store_records.types(store)]
    records.restore_type(store, empty.key, by=alice, now=NOW)
    assert push(store, alice, Pushed("B"), empty.key)[1] == "new"
