"""The journey of a message from a real Dovecot into the store, and what may happen on the way."""

from datetime import timedelta

import pytest

from app.purge import purge_message
from app.store import folders, locations
from app.sync import Progress
from tests import make
from tests.heard import is_reading, verb
from tests.sync.conftest import Mailbox, raw_mail

pytestmark = pytest.mark.dovecot


def test_a_first_check_stores_every_message_byte_exact(mailbox: Mailbox) -> None:
    inbox = [raw_mail(number) for number in range(3)]
    mailbox.append("INBOX", *inbox)
    mailbox.append("Wysłane", raw_mail(10))
    mailbox.append("Projekte/Żółw & Co", raw_mail(11))

    checked = mailbox.sync()

    assert sorted(mailbox.copies()) == sorted([*inbox, raw_mail(10), raw_mail(11)])
    assert (checked.unread, checked.new, checked.failed_folders) == (5, 5, 0)
    assert mailbox.adds_up()


def test_inbox_comes_first_then_sent_and_the_newest_message_first(mailbox: Mailbox) -> None:
    mailbox.append("Archiv", raw_mail(5))
    mailbox.append("Wysłane", raw_mail(4))
    mailbox.append("INBOX", raw_mail(1), raw_mail(2), raw_mail(3))

    mailbox.sync()

    assert mailbox.copies() == [raw_mail(number) for number in (3, 2, 1, 4, 5)]


def test_a_check_without_news_asks_for_status_only(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)

    checked = mailbox.sync()

    verbs = {verb(command) for command in mailbox.server.commands(mailbox.user)}
    assert verbs <= {"CAPABILITY", "LIST", "STATUS", "LOGOUT"}
    assert (checked.unread, checked.new) == (1, 0)


def test_only_new_mail_is_fetched_on_the_next_check(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)
    mailbox.append("INBOX", raw_mail(3))

    checked = mailbox.sync()

    bodies = [c for c in mailbox.server.commands(mailbox.user) if "BODY" in c]
    assert [c.split(" ", 3)[3] for c in bodies] == ["3 (BODY.PEEK[])"]
    assert checked.new == 1
    assert len(mailbox.copies()) == 3


def test_the_server_is_only_ever_read(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2), raw_mail(3, "x" * 5_000_000))
    mailbox.sync()
    mailbox.server.set_flags(mailbox.user, "INBOX", 1, "\\Flagged")
    mailbox.server.expunge(mailbox.user, "INBOX", 2)
    mailbox.sync()

    commands = mailbox.server.commands(mailbox.user) + mailbox.server.login_commands()

    assert [command for command in commands if not is_reading(command)] == []


