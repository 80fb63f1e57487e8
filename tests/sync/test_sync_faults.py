"""Servers that lie, cut and talk nonsense: nothing is counted as seen that was not had."""

from collections.abc import Callable

import pytest
from imapclient.imap_utf7 import encode as encode_utf7

from app.errors import Busy, OutOfSpace, RemoteError
from app.mail import ParsedMail, parse
from app.store import accounts, blobs, folders, locations, open_store, reading
from tests.sync.conftest import Bench, copies, raw_mail


def stumbling_over(*raws: bytes) -> Callable[[bytes], ParsedMail]:
    """A parser with a bug that these messages bring out."""

    def stumble(raw: bytes) -> ParsedMail:
        if raw in raws:
            raise IndexError
        return parse(raw)

    return stumble


def full_disk_after(writes: int) -> Callable[..., object]:
    """A disk with room for so many writes of blobs, and none after them."""
    put, left = blobs.put_all, iter(range(writes))

    def put_or_fail(*arguments: object) -> object:
        if next(left, None) is None:
            raise OutOfSpace
        return put(*arguments)

    return put_or_fail


def test_a_message_answered_without_a_literal_is_a_failure_with_its_reason(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1), 2: None, 3: raw_mail(3)}

    bench.sync()

    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(3)]
    assert bench.failures() == {2: 1}
    assert bench.adds_up()


def test_a_failure_is_tried_three_times_and_then_left_to_a_person(bench: Bench) -> None:
    bench.server.messages = {1: None}

    for _ in range(5):
        bench.sync()

    assert bench.failures() == {1: 3}


def test_a_message_given_up_gets_another_chance_at_the_next_full_look(bench: Bench) -> None:
    bench.server.messages = {1: None}
    for _ in range(4):
        bench.sync()
    bench.server.messages = {1: raw_mail(1)}
    bench.clock.advance(hours=1)

    bench.sync()

    assert copies(bench.store) == [raw_mail(1)]
    assert bench.adds_up()


def test_a_message_that_cannot_be_stored_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2), 3: raw_mail(3)}
    monkeypatch.setattr(reading, "parse", stumbling_over(raw_mail(2)))

    bench.sync()

    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(3)]
    assert bench.failures() == {2: 1}
    assert bench.adds_up()


def test_a_message_over_the_limit_is_not_fetched_and_the_ledger_says_why(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2), 3: raw_mail(3)}
    bench.server.sizes = {2: 150_000_001}

    bench.sync()

    (failure,) = folders.failures(bench.store, bench.account.id, limit=9)
    fetched = [command for command in bench.server.heard if b"BODY.PEEK" in command]
    assert (failure.uid, failure.reason[:42]) == (2, "The message is larger than 150,000,000 byt")
    assert not any(b"2" in command.split()[2].split(b",") for command in fetched)
    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(3)]
    assert bench.adds_up()


def test_a_full_disk_gives_up_no_message(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}
    monkeypatch.setattr(blobs, "put_all", full_disk_after(1))

    with pytest.raises(OutOfSpace):
        bench.sync()
    monkeypatch.undo()
    bench.sync()

    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(2)]
    assert bench.failures() == {}
    assert bench.adds_up()


def test_a_locked_archive_gives_up_no_message(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}
    bench.store.archive.conn.execute("pragma busy_timeout = 0")
    other = open_store(bench.store.directory)
    other.archive.conn.execute("begin immediate")

    with pytest.raises(Busy):
        bench.sync()
    other.close()
    bench.sync()

    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(2)]
    assert bench.failures() == {}
    assert bench.adds_up()


def test_a_fault_of_ours_gives_up_no_message(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}
    monkeypatch.setattr(reading, "parse", stumbling_over(raw_mail(1), raw_mail(2)))

    broken = bench.sync()
    failures = bench.failures()
    monkeypatch.undo()
    bench.sync()

    assert broken.failed_folders == 1
    assert failures == {}
    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(2)]


def test_a_failure_that_heals_becomes_a_message(bench: Bench) -> None:
    bench.server.messages = {1: None}
    bench.sync()
    bench.server.messages = {1: raw_mail(1)}

    bench.sync()

    assert copies(bench.store) == [raw_mail(1)]
    assert bench.failures() == {}
    assert bench.adds_up()


def test_a_failed_message_that_is_expunged_leaves_the_ledger(bench: Bench) -> None:
    bench.server.messages = {1: None}
    bench.sync()
    bench.server.messages = {}

    bench.sync()

    assert bench.failures() == {}
    assert bench.adds_up()


def test_an_empty_answer_for_a_message_with_a_size_is_a_failure(bench: Bench) -> None:
    bench.server.messages = {1: b""}
    bench.server.sizes = {1: 700}

    bench.sync()

    assert bench.failures() == {1: 1}


def test_an_empty_message_is_a_message(bench: Bench) -> None:
    bench.server.messages = {1: b""}

    bench.sync()

    assert copies(bench.store) == [b""]


