"""Conversations as a viewer may read them: what hidden mail alone ties together stays apart."""

import json
from collections.abc import Sequence

from app.errors import NotFound
from app.mail import parse
from app.model import Message, MessageId, Viewer
from app.store import candidates, messages, ties
from app.store.database import Store
from app.store.visibility import READABLE, viewer_parameters

MOST_IN_THREAD = 500


def ids_of(store: Store, viewer: Viewer, public_id: str) -> tuple[MessageId, ...]:
    """What the viewer may read of a message's conversation, itself included, oldest first.

    Empty if there is no such message or he may not read it.
    """
    try:
        message = messages.get(store, viewer, public_id)
    except NotFound:
        return ()
    return tuple(one.id for one in conversation(store, viewer, message.id))


def thread(store: Store, viewer: Viewer, message_id: MessageId) -> list[Message]:
    """`conversation`, each message with the beginning of its text."""
    return messages.with_previews(store, conversation(store, viewer, message_id))


def conversation(store: Store, viewer: Viewer, message_id: MessageId) -> list[Message]:
    """What the viewer may read of the message's conversation, itself included, oldest first.

    Empty if he may not read the message. What only hidden mail ties to it is left out, for that
    would show that there is such mail.
    """
    rows = store.archive.conn.execute(
        f"select {messages.COLUMNS}, {READABLE} from messages m where m.thread_id ="
        " (select thread_id from messages where id = :id) order by m.sort_at, m.id",
        viewer_parameters(viewer) | {"id": message_id},
    ).fetchall()
    found = [messages.message_from(row) for row in rows if row[messages.COLUMN_COUNT]][
        :MOST_IN_THREAD
    ]
    if len(found) < len(rows):
        ids = _together(store, [message.id for message in found], message_id)
        found = [message for message in found if message.id in ids]
    return found


def _together(store: Store, ids: Sequence[MessageId], message_id: MessageId) -> set[int]:
    """Those of the messages that their own headers tie to the one."""
    rows = store.archive.conn.execute(
        "select message_id, min(id) from copies"
        " where message_id in (select value from json_each(?)) group by message_id",
        [json.dumps(ids)],
    ).fetchall()
    read = {one: parse(candidates.beginning(store, copy)) for one, copy in rows}
    return ties.tied(
        {one: (mail.internet_message_id, mail.references) for one, mail in read.items()},
        message_id,
    )