def test_flags_on_the_server_stay_as_they_were(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    mailbox.append("INBOX", raw_mail(3), flags=["\\Seen", "\\Flagged"])
    mailbox.append("INBOX", raw_mail(4, "x" * 5_000_000))
    with mailbox.server.admin(mailbox.user, "INBOX"):
        before = mailbox.server.file_names(mailbox.user)

    mailbox.sync()

    assert mailbox.server.file_names(mailbox.user) == before
    assert mailbox.places("INBOX")[3] == ("\\Flagged \\Seen", True)


def test_skipped_folders_are_counted_but_not_imported(mailbox: Mailbox) -> None:
    mailbox.append("Trash", raw_mail(1))
    mailbox.append("Trash/Alt", raw_mail(2))
    mailbox.append("Gelöschte Elemente", raw_mail(3))
    mailbox.append("INBOX", raw_mail(4))

    checked = mailbox.sync()

    assert mailbox.copies() == [raw_mail(4)]
    assert checked.unread == 1
    skipped = {
        line.name: line.skipped for line in folders.ledger(mailbox.store, mailbox.account.id)
    }
    assert (skipped["Trash"], skipped["Trash/Alt"], skipped["Gelöschte Elemente"]) == (1, 1, 1)
    assert mailbox.adds_up()


def test_an_expunged_message_is_gone_from_the_server_and_kept_here(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    mailbox.sync()
    mailbox.server.expunge(mailbox.user, "INBOX", 1)

    mailbox.sync()

    assert mailbox.places("INBOX") == {1: ("", False), 2: ("", True)}
    assert len(mailbox.copies()) == 2
    assert mailbox.adds_up()


def test_a_moved_message_is_one_copy_in_two_places_one_of_them_gone(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    mailbox.append("Archiv")
    mailbox.sync()
    mailbox.server.move(mailbox.user, "INBOX", 1, "Archiv")

    mailbox.sync()

    assert mailbox.copies() == [raw_mail(1)]
    assert mailbox.places("INBOX") == {1: ("", False)}
    assert mailbox.places("Archiv") == {1: ("", True)}
    assert mailbox.adds_up()


def test_new_uidvalidity_keeps_every_message_and_doubles_none(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    mailbox.sync()
    mailbox.server.change_uidvalidity(mailbox.user, "INBOX")

    mailbox.sync()

    assert sorted(mailbox.copies()) == [raw_mail(1), raw_mail(2)]
    uidvalidity = mailbox.folder("INBOX").uidvalidity
    assert uidvalidity is not None
    live = locations.flags_by_uid(mailbox.store, mailbox.folder("INBOX").id, uidvalidity)
    assert set(live) == {1, 2}
    assert mailbox.adds_up()


def test_a_folder_deleted_and_made_again_keeps_what_it_held(mailbox: Mailbox) -> None:
    mailbox.append("Archiv", raw_mail(1))
    mailbox.sync()
    mailbox.server.delete(mailbox.user, "Archiv")
    mailbox.sync()
    mailbox.append("Archiv", raw_mail(2))

    mailbox.sync()

    assert sorted(mailbox.copies()) == [raw_mail(1), raw_mail(2)]
    assert mailbox.adds_up()


def test_a_renamed_folder_costs_no_second_copy(mailbox: Mailbox) -> None:
    mailbox.append("Archiv", raw_mail(1))
    mailbox.sync()
    mailbox.server.rename(mailbox.user, "Archiv", "Stare")

    mailbox.sync()

    assert mailbox.copies() == [raw_mail(1)]
    assert mailbox.folder("Archiv").gone_since is not None
    assert mailbox.places("Archiv") == {1: ("", False)}
    assert mailbox.places("Stare") == {1: ("", True)}
    assert mailbox.adds_up()


def test_a_folder_that_comes_back_is_there_again_with_its_flags(mailbox: Mailbox) -> None:
    mailbox.append("Archiv", raw_mail(1))
    mailbox.sync()
    mailbox.server.rename(mailbox.user, "Archiv", "Trash/Archiv")
    mailbox.sync()
    mailbox.server.set_flags(mailbox.user, "Trash/Archiv", 1, "\\Seen")
    mailbox.server.rename(mailbox.user, "Trash/Archiv", "Archiv")

    mailbox.sync()

    assert mailbox.places("Archiv") == {1: ("\\Seen", True)}
    assert mailbox.copies() == [raw_mail(1)]
    assert mailbox.adds_up()


def test_changed_flags_are_noted_without_fetching_the_message(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)
    mailbox.server.set_flags(mailbox.user, "INBOX", 2, "\\Seen")

    checked = mailbox.sync()

    assert mailbox.places("INBOX") == {1: ("", True), 2: ("\\Seen", True)}
    assert checked.unread == 1
    fetches = [c for c in mailbox.server.commands(mailbox.user) if verb(c) == "UID FETCH"]
    assert len(fetches) == 1
    assert "CHANGEDSINCE" in fetches[0]


def test_an_unchanged_folder_is_looked_through_once_a_day(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)
    mailbox.clock.advance(hours=25)

    mailbox.sync()

    examined = [c for c in mailbox.server.commands(mailbox.user) if verb(c) == "EXAMINE"]
    assert 'EXAMINE "INBOX"' in examined[0]


def test_old_mail_moved_in_does_not_count_as_new(mailbox: Mailbox) -> None:
    mailbox.sync()
    old = mailbox.clock() - timedelta(days=400)
    mailbox.append("INBOX", raw_mail(1), received_at=old)
    mailbox.append("INBOX", raw_mail(2))

    checked = mailbox.sync()

    assert checked.new == 1
    assert len(mailbox.copies()) == 2


def test_a_large_message_comes_in_pieces_and_is_kept_whole(mailbox: Mailbox) -> None:
    large = raw_mail(1, "0123456789abcdef" * 327_680)  # 5 MiB and a header
    mailbox.append("INBOX", large, raw_mail(2))

    mailbox.sync()

    assert sorted(mailbox.copies()) == sorted([large, raw_mail(2)])
    pieces = [c for c in mailbox.server.commands(mailbox.user) if "BODY.PEEK[]<" in c]
    assert len(pieces) == 6


def test_a_stop_between_batches_ends_early_and_the_next_check_finishes(mailbox: Mailbox) -> None:
    big = [raw_mail(number, f"{number}" * 4_500_000) for number in range(3)]  # a batch each
    mailbox.append("INBOX", *big)

    stopped = mailbox.sync(stop=lambda: len(mailbox.copies()) == 1)
    after_stop = len(mailbox.copies())
    mailbox.sync()

    assert stopped.is_stopped
    assert after_stop == 1
    assert sorted(mailbox.copies()) == sorted(big)


def test_progress_is_told_after_each_batch(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    told: list[Progress] = []

    mailbox.sync(progress=told.append)

    assert told == [Progress(mailbox.account.id, "INBOX", done=2, total=2)]


def test_a_folder_that_fails_holds_up_no_other(mailbox: Mailbox) -> None:
    mailbox.append("Broken", raw_mail(1))
    mailbox.append("Zdrowy", raw_mail(2))
    root = mailbox.server.directory / "mail" / mailbox.user / "Maildir" / ".Broken"
    root.chmod(0)

    checked = mailbox.sync()
    error = mailbox.folder("Broken").error
    root.chmod(0o700)
    mailbox.sync()

    assert checked.failed_folders == 1
    assert error is not None
    assert sorted(mailbox.copies()) == [raw_mail(1), raw_mail(2)]
    assert mailbox.folder("Broken").error is None


def test_a_message_over_which_the_server_hangs_up_holds_up_no_other(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2), raw_mail(3))
    mailbox.server.falsify_size(mailbox.user, "INBOX", number=1)

    mailbox.sync()

    assert {raw_mail(1), raw_mail(3)} <= set(mailbox.copies())
    assert mailbox.adds_up()


def test_a_removed_message_that_the_server_still_lists_is_not_fetched_again(
    mailbox: Mailbox,
) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2))
    mailbox.sync()
    admin = make.viewer(mailbox.store, make.user(mailbox.store, "Dora", is_admin=True))
    first = make.public_id(mailbox.store, make.message_ids(mailbox.store)[0])
    purge_message(mailbox.store, admin, first, reason="Court", now=mailbox.clock())
    mailbox.server.forget_commands(mailbox.user)
    mailbox.append("INBOX", raw_mail(3))

    mailbox.sync()

    assert mailbox.copies() == [raw_mail(1), raw_mail(3)]
    bodies = [c for c in mailbox.server.commands(mailbox.user) if "BODY" in c]
    assert [c.split(" ", 3)[3] for c in bodies] == ["3 (BODY.PEEK[])"]
    (line,) = (
        one for one in folders.ledger(mailbox.store, mailbox.account.id) if one.name == "INBOX"
    )
    assert (line.seen, line.stored, line.skipped, line.purged) == (3, 2, 1, 1)
    assert mailbox.adds_up()


def test_a_removed_message_stays_away_under_a_new_uid_and_in_another_folder(
    mailbox: Mailbox,
) -> None:
    mailbox.append("INBOX", raw_mail(1))
    mailbox.sync()
    admin = make.viewer(mailbox.store, make.user(mailbox.store, "Dora", is_admin=True))
    first = make.public_id(mailbox.store, make.message_ids(mailbox.store)[0])
    purge_message(mailbox.store, admin, first, reason="Court", now=mailbox.clock())
    mailbox.append("INBOX", b"Received: again\r\n" + raw_mail(1))
    mailbox.append("Archiv", raw_mail(1))

    mailbox.sync()
    mailbox.server.expunge(mailbox.user, "INBOX", 1)
    mailbox.sync()

    assert mailbox.copies() == []
    ledger = {one.name: one for one in folders.ledger(mailbox.store, mailbox.account.id)}
    assert (ledger["INBOX"].seen, ledger["INBOX"].skipped) == (1, 1)
    assert (ledger["Archiv"].seen, ledger["Archiv"].skipped) == (1, 1)
    assert mailbox.adds_up()
    mailbox.server.change_uidvalidity(mailbox.user, "INBOX")
    mailbox.sync()
    assert mailbox.copies() == []
    assert mailbox.adds_up()
