"""A mail's HTML made safe to show. Three layers, and a sandbox and a CSP around them.

1. Limits, then `html_tree`: the text is written again, well-formed, allowed tags only.
2. nh3 with an allow-list of attributes and address schemes.
3. Over nh3's output: styles by tinycss2, images by content id only, links marked.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

import nh3

from app.web import html_css, html_tokens, html_tree
from app.web.html_tokens import End, Start, start_tag

LARGEST_BYTES: Final = 1_000_000
MOST_IMAGE_BYTES: Final = 2_000_000
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


def safe_html(html: str, images: Mapping[str, bytes]) -> SafeHtml | None:
    """What may be shown of a mail's HTML; None if it is over a limit: show the plain text then.

    `images` are the decoded parts by content id, without <>; only raster images among them are
    shown, and together at most MOST_IMAGE_BYTES.
    """
    if len(html.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
        return None
    try:
        formed = html_tree.well_formed(html)
    except (html_tokens.TooManyAttributes, html_tree.TooDeep):
        return None
    return _Finisher(images).finish(_cleaned(formed))


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

    def __init__(self, images: Mapping[str, bytes]) -> None:
        self._images = images
        self._image_bytes = 0
        self._style_characters = 0
        self._remote_images = 0

    def finish(self, html: str) -> SafeHtml:
        out: list[str] = []
        for token in html_tokens.tokens(html):
            if isinstance(token, Start):
                if token.name in html_tree.ALLOWED:
                    out.append(start_tag(token.name, self._attributes(token)))
            elif isinstance(token, End):
                if token.name in html_tree.ALLOWED:
                    out.append(html_tokens.end_tag(token.name))
            else:
                out.append(html_tokens.text(token.text))
        return SafeHtml("".join(out), self._remote_images)

    def _attributes(self, tag: Start) -> dict[str, str]:
        allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(tag.name, set())
        kept = {key: value for key, value in tag.attributes.items() if key in allowed}
        if style := self._style(kept.pop("style", "")):
            kept["style"] = style
        if tag.name == "a":
            kept = _link(kept)
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
