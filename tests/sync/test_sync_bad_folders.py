"""Folders and messages that a server keeps from us: each fails alone, unless all do."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from app.errors import RemoteError
from app.store import Store, folders
from app.sync import Throttled
from tests.sync.conftest import copies, raw_mail
from tests.sync.extended import Held, HeldFolder
from tests.sync.test_sync_counts import Bench

LIST_STATUS = "IMAP4rev1 LIST-STATUS"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def held(*names: str) -> dict[str, HeldFolder]:
    return {name: HeldFolder({1: Held(raw_mail(n))}) for n, name in enumerate(names)}


def errors(bench: Bench) -> dict[str, str | None]:
    return {f.name: f.error for f in folders.of_account(bench.store, bench.account.id)}


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", LIST_STATUS])
@pytest.mark.parametrize("verb", ["EXAMINE", "STATUS"])
def test_a_folder_over_which_the_server_hangs_up_holds_up_no_other(
    store: Store, stack: ExitStack, verb: str, capabilities: str
) -> None:
    bench = Bench(store, stack, folders=held("INBOX", "Good"), capabilities=capabilities)
    bench.server.folders = {"Bad": HeldFolder(), **held("INBOX", "Good")}
    bench.server.folders["Bad"].messages = {1: Held(raw_mail(9))}
    bench.server.hangs_up_over = f'{verb} "Bad"'

    checked = bench.sync()
    first = sorted(copies(store))
    bench.server.hangs_up_over = "nothing"
    bench.sync()

    expects_failure = (verb, capabilities) != ("STATUS", LIST_STATUS)
    assert checked.failed_folders == expects_failure
    assert {raw_mail(0), raw_mail(1)} <= set(first)
    assert sorted(copies(store)) == [raw_mail(0), raw_mail(1), raw_mail(9)]
    assert errors(bench) == {"Bad": None, "INBOX": None, "Good": None}
    assert bench.adds_up()


def test_several_such_folders_are_asked_last_and_hold_up_no_check(
    store: Store, stack: ExitStack
) -> None:
    bench = Bench(store, stack, folders=held("INBOX", "Bad 1", "Bad 2", "Bad 3", "Good"))
    bench.server.hangs_up_over = 'EXAMINE "Bad'
    bench.sync()
    bench.server.folders["Good"].messages[2] = Held(raw_mail(7))

    checked = bench.sync()

    assert checked.failed_folders == 3
    assert sorted(copies(store)) == [raw_mail(0), raw_mail(4), raw_mail(7)]
    assert len(bench.server.asked("LOGIN")) == 4


def test_a_connection_that_breaks_by_chance_is_no_folders_error(
    store: Store, stack: ExitStack
) -> None:
    bench = Bench(store, stack, folders=held("INBOX", "A"))
    bench.server.hangs_up_once_over = 'EXAMINE "INBOX"'

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert len(copies(store)) == 2


def test_a_server_that_hangs_up_over_every_folder_is_left_alone(
    store: Store, stack: ExitStack
) -> None:
    names = ["INBOX", *(f"A{number}" for number in range(20))]
    bench = Bench(store, stack, folders=held(*names), hangs_up_over="EXAMINE")

    with pytest.raises(RemoteError, match="broke"):
        bench.sync()

    assert len(bench.server.asked("LOGIN")) < 6


def test_a_server_that_hangs_up_over_all_but_one_folder_is_left_alone(
    store: Store, stack: ExitStack
) -> None:
    names = ["INBOX", *(f"A{number}" for number in range(20))]
    bench = Bench(store, stack, folders=held(*names), hangs_up_over='EXAMINE "A')

    with pytest.raises(RemoteError, match="broke"):
        bench.sync()

    assert copies(store) == [raw_mail(0)]
    assert len(bench.server.asked("EXAMINE")) == 1 + 2 * 5


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", LIST_STATUS])
@pytest.mark.parametrize("verb", ["EXAMINE", "STATUS", "UID FETCH"])
def test_a_limit_of_one_folder_is_no_throttling(
    store: Store, stack: ExitStack, verb: str, capabilities: str
) -> None:
    bench = Bench(store, stack, folders=held("INBOX", "Full", "A"), capabilities=capabilities)
    bench.server.folders["Full"].messages = {uid: Held(raw_mail(uid)) for uid in range(90, 99)}
    start = "UID FETCH 98" if verb == "UID FETCH" else f'{verb} "Full"'
    bench.server.refused = {start: "NO [OVERQUOTA] Quota exceeded"}

    bench.sync()

    assert {raw_mail(0), raw_mail(2)} <= set(copies(store))
    assert {name for name, error in errors(bench).items() if error} <= {"Full"}


@pytest.mark.parametrize(
    "words", ["NO [LIMIT] message too large for this plan", "NO Server Unavailable. 15"]
)
def test_a_limit_of_one_message_holds_up_no_other(
    store: Store, stack: ExitStack, words: str
) -> None:
    bench = Bench(store, stack, folders={"INBOX": HeldFolder()})
    bench.server.folders["INBOX"].messages = {uid: Held(raw_mail(uid)) for uid in range(1, 10)}
    bench.server.refused = {"UID FETCH 9,8,7,6,5,4,3,2,1 (BODY": words, "UID FETCH 9 (BODY": words}

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert sorted(copies(store)) == [raw_mail(uid) for uid in range(1, 9)]
    (failure,) = folders.failures(store, bench.account.id, limit=9)
    assert (failure.uid, words[3:] in failure.reason) == (9, True)
    assert bench.adds_up()


def test_a_limit_of_all_messages_costs_few_questions(store: Store, stack: ExitStack) -> None:
    bench = Bench(store, stack, folders={"INBOX": HeldFolder()}, refused={})
    bench.server.folders["INBOX"].messages = {uid: Held(raw_mail(uid)) for uid in range(1, 100)}
    bench.server.unknown, bench.server.unknown_words = "(BODY.PEEK[])", "NO [LIMIT] for today"

    with pytest.raises(Throttled):
        bench.sync()

    assert len([c for c in bench.server.heard if "BODY.PEEK[]" in c]) == 4


@pytest.mark.parametrize("verb", ["STATUS", "EXAMINE"])
def test_a_limit_of_every_folder_is_throttling(store: Store, stack: ExitStack, verb: str) -> None:
    bench = Bench(
        store,
        stack,
        folders=held("INBOX", *(f"A{number}" for number in range(20))),
        capabilities=LIST_STATUS if verb == "EXAMINE" else "IMAP4rev1",
        refused={verb: "NO [OVERQUOTA] come back tomorrow"},
    )

    with pytest.raises(Throttled):
        bench.sync()

    assert len(bench.server.asked("EXAMINE")) <= 2


def test_a_folder_that_is_throttled_by_itself_keeps_no_other_from_being_read(
    store: Store, stack: ExitStack
) -> None:
    words = "NO [OVERQUOTA] Folder exceeded bandwidth limits"
    bench = Bench(store, stack, folders=held("Full", "INBOX", "A"))
    bench.server.refused = {'STATUS "Full"': words}

    for _ in range(2):
        with suppress(Throttled):
            bench.sync()

    assert sorted(copies(store)) == [raw_mail(1), raw_mail(2)]
