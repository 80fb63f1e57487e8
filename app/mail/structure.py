"""Where the leaves of a message lie in its bytes. One pass, no recursion, no copies of bodies."""

import re
from dataclasses import dataclass, field

from app.mail.words import parse_parameters

MAX_HEADER_BLOCK = 1_000_000
MAX_FIELD = 65_536
MAX_FIELDS = 5_000
MAX_DEPTH = 50
MAX_PARTS = 1_000
MAX_LOOKALIKES = 500_000

Fields = tuple[tuple[str, bytes], ...]
"""Header fields in order: the name as written, the value as it stands (folded, undecoded)."""

_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_KNOWN_FIELD = re.compile(
    rb"(?:Received|Delivered-To|Envelope-To|DKIM-Signature|Authentication-Results|ARC-[A-Za-z-]+|Return-Path|From|To|Cc|Bcc|Subject|Date|Message-ID|In-Reply-To|References"
    rb"|Reply-To|Sender|MIME-Version|Content-[A-Za-z-]+|X-[A-Za-z0-9-]+)[ \t]*:",
    re.IGNORECASE,
)
_ORDINARY_BLOCK = re.compile(rb"(?:[!-9;-~]++[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*+)++(?=\r*+\n)")
_ORDINARY_BYTES = 65_536
_COUNTING_FIELD = re.compile(
    rb"\n(From|Sender|To|Cc|Bcc|Resent-Bcc|Reply-To|Subject|Date|Message-ID|References|In-Reply-To"
    rb"|Content-(?:Type|Disposition|ID|Transfer-Encoding))[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)",
    re.IGNORECASE,
)
_HIDDEN_FIELDS = ("bcc", "resent-bcc")
_LONG_FIELDS = {"from", "to", "cc", "bcc", "resent-to", "resent-cc"}
_BLANK_LINES = re.compile(rb"(?:[ \t]*+\r?\n)*+[ \t]*+")
_BLANK_LINE = re.compile(rb"\r*+\n")
_BLOCK_END = re.compile(rb"\n\r?\n")
_GUESSED_BOUNDARY = re.compile(
    rb"(?:\A|\n)--([^\s-][^\r\n]{0,200}?)[ \t]*\r?\n(?:Content-[A-Za-z-]+:|\r?\n)"
)
_GUESS_BYTES = 65_536
_MAX_BOUNDARY = 1_000


@dataclass(frozen=True, slots=True)
class Section:
    """A leaf as it was found. Its encoded body is raw[start:end].

    `content_type` is what it is to be read as, `parameters` those of its Content-Type.
    `alternative` numbers the outermost multipart/alternative around it, -1 if there is none.
    """

    fields: dict[str, bytes]
    content_type: str
    parameters: dict[str, str]
    start: int
    end: int
    alternative: int
    is_related: bool


@dataclass(frozen=True, slots=True)
class Structure:
    """The top header block, the leaves in order of their offsets, and what was wrong.

    `header` is the block as it stands. `first` holds the first field of each name that counts
    (lower case). `bcc` holds where the Bcc fields of the top block begin and end, with their line
    ends.
    """

    header: bytes
    first: dict[str, bytes]
    bcc: tuple[tuple[int, int], ...]
    sections: tuple[Section, ...]
    defects: tuple[str, ...]


def split(raw: bytes) -> Structure:
    """The structure of any bytes. Never raises, and needs time linear in their number."""
    if b"\n" not in raw and b"\r" in raw:
        # As many bytes, so the offsets hold for the original.
        splitter = _Splitter(raw.replace(b"\r", b"\n"))
        splitter.defects["lines that end in CR alone"] = None
        return splitter.run()
    return _Splitter(raw).run()


def fields(header: bytes) -> Fields:
    """Every field of a top header block."""
    return _Splitter(header).read_fields()


@dataclass(slots=True)
class _Frame:
    """An open multipart (with its boundary), or the leaf being read (without)."""

    boundary: bytes
    fields: dict[str, bytes]
    content_type: str
    parameters: dict[str, str]
    start: int
    alternative: int
    is_related: bool
    children: int = 0


