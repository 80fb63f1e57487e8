"""The acceptance list of reliability.md: the parser survives everything."""

import base64
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail import ParsedMail, decode_leaf, display, leaf_text, parse
from app.model import Address

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def corpus(name: str) -> bytes:
    return (CORPUS / f"{name}.eml").read_bytes()


def types(mail: ParsedMail) -> list[str]:
    return [leaf.content_type for leaf in mail.leaves]


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_parsed(raw: bytes) -> None:
    mail = parse(raw)

    assert len(mail.content_digest) == 32


PIECES = st.sampled_from(
    (
        b'--b|--b--|\r\n|\n|\r|Content-Type: |text/html|=?utf-8?b?|?=|To: |"|<a@b>|; name*0*=|%ff'
        b"|=|\xff|\0"
        b"|<div>| |Content-Transfer-Encoding: base64\n|charset=utf-7|Date: 1 Jan|message/rfc822|"
        + MIXED
    ).split(b"|")
)


@given(st.lists(PIECES, max_size=40).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_leaves_lie_in_order_whatever_the_pieces(raw: bytes) -> None:
    mail = parse(raw)

    edges = [edge for leaf in mail.leaves for edge in (leaf.start, leaf.end)]
    assert edges == sorted(edges)
    assert all(edge <= len(raw) for edge in edges)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_a_base64_leaf_gives_its_bytes_back(content: bytes) -> None:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    raw = MIXED + b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--\r\n"

    leaf = parse(raw).leaves[0]

    assert decode_leaf(raw, leaf) == content
    assert raw[leaf.start : leaf.end] == encoded


def test_one_bad_header_does_not_hide_the_message() -> None:
    raw = b'Cc: \xff<<"(@,;=?x?b?%?=\r\nDate: never\r\nSubject: still here\r\n\r\nbody\r\n'

    mail = parse(raw)

    assert (mail.subject, mail.text.strip()) == ("still here", "body")
    assert "no readable date" in mail.defects


@pytest.mark.parametrize(
    ("charset", "encoded", "text"),
    [
        ("x-gbk", b"\xc4\xe3", "你"),
        ("iso-8859-8-i", b"\xf9\xec", "של"),
        ("x-mac-cyrillic", b"\x80\xe0", "Аа"),
        ("windows-874", b"\xa1", "ก"),
        ("cp-1250", b"\xb3\xf3d\x9f", "łódź"),
        ("DEFAULT", "łódź".encode(), "łódź"),
        ("unknown-8bit", b"caf\xe9", "café"),
        ("no-such-charset", b"\x93a\x94", "“a”"),
        ("us-ascii", "łódź".encode(), "łódź"),
        ("hex", b"6162", "6162"),
    ],
)
def test_odd_charsets_are_read(charset: str, encoded: bytes, text: str) -> None:
    raw = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + encoded

    mail = parse(raw)

    assert mail.text == text


def test_undeclared_polish_bytes_are_read_as_cp1250() -> None:
    assert parse(corpus("undeclared-cp1250")).text.strip() == "Wysłałem żółte kartki"


def test_raw_utf8_in_headers_is_read() -> None:
    mail = parse(corpus("raw-utf8-header"))

    assert mail.subject == "Zażółć gęślą"
    assert mail.sender == Address("Łukasz", "l@b.example")


def test_encoded_word_split_inside_a_character_is_joined() -> None:
    assert parse(corpus("word-split-inside-character")).subject == "żółć"


def test_raw_latin1_inside_an_encoded_word_is_read() -> None:
    assert parse(corpus("latin1-inside-encoded-word")).subject == "Grüße"


def test_multipart_without_boundary_guesses_it() -> None:
    part = b"--x\r\nContent-Type: text/html\r\n\r\n<p>hi\r\n--x--\r\n"
    raw = b"Content-Type: multipart/mixed\r\n\r\n" + part

    mail = parse(raw)

    assert (types(mail), mail.text) == (["text/html"], "hi")
    assert "multipart without boundary" in mail.defects


def test_multipart_with_another_boundary_than_declared_is_split() -> None:
    mail = parse(corpus("boundary-other-than-declared"))

    assert (types(mail), mail.text) == (["text/plain", "text/html"], "plain")


def test_multipart_without_parts_is_one_text() -> None:
    mail = parse(MIXED + b"nothing delimits this\r\n")

    assert mail.text.strip() == "nothing delimits this"
    assert "multipart without parts" in mail.defects


def test_multipart_without_end_keeps_its_last_part() -> None:
    raw = MIXED + b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n"

    mail = parse(raw)

    assert [raw[leaf.start : leaf.end] for leaf in mail.leaves] == [b"one", b"two\r\n"]
    assert "multipart without end" in mail.defects


def test_boundary_declared_twice_splits_both_levels() -> None:
    inner = b"--b\n\ninner one\n--b\n\ninner two\n--b--\n"
    raw = MIXED + b"--b\n" + MIXED + inner + b"--b\n\nouter\n--b--\n"

    mail = parse(raw)

    assert mail.text == "inner one\n\ninner two\n\nouter"


def test_missing_separator_begins_the_body() -> None:
    mail = parse(b"Subject: x\r\nno header this\r\nnor this\r\n")

    assert mail.text == "no header this\nnor this"
    assert "no blank line after the header" in mail.defects


def test_a_separator_of_one_space_hides_no_part() -> None:
    assert parse(corpus("separator-of-one-space")).text == "first\n\nsecond"


def test_a_stray_line_does_not_end_the_header() -> None:
    mail = parse(corpus("stray-line-in-header"))

    assert (mail.subject, mail.text) == ("still read", "body")
    assert "line that is no header field" in mail.defects


def test_mbox_line_first_is_passed_over() -> None:
    mail = parse(b"From jan@b.example Thu Jan  1 00:00:00 1970\nSubject: x\n\nbody\n")

    assert (mail.subject, mail.text) == ("x", "body")


def test_lines_ended_by_cr_alone_are_split() -> None:
    raw = corpus("lines-end-in-cr")

    mail = parse(raw)

    assert [raw[leaf.start : leaf.end] for leaf in mail.leaves] == [b"one", b"two"]


def test_of_repeated_headers_the_first_counts_and_all_are_kept() -> None:
    mail = parse(b"Subject: one\r\nSUBJECT: two\r\n\r\n")

    assert mail.subject == "one"
    assert mail.headers == (("Subject", "one"), ("SUBJECT", "two"))


def test_display_removes_nul_surrogates_and_overrides() -> None:
    assert display("a\0b\ud800c\u202ed\u2066e") == "abcde"


def test_nul_leaves_derived_text_only() -> None:
    raw = b"Subject: a\0b\r\n\r\nc\0d"

    mail = parse(raw)

    assert (mail.subject, mail.text) == ("ab", "cd")
    assert decode_leaf(raw, mail.leaves[0]) == b"c\0d"


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (b"Fri, 01 Jan 1904 00:00:00 +0000", datetime(1904, 1, 1, tzinfo=UTC)),
        (b"Wed, 1 Jan 2098 12:00:00 +0100", datetime(2098, 1, 1, 11, tzinfo=UTC)),
        (b"Wed, 1 Jan 2020 12:00:60 -0000", datetime(2020, 1, 1, 12, 0, 59, tzinfo=UTC)),
        (b"Wed, 99 Foo 2020", None),
        (b"1 Jan 99999999999 00:00 +9999999", None),
    ],
)
def test_odd_dates_are_read_or_none(date: bytes, moment: datetime | None) -> None:
    assert parse(b"Date: " + date + b"\r\n\r\n").sent_at == moment


