"""Mail as bytes becomes facts here: structure, headers, text, the content digest.

Pure: no files, no network, no clock, no store. Never raises on bad mail; reports defects.
"""

from app.mail.charsets import display
from app.mail.headers import parse_addresses
from app.mail.html import html_text
from app.mail.parse import (
    PARSER_VERSION,
    Leaf,
    ParsedMail,
    decode_leaf,
    leaf_text,
    parse,
)
from app.mail.text import split_quoted, split_signature

__all__ = [
    "PARSER_VERSION",
    "Leaf",
    "ParsedMail",
    "decode_leaf",
    "display",
    "html_text",
    "leaf_text",
    "parse",
    "parse_addresses",
    "split_quoted",
    "split_signature",
]
