"""Two messages that a newer parser shows to be one, and copies that it shows to be two.

Nobody gains or loses by it: messages unite only where everybody reads afterwards just what he
read before, and copies part only where nobody reads more. Otherwise they stay as they were.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from app.mail import PARSER_VERSION
from app.model import AccountId, BlobId, CopyId, Digest, MessageId
from app.store import filings, holdings
from app.store.database import Store
from app.store.ingest import add_messages, queue_messages, refresh_holdings
from app.store.reading import IDENTITY_BYTES, Reading
from app.store.ties import join
from app.store.visibility import who_may_read


def holder(store: Store, identity: bytes, *, besides: MessageId) -> MessageId | None:
    """Another message with this identity.

    Effects: one that an older parser gave it loses it; what it is shows when it is read again.
    """
    row = store.archive.conn.execute(
        "select id, parser_version from messages where identity = ? and id <> ?",
        [identity, besides],
    ).fetchone()
    if row is None:
        return None
    if row[1] < PARSER_VERSION:
        _set_identity(store, row[0], apart(identity, row[0]))
        return None
    return MessageId(row[0])


def apart(identity: bytes, message_id: MessageId) -> bytes:
    """An identity for a message that is the same as another one and yet stays by itself."""
    return sha256(identity + message_id.to_bytes(8)).digest()[:IDENTITY_BYTES]


def unite(store: Store, one: MessageId, other: MessageId, identity: bytes) -> bool:
    """Make one message of two, under the older's id, if nobody gains or loses by it.

    Effects: inside the caller's transaction; the message is to be read again, from its first copy.
    False: they stay two, and mail that comes is of the older one.
    """
    keep, drop = sorted((one, other))
    before = who_may_read(store, keep) | who_may_read(store, drop)
    is_one = _have_equal_roles(store, keep, drop) and _attempt(
        store,
        lambda: _move_all(store, keep, drop),
        lambda: who_may_read(store, keep) == before,
    )
    if not is_one:
        _set_identity(store, drop, apart(identity, drop))
    _set_identity(store, keep, identity)
    return is_one


def shown_copy(store: Store, message_id: MessageId) -> CopyId:
    """The copy that people know the message by: its archiver's, else the first."""
    row = store.archive.conn.execute(
        "select c.id from copies c join messages m on m.id = c.message_id where m.id = ?"
        " order by exists (select 1 from locations l join folders f on f.id = l.folder_id"
        "   join account_users u on u.account_id = f.account_id and u.user_id = m.archived_by"
        "   where l.copy_id = c.id) desc, c.stored_at, c.id limit 1",
        [message_id],
    ).fetchone()
    return CopyId(row[0])


def part(
    store: Store,
    message_id: MessageId,
    members: Sequence[CopyId],
    identity: bytes,
    *,
    reading: Reading,
    ids: Mapping[Digest, BlobId],
    received_at: datetime,
) -> bool:
    """Make another message of some copies, if nobody reads more by it; False: they stay.

    `reading` is that of the first of them. The filings stay with the copy that people knew; the
    new message waits in the queue of the mailboxes that hold it.
    Effects: inside the caller's transaction.
    """
    before = who_may_read(store, message_id)
    target = holder(store, identity, besides=message_id)
    allowed = before | (who_may_read(store, target) if target else set())
    made: list[MessageId] = []

    def move() -> None:
        # The copies that stay may have shown to be the other message, and these what it was.
        store.archive.conn.execute(
            "update messages set identity = ? where id = ? and identity = ?",
            [apart(identity, message_id), message_id, identity],
        )
        made.append(target or add_messages(store, [(reading, received_at)], ids)[0])
        _move_copies(store, message_id, made[0], members)

    return _attempt(
        store,
        move,
        lambda: (
            who_may_read(store, made[0]) <= allowed and who_may_read(store, message_id) <= before
        ),
    )


def _attempt(store: Store, change: Callable[[], None], is_allowed: Callable[[], bool]) -> bool:
    """Make a change, and take it back unless it is allowed then."""
    conn = store.archive.conn
    conn.execute("savepoint attempt")
    change()
    is_done = is_allowed()
    if not is_done:
        conn.execute("rollback to attempt")
    conn.execute("release attempt")
    return is_done


def _have_equal_roles(store: Store, one: MessageId, other: MessageId) -> bool:
    """Whether one set of roles can stand for both. One that is not archived has no say."""
    if not (filings.is_archived(store, one) and filings.is_archived(store, other)):
        return True
    return filings.roles_of(store, one) == filings.roles_of(store, other)


