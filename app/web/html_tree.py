"""Hostile HTML made well-formed: allowed tags only, properly nested, everything closed.

After this no parser has anything to repair: no unclosed formatting is carried over (the cause of
quadratic trees and of mutation attacks), nothing is foster-parented, and depth is bounded.
"""

from typing import Final

from app.web import html_tokens
from app.web.html_tokens import RAW_TEXT, Start, Text, end_tag, start_tag, tokens

MOST_DEPTH: Final = 256
MOST_TAGS: Final = 60_000


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID: Final = _words("br hr img wbr col")
_PARAGRAPH_ENDERS: Final = _words(
    "address article blockquote center dd details div dl dt figcaption figure footer h1 h2 h3 h4"
    " h5 h6 header hr li main nav ol p pre section summary table ul"
)
_INLINE: Final = _words(
    "a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike"
    " strong sub sup tt u var"
)
_TABLE_PARTS: Final = _words("caption colgroup col thead tbody tfoot tr td th")
ALLOWED: Final = _PARAGRAPH_ENDERS | _INLINE | _TABLE_PARTS | VOID
_TABLE_CONTEXT: Final = _words("table thead tbody tfoot tr colgroup")
_SECTIONS: Final = frozenset(("thead", "tbody", "tfoot"))
_PARENTS: Final[dict[str, frozenset[str]]] = {
    "td": frozenset(("tr", "table")) | _SECTIONS,
    "th": frozenset(("tr", "table")) | _SECTIONS,
    "tr": frozenset(("table",)) | _SECTIONS,
    "col": frozenset(("colgroup", "table")),
}
_SAME: Final[dict[str, frozenset[str]]] = {
    "li": frozenset(("li",)),
    "dd": frozenset(("dd", "dt")),
    "dt": frozenset(("dd", "dt")),
}
_LISTS: Final = frozenset(("ul", "ol", "dl", "table", "td", "th", "caption"))
_SCOPE: Final = frozenset(("table", "td", "th", "caption"))


class TooDeep(ValueError):
    """Nested deeper, or cut into more tags, than is shown as HTML."""


def well_formed(html: str) -> str:
    """`html` written again, canonically. Raises TooDeep and html_tokens.TooManyAttributes."""
    tree = _Writer()
    for token in tokens(html):
        if isinstance(token, Text):
            tree.text(token.text)
        elif isinstance(token, Start):
            tree.start(token)
        else:
            tree.end(token.name)
    return tree.finish()


class _Writer:
    """The open elements, and what is written so far."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._out: list[str] = []
        self._tags = 0

    def text(self, text: str) -> None:
        self._out.append(html_tokens.text(text))

    def start(self, tag: Start) -> None:
        name = tag.name
        if name not in ALLOWED or name in RAW_TEXT:
            return
        self._tags += 1
        if self._tags > MOST_TAGS:
            raise TooDeep
        if not self._make_room(name):
            return
        self._out.append(start_tag(name, tag.attributes))
        if name in VOID:
            return
        self._open.append(name)
        if len(self._open) > MOST_DEPTH:
            raise TooDeep

    def end(self, name: str) -> None:
        """Close the nearest `name` within its cell or table; a stray end tag is dropped."""
        if name in VOID or name not in ALLOWED:
            return
        if name == "table":
            stop: frozenset[str] = frozenset()
        else:
            stop = frozenset(("table",)) if name in _TABLE_PARTS else _SCOPE
        if self._has(frozenset((name,)), within=stop):
            self._close_through(frozenset((name,)))

    def finish(self) -> str:
        while self._open:
            self._close()
        return "".join(self._out)

    def _make_room(self, name: str) -> bool:
        """Close what `name` ends by starting; False if it has no place here."""
        if name in _TABLE_PARTS:
            return self._make_room_in_table(name)
        if self._open and self._open[-1] in _TABLE_CONTEXT:
            return False
        if name in _PARAGRAPH_ENDERS and self._has(frozenset(("p",)), within=_SCOPE):
            self._close_through(frozenset(("p",)))
        same = _SAME.get(name)
        if same and self._has(same, within=_LISTS):
            self._close_through(same)
        if name == "a" and self._has(frozenset(("a",)), within=frozenset(("td", "th", "caption"))):
            self._close_through(frozenset(("a",)))
        return not (self._open and self._open[-1] in _TABLE_CONTEXT)

    def _make_room_in_table(self, name: str) -> bool:
        if "table" not in self._open:
            return False
        parents = _PARENTS.get(name, frozenset(("table",)))
        while self._open[-1] not in parents:
            self._close()
        return True

    def _has(self, names: frozenset[str], *, within: frozenset[str]) -> bool:
        for name in reversed(self._open):
            if name in names:
                return True
            if name in within:
                return False
        return False

    def _close_through(self, names: frozenset[str]) -> None:
        while self._close() not in names:
            pass

    def _close(self) -> str:
        name = self._open.pop()
        self._out.append(end_tag(name))
        return name
