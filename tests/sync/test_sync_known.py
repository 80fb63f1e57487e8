"""Mail that is stored and comes under another UID is linked, not fetched, unless in doubt."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from app.purge import purge_message
from app.store import Store, candidates, folders, locations
from app.sync import folder as folder_module
from app.sync import known as known_module
from app.sync import sync_account
from app.sync.known import telling_lines
from tests import make
from tests.sync.conftest import LATER, Mailbox, copies, raw_mail
from tests.sync.extended import GMAIL, OBJECTID, Held, HeldFolder
from tests.sync.test_sync_counts import Bench


def received_mail(number: int, text: str = "Beton") -> bytes:
    return f"Received: by mx.ex.test id {number}; today\r\n".encode() + raw_mail(number, text)


def bodies(commands: list[str]) -> list[str]:
    return [command for command in commands if "BODY.PEEK[]" in command]


def live(mailbox: Mailbox, name: str) -> set[int]:
    folder = mailbox.folder(name)
    return set(locations.flags_by_uid(mailbox.store, folder.id, folder.uidvalidity or 0))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def move(mailbox: Mailbox) -> None:
    mailbox.server.move(mailbox.user, "INBOX", 1, "Later")


def rename(mailbox: Mailbox) -> None:
    mailbox.server.rename(mailbox.user, "Archiv", "Later/Archiv")


def renumber(mailbox: Mailbox) -> None:
    mailbox.server.change_uidvalidity(mailbox.user, "INBOX")


@pytest.mark.dovecot
@pytest.mark.parametrize("happens", [move, rename, renumber])
def test_what_moved_is_not_fetched_again(
    mailbox: Mailbox, happens: Callable[[Mailbox], None]
) -> None:
    mailbox.append("INBOX", received_mail(1), received_mail(2))
    mailbox.append("Archiv", received_mail(3), received_mail(4, "x" * 5_000_000))
    mailbox.append("Later")
    mailbox.sync()
    before = sorted(mailbox.copies())
    mailbox.server.forget_commands(mailbox.user)
    happens(mailbox)

    checked = mailbox.sync()

    assert bodies(mailbox.server.commands(mailbox.user)) == []
    assert sorted(mailbox.copies()) == before
    names = [f.name for f in folders.of_account(mailbox.store, mailbox.account.id)]
    assert sum(len(live(mailbox, name)) for name in names) == 4
    assert checked.new == 0
    assert mailbox.adds_up()


@pytest.mark.dovecot
def test_a_new_uidvalidity_needs_no_received_lines_and_fetches_what_is_new(
    mailbox: Mailbox,
) -> None:
    mailbox.append("INBOX", raw_mail(1), raw_mail(2), flags=["\\Seen"])
    mailbox.sync()
    mailbox.server.change_uidvalidity(mailbox.user, "INBOX")
    mailbox.append("INBOX", raw_mail(3))
    mailbox.server.forget_commands(mailbox.user)

    mailbox.sync()

    fetched = bodies(mailbox.server.commands(mailbox.user))
    assert [command.split(" ", 3)[3] for command in fetched] == ["3 (BODY.PEEK[])"]
    assert live(mailbox, "INBOX") == {1, 2, 3}
    assert mailbox.adds_up()


@pytest.mark.dovecot
def test_mail_without_received_lines_is_fetched_in_another_folder(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    mailbox.append("Later")
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)
    move(mailbox)

    mailbox.sync()

    assert len(bodies(mailbox.server.commands(mailbox.user))) == 1
    assert mailbox.copies() == [raw_mail(1)]


@pytest.mark.dovecot
def test_what_was_removed_for_good_is_not_linked(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", received_mail(1))
    mailbox.sync()
    admin = make.viewer(mailbox.store, make.user(mailbox.store, "Dora", is_admin=True))
    first = make.public_id(mailbox.store, make.message_ids(mailbox.store)[0])
    purge_message(mailbox.store, admin, first, reason="Court", now=mailbox.clock())
    mailbox.server.change_uidvalidity(mailbox.user, "INBOX")

    mailbox.sync()

    assert mailbox.copies() == []
    assert mailbox.adds_up()


def gmail(store: Store, stack: ExitStack) -> Bench:
    held = {
        "INBOX": HeldFolder({1: Held(raw_mail(1), "1001"), 2: Held(raw_mail(2), "1002")}),
        "Work": HeldFolder({7: Held(raw_mail(2), "1002")}),
        "[Gmail]/All Mail": HeldFolder(
            {n: Held(raw_mail(n), f"100{n}") for n in range(1, 4)}, attributes="\\All"
        ),
    }
    return Bench(store, stack, folders=held, capabilities=GMAIL)


def test_mail_under_several_labels_is_fetched_once(store: Store, stack: ExitStack) -> None:
    bench = gmail(store, stack)

    bench.sync()

    fetched = [command.split()[2] for command in bodies(bench.server.heard)]
    assert fetched == ["2,1", "3"]
    assert sorted(copies(store)) == [raw_mail(1), raw_mail(2), raw_mail(3)]
    assert set(bench.flags("[Gmail]/All Mail")) == {1, 2, 3}
    assert set(bench.flags("Work")) == {7}
    assert bench.adds_up()
    (line,) = [x for x in folders.ledger(store, bench.account.id) if "All" in x.name]
    assert (line.seen, line.stored, line.known) == (3, 1, 2)


def test_ids_of_a_check_that_was_cut_short_are_noted_at_the_next(
    store: Store, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = gmail(store, stack)
    all_mail = bench.server.folders.pop("[Gmail]/All Mail")
    with monkeypatch.context() as without:
        without.setattr(folder_module, "note_object_ids", lambda *args, **kwargs: None)
        bench.sync()
    bench.server.folders["[Gmail]/All Mail"] = all_mail
    bench.clock.advance(days=2)

    bench.sync()

    assert [command.split()[2] for command in bodies(bench.server.heard)] == ["3"]


@pytest.mark.parametrize("other", [raw_mail(9), raw_mail(2, "another text")])
def test_two_mails_that_the_server_calls_the_same_are_both_kept(
    store: Store, stack: ExitStack, other: bytes
) -> None:
    bench = gmail(store, stack)
    bench.server.folders["Work"].messages[7] = Held(other, "1002")

    bench.sync()

    assert {raw_mail(2), other} <= set(copies(store))
    assert bench.adds_up()


def test_with_emailid_a_move_without_received_lines_is_not_fetched(
    store: Store, stack: ExitStack
) -> None:
    held = {"INBOX": HeldFolder({1: Held(raw_mail(1), "M1")}), "Later": HeldFolder()}
    bench = Bench(store, stack, folders=held, capabilities=OBJECTID)
    bench.sync()
    held["Later"].messages[4] = held["INBOX"].messages.pop(1)

    bench.sync()

    assert bodies(bench.server.heard) == []
    assert set(bench.flags("Later")) == {4}
    assert bench.flags("INBOX") == {}
    assert copies(store) == [raw_mail(1)]
    assert bench.adds_up()


@pytest.mark.parametrize("item", ["EMAILID", "BODY.PEEK[HEADER"])
def test_a_server_that_refuses_what_it_offers_costs_no_mail(
    store: Store, stack: ExitStack, item: str
) -> None:
    held = {"INBOX": HeldFolder({1: Held(raw_mail(1), "M1")}), "Later": HeldFolder()}
    bench = Bench(store, stack, folders=held, capabilities=OBJECTID)
    bench.sync()
    held["Later"].messages[4] = held["INBOX"].messages.pop(1)
    bench.server.unknown = item

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert set(bench.flags("Later")) == {4}
    assert copies(store) == [raw_mail(1)]
    assert bench.adds_up()


TWIN = received_mail(1, "Beton\n")
OTHER_TWIN = TWIN.replace(b"Beton", b"Cegla")


@pytest.mark.parametrize(
    ("other", "date"),
    [
        (TWIN.replace(b"Mail 1", b"Mail 2"), "03-Mar-2025 10:00:00 +0100"),
        (OTHER_TWIN, "03-Mar-2025 10:00:01 +0100"),
        (TWIN + b"!", "03-Mar-2025 10:00:00 +0100"),
        (TWIN.replace(b"id 1;", b"id 2;"), "03-Mar-2025 10:00:00 +0100"),
    ],
    ids=["another header", "another second", "another size", "another delivery"],
)
def test_after_a_new_uidvalidity_mail_that_differs_at_all_is_fetched(
    store: Store, stack: ExitStack, other: bytes, date: str
) -> None:
    held = {"INBOX": HeldFolder({1: Held(TWIN)})}
    bench = Bench(store, stack, folders=held)
    bench.sync()
    held["INBOX"].uidvalidity = 2
    held["INBOX"].messages = {1: Held(other, internal_date=date)}

    bench.sync()

    assert copies(store) == [TWIN, other]
    assert bench.adds_up()


def test_of_two_that_look_alike_both_are_fetched(store: Store, stack: ExitStack) -> None:
    held = {"INBOX": HeldFolder({1: Held(TWIN)})}
    bench = Bench(store, stack, folders=held)
    bench.sync()
    held["INBOX"].uidvalidity = 2
    held["INBOX"].messages = {1: Held(TWIN), 2: Held(OTHER_TWIN)}

    bench.sync()

    assert copies(store) == [TWIN, OTHER_TWIN]
    assert set(bench.flags("INBOX")) == {1, 2}
    assert bench.adds_up()


def test_mail_that_two_stored_ones_may_be_is_fetched(store: Store, stack: ExitStack) -> None:
    held = {"INBOX": HeldFolder({1: Held(TWIN), 2: Held(OTHER_TWIN)})}
    bench = Bench(store, stack, folders=held)
    bench.sync()
    held["INBOX"].uidvalidity = 2
    del held["INBOX"].messages[2]

    bench.sync()

    assert len(bodies(bench.server.heard)) == 1
    assert sorted(copies(store)) == sorted([TWIN, OTHER_TWIN])


def test_what_vanished_long_ago_is_fetched(store: Store, stack: ExitStack) -> None:
    held = {"INBOX": HeldFolder({1: Held(TWIN)})}
    bench = Bench(store, stack, folders=held)
    bench.sync()
    message = held["INBOX"].messages.pop(1)
    bench.sync()
    bench.clock.advance(days=8)
    held["INBOX"].messages[2] = message

    bench.sync()

    assert len(bodies(bench.server.heard)) == 1
    assert copies(store) == [TWIN]


def test_a_server_that_hangs_up_over_headers_is_asked_for_the_mail(
    store: Store, stack: ExitStack
) -> None:
    held = {"INBOX": HeldFolder({1: Held(TWIN)})}
    bench = Bench(store, stack, folders=held)
    bench.sync()
    held["INBOX"].uidvalidity = 2
    bench.server.hangs_up_over = "BODY.PEEK[HEADER"

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert set(bench.flags("INBOX")) == {1}
    assert bench.adds_up()


@pytest.mark.parametrize(
    "raw",
    [b"", b"\r\n", b" folded\r\n\r\n", b"no colon\r\n", b"\r\nSubject: x", b"To: x\r\n\r\nDate: y"],
)
def test_what_is_no_header_tells_nothing(raw: bytes) -> None:
    assert telling_lines(raw) == []


def test_lines_are_told_however_they_are_written() -> None:
    one = b"Subject: a\r\n b\r\nDATE:3 May\r\nTo: x\r\n\r\nDate: 4 May\r\n"
    other = b"date: 3 May\nsubject:  a b\n\n"

    assert telling_lines(one) == telling_lines(other) == [(b"date", b"3 May"), (b"subject", b"a b")]


def test_what_did_not_vanish_costs_nothing_to_look_through(store: Store) -> None:
    account = make.account(store, address="boss@firma.pl")
    make.deliver(store, account, raw_mail(1))
    (inbox,) = folders.of_account(store, account.id)
    store.archive.conn.execute(
        "insert into locations (folder_id, uidvalidity, uid, copy_id, received_at, first_seen_at,"
        " flags, was_known) with recursive n(i) as (select 100 union all select i + 1 from n"
        " where i < 5000) select ?, 1, i, (select id from copies), i, i, '', 1 from n",
        [inbox.id],
    )
    steps: list[int] = []
    store.archive.conn.set_progress_handler(lambda: steps.append(1), 1000)

    found = candidates.vanished(store, inbox, uidvalidity=2, since=LATER)
    store.archive.conn.set_progress_handler(None, 1000)

    assert not found
    assert steps == []


@pytest.mark.parametrize("mail", [raw_mail, received_mail])
def test_mail_that_was_changed_in_its_place_is_fetched(
    store: Store, stack: ExitStack, mail: Callable[[int, str], bytes]
) -> None:
    before, after = mail(1, "1000 EUR\n"), mail(1, "9000 EUR\n")
    inbox = HeldFolder({1: Held(before)})
    bench = Bench(store, stack, folders={"INBOX": inbox})
    bench.sync()
    inbox.messages = {}
    bench.sync()
    inbox.messages = {2: Held(after)}

    bench.sync()

    assert sorted(copies(store)) == sorted([before, after])
    assert bench.adds_up()


def test_new_mail_does_not_wait_until_all_of_a_renumbered_folder_is_linked(
    store: Store, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = HeldFolder({uid: Held(raw_mail(uid)) for uid in range(1, 7)})
    bench = Bench(store, stack, folders={"INBOX": inbox})
    bench.sync()
    monkeypatch.setattr(known_module, "UIDS_PER_COMMAND", 2)
    inbox.uidvalidity, inbox.messages[7] = 2, Held(raw_mail(7))
    bench.server.heard.clear()
    is_enough = iter([False])

    sync_account(
        store, bench.account, "secret", now=bench.clock, enough=lambda: next(is_enough, True)
    )
    headers = [command for command in bench.server.heard if "HEADER.FIELDS" in command]
    stored = copies(store)
    bench.sync()

    assert len(headers) == 1
    assert raw_mail(7) in stored
    assert sorted(copies(store)) == [raw_mail(uid) for uid in range(1, 8)]
    assert bench.flags("INBOX").keys() == set(range(1, 8))
    assert bench.adds_up()
