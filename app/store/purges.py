"""Messages that are removed for good: their rows go, marks keep them from coming back."""

import json
from collections.abc import Iterator
from datetime import datetime

from app.errors import Conflict, Corrupt, NotFound
from app.mail import parse
from app.model import CopyId, Digest, MessageId, PublicId, UserId
from app.store import blobs, ties, tombstones
from app.store.database import Store, to_seconds
from app.store.ingest import queue_messages
from app.store.messages import ID_OF
from app.store.reading import read


def find(store: Store, public_id: str) -> tuple[MessageId, PublicId]:
    """The message, whoever may read it: by its id, that of one that became part of it, or its
    Message-ID ("<1@spostex.pl>").

    Raises NotFound, Conflict if several messages have that Message-ID.
    """
    if "@" in public_id:
        public_id = _only_one_called(store, public_id)
    row = store.archive.conn.execute(
        f"select id, public_id from messages where id = {ID_OF}", {"public_id": public_id}
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no message {public_id}.")
    return MessageId(row[0]), PublicId(row[1])


def latest(store: Store) -> int:
    """The number of the last removal; 0: there was none."""
    return int(store.archive.conn.execute("select coalesce(max(id), 0) from purges").fetchone()[0])


def remove(
    store: Store,
    message_id: MessageId,
    public_id: PublicId,
    *,
    by: UserId,
    reason: str,
    now: datetime,
) -> None:
    """Remove all rows of a message; its bytes go with the next sweep.

    Effects: inside the caller's transaction. What the audit says of it stays, by its public id.
    """
    conn = store.archive.conn
    purge = conn.execute(
        "insert into purges (public_id, purged_at, purged_by, reason) values (?, ?, ?, ?)",
        [public_id, to_seconds(now), by, reason],
    )
    conn.executemany(
        "insert into tombstones (mark, purge_id) values (?, ?) on conflict do nothing",
        [(mark, purge.lastrowid) for mark in set(_marks(store, message_id))],
    )
    _take_out(store, message_id, public_id)


def remove_again(store: Store) -> list[PublicId]:
    """Remove what was removed before: an archive.db from an older backup has it still.

    It is known by its identity or, where an older parser gave another one, by all its copies.
    Effects: inside the caller's transaction.
    """
    conn = store.archive.conn
    marks = conn.execute("select mark from tombstones where length(mark) = 32").fetchall()
    copies = blobs.find_all(store, [Digest(row[0]) for row in marks])
    removed = "(select value from json_each(:copies))"
    rows = conn.execute(
        "select m.id, m.public_id from messages m where m.identity in (select mark from tombstones)"
        f" or m.id in (select message_id from copies where id in {removed}) and not exists"
        f" (select 1 from copies c where c.message_id = m.id and c.id not in {removed})"
        " order by m.id",
        {"copies": json.dumps(list(copies.values()))},
    ).fetchall()
    for message_id, public_id in rows:
        _take_out(store, message_id, public_id)
    return [PublicId(row[1]) for row in rows]


def _take_out(store: Store, message_id: MessageId, public_id: PublicId) -> None:
    conn = store.archive.conn
    _remove_places(store, message_id)
    (thread_id,) = conn.execute(
        "select thread_id from messages where id = ?", [message_id]
    ).fetchone()
    conn.execute(
        "update audit set message_id = null, detail = json_set(detail, '$.message', ?)"
        " where message_id = ?",
        [public_id, message_id],
    )
    conn.execute("update former_messages set message_id = null where message_id = ?", [message_id])
    for table in ("copies", "parts", "holdings", "filings", "message_roles"):
        conn.execute(f"delete from {table} where message_id = ?", [message_id])
    conn.execute("delete from messages where id = ?", [message_id])
    conn.execute(
        "insert into former_messages (id, public_id) values (?, ?)", [message_id, public_id]
    )
    if not conn.execute("select 1 from messages where thread_id = ?", [thread_id]).fetchone():
        ties.forget(store, thread_id)
    queue_messages(store, [message_id])


def _only_one_called(store: Store, internet_message_id: str) -> str:
    """The public id of the message with a Message-ID, which only its bytes tell."""
    name = internet_message_id.strip("<> ")
    rows = store.archive.conn.execute(
        "select m.public_id, c.id from messages m join copies c on c.message_id = m.id"
        " where m.thread_id = ? order by m.id",
        [ties.conversation_of(store, name)],
    )
    found = {
        public_id: None
        for public_id, copy_id in rows.fetchall()
        if parse(blobs.read(store, copy_id)).internet_message_id == name
    }
    if not found:
        raise NotFound(f"There is no message {internet_message_id}.")
    if len(found) > 1:
        raise Conflict(
            f"{len(found)} messages have this Message-ID, so none was removed. Name one by its id:"
            f" {', '.join(found)}."
        )
    return str(next(iter(found)))


def _marks(store: Store, message_id: MessageId) -> Iterator[bytes]:
    """What the message and its copies are known by, as it was read and as it would be read now."""
    conn = store.archive.conn
    yield conn.execute("select identity from messages where id = ?", [message_id]).fetchone()[0]
    rows = conn.execute("select id from copies where message_id = ?", [message_id]).fetchall()
    copies = [CopyId(row[0]) for row in rows]
    yield from blobs.digests_of(store, copies).values()
    for copy_id in copies:
        try:
            identity = read(blobs.read(store, copy_id)).identity
        except Corrupt:  # nothing can be read of it; its SHA-256 is enough for the same bytes
            continue
        others = conn.execute(
            "select 1 from messages where identity = ? and id <> ?", [identity, message_id]
        )
        if others.fetchone() is None:
            yield identity


def _remove_places(store: Store, message_id: MessageId) -> None:
    """Keep in mind where a server still lists it, and which folders it was imported into."""
    conn = store.archive.conn
    copies = [
        row[0] for row in conn.execute("select id from copies where message_id = ?", [message_id])
    ]
    digests = blobs.digests_of(store, copies)
    places = conn.execute(
        "select l.folder_id, l.uidvalidity, l.uid, l.copy_id, a.host is null or"
        " (f.checked_at is null and f.uidvalidity is not null)"
        " from locations l join folders f on f.id = l.folder_id"
        " join accounts a on a.id = f.account_id"
        " where l.copy_id in (select value from json_each(?)) and l.gone_since is null",
        [json.dumps(copies)],
    ).fetchall()
    for folder_id, uidvalidity, uid, copy_id, is_import in places:
        is_made_up = is_import and copy_id in digests
        listed_as = tombstones.made_up_uid(digests[copy_id]) if is_made_up else uid
        tombstones.note_place(store, folder_id, uidvalidity, listed_as)
    conn.execute(
        "delete from locations where copy_id in (select value from json_each(?))",
        [json.dumps(copies)],
    )
