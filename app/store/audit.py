"""Who did what, when: one line for each change that people make (R69)."""

import json
from datetime import datetime

from app.model import AccountId, MessageId, RecordId, UserId
from app.store.database import Store, to_seconds


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


def verbs_on(store: Store, message_id: MessageId) -> list[tuple[str, UserId | None]]:
    """What was done to a message and by whom, oldest first."""
    rows = store.archive.conn.execute(
        "select verb, user_id from audit where message_id = ? order by id", [message_id]
    )
    return [(row[0], None if row[1] is None else UserId(row[1])) for row in rows]
