"""A mail's HTML made safe to show. Three layers, and a sandbox and a CSP around them.

1. Limits, then `html_tree`: the text is written again, well-formed, allowed tags only.
2. nh3 with an allow-list of attributes and address schemes.
3. Over nh3's output: styles by tinycss2, images by content id only (for one answer that asked for
   them: by https too), links marked that lead elsewhere than they say.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Final
from urllib.parse import unquote, urlsplit

import nh3

from app.web import html_css, html_tokens, html_tree
from app.web.html_tokens import End, Start, start_tag

LARGEST_BYTES: Final = 1_000_000
MOST_IMAGE_BYTES: Final = 2_000_000
MOST_REFERENCES: Final = 20_000
"""Of characters by number: 490,000 of them cost seconds."""

MOST_STYLE_CHARACTERS: Final = 200_000

_ALIGN: Final = {"align", "valign", "bgcolor", "width", "height", "style", "dir", "lang", "title"}
_TABLE: Final = {"border", "cellpadding", "cellspacing", "colspan", "rowspan", "nowrap"}
_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": _ALIGN,
    "a": {"href"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "table": _TABLE,
    "td": _TABLE,
    "th": _TABLE,
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value"},
    "hr": {"size", "color", "noshade"},
    "blockquote": {"type"},
}
_LINK_SCHEMES: Final = frozenset(("http", "https", "mailto"))
_SHOWN_ADDRESS: Final = re.compile(
    r"(?:[a-z][a-z+.-]*://|www\.|(?=[\w.-]+(?:[/:?#]|\Z)))(?P<host>(?:[\w-]+\.)+[^\W\d_]{2,})"
    r"(?::\d+)?(?:[/?#]\S*)?\Z",
    re.IGNORECASE,
)
"""A text that is nothing but an address of the web: with a scheme, with www, or a bare host."""
_FILE_ENDINGS: Final = (
    *(".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods"),
    *(".txt", ".csv", ".xml", ".html", ".jpg", ".jpeg", ".png", ".gif", ".eml"),
)
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """HTML fit for the sandboxed frame, and how many remote images it does not load."""

    html: str
    remote_images: int = 0


def safe_html(
    html: str, images: Mapping[str, bytes], *, with_remote: bool = False
) -> SafeHtml | None:
    """What may be shown of a mail's HTML; None if it is over a limit: show the plain text then.

    `images` are the decoded parts by content id, without <>; only raster images among them are
    shown, and together at most MOST_IMAGE_BYTES. `with_remote` keeps images with https addresses.
    """
    # UTF-7 spells halves of surrogate pairs, which are no text: each becomes a question mark.
    encoded = html.encode("utf-8", "replace")
    if len(encoded) > LARGEST_BYTES or encoded.count(b"&#") > MOST_REFERENCES:
        return None
    html = encoded.decode("utf-8")
    try:
        formed = html_tree.well_formed(html)
    except (html_tokens.TooManyAttributes, html_tree.TooDeep):
        return None
    return _Finisher(images, with_remote=with_remote).finish(_cleaned(formed))


def remote_images(html: str) -> int:
    """How many images of a mail's HTML `with_remote` would show besides; none over a limit."""
    if len(html) > LARGEST_BYTES:
        return 0
    try:
        return sum(
            isinstance(token, Start)
            and token.name == "img"
            and _is_remote_image(token.attributes.get("src", "").strip())
            for token in html_tokens.tokens(html)
        )
    except html_tokens.TooManyAttributes:
        return 0


