"""Servers whose answers cannot be true: nothing is lost, doubled or mixed up over them."""

import pytest

from app.errors import RemoteError
from app.store import folders
from app.sync import Throttled
from tests.sync.conftest import Bench, copies, raw_mail

MAIL = {uid: raw_mail(uid) for uid in (1, 2, 3)}


def body(uid: int, raw: bytes) -> bytes:
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, uid, len(raw), raw)


def test_news_of_another_message_is_not_taken_for_that_of_its_number(bench: Bench) -> None:
    """RFC 3501 7.4.2: a FETCH that nobody asked for names a number only, no UID."""
    bench.server.messages = {1: MAIL[1], 2: MAIL[2]}
    bench.sync()
    bench.server.flags = {1: "\\Answered \\Seen"}
    true = b"* 1 FETCH (UID 1 FLAGS (\\Answered \\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"
    bench.server.answers = {b"UID FETCH 1:2 (FLAGS)": true + b"* 1 FETCH (FLAGS (\\Deleted))\r\n"}
    bench.clock.advance(hours=2)

    bench.sync()

    assert bench.flags() == {1: ("\\Answered", "\\Seen"), 2: ("\\Seen",)}


def test_one_uid_with_two_contents_is_a_failure(bench: Bench) -> None:
    bench.server.messages = {1: MAIL[1], 2: MAIL[2]}
    twice = body(1, MAIL[1]) + body(2, MAIL[2]) + body(2, MAIL[3])
    bench.server.answers = {
        b"UID FETCH 2,1 (BODY": twice,
        b"UID FETCH 2 (BODY": body(2, MAIL[2]) + body(2, MAIL[3]),
    }

    bench.sync()

    assert copies(bench.store) == [MAIL[1]]
    assert bench.failures() == {2: 1}
    assert bench.adds_up()


def test_a_content_without_its_uid_is_a_failure(bench: Bench) -> None:
    bench.server.messages = {1: MAIL[1]}
    bench.server.answers = {b"UID FETCH 1 (BODY": b"* 1 FETCH (BODY[] {5}\r\nhello)\r\n"}

    bench.sync()

    assert copies(bench.store) == []
    assert bench.failures() == {1: 1}


def test_a_content_that_nobody_asked_for_is_not_stored(bench: Bench) -> None:
    bench.server.messages = {1: MAIL[1]}
    bench.server.answers = {b"UID FETCH 1 (BODY": body(1, MAIL[1]) + body(7, MAIL[3])}

    bench.sync()

    assert copies(bench.store) == [MAIL[1]]
    assert bench.flags().keys() == {1}


@pytest.mark.parametrize("claimed", [len(MAIL[1]) - 9, len(MAIL[1]) - 1])
def test_a_literal_that_is_longer_than_it_says_is_not_stored(bench: Bench, claimed: int) -> None:
    bench.server.messages = {1: MAIL[1]}
    wrong = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b)\r\n" % (claimed, MAIL[1])
    bench.server.answers = {b"UID FETCH 1 (BODY": wrong}

    bench.sync()
    before = copies(bench.store), bench.failures()
    bench.server.answers = {}
    bench.sync()

    assert before == ([], {1: 1})
    assert copies(bench.store) == [MAIL[1]]
    assert bench.failures() == {}


def test_a_search_that_finds_nothing_makes_no_mail_gone(bench: Bench) -> None:
    bench.server.messages = dict(MAIL)
    bench.sync()
    bench.clock.advance(hours=2)
    bench.server.answers = {b"UID SEARCH": b"* SEARCH\r\n"}

    checked = bench.sync()
    error = bench.folder().error
    bench.server.answers = {}
    bench.sync()

    assert checked.failed_folders == 1
    assert error is not None
    assert "3 messages" in error
    assert bench.flags().keys() == {1, 2, 3}
    assert bench.folder().error is None
    assert bench.adds_up()


def test_a_search_that_leaves_mail_out_makes_none_gone(bench: Bench) -> None:
    bench.server.messages = dict(MAIL)
    bench.sync()
    bench.clock.advance(hours=2)
    bench.server.messages = {**MAIL, 4: raw_mail(4)}
    bench.server.answers = {b"UID SEARCH ALL": b"* SEARCH 2 4\r\n"}

    bench.sync()
    kept = bench.flags().keys()
    bench.server.answers = {}
    bench.sync()

    assert kept == {1, 2, 3, 4}
    assert sorted(copies(bench.store)) == sorted([*MAIL.values(), raw_mail(4)])
    assert bench.adds_up()


