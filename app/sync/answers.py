"""What a server answers, as facts of ours. Pure: no connection here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imapclient.datetime_util import parse_to_datetime
from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.response_parser import parse_response

HIGHEST_UID = 2**32 - 1
_UNSELECTABLE = frozenset({"\\noselect", "\\nonexistent"})
_HIGHEST_COUNT = 2**63 - 1

_SPECIAL_USES = {
    use.lower(): use
    for use in ("\\Trash", "\\Junk", "\\Drafts", "\\Sent", "\\All", "\\Archive", "\\Flagged")
}
_VALUE = rb'(?:(\d{1,19})|"([^"\\]+)"|\(([^()"{]*)\))'
_ITEM = re.compile(rb"([A-Za-z0-9.-]+) " + _VALUE)
_PLAIN_ANSWER = re.compile(rb"\d{1,10} \((?:%b(?: (?!\))|(?=\))))+\)" % _ITEM.pattern)
_LITERAL_HEAD = re.compile(rb"\d{1,10} \(UID (\d{1,10}) BODY\[\] \{\d+\}")
_SYSTEM_FLAGS = {
    flag.lower(): flag for flag in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
}


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder as the server lists it: decoded full path, `special_use` like "\\Sent" or "".

    `mailbox_id` stays the same when it is renamed (RFC 8474); "": the server does not tell.
    """

    name: str
    special_use: str
    is_selectable: bool
    delimiter: str
    mailbox_id: str = ""


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
    """What the server says about a message: its size, INTERNALDATE (UTC, None if senseless).

    `object_id` it has wherever it lies, "": untold or not asked for.
    """

    uid: int
    size_bytes: int
    received_at: datetime | None
    flags: tuple[str, ...]
    object_id: str = ""


def wire_name(name: object) -> str:
    """A folder's name as the server spelt it; a name of digits is parsed as a number."""
    return name.decode("latin-1") if isinstance(name, bytes) else str(name)


def decoded_name(wire: str) -> str:
    """A folder's name from modified UTF-7; else from UTF-8, which some servers send raw.

    What is neither, or half a character, stays as it is spelt.
    """
    try:
        name = str(decode_utf7(wire.encode("latin-1"))) if wire.isascii() else _utf8(wire)
        name.encode()
    except ValueError:
        return wire
    return name


def inbox_or(wire: str) -> str:
    """INBOX is INBOX in any case (RFC 3501 5.1), all other names are as they are spelt."""
    return "INBOX" if wire.upper() == "INBOX" else wire


def uid_set(uids: Sequence[int]) -> str:
    return ",".join(str(uid) for uid in uids)


def listed(lines: Sequence[object]) -> Iterator[tuple[frozenset[str], str, str]]:
    """LIST answers: attributes in lower case, delimiter, name as spelt.

    What an extended LIST tells more stands behind the name (RFC 5258 6) and is left out.
    """
    told = parse_response([line for line in lines if line not in (b"", None)])
    for at, flags in enumerate(told):
        if at + 2 < len(told) and _are_flags(flags):
            words = frozenset(str(flag, "latin-1").lower() for flag in flags)
            yield words, str(told[at + 1] or b"", "latin-1"), wire_name(told[at + 2])


def _are_flags(told: object) -> bool:
    return isinstance(told, tuple) and all(isinstance(flag, bytes) for flag in told)


def special_use(attributes: Iterable[str]) -> str:
    """The use that stands first in our table, "" if there is none."""
    return next((use for word, use in _SPECIAL_USES.items() if word in attributes), "")


def remote_folder(name: str, attributes: frozenset[str], delimiter: str, wire: str) -> RemoteFolder:
    """A folder as LIST tells of it, `wire` as the server spells it."""
    return RemoteFolder(
        name=name,
        special_use=special_use(attributes),
        # A line break in a name would end the command that names it.
        is_selectable=not attributes & _UNSELECTABLE and not set(wire) & {"\r", "\n", "\0"},
        delimiter=delimiter,
    )


def statuses(lines: Sequence[object]) -> Iterator[tuple[str, Mapping[bytes, object]]]:
    """STATUS answers: a folder's name as spelt, and the items by name in upper case."""
    told = parse_response([line for line in lines if line not in (b"", None)])
    for name, items in zip(told[::2], told[1::2], strict=True):
        pairs = zip(items[::2], items[1::2], strict=True)
        yield wire_name(name), {bytes(item).upper(): value for item, value in pairs}


def status_from(items: Mapping[bytes, object]) -> Status:
    def count(item: bytes) -> int:
        told = items.get(item)
        return told if isinstance(told, int) and 0 <= told <= _HIGHEST_COUNT else 0

    return Status(
        uidvalidity=count(b"UIDVALIDITY"),
        uidnext=count(b"UIDNEXT"),
        messages=count(b"MESSAGES"),
        unseen=count(b"UNSEEN"),
        highestmodseq=count(b"HIGHESTMODSEQ") if b"HIGHESTMODSEQ" in items else None,
    )


