"""A large message comes in pieces: it is stored whole or not at all."""

from collections.abc import Callable

import pytest

from app.sync.remote import Remote
from tests.sync.conftest import Bench, Mailbox, copies, raw_mail

MIB = 1 << 20
LARGE = raw_mail(1, "0123456789abcde\n" * 300_000)


def expunge(mailbox: Mailbox) -> None:
    mailbox.server.expunge(mailbox.user, "INBOX", 1)


def move(mailbox: Mailbox) -> None:
    mailbox.server.move(mailbox.user, "INBOX", 1, "Later")


def after_first_piece(happens: Callable[[], None]) -> Callable[[Remote, int, int], bytes | None]:
    """Remote._piece, but something happens between the first piece and the second."""
    piece, due = Remote._piece, [happens]

    def piece_then(remote: Remote, uid: int, offset: int) -> bytes | None:
        if offset and due:
            due.pop()()
        return piece(remote, uid, offset)

    return piece_then


@pytest.mark.dovecot
@pytest.mark.parametrize(("happens", "stored"), [(expunge, []), (move, [LARGE])])
def test_a_large_message_taken_away_while_it_comes_leaves_no_stump(
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Mailbox], None],
    stored: list[bytes],
) -> None:
    mailbox.append("INBOX", LARGE)
    mailbox.append("Later")
    monkeypatch.setattr(Remote, "_piece", after_first_piece(lambda: happens(mailbox)))

    mailbox.sync()
    mailbox.sync()

    assert mailbox.copies() == stored
    assert mailbox.adds_up()


@pytest.mark.parametrize("told", [b"", b"NIL", b'""'], ids=["nothing", "nil", "empty"])
def test_a_piece_that_is_not_given_is_no_end(bench: Bench, told: bytes) -> None:
    bench.server.messages = {1: LARGE}
    answer = b"* 1 FETCH (UID 1 BODY[]<2097152> " + told + b")\r\n" if told else b""
    bench.server.answers = {b"UID FETCH 1 (BODY.PEEK[]<2097152.": answer}

    bench.sync()
    before = copies(bench.store), bench.failures()
    bench.server.answers = {}
    bench.sync()

    assert before == ([], {1: 1})
    assert copies(bench.store) == [LARGE]
    assert bench.adds_up()


def test_a_short_piece_is_no_end(bench: Bench) -> None:
    bench.server.messages = {1: LARGE}
    bench.server.sizes = {1: 4_000_001}
    short = LARGE[4 * MIB : 4 * MIB + 9]
    answer = b"* 1 FETCH (UID 1 BODY[]<4194304> {9}\r\n" + short + b")\r\n"
    bench.server.answers = {b"UID FETCH 1 (BODY.PEEK[]<4194304.": answer}

    bench.sync()

    assert copies(bench.store) == [LARGE]


@pytest.mark.parametrize("announced", [4_000_001, 4 * MIB, len(LARGE) + 1, 90_000_000])
def test_a_large_message_is_read_to_its_end_whatever_size_is_announced(
    bench: Bench, announced: int
) -> None:
    bench.server.messages = {1: LARGE}
    bench.server.sizes = {1: announced}

    bench.sync()

    assert copies(bench.store) == [LARGE]
    assert bench.failures() == {}


def test_a_large_message_that_ends_with_a_piece_is_whole(bench: Bench) -> None:
    whole = LARGE[: 4 * MIB]
    bench.server.messages = {1: whole}
    bench.server.answers = {b"UID FETCH 1 (BODY.PEEK[]<4194304.": b""}

    bench.sync()

    assert copies(bench.store) == [whole]
