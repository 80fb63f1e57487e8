"""Filing: Alice may, Bob may once it is shared, Charlie never learns that the message exists."""

from collections.abc import Callable

import pytest

from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.filing import (
    Readership,
    access_version,
    file_message,
    file_under_new,
    may_change_access,
    readers,
    set_aside,
    set_roles,
    take_back,
    unfile,
)
from app.model import MessageId, RecordId, RoleId, Viewer
from app.records import Draft, add_record, archive_record
from app.store import Store, audit, blobs, documents, filings, queue, records, visibility
from tests import make
from tests.make import NOW


@pytest.fixture
def alice(store: Store) -> Viewer:
    user = make.user(store, "Alice")
    box = make.account(store, user)
    make.deliver(store, box, make.mail())
    return make.viewer(store, user)


@pytest.fixture
def message(store: Store, alice: Viewer) -> MessageId:
    return make.message_ids(store)[0]


@pytest.fixture
def record(store: Store) -> RecordId:
    return make.record(store)


def test_the_first_filing_archives(store: Store, alice, message, record) -> None:
    """R47."""
    assert file_message(store, alice, message, record, now=NOW)

    row = queue.row(store, alice, message)
    assert row.message.archived_at == NOW
    assert [found.name for found in row.attached_to] == ["Spostex S.A."]
    assert audit.verbs_on(store, message) == [("archive", alice.user_id)]


def test_filing_twice_changes_nothing_and_says_so(store: Store, alice, message, record) -> None:
    """R55."""
    file_message(store, alice, message, record, now=NOW)
    waiting = documents.backlog(store)

    assert not file_message(store, alice, message, record, now=NOW)
    assert documents.backlog(store) == waiting
    assert len(audit.verbs_on(store, message)) == 1


def test_roles_are_set_at_the_first_archiving_only(store: Store, alice, message, record) -> None:
    """R49: refused afterwards, also when two first forms race."""
    foreman = make.role(store, "foreman")
    other = make.record(store, "Adamski")
    file_message(store, alice, message, record, roles=[foreman], now=NOW)

    with pytest.raises(Invalid, match="archived already"):
        file_message(store, alice, message, other, roles=[foreman], now=NOW)

    assert [role.name for role in filings.roles_of(store, message)] == ["foreman"]
    assert len(filings.visible(store, alice, message)) == 1


def test_a_role_that_is_gone_is_refused_and_nothing_is_saved(
    store: Store, alice, message, record
) -> None:
    with pytest.raises(Invalid, match="not there any more"):
        file_message(store, alice, message, record, roles=[RoleId(99)], now=NOW)

    assert not filings.is_archived(store, message)


def test_undoing_the_last_filing_returns_it_to_the_queue_without_roles(
    store: Store, alice, message, record
) -> None:
    """R70."""
    foreman = make.role(store, "foreman")
    file_message(store, alice, message, record, roles=[foreman], now=NOW)

    assert unfile(store, alice, message, record, now=NOW)

    assert not filings.is_archived(store, message)
    assert filings.roles_of(store, message) == []
    assert [verb for verb, _ in audit.verbs_on(store, message)] == ["archive", "detach"]


@pytest.mark.parametrize("verb", [file_message, unfile])
def test_who_may_not_see_one_of_the_two_finds_nothing(
    store: Store, alice, message, record, verb
) -> None:
    charlie = make.viewer(store, make.user(store, "Charlie"))
    secret = make.record(store, "Secret", only_for=(charlie.user_id,))

    with pytest.raises(NotFound):
        verb(store, charlie, message, record, now=NOW)
    with pytest.raises(NotFound):
        verb(store, alice, message, secret, now=NOW)


def test_only_visible_records_are_named(store: Store, alice, message, record) -> None:
    """A6: no count of the hidden ones either."""
    bob = make.user(store, "Bob")
    hidden = make.record(store, "Hidden", only_for=(alice.user_id,))
    file_message(store, alice, message, record, now=NOW)
    file_message(store, alice, message, hidden, now=NOW)

    row = queue.row(store, make.viewer(store, bob), message)

    assert [found.name for found in row.attached_to] == ["Spostex S.A."]


# -- not for the archive


def test_a_message_set_aside_leaves_the_queue_and_comes_back(store: Store, alice, message) -> None:
    """A2: nothing is deleted, and both are audited."""
    assert set_aside(store, alice, message, now=NOW)
    assert queue.rows(store, alice, now=NOW).rows == ()
    aside = queue.rows(store, alice, show="aside", now=NOW).rows

    assert take_back(store, alice, message, now=NOW)

    assert [row.message.id for row in aside] == [message]
    assert [row.message.id for row in queue.rows(store, alice, now=NOW).rows] == [message]
    assert [verb for verb, _ in audit.verbs_on(store, message)] == ["set aside", "take back"]


