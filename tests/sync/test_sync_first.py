"""The first sync of a mailbox: what there is, then newest first, in the order people need it."""

import re

import pytest

from app.model import FolderId
from app.store import first_syncs
from app.store.first_syncs import FirstSync
from app.sync import fetching
from tests.heard import verb
from tests.sync.conftest import Mailbox, raw_mail

pytestmark = pytest.mark.dovecot


@pytest.fixture
def full(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Five mails in INBOX, two sent, three in an old folder, one in Trash; two to a batch."""
    monkeypatch.setattr(fetching, "UIDS_PER_COMMAND", 2)
    mailbox.append("Archiv", *[raw_mail(number) for number in range(30, 33)])
    mailbox.append("Wysłane", *[raw_mail(number) for number in range(20, 22)])
    mailbox.append("INBOX", *[raw_mail(number) for number in range(5)])
    mailbox.append("Trash", raw_mail(40))
    return mailbox


def so_far(mailbox: Mailbox) -> FirstSync:
    found = first_syncs.of_account(mailbox.store, mailbox.account.id)
    assert found
    return found


def lines(found: FirstSync) -> list[tuple[str, int, int, bool]]:
    return [(one.name, one.done, one.total, one.is_complete) for one in found.folders if one.total]


def test_all_is_counted_before_the_first_message_is_fetched(full: Mailbox) -> None:
    full.sync()

    commands = full.server.commands(full.user)
    first_fetch = next(i for i, c in enumerate(commands) if verb(c) == "UID FETCH")
    before = " ".join(commands[:first_fetch])
    assert before.count("STATUS") >= 4 or re.search(r"LIST .*RETURN \(.*STATUS", before)


def test_a_stop_leaves_what_is_done_and_the_next_check_goes_on(full: Mailbox) -> None:
    total: list[int] = []

    def after_one_batch() -> bool:
        total.append(so_far(full).total)
        return len(full.copies()) >= 2

    full.sync(stop=after_one_batch)
    stopped = so_far(full)
    stored = sorted(full.copies())
    full.sync()

    assert total[0] == 10
    assert stored == [raw_mail(3), raw_mail(4)]
    assert stopped.finished_at is None
    assert (stopped.total, stopped.current and stopped.current.name) == (10, "INBOX")
    end = so_far(full)
    assert lines(end) == [
        ("INBOX", 5, 5, True),
        ("Wysłane", 2, 2, True),
        ("Archiv", 3, 3, True),
    ]
    assert end.done_bytes == sum(map(len, full.copies()))
    assert end.finished_at is not None


def test_mail_that_arrives_meanwhile_goes_before_the_old(full: Mailbox) -> None:
    full.sync(stop=lambda: len(full.copies()) >= 2)
    full.append("INBOX", raw_mail(9))

    full.sync(stop=lambda: len(full.copies()) >= 4)

    assert sorted(full.copies()) == sorted(raw_mail(number) for number in (2, 3, 4, 9))


def test_a_stop_notes_how_far_it_came(full: Mailbox) -> None:
    full.sync(stop=lambda: len(full.copies()) >= 4)

    assert lines(so_far(full))[0] == ("INBOX", 4, 5, False)
    assert so_far(full).folders[0].reached_at is not None


def test_what_cannot_be_read_counts_as_done_and_is_said(full: Mailbox) -> None:
    full.server.falsify_size(full.user, "INBOX", number=1)

    full.sync()

    assert so_far(full).done == so_far(full).total == 10
    assert so_far(full).finished_at is not None


def test_later_checks_count_nothing_anew(full: Mailbox) -> None:
    full.sync()
    before = so_far(full)
    full.append("INBOX", raw_mail(9))

    full.sync()

    after = so_far(full)
    assert (after.folders, after.updated_at) == (before.folders, before.updated_at)


def test_a_folder_that_fails_keeps_no_first_sync_open(full: Mailbox) -> None:
    root = full.server.directory / "mail" / full.user / "Maildir" / ".Archiv"
    root.chmod(0)

    full.sync()
    root.chmod(0o700)

    assert so_far(full).finished_at is not None
    assert FolderId(full.folder("Archiv").id) not in [
        one.folder_id for one in so_far(full).folders if one.is_complete
    ]
