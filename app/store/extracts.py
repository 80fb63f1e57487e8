"""The text of attachments: read once for each content, kept in mail.db, derived.

A text with pages is a row of "\\f", the page's name ("page 3", "sheet Costs", "slide 2"), "\\n" and
what is on it; a text without is nothing else.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple, get_args

import zstandard

from app.errors import NotFound
from app.mail import decode_leaf, parse
from app.model import MessageId, Viewer
from app.store import blobs
from app.store.database import Store, transaction, write
from app.store.ingest import queue_messages
from app.store.visibility import READABLE, viewer_parameters

VERSION: Final = 1
"""Of the reading: after a higher one everything is read anew, the newest first."""

MOST_CHARACTERS: Final = 1_000_000
"""Kept of one attachment."""

MOST_INDEXED: Final = 200_000
MOST_INDEXED_OF_MESSAGE: Final = 500_000
PAGE: Final = "\f"

Status = Literal[
    "read", "cut", "empty", "unknown", "password", "damaged", "old", "large", "slow", "failed"
]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
NOT_READ: Final[Mapping[str, str]] = {
    "cut": "only its beginning was read",
    "empty": "there is none in it; it may be scanned",
    "password": "protected by a password",
    "damaged": "the file is damaged",
    "old": "old format",
    "large": "the file is too large, or unpacks to too much",
    "slow": "it takes too long to read",
    "failed": "the reader gave up on it",
}
"""Why there is no text, or not all, in words. What holds no text as a rule (unknown) needs none."""

logger = logging.getLogger(__name__)


class Source(NamedTuple):
    """Where an attachment's bytes are: a blob, or (`position` not -1) a part of a copy."""

    blob_id: int
    position: int = -1


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment of a message, whoever may read it, and where its bytes are."""

    message_id: MessageId
    position: int
    content_type: str
    charset: str
    filename: str
    size_bytes: int
    source: Source


@dataclass(frozen=True, slots=True)
class Extract:
    """What an attachment's bytes gave. `text` is "" unless `status` is "read" or "cut"."""

    status: Status
    text: str = ""


class Entry(NamedTuple):
    """A message in the queue."""

    sort_at: int
    message_id: MessageId


# -- the queue


def backlog(store: Store) -> int:
    """How many messages wait to have their attachments read."""
    return int(store.archive.conn.execute("select count(*) from extract_queue").fetchone()[0])


def waiting(store: Store, *, limit: int) -> list[Entry]:
    """The newest messages that wait."""
    rows = store.archive.conn.execute(
        "select sort_at, message_id from extract_queue"
        " order by sort_at desc, message_id desc limit ?",
        [limit],
    )
    return [Entry(row[0], MessageId(row[1])) for row in rows]


def done(store: Store, entries: Sequence[Entry], with_text: Iterable[MessageId]) -> None:
    """Take messages from the queue; those with text are indexed anew. Effects: one transaction."""
    with transaction(store):
        store.archive.conn.executemany(
            "delete from extract_queue where sort_at = ? and message_id = ?", entries
        )
        queue_messages(store, with_text)


def enqueue_unread(store: Store) -> int:
    """Have read what no reading of this version has seen; gives how many messages wait then.

    What is lost or came from a backup is found here. Effects: one transaction; may be repeated.
    """
    conn = store.archive.conn
    conn.execute("attach ? as mail", [str(store.directory / "mail.db")])
    try:
        with transaction(store):
            conn.execute(
                "insert or ignore into extract_queue (sort_at, message_id)"
                " select distinct m.sort_at, m.id from messages m"
                " join parts p on p.message_id = m.id and p.is_attachment = 1"
                " where m.attachment_count > 0 and not exists (select 1 from mail.extracts e"
                f" where e.blob_id = {_BLOB} and e.position = {_POSITION} and e.version = ?)",
                [VERSION],
            )
    finally:
        conn.execute("detach mail")
    return backlog(store)


# -- attachments and their texts

_BLOB = "coalesce(p.blob_id, (select min(id) from copies c where c.message_id = p.message_id))"
_POSITION = "case when p.blob_id is null then p.position else -1 end"


def attachments(store: Store, ids: Iterable[MessageId]) -> list[Attachment]:
    """The attachments of messages, whoever may read them: for the worker."""
    rows = store.archive.conn.execute(
        "select p.message_id, p.position, p.content_type, p.charset, p.filename, p.size_bytes,"
        f" {_BLOB}, {_POSITION} from json_each(?) wanted"
        " cross join parts p on p.message_id = wanted.value and p.is_attachment = 1"
        " order by wanted.key, p.position",
        [json.dumps(list(ids))],
    )
    return [
        Attachment(
            message_id=MessageId(row[0]),
            position=row[1],
            content_type=row[2],
            charset=row[3],
            filename=row[4],
            size_bytes=row[5],
            source=Source(row[6], row[7]),
        )
        for row in rows
    ]