def test_no_date_is_none() -> None:
    assert parse(b"Subject: x\r\n\r\n").sent_at is None


def test_empty_message_has_one_empty_leaf() -> None:
    mail = parse(b"")

    assert [(leaf.start, leaf.end) for leaf in mail.leaves] == [(0, 0)]


def test_headers_only_have_one_empty_leaf() -> None:
    raw = b"Subject: x"

    mail = parse(raw)

    assert mail.subject == "x"
    assert [(leaf.start, leaf.end) for leaf in mail.leaves] == [(10, 10)]


def test_an_attached_message_is_one_leaf() -> None:
    inner = b"Subject: inner\r\n" + MIXED.replace(b"=b", b"=c") + b"--c\r\n\r\nx\r\n--c--\r\n"
    raw = MIXED + b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b--\r\n"

    mail = parse(raw)

    assert types(mail) == ["message/rfc822"]
    assert mail.leaves[0].is_attachment
    assert decode_leaf(raw, mail.leaves[0]) == inner


@pytest.mark.parametrize("content_type", ["application/ms-tnef", "application/x-yencoded"])
def test_tnef_and_yenc_are_offered_raw(content_type: str) -> None:
    raw = f"Content-Type: {content_type}\r\n\r\n=ybegin size=1".encode()

    mail = parse(raw)

    assert mail.leaves[0].is_attachment
    assert decode_leaf(raw, mail.leaves[0]) == b"=ybegin size=1"


