"""How often a check waits for the server, and what it makes of what the server counts."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.store import Store, folders, locations
from app.sync import Checked, sync_account
from tests.heard import verb
from tests.sync.conftest import Clock, Mailbox, add_account, copies, raw_mail
from tests.sync.extended import OBJECTID, ExtendedImap, Held, HeldFolder, serving

MANY = [f"Projekt {number}" for number in range(39)]
SIGNING_IN = {"CAPABILITY", "LOGIN", "LOGOUT"}


class Bench:
    """A server with the extensions of a test's choice, and an account on it."""

    def __init__(self, store: Store, stack: ExitStack, **settings: object) -> None:
        self.store = store
        self.server = ExtendedImap(**settings)
        self.clock = Clock()
        port = stack.enter_context(serving(self.server))
        self.account = add_account(store, login="ann@ex.test", port=port, security="none")

    def sync(self) -> Checked:
        """Check the account, after which `heard` holds this check's commands only."""
        self.server.heard.clear()
        return sync_account(self.store, self.account, "secret", now=self.clock)

    def flags(self, name: str) -> dict[int, tuple[str, ...]]:
        (folder,) = [f for f in folders.of_account(self.store, self.account.id) if f.name == name]
        return locations.flags_by_uid(self.store, folder.id, folder.uidvalidity or 0)

    def adds_up(self) -> bool:
        return all(line.adds_up for line in folders.ledger(self.store, self.account.id))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def forty() -> dict[str, HeldFolder]:
    held = {name: HeldFolder({1: Held(raw_mail(n))}) for n, name in enumerate(MANY)}
    return {"INBOX": HeldFolder({1: Held(raw_mail(99))})} | held


@pytest.mark.dovecot
def test_forty_unchanged_folders_of_dovecot_cost_one_command(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1))
    with mailbox.server.admin(mailbox.user) as client:
        for number in range(35):  # and the five that every mailbox has
            client.create_folder(f"Projekt {number}")
    mailbox.sync()
    mailbox.server.forget_commands(mailbox.user)

    mailbox.sync()

    commands = [c for c in mailbox.server.commands(mailbox.user) if verb(c) not in SIGNING_IN]
    assert len(folders.of_account(mailbox.store, mailbox.account.id)) == 40
    assert [verb(command) for command in commands] == ["LIST"]
    assert mailbox.folder("Wysłane").special_use == "\\Sent"
    assert mailbox.adds_up()


def test_without_list_status_all_folders_are_asked_before_the_first_answer(
    store: Store, stack: ExitStack
) -> None:
    bench = Bench(store, stack, folders=forty(), gathers=40)

    bench.sync()
    first = bench.server.heard.copy()
    bench.sync()

    assert len(copies(store)) == 40
    assert [c for c in first if c.startswith("EXAMINE")] != []
    asked = [c.split()[0] for c in bench.server.heard if c.split()[0] not in SIGNING_IN]
    assert asked == ["LIST", *["STATUS"] * 40]
    assert bench.adds_up()


def test_a_server_that_offers_more_than_it_can_is_asked_the_plain_way(
    store: Store, stack: ExitStack
) -> None:
    offered = "IMAP4rev1 LIST-STATUS SPECIAL-USE CONDSTORE OBJECTID"
    refused = {
        'LIST "" "*" RETURN': "NO I cannot",
        'STATUS "INBOX" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HI': "BAD no HIGHESTMODSEQ",
    }
    held = {"INBOX": HeldFolder({1: Held(raw_mail(1))}), "A": HeldFolder({1: Held(raw_mail(2))})}
    bench = Bench(store, stack, folders=held, capabilities=offered, refused=refused)

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert len(copies(store)) == 2
    assert bench.adds_up()


