"""A small IMAP server with many folders and the extensions of large providers, as told."""

import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.heard import note

GMAIL = "IMAP4rev1 IDLE SPECIAL-USE LIST-EXTENDED LIST-STATUS CONDSTORE X-GM-EXT-1"
OBJECTID = "IMAP4rev1 IDLE SPECIAL-USE LIST-EXTENDED LIST-STATUS OBJECTID"


@dataclass(slots=True)
class Held:
    """A message in a folder; `object_id`: EMAILID or X-GM-MSGID."""

    raw: bytes
    object_id: str = ""
    flags: str = "\\Seen"
    internal_date: str = "03-Mar-2025 10:00:00 +0100"


@dataclass(slots=True)
class HeldFolder:
    messages: dict[int, Held] = field(default_factory=dict)
    attributes: str = ""
    uidvalidity: int = 1
    mailbox_id: str = ""
    modseq: int = 1


@dataclass(slots=True)
class ExtendedImap:
    """What it serves and how it fails is set from outside, while it runs.

    `refused`: beginnings of commands that it answers with NO or BAD, and the words. `gathers`: it
    answers no STATUS before so many were asked. `idle_is_dead`: whoever idles hears nothing more,
    DONE or not. `unknown`: what it answers with `unknown_words` wherever it stands.
    `hangs_up_over`, `hangs_up_once_over`: likewise. `most_callers`: who signs in beyond is turned
    away.
    """

    folders: dict[str, HeldFolder]
    capabilities: str = "IMAP4rev1"
    refused: dict[str, str] = field(default_factory=dict)
    gathers: int = 1
    idle_is_dead: bool = False
    most_callers: int = 99
    tells_uses_when_asked: bool = False
    unknown: str = "nothing"
    unknown_words: str = "BAD what is that"
    hangs_up_over: str = "nothing"
    hangs_up_once_over: str = "nothing"
    turned_away: int = 0
    heard: list[str] = field(default_factory=list)
    idling: int = 0
    callers: int = 0
    signed_in: int = 0

    def asked(self, start: str) -> list[str]:
        return [command for command in self.heard if command.startswith(start)]


