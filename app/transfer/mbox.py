"""mbox: the dialects that are read, and the one that is written.

Where a message's Content-Length is right, i.e. where a From line or the end of the file follows,
it decides (mboxcl, mboxcl2), and the bytes are taken as they stand: mboxcl2 quotes nothing, and
nothing tells mboxcl from it. Everything else is read as mboxrd: the next From line behind a blank
line ends a message, and one ">" before "From " goes. So mboxo, Gmail's and Thunderbird's files are
read too.

What we write is mboxrd. An mbox cannot say whether a message ended with a line end, so our From
lines carry its length: "From 1234.bytes@letterbook.invalid Fri Mar 14 08:00:00 2025".
"""

import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from time import asctime
from typing import Protocol

import zstandard

from app.model import LARGEST_MESSAGE
from app.transfer.found import TOO_LARGE, Found, Piece, Refused, flags_in

BROKEN_OFF = (EOFError, OSError, zlib.error, zstandard.ZstdError)
CHUNK_BYTES = 1 << 18
LONGEST_LINE = 1_000
MOST_HEAD_BYTES = 65_536

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DATED = re.compile(
    rb"From (?:.* )??(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (" + b"|".join(_MONTHS) + rb") +(\d\d?) "
    rb"(\d\d):(\d\d)(?::(\d\d))?(?: [^ ]+)? (\d{4})(?: [+-]\d{4})?\s*\Z"
)
_LIKE_ONE = re.compile(
    rb"From \S.*\d\d:\d\d.*\d{4}|From \S+(@\S+)? +\w{3} \w{3}|From *-? *[\r\n]*\Z"
)  # only where a header follows
_FIELD = re.compile(rb">?[!-9;-~]+[ \t]*:|>From ")
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*(\d{1,9})[ \t]*\r?(?=\n)")
# Begins with what is searched for byte by byte at once: a fifth of the time of "^".
_LENGTH_BELOW = re.compile(rb"\n" + _LENGTH.pattern.removeprefix(b"(?i)"), re.IGNORECASE)
HEAD_END = re.compile(rb"\n\r?\n")
_BLANKS = re.compile(rb"(?:\r?\n){0,2}")
_OUR_LENGTH = re.compile(rb"From (\d{1,9})\.bytes@letterbook\.invalid ")
_FROM = re.compile(rb"(?m)^(>*From )")
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")


class Readable(Protocol):
    """What a plain, a gzip and a zstd file have in common."""

    def read1(self, size: int, /) -> bytes: ...


class _Stream:
    """A file read forward: `held` is what was read and not used yet, from `offset` on."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.held = bytearray()
        self.offset = 0
        self.is_at_end = False
        self.broken: Exception | None = None

    def fill(self, size_bytes: int) -> None:
        """Have so much at hand, or all there is. A file that breaks off ends there."""
        while len(self.held) < size_bytes and not self.is_at_end:
            try:
                chunk = self._file.read1(CHUNK_BYTES)
            except BROKEN_OFF as exc:
                self.broken, chunk = exc, b""
            self.held += chunk
            self.is_at_end = not chunk

    def drop(self, size_bytes: int) -> None:
        del self.held[:size_bytes]
        self.offset += size_bytes


def starts_mbox(file: Readable) -> bool:
    """Whether the first line is an mbox's; no whole message is read for that."""
    stream = _Stream(file)
    stream.fill(2 * LONGEST_LINE)
    return _separator(stream.held, 0) is not None


def read_mbox(file: Readable, name: str) -> Iterator[Piece]:
    """The messages of an mbox; where it breaks off, the last one is refused."""
    stream = _Stream(file)
    key = name
    stream.fill(2 * LONGEST_LINE)
    while (line := _separator(stream.held, 0)) is not None:
        key = f"{stream.offset} {line.decode('latin-1')}"
        stream.drop(len(line))
        piece = _next(stream, line, key, name)
        stream.fill(2 * LONGEST_LINE)
        if stream.held or not stream.broken:
            yield piece
    if stream.broken:
        yield Refused(f"{name} is damaged ({stream.broken}). What came before that is kept.", key)


def written(raw: bytes, received_at: datetime) -> bytes:
    """A message as mboxrd has it, from its From line to the blank line behind it."""
    date = asctime(received_at.astimezone(UTC).timetuple())
    line = f"From {len(raw)}.bytes@letterbook.invalid {date}\n"
    end = b"\n" if not raw or raw.endswith(b"\n") else b"\n\n"
    return line.encode() + _FROM.sub(rb">\1", raw) + end


