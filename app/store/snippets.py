"""The readable text of messages, for highlights. Ask only for what the viewer may read."""

import json
from collections.abc import Iterable

from app.mail import display, split_quoted
from app.mail.charsets import decode
from app.model import MessageId
from app.store import blobs
from app.store.database import Store

TEXT_CHARACTERS = 65_536
PREVIEW_CHARACTERS = 140


def texts(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, str]:
    """The first 64 K characters of each message's text; "" where it has none.

    "" also where it is damaged: verification tells, and a list shows the others.
    """
    rows = store.archive.conn.execute(
        "select id, text_blob, text_charset from messages"
        " where id in (select value from json_each(?))",
        [json.dumps(list(ids))],
    ).fetchall()
    wanted = {blob_id for _, blob_id, _ in rows if blob_id is not None}
    contents = {
        blob_id: content[: 4 * TEXT_CHARACTERS]  # a page of long texts is more than memory
        for blob_id, content in blobs.read_all(store, wanted)
    }
    return {
        MessageId(message_id): _text(contents.get(blob_id, b""), charset)
        for message_id, blob_id, charset in rows
    }


def previews(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, str]:
    """How each message's own words begin, in one line."""
    return {message_id: _preview(text) for message_id, text in texts(store, ids).items()}


def _text(content: bytes, charset: str) -> str:
    return decode(content, charset)[:TEXT_CHARACTERS]


def _preview(text: str) -> str:
    new_text, _ = split_quoted(text[: 20 * PREVIEW_CHARACTERS])
    return display(" ".join((new_text or text)[: 4 * PREVIEW_CHARACTERS].split()))[
        :PREVIEW_CHARACTERS
    ]
