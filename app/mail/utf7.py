"""Folder names as IMAP and Maildir++ write them: modified UTF-7 (RFC 3501 5.1.3)."""

import re
from base64 import b64decode, b64encode

_OTHER = re.compile(r"[^\x20-\x7e]+")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


def encode_name(name: str) -> str:
    """ "Wys&AUI-ane" for "Wysłane"."""
    return _OTHER.sub(lambda match: shifted(match[0]), name.replace("&", "&-"))


def shifted(text: str) -> str:
    """Characters written as numbers: "&AC4-" for ".", which would part one folder from another."""
    packed = b64encode(text.encode("utf-16-be", "surrogatepass")).decode()
    return f"&{packed.rstrip('=').replace('/', ',')}-"


def decode_name(name: str) -> str:
    """ "Wysłane" for "Wys&AUI-ane"; what is no modified UTF-7 stays as it is."""
    return _SHIFTED.sub(_plain, name)


def _plain(match: re.Match[str]) -> str:
    packed = match[1].replace(",", "/")
    try:
        text = b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-16-be")
    except ValueError:
        return match[0]
    return text or "&"
