"""Filing: Alice may, Bob may once it is shared, Charlie never learns that the message exists."""

import pytest

from app.errors import Invalid, NotFound
from app.filing import file_message, unfile
from app.model import MessageId, RecordId, RoleId, Viewer
from app.store import Store, audit, documents, filings, queue
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
