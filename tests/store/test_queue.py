"""The queue (A1, A2, A17, R37, R53) and the two circles (R33, R34)."""

from datetime import timedelta

import pytest

from app import filing
from app.model import Row
from app.store import Store, accounts, circles, locations, queue
from app.store.folders import of_account
from tests import make
from tests.make import NOW

DAY = timedelta(days=1)


def subjects(rows: tuple[Row, ...]) -> list[str]:
    return [row.message.subject for row in rows]


@pytest.fixture
def alice(store: Store):
    return make.user(store, "Alice")


@pytest.fixture
def box(store: Store, alice):
    return make.account(store, alice)


def mails(count: int) -> list[bytes]:
    return [
        make.mail(f"Mail {n}", message_id=f"<{n}@x>", date=f"Fri, 14 Mar 2025 08:00:{n:02} +0000")
        for n in range(count)
    ]


def show(store: Store, alice, **options):
    return queue.rows(store, make.viewer(store, alice), **({"now": NOW} | options))


def test_a_message_in_two_mailboxes_is_one_row_that_names_both(store: Store, alice, box) -> None:
    """R37."""
    boss = make.account(store, alice, address="boss@firma.pl")
    make.deliver(store, box, make.mail())
    make.deliver(store, boss, make.mail())

    (row,) = show(store, alice).rows

    assert row.accounts == ("boss@firma.pl", "office@firma.pl")


def test_pages_follow_each_other_without_gap_or_overlap(store: Store, alice, box) -> None:
    make.deliver(store, box, *mails(7))

    first = show(store, alice, limit=3)
    second = show(store, alice, limit=3, before=first.older)
    third = show(store, alice, limit=3, before=second.older)
    back = show(store, alice, limit=3, after=second.newer)

    assert subjects(first.rows + second.rows + third.rows) == [
        f"Mail {n}" for n in range(6, -1, -1)
    ]
    assert subjects(back.rows) == subjects(first.rows)
    assert (first.newer, third.older) == ("", "")


def test_an_archived_message_stays_thirty_days_after_its_download(store: Store, alice, box) -> None:
    """R53: to the second, counted from the download and not from the archiving."""
    make.deliver(store, box, make.mail())
    (message,) = make.message_ids(store)
    record = make.record(store)
    filing.file_message(store, make.viewer(store, alice), message, record, now=NOW + 29 * DAY)

    last = show(store, alice, now=NOW + 30 * DAY - timedelta(seconds=1))
    gone = show(store, alice, now=NOW + 30 * DAY)

    assert [row.attached_to[0].name for row in last.rows] == ["Spostex S.A."]
    assert gone.rows == ()


def test_old_mail_of_a_first_import_waits_behind_one_click(store: Store, alice, box) -> None:
    """A2."""
    old = make.mail("Old", message_id="<o@x>", date="Mon, 01 Jan 2018 08:00:00 +0000")
    make.deliver(store, box, old, received_at=NOW - 2000 * DAY)
    make.deliver(store, box, make.mail("New"), first_uid=2)
    viewer = make.viewer(store, alice)

    assert subjects(show(store, alice).rows) == ["New"]
    assert queue.older_count(store, viewer, now=NOW) == 1
    assert subjects(show(store, alice, show="all").rows) == ["New", "Old"]


def test_a_message_that_the_server_lost_leaves_the_queue_unless_archived(
    store: Store, alice, box
) -> None:
    """A17, R4."""
    make.deliver(store, box, *mails(2))
    kept, _ = make.message_ids(store)
    viewer = make.viewer(store, alice)
    filing.file_message(store, viewer, kept, make.record(store), now=NOW)
    (folder,) = of_account(store, box.id)

    locations.mark_gone(store, folder.id, 1, [1, 2], now=NOW)

    assert subjects(show(store, alice).rows) == ["Mail 0"]


def test_removing_a_person_from_the_list_takes_the_queue_at_once(store: Store, alice, box) -> None:
    """R27."""
    make.deliver(store, box, make.mail())

    store.archive.conn.execute("delete from account_users")

    assert show(store, alice).rows == ()


