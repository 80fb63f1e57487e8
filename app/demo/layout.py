"""From text and files to the bytes of a mail, in the many ways that programs write it. Pure."""

from base64 import encodebytes
from binascii import b2a_base64, b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from urllib.parse import quote

from app.demo.attachments import Attachment

Charset = Literal["utf-8", "iso-8859-2", "windows-1250", "us-ascii"]
Encoding = Literal["8bit", "quoted-printable", "base64", "7bit"]
HeaderStyle = Literal["B", "Q", "split"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORD_BYTES = 39
"""Of text in one encoded word in base64, so that it stays under 75 characters (RFC 2047, 2)."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a mail is written; `header` is how words outside ASCII stand in its header."""

    charset: Charset = "utf-8"
    encoding: Encoding = "8bit"
    header: HeaderStyle = "B"


@dataclass(frozen=True, slots=True)
class Inline:
    """A picture inside the HTML, named by its Content-ID."""

    content_id: str
    picture: Attachment


def fitting(style: Style, text: str) -> Style:
    """The style, or UTF-8 where its charset has not all letters of the text."""
    if text.isascii() and style.charset == "utf-8" and style.encoding == "8bit":
        return Style("us-ascii", "7bit", style.header)
    try:
        text.encode(style.charset)
    except UnicodeEncodeError:
        return Style("utf-8", style.encoding, style.header)
    return style


def entity(
    text: str,
    html: str,
    *,
    style: Style,
    files: Sequence[Attachment],
    inline: Inline | None,
    random: Random,
) -> bytes:
    """The content headers and body; without `html` plain text, without `text` HTML alone."""
    body = _text("plain", text, style) if text else b""
    if html:
        shown = _text("html", html, style)
        if inline is not None:
            shown = _multipart("related", [shown, _inline(inline)], random)
        body = _multipart("alternative", [body, shown], random) if body else shown
    if files:
        body = _multipart("mixed", [body, *map(_attached, files)], random)
    return body


def date_header(at: datetime) -> str:
    """RFC 5322 3.3, in Polish local time: "Tue, 17 Mar 2026 14:12:05 +0100"."""
    hours = 2 if (3, 29) <= (at.month, at.day) < (10, 26) else 1
    local = at + timedelta(hours=hours)
    return (
        f"{_DAYS[local.weekday()]}, {local.day:02} {_MONTHS[local.month - 1]} {local.year}"
        f" {local:%H:%M:%S} +0{hours}00"
    )


def header_words(text: str, style: Style) -> str:
    """The text as it stands in a header: encoded words where it is not ASCII, folded."""
    if text.isascii():
        return text
    charset = fitting(style, text).charset
    if style.header == "split":
        return _split_word(text)
    size = _WORD_BYTES if style.header == "B" else 15
    words, row = [], b""
    for letter in text:
        encoded = letter.encode(charset)
        if len(row) + len(encoded) > size:
            words.append(row)
            row = b""
        row += encoded
    words.append(row)
    mark = "B" if style.header == "B" else "Q"
    return "\r\n ".join(f"=?{charset}?{mark}?{_word(word, style.header)}?=" for word in words)


def address_header(name: str, address: str, style: Style) -> str:
    if not name:
        return address
    if not name.isascii():
        return f"{header_words(name, style)} <{address}>"
    needs_quotes = any(letter in name for letter in '.,&@()<>[]:;"')
    return f'"{name}" <{address}>' if needs_quotes else f"{name} <{address}>"


def _split_word(text: str) -> str:
    """Cut in the middle of a letter, as programs do that count bytes: joined, it reads well."""
    raw = text.encode()
    at = next(at for at, byte in enumerate(raw) if byte & 0xC0 == 0x80)
    cuts = [*range(at % _WORD_BYTES or _WORD_BYTES, len(raw), _WORD_BYTES)]
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    return "\r\n ".join(f"=?utf-8?B?{_word(piece, 'B')}?=" for piece in pieces)


def _word(raw: bytes, style: HeaderStyle) -> str:
    if style == "B":
        return b2a_base64(raw, newline=False).decode()
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else "_" if byte == 32 else f"={byte:02X}"
        for byte in raw
    )


def _text(subtype: str, text: str, style: Style) -> bytes:
    style = fitting(style, text)
    raw = text.replace("\n", "\r\n").encode(style.charset)
    if not raw.endswith(b"\r\n"):
        raw += b"\r\n"
    if style.encoding == "quoted-printable":
        raw = b2a_qp(raw, istext=True)
    elif style.encoding == "base64":
        raw = encodebytes(raw).replace(b"\n", b"\r\n")
    head = (
        f"Content-Type: text/{subtype}; charset={style.charset}\r\n"
        f"Content-Transfer-Encoding: {style.encoding}\r\n\r\n"
    )
    return head.encode() + raw


def _multipart(subtype: str, parts: Sequence[bytes], random: Random) -> bytes:
    boundary = f"----=_Part_{random.getrandbits(64):016x}".encode()
    out = b'Content-Type: multipart/%b;\r\n boundary="%b"\r\n\r\n' % (subtype.encode(), boundary)
    out += b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return out + b"--%b--\r\n" % boundary


def _inline(inline: Inline) -> bytes:
    head = (
        f'Content-Type: {inline.picture.content_type}; name="{inline.picture.filename}"\r\n'
        "Content-Transfer-Encoding: base64\r\nContent-Disposition: inline\r\n"
        f"Content-ID: <{inline.content_id}>\r\n\r\n"
    )
    return head.encode() + _base64(inline.picture.content)


def _attached(file: Attachment) -> bytes:
    name = (
        f'filename="{file.filename}"'
        if file.filename.isascii()
        else f"filename*=utf-8''{quote(file.filename)}"
    )
    head = (
        f"Content-Type: {file.content_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {name}\r\n\r\n"
    )
    return head.encode() + _base64(file.content)


def _base64(content: bytes) -> bytes:
    return encodebytes(content).replace(b"\n", b"\r\n")