@pytest.mark.parametrize("uidnext", [0, 1, 2, 4_294_967_295, 10**30])
def test_a_uidnext_that_goes_anywhere_loses_nothing(bench: Bench, uidnext: int) -> None:
    bench.server.messages = {1: MAIL[1], 2: MAIL[2]}
    bench.sync()
    bench.server.messages = dict(MAIL)
    counts = f"(MESSAGES 3 UIDNEXT {uidnext} UNSEEN 0 UIDVALIDITY 1)"
    bench.server.answers = {b"STATUS": f'* STATUS "INBOX" {counts}\r\n'.encode()}

    bench.sync()
    bench.server.answers = {}
    bench.sync()

    assert sorted(copies(bench.store)) == sorted(MAIL.values())
    assert bench.adds_up()


@pytest.mark.parametrize("told", [b"0", b"4294967296", b"9" * 40, b"-7", b"x"])
def test_a_uid_that_can_be_none_is_left_out(bench: Bench, told: bytes) -> None:
    bench.server.messages = {1: MAIL[1]}
    bench.server.answers = {b"UID SEARCH ALL": b"* SEARCH 1 " + told + b"\r\n"}

    checked = bench.sync()

    assert copies(bench.store) == [MAIL[1]]
    assert checked.failed_folders == 0
    assert bench.adds_up()


@pytest.mark.parametrize("size", [10**30, -1])
def test_a_senseless_size_is_a_failure_or_no_matter(bench: Bench, size: int) -> None:
    bench.server.messages = {1: MAIL[1], 2: MAIL[2]}
    bench.server.sizes = {2: size}

    checked = bench.sync()

    assert MAIL[1] in copies(bench.store)
    assert checked.failed_folders == 0
    assert bench.adds_up()


@pytest.mark.parametrize(
    "lie",
    [
        b"IMAP4rev1 CONDSTORE",
        b"IMAP4rev1 LIST-STATUS SPECIAL-USE",
        b"IMAP4rev1 OBJECTID",
        b"IMAP4rev1 IDLE NAMESPACE ENABLE QRESYNC",
    ],
)
def test_a_capability_list_that_lies_costs_no_message(bench: Bench, lie: bytes) -> None:
    bench.server.capabilities = lie
    no = b"TAG BAD What is that?\r\n"
    bench.server.answers = {b'LIST "" "*" RETURN': no, b"ENABLE": no, b"IDLE": no}
    bench.server.refuses = (b"HIGHESTMODSEQ", b"MAILBOXID", b"CHANGEDSINCE", b"EMAILID")
    bench.server.messages = {1: MAIL[1]}
    bench.sync()
    bench.server.messages = dict(MAIL)
    bench.clock.advance(hours=2)

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert sorted(copies(bench.store)) == sorted(MAIL.values())
    assert bench.adds_up()


def test_a_server_that_does_not_say_that_it_speaks_imap4_is_told_as_such(bench: Bench) -> None:
    bench.server.capabilities = b"IMAP2"

    with pytest.raises(RemoteError, match="not IMAP4 compliant"):
        bench.sync()


def test_a_modseq_that_cannot_be_asked_for_holds_up_no_flags(bench: Bench) -> None:
    """STATUS tells HIGHESTMODSEQ, but CHANGEDSINCE is refused."""
    bench.server.capabilities = b"IMAP4rev1 CONDSTORE"
    bench.server.messages = {1: MAIL[1], 2: MAIL[2]}
    counts = b'* STATUS "INBOX" (MESSAGES 2 UIDNEXT 3 UNSEEN %d UIDVALIDITY 1 HIGHESTMODSEQ %d)\r\n'
    bench.server.answers = {b"STATUS": counts % (0, 5)}
    bench.server.refuses = (b"CHANGEDSINCE",)
    bench.sync()
    bench.server.flags = {1: "\\Flagged"}
    bench.server.answers = {b"STATUS": counts % (1, 6)}

    checked = bench.sync()

    assert checked.failed_folders == 0
    assert bench.flags() == {1: ("\\Flagged",), 2: ("\\Seen",)}