def test_a_folder_that_fails_among_many_asked_at_once_fails_alone(
    store: Store, stack: ExitStack
) -> None:
    held = {"INBOX": HeldFolder({1: Held(raw_mail(1))}), "A": HeldFolder(), "B": HeldFolder()}
    bench = Bench(store, stack, folders=held, refused={'STATUS "A"': "NO it is broken"})

    checked = bench.sync()

    errors = {f.name: f.error for f in folders.of_account(store, bench.account.id)}
    assert checked.failed_folders == 1
    assert "it is broken" in (errors["A"] or "")
    assert (errors["INBOX"], errors["B"]) == (None, None)


def test_a_folder_without_modseqs_has_all_its_flags_read(store: Store, stack: ExitStack) -> None:
    inbox = HeldFolder({1: Held(raw_mail(1)), 2: Held(raw_mail(2))}, modseq=0)
    bench = Bench(store, stack, folders={"INBOX": inbox}, capabilities="IMAP4rev1 CONDSTORE")
    bench.sync()
    inbox.messages[2].flags = ""

    checked = bench.sync()

    assert bench.flags("INBOX") == {1: ("\\Seen",), 2: ()}
    assert checked.unread == 1
    assert not [c for c in bench.server.heard if "CHANGEDSINCE" in c]


def test_modseqs_that_begin_anew_hide_no_flag(store: Store, stack: ExitStack) -> None:
    inbox = HeldFolder({1: Held(raw_mail(1)), 2: Held(raw_mail(2))}, modseq=500)
    bench = Bench(store, stack, folders={"INBOX": inbox}, capabilities="IMAP4rev1 CONDSTORE")
    bench.sync()
    inbox.messages[2].flags, inbox.modseq = "\\Seen \\Flagged", 3

    bench.sync()

    assert bench.flags("INBOX")[2] == ("\\Flagged", "\\Seen")
    assert not [c for c in bench.server.heard if "CHANGEDSINCE" in c]


def of(*numbers: int, **settings: object) -> HeldFolder:
    """A folder with these mails under their numbers."""
    return HeldFolder({number: Held(raw_mail(number)) for number in numbers}, **settings)


def test_a_large_folder_is_not_listed_for_each_new_message(store: Store, stack: ExitStack) -> None:
    inbox = of(1, 2, 3)
    bench = Bench(store, stack, folders={"INBOX": inbox}, capabilities="IMAP4rev1 CONDSTORE")
    bench.sync()
    inbox.messages[4], inbox.modseq = Held(raw_mail(4), flags=""), 2

    checked = bench.sync()

    assert len(copies(store)) == 4
    assert checked.unread == 1
    assert bench.flags("INBOX")[4] == ()
    assert bench.server.asked("UID SEARCH") == ["UID SEARCH UID 4:*"]
    assert not [c for c in bench.server.heard if c.startswith("UID FETCH 1:3")]
    assert bench.adds_up()


def test_mail_that_vanished_while_other_mail_came_is_noted_as_gone(
    store: Store, stack: ExitStack
) -> None:
    inbox = of(1, 2, 3)
    bench = Bench(store, stack, folders={"INBOX": inbox}, capabilities="IMAP4rev1 CONDSTORE")
    bench.sync()
    del inbox.messages[2]
    inbox.messages[4], inbox.modseq = Held(raw_mail(4)), 2

    bench.sync()

    assert set(bench.flags("INBOX")) == {1, 3, 4}
    assert len(copies(store)) == 4
    assert bench.adds_up()


def test_a_mail_read_while_another_came_is_noted_without_modseqs(
    store: Store, stack: ExitStack
) -> None:
    inbox = of(1, 2)
    inbox.messages[1].flags = ""
    bench = Bench(store, stack, folders={"INBOX": inbox})
    bench.sync()
    inbox.messages[1].flags, inbox.messages[3] = "\\Seen", Held(raw_mail(3))

    checked = bench.sync()

    assert bench.flags("INBOX") == {1: ("\\Seen",), 2: ("\\Seen",), 3: ("\\Seen",)}
    assert checked.unread == 0


