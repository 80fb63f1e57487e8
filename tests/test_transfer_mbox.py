"""mbox: each dialect gives back what was put in, and none cuts or doubles a mail."""

import gzip
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transfer import mbox
from app.transfer.found import Found
from app.transfer.mbox import read_mbox, written
from tests.make import NOW

FROM = b"From a@b Fri Mar 14 08:00:00 2025\n"
HEAD = b"Subject: x\nMessage-ID: <1@x>\n"


def pieces(content: bytes) -> list:
    return list(read_mbox(io.BufferedReader(io.BytesIO(content)), "a.mbox"))


def raws(content: bytes) -> list[bytes]:
    return [piece.raw for piece in pieces(content)]


def with_length(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\n\n" % len(body) + body


def test_mboxcl2_quotes_nothing_and_may_hold_from_lines() -> None:
    mail = with_length(b"Hi\n\n" + FROM + b"Subject: inside\n\n>From me\n")

    assert raws(FROM + mail + b"\n" + FROM + mail + b"\n") == [mail, mail]


def test_a_right_length_says_that_there_was_no_last_line_end() -> None:
    mail = with_length(b"Hi")

    assert raws(FROM + mail + b"\n\n" + FROM + mail + b"\n") == [mail, mail]


@pytest.mark.parametrize("length", [0, 3, 9_999, 999_999_999])
def test_a_wrong_length_counts_for_nothing(length: int) -> None:
    mail = HEAD + b"Content-Length: %d\n\nHello\n\nWorld\n" % length

    assert raws(FROM + mail + b"\n" + FROM + mail) == [mail, mail]


def test_gmails_file_has_zones_in_its_from_lines_and_crlf() -> None:
    mail = b"X-GM-THRID: 1\r\nSubject: x\r\n\r\nHi\r\n"
    line = b"From 1826547890123456789@xxx Fri Mar 14 08:00:00 +0000 2025\r\n"

    found = pieces(line + mail + b"\r\n" + line + mail + b"\r\n")

    assert [piece.raw for piece in found] == [mail, mail]
    assert found[0].received_at == datetime(2025, 3, 14, 8, tzinfo=UTC)


def test_thunderbirds_file_has_bare_from_lines() -> None:
    mail = b"X-Mozilla-Status: 0001\nSubject: x\n\nFrom \nhere on\n"

    assert raws(b"From \n" + mail + b"\nFrom -\n" + mail + b"\nFrom - \r\n" + mail) == [mail] * 3


def test_a_line_of_text_that_looks_like_a_from_line_cuts_nothing() -> None:
    mail = HEAD + b"\nHi\n\nFrom Monday 10:00 on we are closed, until 2026\nBye\n"

    assert raws(FROM + mail + b"\n" + FROM + mail) == [mail, mail]


@pytest.mark.parametrize(
    ("headers", "flags"),
    [
        (b"", ("\\Seen",)),
        (b"Status: RO\n", ("\\Seen",)),
        (b"Status: O\n", ()),
        (b"Status: RO\nX-Status: AF\n", ("\\Answered", "\\Flagged", "\\Seen")),
        (b"X-Status: DT\n", ("\\Deleted", "\\Draft", "\\Seen")),
        (b"X-Mozilla-Status: 0000\r\n", ()),
        (b"X-Mozilla-Status: 0007\n", ("\\Answered", "\\Flagged", "\\Seen")),
        (b"X-Mozilla-Status: 0009\n", ("\\Deleted", "\\Seen")),
        (b"X-Mozilla-Status: junk\n", ()),
    ],
)
def test_flags_are_those_of_the_headers_and_read_where_they_say_nothing(headers, flags) -> None:
    (found,) = pieces(FROM + headers + HEAD + b"\nStatus: O\n")

    assert found.flags == flags


def test_a_message_that_is_too_large_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "LARGEST_MESSAGE", 1_000)
    monkeypatch.setattr(mbox, "CHUNK_BYTES", 100)
    mail = HEAD + b"\nHi\n"

    for size in range(900, 2_300, 7):
        large = HEAD + b"\n" + b"x\n" * (size // 2)
        first, second = pieces(FROM + large + b"\n" + FROM + mail)
        assert (first.raw if isinstance(first, Found) else b"") in (large, b"")
        assert isinstance(first, Found) == (len(large) <= 1_000)
        assert second.raw == mail


def test_the_end_of_a_cut_file_is_refused_and_the_rest_is_there() -> None:
    mails = [HEAD + b"\n" + bytes(str(n), "ascii") * 9_000 + b"\n" for n in range(50)]
    packed = gzip.compress(b"".join(FROM + mail + b"\n" for mail in mails))

    cut = gzip.GzipFile(fileobj=io.BytesIO(packed[: len(packed) // 2]))
    *whole, last = list(read_mbox(cut, "a.mbox.gz"))

    assert 0 < len(whole) < 50
    assert [piece.raw for piece in whole] == mails[: len(whole)]
    assert last.reason.startswith("a.mbox.gz is damaged (Compressed file ended")


LINES = st.sampled_from(
    [b"", b"From ", b">From x", b">>From ", FROM, b"From me", b"text", b"\r", b"a\rFrom b", b"\0",
     b"Content-Length: 4", b"Subject: x"]
)  # fmt: skip
MAILS = st.one_of(
    st.binary(max_size=60),
    st.lists(LINES, max_size=8).map(b"\n".join),
    st.lists(LINES, max_size=8).map(b"\r\n".join),
)


@given(st.lists(MAILS, max_size=5))
def test_what_we_write_comes_back_byte_exact(mails: list[bytes]) -> None:
    content = b"".join(written(mail, NOW) for mail in mails)

    assert raws(content) == mails


@given(st.lists(MAILS, max_size=5), st.integers(1, 40))
def test_it_does_not_matter_how_the_bytes_come_in(mails: list[bytes], size: int) -> None:
    content = b"".join(written(mail, NOW) for mail in mails)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mbox, "CHUNK_BYTES", size)
        found = raws(content)

    assert found == mails
