"""Header values: unfolding, raw 8-bit text, encoded words (RFC 2047), parameters (RFC 2231)."""

import binascii
import re
from urllib.parse import unquote_to_bytes

from app.mail.charsets import codec_name, decode, display

_FOLD = re.compile(r"\r?\n[ \t]*|\r")
_SPACES = re.compile(r"\s+")
# The payload stops at the next "?", so that a megabyte of "=?" is read once.
_WORD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*)\?=")
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+("(?:[^"\\]++|\\.)*+"?|[^;]*+)', re.DOTALL)
_SEGMENT = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_ESCAPED = re.compile(r'\\(["\\])')
_COMMENT = re.compile(r"\([^()]*\)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_MAX_PARAMETERS = 200


def decode_value(raw: bytes) -> str:
    """An unstructured header value as text: unfolded, encoded words resolved, outer space gone."""
    if raw.isascii() and b"=?" not in raw:
        text = raw.decode("ascii")
        return display(unfold(text).strip())
    return display(decode_words(unfold(decode(raw, ""))).strip())


def unfold(text: str) -> str:
    """One line: RFC 5322 2.2.3, but a fold is always worth one space."""
    if "\n" not in text and "\r" not in text:
        return text
    return _FOLD.sub(" ", text)


def collapse(text: str) -> str:
    """Text with each run of white space as one space, and none at the ends."""
    return _SPACES.sub(" ", text).strip()


def decode_words(text: str) -> str:
    """Text with its encoded words resolved.

    Neighbouring words of one character set are joined as bytes before they are decoded, because
    many senders split inside a multi-byte character.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    pending, pending_charset = bytearray(), ""
    end = 0
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        charset = word[1].partition("*")[0].lower()
        is_neighbour = bool(end) and not between.strip()
        if not is_neighbour or charset != pending_charset:
            pieces.append(decode(bytes(pending), pending_charset))
            pending.clear()
        if not is_neighbour:
            pieces.append(between)
        pending += _word_bytes(charset, word[2], word[3])
        pending_charset, end = charset, word.end()
    pieces.append(decode(bytes(pending), pending_charset))
    pieces.append(text[end:])
    return "".join(pieces)


def parse_parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """The leading value and the parameters of a Content-Type or Content-Disposition, decoded.

    `text/plain; charset="utf-8"` gives `("text/plain", {"charset": "utf-8"})`. The value and the
    names are lower case; of a repeated parameter the first counts; segments (`name*0*=`) are
    joined in the order of their numbers.
    """
    text = unfold(decode(raw, ""))
    value = _COMMENT.sub("", text.partition(";")[0]).strip().strip("\"'").lower()
    if ";" not in text:
        return value, {}
    plain: dict[str, str] = {}
    segments: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(text)):
        if count == _MAX_PARAMETERS:
            break
        parts = _SEGMENT.fullmatch(found[1].lower())
        content = _unquote(found[2])
        if parts is None or (parts[2] is None and parts[3] is None):
            plain.setdefault(found[1].lower(), content)
            continue
        numbered = segments.setdefault(parts[1], {})
        numbered.setdefault(int(parts[2] or 0), (content, parts[3] is not None))
    for name, numbered in segments.items():
        plain[name] = _join_segments(numbered)
    return value, plain


def decode_base64(raw: bytes, start: int, end: int) -> bytes:
    """The bytes behind raw[start:end], reading on where a sloppy sender ended a run with "="."""
    if raw.count(b"=", start, end) <= 2:
        return _decode_run(memoryview(raw)[start:end])
    runs = re.split(rb"=+", raw[start:end], maxsplit=1000)
    return b"".join(_decode_run(memoryview(run)) for run in runs)


def _decode_run(run: memoryview) -> bytes:
    try:
        return binascii.a2b_base64(run)
    except (binascii.Error, ValueError):
        letters = _NOT_BASE64.sub(b"", run)
        whole = len(letters) - (len(letters) % 4 == 1)
        return binascii.a2b_base64(letters[:whole] + b"=" * (-whole % 4))


def _word_bytes(charset: str, encoding: str, payload: str) -> bytes:
    """The bytes an encoded word stands for; raw 8-bit letters in it go back to what they were."""
    codec = "ascii" if payload.isascii() else codec_name(charset) or "utf-8"
    raw = payload.encode(codec, "replace")
    if encoding in "bB":
        return decode_base64(raw, 0, len(raw))
    return binascii.a2b_qp(raw, header=True)


def _unquote(content: str) -> str:
    content = content.strip()
    if not content.startswith('"'):
        return content.strip("'") if content[:1] == content[-1:] == "'" else content
    inner = content[1:-1] if content.endswith('"') and len(content) > 1 else content[1:]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def _join_segments(numbered: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 3 and 4: only segments marked with a star are percent-encoded."""
    charset, joined = "", bytearray()
    for position, (content, is_encoded) in sorted(numbered.items()):
        if is_encoded and position == 0 and content.count("'") >= 2:
            charset, _, content = content.split("'", 2)
        joined += unquote_to_bytes(content) if is_encoded else content.encode("utf-8", "replace")
    return decode(bytes(joined), charset)
