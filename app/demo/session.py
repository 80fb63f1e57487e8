"""One caller's session with the demo's IMAP server: commands in, answers out."""

import binascii
import re
import select
import socket
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Protocol

from app.demo.served import UIDVALIDITY, ServedFolder, ServedMailbox, Stored
from app.mail.utf7 import encode_name

CAPABILITIES = b"IMAP4rev1 AUTH=PLAIN ID NAMESPACE SPECIAL-USE IDLE LITERAL+"
READ_ONLY = b"NO This server is read-only."
_MOST_LINE = 1_000_000
_MOST_LITERAL = 65_536
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WRITING = frozenset(
    ("SELECT", "STORE", "APPEND", "COPY", "MOVE", "EXPUNGE", "CREATE", "DELETE", "RENAME",
     "SUBSCRIBE", "UNSUBSCRIBE", "SETMETADATA", "SETACL", "SETQUOTA", "REPLACE")
)  # fmt: skip
_LITERAL = re.compile(rb"\{(\d{1,9})(\+?)\}\r?\n\Z")
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\([^()]*(?:\([^()]*\)[^()]*)*\))|([^\s"()]+)')
_ITEM = re.compile(
    rb"(BODY\.PEEK)\[(HEADER\.FIELDS \(([^)]*)\)|HEADER|TEXT|)\](?:<(\d+)\.(\d+)>)?"
    rb"|(UID|FLAGS|INTERNALDATE|RFC822\.SIZE)(?=[ )]|\Z)",
    re.I,
)
_SET = re.compile(r"(\d+|\*)(?::(\d+|\*))?(?:,(\d+|\*)(?::(\d+|\*))?)*")


class Host(Protocol):
    """What a session needs of its server."""

    def mailbox(self, login: str, password: str) -> ServedMailbox | None: ...

    def bell(self) -> tuple[socket.socket, socket.socket]: ...

    def unhang(self, bell: socket.socket, heard: socket.socket) -> None: ...


class Session:
    """Reads commands until LOGOUT or the line is cut. `run` raises OSError if it is."""

    def __init__(self, host: Host, caller: socket.socket) -> None:
        self._host = host
        self._caller = caller
        self._lines = caller.makefile("rb")
        self._mailbox: ServedMailbox | None = None
        self._folder: ServedFolder | None = None
        self._told = 0
        self._commands: dict[str, Callable[[list[bytes]], bytes]] = {
            "CAPABILITY": self._capability, "ID": self._id, "NOOP": lambda words: b"OK done",
            "LOGIN": self._login, "AUTHENTICATE": self._authenticate,
        }  # fmt: skip
        self._signed_in: dict[str, Callable[[list[bytes]], bytes]] = {
            "NAMESPACE": self._namespace, "LIST": self._list, "STATUS": self._status,
            "EXAMINE": self._examine, "UID SEARCH": self._search, "UID FETCH": self._fetch,
            "IDLE": self._idle, "CLOSE": self._close, "CHECK": lambda words: b"OK done",
        }  # fmt: skip

    def run(self) -> None:
        self._say(b"* OK [CAPABILITY " + CAPABILITIES + b"] Letterbook demo, read-only")
        with self._lines:
            while (command := self._command()) is not None:
                tag, verb, words = command
                if verb == "LOGOUT":
                    self._say(b"* BYE see you", tag + b" OK done")
                    return
                try:
                    answer = self._answer(verb, words)
                except (ValueError, IndexError, UnicodeError):
                    answer = b"BAD I do not understand the arguments."
                self._tell_growth()
                self._say(tag + b" " + answer)

    def _command(self) -> tuple[bytes, str, list[bytes]] | None:
        """The next command: tag, verb ("UID FETCH" as one), words. None: the line is cut."""
        text = b""
        while True:
            line = self._lines.readline(_MOST_LINE)
            if not line.endswith(b"\n"):
                return None
            literal = _LITERAL.search(line)
            if literal is None:
                text += line
                break
            if int(literal[1]) > _MOST_LITERAL:
                return None
            if not literal[2]:
                self._say(b"+ go on")
            held = self._lines.read(int(literal[1]))
            text += line[: literal.start()] + _quoted(held)
        words = [_word(match) for match in _WORD.finditer(text.rstrip(b"\r\n"))]
        if len(words) < 2:
            return (words or [b"*"])[0], "", []
        verb = words[1].decode("latin-1").upper()
        if verb == "UID" and len(words) > 2:
            return words[0], f"UID {words[2].decode('latin-1').upper()}", words[3:]
        return words[0], verb, words[2:]

    def _answer(self, verb: str, words: list[bytes]) -> bytes:
        if verb.removeprefix("UID ") in _WRITING:
            return READ_ONLY
        if verb in self._commands:
            return self._commands[verb](words)
        if verb not in self._signed_in:
            return b"BAD This server does not know that."
        if self._mailbox is None:
            return b"NO Sign in first."
        return self._signed_in[verb](words)

    # -- before sign-in

    def _capability(self, words: list[bytes]) -> bytes:
        self._say(b"* CAPABILITY " + CAPABILITIES)
        return b"OK done"

    def _id(self, words: list[bytes]) -> bytes:
        self._say(b'* ID ("name" "Letterbook demo")')
        return b"OK done"

    def _login(self, words: list[bytes]) -> bytes:
        return self._sign_in(words[0].decode(), words[1].decode())

    def _authenticate(self, words: list[bytes]) -> bytes:
        if words[0].upper() != b"PLAIN":
            return b"NO Only PLAIN is offered."
        self._say(b"+ ")
        try:
            text = b64decode(self._lines.readline(_MOST_LINE).strip(), validate=True).decode()
        except binascii.Error:
            return b"BAD That is not base64."
        _, login, password = text.split("\0")
        return self._sign_in(login, password)

    def _sign_in(self, login: str, password: str) -> bytes:
        self._mailbox = self._host.mailbox(login, password)
        if self._mailbox is None:
            return b"NO [AUTHENTICATIONFAILED] Wrong name or password."
        return b"OK signed in"

    # -- folders

    def _namespace(self, words: list[bytes]) -> bytes:
        self._say(b'* NAMESPACE (("" "/")) NIL NIL')
        return b"OK done"

    def _list(self, words: list[bytes]) -> bytes:
        reference, pattern = words[0].decode(), words[1].decode()
        if not pattern:
            self._say(b'* LIST (\\Noselect) "/" ""')
            return b"OK done"
        wanted = "".join(_WILD.get(letter, re.escape(letter)) for letter in reference + pattern)
        for folder in self._folders():
            wire = encode_name(folder.name)
            if re.fullmatch(wanted, wire, re.I if wire == "INBOX" else 0):
                flags = f"\\HasNoChildren {folder.special_use}".strip()
                self._say(f'* LIST ({flags}) "/" "{wire}"'.encode())
        return b"OK done"

    def _status(self, words: list[bytes]) -> bytes:
        folder = self._named(words[0])
        if folder is None:
            return b"NO [NONEXISTENT] No such folder."
        count = len(folder.messages)
        known = {
            "MESSAGES": count, "UIDNEXT": count + 1, "UIDVALIDITY": UIDVALIDITY,
            "UNSEEN": folder.unseen, "RECENT": 0,
        }  # fmt: skip
        asked = words[1].strip(b"()").decode().upper().split()
        told = " ".join(f"{item} {known[item]}" for item in asked if item in known)
        self._say(f'* STATUS "{encode_name(folder.name)}" ({told})'.encode())
        return b"OK done"

    def _examine(self, words: list[bytes]) -> bytes:
        self._folder = self._named(words[0])
        if self._folder is None:
            return b"NO [NONEXISTENT] No such folder."
        self._told = len(self._folder.messages)
        self._say(
            b"* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)",
            b"* OK [PERMANENTFLAGS ()] read-only",
            b"* %d EXISTS" % self._told,
            b"* 0 RECENT",
            b"* OK [UIDVALIDITY %d] ok" % UIDVALIDITY,
            b"* OK [UIDNEXT %d] ok" % (self._told + 1),
        )
        return b"OK [READ-ONLY] done"

    def _close(self, words: list[bytes]) -> bytes:
        self._folder = None
        return b"OK done"

    def _folders(self) -> list[ServedFolder]:
        return list(self._mailbox.folders.values()) if self._mailbox else []

    def _named(self, wire: bytes) -> ServedFolder | None:
        name = wire.decode()
        name = "INBOX" if name.upper() == "INBOX" else name
        return next((one for one in self._folders() if encode_name(one.name) == name), None)

    # -- messages

    def _search(self, words: list[bytes]) -> bytes:
        """ALL, or UIDs or numbers: the two are the same here."""
        asked = [word.decode().upper() for word in words]
        if asked[:1] == ["CHARSET"]:
            asked = asked[2:]
        if asked[:1] == ["UID"]:
            asked = asked[1:]
        if len(asked) != 1 or (asked[0] != "ALL" and not _SET.fullmatch(asked[0])):
            return b"BAD Only ALL and sets of UIDs can be searched for."
        folder = self._selected()
        uids = _uids("1:*" if asked[0] == "ALL" else asked[0], len(folder.messages))
        found = "".join(f" {uid}" for uid in uids)
        self._say(f"* SEARCH{found}".encode())
        return b"OK done"

    def _fetch(self, words: list[bytes]) -> bytes:
        folder = self._selected()
        asked = b" ".join(words[1:])
        items = list(_ITEM.finditer(asked))
        if not items or _ITEM.sub(b"", asked).strip(b"() "):
            return b"BAD Only UID, FLAGS, INTERNALDATE, RFC822.SIZE and BODY.PEEK can be fetched."
        for uid in _uids(words[0].decode(), len(folder.messages)):
            message = folder.messages[uid - 1]
            told = [b"UID %d" % uid]
            told += [_told(item, message) for item in items if (item[6] or b"").upper() != b"UID"]
            self._say(b"* %d FETCH (%b)" % (uid, b" ".join(told)))
        return b"OK done"

    def _idle(self, words: list[bytes]) -> bytes:
        """Wait for DONE, telling of new mail meanwhile (RFC 2177)."""
        bell, heard = self._host.bell()
        try:
            self._say(b"+ idling")
            while True:
                self._tell_growth()
                ready, _, _ = select.select([self._caller, heard], [], [])
                if self._caller in ready:
                    line = self._lines.readline(_MOST_LINE)
                    return b"OK done" if line.strip().upper() == b"DONE" else b"BAD Say DONE."
                heard.recv(4096)
        finally:
            self._host.unhang(bell, heard)

    def _selected(self) -> ServedFolder:
        if self._folder is None:
            raise ValueError("no folder is open")
        return self._folder

    def _tell_growth(self) -> None:
        if self._folder is not None and len(self._folder.messages) != self._told:
            self._told = len(self._folder.messages)
            self._say(b"* %d EXISTS" % self._told)

    def _say(self, *lines: bytes) -> None:
        self._caller.sendall(b"".join(line + b"\r\n" for line in lines))


_WILD = {"*": ".*", "%": "[^/]*"}


def _word(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return re.sub(rb"\\(.)", rb"\1", match[1])
    return match[2] or match[3]


def _quoted(held: bytes) -> bytes:
    return b'"' + held.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _uids(text: str, count: int) -> Iterator[int]:
    """The UIDs of a set that are there, ascending. "n:*" always holds the last (RFC 3501 6.4.8)."""
    if not _SET.fullmatch(text):
        raise ValueError(text)
    wanted: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition(":")
        ends = sorted(count if end == "*" else int(end) for end in (first, last or first))
        wanted.update(range(max(1, ends[0]), min(count, ends[1]) + 1))
    return iter(sorted(wanted))


def _told(item: re.Match[bytes], message: Stored) -> bytes:
    """One item of a FETCH answer."""
    if item[6]:
        name = item[6].upper()
        values = {
            b"FLAGS": b"(" + " ".join(message.flags).encode() + b")",
            b"INTERNALDATE": _internal_date(message.at),
            b"RFC822.SIZE": b"%d" % len(message.raw),
        }
        return name + b" " + values[name]
    content = _section(item[2].upper(), item[3], message.raw)
    name = b"BODY[" + item[2].upper() + b"]"
    if item[4]:
        start, size = int(item[4]), int(item[5])
        content, name = content[start : start + size], name + b"<%d>" % start
    return b"%b {%d}\r\n%b" % (name, len(content), content)


def _section(section: bytes, fields: bytes | None, raw: bytes) -> bytes:
    head, blank, body = raw.partition(b"\r\n\r\n")
    if section == b"":
        return raw
    if section == b"TEXT":
        return body
    if fields is None:
        return head + blank
    wanted = {name.lower() for name in fields.split()}
    rows = re.split(rb"\r\n(?![ \t])", head)
    chosen = [row for row in rows if row.partition(b":")[0].strip().lower() in wanted]
    return b"".join(row + b"\r\n" for row in chosen) + b"\r\n"


def _internal_date(at: datetime) -> bytes:
    utc = at.astimezone(UTC)
    return f'"{utc:%d}-{_MONTHS[utc.month - 1]}-{utc:%Y %H:%M:%S} +0000"'.encode()
