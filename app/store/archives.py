"""What is archived and readable: the whole, or under one record."""

from app.model import Page, RecordId, Viewer
from app.store.database import Store
from app.store.messages import COLUMNS, message_from
from app.store.queue import beyond, cursor_at, page_of
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_parameters


def rows(
    store: Store,
    viewer: Viewer,
    *,
    record: RecordId | None = None,
    before: str = "",
    after: str = "",
    limit: int = 50,
) -> Page:
    """A page of archived messages that the viewer may read, newest first.

    With `record` only those attached there; none if the viewer may not see the record.
    """
    under = (
        ""
        if record is None
        else " and exists (select 1 from filings f join records r on r.id = f.record_id"
        f" where f.message_id = m.id and f.record_id = :record_id and {RECORD_VISIBLE})"
    )
    cursor = cursor_at(store, viewer, before or after)
    before, after = (before, after) if cursor else ("", "")
    order = "asc" if after else "desc"
    kept = beyond("m.sort_at, m.id", cursor, is_newer=bool(after))
    found = store.archive.conn.execute(
        f"select {COLUMNS} from messages m where m.archived_at is not null and {READABLE}{under}"
        f" and {kept} order by m.sort_at {order}, m.id {order} limit :limit",
        viewer_parameters(viewer) | {"record_id": record, "limit": limit + 1},
    )
    messages = [message_from(values) for values in found]
    return page_of(store, viewer, messages, before=before, after=after, limit=limit)