def _move_all(store: Store, keep: MessageId, drop: MessageId) -> None:
    conn = store.archive.conn
    both = {"keep": keep, "drop": drop}
    (public_id, thread_id), (_, kept_thread_id) = [
        conn.execute("select public_id, thread_id from messages where id = ?", [one]).fetchone()
        for one in (drop, keep)
    ]
    conn.execute(
        "insert into filings (message_id, record_id, filed_by, filed_at)"
        " select :keep, record_id, filed_by, filed_at from filings where message_id = :drop"
        " on conflict do update set filed_by = excluded.filed_by, filed_at = excluded.filed_at"
        " where excluded.filed_at < filed_at",
        both,
    )
    conn.execute(
        "insert into message_roles (message_id, role_id)"
        " select :keep, role_id from message_roles where message_id = :drop on conflict do nothing",
        both,
    )
    conn.execute(
        "update messages set (archived_at, archived_by) = (select o.archived_at, o.archived_by"
        "   from messages o where o.id in (:keep, :drop) and o.archived_at is not null"
        "   order by o.archived_at, o.id limit 1), parser_version = 0 where id = :keep",
        both,
    )
    conn.execute("update copies set message_id = :keep where message_id = :drop", both)
    _move_holdings(store, drop, keep)
    if filings.is_archived(store, keep):
        holdings.forget_set_aside(store, keep)
    join(store, max(thread_id, kept_thread_id), min(thread_id, kept_thread_id))
    conn.execute(
        "update or ignore refusals set message_id = :keep where message_id = :drop and record_id"
        " not in (select record_id from filings where message_id = :keep)",
        both,
    )
    conn.execute("update audit set message_id = :keep where message_id = :drop", both)
    conn.execute("update former_messages set message_id = :keep where message_id = :drop", both)
    for table in ("filings", "message_roles", "holdings", "parts"):
        conn.execute(f"delete from {table} where message_id = :drop", both)
    conn.execute("delete from messages where id = :drop", both)
    conn.execute(
        "insert into former_messages (id, public_id, message_id) values (?, ?, ?)",
        [drop, public_id, keep],
    )
    queue_messages(store, [keep, drop])


def _move_copies(
    store: Store, source: MessageId, target: MessageId, members: Sequence[CopyId]
) -> None:
    conn = store.archive.conn
    conn.execute(
        "update copies set message_id = ? where id in (select value from json_each(?))",
        [target, json.dumps(members)],
    )
    # What was set aside stays so, unless the message that it comes to is archived.
    if not filings.is_archived(store, target):
        _move_holdings(store, source, target)
    _refresh(store, source)
    _refresh(store, target)
    conn.execute("update messages set parser_version = 0 where id = ?", [target])
    queue_messages(store, [source, target])


def _move_holdings(store: Store, source: MessageId, target: MessageId) -> None:
    """Have the target held where the source is, set aside where either is."""
    store.archive.conn.execute(
        "insert into holdings (account_id, message_id, sort_at, downloaded_at, received_at,"
        " is_unread, is_live, set_aside_at, set_aside_by)"
        " select h.account_id, m.id, m.sort_at, h.downloaded_at, h.received_at, h.is_unread,"
        " h.is_live, h.set_aside_at, h.set_aside_by"
        " from holdings h join messages m on m.id = :target where h.message_id = :source"
        " on conflict do update set"
        " set_aside_by = coalesce(set_aside_by, excluded.set_aside_by),"
        " set_aside_at = coalesce(set_aside_at, excluded.set_aside_at)",
        {"source": source, "target": target},
    )
    _refresh(store, target)


def _refresh(store: Store, message_id: MessageId) -> None:
    """Hold the message where its copies were seen, and nowhere else."""
    rows = store.archive.conn.execute(
        "select distinct f.account_id from copies c join locations l on l.copy_id = c.id"
        " join folders f on f.id = l.folder_id where c.message_id = ?",
        [message_id],
    )
    accounts = [AccountId(row[0]) for row in rows.fetchall()]
    store.archive.conn.execute(
        "delete from holdings where message_id = ?"
        " and account_id not in (select value from json_each(?))",
        [message_id, json.dumps(accounts)],
    )
    for account_id in accounts:
        refresh_holdings(store, account_id, [message_id])


def _set_identity(store: Store, message_id: MessageId, identity: bytes) -> None:
    store.archive.conn.execute(
        "update messages set identity = ? where id = ?", [identity, message_id]
    )
