"""Which message lies under which record, and the roles that may read it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.model import Filing, MessageId, Record, RecordId, Role, RoleId, UserId, Viewer
from app.store import holdings, records
from app.store.database import Store, from_seconds, to_seconds
from app.store.ingest import queue_messages


def add(
    store: Store, message_id: MessageId, record_id: RecordId, *, by: UserId, now: datetime
) -> bool:
    """Put the message under the record; False if it lay there already.

    Effects: inside the caller's transaction; the first filing makes the message archived.
    """
    conn = store.archive.conn
    added = conn.execute(
        "insert into filings (message_id, record_id, filed_by, filed_at) values (?, ?, ?, ?)"
        " on conflict do nothing",
        [message_id, record_id, by, to_seconds(now)],
    )
    if not added.rowcount:
        return False
    archived = conn.execute(
        "update messages set archived_at = ?, archived_by = ? where id = ? and archived_at is null",
        [to_seconds(now), by, message_id],
    )
    if archived.rowcount:
        holdings.forget_set_aside(store, message_id)
    queue_messages(store, [message_id])
    return True


def remove(store: Store, message_id: MessageId, record_id: RecordId) -> bool:
    """Take the message from the record; with the last one it is not archived any more (R70).

    Effects: inside the caller's transaction; the roles go with the last filing. False: it did not
    lie there.
    """
    conn = store.archive.conn
    removed = conn.execute(
        "delete from filings where message_id = ? and record_id = ?", [message_id, record_id]
    )
    if not removed.rowcount:
        return False
    left = conn.execute("select 1 from filings where message_id = ?", [message_id]).fetchone()
    if left is None:
        set_roles(store, message_id, [])
        conn.execute(
            "update messages set archived_at = null, archived_by = null where id = ?", [message_id]
        )
    queue_messages(store, [message_id])
    return True


def is_archived(store: Store, message_id: MessageId) -> bool:
    found = store.archive.conn.execute(
        "select 1 from messages where id = ? and archived_at is not null", [message_id]
    )
    return found.fetchone() is not None


def lies_under(store: Store, message_id: MessageId, record_id: RecordId) -> UserId | None:
    """Who put the message under the record; None if it does not lie there."""
    row = store.archive.conn.execute(
        "select filed_by from filings where message_id = ? and record_id = ?",
        [message_id, record_id],
    ).fetchone()
    return None if row is None else UserId(row[0])


def filed_at(store: Store, message_id: MessageId, record_id: RecordId) -> datetime:
    """When the message was put under a record that it lies under."""
    (at,) = store.archive.conn.execute(
        "select filed_at from filings where message_id = ? and record_id = ?",
        [message_id, record_id],
    ).fetchone()
    return from_seconds(at)


def archiver_of(store: Store, message_id: MessageId) -> UserId | None:
    """Who archived the message; None if it is not archived."""
    (by,) = store.archive.conn.execute(
        "select archived_by from messages where id = ?", [message_id]
    ).fetchone()
    return None if by is None else UserId(by)


def record_ids(store: Store, message_id: MessageId) -> list[RecordId]:
    """All the records that the message lies under, whoever may see them."""
    return sorted(_record_ids(store, [message_id]))


def roles_of(store: Store, message_id: MessageId) -> list[Role]:
    """The roles that the message is restricted to; empty: no restriction."""
    rows = store.archive.conn.execute(
        "select r.id, r.name from message_roles m join roles r on r.id = m.role_id"
        " where m.message_id = ? order by r.name",
        [message_id],
    )
    return [Role(RoleId(row[0]), row[1]) for row in rows]


def set_roles(store: Store, message_id: MessageId, roles: Sequence[RoleId]) -> None:
    """Restrict the message to roles. Effects: inside the caller's transaction."""
    conn = store.archive.conn
    conn.execute("delete from message_roles where message_id = ?", [message_id])
    conn.executemany(
        "insert into message_roles (message_id, role_id) values (?, ?)",
        [(message_id, role) for role in dict.fromkeys(roles)],
    )
    queue_messages(store, [message_id])


def visible(store: Store, viewer: Viewer, message_id: MessageId) -> list[Filing]:
    """The filings of a message under records that the viewer may see, oldest first."""
    found = records.by_ids(store, viewer, _record_ids(store, [message_id]))
    rows = store.archive.conn.execute(
        "select record_id, filed_by, filed_at from filings where message_id = ?"
        " order by filed_at, record_id",
        [message_id],
    )
    return [
        Filing(message_id, found[record_id], UserId(filed_by), from_seconds(filed_at))
        for record_id, filed_by, filed_at in rows
        if record_id in found
    ]


def records_of(
    store: Store, viewer: Viewer, ids: Iterable[MessageId]
) -> dict[MessageId, list[Record]]:
    """The visible records that messages are attached to, oldest filing first."""
    wanted = json.dumps(list(ids))
    rows = store.archive.conn.execute(
        "select f.message_id, f.record_id from filings f"
        " where f.message_id in (select value from json_each(?)) order by f.filed_at, f.record_id",
        [wanted],
    ).fetchall()
    found = records.by_ids(store, viewer, {RecordId(row[1]) for row in rows})
    attached: dict[MessageId, list[Record]] = {}
    for message_id, record_id in rows:
        if record_id in found:
            attached.setdefault(MessageId(message_id), []).append(found[record_id])
    return attached


def put_at(store: Store, viewer: Viewer, record_id: RecordId, moment: datetime) -> list[MessageId]:
    """What the viewer put under the record in that second, whether or not he may read it now."""
    rows = store.archive.conn.execute(
        "select message_id from filings where filed_by = ? and filed_at = ? and record_id = ?"
        " order by message_id",
        [viewer.user_id, to_seconds(moment), record_id],
    )
    return [MessageId(row[0]) for row in rows]


def unlike(store: Store, ids: Iterable[MessageId], *, limit: int = 50) -> list[MessageId]:
    """One of each kind of the messages: held, archived, filed and restricted alike, all are read
    by the same people."""
    rows = store.archive.conn.execute(
        "select min(id) from (select m.id, m.archived_by,"
        " (select group_concat(account_id) from holdings where message_id = m.id) as held,"
        " (select group_concat(record_id) from filings where message_id = m.id) as filed,"
        " (select group_concat(role_id) from message_roles where message_id = m.id) as restricted"
        " from messages m where m.id in (select value from json_each(?)))"
        " group by archived_by, held, filed, restricted limit ?",
        [json.dumps(list(ids)), limit],
    )
    return [MessageId(row[0]) for row in rows]


def _record_ids(store: Store, ids: Sequence[MessageId]) -> set[RecordId]:
    rows = store.archive.conn.execute(
        "select record_id from filings where message_id in (select value from json_each(?))",
        [json.dumps(list(ids))],
    )
    return {RecordId(row[0]) for row in rows}
