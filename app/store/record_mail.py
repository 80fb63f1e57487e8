"""What lies under one record, for one viewer, besides its messages: their attachments."""

from dataclasses import dataclass
from datetime import datetime

from app.model import MessageId, PublicId, RecordId, Viewer
from app.store.database import Store, from_seconds
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_parameters

_UNDER = (
    # Cross joins keep this order: by the record's own index.
    " from records r cross join filings f on f.record_id = r.id"
    " cross join messages m on m.id = f.message_id"
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the mail under a record, at the newest message that has it.

    `messages` counts the readable messages here that have the very same bytes.
    """

    message_id: MessageId
    message: PublicId
    position: int
    filename: str
    content_type: str
    size_bytes: int
    sort_at: datetime
    messages: int


def attachments(store: Store, viewer: Viewer, record_id: RecordId) -> list[Attachment]:
    """The attachments of what he may read of it, newest first; the same bytes once."""
    found = store.archive.conn.execute(
        "select p.message_id, p.position, p.filename, p.content_type, p.size_bytes, p.blob_id,"
        f" f.sort_at, m.public_id{_UNDER}"
        " cross join parts p on p.message_id = m.id and p.is_attachment = 1"
        f" where r.id = :record_id and {RECORD_VISIBLE} and {READABLE}"
        " order by f.sort_at desc, f.message_id desc, p.position",
        viewer_parameters(viewer) | {"record_id": record_id},
    )
    newest: dict[object, tuple[int, ...]] = {}
    holders: dict[object, set[int]] = {}
    for values in found:
        key = values[5] if values[5] is not None else (values[0], values[1])
        newest.setdefault(key, values)
        holders.setdefault(key, set()).add(values[0])
    return [
        Attachment(
            MessageId(values[0]),
            PublicId(str(values[7])),
            values[1],
            str(values[2]),
            str(values[3]),
            values[4],
            from_seconds(values[6]),
            len(holders[key]),
        )
        for key, values in newest.items()
    ]
