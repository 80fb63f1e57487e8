"""The readable text of messages, for highlights. Ask only for what the viewer may read."""

import json
from collections.abc import Iterable

from app.mail.charsets import decode
from app.model import Digest, MessageId
from app.store import blobs
from app.store.database import Store

TEXT_CHARACTERS = 65_536


def texts(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, str]:
    """The first 64 K characters of each message's text; "" where it has none."""
    rows = store.archive.conn.execute(
        "select id, text_digest, text_charset from messages"
        " where id in (select value from json_each(?))",
        [json.dumps(list(ids))],
    )
    return {
        MessageId(message_id): _text(store, digest, charset) for message_id, digest, charset in rows
    }


def _text(store: Store, digest: bytes | None, charset: str) -> str:
    if digest is None:
        return ""
    content = blobs.get(store, Digest(digest))[: 4 * TEXT_CHARACTERS]
    return decode(content, charset)[:TEXT_CHARACTERS]
