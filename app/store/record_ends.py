"""How records end: as part of another one, or removed. A row stays, for the audit and old links."""

import json
from collections.abc import Iterable
from datetime import datetime

from app.errors import NotFound
from app.model import MessageId, Record, RecordId, UserId, Viewer
from app.store import records
from app.store.database import Store, to_seconds
from app.store.ingest import queue_messages
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_of, viewer_parameters


def messages_under(store: Store, record_id: RecordId) -> list[MessageId]:
    """Every message under a record, whoever may read it."""
    rows = store.archive.conn.execute(
        "select message_id from filings where record_id = ?", [record_id]
    )
    return [MessageId(row[0]) for row in rows]


def only_under(store: Store, record_id: RecordId, ids: Iterable[MessageId]) -> set[MessageId]:
    """Those of the messages that lie under no other record."""
    rows = store.archive.conn.execute(
        "select w.value from json_each(:ids) w where not exists (select 1 from filings f"
        " where f.message_id = w.value and f.record_id != :record_id)",
        {"ids": json.dumps(list(ids)), "record_id": record_id},
    )
    return {MessageId(row[0]) for row in rows}


def who_see(store: Store, record_id: RecordId) -> set[UserId]:
    """The active people who may see a record."""
    people = store.archive.conn.execute("select id from users where deactivated_at is null")
    return {
        UserId(row[0])
        for row in people.fetchall()
        if records.by_ids(store, viewer_of(store, UserId(row[0])), [record_id])
    }


def readable_if_moved(
    store: Store,
    viewer: Viewer,
    ids: Iterable[MessageId],
    *,
    dropped: RecordId,
    kept: RecordId,
) -> set[MessageId]:
    """Those of the messages that the viewer could read if all of a record lay under another."""
    rows = store.archive.conn.execute(
        # What is planned stands in the place of what the table says.
        "with filings as (select message_id, iif(record_id = :dropped, :kept, record_id)"
        "   as record_id from main.filings"
        "   where message_id in (select value from json_each(:ids)))"
        f" select m.id from json_each(:ids) w join messages m on m.id = w.value where {READABLE}",
        viewer_parameters(viewer)
        | {"ids": json.dumps(list(ids)), "dropped": dropped, "kept": kept},
    )
    return {MessageId(row[0]) for row in rows}


def move_mail(store: Store, *, dropped: RecordId, kept: RecordId) -> int:
    """Put all mail of a record under another; gives how many messages are new there.

    Effects: inside the caller's transaction; who filed them and when stays; the messages are
    queued for the index.
    """
    conn = store.archive.conn
    moved = messages_under(store, dropped)
    added = conn.execute(
        "insert into filings (message_id, record_id, filed_by, filed_at)"
        " select message_id, :kept, filed_by, filed_at from filings where record_id = :dropped"
        " on conflict do nothing",
        {"kept": kept, "dropped": dropped},
    )
    conn.execute("delete from filings where record_id = ?", [dropped])
    queue_messages(store, moved)
    return int(added.rowcount)


def move_marks(
    store: Store, *, dropped: Record, kept: Record, aliases: Iterable[str], keeps_id: bool
) -> None:
    """What the one is known by is the other's too, and these aliases.

    Effects: inside the caller's transaction; with `keeps_id` the external id stays good for who
    pushes it.
    """
    conn = store.archive.conn
    conn.execute(
        "insert into record_marks (record_id, kind, value)"
        " select ?, kind, value from record_marks where record_id = ? on conflict do nothing",
        [kept.id, dropped.id],
    )
    conn.executemany(
        "insert into record_marks (record_id, kind, value) values (?, 'alias', ?)"
        " on conflict do nothing",
        [(kept.id, alias) for alias in aliases],
    )
    conn.execute("update record_ids set record_id = ? where record_id = ?", [kept.id, dropped.id])
    conn.execute(
        "insert into record_ids (type_id, external_id, record_id)"
        " select type_id, external_id, ? from records where id = ? and external_id is not null"
        " and ?",
        [kept.id, dropped.id, keeps_id],
    )


def end(
    store: Store, record_id: RecordId, *, merged_into: RecordId | None = None, now: datetime
) -> None:
    """Nobody sees the record any more; its code and external id are free again.

    Effects: inside the caller's transaction; it leaves the index. Its name stays.
    """
    conn = store.archive.conn
    for table in ("record_marks", "record_roles", "record_users", "record_ids"):
        conn.execute(f"delete from {table} where record_id = ?", [record_id])
    conn.execute(
        "update records set removed_at = ?, merged_into = ?, code = '', external_id = null,"
        " notes = '' where id = ?",
        [to_seconds(now), merged_into, record_id],
    )
    if merged_into is not None:
        conn.execute(
            "update records set merged_into = ? where merged_into = ?", [merged_into, record_id]
        )
    conn.executemany(
        "insert into index_queue (kind, subject_id) values ('record', ?)",
        [(one,) for one in (record_id, merged_into) if one is not None],
    )


def former_ids(store: Store) -> list[tuple[str, str, RecordId]]:
    """The ids of records that became part of others: type, external id, the other record."""
    rows = store.archive.conn.execute(
        "select t.key, x.external_id, x.record_id from record_ids x"
        " join record_types t on t.id = x.type_id"
    )
    return [(row[0], row[1], RecordId(row[2])) for row in rows]


def successor(store: Store, viewer: Viewer, public_id: str) -> Record:
    """The record that another one became part of. Raises NotFound, also where it is hidden."""
    row = store.archive.conn.execute(
        "select r.id from records old join records r on r.id = old.merged_into"
        f" where old.public_id = :public_id and {RECORD_VISIBLE}",
        viewer_parameters(viewer) | {"public_id": public_id},
    ).fetchone()
    if row is None:
        raise NotFound
    return records.by_ids(store, viewer, [RecordId(row[0])])[RecordId(row[0])]
