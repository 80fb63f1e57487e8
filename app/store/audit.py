"""Who did what, when: one line for each change that people make (R69)."""

import json
from datetime import datetime

from app.model import AccountId, MessageId, RecordId, UserId
from app.store.database import Store, from_seconds, to_seconds


def note(
    store: Store,
    verb: str,
    *,
    by: UserId | None,
    now: datetime,
    message_id: MessageId | None = None,
    record_id: RecordId | None = None,
    account_id: AccountId | None = None,
    **detail: object,
) -> None:
    """Add a line; `by=None` is the operator at the command line. Effects: caller's transaction."""
    store.archive.conn.execute(
        "insert into audit (at, user_id, verb, message_id, record_id, account_id, detail)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [to_seconds(now), by, verb, message_id, record_id, account_id, json.dumps(detail)],
    )


def last_on_record(store: Store, record_id: RecordId) -> tuple[UserId | None, datetime] | None:
    """Who last made or changed a record, and when; None if that is not known."""
    row = store.archive.conn.execute(
        "select user_id, at from audit where record_id = ?"
        " and verb in ('create record', 'change record') order by id desc limit 1",
        [record_id],
    ).fetchone()
    if row is None:
        return None
    return (None if row[0] is None else UserId(row[0])), from_seconds(row[1])


def verbs_on(store: Store, message_id: MessageId) -> list[tuple[str, UserId | None]]:
    """What was done to a message and by whom, oldest first."""
    rows = store.archive.conn.execute(
        "select verb, user_id from audit where message_id = ? order by id", [message_id]
    )
    return [(row[0], None if row[1] is None else UserId(row[1])) for row in rows]


def latest_verbs(store: Store, number: int) -> list[str]:
    """What was done last, the latest first."""
    rows = store.archive.conn.execute("select verb from audit order by id desc limit ?", [number])
    return [row[0] for row in rows]
