"""What people decide about a message in their mailboxes: that it is not for the archive (A2)."""

import json
from collections.abc import Sequence
from datetime import datetime

from app.model import AccountId, MessageId, UserId, Viewer
from app.store.database import Store, to_seconds


def held_by(store: Store, viewer: Viewer, message_id: MessageId) -> list[AccountId]:
    """The viewer's own mailboxes that hold the message, places that are gone included."""
    rows = store.archive.conn.execute(
        "select account_id from holdings where message_id = ?"
        " and account_id in (select value from json_each(?)) order by account_id",
        [message_id, json.dumps(sorted(viewer.accounts))],
    )
    return [AccountId(row[0]) for row in rows]


def held_when_archived(store: Store, viewer: Viewer, message_id: MessageId) -> bool:
    """Whether one of the viewer's own mailboxes held the message when it was archived, if it is."""
    found = store.archive.conn.execute(
        "select 1 from holdings h join messages m on m.id = h.message_id"
        " where m.id = ? and (m.archived_at is null or h.downloaded_at <= m.archived_at)"
        " and h.account_id in (select value from json_each(?)) limit 1",
        [message_id, json.dumps(sorted(viewer.accounts))],
    )
    return found.fetchone() is not None


def is_set_aside(store: Store, viewer: Viewer, message_id: MessageId) -> bool:
    """Whether one of the viewer's mailboxes has it set aside."""
    found = store.archive.conn.execute(
        "select 1 from holdings where message_id = ? and set_aside_at is not null"
        " and account_id in (select value from json_each(?)) limit 1",
        [message_id, json.dumps(sorted(viewer.accounts))],
    )
    return found.fetchone() is not None


def set_aside(
    store: Store,
    message_id: MessageId,
    accounts: Sequence[AccountId],
    *,
    by: UserId,
    now: datetime,
) -> int:
    """Mark the message in these mailboxes; how many had it unmarked.

    Effects: inside the caller's transaction; may be repeated.
    """
    done = store.archive.conn.execute(
        "update holdings set set_aside_at = ?, set_aside_by = ?"
        " where message_id = ? and set_aside_at is null"
        " and account_id in (select value from json_each(?))",
        [to_seconds(now), by, message_id, json.dumps(list(accounts))],
    )
    return done.rowcount


def set_aside_at(store: Store, viewer: Viewer, moment: datetime) -> list[MessageId]:
    """What the viewer set aside in that second."""
    rows = store.archive.conn.execute(
        "select distinct message_id from holdings where set_aside_by = ? and set_aside_at = ?"
        " order by message_id",
        [viewer.user_id, to_seconds(moment)],
    )
    return [MessageId(row[0]) for row in rows]


def take_back(store: Store, message_id: MessageId, accounts: Sequence[AccountId]) -> int:
    """Unmark the message in these mailboxes; how many had it marked. Effects: as `set_aside`."""
    done = store.archive.conn.execute(
        "update holdings set set_aside_at = null, set_aside_by = null"
        " where message_id = ? and set_aside_at is not null"
        " and account_id in (select value from json_each(?))",
        [message_id, json.dumps(list(accounts))],
    )
    return done.rowcount


def forget_set_aside(store: Store, message_id: MessageId) -> None:
    """Unmark the message in every mailbox: it is being archived, and undone it is to be seen.

    Effects: inside the caller's transaction; may be repeated.
    """
    store.archive.conn.execute(
        "update holdings set set_aside_at = null, set_aside_by = null where message_id = ?",
        [message_id],
    )


def is_in_strict(store: Store, message_id: MessageId) -> bool:
    """Whether a strict mailbox holds it: then its archiver goes on reading it (A5)."""
    found = store.archive.conn.execute(
        "select 1 from holdings h join accounts a on a.id = h.account_id"
        " where h.message_id = ? and a.is_strict = 1 limit 1",
        [message_id],
    )
    return found.fetchone() is not None
