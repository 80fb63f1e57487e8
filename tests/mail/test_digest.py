"""One message, many copies: what the content digest counts."""

import base64
import quopri

import pytest

from app.mail import parse

HEAD = b"From: Jan <jan@b.example>\r\nSubject: offer\r\nDate: Wed, 1 Jan 2020 12:00:00 +0000\r\n"
TEXT = "Zażółć gęślą jaźń\r\nsecond line\r\n"


def digest(head: bytes, body: bytes) -> bytes:
    return parse(HEAD + head + b"\r\n" + body).content_digest


ORIGINAL = digest(b"Content-Type: text/plain; charset=utf-8\r\n", TEXT.encode())
COPIES = {
    "trace": (
        b"Received: by x\r\nTo: other@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n",
        TEXT.encode(),
    ),
    "charset": (b"Content-Type: text/plain; charset=iso-8859-2\r\n", TEXT.encode("iso8859-2")),
    "line ends": (
        b"Content-Type: text/plain; charset=utf-8\r\n",
        TEXT.replace("\r\n", " \n").encode() + b"\n\n",
    ),
    "base64": (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
        base64.encodebytes(TEXT.encode()),
    ),
    "quoted-printable": (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        quopri.encodestring(TEXT.encode()),
    ),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_share_the_digest(copy: str) -> None:
    assert digest(*COPIES[copy]) == ORIGINAL


def test_another_body_has_another_digest() -> None:
    assert digest(b"Content-Type: text/plain; charset=utf-8\r\n", b"other") != ORIGINAL


def test_another_subject_has_another_digest() -> None:
    one, two = parse(b"Subject: a\r\n\r\nx"), parse(b"Subject: b\r\n\r\nx")

    assert one.content_digest != two.content_digest


def test_fields_do_not_run_into_each_other() -> None:
    one = parse(b"From: ab\r\nSubject: c\r\n\r\n")
    two = parse(b"From: a\r\nSubject: bc\r\n\r\n")

    assert one.content_digest != two.content_digest


def test_an_encoded_subject_is_the_same_as_a_raw_one() -> None:
    one = parse("Subject: żółć\r\n\r\nx".encode())
    two = parse(b"Subject: =?utf-8?q?=C5=BC=C3=B3?=\r\n =?utf-8?b?xYLEhw==?=\r\n\r\nx")

    assert one.content_digest == two.content_digest
