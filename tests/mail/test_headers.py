"""Addresses, ids, file names."""

import pytest

from app.mail import parse, parse_addresses
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