def test_red_counts_unread_messages_once_and_archiving_changes_nothing(
    store: Store, alice, box
) -> None:
    """R33."""
    make.deliver(store, box, *mails(2))
    make.deliver(store, box, mails(1)[0], folder="Sent")
    make.deliver(store, box, make.mail("Read", message_id="<r@x>"), first_uid=9, flags=("\\Seen",))
    viewer = make.viewer(store, alice)
    first = make.message_ids(store)[0]

    filing.file_message(store, viewer, first, make.record(store), now=NOW)

    assert circles.circles(store, viewer, now=NOW).unread == 2


def test_blue_counts_five_minutes_by_the_servers_clock_and_falls_back(
    store: Store, alice, box
) -> None:
    """R34, A12."""
    minute = timedelta(minutes=1)
    fresh, stale = mails(2)
    make.deliver(store, box, fresh, received_at=NOW - 4 * minute)
    make.deliver(store, box, stale, received_at=NOW - 5 * minute, first_uid=2)
    viewer = make.viewer(store, alice)

    assert circles.circles(store, viewer, now=NOW).new == 1
    assert circles.circles(store, viewer, now=NOW + minute).new == 0


def test_the_circles_say_when_they_are_out_of_date(store: Store, alice, box) -> None:
    """R35."""
    accounts.record_check(store, box.id, unread=0, new=0, error=None, now=NOW)
    accounts.record_check(store, box.id, unread=None, new=None, error="down", now=NOW + DAY)
    viewer = make.viewer(store, alice)

    now, later = (circles.circles(store, viewer, now=NOW + delay) for delay in (DAY * 0, DAY))

    assert (now.is_stale, later.is_stale) == (False, True)
    assert later.checked_at == NOW


def test_a_hidden_cursor_is_no_place_just_like_a_missing_one(store: Store, alice, box) -> None:
    make.deliver(store, box, *mails(3))
    charlie = make.user(store, "Charlie")
    own = make.account(store, charlie, address="charlie@firma.pl")
    make.deliver(store, own, make.mail("His", message_id="<h@x>"))
    hidden = make.public_id(store, make.message_ids(store)[3])

    by_hidden = show(store, alice, before=hidden)
    by_missing = show(store, alice, before="aaaaaaaaaaaaa")

    assert by_hidden == by_missing == show(store, alice)


def pulse_of(store: Store, user) -> str:
    return circles.pulse(store, make.viewer(store, user)).version


def test_the_version_changes_with_whatever_the_circles_or_the_queue_show(
    store: Store, alice, box
) -> None:
    viewer = make.viewer(store, alice)
    versions = [pulse_of(store, alice)]

    make.deliver(store, box, *mails(2))
    versions.append(pulse_of(store, alice))
    (folder,) = of_account(store, box.id)
    locations.set_flags(store, folder.id, 1, {1: ("\\Seen",)})
    versions.append(pulse_of(store, alice))
    locations.mark_gone(store, folder.id, 1, [2], now=NOW)
    versions.append(pulse_of(store, alice))
    one = make.message_ids(store)[0]
    filing.set_aside(store, viewer, one, now=NOW)
    versions.append(pulse_of(store, alice))
    filing.file_message(store, viewer, one, make.record(store), now=NOW)
    versions.append(pulse_of(store, alice))

    assert len(set(versions)) == len(versions)


def test_the_version_stays_while_nothing_of_ones_own_changes(store: Store, alice, box) -> None:
    charlie = make.user(store, "Charlie")
    other = make.account(store, charlie, address="charlie@firma.pl")
    make.deliver(store, box, *mails(1))
    before = pulse_of(store, alice)

    make.deliver(store, other, *mails(2), first_uid=2)
    make.deliver(store, box, *mails(1))
    accounts.record_check(store, box.id, unread=0, new=0, error=None, now=NOW)

    assert pulse_of(store, alice) == before


def test_how_many_are_above_a_row(store: Store, alice, box) -> None:
    make.deliver(store, box, *mails(3), received_at=NOW)
    viewer = make.viewer(store, alice)
    first, *_, last = (row.message.public_id for row in queue.rows(store, viewer, now=NOW).rows)

    def above(newest: str) -> int:
        return queue.count_above(store, viewer, newest, show="waiting", limit=50, now=NOW)

    assert (above(first), above(last), above("none")) == (0, 2, 3)
