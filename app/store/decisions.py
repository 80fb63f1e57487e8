"""What people decided before about a conversation and a sender, as far as a viewer may see it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.model import Message, MessageId, RecordId, Viewer
from app.store.database import Store, to_seconds
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_parameters

HABIT = 3
"""So many of the sender's last filed mails make a habit."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A filed mail: its subject, and the visible records it lies under with when (seconds)."""

    subject: str
    records: dict[RecordId, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """That a record was refused last, by how near mail, and when (seconds)."""

    record_id: RecordId
    by: Literal["thread", "sender"]
    at: int


_OF_SENDER = f"""
  select m.id, m.subject from messages m, (
    select id, sender_address from messages where id = :id) this
  where m.archived_at is not null and m.id <> :id and m.sender_address = this.sender_address
    and this.sender_address <> '' and {READABLE}
    and exists (select 1 from filings f join records r on r.id = f.record_id
                where f.message_id = m.id and {RECORD_VISIBLE})
  order by m.sort_at desc limit :most
"""
_IS_SEEN = f"""
  (x.chosen_id is null
   or exists (select 1 from records r where r.id = x.chosen_id and {RECORD_VISIBLE}))
"""
_REFUSED_IN_THREAD = f"""
  select x.record_id, max(x.refused_at) from refusals x
  where x.message_id in (select value from json_each(:ids)) and {_IS_SEEN} group by x.record_id
"""
_REFUSED_OF_SENDER = f"""
  select x.record_id, max(x.refused_at) from refusals x
  cross join messages m on m.id = x.message_id
  where x.sender_address = (select sender_address from messages where id = :id)
    and x.sender_address <> '' and {READABLE} and {_IS_SEEN}
  group by x.record_id
"""


def of_thread(
    store: Store, viewer: Viewer, thread: Sequence[Message], message_id: MessageId, *, most: int
) -> list[Filed]:
    """Filed mail of a conversation, what came before the message first, the nearest in time.

    `thread` is what `threads.conversation` gives for the message.
    """
    at = next(n for n, one in enumerate(thread) if one.id == message_id)
    others = [one for one in (*thread[:at][::-1], *thread[at + 1 :]) if one.archived_at]
    under = _records_of(store, viewer, [one.id for one in others])
    return [Filed(one.subject, under[one.id]) for one in others if under[one.id]][:most]


def of_sender(store: Store, viewer: Viewer, message_id: MessageId) -> list[Filed]:
    """The last filed mails of the message's sender, the newest first, `HABIT` at most."""
    asked = viewer_parameters(viewer) | {"id": message_id, "most": HABIT}
    rows = store.archive.conn.execute(_OF_SENDER, asked).fetchall()
    under = _records_of(store, viewer, [row[0] for row in rows])
    return [Filed(subject, under[found]) for found, subject in rows]


def refused(
    store: Store, viewer: Viewer, thread: Sequence[Message], message_id: MessageId
) -> list[Refused]:
    """What was refused for mail of the conversation and of the sender."""
    conn = store.archive.conn
    asked = viewer_parameters(viewer) | {"id": message_id}
    asked["ids"] = json.dumps([one.id for one in thread])
    near, far = conn.execute(_REFUSED_IN_THREAD, asked), conn.execute(_REFUSED_OF_SENDER, asked)
    return [
        *(Refused(RecordId(record_id), "thread", at) for record_id, at in near),
        *(Refused(RecordId(record_id), "sender", at) for record_id, at in far),
    ]


def refuse(
    store: Store,
    message_id: MessageId,
    record_id: RecordId,
    *,
    chosen: RecordId | None = None,
    now: datetime,
) -> None:
    """Note that the message does not belong there: it was detached, or `chosen` is right.

    Each `chosen` is noted for itself: one that somebody may not see takes nothing from the others.
    Effects: inside the caller's transaction.
    """
    store.archive.conn.execute(
        "insert into refusals (message_id, record_id, sender_address, refused_at, chosen_id)"
        " select id, :record_id, sender_address, :at, :chosen from messages where id = :message_id"
        " on conflict do update set refused_at = excluded.refused_at",
        {
            "message_id": message_id,
            "record_id": record_id,
            "chosen": chosen,
            "at": to_seconds(now),
        },
    )


def accept(store: Store, message_id: MessageId, record_id: RecordId) -> None:
    """Forget that the record was refused for it. Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "delete from refusals where message_id = ? and record_id = ?", [message_id, record_id]
    )


def unsay(store: Store, message_id: MessageId, *, chosen: RecordId, at: datetime) -> None:
    """Forget what `chosen` was preferred to at a moment. Effects: as `accept`."""
    store.archive.conn.execute(
        "delete from refusals where message_id = ? and chosen_id = ? and refused_at = ?",
        [message_id, chosen, to_seconds(at)],
    )


def _records_of(store: Store, viewer: Viewer, ids: Iterable[int]) -> dict[int, dict[RecordId, int]]:
    found: dict[int, dict[RecordId, int]] = {one: {} for one in ids}
    for message_id, record_id, filed_at in store.archive.conn.execute(
        "select f.message_id, f.record_id, f.filed_at from filings f"
        " join records r on r.id = f.record_id"
        f" where f.message_id in (select value from json_each(:ids)) and {RECORD_VISIBLE}",
        viewer_parameters(viewer) | {"ids": json.dumps(list(found))},
    ):
        found[message_id][RecordId(record_id)] = filed_at
    return found
