"""Addresses, ids, file names."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail import parse, parse_addresses, structure
from app.mail.headers import parse_date
from app.model import Address


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (
            b'"Doe, J." <J@X.org>, list: a@b, c@d;',
            [("Doe, J.", "j@x.org"), ("", "a@b"), ("", "c@d")],
        ),
        (b"undisclosed-recipients:;", []),
        (b"jan@x.org (Jan (K.) Nowak)", [("Jan K. Nowak", "jan@x.org")]),
        (b"Jan Nowak jan@x.org", [("Jan Nowak", "jan@x.org")]),
        (b"root", [("", "root")]),
        (b"<>", []),
        (b'"Jan <jan@x.org>, Ola <ola@x.org>', [("Jan", "jan@x.org"), ("Ola", "ola@x.org")]),
        (b"=?utf-8?q?Nowak,_Jan?= <jan@x.org>", [("Nowak, Jan", "jan@x.org")]),
        (b'"=?utf-8?b?xYHDs2TFug==?=" <l@x.org>', [("Łódź", "l@x.org")]),
        (b'"john doe"@x.org', [("", "john doe@x.org")]),
        (b"<@relay,@other:jan@x.org>", [("", "jan@x.org")]),
        (
            b"Jan\r\n Nowak\r\n <jan@x.org>,,; ola@x.org",
            [("Jan Nowak", "jan@x.org"), ("", "ola@x.org")],
        ),
    ],
)
def test_addresses_are_read(raw: bytes, found: list[tuple[str, str]]) -> None:
    assert parse_addresses(raw) == tuple(Address(*one) for one in found)


def test_sender_stands_in_for_a_missing_from() -> None:
    assert parse(b"Sender: a@b.example\r\n\r\n").sender == Address("", "a@b.example")


def test_references_come_oldest_first_and_once() -> None:
    mail = parse(b"In-Reply-To: <b@x>\r\nReferences: <a@x>\r\n <b@x> <a@x>\r\n\r\n")

    assert mail.references == ("a@x", "b@x")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf"),
        ("Content-Disposition: attachment; filename*=UTF-8''%C5%82%C3%B3d%C5%BA.pdf", "łódź.pdf"),
        ("Content-Disposition: attachment; filename*1=f; filename*0=a.pd", "a.pdf"),
        ("Content-Type: application/pdf; name==?utf-8?b?xYIucGRm?=", "ł.pdf"),
        ('Content-Disposition: attachment; filename="C:\\TEMP\\a.pdf"', "a.pdf"),
        ("Content-Disposition: attachment; filename=../../etc/passwd", "passwd"),
    ],
)
def test_file_names_are_read(header: str, name: str) -> None:
    mail = parse(f"{header}\r\n\r\nx".encode())

    assert mail.leaves[0].filename == name
    assert mail.leaves[0].is_attachment


EARLIEST, LATEST = (datetime.fromisoformat(day) for day in ("1971-01-01", "2100-01-01"))
LINES = st.lists(
    st.sampled_from(
        (
            b"To: a@b.pl|Bcc: c@d.pl|BCC :e@f.pl|X-Y: z|Subject: a|subject: b| folded|\tand again"
            b"|Content-Type: text/html|Resent-Bcc: g@h.pl|no field||:|From: |\xff: x"
            b"|Date: Mon, 3 Mar 2025 10:00:00 +0100"
        ).split(b"|")
    ),
    max_size=12,
)


@given(LINES, st.sampled_from((b"\n", b"\r\n")), st.sampled_from((b"", b"From x@y.pl Mon\n")))
def test_an_ordinary_block_is_read_like_any_other(
    lines: list[bytes], end: bytes, before: bytes
) -> None:
    raw = before + end.join(lines) + end

    at_once = structure.split(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "_ORDINARY_BYTES", 0)
        field_by_field = structure.split(raw)

    assert facts(at_once) == facts(field_by_field)
    assert at_once.first.items() <= field_by_field.first.items()
    assert field_by_field.first.keys() - at_once.first.keys() <= {"x-y"}


def facts(found: structure.Structure) -> tuple[object, ...]:
    leaves = [(one.content_type, one.start, one.end) for one in found.sections]
    return found.header, found.bcc, leaves, found.defects


@given(st.datetimes(EARLIEST, LATEST), st.integers(-1439, 1439))
def test_a_usual_date_is_read_as_the_library_reads_it(moment: datetime, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    written = f"{moment:%a, %d %b %Y %H:%M:%S} {sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"

    assert parse_date(written.encode()) == parsedate_to_datetime(written).astimezone(UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        (b"Mon, 3 Mar 2025 10:00:60 +0000 (UTC)", datetime(2025, 3, 3, 10, 0, 59, tzinfo=UTC)),
        (b"3 Mar 2025 10:00:00 -9959", datetime(2025, 3, 3, 10, tzinfo=UTC)),
        (b"3 Mar 25 10:00 +0100", datetime(2025, 3, 3, 9, tzinfo=UTC)),
        (b"31 Feb 2025 10:00:00 +0100", None),
        (b"3 Mai 2025 10:00:00 +0100", None),
    ],
)
def test_an_odd_date_is_read_as_far_as_it_goes(written: bytes, moment: datetime | None) -> None:
    assert parse_date(written) == moment
