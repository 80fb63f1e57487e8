"""A copy without its Bcc headers, for viewers who reach the message through another mailbox."""

import re

from app.mail.structure import split

WITHOUT_BCC = b"X-Letterbook-Copy: without Bcc, so not the exact bytes"
_MENTION = re.compile(rb"(?i)bcc[ \t]*:")
_HIDDEN = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
_TO_BLANK_LINE = re.compile(rb"(?s)\s*+(?:(?!\n\r*+\n).)*+")


def without_bcc(raw: bytes) -> bytes:
    """The bytes without each Bcc and Resent-Bcc field of the header block.

    Also without those that stand before the first blank line where the parser reads no header any
    more: behind an odd line, or a block that is too large. Others may read them there.
    """
    if not _MENTION.search(raw):
        return raw
    kept = bytearray()
    at = 0
    for start, end in split(raw).bcc:
        kept += raw[at:start]
        at = end
    kept += raw[at:]
    top = _TO_BLANK_LINE.match(kept)
    end = top.end() + 1 if top else 0
    return _HIDDEN.sub(b"", bytes(kept[:end])) + bytes(kept[end:])


def marked(raw: bytes) -> bytes:
    """With a header line that says it is not exact, also where there was no Bcc to leave out."""
    return WITHOUT_BCC + (b"\r\n" if b"\r\n" in raw[:1_000] else b"\n") + raw
