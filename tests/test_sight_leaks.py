"""What once told of mail that was hidden from whoever looked."""

from app import filing
from app.model import MessageId, UserId
from app.search.indexer import Indexer
from app.search.suggest import suggest
from app.store import Store, threads, visibility
from app.store.circles import circles
from tests import make
from tests.make import NOW


def received(store: Store, box: object, number: int, *references: int) -> MessageId:
    tied = " ".join(f"<{one}@spostex.pl>" for one in references)
    raw = make.mail(
        f"Mail {number}",
        message_id=f"<{number}@spostex.pl>",
        headers=f"References: {tied}\n" if tied else "",
    )
    make.deliver(store, box, raw, first_uid=number)  # type: ignore[arg-type]
    return make.message_ids(store)[-1]


def conversation(store: Store, user: UserId, message: MessageId) -> list[MessageId]:
    return [one.id for one in threads.thread(store, make.viewer(store, user), message)]


def test_hidden_mail_ties_no_conversations_together(store: Store) -> None:
    """R46: a reply that one may not see made one conversation of two that one may."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    office = make.account(store, alice, bob)
    own = make.account(store, alice, address="alice@firma.pl")
    first, second = received(store, office, 1), received(store, office, 2)
    answer = received(store, office, 4, 2)

    hidden = received(store, own, 3, 1, 2)

    assert conversation(store, bob, first) == [first]
    assert conversation(store, bob, second) == [second, answer]
    assert conversation(store, bob, hidden) == []
    assert conversation(store, alice, first) == [first, second, answer, hidden]


def test_a_conversation_named_by_a_message_holds_what_one_may_read(store: Store) -> None:
    """R46, operator thread: what is hidden and what is missing name the same, nothing."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    office = make.account(store, alice, bob)
    first, answer = received(store, office, 1), received(store, office, 2, 1)
    hidden = received(store, make.account(store, alice, address="alice@firma.pl"), 3, 1)

    named = {
        user: [
            threads.ids_of(store, make.viewer(store, user), make.public_id(store, one))
            for one in (first, answer, hidden)
        ]
        for user in (alice, bob)
    }

    assert named[alice] == [(first, answer, hidden)] * 3
    assert named[bob] == [(first, answer), (first, answer), ()]
    assert threads.ids_of(store, make.viewer(store, bob), "nothing") == ()


def test_hidden_mail_gives_no_reason_to_suggest(store: Store) -> None:
    """R46: "another message of this conversation" is one that the viewer can read, too."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    office = make.account(store, alice, bob)
    own = make.account(store, alice, address="alice@firma.pl")
    first, second = received(store, office, 1), received(store, office, 2)
    received(store, own, 3, 1, 2)
    record = make.record(store, "Unnamed")
    filing.file_message(store, make.viewer(store, alice), first, record, now=NOW)
    Indexer(store).drain()

    said = {
        user: [
            reason
            for one in suggest(store, make.viewer(store, user), second)
            for reason in one.reasons
        ]
        for user in (alice, bob)
    }
    assert any("conversation" in reason for reason in said[alice])
    assert not any("conversation" in reason for reason in said[bob])


def test_the_circles_do_not_count_what_a_strict_mailbox_keeps_from_its_member(
    store: Store,
) -> None:
    """A5, A7: its row is absent, and so is its number."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    box = make.account(store, alice, bob, is_strict=True)
    message = received(store, box, 1)
    before = circles(store, make.viewer(store, bob), now=NOW)

    secret = make.record(store, only_for=(alice,))
    filing.file_message(store, make.viewer(store, alice), message, secret, now=NOW)

    assert (before.unread, before.new) == (1, 1)
    hidden = circles(store, make.viewer(store, bob), now=NOW)
    assert (hidden.unread, hidden.new) == (0, 0)
    kept = circles(store, make.viewer(store, alice), now=NOW)
    assert (kept.unread, kept.new) == (1, 1)


def test_nobody_reads_by_a_record_that_was_removed(store: Store) -> None:
    """A18: its link disappears for people and for the index alike."""
    alice, charlie = make.user(store, "Alice"), make.user(store, "Charlie")
    message = received(store, make.account(store, alice), 1)
    record = make.record(store)
    filing.file_message(store, make.viewer(store, alice), message, record, now=NOW)

    store.archive.conn.execute("update records set removed_at = 1 where id = ?", [record])

    assert visibility.who_may_read(store, message) == {alice}
    assert not visibility.readable(store, make.viewer(store, charlie), [message])
    assert visibility.scopes_of_messages(store, [message])[message].record == ()
