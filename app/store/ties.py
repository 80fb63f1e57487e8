"""Which mail is tied together, by Message-ID, References and In-Reply-To (RFC 5322 3.6.4)."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from app.model import ThreadId
from app.store.database import Store, marks

MOST_REFERENCES = 100
"""A hostile header names thousands; the first ones and the last ones are what ties a thread."""

_AT_ONCE = 500


def threads_of(store: Store, new: Sequence[tuple[int, str, Sequence[str]]]) -> list[ThreadId]:
    """The conversations of new messages; joins conversations that they show to be one.

    `new` holds the id, the Message-ID and the references of each; the id names a conversation
    where it begins one. Effects: inside the caller's transaction.
    """
    keys = [_keys(internet_message_id, references) for _, internet_message_id, references in new]
    at_first = _found(store, {key for some in keys for key in some})
    now = dict(at_first)
    joined: dict[int, int] = {}
    told: list[int] = []
    for (message_id, _, _), some in zip(new, keys, strict=True):
        threads = sorted({_last(joined, now[key]) for key in some if key in now})
        thread_id = threads[0] if threads else message_id
        for other in threads[1:]:
            join(store, other, thread_id)
            joined[other] = thread_id
        now.update(dict.fromkeys(some, thread_id))
        told.append(thread_id)
    store.archive.conn.executemany(
        "insert into thread_references (key, thread_id) values (?, ?)",
        [(key, _last(joined, now[key])) for key in now.keys() - at_first.keys()],
    )
    return [ThreadId(_last(joined, thread_id)) for thread_id in told]


def conversation_of(store: Store, internet_message_id: str) -> ThreadId | None:
    """The conversation where a Message-ID, without its brackets, was read."""
    found = _found(store, _keys(internet_message_id, ()))
    return ThreadId(min(found.values())) if found else None


def tied(read: Mapping[int, tuple[str, Sequence[str]]], first: int) -> set[int]:
    """Those that share a reference with `first`, or with one that does; empty without it.

    `read` holds the Message-ID and the references of each.
    """
    keys = {one: set(_keys(*names)) for one, names in read.items()}
    reached: set[int] = set()
    new = {first} & keys.keys()
    while new:
        known = {key for one in new for key in keys.pop(one)}
        reached |= new
        new = {one for one in keys if not known.isdisjoint(keys[one])}
    return reached


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


def _last(joined: Mapping[int, int], thread_id: int) -> int:
    """What a conversation has become by now."""
    while thread_id in joined:
        thread_id = joined[thread_id]
    return thread_id


def _found(store: Store, keys: Iterable[int]) -> dict[int, int]:
    """The conversations that know these references, by reference."""
    wanted = list(keys)
    found: dict[int, int] = {}
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        found.update(
            store.archive.conn.execute(
                "select r.key, coalesce(j.thread_id, r.thread_id) from thread_references r"
                " left join thread_joins j on j.other = r.thread_id"
                f" where r.key in ({marks(len(some))})",
                some,
            ).fetchall()
        )
    return found


def _keys(internet_message_id: str, references: Sequence[str]) -> list[int]:
    if len(references) > MOST_REFERENCES:
        half = MOST_REFERENCES // 2
        references = [*references[:half], *references[-half:]]
    names = {name for name in (internet_message_id, *references) if name}
    return sorted(
        int.from_bytes(sha256(name.encode(errors="replace")).digest()[:8]) >> 1 for name in names
    )
