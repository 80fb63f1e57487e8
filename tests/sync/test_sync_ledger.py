"""R73: whatever happens on the server, after every pass each folder's sum holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.model import FolderLedger
from app.store import folders, open_store, passes
from tests.dovecot import Dovecot
from tests.sync.conftest import Mailbox, add_account, raw_mail

pytestmark = pytest.mark.dovecot
WEEK = timedelta(days=7)
PLACES = ("INBOX", "Lager", "Trash")

Seen = dict[str, set[tuple[int, int]]]
"""(uidvalidity, uid) by folder: what an independent reader saw there, ever."""


def append(box: Mailbox, number: int) -> None:
    box.append(PLACES[number % 3], raw_mail(number))


def append_again(box: Mailbox, number: int) -> None:
    """The same bytes a second time, in some folder."""
    box.append(PLACES[number % 2], raw_mail(1))


def expunge(box: Mailbox, number: int) -> None:
    with box.server.admin(box.user, "INBOX") as client:
        if uids := client.search():
            client.delete_messages([uids[number % len(uids)]])
            client.expunge()


def move(box: Mailbox, number: int) -> None:
    target = PLACES[1 + number % 2]
    with box.server.admin(box.user, "INBOX") as client:
        if not client.folder_exists(target):
            client.create_folder(target)
        if uids := client.search():
            client.move(uids[:1], target)


def flag(box: Mailbox, number: int) -> None:
    with box.server.admin(box.user, "INBOX") as client:
        if uids := client.search():
            client.set_flags(uids[:number], ["\\Seen"])


def renew(box: Mailbox, number: int) -> None:
    del number
    box.server.change_uidvalidity(box.user, "INBOX")


def drop(box: Mailbox, number: int) -> None:
    del number
    with box.server.admin(box.user) as client:
        if client.folder_exists("Lager"):
            client.delete_folder("Lager")


def spoil(box: Mailbox, number: int) -> None:
    """Make a message one over which Dovecot hangs up: it cannot be read."""
    box.append("INBOX", raw_mail(10_000 + number))
    box.server.falsify_size(box.user, "INBOX", number=-1)


EVENTS: tuple[Callable[[Mailbox, int], None], ...] = (
    append,
    append,
    append_again,
    expunge,
    move,
    flag,
    renew,
    drop,
    spoil,
)


def look(box: Mailbox, seen: Seen) -> None:
    """See what is there, as another program would."""
    with box.server.admin(box.user) as client:
        for _, _, name in client.list_folders():
            told = client.select_folder(name, readonly=True)
            uids = {(told[b"UIDVALIDITY"], uid) for uid in client.search()}
            seen.setdefault(name, set()).update(uids)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(2, 40)), min_size=4, max_size=9))
def test_the_sum_holds_after_every_pass(
    dovecot: Dovecot, tmp_path_factory: Any, events: list[tuple[Any, int]]
) -> None:
    store = open_store(tmp_path_factory.mktemp("ledger"))
    account = add_account(store, login=dovecot.new_user(), port=dovecot.tls_port)
    box, seen = Mailbox(dovecot, store, account), Seen()
    box.append("INBOX", raw_mail(1))

    for event, number in events:
        event(box, number)
        look(box, seen)
        box.sync()

        lines = folders.ledger(store, account.id)
        assert [line for line in lines if not line.adds_up] == []
        assert {line.name: line.seen for line in lines if line.name not in ("Trash",)} == {
            name: len(places) for name, places in seen.items() if name not in ("Trash",)
        } | {line.name: 0 for line in lines if line.name not in seen}
    store.close()


def test_a_message_that_vanished_unread_stays_in_the_sum(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    spoil(mailbox, 2)
    mailbox.sync()
    (failed,) = folders.failures(mailbox.store, mailbox.account.id, limit=9)

    mailbox.server.expunge(mailbox.user, "INBOX", failed.uid or 0)
    mailbox.sync()

    (line,) = (
        one for one in folders.ledger(mailbox.store, mailbox.account.id) if one.name == "INBOX"
    )
    assert (line.seen, line.stored, line.failed, line.adds_up) == (2, 1, 1, True)


def test_every_pass_that_changed_the_sum_is_kept(mailbox: Mailbox) -> None:
    for number in (1, 2):
        mailbox.append("INBOX", raw_mail(number))
        mailbox.sync()
        mailbox.sync()

    inbox = mailbox.folder("INBOX")
    kept = passes.of_folder(mailbox.store, inbox.id, limit=9)
    assert [(one.ledger.seen, one.ledger.stored) for one in kept] == [(2, 2), (1, 1)]
    assert all(one.ledger.adds_up for one in kept)


# -- the weekly comparison


def settle(mailbox: Mailbox) -> None:
    """Three mails, and a week of passes for which nothing had changed."""
    mailbox.append("INBOX", *map(raw_mail, (1, 2, 3)))
    mailbox.sync()
    mailbox.clock.advance(days=7)
    mailbox.store.archive.conn.execute(
        "update folders set checked_at = ?", [int(mailbox.clock().timestamp())]
    )


def test_a_first_pass_is_a_comparison_and_the_next_is_due_a_week_later(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    mailbox.sync()
    inbox, now = mailbox.folder("INBOX"), mailbox.clock()

    found = passes.last_comparison(mailbox.store, inbox.id)

    assert found is not None
    assert (found.messages, found.is_clean) == (1, True)
    assert not passes.is_comparison_due(mailbox.store, inbox.id, now=now + WEEK - timedelta(1))
    assert passes.is_comparison_due(mailbox.store, inbox.id, now=now + WEEK)


def test_a_comparison_fetches_what_passes_overlooked_and_notes_it(mailbox: Mailbox) -> None:
    settle(mailbox)
    conn = mailbox.store.archive.conn
    inbox = mailbox.folder("INBOX")
    conn.execute("delete from locations where folder_id = ? and uid = 2", [inbox.id])
    conn.execute("update locations set flags = '\\Seen' where folder_id = ?", [inbox.id])

    mailbox.sync()

    found = passes.last_comparison(mailbox.store, inbox.id)
    assert found is not None
    assert (found.messages, found.missed, found.vanished, found.changed) == (3, 1, 0, 2)
    assert mailbox.places("INBOX") == dict.fromkeys((1, 2, 3), ("", True))
    assert [name for name, _ in passes.findings(mailbox.store, mailbox.account.id)] == ["INBOX"]
    assert mailbox.adds_up()


def test_a_comparison_notes_what_vanished_and_what_is_there_after_all(mailbox: Mailbox) -> None:
    settle(mailbox)
    conn = mailbox.store.archive.conn
    inbox = mailbox.folder("INBOX")
    conn.execute("update locations set uid = 90 where folder_id = ? and uid = 1", [inbox.id])
    conn.execute("update locations set gone_since = 1 where folder_id = ? and uid = 3", [inbox.id])

    mailbox.sync()

    found = passes.last_comparison(mailbox.store, inbox.id)
    assert found is not None
    assert (found.missed, found.vanished) == (2, 1)
    there = {uid: is_there for uid, (_, is_there) in mailbox.places("INBOX").items()}
    assert there == {1: True, 2: True, 3: True, 90: False}


def test_a_clean_comparison_is_kept_and_costs_nothing_the_rest_of_the_week(
    mailbox: Mailbox,
) -> None:
    settle(mailbox)
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)

    mailbox.sync()

    sent = " ".join(mailbox.server.commands(mailbox.user))
    assert "SEARCH" not in sent
    assert "FETCH" not in sent
    found = passes.last_comparison(mailbox.store, mailbox.folder("INBOX").id)
    assert found is not None
    assert found.is_clean
    assert passes.findings(mailbox.store, mailbox.account.id) == []
    since = passes.compared_since(mailbox.store, mailbox.account.id)
    assert since == mailbox.clock().replace(microsecond=0)


def test_a_folder_that_is_skipped_later_counts_nothing_twice(mailbox: Mailbox) -> None:
    mailbox.append("Lager", raw_mail(1), raw_mail(2))
    mailbox.sync()
    mailbox.account = replace(mailbox.account, skip_folders=("Lager",))
    mailbox.sync()
    before = ledger_of(mailbox, "Lager")
    mailbox.append("Lager", raw_mail(3))

    mailbox.sync()

    after = ledger_of(mailbox, "Lager")
    assert (before.seen, before.stored, before.skipped) == (2, 2, 0)
    assert (after.seen, after.stored, after.skipped) == (3, 2, 1)
    assert before.adds_up
    assert after.adds_up


def ledger_of(mailbox: Mailbox, name: str) -> FolderLedger:
    (line,) = (x for x in folders.ledger(mailbox.store, mailbox.account.id) if x.name == name)
    return line