def test_setting_aside_twice_changes_nothing(store: Store, alice, message) -> None:
    assert set_aside(store, alice, message, now=NOW)

    assert not set_aside(store, alice, message, now=NOW)
    assert take_back(store, alice, message, now=NOW)
    assert not take_back(store, alice, message, now=NOW)
    assert len(audit.verbs_on(store, message)) == 2


def test_what_bob_sets_aside_in_his_mailbox_waits_in_hers(store: Store, alice, message) -> None:
    bob = make.user(store, "Bob")
    own = make.account(store, bob, address="bob@firma.pl")
    make.deliver(store, own, make.mail())

    set_aside(store, make.viewer(store, bob), message, now=NOW)

    assert [row.message.id for row in queue.rows(store, alice, now=NOW).rows] == [message]
    assert queue.rows(store, make.viewer(store, bob), now=NOW).rows == ()


@pytest.mark.parametrize("verb", [set_aside, take_back])
def test_only_members_set_aside(store: Store, alice, message, record, verb) -> None:
    reader = make.viewer(store, make.user(store, "Charlie"))

    with pytest.raises(NotFound):
        verb(store, reader, message, now=NOW)
    file_message(store, alice, message, record, now=NOW)
    with pytest.raises(NotFound):
        verb(store, reader, message, now=NOW)


def test_what_is_archived_is_not_set_aside(store: Store, alice, message, record) -> None:
    file_message(store, alice, message, record, now=NOW)

    with pytest.raises(Invalid, match="archived already"):
        set_aside(store, alice, message, now=NOW)


def test_archiving_what_lay_aside_and_undoing_it_brings_it_back_to_the_queue(
    store: Store, alice, message, record
) -> None:
    """R70."""
    set_aside(store, alice, message, now=NOW)

    file_message(store, alice, message, record, now=NOW)
    unfile(store, alice, message, record, now=NOW)

    assert [row.message.id for row in queue.rows(store, alice, now=NOW).rows] == [message]


# -- forms sent twice, and things that changed meanwhile


def test_the_same_first_form_sent_twice_is_one_archiving(
    store: Store, alice, message, record
) -> None:
    """R49, R55: roles sent again as they stand are no change of roles."""
    foreman = make.role(store, "foreman")
    file_message(store, alice, message, record, roles=[foreman], now=NOW)

    assert not file_message(store, alice, message, record, roles=[foreman], now=NOW)
    assert len(audit.verbs_on(store, message)) == 1


def test_a_record_put_away_meanwhile_takes_no_message(store: Store, alice, message, record) -> None:
    archive_record(store, alice, record, now=NOW)

    with pytest.raises(Invalid, match="put away"):
        file_message(store, alice, message, record, now=NOW)

    assert not filings.is_archived(store, message)


def test_a_message_takes_its_bytes_once_whatever_the_records(store: Store, alice, message) -> None:
    """R51."""
    before = make.copy_digests(store), blobs.stored_bytes(store)

    for number in range(10):
        record = make.record(store, f"Project {number}", record_type="projects")
        file_message(store, alice, message, record, now=NOW)

    assert (make.copy_digests(store), blobs.stored_bytes(store)) == before


# -- a new record in the form


def test_a_record_is_made_and_filed_under_in_one(store: Store, alice, message) -> None:
    """a team without records is not in a dead end."""
    draft = Draft("Spostex S.A.", domains=("spostex.pl",))

    made = file_under_new(store, alice, message, maker(store, alice, draft), now=NOW)

    assert [one.record.id for one in filings.visible(store, alice, message)] == [made]
    assert [one.record.name for one in filings.visible(store, alice, message)] == ["Spostex S.A."]


def test_a_filing_that_is_refused_leaves_no_record(store: Store, alice, message) -> None:
    with pytest.raises(Invalid, match="not there any more"):
        file_under_new(
            store,
            alice,
            message,
            maker(store, alice, Draft("Spostex S.A.")),
            roles=[RoleId(99)],
            now=NOW,
        )

    assert records.list_visible(store, alice, record_type="companies") == []


def test_a_record_that_is_refused_leaves_no_filing(store: Store, alice, message, record) -> None:
    with pytest.raises(Invalid, match="already"):
        file_under_new(store, alice, message, maker(store, alice, Draft("SPOSTEX S.A.")), now=NOW)

    assert not filings.is_archived(store, message)


def test_who_may_not_read_it_makes_nothing(store: Store, alice, message) -> None:
    charlie = make.viewer(store, make.user(store, "Charlie"))

    with pytest.raises(NotFound):
        file_under_new(store, charlie, message, maker(store, charlie, Draft("X")), now=NOW)

    assert records.list_visible(store, alice, record_type="companies") == []


