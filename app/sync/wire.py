"""The bytes between us and a server: every answer has an end, in time and in size.

imaplib trusts the server with both. A server that falls silent, drips, or talks without end would
hold a thread for good or fill the memory.
"""

import imaplib
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from app.sync.faults import Server, Stopped

LINE_SECONDS = 60.0
"""A line is complete so long after the one before it or the command; the greeting within the
socket's own limit."""

LITERAL_SECONDS = 30.0
"""So long a message may stand still in mid-transfer."""

LONGEST_COMMAND_SECONDS = 600.0
"""An answer is complete by then, plus a second for each 10 KB of it, whatever keeps coming."""

MOST_LINE = 16_000_000
"""One line holds the UIDs of a whole folder: two million of them."""

MOST_ANSWER = 64_000_000
"""A batch is 20 MB, and larger messages come in pieces."""

_SLOWEST_BYTES_PER_SECOND = 10_000
_LOOK_SECONDS = 1.0
_PIECE = 1 << 16
_KEPT_PER_LINE = 64
"""What imaplib keeps of a line takes so much memory besides."""


class Wire(imaplib.IMAP4):
    """imaplib over a socket that is open; `host` is what STARTTLS verifies.

    Reading raises TimeoutError for a server that is silent or too slow, and IMAP4.abort for one
    that says too much. On a socket that does not block (IDLE) only the size is bounded. `is_over`
    is asked every second that it waits: then it raises Stopped.
    """

    def __init__(self, opened: socket.socket, server: Server, is_over: Callable[[], bool]) -> None:
        self._opened = opened
        self._is_over = is_over
        self._heard = opened
        self._held = bytearray()
        self._line_seconds = opened.gettimeout() or LINE_SECONDS
        self._count_anew()
        super().__init__(server.host, server.port)

    def send(self, data: bytes) -> None:  # type: ignore[override]
        if self._heard is not self.sock:  # STARTTLS: what came before it in clear text is void
            self._heard = self.sock
            self._held.clear()
        self._line_seconds = LINE_SECONDS
        self._count_anew()
        self.sock.settimeout(LINE_SECONDS)
        super().send(data)

    def read(self, size: int) -> bytes:
        if size > MOST_ANSWER:
            raise self.abort(f"it sends {size:,} bytes unasked")
        while len(self._held) < size and self._fill(LITERAL_SECONDS):
            pass
        return self._take(size)

    def readline(self) -> bytes:
        ends_at = time.monotonic() + self._line_seconds
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0:
            searched = len(self._held)
            if searched > MOST_LINE:
                raise self.abort("it sends a line without end")
            if not self._fill(ends_at - time.monotonic()):
                break
        self._received_bytes += _KEPT_PER_LINE
        return self._take(end + 1 if end >= 0 else len(self._held))

    def wait(self, seconds: float, *, call_off: socket.socket) -> None:
        """Wait for the server to say something, or for `call_off` to be readable."""
        is_decrypted = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        if self._held or is_decrypted:
            return
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        poll.register(call_off, select.POLLIN)
        poll.poll(seconds * 1000)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        del timeout
        return self._opened

    def _count_anew(self) -> None:
        self._began_at = time.monotonic()
        self._received_bytes = 0

    def _fill(self, seconds: float) -> bool:
        """Take in what comes within so many seconds; False if the server hung up."""
        if self.sock.gettimeout() != 0:
            allowed = LONGEST_COMMAND_SECONDS + self._received_bytes / _SLOWEST_BYTES_PER_SECOND
            seconds = min(seconds, self._began_at + allowed - time.monotonic())
            piece = self._receive(time.monotonic() + seconds)
        else:
            piece = self.sock.recv(_PIECE)
        self._received_bytes += len(piece)
        if self._received_bytes > MOST_ANSWER:
            raise self.abort("it says more than was asked for")
        self._held += piece
        return bool(piece)

    def _receive(self, ends: float) -> bytes:
        while (left := ends - time.monotonic()) > 0:
            if self._is_over():
                raise Stopped
            self.sock.settimeout(min(left, _LOOK_SECONDS))
            with suppress(TimeoutError):
                return self.sock.recv(_PIECE)
        raise TimeoutError

    def _take(self, size: int) -> bytes:
        with memoryview(self._held) as held:
            taken = bytes(held[:size])
        del self._held[:size]
        return taken