def readable_attachments(
    store: Store, viewer: Viewer, ids: Iterable[MessageId]
) -> list[Attachment]:
    """The attachments of those of the messages that the viewer may read."""
    wanted = json.dumps(list(ids))
    rows = store.archive.conn.execute(
        f"select m.id from messages m where m.id in (select value from json_each(:wanted))"
        f" and {READABLE}",
        viewer_parameters(viewer) | {"wanted": wanted},
    )
    return attachments(store, [MessageId(row[0]) for row in rows.fetchall()])


def unread(store: Store, viewer: Viewer, message_id: MessageId) -> dict[int, str]:
    """Why attachments of a message are not searchable, by their position; {} to who may not read
    it."""
    its_own = readable_attachments(store, viewer, [message_id])
    known = statuses(store, {one.source for one in its_own})
    told = {one.position: NOT_READ.get(known.get(one.source, "read"), "") for one in its_own}
    return {position: reason for position, reason in told.items() if reason}


def statuses(store: Store, sources: Iterable[Source]) -> dict[Source, Status]:
    """How the reading of these ended; those not read yet, or by another version, are absent."""
    return {
        Source(*row[:2]): row[2]
        for row in _rows(store, "e.status", sources, and_where=f"and e.version = {VERSION}")
    }


def texts(store: Store, sources: Iterable[Source]) -> dict[Source, str]:
    """The texts of these; those without are absent, and those of a damaged row."""
    return dict(texts_in_turn(store, sources))


def texts_in_turn(store: Store, sources: Iterable[Source]) -> Iterator[tuple[Source, str]]:
    """The same in their order, one in memory at a time."""
    rows = _rows(store, "e.text", sources, and_where="and e.text is not null order by w.key")
    for blob_id, position, payload in rows:
        with suppress(zstandard.ZstdError, UnicodeDecodeError):
            yield Source(blob_id, position), _unpacked(payload)


def indexed_texts(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, tuple[str, ...]]:
    """What the index is to know of the attachments of messages, one text for each that has any."""
    made: dict[MessageId, tuple[str, ...]] = {}
    for message_id, some in groupby(attachments(store, ids), key=lambda one: one.message_id):
        room = MOST_INDEXED_OF_MESSAGE
        # One after the other: all texts of a message may be more than there is memory.
        for _, text in texts_in_turn(store, dict.fromkeys(one.source for one in some)):
            kept = "\n".join(body for _, body in pages(text))[: min(room, MOST_INDEXED)]
            made[message_id] = (*made.get(message_id, ()), kept)
            room -= len(kept)
            if room <= 0:
                break
    return made


def content(store: Store, source: Source) -> bytes:
    """The bytes of an attachment. Raises Corrupt, or NotFound where the part is no more."""
    raw = blobs.read(store, source.blob_id)
    if source.position < 0:
        return raw
    for leaf in parse(raw).leaves:
        if leaf.position == source.position:
            return decode_leaf(raw, leaf)
    raise NotFound


def put(store: Store, extracts: Mapping[Source, Extract]) -> None:
    """Keep what was read, unless its blob has gone. Effects: one transaction; may be repeated."""
    with write(store.mail):
        store.mail.conn.executemany(
            "insert or replace into extracts (blob_id, position, status, version, text)"
            " select id, ?, ?, ?, ? from blobs where id = ?",
            [
                (source.position, one.status, VERSION, _packed(one.text), source.blob_id)
                for source, one in extracts.items()
            ],
        )


def forget(store: Store, copies: Iterable[int]) -> None:
    """Drop what was read out of these copies by the places of parts in them, for they may move.

    Effects: inside the caller's transaction on mail.db.
    """
    store.mail.conn.executemany(
        "delete from extracts where blob_id = ? and position >= 0", [(one,) for one in copies]
    )


def counts(store: Store) -> dict[Status, int]:
    """How many contents were read, by how it ended."""
    rows = store.mail.conn.execute(
        "select status, count(*) from extracts where version = ? group by status", [VERSION]
    )
    return {row[0]: row[1] for row in rows}


def pages(text: str) -> Iterator[tuple[str, str]]:
    """The pages of a stored text: name ("" where it has no pages) and what is on it."""
    if not text.startswith(PAGE):
        yield "", text
        return
    for page in text[1:].split(PAGE):
        name, _, body = page.partition("\n")
        yield name, body


def _rows(
    store: Store, column: str, sources: Iterable[Source], *, and_where: str
) -> Iterator[tuple[int, int, Any]]:
    yield from store.mail.conn.execute(
        f"select e.blob_id, e.position, {column} from json_each(?) w cross join extracts e"
        " on e.blob_id = json_extract(w.value, '$[0]')"
        " and e.position = json_extract(w.value, '$[1]')"
        f" where true {and_where}",
        [json.dumps(list(sources))],
    )


def _packed(text: str) -> bytes | None:
    if not text:
        return None
    return zstandard.ZstdCompressor(level=6, write_checksum=True).compress(text.encode())


def _unpacked(payload: object) -> str:
    frame = payload if isinstance(payload, bytes) else b""
    unpacked = zstandard.ZstdDecompressor().decompress(frame, 4 * MOST_CHARACTERS + 1)
    return unpacked.decode()