def _next(stream: _Stream, line: bytes, key: str, name: str) -> Piece:
    """The message behind a From line; the stream is left at the next one."""
    our_length = _OUR_LENGTH.match(line)
    stream.fill(MOST_HEAD_BYTES)
    measured = None if our_length else _by_length(stream)
    size, total = measured or _by_from_line(stream)
    if size is None:
        stream.drop(total)
        return Refused(f"{name}: a message {TOO_LARGE}", key)
    with memoryview(stream.held) as held:
        raw = bytes(held[:size])
    stream.drop(total)
    if measured is None and b">From " in raw:
        raw = _QUOTED_FROM.sub(rb"\1", raw)
    if our_length and raw[int(our_length[1]) :] == b"\n":
        raw = raw[:-1]
    return Found(raw, key, "", flags_in(raw[: _head_size(raw) or MOST_HEAD_BYTES]), _date(line))


def _by_length(stream: _Stream) -> tuple[int | None, int] | None:
    """The sizes of the message and of it with the blank lines behind, by a right Content-Length."""
    head = _head_size(stream.held)
    found = _LENGTH.match(stream.held, 0, head) or _LENGTH_BELOW.search(stream.held, 0, head)
    if not found or (end := head + int(found[1])) > LARGEST_MESSAGE:
        return None
    stream.fill(end + 2 * LONGEST_LINE)
    blanks = _BLANKS.match(stream.held, end)
    if blanks is None or len(stream.held) < end:
        return None
    start = blanks.end()
    is_last = start == len(stream.held) and stream.is_at_end
    is_line_start = stream.held[start - 1 : start] == b"\n"
    if is_last or (is_line_start and _separator(stream.held, start) is not None):
        return end, start
    return None


def _by_from_line(stream: _Stream) -> tuple[int | None, int]:
    """The sizes of the message and of it with the blank line behind, up to the next From line.

    A message that is too large has no size; what of it was passed over is not held.
    """
    at = passed_over = 0
    while True:
        found = stream.held.find(b"\nFrom ", at)
        if found >= 0:
            stream.fill(found + 2 * LONGEST_LINE)
            at = found + 1
            if _ends_blank(stream.held, at) and _separator(stream.held, at) is not None:
                break
        elif stream.is_at_end:
            at = len(stream.held)
            break
        else:
            at = max(0, len(stream.held) - len(b"\nFrom "))
            if len(stream.held) > LARGEST_MESSAGE + CHUNK_BYTES:
                gone = at - len(b"\n\r")  # _ends_blank looks back so far
                stream.drop(gone)
                passed_over, at = passed_over + gone, at - gone
            stream.fill(len(stream.held) + CHUNK_BYTES)
    size = at - _ends_blank(stream.held, at)
    return (None if passed_over + size > LARGEST_MESSAGE else size), at


def _ends_blank(held: bytes | bytearray, end: int) -> int:
    """How long the blank line is that ends there; 0: none does."""
    tail = held[max(0, end - 3) : end]
    for blank in (b"\r\n", b"\n"):
        if tail == blank or tail.endswith(b"\n" + blank):
            return len(blank)
    return 0


def _separator(held: bytearray, at: int) -> bytes | None:
    """The From line that stands there, its end included; None if it is a line of text."""
    if not held.startswith(b"From ", at):
        return None
    end = held.find(b"\n", at, at + LONGEST_LINE) + 1 or len(held)
    line = bytes(held[at:end])
    if len(line) <= LONGEST_LINE and (
        _DATED.match(line) or (_LIKE_ONE.match(line) and _FIELD.match(held, end))
    ):
        return line
    return None


def _head_size(raw: bytes | bytearray) -> int:
    """The bytes of the header block with the blank line behind it; 0 where none ends it."""
    if raw[:1] == b"\n":
        return 1
    end = HEAD_END.search(raw, 0, MOST_HEAD_BYTES)
    return end.end() if end else 0


def _date(line: bytes) -> datetime | None:
    found = _DATED.match(line)
    if not found:
        return None
    month, day, hour, minute, second, year = found.groups()
    try:
        return datetime(
            *(int(year), _MONTHS.index(month) + 1, int(day)),
            *(int(hour), int(minute), int(second or 0)),
            tzinfo=UTC,
        )
    except ValueError:
        return None
