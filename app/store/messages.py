"""Messages, their parts and copies, for a viewer. Hidden and missing are the same NotFound."""

import json
from base64 import b32decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.errors import Corrupt, NotFound
from app.mail import decode_leaf, parse
from app.mail.redact import without_bcc
from app.model import (
    AccountId,
    Address,
    BlobId,
    Copy,
    CopyId,
    Digest,
    Location,
    Message,
    MessageId,
    Part,
    PublicId,
    ThreadId,
    UserId,
    Viewer,
)
from app.store import blobs, snippets
from app.store.database import Store, from_seconds, maybe_from_seconds
from app.store.visibility import READABLE, viewer_parameters

COLUMNS = (
    "m.id, m.public_id, m.thread_id, m.subject, m.sender_name, m.sender_address, m.to_summary,"
    " m.sent_at, m.sort_at, m.size_bytes, m.attachment_count, m.archived_at,"
    " m.archived_by"
)
COLUMN_COUNT = 13

ID_OF = (
    "coalesce((select id from messages where public_id = :public_id),"
    " (select message_id from former_messages where public_id = :public_id))"
)
"""The message with a public id; takes `public_id`."""


@dataclass(frozen=True, slots=True)
class ReadableCopy:
    """A copy as the viewer may see it; where it is not his own mailbox's, without Bcc (A20)."""

    copy: Copy
    raw: bytes
    is_own: bool


def message_from(row: tuple[Any, ...]) -> Message:
    """A message from the values of COLUMNS."""
    return Message(
        id=MessageId(row[0]),
        public_id=PublicId(row[1]),
        thread_id=ThreadId(row[2]),
        subject=row[3],
        sender=Address(row[4], row[5]),
        to_summary=row[6],
        sent_at=maybe_from_seconds(row[7]),
        sort_at=from_seconds(row[8]),
        size_bytes=row[9],
        attachment_count=row[10],
        archived_at=maybe_from_seconds(row[11]),
        archived_by=None if row[12] is None else UserId(row[12]),
    )


def get(store: Store, viewer: Viewer, public_id: str) -> Message:
    """The message, also by the id of one that became part of it.

    Raises NotFound if it is absent or the viewer may not read it.
    """
    row = store.archive.conn.execute(
        f"select {COLUMNS} from messages m where m.id = {ID_OF} and {READABLE}",
        viewer_parameters(viewer) | {"public_id": public_id},
    ).fetchone()
    if row is None:
        raise NotFound
    return message_from(row)


def by_public_ids(store: Store, viewer: Viewer, ids: Sequence[str]) -> list[Message]:
    """Those of the messages that the viewer may read, in the order of their ids, none twice."""
    rows = store.archive.conn.execute(
        f"select {COLUMNS} from json_each(:ids) wanted"
        f" cross join messages m on m.public_id = wanted.value where {READABLE}"
        " order by wanted.key",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids))},
    )
    return list({message.id: message for message in map(message_from, rows)}.values())


def by_ids(store: Store, viewer: Viewer, ids: Sequence[MessageId]) -> list[Message]:
    """Those of the messages that the viewer may read, newest first."""
    rows = store.archive.conn.execute(
        f"select {COLUMNS} from json_each(:ids) wanted cross join messages m on m.id = wanted.value"
        f" where {READABLE} order by m.sort_at desc, m.id desc",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids))},
    )
    return [message_from(row) for row in rows]


def with_previews(store: Store, messages: list[Message]) -> list[Message]:
    """The messages with the beginning of their text. Ask only for what the viewer may read."""
    previews = snippets.previews(store, [message.id for message in messages])
    return [replace(message, preview=previews[message.id]) for message in messages]


def parts(store: Store, viewer: Viewer, message_id: MessageId) -> list[Part]:
    """The leaves of a message, in order; empty if the viewer may not read it."""
    rows = store.archive.conn.execute(
        "select p.position, p.content_type, p.charset, p.filename, p.content_id, p.size_bytes,"
        " p.is_attachment, p.blob_id from parts p join messages m on m.id = p.message_id"
        f" where p.message_id = :id and {READABLE} order by p.position",
        viewer_parameters(viewer) | {"id": message_id},
    )
    return [_part_from(row) for row in rows]


def part_bytes(
    store: Store, viewer: Viewer, message_id: MessageId, position: int
) -> tuple[Part, bytes]:
    """A part and its decoded bytes. Raises NotFound."""
    for part in parts(store, viewer, message_id):
        if part.position != position:
            continue
        if part.blob_id is not None:
            return part, blobs.read(store, part.blob_id)
        raw = best_copy(store, viewer, message_id).raw
        for leaf in parse(raw).leaves:
            if leaf.position == position:
                return part, decode_leaf(raw, leaf)
    raise NotFound


