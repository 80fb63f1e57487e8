"""The readable text of messages, for highlights. Ask only for what the viewer may read."""

import json
import logging
from collections.abc import Iterable

from app.errors import Corrupt
from app.mail import display, split_quoted
from app.mail.charsets import decode
from app.model import MessageId
from app.store import blobs
from app.store.database import Store

TEXT_CHARACTERS = 65_536
PREVIEW_CHARACTERS = 140

logger = logging.getLogger(__name__)


def texts(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, str]:
    """The first 64 K characters of each message's text; "" where it has none.

    "" also where it is damaged: verification tells, and a list shows the others.
    """
    rows = store.archive.conn.execute(
        "select id, text_blob, text_charset from messages"
        # In the order in which they lie, so that each block is unpacked once.
        " where id in (select value from json_each(?)) order by text_blob",
        [json.dumps(list(ids))],
    )
    return {
        MessageId(message_id): _text(store, blob_id, charset)
        for message_id, blob_id, charset in rows
    }


def previews(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, str]:
    """How each message's own words begin, in one line."""
    return {message_id: _preview(text) for message_id, text in texts(store, ids).items()}


def _text(store: Store, blob_id: int | None, charset: str) -> str:
    if blob_id is None:
        return ""
    try:
        content = blobs.read(store, blob_id)[: 4 * TEXT_CHARACTERS]
    except Corrupt as exc:
        logger.warning("a text cannot be read", extra={"problem": str(exc)})
        return ""
    return decode(content, charset)[:TEXT_CHARACTERS]


def _preview(text: str) -> str:
    new_text, _ = split_quoted(text[: 20 * PREVIEW_CHARACTERS])
    return display(" ".join((new_text or text)[: 4 * PREVIEW_CHARACTERS].split()))[
        :PREVIEW_CHARACTERS
    ]