@dataclass(slots=True)
class _Splitter:
    raw: bytes
    position: int = 0
    entities: int = 0
    lookalikes: int = 0
    frames: list[_Frame] = field(default_factory=list)
    boundaries: dict[bytes, int] = field(default_factory=dict)
    leaf: _Frame | None = None
    bcc: list[tuple[int, int]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    defects: dict[str, None] = field(default_factory=dict)

    def run(self) -> Structure:
        start = self.position = self._skip_prelude()
        first = self._begin("text/plain")
        header = self.raw[start : min(self.position, start + 3 * MAX_HEADER_BLOCK)]
        while self.frames and self._next_delimiter():
            pass
        if self.frames:
            self._defect("multipart without end")
        self._close_leaf(len(self.raw))
        self._pop_to(0, len(self.raw))
        return Structure(header, first, tuple(self.bcc), tuple(self.sections), tuple(self.defects))

    def _skip_prelude(self) -> int:
        """Where the header block begins: after a byte order mark, an mbox line, blank lines."""
        raw = self.raw
        start = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
        if raw.startswith((b"From ", b">From "), start):
            self._defect("mbox line before the header")
            start = raw.find(b"\n", start) + 1 or len(raw)
        blank = _BLANK_LINES.match(raw, start)
        if blank and blank.end() > start and _KNOWN_FIELD.match(raw, blank.end()):
            self._defect("white space before the header")
            return blank.end()
        return start

    def _begin(self, default_type: str) -> dict[str, bytes]:
        """Effects: reads the header block at `position` and opens what it announces."""
        self.entities += 1
        first = self._read_ordinary() if self.entities == 1 else {}
        if not first:
            for name, value in self.read_fields():
                first.setdefault(name.lower(), value)
        content_type, parameters = default_type, dict[str, str]()
        if "content-type" in first:
            content_type, parameters = parse_parameters(first["content-type"])
            content_type = self._checked_type(content_type)
        alternative, is_related = self._surroundings()
        frame = _Frame(b"", first, content_type, parameters, self.position, alternative, is_related)
        if content_type.startswith("multipart/") and self._may_open(frame):
            self.boundaries[frame.boundary] = len(self.frames)
            self.frames.append(frame)
        else:
            self.leaf = frame
        return first

    def _checked_type(self, content_type: str) -> str:
        main, slash, sub = content_type.partition("/")
        if main and slash and sub and " " not in content_type:
            return content_type
        self._defect("unreadable content type")
        return "text/plain" if main in ("", "text", "plain") else "application/octet-stream"

    def _surroundings(self) -> tuple[int, bool]:
        """Which alternative the next entity stands in, and whether in a multipart/related."""
        if not self.frames:
            return -1, False
        parent = self.frames[-1]
        is_related = parent.is_related or parent.content_type == "multipart/related"
        if parent.alternative < 0 and parent.content_type == "multipart/alternative":
            return parent.start, is_related
        return parent.alternative, is_related

    def _may_open(self, frame: _Frame) -> bool:
        """Whether a multipart can be descended into. Effects: sets its boundary; else a defect."""
        if len(self.frames) >= MAX_DEPTH:
            self._defect(f"nested deeper than {MAX_DEPTH}")
            return False
        declared = frame.parameters.get("boundary", "").rstrip()
        frame.boundary = declared.encode("utf-8", "replace")
        window = self.raw[self.position : self.position + _GUESS_BYTES]
        if not declared or len(frame.boundary) > _MAX_BOUNDARY:
            self._defect("multipart without boundary")
            frame.boundary = self._guess_boundary(window)
        elif b"--" + frame.boundary not in window:
            guess = self._guess_boundary(window)
            if guess:
                self._defect("multipart with another boundary than declared")
                frame.boundary = guess
        if not frame.boundary:
            frame.content_type = "text/plain"
        return bool(frame.boundary)

    def _guess_boundary(self, window: bytes) -> bytes:
        """What delimits parts by its looks, up to the next delimiter of an outer multipart."""
        found = _GUESSED_BOUNDARY.search(window)
        return found[1] if found and found[1] not in self.boundaries else b""

    def _next_delimiter(self) -> bool:
        """Effects: acts on the next line that delimits. False: there is none, or enough parts."""
        raw = self.raw
        while True:
            at = self.position
            if not raw.startswith(b"--", at):
                at = raw.find(b"\n--", at) + 1
            if not at and not raw.startswith(b"--"):
                return False
            index, is_end, after = self._delimiter_at(at)
            if index >= 0:
                break
            self.position = after
            self.lookalikes += 1
            if self.lookalikes > MAX_LOOKALIKES:
                self._defect("too many lines that look like boundaries")
                return False
        self.position = after
        self._close_leaf(at)
        self._pop_to(index + 1, at)
        if is_end:
            self._pop_to(index, at)
            return True
        return self._next_part(self.frames[index])

    def _next_part(self, parent: _Frame) -> bool:
        parent.children += 1
        if self.entities >= MAX_PARTS:
            self._defect(f"more than {MAX_PARTS} parts")
            rest = "application/octet-stream"
            self.leaf = _Frame(b"", {}, rest, {}, self.position, -1, is_related=False)
            self.frames.clear()
            return False
        is_digest = parent.content_type == "multipart/digest"
        self._begin("message/rfc822" if is_digest else "text/plain")
        return True

    def _delimiter_at(self, at: int) -> tuple[int, bool, int]:
        """The open multipart that the line at `at` delimits (-1: none), whether it ends it, and
        where to read on."""
        raw = self.raw
        end = raw.find(b"\n", at)
        end = len(raw) if end < 0 else end
        if end - at > _MAX_BOUNDARY + 10:
            return -1, False, end
        line = raw[at + 2 : end].rstrip(b" \t\r")
        after = min(len(raw), end + 1)
        index = self.boundaries.get(line)
        if index is not None:
            return index, False, after
        if line.endswith(b"--"):
            return self.boundaries.get(line[:-2].rstrip(b" \t"), -1), True, after
        # The line break itself is kept: the next delimiter may follow it.
        return -1, False, end

    def _close_leaf(self, end: int) -> None:
        if self.leaf is not None:
            self._add_section(self.leaf, end)
            self.leaf = None

    def _pop_to(self, depth: int, end: int) -> None:
        """Effects: closes open multiparts down to `depth`; one without parts becomes a leaf."""
        if len(self.frames) <= depth:
            return
        while len(self.frames) > depth:
            frame = self.frames.pop()
            if not frame.children:
                self._defect("multipart without parts")
                frame.content_type = "text/plain"
                self._add_section(frame, end)
        self.boundaries = {frame.boundary: i for i, frame in enumerate(self.frames)}

    def _add_section(self, frame: _Frame, end: int) -> None:
        """Effects: adds a leaf that ends before the line break in front of `end`."""
        raw = self.raw
        if end < len(raw):
            end -= raw[end - 1 : end] == b"\n"
            end -= raw[end - 1 : end] == b"\r"
        self.sections.append(
            Section(
                frame.fields,
                frame.content_type,
                frame.parameters,
                frame.start,
                max(frame.start, end),
                frame.alternative,
                frame.is_related,
            )
        )

    def _read_ordinary(self) -> dict[str, bytes]:
        """The first field of each name that counts, as `read_fields` gives it; nothing where the
        top block is not a row of fields and then a blank line. Effects: as `read_fields`."""
        raw, begin = self.raw, self.position
        block = _ORDINARY_BLOCK.match(raw, begin, begin + _ORDINARY_BYTES)
        blank = block and _BLANK_LINE.match(raw, block.end())
        if not block or not blank or raw.count(b"\n", begin, block.end()) > MAX_FIELDS:
            return {}
        first: dict[str, bytes] = {}
        # Each line of the block but the last stands one further here: so do the line ends.
        for found in _COUNTING_FIELD.finditer(b"\n" + block[0]):
            name = found[1].decode("ascii").lower()
            if name not in first:
                first[name] = found[2].strip(b"\r\n\t ")
            if name in _HIDDEN_FIELDS:
                self.bcc.append((begin + found.start(), begin + found.end()))
        if first:
            self.position = blank.end()
        return first

    def read_fields(self) -> Fields:
        """Every field, in order. Effects: moves `position` to the body."""
        raw, position, begin = self.raw, self.position, self.position
        fields: list[tuple[str, bytes]] = []
        while position < len(raw):
            found = (
                None
                if self.frames and self._is_delimiter(position)
                else _FIELD.match(raw, position)
            )
            if found is None:
                position, is_on = self._after_oddity(position, has_fields=bool(fields))
                if is_on:
                    continue
                break
            if position - begin > MAX_HEADER_BLOCK or len(fields) >= MAX_FIELDS:
                self._defect("header block too large")
                end = _BLOCK_END.search(raw, position - 1)
                position = end.end() if end else len(raw)
                break
            name = found[1].decode("ascii")
            fields.append((name, self._bounded(found)))
            if self.entities == 1 and name.lower() in _HIDDEN_FIELDS:
                self.bcc.append((position, found.end()))
            position = found.end()
        self.position = position
        return tuple(fields)

    def _is_delimiter(self, position: int) -> bool:
        return self.raw.startswith(b"--", position) and self._delimiter_at(position)[0] >= 0

    def _after_oddity(self, position: int, *, has_fields: bool) -> tuple[int, bool]:
        """Past a line that is no field: the position, and whether header fields go on there."""
        raw = self.raw
        blank = _BLANK_LINE.match(raw, position)
        if blank:
            return blank.end(), False
        if self._is_delimiter(position):
            return position, False
        after = raw.find(b"\n", position) + 1
        is_stray = has_fields and after > 0 and not raw.startswith(b"--", position)
        if is_stray and _KNOWN_FIELD.match(raw, after):
            self._defect("line that is no header field")
            return after, True
        self._defect("no blank line after the header")
        return position, False

    def _bounded(self, found: re.Match[bytes]) -> bytes:
        start, end = found.span(2)
        if end - start <= MAX_FIELD:
            return found[2].strip(b"\r\n\t ")
        self._defect("header field too large")
        is_long = found[1].decode("ascii").lower() in _LONG_FIELDS
        return self.raw[start : min(end, start + (MAX_HEADER_BLOCK if is_long else MAX_FIELD))]

    def _defect(self, phrase: str) -> None:
        self.defects[phrase] = None