@pytest.mark.parametrize("announced", [0, 1, 3_999_999])
def test_a_wrong_announced_size_loses_nothing(bench: Bench, announced: int) -> None:
    bench.server.messages = {1: raw_mail(1)}
    bench.server.sizes = {1: announced}

    bench.sync()

    assert copies(bench.store) == [raw_mail(1)]


@pytest.mark.parametrize("cut_after", [1, 30, 60, 200, 400])
def test_a_connection_cut_inside_a_message_stores_nothing_of_it(
    bench: Bench, cut_after: int
) -> None:
    bench.server.messages = {1: raw_mail(1)}
    bench.server.cut_after = cut_after

    bench.sync()
    cut = copies(bench.store)
    bench.server.cut_after = None
    bench.sync()

    assert cut == []
    assert copies(bench.store) == [raw_mail(1)]
    assert bench.adds_up()


def test_a_server_that_always_hangs_up_is_left_alone_after_a_few_tries(bench: Bench) -> None:
    bench.server.messages = {uid: raw_mail(uid) for uid in range(1, 20)}
    bench.server.cut_after = 0

    with pytest.raises(RemoteError, match="again and again"):
        bench.sync()

    assert bench.server.heard.count(b'LIST "" "*"') == 1


def test_a_new_uidvalidity_at_every_look_doubles_nothing(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}

    for uidvalidity in (1, 2, 3):
        bench.server.uidvalidity = uidvalidity
        bench.sync()

    assert sorted(copies(bench.store)) == [raw_mail(1), raw_mail(2)]
    assert bench.adds_up()


def test_an_empty_list_of_folders_makes_no_mail_gone(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1)}
    bench.sync()
    bench.server.answers = {b"LIST": b""}

    with pytest.raises(RemoteError):
        bench.sync()

    (folder,) = folders.of_account(bench.store, bench.account.id)
    assert folder.gone_since is None
    assert set(locations.flags_by_uid(bench.store, folder.id, 1)) == {1}


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (b"&AXsA8wFCAQc-", "Żółć"),
        ("Wysłane".encode(), "Wysłane"),
        (b"a&b", "a&b"),
        (b"x" * 5_000, "x" * 5_000),
        (b'say \\"hi\\"', 'say "hi"'),
        (encode_utf7("Żółw" * 75), "Żółw" * 75),
        (b"&AXs", "Ż"),
        (b"&2D0-", "&2D0-"),
        (b"&AXs-&AXs-", "ŻŻ"),
        (b"\xff\xfe", "ÿþ"),
    ],
    ids=[
        "modified-utf-7",
        "raw-utf-8",
        "lone-ampersand",
        "5000-bytes",
        "quotes",
        "300-letters",
        "unfinished-shift",
        "half-a-surrogate",
        "two-shifts",
        "no-text",
    ],
)
def test_a_folder_is_asked_for_as_the_server_spells_it(
    bench: Bench, wire: bytes, name: str
) -> None:
    bench.server.folder = wire
    bench.server.messages = {1: raw_mail(1)}

    checked = bench.sync()

    (folder,) = folders.of_account(bench.store, bench.account.id)
    assert folder.name == name
    assert b'EXAMINE "' + wire + b'"' in bench.server.heard
    assert checked.failed_folders == 0


def test_folders_that_cannot_be_opened_are_left_out(bench: Bench) -> None:
    listed = b'* LIST (\\Noselect) "/" "[Gmail]"\r\n* LIST () "/" INBOX\r\n'
    bench.server.answers = {b"LIST": listed + b'* LIST () "/" {7}\r\nA\r\nB Cx\r\n'}

    checked = bench.sync()

    assert [f.name for f in folders.of_account(bench.store, bench.account.id)] == ["INBOX"]
    assert checked.failed_folders == 0


def test_a_search_answered_in_several_lines_is_read_whole(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}
    bench.server.answers = {b"UID SEARCH ALL": b"* SEARCH 1\r\n* SEARCH 2 (MODSEQ 917)\r\n"}

    bench.sync()

    assert len(copies(bench.store)) == 2


def test_a_folder_whose_answers_cannot_be_read_keeps_its_error(bench: Bench) -> None:
    bench.server.messages = {1: raw_mail(1)}
    bench.server.answers = {b"UID SEARCH": b"TAG BAD no search today\r\n"}

    checked = bench.sync()

    (folder,) = folders.of_account(bench.store, bench.account.id)
    assert checked.failed_folders == 1
    assert "no search today" in (folder.error or "")


def test_a_folder_is_looked_through_and_mail_is_new_though_the_clock_was_ahead(
    bench: Bench,
) -> None:
    """A full look is due once an hour: it finds the flag that no count gives away."""
    bench.server.messages = {1: raw_mail(1)}
    bench.clock.advance(days=4_000)
    bench.sync()
    accounts.record_check(
        bench.store, bench.account.id, unread=0, new=0, error=None, now=bench.clock()
    )
    bench.clock.advance(days=-4_011)
    bench.server.flags = {1: "\\Flagged \\Seen"}

    bench.sync()
    bench.server.messages = {1: raw_mail(1), 2: raw_mail(2)}
    checked = bench.sync()

    assert bench.flags()[1] == ("\\Flagged", "\\Seen")
    assert checked.new == 1
