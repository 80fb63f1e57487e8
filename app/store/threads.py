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
    found = _found(store, keys)
    thread_id = found[0] if found else message_id
    for other in found[1:]:
        join(store, other, thread_id)
    store.archive.conn.executemany(
        "insert into thread_references (key, thread_id) values (?, ?) on conflict do nothing",
        [(key, thread_id) for key in keys],
    )
    return ThreadId(thread_id)


def conversation_of(store: Store, internet_message_id: str) -> ThreadId | None:
    """The conversation where a Message-ID, without its brackets, was read."""
    found = _found(store, _keys(internet_message_id, ()))
    return ThreadId(found[0]) if found else None


def join(store: Store, other: int, thread_id: int) -> None:
    """Make two conversations one, `thread_id`. Effects: inside the caller's transaction."""
    if other == thread_id:
        return
    conn = store.archive.conn
    conn.execute("update messages set thread_id = ? where thread_id = ?", [thread_id, other])
    conn.execute("update thread_joins set thread_id = ? where thread_id = ?", [thread_id, other])
    conn.execute("insert into thread_joins (other, thread_id) values (?, ?)", [other, thread_id])


def forget(store: Store, thread_id: int) -> None:
    """Drop what ties mail to a conversation that has no message left. Effects: as `join`."""
    conn = store.archive.conn
    conn.execute(
        "delete from thread_references where thread_id = :id"
        " or thread_id in (select other from thread_joins where thread_id = :id)",
        {"id": thread_id},
    )
    conn.execute("delete from thread_joins where thread_id = ?", [thread_id])


def _found(store: Store, keys: Sequence[int]) -> list[int]:
    """The conversations that know one of these references, oldest first."""
    rows = store.archive.conn.execute(
        "select distinct coalesce(j.thread_id, r.thread_id) from thread_references r"
        " left join thread_joins j on j.other = r.thread_id"
        f" where r.key in ({marks(len(keys))}) order by 1",
        keys,
    )
    return [row[0] for row in rows]


def _keys(internet_message_id: str, references: Sequence[str]) -> list[int]:
    if len(references) > MOST_REFERENCES:
        half = MOST_REFERENCES // 2
        references = [*references[:half], *references[-half:]]
    names = {name for name in (internet_message_id, *references) if name}
    return sorted(
        int.from_bytes(sha256(name.encode(errors="replace")).digest()[:8]) >> 1 for name in names
    )
