"""A read-only session with one account's IMAP server. The only importer of imapclient.

Sends LOGIN or AUTHENTICATE, CAPABILITY, STARTTLS, LIST, STATUS, EXAMINE, UID SEARCH, UID FETCH
(PEEK), IDLE and LOGOUT, and nothing else: there is no other verb in this file.
"""

import imaplib
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from app.sync.answers import (
    RemoteFolder,
    Status,
    Summary,
    decoded_name,
    fetched_from,
    flags_from,
    header_lines,
    inbox_or,
    listed,
    object_id,
    object_id_in,
    remote_folder,
    status_from,
    statuses,
    summary_from,
    uid_set,
    uids_from,
)
from app.sync.faults import ConnectionLost, Refused, Server, Stopped, translated
from app.sync.pieces import PIECE_BYTES, joined

UIDS_PER_COMMAND = 500
"""20,000 UIDs in one command: Dovecot says BAD "Too long argument"."""

TELLING_FIELDS = ("MESSAGE-ID", "DATE", "FROM", "SUBJECT", "RECEIVED")
"""By these lines of its header a mail is told from every other."""

_LARGE_BYTES = 4_000_000
_FLAGS_PER_COMMAND = 5_000
_RECONNECTS = 5
_CHANGES = ("EXISTS", "EXPUNGE", "RECENT", "FETCH")
_STATUS_ITEMS = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN")
_STATUS_AT_ONCE = 50
"""Questions on the way at a time: their answers fit into any socket's buffer."""


