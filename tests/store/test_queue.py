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


def test_a_person_whose_mailbox_had_it_later_sees_it_longer(store: Store, alice, box) -> None:
    """R53: each by the clock of his own mailbox, to the second."""
    bob = make.user(store, "Bob")
    other = make.account(store, bob, address="bob@firma.pl")
    make.deliver(store, box, make.mail())
    make.deliver(store, other, make.mail(), now=NOW + 10 * DAY)
    (message,) = make.message_ids(store)
    filing.file_message(store, make.viewer(store, alice), message, make.record(store), now=NOW)
    second = timedelta(seconds=1)

    def has(user, at) -> bool:
        return bool(show(store, user, now=at).rows)

    assert [has(alice, NOW + 30 * DAY - second), has(alice, NOW + 30 * DAY)] == [True, False]
    assert [has(bob, NOW + 40 * DAY - second), has(bob, NOW + 40 * DAY)] == [True, False]


def test_the_thirty_days_begin_with_the_first_place_even_if_it_is_gone(
    store: Store, alice, box
) -> None:
    """R53: moved to another folder it is not downloaded anew."""
    make.deliver(store, box, make.mail())
    (folder,) = of_account(store, box.id)
    locations.mark_gone(store, folder.id, 1, [1], now=NOW + DAY)
    make.deliver(store, box, make.mail(), folder="Done", now=NOW + 20 * DAY)
    (message,) = make.message_ids(store)
    filing.file_message(store, make.viewer(store, alice), message, make.record(store), now=NOW)

    last = show(store, alice, now=NOW + 30 * DAY - timedelta(seconds=1))
    gone = show(store, alice, now=NOW + 30 * DAY)

    assert (len(last.rows), len(gone.rows)) == (1, 0)


def test_an_unarchived_message_stays_whatever_its_age(store: Store, alice, box) -> None:
    """R54, A3: it leaves neither the queue nor, received since then, its default view."""
    make.deliver(store, box, make.mail())

    years_later = NOW + 3000 * DAY

    assert subjects(show(store, alice, now=years_later).rows) == ["Beton"]
    assert subjects(show(store, alice, show="all", now=years_later).rows) == ["Beton"]


def test_the_toggle_hides_what_is_archived_of_either_view(store: Store, alice, box) -> None:
    """A1: rows (a) and (b), or (a) only."""
    old = make.mail("Old", message_id="<o@x>", date="Mon, 01 Jan 2018 08:00:00 +0000")
    make.deliver(store, box, old, received_at=NOW - 2000 * DAY)
    make.deliver(store, box, *mails(2), first_uid=2)
    viewer = make.viewer(store, alice)
    archived = make.message_ids(store)[1]
    filing.file_message(store, viewer, archived, make.record(store), now=NOW)

    found = {
        one: subjects(show(store, alice, show=one).rows)
        for one in ("waiting", "open", "all", "all-open")
    }

    assert found == {
        "waiting": ["Mail 1", "Mail 0"],
        "open": ["Mail 1"],
        "all": ["Mail 1", "Mail 0", "Old"],
        "all-open": ["Mail 1", "Old"],
    }


def test_an_archived_old_message_is_in_the_default_view(store: Store, alice, box) -> None:
    """A2: every row of kind A1(b), however old the mail is."""
    old = make.mail("Old", message_id="<o@x>", date="Mon, 01 Jan 2018 08:00:00 +0000")
    make.deliver(store, box, old, received_at=NOW - 2000 * DAY)
    (message,) = make.message_ids(store)

    filing.file_message(store, make.viewer(store, alice), message, make.record(store), now=NOW)

    assert subjects(show(store, alice).rows) == ["Old"]
    assert queue.older_count(store, make.viewer(store, alice), now=NOW) == 0


def test_an_undone_archiving_brings_back_even_an_old_message(store: Store, alice, box) -> None:
    """R70, R54."""
    make.deliver(store, box, make.mail())
    (message,) = make.message_ids(store)
    viewer, record = make.viewer(store, alice), make.record(store)
    filing.file_message(store, viewer, message, record, now=NOW + 40 * DAY)
    before = show(store, alice, now=NOW + 40 * DAY).rows

    filing.unfile(store, viewer, message, record, now=NOW + 41 * DAY)

    assert before == ()
    assert subjects(show(store, alice, now=NOW + 41 * DAY).rows) == ["Beton"]


def test_older_mail_is_counted_as_the_default_view_leaves_it_out(store: Store, alice, box) -> None:
    """A2, R37: once, by mailbox, and not what another mailbox received lately."""
    boss = make.account(store, alice, address="boss@firma.pl")
    ages = {"received_at": NOW - 2000 * DAY}
    make.deliver(store, box, *mails(3), **ages)
    make.deliver(store, boss, *mails(2), **ages)
    make.deliver(store, boss, mails(3)[2], first_uid=9)
    viewer = make.viewer(store, alice)

    def older(**given) -> int:
        return queue.older_count(store, viewer, now=NOW, **given)

    assert len(show(store, alice).rows) == 1
    assert (older(), older(account=box.id), older(account=boss.id)) == (2, 3, 2)


def test_others_see_nothing_of_a_queue_administrators_included(store: Store, alice, box) -> None:
    """R36, A4."""
    make.deliver(store, box, make.mail())
    admin = make.user(store, "Dora", is_admin=True)

    found = [show(store, admin, show=one).rows for one in ("waiting", "all", "aside")]

    assert found == [(), (), ()]


def test_what_moved_to_the_trash_leaves_the_queue_and_comes_back(store: Store, alice, box) -> None:
    """A17: every copy in skipped folders or gone; while one is elsewhere, it stays."""
    make.deliver(store, box, *mails(2))
    make.deliver(store, box, mails(1)[0], folder="Work", first_uid=1)
    inbox = next(one for one in of_account(store, box.id) if one.name == "INBOX")

    locations.mark_gone(store, inbox.id, 1, [1, 2], now=NOW)
    moved = subjects(show(store, alice).rows)
    locations.revive(store, inbox.id, 1, [2])

    assert moved == ["Mail 0"]
    assert subjects(show(store, alice).rows) == ["Mail 1", "Mail 0"]


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