@contextmanager
def serving(server: ExtendedImap) -> Iterator[int]:
    """Serve on loopback, a thread for each caller; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    callers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            callers.append(caller)
            threads.append(threading.Thread(target=_Talk(server, caller).run, daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        for end in (listener, *callers):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join(10)


class _Talk:
    """One caller's session."""

    def __init__(self, server: ExtendedImap, caller: socket.socket) -> None:
        self.server = server
        self.caller = caller
        self.folder = HeldFolder()
        self.gathered: list[tuple[str, str]] = []
        self.is_signed_in = False

    def run(self) -> None:
        self.server.callers += 1
        try:
            self.talk()
        finally:
            self.server.signed_in -= self.is_signed_in

    def talk(self) -> None:
        with self.caller, suppress(OSError), self.caller.makefile("rb") as lines:
            self.say("* OK ready")
            for line in lines:
                tag, command = line.decode().rstrip().split(" ", 1)
                self.server.heard.append(command)
                note([f"{tag} {command}"])
                if not self.answer(tag, command):
                    return

    def say(self, *lines: str | bytes) -> None:
        whole = [line.encode() if isinstance(line, str) else line for line in lines]
        self.caller.sendall(b"".join(line + b"\r\n" for line in whole))

    def answer(self, tag: str, command: str) -> bool:
        if self.server.hangs_up_over in command:
            return False
        if self.server.hangs_up_once_over in command:
            self.server.hangs_up_once_over = "nothing"
            return False
        if self.server.unknown in command:
            self.say(f"{tag} {self.server.unknown_words}")
            return True
        for start, words in self.server.refused.items():
            if command.startswith(start):
                self.say(f"{tag} {words}")
                return True
        if command.startswith("LOGIN"):
            if self.server.signed_in >= self.server.most_callers:
                self.server.turned_away += 1
                self.say(f"{tag} NO [LIMIT] Maximum number of connections exceeded")
                return True
            self.server.signed_in += 1
            self.is_signed_in = True
        if command.startswith("STATUS"):
            self.gather(tag, command)
        elif command == "IDLE":
            return self.idle(tag)
        else:
            self.say(*self.told(command), f"{tag} OK done")
        return command != "LOGOUT"

    def gather(self, tag: str, command: str) -> None:
        self.gathered.append((tag, command))
        if len(self.gathered) >= self.server.gathers:
            for one, asked in self.gathered:
                found = re.fullmatch(r'STATUS "?([^"]*)"? \((.*)\)', asked)
                self.say(self.status(found[1], found[2]), f"{one} OK done")
            self.gathered = []

    def told(self, command: str) -> list[str | bytes]:
        if command == "CAPABILITY":
            return [f"* CAPABILITY {self.server.capabilities}"]
        if command.startswith("LIST"):
            return self.listed(command)
        if command.startswith("EXAMINE"):
            self.folder = self.server.folders[command.split(" ", 1)[1].strip('"')]
            exists = f"* {len(self.folder.messages)} EXISTS"
            return [exists, f"* OK [UIDVALIDITY {self.folder.uidvalidity}] ok"]
        if command.startswith("UID SEARCH"):
            return ["* SEARCH " + " ".join(map(str, self.named(command)))]
        if command.startswith("UID FETCH"):
            return [self.fetched(uid, command) for uid in self.named(command)]
        return ["* BYE"] if command == "LOGOUT" else []

    def listed(self, command: str) -> list[str | bytes]:
        counts = re.search(r"STATUS \((.*)\)\)", command)
        lines: list[str | bytes] = []
        for name, folder in self.server.folders.items():
            is_silent = self.server.tells_uses_when_asked and "SPECIAL-USE" not in command
            lines.append(f'* LIST ({"" if is_silent else folder.attributes}) "/" "{name}"')
            if counts:
                lines.append(self.status(name, counts[1]))
        return lines

    def status(self, name: str, items: str) -> str:
        folder = self.server.folders[name]
        known = {
            "MESSAGES": len(folder.messages),
            "UIDNEXT": max(folder.messages, default=0) + 1,
            "UIDVALIDITY": folder.uidvalidity,
            "UNSEEN": sum("\\Seen" not in held.flags for held in folder.messages.values()),
            "HIGHESTMODSEQ": folder.modseq,
            "MAILBOXID": f"({folder.mailbox_id})",
        }
        told = " ".join(f"{item} {known[item]}" for item in items.split())
        return f'* STATUS "{name}" ({told})'

    def named(self, command: str) -> list[int]:
        found = re.match(r"UID (?:SEARCH UID|FETCH) ([\d,:]+)(?: |$)", command)
        if found is None:
            return list(self.folder.messages)
        wanted: set[int] = set()
        for word in found[1].split(","):
            first, _, last = word.partition(":")
            wanted |= {
                uid for uid in self.folder.messages if int(first) <= uid <= int(last or first)
            }
        return [uid for uid in self.folder.messages if uid in wanted]

    def fetched(self, uid: int, command: str) -> bytes:
        held = self.folder.messages[uid]
        said = [f"UID {uid}", f"FLAGS ({held.flags})"]
        if "RFC822.SIZE" in command:
            said += [f"RFC822.SIZE {len(held.raw)}", f'INTERNALDATE "{held.internal_date}"']
        if "EMAILID" in command:
            said.append(f"EMAILID ({held.object_id})")
        if "X-GM-MSGID" in command:
            said.append(f"X-GM-MSGID {held.object_id}")
        start = f"* {uid} FETCH ({' '.join(said)}".encode()
        if fields := re.search(r"BODY\.PEEK(\[HEADER\.FIELDS \((.*?)\)\])", command):
            header = _fields(held.raw, fields[2].lower().split())
            return start + f" BODY{fields[1]} {{{len(header)}}}\r\n".encode() + header + b")"
        if "BODY.PEEK[]" in command:
            return start + b" BODY[] {%d}\r\n" % len(held.raw) + held.raw + b")"
        return start + b")"

    def idle(self, tag: str) -> bool:
        """Tell of new messages until DONE."""
        before = len(self.folder.messages)
        self.say("+ idling")
        self.server.idling += 1
        try:
            while not select.select([self.caller], [], [], 0.01)[0]:
                if len(self.folder.messages) != before and not self.server.idle_is_dead:
                    before = len(self.folder.messages)
                    self.say(f"* {before} EXISTS")
            word = self.caller.recv(1024).strip()
        finally:
            self.server.idling -= 1
        self.server.heard.append(word.decode())
        if word == b"DONE" and not self.server.idle_is_dead:
            self.say(f"{tag} OK done")
        return word == b"DONE"


def _fields(raw: bytes, names: list[str]) -> bytes:
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return (
        b"".join(
            line + b"\r\n" for line in lines if line.partition(b":")[0].decode().lower() in names
        )
        + b"\r\n"
    )
