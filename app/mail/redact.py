"""A copy without its Bcc headers, for viewers who reach the message through another mailbox."""

import re

from app.mail.structure import split

_MENTION = re.compile(rb"(?i)bcc[ \t]*:")


def without_bcc(raw: bytes) -> bytes:
    """The bytes without each Bcc and Resent-Bcc field of the header block."""
    if not _MENTION.search(raw):
        return raw
    kept = bytearray()
    at = 0
    for start, end in split(raw).bcc:
        kept += raw[at:start]
        at = end
    return bytes(kept + raw[at:])