def test_a_modseq_of_another_uidvalidity_hides_no_flag(bench: Bench) -> None:
    """The folder is made anew between STATUS and EXAMINE."""
    bench.server.capabilities = b"IMAP4rev1 CONDSTORE"
    bench.server.messages = {1: MAIL[1], 2: MAIL[2]}
    bench.server.uidvalidity = 2
    counts = (
        b'* STATUS "INBOX" (MESSAGES 2 UIDNEXT 3 UNSEEN %d UIDVALIDITY %d HIGHESTMODSEQ %d)\r\n'
    )
    since_500 = b"UID FETCH 1:4294967295 (FLAGS) (CHANGEDSINCE 500)"
    bench.server.answers = {b"STATUS": counts % (0, 1, 500), since_500: b""}
    bench.sync()
    bench.server.flags = {1: "\\Flagged"}
    bench.server.answers[b"STATUS"] = counts % (1, 2, 600)

    bench.sync()

    assert bench.flags() == {1: ("\\Flagged",), 2: ("\\Seen",)}


@pytest.mark.parametrize("where", [b"STATUS", b"EXAMINE", b"UID SEARCH", b"UID FETCH"])
def test_a_limit_in_mid_check_ends_it_and_counts_nothing_against_the_mail(
    bench: Bench, where: bytes
) -> None:
    words = b"TAG NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)\r\n"
    bench.server.messages = dict(MAIL)
    bench.server.answers = {where: words}

    with pytest.raises(Throttled):
        bench.sync()
    failures = bench.failures()
    bench.server.answers = {}
    bench.sync()

    assert failures == {}
    assert sorted(copies(bench.store)) == sorted(MAIL.values())
    assert bench.adds_up()


def test_a_limit_that_follows_a_refusal_is_one_too(bench: Bench) -> None:
    """Seen from Microsoft 365: BAD with the wait, then BYE."""
    bench.server.messages = dict(MAIL)
    words = b"TAG BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds\r\n"
    bench.server.answers = {b"UID FETCH": words + b"* BYE Connection closed. 14\r\n"}

    with pytest.raises(Throttled) as raised:
        bench.sync()

    assert raised.value.wait is not None
    assert raised.value.wait.total_seconds() == 89.117


def test_a_folder_that_is_always_limited_holds_up_no_other(bench: Bench) -> None:
    bench.server.messages = dict(MAIL)
    limited = b"TAG NO [OVERQUOTA] Folder exceeded bandwidth limits.\r\n"
    bench.server.answers = {
        b"LIST": b'* LIST () "/" INBOX\r\n* LIST () "/" Archive\r\n',
        b'EXAMINE "INBOX"': limited,
        b"EXAMINE INBOX": limited,
    }

    for _ in range(2):
        with pytest.raises(Throttled):
            bench.sync()

    archive = {folder.name: folder for folder in folders.of_account(bench.store, bench.account.id)}
    assert archive["Archive"].checked_at is not None
    assert len(copies(bench.store)) == 3


def test_uids_named_twice_are_read_once(bench: Bench) -> None:
    bench.server.messages = dict(MAIL)
    bench.server.answers = {b"UID SEARCH ALL": b"* SEARCH 1 1 2 3 3 3\r\n"}

    bench.sync()
    bench.sync()

    assert sorted(copies(bench.store)) == sorted(MAIL.values())
    assert bench.adds_up()


def test_a_folder_without_a_uidvalidity_is_read_and_doubles_nothing(bench: Bench) -> None:
    bench.server.messages = dict(MAIL)
    bench.server.answers = {
        b"EXAMINE": b"* 3 EXISTS\r\n",
        b"STATUS": b'* STATUS "INBOX" (MESSAGES 3 UNSEEN 0)\r\n',
    }

    for _ in range(3):
        bench.sync()
        bench.clock.advance(hours=2)

    assert sorted(copies(bench.store)) == sorted(MAIL.values())
    assert bench.adds_up()


@pytest.mark.parametrize("date", [b'"99-Foo-2025 10:00:00 +0100"', b"NIL", b'""', b"7"])
def test_a_message_without_a_date_of_arrival_has_arrived_now(bench: Bench, date: bytes) -> None:
    bench.server.messages = {1: MAIL[1]}
    told = b"* 1 FETCH (UID 1 RFC822.SIZE 9 INTERNALDATE " + date + b" FLAGS ())\r\n"
    bench.server.answers = {b"UID FETCH 1 (RFC822.SIZE": told}

    bench.sync()

    (received_at,) = bench.store.archive.conn.execute(
        "select received_at from locations"
    ).fetchone()
    assert received_at == int(bench.clock().timestamp())
    assert copies(bench.store) == [MAIL[1]]
