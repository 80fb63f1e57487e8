"""FETCH answers: the short way gives what the long one does, and leaves it what is odd."""

import pytest

from app.sync import answers
from app.sync.answers import fetched_from

PLAIN = [
    b'1 (UID 7 RFC822.SIZE 3000 INTERNALDATE "03-Mar-2025 10:00:00 +0100" FLAGS (\\Seen $Foo))',
    b"2 (flags () UID 9)",
    b"3 (FLAGS (\\Answered))",
    b"4 (UID 4294967295 X-GM-MSGID 1278455344230334865 EMAILID (M6d99ac3275bb4e))",
    (b"5 (UID 11 BODY[] {5}", b"hello"),
    b")",
    (b"6 (UID 11 BODY[] {5}", b"other"),
    b")",
]
ODD = [
    b'1 (UID 7 INTERNALDATE "a\\"b" FLAGS (\\Seen))',
    b"2 (UID 8 FLAGS NIL)",
    (b"3 (BODY[] {5}", b"hello"),
    b" UID 9)",
    (b"4 (UID 10 BODY[]<0> {5}", b"hello"),
    b" FLAGS (\\Seen))",
    b'5 (UID 11 X "")',
]


def test_usual_answers_are_read_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(answers, "_any_items")

    assert fetched_from(PLAIN) == {
        7: {
            b"RFC822.SIZE": 3000,
            b"INTERNALDATE": b"03-Mar-2025 10:00:00 +0100",
            b"FLAGS": (b"\\Seen", b"$Foo"),
        },
        9: {b"FLAGS": ()},
        2**32 - 1: {b"X-GM-MSGID": 1278455344230334865, b"EMAILID": (b"M6d99ac3275bb4e",)},
        11: {b"BODY[]": None},
    }


def test_both_ways_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    short = fetched_from(PLAIN)

    monkeypatch.setattr(answers, "_plain_items", lambda lines: None)

    assert fetched_from(PLAIN) == short


def test_odd_answers_are_left_to_the_long_way() -> None:
    assert fetched_from(ODD) == {
        7: {b"INTERNALDATE": b'a"b', b"FLAGS": (b"\\Seen",)},
        8: {b"FLAGS": None},
        9: {b"BODY[]": b"hello"},
        10: {b"BODY[]<0>": b"hello", b"FLAGS": (b"\\Seen",)},
        11: {b"X": b""},
    }


@pytest.mark.parametrize(
    "torn",
    [
        [b"1 (UID 7 FLAGS (\\Seen)"],
        [(b"1 (UID 7 BODY[] {5}", b"hello")],
        [(b"1 (UID 7 BODY[] {5}", b"hello"), (b"2 (UID 8 BODY[] {5}", b"hello"), b")", b")"],
        [b"1 (UID 7 FLAGS (\\Seen)) 2"],
    ],
)
def test_what_is_torn_is_no_plain_answer(torn: list[object]) -> None:
    assert answers._plain_items(torn) is None
