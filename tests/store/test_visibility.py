"""A5, the one rule, as a table of cases; tests/test_sight_rule.py has it against an oracle."""

from app import filing
from app.model import MessageId, RecordId, RoleId, UserId
from app.store import Store, archives, messages, queue, threads, visibility
from tests import make
from tests.make import NOW


def may_read(store: Store, user: UserId, message: MessageId) -> bool:
    return bool(visibility.readable(store, make.viewer(store, user), [message]))


def filed(store: Store, by: UserId, record: RecordId, *roles: RoleId) -> MessageId:
    """One message in the mailbox of `by`, archived to the record."""
    make.deliver(store, make.account(store, by), make.mail())
    (message,) = make.message_ids(store)
    filing.file_message(store, make.viewer(store, by), message, record, roles=roles, now=NOW)
    return message


def test_members_read_their_mailbox_and_others_do_not(store: Store) -> None:
    alice, charlie = make.user(store, "Alice"), make.user(store, "Charlie", is_admin=True)
    make.deliver(store, make.account(store, alice), make.mail())
    (message,) = make.message_ids(store)

    assert may_read(store, alice, message)
    assert not may_read(store, charlie, message)


def test_an_open_record_opens_its_mail_to_everybody(store: Store) -> None:
    alice, charlie = make.user(store, "Alice"), make.user(store, "Charlie")

    message = filed(store, alice, make.record(store))

    assert may_read(store, charlie, message)


def test_a_record_for_a_role_opens_its_mail_to_that_role(store: Store) -> None:
    foreman = make.role(store, "foreman")
    alice, charlie = make.user(store, "Alice"), make.user(store, "Charlie")
    bob = make.user(store, "Bob", roles=(foreman,))
    record = make.record(store, roles=(foreman,), only_for=(alice,))

    message = filed(store, alice, record)

    assert may_read(store, bob, message)
    assert not may_read(store, charlie, message)


def test_roles_of_the_message_bind_those_who_may_see_the_record(store: Store) -> None:
    """R45."""
    foreman = make.role(store, "foreman")
    alice, charlie = make.user(store, "Alice"), make.user(store, "Charlie")
    bob = make.user(store, "Bob", roles=(foreman,))

    message = filed(store, alice, make.record(store), foreman)

    assert may_read(store, bob, message)
    assert not may_read(store, charlie, message)
    assert may_read(store, alice, message)


def test_once_archived_a_strict_mailbox_binds_its_members_but_not_the_archiver(
    store: Store,
) -> None:
    foreman = make.role(store, "foreman")
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    box = make.account(store, alice, bob, is_strict=True)
    make.deliver(store, box, make.mail())
    (message,) = make.message_ids(store)
    before = may_read(store, bob, message)

    viewer = make.viewer(store, alice)
    filing.file_message(store, viewer, message, make.record(store), roles=[foreman], now=NOW)

    assert before
    assert not may_read(store, bob, message)
    assert may_read(store, alice, message)


def test_what_is_hidden_is_missing_everywhere(store: Store) -> None:
    alice, charlie = make.user(store, "Alice"), make.user(store, "Charlie")
    message = filed(store, alice, make.record(store, only_for=(alice,)))
    viewer = make.viewer(store, charlie)

    assert archives.rows(store, viewer).rows == ()
    assert queue.rows(store, viewer, show="all", now=NOW).rows == ()
    assert queue.rows_by_ids(store, viewer, [message]) == {}
    assert messages.parts(store, viewer, message) == []
    assert threads.thread(store, viewer, message) == []
    assert messages.locations(store, viewer, message) == []


def test_who_may_read_asks_once_whatever_the_number_of_people(store: Store) -> None:
    """A5 is one query: a thousand people cost no thousand questions."""
    alice = make.user(store, "Alice")
    for n in range(20):
        make.user(store, f"U{n}")
    message = filed(store, alice, make.record(store, only_for=(alice,)))
    asked: list[str] = []
    store.archive.conn.set_trace_callback(asked.append)

    found = visibility.who_may_read(store, message)

    store.archive.conn.set_trace_callback(None)
    assert found == {alice}
    assert len(asked) == 1
