"""What a source of mail gives: messages, and reasons for what cannot be read."""

import re
from dataclasses import dataclass
from datetime import datetime

from app.model import LARGEST_MESSAGE

SEEN = "\\Seen"
TOO_LARGE = f"is larger than {LARGEST_MESSAGE:,} bytes, the most that is read"

_STATUS = re.compile(
    rb"(?im)^(status|x-status|x-mozilla-status):[ \t]*([0-9a-z]*)[ \t]*\r?$"
)  # as mail programs write into an mbox
_LETTERS = {b"A": "\\Answered", b"F": "\\Flagged", b"D": "\\Deleted", b"T": "\\Draft"}
_MOZILLA = {0x0001: SEEN, 0x0002: "\\Answered", 0x0004: "\\Flagged", 0x0008: "\\Deleted"}


@dataclass(frozen=True, slots=True)
class Found:
    """A message. `key` names its place in the source, the same at each reading.

    `folder` is its sub-folder there, "" at the top. `received_at` (UTC) is the source's word,
    which counts where the message has none.
    """

    raw: bytes
    key: str
    folder: str = ""
    flags: tuple[str, ...] = (SEEN,)
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What is there and cannot be read: a sentence that begins with its name."""

    reason: str
    key: str
    folder: str = ""


Piece = Found | Refused


def flags_in(head: bytes) -> tuple[str, ...]:
    """The flags in the header block of an mbox's message; read where it says nothing of that.

    Thunderbird's "expunged" is \\Deleted: the message is in the file until that is compacted.
    """
    if b"tatus:" not in head:
        return (SEEN,)
    told = {name.lower(): value.upper() for name, value in _STATUS.findall(head)}
    flags = {flag for letter, flag in _LETTERS.items() if letter in told.get(b"x-status", b"")}
    mozilla = _number(told.get(b"x-mozilla-status", b""))
    flags |= {flag for bit, flag in _MOZILLA.items() if mozilla & bit}
    is_silent = b"status" not in told and b"x-mozilla-status" not in told
    if is_silent or b"R" in told.get(b"status", b""):
        flags.add(SEEN)
    return tuple(sorted(flags))


def _number(hexadecimal: bytes) -> int:
    try:
        return int(hexadecimal, 16)
    except ValueError:
        return 0