def best_copy(store: Store, viewer: Viewer, message_id: MessageId) -> ReadableCopy:
    """The copy to show: of the viewer's own mailbox, else of the archiver's, without Bcc.

    Raises NotFound if the viewer may not read the message, Corrupt if its bytes are damaged.
    """
    row = store.archive.conn.execute(
        "select c.id, c.message_id, c.size_bytes,"
        " exists (select 1 from locations l join folders f on f.id = l.folder_id"
        "   where l.copy_id = c.id"
        "   and f.account_id in (select value from json_each(:accounts))) as is_own,"
        " exists (select 1 from locations l join folders f on f.id = l.folder_id"
        "   join account_users u on u.account_id = f.account_id and u.user_id = m.archived_by"
        "   where l.copy_id = c.id) as is_archivers, m.public_id"
        f" from copies c join messages m on m.id = c.message_id where m.id = :id and {READABLE}"
        " order by is_own desc, is_archivers desc, c.id limit 1",
        viewer_parameters(viewer) | {"id": message_id},
    ).fetchone()
    if row is None:
        raise NotFound
    (copy,) = copies_from(store, [row[:3]])
    try:
        raw = blobs.read(store, copy.id)
    except Corrupt as exc:
        raise Corrupt(f"message {row[5]}: {exc}") from exc
    is_own = bool(row[3])
    return ReadableCopy(copy, raw if is_own else without_bcc(raw), is_own)


def locations(store: Store, viewer: Viewer, message_id: MessageId) -> list[Location]:
    """Where the viewer's own mailboxes hold the message, gone places included."""
    rows = store.archive.conn.execute(
        "select a.id, a.address, f.name, l.uid, l.received_at, l.first_seen_at, l.gone_since,"
        " instr(lower(l.flags), '\\seen') = 0"
        " from copies c join locations l on l.copy_id = c.id join folders f on f.id = l.folder_id"
        " join accounts a on a.id = f.account_id join messages m on m.id = c.message_id"
        " where c.message_id = :id and a.id in (select value from json_each(:accounts))"
        f" and {READABLE} order by a.address, f.name, l.uid",
        viewer_parameters(viewer) | {"id": message_id},
    )
    return [
        Location(
            AccountId(row[0]),
            row[1],
            row[2],
            row[3],
            from_seconds(row[4]),
            from_seconds(row[5]),
            maybe_from_seconds(row[6]),
            bool(row[7]),
        )
        for row in rows
    ]


def copies(store: Store, viewer: Viewer, message_id: MessageId) -> list[Copy]:
    """The copies that the viewer's own mailboxes hold, oldest first."""
    rows = store.archive.conn.execute(
        "select distinct c.id, c.message_id, c.size_bytes"
        " from copies c join messages m on m.id = c.message_id"
        " join locations l on l.copy_id = c.id join folders f on f.id = l.folder_id"
        " where c.message_id = :id and f.account_id in (select value from json_each(:accounts))"
        f" and {READABLE} order by c.id",
        viewer_parameters(viewer) | {"id": message_id},
    )
    return copies_from(store, rows.fetchall())


def any_copy(store: Store, name: str) -> Copy:
    """A copy by its public id or its SHA-256 in hex, for the operator. Raises NotFound."""
    for blob_id, digest in blobs.find_prefix(store, _prefix(name)):
        row = store.archive.conn.execute(
            "select id, message_id, size_bytes from copies where id = ?", [blob_id]
        ).fetchone()
        if row is None:
            continue
        copy = Copy(CopyId(row[0]), MessageId(row[1]), digest, row[2])
        if name.lower() in (copy.public_id, digest.hex()):
            return copy
    raise NotFound(f"There is no copy {name}. Take its id or SHA-256 from `search --json`.")


def _prefix(name: str) -> bytes:
    """The first eight bytes of the digest that a name stands for; b"" if it stands for none."""
    try:
        if len(name) == 64:
            return bytes.fromhex(name)[:8]
        return b32decode(name.upper() + "AAA")[:8] if len(name) == 13 else b""
    except ValueError:
        return b""


def copies_after(store: Store, last: int, *, limit: int) -> list[Copy]:
    """Every copy there is, oldest first, those up to the id `last` left out: for upkeep."""
    rows = store.archive.conn.execute(
        "select id, message_id, size_bytes from copies where id > ? order by id limit ?",
        [last, limit],
    )
    return copies_from(store, rows.fetchall())


def readable_after(store: Store, viewer: Viewer, last: MessageId, *, limit: int) -> list[MessageId]:
    """The next messages that the viewer may read, oldest first."""
    rows = store.archive.conn.execute(
        f"select m.id from messages m where m.id > :last and {READABLE} order by m.id limit :limit",
        viewer_parameters(viewer) | {"last": last, "limit": limit},
    )
    return [MessageId(row[0]) for row in rows]


def copy_count(store: Store) -> int:
    return int(store.archive.conn.execute("select count(*) from copies").fetchone()[0])


def some_copies(store: Store, number: int) -> list[CopyId]:
    """So many copies, by chance: for upkeep."""
    rows = store.archive.conn.execute("select id from copies order by random() limit ?", [number])
    return [CopyId(row[0]) for row in rows]


def _part_from(row: tuple[Any, ...]) -> Part:
    return Part(
        position=row[0],
        content_type=row[1],
        charset=row[2],
        filename=row[3],
        content_id=row[4],
        size_bytes=row[5],
        is_attachment=bool(row[6]),
        blob_id=None if row[7] is None else BlobId(row[7]),
    )


def copies_from(store: Store, rows: Sequence[tuple[Any, ...]]) -> list[Copy]:
    """Copies from their ids, messages and sizes.

    One that mail.db lacks has a digest of nothing but zeros; to read it raises Corrupt.
    """
    digests = blobs.digests_of(store, [row[0] for row in rows])
    missing = Digest(bytes(32))
    return [
        Copy(CopyId(row[0]), MessageId(row[1]), digests.get(row[0], missing), row[2])
        for row in rows
    ]
