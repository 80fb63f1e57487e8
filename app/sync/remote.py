"""A read-only session with one account's IMAP server. The only importer of imapclient.

Sends LOGIN or AUTHENTICATE, CAPABILITY, STARTTLS, LIST, STATUS, EXAMINE, UID SEARCH, UID FETCH
(PEEK) and LOGOUT, and nothing else: there is no other verb in this file.
"""

import imaplib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from types import TracebackType
from typing import Self

from imapclient import IMAPClient
from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_fetch_response

from app.model import LARGEST_MESSAGE
from app.sync.faults import ConnectionLost, Refused, Server, translated

UIDS_PER_COMMAND = 500
"""20,000 UIDs in one command: Dovecot says BAD "Too long argument"."""

_LARGE_BYTES = 4_000_000
_CHUNK_BYTES = 1 << 20
_FLAGS_PER_COMMAND = 5_000
_RECONNECTS = 5
_UNSELECTABLE = frozenset({"\\noselect", "\\nonexistent"})
_SPECIAL_USES = {
    use.lower(): use
    for use in ("\\Trash", "\\Junk", "\\Drafts", "\\Sent", "\\All", "\\Archive", "\\Flagged")
}
_SYSTEM_FLAGS = {
    flag.lower(): flag for flag in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
}


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder as the server lists it: decoded full path, `special_use` like "\\Sent" or ""."""

    name: str
    special_use: str
    is_selectable: bool
    delimiter: str


@dataclass(frozen=True, slots=True)
class Status:
    """The server's own counts (RFC 3501 6.3.10); what it does not tell is 0 or None."""

    uidvalidity: int
    uidnext: int
    messages: int
    unseen: int
    highestmodseq: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the server says about a message: its size, INTERNALDATE (UTC, None if senseless)."""

    uid: int
    size_bytes: int
    received_at: datetime | None
    flags: tuple[str, ...]


class Remote:
    """A signed-in session. Every method raises Refused or ConnectionLost, both RemoteError.

    `sign_in` opens a new session; it is called again when the server hung up over one message.
    """

    def __init__(self, server: Server, sign_in: Callable[[], IMAPClient]) -> None:
        self._server = server
        self._sign_in = sign_in
        self._client = sign_in()
        self._wire_names: dict[str, str] = {}
        self._examined: tuple[str, int] | None = None
        self._reconnects_left = _RECONNECTS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out. A server that is gone already is no error any more."""
        with suppress(imaplib.IMAP4.error, OSError, ValueError, AttributeError):
            self._client.logout()
        with suppress(OSError, AttributeError):
            self._client.shutdown()

    def reopen(self) -> None:
        """Sign in again after ConnectionLost and examine the same folder; five times at most."""
        if self._reconnects_left == 0:
            raise ConnectionLost(f"{self._server} hangs up again and again.")
        self._reconnects_left -= 1
        self.close()
        self._client = self._sign_in()
        before = self._examined
        if before is not None and self.examine(before[0]) != before[1]:
            raise ConnectionLost(f"A folder at {self._server} was made anew in between.")

    def list_folders(self) -> list[RemoteFolder]:
        """All folders, the unselectable ones too; a name is listed once."""
        with translated(self._server):
            listed = self._client.list_folders()
            self._wire_names = {}
            found = [self._folder(*entry) for entry in listed]
            return list({folder.name: folder for folder in found}.values())

    def status(self, name: str) -> Status:
        items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"]
        with translated(self._server):
            if self._client.has_capability("CONDSTORE"):
                items.append("HIGHESTMODSEQ")
            told = self._client.folder_status(self._wire(name), items)
            return Status(
                uidvalidity=int(told.get(b"UIDVALIDITY", 0)),
                uidnext=int(told.get(b"UIDNEXT", 0)),
                messages=int(told.get(b"MESSAGES", 0)),
                unseen=int(told.get(b"UNSEEN", 0)),
                highestmodseq=told.get(b"HIGHESTMODSEQ"),
            )

    def examine(self, name: str) -> int:
        """Open a folder read-only (EXAMINE, never SELECT); gives its UIDVALIDITY, 0 if untold."""
        self._examined = None
        with translated(self._server):
            told = self._client.select_folder(self._wire(name), readonly=True)
            uidvalidity = int(told.get(b"UIDVALIDITY", 0))
            self._examined = (name, uidvalidity)
            return uidvalidity

    def uids(self, among: Sequence[int] = ()) -> set[int]:
        """The UIDs in the examined folder, or those of `among` that are still there."""
        criteria = f"UID {_uid_set(among)}" if among else "ALL"
        with translated(self._server):
            answer, lines = self._client._imap.uid("SEARCH", criteria)
            self._client._checkok("search", answer, lines)
            words = b" ".join(line for line in lines if line).split()
            return {int(word) for word in words if word.isdigit()} - {0}

    def flags(
        self, first: int, last: int, *, changed_since: int | None = None
    ) -> dict[int, tuple[str, ...]]:
        """Flags by UID from `first` to `last`; only those that changed since a modseq if given."""
        modifier = None if changed_since is None else f"(CHANGEDSINCE {changed_since})"
        with translated(self._server):
            answer, lines = self._client._imap.uid("FETCH", f"{first}:{last}", "(FLAGS)", modifier)
            self._client._checkok("fetch", answer, lines)
            told = parse_fetch_response(lines, normalise_times=False, uid_is_key=True)
            return {
                uid: _flags(items[b"FLAGS"]) for uid, items in told.items() if b"FLAGS" in items
            }

    def flags_of(self, uids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Flags of these UIDs. Asked for by ranges, so that a command stays short."""
        ordered = sorted(uids)
        found: dict[int, tuple[str, ...]] = {}
        for start in range(0, len(ordered), _FLAGS_PER_COMMAND):
            chunk = ordered[start : start + _FLAGS_PER_COMMAND]
            found |= self.flags(chunk[0], chunk[-1])
        return found

    def summaries(self, uids: Sequence[int]) -> list[Summary]:
        """Size, date and flags in the order asked, of at most 500; who is not told of is absent."""
        told = self._fetch(uids, ["RFC822.SIZE", "INTERNALDATE", "FLAGS"])
        return [_summary(uid, told[uid]) for uid in uids if b"RFC822.SIZE" in told.get(uid, {})]

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The exact bytes by UID, fetched whole; absent where the server gives no literal."""
        told = self._fetch(uids, ["BODY.PEEK[]"])
        bodies = {uid: items.get(b"BODY[]") for uid, items in told.items()}
        return {uid: raw for uid, raw in bodies.items() if isinstance(raw, bytes)}

    def body(self, summary: Summary) -> bytes | None:
        """The exact bytes of one message; a large one comes in pieces of 1 MiB.

        A whole fetch of 50 MB takes three times that in memory, a piecewise one once. The end is
        an empty piece, or a short one behind the announced size: servers announce wrong sizes.
        """
        if summary.size_bytes <= _LARGE_BYTES:
            return self.bodies([summary.uid]).get(summary.uid)
        pieces = BytesIO()
        while piece := self._piece(summary.uid, pieces.tell()):
            pieces.write(piece)
            if pieces.tell() > LARGEST_MESSAGE:
                raise Refused(f"The message is larger than {LARGEST_MESSAGE:,} bytes.")
            if len(piece) < _CHUNK_BYTES and pieces.tell() >= summary.size_bytes:
                break
        return pieces.getvalue() or None

    def _piece(self, uid: int, offset: int) -> bytes | None:
        told = self._fetch([uid], [f"BODY.PEEK[]<{offset}.{_CHUNK_BYTES}>"])
        piece = told.get(uid, {}).get(f"BODY[]<{offset}>".encode())
        return piece if isinstance(piece, bytes) else None

    def _fetch(
        self, uids: Sequence[int], items: Sequence[str]
    ) -> Mapping[int, Mapping[bytes, object]]:
        with translated(self._server):
            told: Mapping[int, Mapping[bytes, object]] = self._client.fetch(uids, items)
            return told

    def _folder(
        self, flags: Iterable[bytes], delimiter: bytes | None, name: object
    ) -> RemoteFolder:
        wire = name.decode("latin-1") if isinstance(name, bytes) else str(name)
        decoded = _decoded(wire)
        if self._wire_names.setdefault(decoded, wire) != wire:
            decoded = wire
            self._wire_names[decoded] = wire
        words = {str(flag, "latin-1").lower() for flag in flags if isinstance(flag, bytes)}
        uses = [use for word, use in _SPECIAL_USES.items() if word in words]
        return RemoteFolder(
            name=decoded,
            special_use=uses[0] if uses else "",
            # A line break in a name would end the command that names it.
            is_selectable=not words & _UNSELECTABLE and not set(wire) & {"\r", "\n", "\0"},
            delimiter=str(delimiter or b"", "latin-1"),
        )

    def _wire(self, name: str) -> str:
        """The name as the server spelt it: not every server's encoding survives a round trip."""
        return self._wire_names.get(name) or encode_utf7(name).decode("ascii")


def is_large(summary: Summary) -> bool:
    """Whether `body` fetches it in pieces."""
    return summary.size_bytes > _LARGE_BYTES


def _decoded(wire: str) -> str:
    """A folder's name from modified UTF-7; else from UTF-8, which some servers send raw."""
    try:
        return str(decode_utf7(wire.encode("latin-1"))) if wire.isascii() else _utf8(wire)
    except ValueError:
        return wire


def _utf8(wire: str) -> str:
    return wire.encode("latin-1").decode("utf-8")


def _uid_set(uids: Sequence[int]) -> str:
    return ",".join(str(uid) for uid in uids)


def _summary(uid: int, items: Mapping[bytes, object]) -> Summary:
    size = items[b"RFC822.SIZE"]
    return Summary(
        uid=uid,
        size_bytes=size if isinstance(size, int) else 0,
        received_at=_utc(items.get(b"INTERNALDATE")),
        flags=_flags(items.get(b"FLAGS")),
    )


def _utc(moment: object) -> datetime | None:
    try:
        return moment.astimezone(UTC) if isinstance(moment, datetime) else None
    except (ValueError, OverflowError):
        return None


def _flags(told: object) -> tuple[str, ...]:
    """Sorted, system flags in the RFC's spelling, without \\Recent, which is the session's own."""
    if not isinstance(told, tuple):
        return ()
    words = {str(flag, "latin-1") if isinstance(flag, bytes) else str(flag) for flag in told}
    known = {_SYSTEM_FLAGS.get(word.lower(), word) for word in words}
    return tuple(sorted(word for word in known if word.lower() != "\\recent"))
