"""How far a first sync is, what it says of speed and time, and the red circle meanwhile."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from app.model import Account, FolderId, UserId
from app.store import Store, accounts, circles, documents, first_syncs, folders, locations
from app.store.first_syncs import Counts, FirstSync
from app.store.folders import Listed
from tests import make
from tests.make import NOW


@dataclass
class Box:
    """Alice's mailbox with INBOX and Sent, neither of them read yet."""

    store: Store
    alice: UserId
    account: Account
    inbox: FolderId
    sent: FolderId

    def begin(self, *, inbox: int, sent: int, unseen: int = 0, seconds: float = 0) -> None:
        counts = {self.inbox: Counts(inbox, unseen), self.sent: Counts(sent, 0)}
        now = NOW + timedelta(seconds=seconds)
        first_syncs.begin(self.store, self.account.id, counts, now=now)

    def note(self, done: int, size_bytes: int, *, total: int = 1000, seconds: float) -> None:
        first_syncs.note(
            self.store,
            self.account.id,
            self.inbox,
            total=total,
            done=done,
            more_bytes=size_bytes,
            reached_at=NOW - timedelta(days=done),
            is_complete=done == total,
            now=NOW + timedelta(seconds=seconds),
        )

    @property
    def so_far(self) -> FirstSync:
        found = first_syncs.of_account(self.store, self.account.id)
        assert found
        return found


@pytest.fixture
def box(store: Store) -> Box:
    alice = make.user(store, "Alice")
    account = make.account(store, alice)
    listed = [Listed("INBOX", "", None), Listed("Sent", "\\Sent", None)]
    inbox, sent = folders.record_listing(store, account.id, listed, now=NOW)
    return Box(store, alice, account, inbox.id, sent.id)


def test_all_is_told_before_the_first_message(box: Box) -> None:
    box.begin(inbox=900, sent=100)

    so_far = box.so_far
    assert (so_far.total, so_far.done, so_far.total_bytes, so_far.time_left) == (1000, 0, 0, None)
    assert so_far.current is not None
    assert so_far.current.name == "INBOX"


def test_bytes_and_time_are_told_by_what_came_in_the_last_minute(box: Box) -> None:
    box.begin(inbox=1000, sent=1000)
    for second in range(121):
        box.note(second * 2, 0 if second == 0 else 1_000, seconds=second)

    so_far = box.so_far

    assert (so_far.done, so_far.done_bytes, so_far.total_bytes) == (240, 120_000, 1_000_000)
    assert so_far.messages_per_second == pytest.approx(2)
    assert so_far.bytes_per_second == pytest.approx(1_000)
    assert so_far.time_left == timedelta(seconds=880)
    assert so_far.folders[0].reached_at == NOW - timedelta(days=240)


def test_no_time_is_told_within_the_first_minute(box: Box) -> None:
    box.begin(inbox=1000, sent=0)
    for second in range(60):
        box.note(second, 1_000, seconds=second)

    assert box.so_far.time_left is None
    assert box.so_far.bytes_per_second == pytest.approx(1_000)


def test_few_samples_are_kept_however_often_it_is_noted(box: Box) -> None:
    box.begin(inbox=1000, sent=0)
    for second in range(300):
        box.note(second, 1, seconds=second)

    (recent,) = box.store.archive.conn.execute("select recent from first_syncs").fetchone()
    assert recent.count("[") < 18


def test_what_is_here_counts_when_it_goes_on(box: Box) -> None:
    make.deliver(box.store, box.account, make.mail("One"), make.mail("Two", message_id="<2@x>"))
    locations.record_failure(box.store, box.inbox, 1, 9, "It is torn.", now=NOW)

    box.begin(inbox=5, sent=3)

    so_far = box.so_far
    assert (so_far.done, so_far.total, so_far.unreadable) == (3, 8, 1)
    assert so_far.done_bytes == len(make.mail("One")) + len(make.mail("Two", message_id="<2@x>"))


def test_the_speed_is_measured_anew_after_a_break(box: Box) -> None:
    box.begin(inbox=1000, sent=0)
    box.note(10, 1_000, seconds=0)
    box.note(20, 1_000, seconds=30)

    box.begin(inbox=1000, sent=0, seconds=60)
    goes_on = box.so_far
    box.begin(inbox=1000, sent=0, seconds=600)

    assert goes_on.began_at == NOW
    assert goes_on.bytes_per_second > 0
    assert box.so_far.began_at == NOW + timedelta(seconds=600)
    assert box.so_far.bytes_per_second == 0


def test_what_waits_for_the_index_cannot_be_searched_yet(box: Box) -> None:
    make.deliver(box.store, box.account, make.mail("One"), make.mail("Two", message_id="<2@x>"))
    box.begin(inbox=5, sent=0)
    before = box.so_far.searchable

    documents.done(box.store, documents.queued(box.store, limit=1))

    assert (before, box.so_far.searchable, box.so_far.done) == (0, 1, 2)


def test_a_sync_that_ended_is_not_open(box: Box) -> None:
    box.begin(inbox=1, sent=0)
    was_open = first_syncs.is_open(box.store, box.account.id)

    first_syncs.finish(box.store, box.account.id, now=NOW)

    assert was_open
    assert not first_syncs.is_open(box.store, box.account.id)
    assert box.so_far.finished_at == NOW


def test_red_counts_what_is_not_here_yet_and_says_that_it_is_rough(box: Box) -> None:
    """R33, A11; blue counts what is here (R34)."""
    old = NOW - timedelta(days=400)
    make.deliver(box.store, box.account, make.mail("One"), received_at=old)
    box.begin(inbox=900, sent=100, unseen=41)
    viewer = make.viewer(box.store, box.alice)

    during = circles.circles(box.store, viewer, now=NOW)
    first_syncs.finish(box.store, box.account.id, now=NOW)
    after = circles.circles(box.store, viewer, now=NOW)

    assert (during.unread, during.is_rough, during.new) == (41, True, 0)
    assert (during.is_stale, after.is_stale) == (False, True)
    assert (after.unread, after.is_rough, after.new) == (1, False, 0)


def test_a_closed_mailbox_makes_no_circle_rough(box: Box) -> None:
    box.begin(inbox=900, sent=100, unseen=41)
    accounts.close(box.store, box.account.id, now=NOW)

    found = circles.circles(box.store, make.viewer(box.store, box.alice), now=NOW)

    assert (found.unread, found.is_rough) == (0, False)
