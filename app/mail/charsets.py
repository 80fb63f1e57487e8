"""Bytes to text under whatever name a mail gives its character set."""

import codecs
import re
from functools import lru_cache

_ALIASES = {
    "8bit": "",
    "ansi": "cp1252",
    "ansi-x3.4-1968": "ascii",
    "ascii-8bit": "",
    "binary": "",
    "chinesebig5": "big5hkscs",
    "default": "",
    "default-charset": "",
    "gb2312": "gb18030",
    "gb-2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-6-e": "iso8859-6",
    "iso-8859-6-i": "iso8859-6",
    "ks-c-5601-1987": "cp949",
    "ks-c-5601": "cp949",
    "euc-kr": "cp949",
    "macintosh": "mac-roman",
    "none": "",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "unicode": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "unknown": "",
    "unknown-8bit": "",
    "us-ascii": "ascii",
    "user-defined": "",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "windows-936": "gb18030",
    "windows-949": "cp949",
    "windows-932": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "x-mac-ce": "mac-latin2",
    "x-mac-centraleurroman": "mac-latin2",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-greek": "mac-greek",
    "x-mac-icelandic": "mac-iceland",
    "x-mac-roman": "mac-roman",
    "x-mac-turkish": "mac-turkish",
    "x-sjis": "cp932",
    "x-unknown": "",
    "x-user-defined": "",
    "x-utf-8": "utf-8",
}
# What senders call Latin-1 carries Windows' quotation marks and the euro (WHATWG Encoding, 4.2).
_WIDER = {"iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874"}
# No character sets, or slower than linear on hostile input.
_REFUSED = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}
_CODE_PAGE = re.compile(r"(?:x-)?(?:cp|ibm|windows|win|dos|ansi|codepage)-?(\d{2,5})(?:-.*)?")
# Symbols of cp1252 that stand inside words are Polish, Czech or Hungarian letters of cp1250.
_CP1250_LETTER = re.compile(rb"[A-Za-z][\xb3\xb9\xbf\x9f]|[\xb3\xbf\x9c\x9f][a-z]")
_LATIN2_LETTER = re.compile(rb"[A-Za-z][\xb1\xb6\xbc]|[\xb1\xb6\xbc][a-z]")
_GUESS_BYTES = 65_536
_DERIVED_JUNK = re.compile("[\x00\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


@lru_cache(maxsize=512)
def codec_name(charset: str) -> str:
    """The Python codec of a declared character set; "" where the name tells nothing."""
    key = charset.strip(" \t\r\n\"'").lower().replace("_", "-")[:60]
    page = _CODE_PAGE.fullmatch(key)
    for name in (_ALIASES.get(key), key, page and f"cp{page[1]}"):
        if name is None:
            continue
        found = _lookup(name)
        if found or name == "":
            return found
    return ""


def decode(raw: bytes, charset: str) -> str:
    """Text under the declared character set, else as UTF-8, else as a guess. Never raises.

    Where the declared set does not fit: strict UTF-8, then UTF-8 with a few damaged places,
    then the legacy set (see `guess_legacy`) with U+FFFD for what it does not know.
    """
    declared = codec_name(charset)
    for name in (declared, "utf-8") if declared not in ("", "utf-8") else ("utf-8",):
        try:
            return raw.decode(name)
        except (UnicodeError, ValueError):
            continue
    if declared in ("utf-8", "gb18030", "big5hkscs", "cp932", "cp949", "big5", "euc_jp"):
        text = raw.decode(declared, "replace")
        if text.count("\ufffd") * 4 <= len(text) - len(text.encode("ascii", "ignore")):
            return text
    if declared not in ("", "ascii", "utf-8"):
        try:
            return raw.decode(declared, "replace")
        except (UnicodeError, ValueError):
            pass
    return raw.decode(guess_legacy(raw), "replace")


def guess_legacy(raw: bytes) -> str:
    """The 8-bit set of undeclared bytes that are not UTF-8: cp1252, cp1250 or Latin-2.

    cp1252 is the rule. The central European sets are taken only where bytes that are mere
    symbols in cp1252 (superscript three, inverted question mark ...) touch letters.
    """
    sample = raw[:_GUESS_BYTES]
    if _LATIN2_LETTER.search(sample) and not _CP1250_LETTER.search(sample.replace(b"\xb3", b"")):
        return "iso8859-2"
    return "cp1250" if _CP1250_LETTER.search(sample) else "cp1252"


def display(text: str) -> str:
    """Text without NUL, lone surrogates and bidirectional overrides; for derived text only."""
    if text.isascii() and "\0" not in text:
        return text
    return _DERIVED_JUNK.sub("", text)


def _lookup(name: str) -> str:
    """The canonical name of a text codec of Python's; "" if there is none that may be used."""
    if not name:
        return ""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return ""
    canonical = found.name.lower()
    is_text = bool(getattr(found, "_is_text_encoding", True))
    if not is_text or canonical.replace("_", "-") in _REFUSED:
        return ""
    return _WIDER.get(canonical, canonical)
