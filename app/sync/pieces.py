"""A large message put together from its pieces, whole or not at all."""

from collections.abc import Callable
from io import BytesIO

from app.model import LARGEST_MESSAGE
from app.sync.faults import Refused

PIECE_BYTES = 1 << 20


def joined(piece_at: Callable[[int], bytes | None], announced_bytes: int) -> bytes | None:
    """The exact bytes; None: they are not given, or not up to their end.

    `piece_at` gives what stands at an offset, PIECE_BYTES at most.
    """
    pieces = BytesIO()
    while piece := piece_at(pieces.tell()):
        pieces.write(piece)
        if pieces.tell() > LARGEST_MESSAGE:
            raise Refused(f"The message is larger than {LARGEST_MESSAGE:,} bytes.")
        if len(piece) < PIECE_BYTES and pieces.tell() == announced_bytes:
            return pieces.getvalue()
    raw = pieces.getvalue()
    return raw if _ends(raw, piece_at) else None


def _ends(raw: bytes, piece_at: Callable[[int], bytes | None]) -> bool:
    """Whether the message ends where nothing more of it came.

    Servers announce wrong sizes, and of one that is expunged meanwhile Dovecot says OK and gives
    nothing: a whole one still gives its last byte, and that alone.
    """
    return bool(raw) and piece_at(len(raw) - 1) == raw[-1:]
