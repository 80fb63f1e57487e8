"""HTML cut into tokens and written again, canonically: what a browser reads is what we wrote.

Each tag comes out lower case, its attributes once each and in double quotes, and all text escaped.
There is no raw text, no comment and no foreign content left in which parsers could disagree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from typing import Final

_SPACE: Final = "\t\n\f\r "
_TAG_NAME: Final = re.compile(r"[A-Za-z][^\t\n\f\r />]*")
_ATTRIBUTE_NAME: Final = re.compile(r"[^\t\n\f\r />][^\t\n\f\r />=]*")
_OPENS: Final = re.compile(r"<(?=[A-Za-z/!?])")
_BLANK: Final = re.compile(r"[\t\n\f\r ]*")
_BLANK_OR_SLASH: Final = re.compile(r"[\t\n\f\r /]*")
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]+")
_ATTRIBUTE_REFERENCE: Final = re.compile(
    r"&(?:#[0-9]+;?|#[xX][0-9A-Fa-f]+;?|[A-Za-z][0-9A-Za-z]*;)"
)

RAW_TEXT: Final = frozenset(
    ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext")
)
"""Elements whose content a parser does not read as tags (HTML 13.2.5.1 and after)."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start tag; `attributes` are decoded, the first of each name wins."""

    name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class End:
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Decoded text."""

    text: str


Token = Start | End | Text


class TooManyAttributes(ValueError):
    """A tag with more attributes than any honest mail has."""


def tokens(html: str, *, most_attributes: int = 64) -> Iterator[Token]:
    """The tags and texts of `html`, in order, in linear time.

    Comments, doctypes, processing instructions and the content of raw text elements are left out,
    and so is everything after a tag that never ends. Raises TooManyAttributes.
    """
    at, end = 0, len(html)
    while at < end:
        found = _OPENS.search(html, at)
        opens = found.start() if found else end
        if opens != at:
            yield Text(unescape(html[at:opens]))
        if not found:
            return
        following = html[opens + 1 : opens + 2]
        if following in ("!", "?"):
            at = _after_comment(html, opens)
        elif following == "/":
            at, closing = _end_tag(html, opens)
            if closing:
                yield closing
        else:
            at, tag = _start_tag(html, opens, most=most_attributes)
            if not tag:
                return
            yield tag
            if tag.name in RAW_TEXT:
                at = _after_raw_text(html, at, tag.name)


def start_tag(name: str, attributes: dict[str, str]) -> str:
    """A start tag, written canonically."""
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>"


def text(content: str) -> str:
    """Text, written canonically."""
    return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def end_tag(name: str) -> str:
    """An end tag."""
    return f"</{name}>"


def _after_comment(html: str, at: int) -> int:
    """Behind a comment, doctype or other markup declaration that starts at `at`."""
    if not html.startswith("<!--", at):
        return _behind(html, ">", at)
    if html.startswith((">", "->"), at + 4):  # "<!-->" and "<!--->" are whole comments
        return html.index(">", at) + 1
    ends = [found for mark in ("-->", "--!>") if (found := html.find(mark, at + 4)) >= 0]
    return html.index(">", min(ends)) + 1 if ends else len(html)


def _start_tag(html: str, at: int, *, most: int) -> tuple[int, Start | None]:
    name = _TAG_NAME.match(html, at + 1)
    if not name:
        return len(html), None
    behind, attributes = _attributes(html, name.end(), most=most)
    return behind, Start(name.group().lower(), attributes) if behind >= 0 else None


def _end_tag(html: str, at: int) -> tuple[int, End | None]:
    name = _TAG_NAME.match(html, at + 2)
    if not name:  # "</>" is nothing, "</ ..." a comment
        return _behind(html, ">", at), None
    behind, _ = _attributes(html, name.end(), most=None)
    return (behind, End(name.group().lower())) if behind >= 0 else (len(html), None)


def _attributes(html: str, at: int, *, most: int | None) -> tuple[int, dict[str, str]]:
    """The position behind the tag's ">" (-1: there is none) and its attributes."""
    found: dict[str, str] = {}
    count = 0
    while True:
        at = _skip(_BLANK_OR_SLASH, html, at)
        if html[at : at + 1] == ">":
            return at + 1, found
        name = _ATTRIBUTE_NAME.match(html, at)
        if not name:
            return -1, {}
        at, value = _value(html, name.end())
        if at < 0:
            return -1, {}
        found.setdefault(name.group().lower(), value)
        count += 1
        if most is not None and count > most:
            raise TooManyAttributes


def _value(html: str, at: int) -> tuple[int, str]:
    """The position behind an attribute's value (-1: it never ends) and the value, decoded."""
    sign = _skip(_BLANK, html, at)
    if html[sign : sign + 1] != "=":
        return at, ""
    at = _skip(_BLANK, html, sign + 1)
    quote = html[at : at + 1]
    if quote in ("'", '"') and quote:
        closes = html.find(quote, at + 1)
        return (closes + 1, _decoded(html[at + 1 : closes])) if closes >= 0 else (-1, "")
    value = _UNQUOTED.match(html, at)
    return (value.end(), _decoded(value.group())) if value else (at, "")


def _decoded(value: str) -> str:
    """An attribute's value; "&copy=1" in an address is no reference (HTML 13.2.5.73)."""
    if "&" not in value:
        return value
    return _ATTRIBUTE_REFERENCE.sub(lambda found: unescape(found.group()), value)


def _after_raw_text(html: str, at: int, name: str) -> int:
    """Behind the end tag of a raw text element, or the end of everything."""
    if name == "plaintext":
        return len(html)
    closes = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search(html, at)
    if not closes:
        return len(html)
    behind, _ = _attributes(html, closes.end(), most=None)
    return behind if behind >= 0 else len(html)


def _behind(html: str, mark: str, at: int) -> int:
    found = html.find(mark, at)
    return found + 1 if found >= 0 else len(html)


def _skip(pattern: re.Pattern[str], html: str, at: int) -> int:
    found = pattern.match(html, at)
    return found.end() if found else at
