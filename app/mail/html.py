"""The readable text of hostile HTML.

Source: HTML Living Standard, 13.2.5 (tokenization). No tree is built: only line ends and text are
wanted, and a tree builder needs quadratic time on deep nesting (15 s for 100,000 divs in lexbor)
and on many attributes of one tag (18 s for 100,000). Each step below is one pass of `re`.
"""

import html
import re
from collections.abc import Iterator

from app.mail.charsets import display

MAX_HTML = 4_000_000

_ATTRIBUTES = r"""(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?)*+(?:>|\Z)"""
_INVISIBLE = re.compile(
    r"<!--.*?(?:-->|\Z)"
    rf"|<(script|style|title|template|iframe|noembed|noframes|xmp)\b{_ATTRIBUTES}.*?(?:</\1\b[^>]*+(?:>|\Z)|\Z)"
    r"|<[!?][^>]*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_PRE = re.compile(
    r"<(pre|textarea|plaintext|listing)\b[^>]*+(?:>|\Z).*?(?:</\1|\Z)", re.DOTALL | re.I
)
_TAG = re.compile(rf"<(/?[A-Za-z][A-Za-z0-9]*+){_ATTRIBUTES}|</[^>]*+(?:>|\Z)")
_WHITE_SPACE = re.compile(r"[\t\n\r\f][ \t\n\r\f]*+| [ \t\n\r\f]++")
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u2060\ufeff\ue000-\ue003]")
_BLANK_LINES = re.compile(r"\n{3,}")

_BREAKS = (
    "br hr div /div tr /tr li /li ul /ul ol /ol dl /dl dt /dt dd /dd table /table tbody thead tfoot"
    " caption /caption form /form fieldset center /center address /address article /article aside"
    " body footer /footer header /header main nav section /section figure /figure figcaption option"
)
_PARAGRAPHS = "p /p h1 h2 h3 h4 h5 h6 /h1 /h2 /h3 /h4 /h5 /h6 pre /pre"
# Private-use marks (removed from the input first) keep what a flat text cannot say.
_WORTH = {
    **dict.fromkeys(_BREAKS.split(), "\n"),
    **dict.fromkeys(_PARAGRAPHS.split(), "\n\n"),
    **dict.fromkeys(("/td", "/th"), "\t"),
    "blockquote": "\n\ue000",
    "/blockquote": "\n\ue001",
}
_MAX_QUOTE_DEPTH = 20
_SHIELD = {0xE000: "\x1c", 0xE001: "\x1d"}
_UNSHIELD = {0x1C: "\ue000", 0x1D: "\ue001"}


def html_text(source: str) -> str:
    """The text of an HTML document: block tags as line ends, blockquotes as lines with "> ".

    Scripts, styles, comments and the title are dropped; entities and soft hyphens are resolved.
    Linear in the length of the source; what is over 4 MB is not read.
    """
    source = source[:MAX_HTML]
    source = _INVISIBLE.sub("", _UNSEEN.sub("", source))
    if "<pre" in source or "<PRE" in source:
        source = _PRE.sub(lambda found: found[0].replace("\n", "<br>"), source)
    source = _WHITE_SPACE.sub(" ", source)
    source = _TAG.sub(lambda found: _WORTH.get((found[1] or "").lower(), ""), source)
    if "&" in source:
        source = _UNSEEN.sub("", html.unescape(_shield(source))).translate(_UNSHIELD)
    source = source.replace("\xa0", " ").replace("\t ", "\t")
    return display(_tidy(source))


def _shield(source: str) -> str:
    """The marks as control characters while entities are resolved, which could forge them."""
    if "\x1c" in source or "\x1d" in source:
        source = source.replace("\x1c", "").replace("\x1d", "")
    return source.translate(_SHIELD) if "\ue000" in source or "\ue001" in source else source


def _tidy(text: str) -> str:
    text = "\n".join([line.strip(" \t") for line in text.split("\n")])
    if "\ue000" in text or "\ue001" in text:
        text = "\n".join(_quoted_lines(text.split("\n")))
    text = _BLANK_LINES.sub("\n\n", text)
    return text.strip()


def _quoted_lines(lines: list[str]) -> Iterator[str]:
    depth = 0
    for line in lines:
        if "\ue000" in line or "\ue001" in line:
            depth += line.count("\ue000") - line.count("\ue001")
            depth = max(0, depth)
            line = line.replace("\ue000", "").replace("\ue001", "")
        yield f"{'>' * min(depth, _MAX_QUOTE_DEPTH)} {line}" if depth and line else line
