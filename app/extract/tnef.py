"""winmail.dat: the attachments that Outlook wraps up in it (MS-OXTNEF 2.1.3)."""

import struct
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_BEGINNING: Final = 6
_HEADER: Final = struct.Struct("<BII")
_CHECKSUM: Final = 2
_RENDERED, _TITLE, _CONTENT = 0x00069002, 0x00018010, 0x0006800F


def attached(content: bytes) -> Iterator[tuple[str, bytes]]:
    """File names and contents, in order; ends where the bytes make no sense."""
    at, name, inner = _BEGINNING, "", b""
    while at + _HEADER.size <= len(content):
        _, attribute, length = _HEADER.unpack_from(content, at)
        at += _HEADER.size
        if at + length > len(content):
            break
        if attribute == _RENDERED and inner:
            yield name, inner
            name, inner = "", b""
        elif attribute == _TITLE:
            name = content[at : at + length].rstrip(b"\0").decode("cp1252", "replace")
        elif attribute == _CONTENT:
            inner = content[at : at + length]
        at += length + _CHECKSUM
    if inner:
        yield name, inner