def object_id(told: object) -> str:
    """An id as RFC 8474 writes it, `(M6d99ac3275bb4e)`, or as Gmail does, a number; "": none."""
    if isinstance(told, tuple):
        told = told[0] if len(told) == 1 else None
    return "" if told is None else wire_name(told)


def uids_from(lines: Sequence[object]) -> set[int]:
    """The UIDs of SEARCH answers; what can be none is left out."""
    words = b" ".join(line for line in lines if isinstance(line, bytes)).split()
    numbers = {int(word) for word in words if word.isdigit() and len(word) <= len(str(HIGHEST_UID))}
    return {number for number in numbers if 0 < number <= HIGHEST_UID}


def fetched_from(lines: Sequence[object]) -> dict[int, dict[bytes, object]]:
    """FETCH answers by UID, their items by name in upper case.

    One without a UID is left out: it is news that nobody asked for, and names a number only
    (RFC 3501 7.4.2). Of two contents under one UID none is given.
    """
    found: dict[int, dict[bytes, object]] = {}
    for items in _plain_items(lines) or _any_items(lines):
        uid = items.pop(b"UID", None)
        if isinstance(uid, int):
            known = found.setdefault(uid, {})
            for item, value in items.items():
                is_other = item.startswith(b"BODY[") and known.get(item, value) != value
                known[item] = None if is_other else value
    return found


def header_lines(told: Mapping[int, Mapping[bytes, object]]) -> dict[int, bytes]:
    """The header fields that were fetched, by UID."""
    return {
        uid: lines
        for uid, items in told.items()
        for item, lines in items.items()
        if item.startswith(b"BODY[HEADER.FIELDS") and isinstance(lines, bytes)
    }


def _any_items(lines: Sequence[object]) -> list[dict[bytes, object]]:
    told = parse_response([line for line in lines if line is not None])
    return [
        {bytes(item).upper(): value for item, value in zip(pairs[::2], pairs[1::2], strict=True)}
        for _, pairs in zip(told[::2], told[1::2], strict=True)
    ]


def _plain_items(lines: Sequence[object]) -> list[dict[bytes, object]] | None:
    """The same where every answer looks as usual, in a fifth of the time; None: one does not."""
    answers: list[dict[bytes, object]] = []
    literal: tuple[dict[bytes, object], bytes] | None = None
    for line in lines:
        if isinstance(line, tuple):
            head = _LITERAL_HEAD.fullmatch(line[0])
            if head is None or literal is not None:
                return None
            literal = {b"UID": int(head[1])}, line[1]
        elif literal is not None:
            items, content = literal
            if line != b")":
                return None
            answers.append({**items, b"BODY[]": content})
            literal = None
        elif isinstance(line, bytes) and _PLAIN_ANSWER.fullmatch(line):
            answers.append({name.upper(): _value(*told) for name, *told in _ITEM.findall(line)})
        else:
            return None
    return None if literal else answers


def _value(number: bytes, quoted: bytes, words: bytes) -> object:
    """The one of the three that was told: only an empty list leaves all of them empty."""
    return int(number) if number else quoted or tuple(words.split())


def object_id_in(items: Mapping[bytes, object]) -> str:
    """What a FETCH answer calls a message wherever it lies, "" if nothing."""
    return object_id(items.get(b"EMAILID", items.get(b"X-GM-MSGID")))


def summary_from(uid: int, items: Mapping[bytes, object]) -> Summary:
    size = items[b"RFC822.SIZE"]
    return Summary(
        uid=uid,
        size_bytes=size if isinstance(size, int) else 0,
        received_at=_utc(items.get(b"INTERNALDATE")),
        flags=flags_from(items.get(b"FLAGS")),
        object_id=object_id_in(items),
    )


def flags_from(told: object) -> tuple[str, ...]:
    """Sorted, system flags in the RFC's spelling, without \\Recent, which is the session's own."""
    if not isinstance(told, tuple):
        return ()
    words = {str(flag, "latin-1") if isinstance(flag, bytes) else str(flag) for flag in told}
    known = {_SYSTEM_FLAGS.get(word.lower(), word) for word in words}
    return tuple(sorted(word for word in known if word.lower() != "\\recent"))


def _utf8(wire: str) -> str:
    return wire.encode("latin-1").decode("utf-8")


def _utc(told: object) -> datetime | None:
    try:
        if not isinstance(told, bytes):
            return None
        moment: datetime = parse_to_datetime(told, normalise=False)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