def test_mail_under_a_number_that_should_not_be_given_again_is_stored(
    store: Store, stack: ExitStack
) -> None:
    inbox = of(1, 5)
    bench = Bench(store, stack, folders={"INBOX": inbox}, capabilities="IMAP4rev1 CONDSTORE")
    bench.sync()
    inbox.messages[3], inbox.modseq = Held(raw_mail(3)), 2

    bench.sync()

    assert len(copies(store)) == 3
    assert bench.adds_up()


def test_the_full_look_finds_what_the_counts_hid(store: Store, stack: ExitStack) -> None:
    inbox = of(1, 2, 5)
    bench = Bench(store, stack, folders={"INBOX": inbox})
    bench.sync()
    inbox.messages = of(2, 3, 5).messages
    bench.sync()
    bench.clock.advance(hours=2)

    bench.sync()

    assert set(bench.flags("INBOX")) == {2, 3, 5}
    assert len(copies(store)) == 4
    assert bench.adds_up()


def test_a_server_that_knows_no_changedsince_has_all_its_flags_read(
    store: Store, stack: ExitStack
) -> None:
    inbox = HeldFolder({1: Held(raw_mail(1)), 2: Held(raw_mail(2))}, modseq=5)
    lie = {"UID FETCH 1:4294967295 (FLAGS) (CHANGEDSINCE": "BAD what"}
    bench = Bench(
        store, stack, folders={"INBOX": inbox}, capabilities="IMAP4rev1 CONDSTORE", refused=lie
    )
    bench.sync()
    inbox.messages[2].flags, inbox.modseq = "\\Seen \\Flagged", 6

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert bench.flags("INBOX")[2] == ("\\Flagged", "\\Seen")


def test_a_folder_renamed_where_the_server_tells_is_the_same_folder(
    store: Store, stack: ExitStack
) -> None:
    held = {"INBOX": HeldFolder(mailbox_id="F1"), "Old": HeldFolder({7: Held(raw_mail(1))})}
    held["Old"].mailbox_id = "F2"
    bench = Bench(store, stack, folders=held, capabilities=OBJECTID)
    bench.sync()
    held["New"] = held.pop("Old")

    bench.sync()

    assert bench.flags("New") == {7: ("\\Seen",)}
    assert [f.name for f in folders.of_account(store, bench.account.id)] == ["INBOX", "New"]
    assert not bench.server.asked("UID FETCH")
    assert bench.adds_up()


def test_a_folder_renamed_to_the_name_of_one_that_is_gone_costs_no_mail(
    store: Store, stack: ExitStack
) -> None:
    held = {"INBOX": HeldFolder(mailbox_id="F1"), "A": HeldFolder({7: Held(raw_mail(1))})}
    held |= {"B": HeldFolder({7: Held(raw_mail(2))}, mailbox_id="F3")}
    held["A"].mailbox_id = "F2"
    bench = Bench(store, stack, folders=held, capabilities=OBJECTID)
    bench.sync()
    held["B"] = held.pop("A")
    held["B"].uidvalidity = 2

    bench.sync()

    assert sorted(copies(store)) == [raw_mail(1), raw_mail(2)]
    assert bench.flags("B") == {7: ("\\Seen",)}
    assert bench.adds_up()


def test_another_folder_of_the_same_name_is_read_anew(store: Store, stack: ExitStack) -> None:
    held = {"INBOX": HeldFolder(), "A": HeldFolder({1: Held(raw_mail(1))}, mailbox_id="M1")}
    bench = Bench(store, stack, folders=held, capabilities=OBJECTID)
    bench.sync()
    held["A"].mailbox_id = ""  # for once the server does not tell
    bench.sync()
    held["A"] = HeldFolder({1: Held(raw_mail(2))}, mailbox_id="M2")

    bench.sync()

    assert sorted(copies(store)) == [raw_mail(1), raw_mail(2)]
    assert bench.flags("A").keys() == {1}
    assert bench.adds_up()
