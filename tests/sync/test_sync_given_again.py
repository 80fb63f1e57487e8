"""A server that was restored from its backup gives UIDs again, to other mail: none stays hidden."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.purge import purge_message
from app.store import Store, folders
from app.sync import given_again, sync_account
from tests import make
from tests.sync.conftest import Bench as ScriptedBench
from tests.sync.conftest import copies, raw_mail
from tests.sync.extended import Held, HeldFolder
from tests.sync.test_sync_counts import Bench

PLAIN, CONDSTORE = "IMAP4rev1", "IMAP4rev1 CONDSTORE"


@contextmanager
def reading(store: Store, *numbers: int, capabilities: str = PLAIN) -> Iterator[Bench]:
    """A bench on which these mails were read, under the UIDs 1, 2 and so on."""
    with ExitStack() as stack:
        inbox = HeldFolder({uid: held(number) for uid, number in enumerate(numbers, 1)})
        bench = Bench(store, stack, folders={"INBOX": inbox}, capabilities=capabilities)
        bench.sync()
        yield bench


def held(number: int, *, internal_date: str = "03-Mar-2025 10:00:00 +0100") -> Held:
    return Held(raw_mail(number), internal_date=internal_date)


def change(bench: Bench, **messages: Held | None) -> None:
    """Have messages of INBOX replaced, u3=None is one taken away; a minute goes by."""
    inbox = bench.server.folders["INBOX"]
    given = {int(uid[1:]): one for uid, one in messages.items()}
    kept = {uid: one for uid, one in inbox.messages.items() if uid not in given}
    inbox.messages = kept | {uid: one for uid, one in given.items() if one is not None}
    inbox.modseq += 1
    bench.clock.advance(minutes=1)


def fetched(bench: Bench) -> list[str]:
    return [command for command in bench.server.heard if "BODY.PEEK[]" in command]


def sizes_asked(bench: Bench) -> list[str]:
    """The UIDs whose sizes were asked for, command by command."""
    return [one.split()[2] for one in bench.server.heard if "RFC822.SIZE" in one]


def live_messages(store: Store) -> int:
    (count,) = store.archive.conn.execute("select sum(is_live) from holdings").fetchone()
    return int(count)


def of_mails(*numbers: int) -> list[bytes]:
    return sorted(raw_mail(number) for number in numbers)


@pytest.mark.parametrize("unknown", ["nothing", "HEADER.FIELDS"])
@pytest.mark.parametrize("capabilities", [PLAIN, CONDSTORE])
def test_a_uid_that_was_gone_and_stands_for_other_mail_is_fetched(
    store: Store, capabilities: str, unknown: str
) -> None:
    with reading(store, 1, 2, 3, capabilities=capabilities) as bench:
        bench.server.unknown = unknown
        change(bench, u3=None)
        bench.sync()
        change(bench, u3=held(33))

        bench.sync()

        assert sorted(copies(store)) == of_mails(1, 2, 3, 33)
        assert bench.flags("INBOX").keys() == {1, 2, 3}
        assert [line.seen for line in folders.ledger(store, bench.account.id)] == [4]
        assert bench.adds_up()


def test_other_mail_below_a_uidnext_that_fell_is_fetched(store: Store) -> None:
    with reading(store, 1, 2, 3, 4) as bench:
        change(bench, u2=held(22), u3=held(33), u4=None)

        bench.sync()

        assert sorted(copies(store)) == of_mails(1, 2, 3, 4, 22, 33)
        assert live_messages(store) == 3
        assert bench.flags("INBOX").keys() == {1, 2, 3}
        assert bench.adds_up()


def test_a_uidnext_that_fell_by_itself_has_only_the_newest_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_again, "UIDS_PER_COMMAND", 1)
    with reading(store, 1, 2, 3, 4) as bench:
        change(bench, u4=None)

        bench.sync()

        assert sizes_asked(bench) == ["3"]
        assert fetched(bench) == []


def test_the_weekly_comparison_finds_other_mail_of_which_there_was_no_sign(store: Store) -> None:
    with reading(store, 1, 2, 3) as bench:
        change(bench, u2=held(22))
        bench.sync()
        before = copies(store)
        bench.clock.advance(days=8)

        bench.sync()

        assert sorted(before) == of_mails(1, 2, 3)
        assert sorted(copies(store)) == of_mails(1, 2, 3, 22)
        assert bench.flags("INBOX").keys() == {1, 2, 3}
        assert bench.adds_up()


def test_a_comparison_that_is_stopped_is_made_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_again, "UIDS_PER_COMMAND", 1)
    with reading(store, 1, 2, 3) as bench:
        change(bench, u1=held(11))
        bench.sync()
        bench.clock.advance(days=8)
        bench.server.heard.clear()

        sync_account(
            store, bench.account, "secret", now=bench.clock, stop=lambda: bool(sizes_asked(bench))
        )
        asked = sizes_asked(bench)
        bench.sync()

        assert asked == ["3"]
        assert sizes_asked(bench)[:3] == ["3", "2", "1"]
        assert sorted(copies(store)) == of_mails(1, 2, 3, 11)
        assert bench.adds_up()


def test_the_same_mail_with_another_date_is_not_fetched(store: Store) -> None:
    with reading(store, 1, 2, 3) as bench:
        change(bench, u3=None)
        bench.sync()
        change(bench, u3=held(3, internal_date="09-Sep-2025 10:00:00 +0100"))

        bench.sync()

        assert fetched(bench) == []
        assert bench.flags("INBOX").keys() == {1, 2, 3}
        assert bench.adds_up()


def test_mail_in_doubt_is_fetched_once_and_not_every_week(bench: ScriptedBench) -> None:
    """Its size is wrong, and the server does not give the header."""
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}
    bench.server.sizes = {2: 999}
    bench.sync()
    fetches = []

    for _ in range(3):
        bench.server.heard.clear()
        bench.clock.advance(days=8)
        bench.sync()
        fetches.append([one for one in bench.server.heard if b"BODY.PEEK[]" in one])

    assert fetches == [[b"UID FETCH 2 (BODY.PEEK[])"], [], []]
    assert sorted(copies(bench.store)) == of_mails(1, 2)
    assert bench.flags().keys() == {1, 2}
    assert bench.adds_up()


def test_what_was_removed_here_hides_no_other_mail(store: Store) -> None:
    with reading(store, 1, 2, 3, 4) as bench:
        admin = make.viewer(store, make.user(store, "Dora", is_admin=True))
        for message_id in make.message_ids(store):
            purged = make.public_id(store, message_id)
            purge_message(store, admin, purged, reason="Court", now=bench.clock())
        change(bench, u3=held(33), u4=None)

        bench.sync()

        assert copies(store) == of_mails(33)
        assert bench.adds_up()
