"""A small read-only IMAP server (RFC 3501) on loopback, for the demo and for tests.

It serves what it was given and what is delivered while it runs. Nothing is ever removed, so in
each folder a message's UID is also its number. No verb that writes is there.
"""

import hmac
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from app.demo.served import ServedMailbox, Stored
from app.demo.session import Session

_STOP_SECONDS = 5


class DemoServer:
    """Serves mailboxes on 127.0.0.1 at a free port, a thread for each caller. A context manager."""

    def __init__(self, mailboxes: Iterable[ServedMailbox]) -> None:
        self._mailboxes = {mailbox.login: mailbox for mailbox in mailboxes}
        self._lock = threading.Lock()
        self._callers: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._bells: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._is_stopping = False

    @property
    def port(self) -> int:
        if self._listener is None:
            raise RuntimeError("The server does not run.")
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._begin(self._accept, self._listener)

    def stop(self) -> None:
        """Hang up on everybody and wait for the threads. Effects: may be repeated."""
        with self._lock:
            self._is_stopping = True
            callers, threads = list(self._callers), list(self._threads)
        for end in (self._listener, *callers):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        if self._listener is not None:
            self._listener.close()
        for thread in threads:
            thread.join(_STOP_SECONDS)

    def deliver(
        self, mailbox: str, folder: str, raw: bytes, flags: tuple[str, ...], at: datetime
    ) -> int:
        """Put a message into a folder and tell who waits there (IDLE); gives its UID.

        Raises KeyError for a mailbox or folder that is not there. Safe from any thread.
        """
        with self._lock:
            messages = self._mailboxes[mailbox].folders[folder].messages
            messages.append(Stored(raw, flags, at))
            uid = len(messages)
            for bell in self._bells:
                with suppress(OSError):
                    bell.send(b"!")
        return uid

    def mailbox(self, login: str, password: str) -> ServedMailbox | None:
        """The mailbox of that login, if the password is right."""
        found = self._mailboxes.get(login)
        is_right = hmac.compare_digest(found.password.encode() if found else b"", password.encode())
        return found if found and is_right else None

    def bell(self) -> tuple[socket.socket, socket.socket]:
        """Two ends: the second one becomes readable with each delivery. Give it to `unhang`."""
        bell, heard = socket.socketpair()
        bell.settimeout(0)
        with self._lock:
            self._bells.add(bell)
        return bell, heard

    def unhang(self, bell: socket.socket, heard: socket.socket) -> None:
        with self._lock:
            self._bells.discard(bell)
        bell.close()
        heard.close()

    def _begin(self, work: Callable[[socket.socket], None], end: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(end,), name="demo-imap", daemon=True)
        with self._lock:
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._is_stopping:
                    caller.close()
                    return
                self._callers.add(caller)
            # Answers are many small writes: Nagle's algorithm would hold each for 40 ms.
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._begin(self._talk, caller)

    def _talk(self, caller: socket.socket) -> None:
        try:
            with caller, suppress(OSError):
                Session(self, caller).run()
        finally:
            with self._lock:
                self._callers.discard(caller)
