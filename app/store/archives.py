"""What is archived and readable: the whole, under one record, or what a filter keeps."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from app.model import MessageId, Page, RecordId, Viewer
from app.store.database import Store
from app.store.messages import COLUMNS, message_from
from app.store.queue import beyond, cursor_at, page_of
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_parameters

_ATTACHED = (
    "exists (select 1 from filings f join records r on r.id = f.record_id"
    f" where f.message_id = m.id and {RECORD_VISIBLE}"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which archived messages: attached to this record, to a record of this type, or to none.

    Only records that the viewer may see count, for `without_record` too.
    """

    record: RecordId | None = None
    record_type: str = ""
    without_record: bool = False

    def __bool__(self) -> bool:
        return self != Filter()


def rows(
    store: Store,
    viewer: Viewer,
    *,
    only: Filter = Filter(),
    before: str = "",
    after: str = "",
    limit: int = 50,
) -> Page:
    """A page of archived messages that the viewer may read, newest first."""
    cursor = cursor_at(store, viewer, before or after)
    before, after = (before, after) if cursor else ("", "")
    order = "asc" if after else "desc"
    kept = beyond("m.sort_at, m.id", cursor, is_newer=bool(after))
    found = store.archive.conn.execute(
        f"select {COLUMNS} from messages m where m.archived_at is not null and {READABLE}"
        f" and {_condition(only)} and {kept} order by m.sort_at {order}, m.id {order} limit :limit",
        _parameters(viewer, only) | {"limit": limit + 1},
    )
    messages = [message_from(values) for values in found]
    return page_of(store, viewer, messages, before=before, after=after, limit=limit)


def among(
    store: Store, viewer: Viewer, ids: Iterable[MessageId], *, only: Filter
) -> set[MessageId]:
    """Those of the messages that are archived, readable, and kept by the filter."""
    found = store.archive.conn.execute(
        "select m.id from json_each(:ids) wanted cross join messages m on m.id = wanted.value"
        f" where m.archived_at is not null and {_condition(only)} and {READABLE}",
        _parameters(viewer, only) | {"ids": json.dumps(list(ids))},
    )
    return {MessageId(row[0]) for row in found}


def _condition(only: Filter) -> str:
    parts = ["1"]
    if only.record is not None:
        parts.append(f"{_ATTACHED} and f.record_id = :record_id)")
    if only.record_type:
        parts.append(
            f"{_ATTACHED} and r.type_id = (select id from record_types where key = :record_type))"
        )
    if only.without_record:
        parts.append(f"not {_ATTACHED})")
    return " and ".join(parts)


def _parameters(viewer: Viewer, only: Filter) -> dict[str, object]:
    return viewer_parameters(viewer) | {"record_id": only.record, "record_type": only.record_type}
