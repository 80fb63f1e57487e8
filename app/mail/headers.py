"""Addresses, dates and message ids out of header values."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import lru_cache

from app.mail.charsets import decode, display
from app.mail.words import collapse, decode_words, unfold
from app.model import Address

MAX_ADDRESSES = 10_000

_PLAIN_ADDRESS = rb"([!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9.\-_]+)"
_SIMPLE = re.compile(
    rb'(?:"([^"\\<>\x80-\xff]*+)"|([^"\\<>(),;:@\x80-\xff]*+))\s*<' + _PLAIN_ADDRESS + rb">\s*"
)
_BARE = re.compile(rb"\s*" + _PLAIN_ADDRESS + rb"\s*")
_TOKEN = re.compile(
    r"(?P<word>=\?[^?\s]{1,64}\?[bBqQ]\?[^?]*\?=)"
    r'|"(?P<quoted>(?:[^"\\]++|\\.)*+)(?:"|$)'
    r"|<(?P<angle>[^<>]*+)>?"
    r"|\((?P<comment>[^()]*+)\)"
    r"|(?P<mark>[,;][,;\s]*+|[:()>])"
    r'|(?P<atom>[^\s"<>(),;:]++)',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_USUAL_DATE = re.compile(
    rb"(?:[A-Z][a-z]{2},\s+)?(\d\d?)\s+([A-Z][a-z]{2})\s+([1-9]\d{3})\s+"
    rb"(\d\d):(\d\d):(\d\d)\s+([+-])(\d\d)(\d\d)(?:\s+\([A-Z]{1,5}\))?"
)
_MONTHS = {
    name: at
    for at, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_MESSAGE_ID = re.compile(r"<([^<>]+)>")
_SPACES = re.compile(r"\s+")
_MAX_IDS = 2_000
_USUAL_LENGTH = 300
_MAX_ID_LENGTH = 998


def parse_addresses(raw: bytes) -> tuple[Address, ...]:
    """The mailboxes of an address header, in order; groups are opened, their names dropped.

    `"Doe, J." <J@X.org>, list: a@b;` gives `(Address("Doe, J.", "j@x.org"), Address("", "a@b"))`.
    """
    return _parse_usual(raw) if len(raw) <= _USUAL_LENGTH else _parse_addresses(raw)


def _parse_addresses(raw: bytes) -> tuple[Address, ...]:
    simple = _SIMPLE.fullmatch(raw) if b"=?" not in raw else None
    if simple:
        name = (simple[1] or simple[2] or b"").decode("ascii")
        return (Address(display(collapse(name)), simple[3].decode("ascii").lower()),)
    bare = _BARE.fullmatch(raw)
    if bare:
        return (Address("", bare[1].decode("ascii").lower()),)
    text = unfold(decode(raw, ""))
    found: list[Address] = []
    for address in _read_mailboxes(_balanced(text)):
        found.append(address)
        if len(found) == MAX_ADDRESSES:
            break
    return tuple(found)


_parse_usual = lru_cache(maxsize=1024)(_parse_addresses)
"""Most address headers are those of a mail shortly before."""


def parse_date(raw: bytes) -> datetime | None:
    """The moment a Date header claims, in UTC; None where no date can be read in it."""
    usual = _USUAL_DATE.fullmatch(raw)
    try:
        return _usual_date(usual) if usual else _any_date(raw)
    # The library's reader raises several kinds on malformed dates.
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError):
        return None


def _usual_date(found: re.Match[bytes]) -> datetime:
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    moment = datetime(
        *(int(year), _MONTHS[month], int(day)),
        *(int(hour), int(minute), min(int(second), 59)),
        tzinfo=UTC,
    )
    return _at_greenwich(moment, int(sign + b"1") * (int(hours) * 3600 + int(minutes) * 60))


def _any_date(raw: bytes) -> datetime | None:
    text = raw[:200].decode("ascii", "replace").replace("\r", " ").replace("\n", " ")
    parts = parsedate_tz(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = parts[:6]
    moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    return _at_greenwich(moment, parts[9] or 0)


def _at_greenwich(moment: datetime, offset_seconds: int) -> datetime:
    """An offset of more than a day is none."""
    return moment - timedelta(seconds=offset_seconds if abs(offset_seconds) <= 86_400 else 0)


def parse_ids(raw: bytes) -> list[str]:
    """The message ids of a Message-ID, References or In-Reply-To, in order, without <>."""
    text = display(decode(raw, ""))
    ids = [_SPACES.sub("", found) for found in _MESSAGE_ID.findall(text)]
    if not ids:
        ids = [word.strip("<>,;\"'") for word in text.split() if "@" in word]
    return [one[:_MAX_ID_LENGTH] for one in ids if one][:_MAX_IDS]


def parse_message_id(raw: bytes) -> str:
    """The first id of a Message-ID header; what stands there where it has no brackets; or ""."""
    ids = parse_ids(raw)
    if ids:
        return ids[0]
    return _SPACES.sub("", display(decode(raw, ""))).strip("<>")[:_MAX_ID_LENGTH]


def _balanced(text: str) -> str:
    """The text, with quotes or brackets taken out where they do not come in pairs.

    Otherwise one stray quotation mark would swallow every recipient after it.
    """
    plain = _ESCAPED.sub("", text) if "\\" in text else text
    if plain.count('"') % 2:
        text = text.replace('"', " ")
    if plain.count("(") != plain.count(")"):
        text = text.replace("(", " ").replace(")", " ")
    return text


def _read_mailboxes(text: str) -> Iterator[Address]:
    """One mailbox after another; linear in the length of the text."""
    words: list[str] = []
    comments: list[str] = []
    angle: str | None = None
    depth = 0
    for token in _TOKEN.finditer(text):
        kind, content = token.lastgroup, token[token.lastgroup or 0]
        if content == "(" and kind == "mark":
            depth += 1
        elif content == ")" and kind == "mark":
            depth = max(0, depth - 1)
        elif kind == "comment" or depth:
            comments.append(content)
        elif kind == "angle":
            angle = angle or content
        elif kind != "mark":
            _add_word(words, kind or "", content)
        elif content == ":":
            words, comments = [], []
        elif content[0] in ",;":
            yield from _mailbox(words, comments, angle)
            words, comments, angle = [], [], None
    yield from _mailbox(words, comments, angle)


def _add_word(words: list[str], kind: str, content: str) -> None:
    if kind == "quoted" and "\\" in content:
        content = _ESCAPED.sub(r"\1", content)
    is_domain = content.startswith("@") and len(content) > 1
    if is_domain and words and "@" not in words[-1]:
        words[-1] += content
    else:
        words.append(content)


def _mailbox(words: list[str], comments: list[str], angle: str | None) -> Iterator[Address]:
    if angle is None:
        angle = next((word for word in reversed(words) if "@" in word.strip("@")), None)
        if angle is not None:
            words = [word for word in words if word != angle]
        elif len(words) == 1 and not words[0].startswith("=?"):
            angle, words = words[0], []
    name = collapse(display(decode_words(" ".join(words or comments))))
    address = _clean_address(angle or "")
    if name or address:
        yield Address(name, address)


def _clean_address(angle: str) -> str:
    """The address proper: no route (`@a,@b:c@d`), no `mailto:`, lower case where it has an @."""
    if "=?" in angle:
        angle = decode_words(angle)
    address = collapse(display(angle)).replace(" @", "@").replace("@ ", "@").strip("'\"")
    address = address.removeprefix("mailto:")
    if address.startswith("@") and ":" in address:
        address = address.partition(":")[2]
    return address.lower() if "@" in address else address