def test_uuencode_is_offered_raw() -> None:
    raw = b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n"

    assert decode_leaf(raw, parse(raw).leaves[0]) == b"begin 644 a\r\n"


def test_five_thousand_recipients_are_all_kept() -> None:
    to = b",\r\n ".join(b'"N, %d" <u%d@b.example>' % (n, n) for n in range(5000))

    mail = parse(b"To: " + to + b"\r\n\r\n")

    assert len(mail.to) == 5000
    assert mail.to[4999] == Address("N, 4999", "u4999@b.example")


def test_two_thousand_nested_parts_end_in_one_leaf() -> None:
    level = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    raw = b"".join(level % (n, n) for n in range(2000)) + b"\ndeep\n"

    mail = parse(raw)

    assert len(mail.leaves) == 1
    assert mail.leaves[0].end == len(raw)
    assert "nested deeper than 50" in mail.defects


def test_a_hundred_thousand_parts_end_in_one_leaf() -> None:
    raw = MIXED + b"--b\n\nx\n" * 100_000

    mail = parse(raw)

    assert len(mail.leaves) == 1000
    assert mail.leaves[-1].end == len(raw)
    assert "more than 1000 parts" in mail.defects


def test_parameter_bombs_are_cut() -> None:
    bomb = b"".join(b";\r\n name*%d*=%%41" % n for n in range(5000))

    mail = parse(b"Content-Type: text/plain" + bomb + b"\r\n\r\nbody")

    assert mail.text == "body"
    assert set(mail.leaves[0].filename) == {"A"}


def test_a_fifty_megabyte_attachment_costs_little_memory() -> None:
    head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = head + b"QUJD" * (50_000_000 // 3)

    tracemalloc.start()
    mail = parse(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert mail.leaves[0].is_attachment
    assert peak < 150_000_000


@pytest.mark.parametrize("size", [70_000, 1_100_000])
def test_oversized_headers_are_flagged(size: int) -> None:
    mail = parse(b"Subject: " + b"x" * size + b"\r\nFrom: a@b.example\r\n\r\nbody")

    assert mail.subject.startswith("xxx")
    assert mail.text == "body"
    assert "header field too large" in mail.defects


def test_more_text_than_the_limit_is_flagged() -> None:
    raw = b"\r\n" + b"hello a b\n" * 1_100_000

    mail = parse(raw)

    assert "more than 10 MB of text" in mail.defects
    assert mail.leaves[0].end == len(raw)


def test_html_body_is_read_beside_a_plain_footer() -> None:
    assert parse(corpus("html-only-with-footer")).text == "The offer\n\nlist footer"


def test_html_takes_its_charset_from_its_meta_tag() -> None:
    raw = b'Content-Type: text/html\r\n\r\n<meta charset="iso-8859-2">\xb1'

    mail = parse(raw)

    assert mail.text == "ą"
    assert mail.html is not None
    assert leaf_text(raw, mail.html).endswith("ą")
