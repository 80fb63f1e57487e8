"""Which style declarations of a mail are harmless: known properties, values without addresses."""

from collections.abc import Iterable
from typing import Final

import tinycss2  # type: ignore[import-untyped]  # it has no stubs
from tinycss2 import ast

LONGEST: Final = 4_000
MOST_BRACKETS: Final = 40
_FUNCTIONS: Final = frozenset(("rgb", "rgba", "hsl", "hsla", "calc"))
_PLAIN: Final = ("ident", "dimension", "number", "percentage", "hash", "string", "whitespace")
_SIDES: Final = ("top", "right", "bottom", "left")

_NAMED: Final = """
background background-color color direction display opacity overflow visibility
font font-family font-size font-stretch font-style font-variant font-weight
letter-spacing line-height text-align text-decoration text-decoration-color
text-decoration-line text-decoration-style text-indent text-transform
vertical-align white-space word-break word-spacing word-wrap overflow-wrap
width height max-width max-height min-width min-height float clear box-sizing
border border-color border-style border-width border-collapse border-radius
border-spacing caption-side empty-cells table-layout margin padding
list-style list-style-type list-style-position
"""
PROPERTIES: Final = frozenset(
    (
        *_NAMED.split(),
        *(f"{kind}-{side}" for kind in ("border", "margin", "padding") for side in _SIDES),
        *(f"border-{side}-{what}" for side in _SIDES for what in ("color", "style", "width")),
    )
)


def safe_style(style: str) -> str:
    """The declarations of a style attribute that may stay; empty if none.

    A declaration goes whole if its value holds a function other than a colour or calc(), an
    address, a block, or anything the parser calls an error.
    """
    if len(style) > LONGEST or sum(map(style.count, "([{")) > MOST_BRACKETS:
        return ""
    found = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
    kept = [text for node in found if (text := _declaration(node))]
    return "; ".join(kept)


def _declaration(node: ast.Node) -> str:
    if node.type != "declaration" or node.lower_name not in PROPERTIES:
        return ""
    if not _is_harmless(node.value):
        return ""
    return f"{node.lower_name}: {tinycss2.serialize(node.value).strip()}"


def _is_harmless(values: Iterable[ast.Node]) -> bool:
    return all(_is_harmless_token(value) for value in values)


def _is_harmless_token(value: ast.Node) -> bool:
    if value.type == "function":
        return value.lower_name in _FUNCTIONS and _is_harmless(value.arguments)
    if value.type == "() block":
        return _is_harmless(value.content)
    if value.type == "literal":
        return value.value in (",", "/", "+", "-", "*")
    return value.type in _PLAIN
