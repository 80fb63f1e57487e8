"""Mail of every shape, sound and broken, by chance: what recipes must give back exactly."""

import base64
import binascii
import quopri
import random

ENCODINGS = ("", "7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "BASE64 ")
TYPES = (
    "text/plain; charset=utf-8",
    "text/html",
    "image/png",
    "application/pdf",
    "message/rfc822",
    "nonsense",
)


def mail(chance: random.Random) -> bytes:
    """One mail, or bytes that only look a little like one."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(600))
    end = chance.choice((b"\n", b"\r\n", b"\r\n", b"\r"))
    head = end.join(
        (
            b"From: Jan <jan@spostex.pl>",
            b"Subject: " + chance.choice((b"Beton", "Zaprawa żółta".encode(), b"=?utf-8?q?=C5?=")),
            b"Message-ID: <%d@spostex.pl>" % chance.randrange(10**9),
        )
    )
    raw = head + end + _entity(chance, end, depth=0)
    return _damaged(chance, raw) if chance.random() < 0.3 else raw


def _entity(chance: random.Random, end: bytes, *, depth: int) -> bytes:
    if depth < 4 and chance.random() < 0.45:
        return _multipart(chance, end, depth=depth)
    encoding = chance.choice(ENCODINGS)
    head = b"Content-Type: " + chance.choice(TYPES).encode() + end
    if encoding:
        head += b"Content-Transfer-Encoding: " + encoding.encode() + end
    return head + end + _body(chance, encoding.strip().lower(), end)


def _multipart(chance: random.Random, end: bytes, *, depth: int) -> bytes:
    boundary = chance.choice((b"x", b"==_y", b"--z--", b"a b", b"x-x"))
    kind = chance.choice((b"mixed", b"alternative", b"related", b"digest"))
    parts = [_entity(chance, end, depth=depth + 1) for _ in range(chance.randrange(4))]
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"' + end + end
    body = b"".join(b"--" + boundary + end + part + end for part in parts)
    closing = chance.choice((b"--" + boundary + b"--", b"--" + boundary + b"--" + end, b""))
    return head + chance.choice((b"", b"preamble" + end)) + body + closing


def _body(chance: random.Random, encoding: str, end: bytes) -> bytes:
    content = chance.choice((_words, _bytes, _same))(chance)
    if encoding == "base64":
        return _in_base64(chance, content, end)
    if encoding == "quoted-printable":
        return quopri.encodestring(content).replace(b"\n", end)
    if encoding == "x-uuencode":
        lines = (content[at : at + 45] for at in range(0, len(content), 45))
        return b"begin 644 a.bin" + end + b"".join(map(binascii.b2a_uu, lines)) + b"end" + end
    return content


def _words(chance: random.Random) -> bytes:
    words = ("beton", "łopata", "faktura", "From", ">From", ".", "--x", "=", "\t", " \n", "\r\n")
    return " ".join(chance.choices(words, k=chance.randrange(80))).encode()


def _bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(400))


def _same(chance: random.Random) -> bytes:
    return chance.choice((b"\0", b"A", b"=\n", b"\r", b"-")) * chance.randrange(400)


def _in_base64(chance: random.Random, content: bytes, end: bytes) -> bytes:
    """Lines of any length, any end, with or without padding, comment, blank or torn lines."""
    text = base64.b64encode(content)
    width = chance.choice((4, 60, 64, 72, 76, 76, 76, 998, 75, 10**6))
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    ends = [chance.choice((b"\n", b"\r\n", end)) if chance.random() < 0.02 else end for _ in lines]
    made = b"".join(line + ending for line, ending in zip(lines, ends, strict=True))
    quirk = chance.random()
    if quirk < 0.3:
        return made.removesuffix(end)
    if quirk < 0.4:
        return made.replace(b"=", b"")
    if quirk < 0.5:
        return made + chance.choice((b"-- ", b"=", b"\0", end * 3, b"footer of a list" + end))
    return made


def _damaged(chance: random.Random, raw: bytes) -> bytes:
    at = chance.randrange(len(raw) + 1)
    kind = chance.randrange(4)
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[:at] + chance.randbytes(3) + raw[at:]
    if kind == 2:
        return raw[:at] + raw[at + 5 :]
    return raw[:at] + raw[: at // 2] + raw[at:]