# -- who may read it afterwards


def test_readers_are_those_who_then_may_read(store: Store, alice, message) -> None:
    """R45, A5: the figure of the form is the one rule, asked before it holds."""
    foreman = make.role(store, "foreman")
    users = [
        alice.user_id,
        make.user(store, "Bob", roles=(foreman,)),
        make.user(store, "Charlie"),
        make.user(store, "Dora", roles=(foreman,)),
    ]
    hidden = make.record(store, "Board", only_for=(users[1], users[2], alice.user_id))
    record = records.by_ids(store, alice, [hidden])[hidden]

    found = readers(store, alice, message, record, [foreman])
    file_message(store, alice, message, hidden, roles=[foreman], now=NOW)

    able = [
        user for user in users if visibility.readable(store, make.viewer(store, user), [message])
    ]
    assert able == [users[0], users[1]]
    assert found == Readership(
        people=2,
        least=2,
        roles=1,
        is_record_open=False,
        mailboxes=("office@firma.pl",),
        has_role=False,
        reads_it=True,
    )


def test_a_new_record_is_open_to_everybody(store: Store, alice, message) -> None:
    make.user(store, "Bob")

    found = readers(store, alice, message, None, [])

    assert (found.people, found.is_record_open) == (2, True)


@pytest.mark.parametrize("is_strict", [True, False])
def test_an_archiver_goes_on_reading_whatever_roles_he_chooses(
    store: Store, is_strict: bool
) -> None:
    """A8, A5: as a member, or in a strict mailbox as the one who archived it; the form says so."""
    bob = make.user(store, "Bob")
    box = make.account(store, bob, address="bob@firma.pl", is_strict=is_strict)
    make.deliver(store, box, make.mail(message_id="<2@x>"))
    viewer, message = make.viewer(store, bob), make.message_ids(store)[-1]

    found = readers(store, viewer, message, None, [make.role(store, "foreman")])

    assert (found.people, found.has_role) == (1, False)
    assert found.mailboxes == (() if is_strict else ("bob@firma.pl",))


def test_roles_are_changed_afterwards_and_audited(store: Store, alice, message, record) -> None:
    """R50."""
    foreman = make.role(store, "foreman")
    file_message(store, alice, message, record, now=NOW)
    version, waiting = access_version(store, message), documents.backlog(store)

    assert set_roles(store, alice, message, [foreman], version=version, now=NOW)

    assert [role.name for role in filings.roles_of(store, message)] == ["foreman"]
    assert [verb for verb, _ in audit.verbs_on(store, message)] == ["archive", "change access"]
    assert documents.backlog(store) > waiting


def test_two_people_who_change_the_roles_do_not_undo_each_other(
    store: Store, alice, message, record
) -> None:
    foreman, worker = make.role(store, "foreman"), make.role(store, "office worker")
    file_message(store, alice, message, record, now=NOW)
    version = access_version(store, message)
    set_roles(store, alice, message, [foreman], version=version, now=NOW)

    with pytest.raises(Conflict):
        set_roles(store, alice, message, [worker], version=version, now=NOW)

    assert [role.name for role in filings.roles_of(store, message)] == ["foreman"]


def test_a_reader_by_record_changes_neither_roles_nor_others_filings(
    store: Store, alice, message, record
) -> None:
    """R50: reading is not enough; his own attaching he may undo."""
    bob = make.viewer(store, make.user(store, "Bob"))
    other = make.record(store, "Adamski")
    file_message(store, alice, message, record, now=NOW)
    file_message(store, bob, message, other, now=NOW)
    version = access_version(store, message)

    with pytest.raises(Forbidden):
        set_roles(store, bob, message, [make.role(store, "x")], version=version, now=NOW)
    with pytest.raises(Forbidden):
        unfile(store, bob, message, record, now=NOW)
    assert unfile(store, bob, message, other, now=NOW)


@pytest.mark.parametrize("is_admin", [True, False])
def test_administrators_who_may_read_it_change_access(
    store: Store, alice, message, record, is_admin: bool
) -> None:
    """R50."""
    dora = make.viewer(store, make.user(store, "Dora", is_admin=is_admin))

    before = may_change_access(store, dora, message)
    file_message(store, alice, message, record, now=NOW)

    assert (before, may_change_access(store, dora, message)) == (False, is_admin)


def test_roles_of_what_is_not_archived_are_refused(store: Store, alice, message) -> None:
    with pytest.raises(Invalid, match="not archived"):
        set_roles(store, alice, message, [], version="", now=NOW)


def maker(store: Store, viewer: Viewer, draft: Draft) -> Callable[[], RecordId]:
    return lambda: add_record(
        store, record_type="companies", draft=draft, by=viewer.user_id, now=NOW
    )