def raster_type(content: bytes) -> str:
    """The media type of a PNG, JPEG, GIF or WebP image, told by its first bytes; else empty."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), "")


def _cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(html_tree.ALLOWED),
        clean_content_tags=set(html_tokens.RAW_TEXT) - set(html_tree.ALLOWED),
        attributes=_ATTRIBUTES,
        url_schemes={*_LINK_SCHEMES, "cid"},
        strip_comments=True,
        link_rel=None,
    )


class _Finisher:
    """The third layer; counts the styles and image bytes that it lets through."""

    def __init__(self, images: Mapping[str, bytes], *, with_remote: bool) -> None:
        self._images = images
        self._with_remote = with_remote
        self._image_bytes = 0
        self._style_characters = 0
        self._remote_images = 0
        self._target = ""
        self._link_text: list[str] = []

    def finish(self, html: str) -> SafeHtml:
        out: list[str] = []
        for token in html_tokens.tokens(html):
            if isinstance(token, Start):
                if token.name in html_tree.ALLOWED:
                    out.append(start_tag(token.name, self._attributes(token)))
            elif isinstance(token, End):
                if token.name in html_tree.ALLOWED:
                    out.append(html_tokens.end_tag(token.name))
                if token.name == "a":
                    out.append(self._warning())
            else:
                out.append(html_tokens.text(token.text))
                if self._target:
                    self._link_text.append(token.text)
        return SafeHtml("".join(out), self._remote_images)

    def _warning(self) -> str:
        """After a link whose text is another address than its target: where it really leads."""
        target, text = self._target, " ".join("".join(self._link_text).split())
        self._target = ""
        self._link_text.clear()
        shown, real = _shown_host(text), _host(target)
        if not shown or not real or _is_same_site(shown, real):
            return ""
        return f'<span class="leads" title="{escape(target)}">\u26a0 {escape(real)}</span>'

    def _attributes(self, tag: Start) -> dict[str, str]:
        allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(tag.name, set())
        kept = {key: value for key, value in tag.attributes.items() if key in allowed}
        if style := self._style(kept.pop("style", "")):
            kept["style"] = style
        if tag.name == "a":
            kept = _link(kept)
            self._target = kept.get("href", "")
            self._link_text.clear()
        if tag.name == "img":
            kept = self._image(kept)
        return kept

    def _style(self, style: str) -> str:
        self._style_characters += len(style)
        if self._style_characters > MOST_STYLE_CHARACTERS:
            return ""
        return _cached_style(style) if style else ""

    def _image(self, attributes: dict[str, str]) -> dict[str, str]:
        source = attributes.pop("src", "").strip()
        shown = self._embedded(source)
        if shown:
            return {**attributes, "src": shown}
        if self._with_remote and _is_remote_image(source):
            return {**attributes, "src": _with_scheme(source)}
        if source and source[:4].lower() != "cid:":
            self._remote_images += 1
        # Without src nothing is fetched; the frame's style shows the alternative text.
        return {key: value for key, value in attributes.items() if key in ("alt", "title")}

    def _embedded(self, source: str) -> str:
        if source[:4].lower() != "cid:":
            return ""
        content = self._images.get(unquote(source[4:]).strip().strip("<>"), b"")
        kind = raster_type(content)
        if not kind or self._image_bytes + len(content) > MOST_IMAGE_BYTES:
            return ""
        self._image_bytes += len(content)
        return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def _is_remote_image(source: str) -> bool:
    """Whether an image can be fetched from elsewhere by https."""
    if any(ord(sign) <= 32 for sign in source):
        return False
    try:
        parts = urlsplit(_with_scheme(source))
    except ValueError:
        return False
    return parts.scheme.lower() == "https" and bool(parts.hostname)


def _with_scheme(source: str) -> str:
    """Addresses without a scheme go by https."""
    return f"https:{source}" if source.startswith("//") else source


def _shown_host(text: str) -> str:
    """The host of a text that is an address of the web; empty for any other text."""
    found = _SHOWN_ADDRESS.match(text) if len(text) < 2000 else None
    host = found["host"].lower() if found else ""
    return "" if host == text.lower() and host.endswith(_FILE_ENDINGS) else host


def _host(target: str) -> str:
    """The host that a link leads to; empty for mail addresses."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    return (parts.hostname or "").lower() if parts.scheme.lower() in ("http", "https") else ""


def _is_same_site(one: str, other: str) -> bool:
    """Whether the hosts are the same, or one lies under the other."""
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _link(attributes: dict[str, str]) -> dict[str, str]:
    """A link that opens outside and says where it leads; without href if it leads nowhere good."""
    target = attributes.pop("href", "").strip()
    if not _is_safe_link(target):
        return attributes
    rel = "noopener noreferrer nofollow"
    return {**attributes, "title": target, "href": target, "target": "_blank", "rel": rel}


def _is_safe_link(target: str) -> bool:
    if not target or any(ord(character) < 32 for character in target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme.lower() in _LINK_SCHEMES and (
        parts.scheme == "mailto" or bool(parts.netloc)
    )


@lru_cache(maxsize=4096)
def _cached_style(style: str) -> str:
    return html_css.safe_style(style)
