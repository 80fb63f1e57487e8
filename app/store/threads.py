"""Conversations, by Message-ID, References and In-Reply-To (RFC 5322 3.6.4)."""

from collections.abc import Sequence
from hashlib import sha256

from app.model import ThreadId
from app.store.database import Store, marks

MOST_REFERENCES = 100
"""A hostile header names thousands; the first ones and the last ones are what ties a thread."""


def thread_of(
    store: Store, message_id: int, internet_message_id: str, references: Sequence[str]
) -> ThreadId:
    """The conversation of a new message; joins conversations that it shows to be one.

    Effects: inside the caller's transaction; `message_id` names a new conversation.
    """
    keys = _keys(internet_message_id, references)
    if not keys:
        return ThreadId(message_id)
    rows = store.archive.conn.execute(
        "select distinct thread_id from thread_references"
        f" where key in ({marks(len(keys))}) order by thread_id",
        keys,
    ).fetchall()
    thread_id = rows[0][0] if rows else message_id
    for (other,) in rows[1:]:
        join(store, other, thread_id)
    store.archive.conn.executemany(
        "insert into thread_references (key, thread_id) values (?, ?) on conflict do nothing",
        [(key, thread_id) for key in keys],
    )
    return ThreadId(thread_id)


def conversation_of(store: Store, internet_message_id: str) -> ThreadId | None:
    """The conversation where a Message-ID, without its brackets, was read."""
    row = store.archive.conn.execute(
        "select thread_id from thread_references where key = ?", _keys(internet_message_id, ())
    ).fetchone()
    return None if row is None else ThreadId(row[0])


def join(store: Store, other: int, thread_id: int) -> None:
    """Make two conversations one, `thread_id`. Effects: inside the caller's transaction."""
    for table in ("messages", "thread_references"):
        store.archive.conn.execute(
            f"update {table} set thread_id = ? where thread_id = ?", [thread_id, other]
        )


def _keys(internet_message_id: str, references: Sequence[str]) -> list[int]:
    if len(references) > MOST_REFERENCES:
        half = MOST_REFERENCES // 2
        references = [*references[:half], *references[-half:]]
    names = {name for name in (internet_message_id, *references) if name}
    return sorted(
        int.from_bytes(sha256(name.encode(errors="replace")).digest()[:8]) >> 1 for name in names
    )