class Remote:
    """A signed-in session. Every method raises Refused or ConnectionLost, both RemoteError.

    `sign_in` opens a new session; it is called again when the server hung up over one message.
    """

    def __init__(self, server: Server, sign_in: Callable[[], IMAPClient]) -> None:
        self._server = server
        self._sign_in = sign_in
        self._client = sign_in()
        self._wire_names: dict[str, str] = {}
        self._counts: dict[str, Mapping[bytes, object]] = {}
        self._distrusted: set[str] = set()
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
        with suppress(imaplib.IMAP4.error, OSError, ValueError, AttributeError, Stopped):
            self._client.logout()
        with suppress(OSError, AttributeError):
            self._client.shutdown()

    def reopen(self) -> None:
        """Sign in again after ConnectionLost and examine the same folder.

        Five times at most, and once more for each answer to a fetch.
        """
        if self._reconnects_left == 0:
            raise ConnectionLost(f"{self._server} hangs up again and again.")
        self._reconnects_left -= 1
        before = self._examined
        self._begin()
        if before is not None and self.examine(before[0]) != before[1]:
            raise ConnectionLost(f"A folder at {self._server} was made anew in between.")

    def begin_anew(self) -> None:
        """Sign in again, with no folder examined, and as if nothing had gone wrong before."""
        self._reconnects_left = _RECONNECTS
        self._begin()

    def _begin(self) -> None:
        self.close()
        self._examined = None
        self._client = self._sign_in()

    def list_folders(self, *, with_status: bool = False) -> list[RemoteFolder]:
        """All folders, the unselectable ones too; a name is listed once.

        `with_status`: their counts come with it, so that `status` need not ask again: in the same
        command where the server offers LIST-STATUS, else with as few waits as possible.
        """
        self._counts = {}
        entries = self._list_with_status() if with_status else None
        is_counted = entries is not None
        if entries is None:
            entries = self._list()
        self._wire_names = {}
        found = {folder.name: folder for folder in (self._folder(*entry) for entry in entries)}
        if with_status and not is_counted:
            self._count([folder.name for folder in found.values() if folder.is_selectable])
        return [self._with_id(folder) for folder in found.values()]

    def counted(self, name: str) -> Status | None:
        """The counts that came with the list, which `status` gives yet; None: it will ask."""
        items = self._counts.get(inbox_or(self._wire(name)))
        return None if items is None else status_from(items)

    def status(self, name: str) -> Status:
        """The folder's counts: once those that came with the list, then the server's anew."""
        items = self._counts.pop(inbox_or(self._wire(name)), None)
        if items is not None:
            return status_from(items)
        asked = self._status_items()
        try:
            return self._ask_status(name, asked)
        except Refused:
            if asked == _STATUS_ITEMS:
                raise
        told = self._ask_status(name, _STATUS_ITEMS)
        self._distrusted |= {"CONDSTORE", "OBJECTID"}
        return told

    def _list(self) -> list[tuple[frozenset[str], str, str]]:
        """The folders, with their special uses: some tell them only if asked (RFC 6154 2)."""
        if self.offers("SPECIAL-USE") and self.offers("LIST-EXTENDED"):
            try:
                return self._list_returning("SPECIAL-USE")
            except Refused:
                self._distrusted.add("SPECIAL-USE")
        with translated(self._server):
            answer, lines = self._client._imap.list('""', '"*"')
            self._client._checkok("list", answer, lines)
            return list(listed(lines))

    def _list_with_status(self) -> list[tuple[frozenset[str], str, str]] | None:
        """The folders, their counts noted (RFC 5819); None: the server cannot, or says so now.

        With RETURN a server tells special uses only if it is asked for them (RFC 6154 2).
        """
        if not self.offers("LIST-STATUS"):
            return None
        uses = "SPECIAL-USE " if self.offers("SPECIAL-USE") else ""
        imap = self._client._imap
        imap.untagged_responses.pop("STATUS", None)
        try:
            entries = self._list_returning(f"{uses}STATUS ({' '.join(self._status_items())})")
        except Refused:
            self._distrusted.add("LIST-STATUS")
            return None
        self._note_counts(imap.untagged_responses.pop("STATUS", []))
        return entries

    def _list_returning(self, items: str) -> list[tuple[frozenset[str], str, str]]:
        """An extended LIST (RFC 5258)."""
        imap = self._client._imap
        with translated(self._server):
            answer, lines = imap._simple_command("LIST", '""', '"*"', f"RETURN ({items})")
            self._client._checkok("list", answer, lines)
            return list(listed(imap.untagged_responses.pop("LIST", [])))

    def _count(self, names: Sequence[str]) -> None:
        """Ask for many folders' counts, not waiting for each answer before the next question.

        That is allowed (RFC 3501 5.5). What is refused here, `status` asks again, and everything
        if a server hangs up over it.
        """
        try:
            for start in range(0, len(names), _STATUS_AT_ONCE):
                self._count_at_once(names[start : start + _STATUS_AT_ONCE])
        except ConnectionLost:
            self.reopen()

    def _count_at_once(self, names: Sequence[str]) -> None:
        items = f"({' '.join(self._status_items())})"
        imap = self._client._imap
        imap.untagged_responses.pop("STATUS", None)
        with translated(self._server):
            tags = [imap._command("STATUS", self._quoted(name), items) for name in names]
        for tag in tags:
            with suppress(Refused), translated(self._server):
                imap._command_complete("STATUS", tag)
        self._note_counts(imap.untagged_responses.pop("STATUS", []))

    def _ask_status(self, name: str, items: Sequence[str]) -> Status:
        with translated(self._server):
            answer, lines = self._client._imap.status(self._quoted(name), f"({' '.join(items)})")
            self._client._checkok("status", answer, lines)
            *_, (_, told) = statuses(lines)
            return status_from(told)

    def _note_counts(self, lines: Sequence[object]) -> None:
        """Keep those that tell all that was asked for; a line that cannot be read spoils all."""
        with suppress(ValueError, TypeError):
            asked = {item.encode() for item in self._status_items()}
            told = {inbox_or(wire): items for wire, items in statuses(lines)}
            self._counts |= {wire: items for wire, items in told.items() if asked <= items.keys()}

    def _status_items(self) -> tuple[str, ...]:
        modseq = ("HIGHESTMODSEQ",) if self.offers("CONDSTORE") else ()
        mailbox_id = ("MAILBOXID",) if self.offers("OBJECTID") else ()
        return _STATUS_ITEMS + modseq + mailbox_id

    def offers(self, capability: str) -> bool:
        """Whether the server has it and did not refuse it yet: capability lists lie."""
        with translated(self._server):
            offered = bool(self._client.has_capability(capability))
        return offered and capability not in self._distrusted

    def _with_id(self, folder: RemoteFolder) -> RemoteFolder:
        items = self._counts.get(inbox_or(self._wire(folder.name)), {})
        return replace(folder, mailbox_id=object_id(items.get(b"MAILBOXID")))

    def _quoted(self, name: str) -> str:
        return str(self._client._normalise_folder(self._wire(name)))

    def examine(self, name: str) -> int:
        """Open a folder read-only (EXAMINE, never SELECT); gives its UIDVALIDITY, 0 if untold."""
        self._examined = None
        with translated(self._server):
            told = self._client.select_folder(self._wire(name), readonly=True)
            uidvalidity = int(told.get(b"UIDVALIDITY", 0))
            self._examined = (name, uidvalidity)
            return uidvalidity

    def idle(self, seconds: float, *, call_off: socket.socket) -> bool:
        """Wait so many seconds for the examined folder to change (RFC 2177); gives whether it did.

        Ends early if `call_off` can be read.
        """
        imap = self._client._imap
        for kind in _CHANGES:
            imap.untagged_responses.pop(kind, None)
        with translated(self._server):
            tag = imap._command("IDLE")
            while imap.tagged_commands[tag] is None and imap._get_response() is not None:
                pass  # what it had to say before it waits
            if imap.tagged_commands[tag] is None:
                if not any(kind in imap.untagged_responses for kind in _CHANGES):
                    imap.wait(seconds, call_off=call_off)
                imap.send(b"DONE\r\n")
            answer, lines = imap._command_complete("IDLE", tag)
            self._client._checkok("idle", answer, lines)
            return any(kind in imap.untagged_responses for kind in _CHANGES)

    def uids(self, among: Sequence[int] = ()) -> set[int]:
        """The UIDs in the examined folder, or those of `among` that are still there."""
        return self._search(f"UID {uid_set(among)}" if among else "ALL")

    def uids_since(self, first: int) -> set[int]:
        """The UIDs in the examined folder from one on: n:* always gives the last one, too."""
        return {uid for uid in self._search(f"UID {first}:*") if uid >= first}

    def _search(self, criteria: str) -> set[int]:
        with translated(self._server):
            answer, lines = self._client._imap.uid("SEARCH", criteria)
            self._client._checkok("search", answer, lines)
            return uids_from(lines)

    def flags(
        self, first: int, last: int, *, changed_since: int | None = None
    ) -> dict[int, tuple[str, ...]]:
        """Flags by UID from `first` to `last`; only those that changed since a modseq if given."""
        modifier = None if changed_since is None else f"(CHANGEDSINCE {changed_since})"
        told = self._fetch_set(f"{first}:{last}", ["FLAGS"], modifier)
        return {
            uid: flags_from(items[b"FLAGS"]) for uid, items in told.items() if b"FLAGS" in items
        }

    def flags_of(self, uids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Flags of these UIDs. Asked for by ranges, so that a command stays short."""
        ordered = sorted(uids)
        found: dict[int, tuple[str, ...]] = {}
        for start in range(0, len(ordered), _FLAGS_PER_COMMAND):
            chunk = ordered[start : start + _FLAGS_PER_COMMAND]
            found |= self.flags(chunk[0], chunk[-1])
        return found

    def summaries(self, uids: Sequence[int], *, with_object_id: bool = False) -> list[Summary]:
        """Size, date and flags in the order asked, of at most 500; who is not told of is absent."""
        items = ["RFC822.SIZE", "INTERNALDATE", "FLAGS"]
        if with_object_id and self._object_id_item:
            items.append(self._object_id_item)
        try:
            told = self._fetch(uids, items)
        except Refused:
            if with_object_id:  # offered and refused: not asked for again
                self._distrusted |= {"OBJECTID", "X-GM-EXT-1"}
            raise
        return [summary_from(uid, told[uid]) for uid in uids if b"RFC822.SIZE" in told.get(uid, {})]

    @property
    def has_object_ids(self) -> bool:
        """Whether the server tells a message apart wherever it lies."""
        return bool(self._object_id_item)

    def object_ids(self, first: int, last: int) -> dict[int, str]:
        """What the server calls the messages from `first` to `last` of the examined folder."""
        told = self._fetch_set(f"{first}:{last}", [self._object_id_item])
        return {uid: object_id_in(items) for uid, items in told.items()}

    def headers(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The lines of TELLING_FIELDS by UID, as they stand in the header block."""
        if not uids:
            return {}
        told = self._fetch(uids, [f"BODY.PEEK[HEADER.FIELDS ({' '.join(TELLING_FIELDS)})]"])
        return header_lines(told)

    @property
    def _object_id_item(self) -> str:
        """What to fetch for it: RFC 8474's, or Gmail's own."""
        if self.offers("OBJECTID"):
            return "EMAILID"
        return "X-GM-MSGID" if self.offers("X-GM-EXT-1") else ""

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The exact bytes by UID, fetched whole; absent where the server gives no literal."""
        told = self._fetch(uids, ["BODY.PEEK[]"])
        bodies = {uid: told[uid].get(b"BODY[]") for uid in uids if uid in told}
        return {uid: raw for uid, raw in bodies.items() if isinstance(raw, bytes)}

    def body(self, summary: Summary) -> bytes | None:
        """The exact bytes of one message; a large one comes in pieces of 1 MiB.

        A whole fetch of 50 MB takes three times that in memory, a piecewise one once. None: the
        server does not give it, or not up to its end.
        """
        if summary.size_bytes <= _LARGE_BYTES:
            return self.bodies([summary.uid]).get(summary.uid)
        return joined(lambda offset: self._piece(summary.uid, offset), summary.size_bytes)

    def _piece(self, uid: int, offset: int) -> bytes | None:
        told = self._fetch([uid], [f"BODY.PEEK[]<{offset}.{PIECE_BYTES}>"])
        piece = told.get(uid, {}).get(f"BODY[]<{offset}>".encode())
        return piece if isinstance(piece, bytes) else None

    def _fetch(
        self, uids: Sequence[int], items: Sequence[str]
    ) -> Mapping[int, Mapping[bytes, object]]:
        return self._fetch_set(uid_set(uids), items)

    def _fetch_set(
        self, uids: str, items: Sequence[str], modifier: str | None = None
    ) -> Mapping[int, Mapping[bytes, object]]:
        with translated(self._server):
            asked = f"({' '.join(items)})"
            answer, lines = self._client._imap.uid("FETCH", uids, asked, modifier)
            self._client._checkok("fetch", answer, lines)
            told = fetched_from(lines)
        if told:
            self._reconnects_left = min(_RECONNECTS, self._reconnects_left + 1)
        return told

    def _folder(self, attributes: frozenset[str], delimiter: str, wire: str) -> RemoteFolder:
        name = decoded_name(wire)
        if self._wire_names.setdefault(name, wire) != wire:
            name = wire
            self._wire_names[name] = wire
        return remote_folder(name, attributes, delimiter, wire)

    def _wire(self, name: str) -> str:
        """The name as the server spelt it: not every server's encoding survives a round trip."""
        return self._wire_names.get(name) or encode_utf7(name).decode("ascii")


def is_large(summary: Summary) -> bool:
    """Whether `body` fetches it in pieces."""
    return summary.size_bytes > _LARGE_BYTES
