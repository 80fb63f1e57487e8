"""Servers that misbehave as told: a greeter that is no IMAP server, and a small IMAP server."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

from tests import heard


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve every caller on loopback with `talk`, one after the other; gives the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            with caller, suppress(OSError):
                talk(caller)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


def greeter(words: bytes, *, after_hearing: bool = False) -> Callable[[socket.socket], None]:
    """Says one thing, at once (SMTP) or after it heard something (HTTP), and hangs up."""

    def talk(caller: socket.socket) -> None:
        if after_hearing:
            caller.recv(1024)
        caller.sendall(words)

    return talk


@dataclass(slots=True)
class Cutting:
    """A server that is gone after so many bytes, of all that it says to all callers.

    `said` counts them. `comes_back`: it hangs up once, and serves the next caller to the end.
    """

    talk: Callable[[socket.socket], None]
    left: int | None = None
    comes_back: bool = False
    said: int = 0

    def __call__(self, caller: socket.socket) -> None:
        self.talk(_Mouth(caller, self))  # type: ignore[arg-type]

    def allow(self, size: int) -> int:
        """How many of the next bytes may still be said."""
        allowed = size if self.left is None else min(size, self.left)
        self.said += allowed
        if self.left is not None:
            self.left = None if self.comes_back and allowed < size else self.left - allowed
        return allowed


@dataclass(frozen=True, slots=True)
class _Mouth:
    """A socket that says what it is allowed to say."""

    caller: socket.socket
    server: Cutting

    def sendall(self, words: bytes) -> None:
        allowed = self.server.allow(len(words))
        self.caller.sendall(words[:allowed])
        if allowed < len(words):
            raise ConnectionAbortedError

    def makefile(self, mode: str) -> IO[bytes]:
        return self.caller.makefile(mode)  # type: ignore[call-overload, no-any-return]


@dataclass(slots=True)
class ScriptedImap:
    """A tiny IMAP server with one folder; what it does wrong is set from outside.

    `messages` by UID; None: it answers without a literal. `flags`: other than \\Seen. `sizes`: what
    it announces instead of the truth. `cut_after`: it hangs up after so many bytes of a body;
    `stalls_after`: it says no more then. `silent_at`: it never answers a command that starts so.
    `answers`: lines to give for a command that starts so, instead of the right ones. `refuses`:
    words that it does not know in any command.
    """

    messages: dict[int, bytes | None] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    flags: dict[int, str] = field(default_factory=dict)
    folder: bytes = b"INBOX"
    uidvalidity: int = 1
    capabilities: bytes = b"IMAP4rev1"
    cut_after: int | None = None
    stalls_after: int | None = None
    silent_at: bytes | None = None
    answers: dict[bytes, bytes] = field(default_factory=dict)
    refuses: tuple[bytes, ...] = ()
    heard: list[bytes] = field(default_factory=list)

    def talk(self, caller: socket.socket) -> None:
        caller.sendall(b"* OK ready\r\n")
        for line in caller.makefile("rb"):
            tag, command = line.rstrip().split(b" ", 1)
            self.heard.append(command)
            heard.note([line.decode("latin-1").rstrip()])
            if not self._answer(caller, tag, command):
                return

    def _answer(self, caller: socket.socket, tag: bytes, command: bytes) -> bool:
        if self.silent_at is not None and command.startswith(self.silent_at):
            return True
        body = self._scripted(command)
        if body is None:
            body = self._proper(command)
        if self.cut_after is not None and b"BODY.PEEK" in command:
            caller.sendall(body[: self.cut_after])
            return False
        if self.stalls_after is not None and b"BODY.PEEK" in command:
            caller.sendall(body[: self.stalls_after])
            return True
        done = b"" if body.startswith(b"TAG ") else tag + b" OK done\r\n"
        caller.sendall(body.replace(b"TAG ", tag + b" ", 1) + done)
        return command != b"LOGOUT"

    def _scripted(self, command: bytes) -> bytes | None:
        if any(word in command for word in self.refuses):
            return b"TAG BAD What is that?\r\n"
        for start, answer in self.answers.items():
            if command.startswith(start):
                return answer
        return None

    def _proper(self, command: bytes) -> bytes:
        if command == b"CAPABILITY":
            return b"* CAPABILITY " + self.capabilities + b"\r\n"
        if command.startswith(b"LIST"):
            return b'* LIST () "/" "' + self.folder + b'"\r\n'
        if command.startswith(b"STATUS"):
            unseen = sum("\\Seen" not in self._flags(uid) for uid in self.messages)
            counts = f"MESSAGES {len(self.messages)} UIDNEXT {self._uidnext()} UNSEEN {unseen}"
            text = f"{counts} UIDVALIDITY {self.uidvalidity}".encode()
            asked = command.removeprefix(b"STATUS ").rpartition(b" (")[0]
            return b"* STATUS " + asked + b" (" + text + b")\r\n"
        if command.startswith(b"EXAMINE"):
            told = f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.uidvalidity}] ok\r\n"
            return told.encode()
        if command.startswith(b"UID SEARCH"):
            return (
                b"* SEARCH "
                + b" ".join(str(uid).encode() for uid in self._named(command))
                + b"\r\n"
            )
        if command.startswith(b"UID FETCH"):
            return b"".join(self._fetched(uid, command) for uid in self._named(command))
        return b"* BYE\r\n" if command == b"LOGOUT" else b""

    def _uidnext(self) -> int:
        return max(self.messages, default=0) + 1

    def _named(self, command: bytes) -> list[int]:
        found = re.match(rb"UID (?:SEARCH UID|FETCH) ([\d,]+)(?: |$)", command)
        wanted = {int(word) for word in found[1].split(b",")} if found else set(self.messages)
        return [uid for uid in self.messages if uid in wanted]

    def _fetched(self, uid: int, command: bytes) -> bytes:
        raw = self.messages[uid]
        start = f"* {uid} FETCH (UID {uid} ".encode()
        if b"BODY.PEEK" in command:
            if raw is None:
                return start + b"BODY[] NIL)\r\n"
            if asked := re.search(rb"BODY\.PEEK\[\]<(\d+)\.(\d+)>", command):
                first, size = int(asked[1]), int(asked[2])
                piece = raw[first : first + size]
                return start + b"BODY[]<%d> {%d}\r\n" % (first, len(piece)) + piece + b")\r\n"
            return start + b"BODY[] {%d}\r\n" % len(raw) + raw + b")\r\n"
        size = self.sizes.get(uid, 5 if raw is None else len(raw))
        date = b'INTERNALDATE "03-Mar-2025 10:00:00 +0100"'
        flags = b" FLAGS (" + self._flags(uid).encode() + b"))\r\n"
        return start + b"RFC822.SIZE %d " % size + date + flags

    def _flags(self, uid: int) -> str:
        return self.flags.get(uid, "\\Seen")
