"""A5, the one rule, as a table of cases and against an oracle of ten lines."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import filing
from app.model import MessageId, RecordId, RoleId, UserId
from app.store import Store, archives, messages, queue, transaction, visibility
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
    assert messages.thread(store, viewer, message) == []
    assert messages.locations(store, viewer, message) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_the_rule_the_index_and_the_oracle_agree(store: Store, data: st.DataObject) -> None:
    """R45, R46."""
    with transaction(store):
        for table in (
            *("holdings", "locations", "message_roles", "filings", "audit", "parts", "copies"),
            *("messages", "record_roles", "record_users", "records", "account_users"),
            *("account_skip_folders", "folders", "accounts", "user_roles", "users", "roles"),
            *("thread_references", "thread_joins"),
        ):
            store.archive.conn.execute(f"delete from {table}")
    draw, bits = data.draw, st.booleans()
    roles = [make.role(store, f"role {n}") for n in range(2)]
    own_roles = [tuple(r for r in roles if draw(bits)) for _ in range(3)]
    users = [make.user(store, f"U{n}", roles=own_roles[n]) for n in range(3)]
    strict = [draw(bits) for _ in range(2)]
    members = [[u for u in users if draw(bits)] for _ in range(2)]
    boxes = [
        make.account(store, *members[n], address=f"b{n}@firma.pl", is_strict=strict[n])
        for n in range(2)
    ]
    held = [n for n in range(2) if draw(bits)] or [0]
    for n in held:
        make.deliver(store, boxes[n], make.mail())
    (message,) = make.message_ids(store)
    access = [
        (tuple(r for r in roles if draw(bits)), tuple(u for u in users if draw(bits)))
        for _ in range(2)
    ]
    records = [make.record(store, f"R{n}", roles=a[0], only_for=a[1]) for n, a in enumerate(access)]
    archiver = draw(st.sampled_from([None, *users]))
    only = tuple(r for r in roles if draw(bits))
    under: list[int] = []
    if archiver is not None:
        under = [n for n in range(2) if draw(bits)] or [1]
        with transaction(store):
            for n in under:
                filing.filings.add(store, message, records[n], by=archiver, now=NOW)
            filing.filings.set_roles(store, message, only)

    def oracle(n: int) -> bool:
        user, mine = users[n], set(own_roles[n])
        if any(user in members[b] and not (strict[b] and archiver) for b in held):
            return True
        if archiver == user and any(strict[b] for b in held):
            return True
        sees = [
            not (a[0] or a[1]) or mine & set(a[0]) or user in a[1]
            for a in (access[r] for r in under)
        ]
        return bool(any(sees) and (not only or mine & set(only)))

    for n, user in enumerate(users):
        scopes = visibility.scopes_of_messages(store, [message])[message]
        own = visibility.scopes_of_viewer(make.viewer(store, user))
        by_index = bool(set(scopes.account) & own.account) or bool(
            set(scopes.record) & own.record and set(scopes.role) & own.role
        )
        assert may_read(store, user, message) == oracle(n)
        assert by_index == oracle(n)
