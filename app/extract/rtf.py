"""RTF 1.9: its text without formats, pictures and tables of fonts. One pass, no recursion."""

import re
from typing import Final, NamedTuple

from app.extract.pages import Pages, Refused
from app.mail.charsets import codec_name

DEEPEST: Final = 500
_TOKEN: Final = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})?\ ?|\\'(?P<byte>[0-9A-Fa-f]{2})"
    rb"|\\(?P<symbol>[^A-Za-z])|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+",
    re.VERBOSE | re.DOTALL,
)
_SAYS: Final = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "tab": "\t", "cell": "\t",
    "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "~": " ", "_": "-",
}  # fmt: skip
_UNSEEN: Final = frozenset((
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "objdata", "themedata",
    "datastore", "listtable", "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "revtbl",
    "filetbl", "fldinst",
))  # fmt: skip


class _Group(NamedTuple):
    """`skip`: how many bytes stand for a letter after it was given by its number."""

    is_seen: bool = True
    skip: int = 1


def read_rtf(content: bytes, pages: Pages) -> None:
    reader, at = _Reader(pages), 0
    while match := _TOKEN.match(content, at):
        at = match.end() + reader.take(match)
    reader.flush()


class _Reader:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._groups = [_Group()]
        self._codec = "cp1252"
        self._bytes = bytearray()
        self._to_skip = 0

    def take(self, token: "re.Match[bytes]") -> int:
        """Hear of a token; gives how many bytes after it are no text at all."""
        match token.lastgroup:
            case "brace":
                self._brace(is_open=token["brace"] == b"{")
            case "byte":
                self._put(bytes([int(token["byte"], 16)]))
            case "text":
                self._put(token["text"])
            case "symbol":
                self._symbol(token["symbol"].decode("latin-1"))
            case "word" | "number":
                number = int(token["number"] or b"0")
                return self._word(token["word"].decode(), number)
        return 0

    def flush(self) -> None:
        """Have the bytes so far as text: letters may be of several bytes."""
        self._pages.check_time()
        if self._bytes:
            self._pages.add(self._bytes.decode(self._codec, "replace"))
            self._bytes.clear()

    def _brace(self, *, is_open: bool) -> None:
        self.flush()
        self._to_skip = 0
        if is_open and len(self._groups) > DEEPEST:
            raise Refused("damaged")
        if is_open:
            self._groups.append(self._groups[-1])
        elif len(self._groups) > 1:
            self._groups.pop()

    def _put(self, raw: bytes) -> None:
        skipped = min(self._to_skip, len(raw))
        self._to_skip -= skipped
        if self._groups[-1].is_seen:
            self._bytes += raw[skipped:]

    def _say(self, text: str) -> None:
        if self._groups[-1].is_seen:
            self.flush()
            self._pages.add(text)

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._hide()
        elif symbol in "\\{}":
            self._put(symbol.encode())
        elif symbol in "\r\n":
            self._say("\n")
        elif symbol in _SAYS:
            self._say(_SAYS[symbol])

    def _word(self, word: str, number: int) -> int:
        if word == "u":
            self._say(chr(number & 0xFFFF))
            self._to_skip = self._groups[-1].skip
        elif word == "uc":
            self._groups[-1] = self._groups[-1]._replace(skip=max(0, min(number, 8)))
        elif word == "ansicpg":
            self._codec = codec_name(f"cp{number}") or "cp1252"
        elif word == "bin":
            return max(0, number)
        elif word in _UNSEEN:
            self._hide()
        elif word in _SAYS:
            self._say(_SAYS[word])
        return 0

    def _hide(self) -> None:
        self.flush()
        self._groups[-1] = self._groups[-1]._replace(is_seen=False)
