"""Lists of records for one viewer: a page by name, and what lies under each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.model import Record, RecordId, Viewer
from app.store import records
from app.store.database import Store
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_parameters

MOST_COUNTED = 1000
MOST_RECORDS_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class RecordsFound:
    """A page of records by name; the cursors are ids of records, "" where there is no more."""

    records: list[Record]
    next: str = ""
    previous: str = ""


def find(
    store: Store,
    viewer: Viewer,
    *,
    record_type: str,
    like: str = "",
    after: str = "",
    before: str = "",
    is_archived: bool = False,
    limit: int = 50,
) -> RecordsFound:
    """A page of records of a type that the viewer may see, by name, current or put away.

    `like` is a folded part of the name or code; `after` and `before` are cursors.
    """
    cursor = _cursor(store, viewer, before or after)
    before, after = (before, after) if cursor[1] else ("", "")
    compared, order = ("<", "desc") if before else (">", "asc")
    found = records.select(
        store,
        viewer,
        f"{_kept(is_archived=is_archived)} and (r.folded_name, r.id) {compared} (:name, :id)"
        f" order by r.folded_name {order}, r.id {order} limit :limit",
        {"type": record_type, "like": _escaped(like)}
        | {"name": cursor[0], "id": cursor[1], "limit": limit + 1},
    )
    shown = found[:limit][::-1] if before else found[:limit]
    has_more = len(found) > limit
    return RecordsFound(
        shown,
        next=shown[-1].public_id if shown and (has_more or before) else "",
        previous=shown[0].public_id if shown and (after or (before and has_more)) else "",
    )


def count(
    store: Store, viewer: Viewer, *, record_type: str, like: str = "", is_archived: bool = False
) -> int:
    """How many records `find` finds in all; counting stops after 10,000, 10,001 stands for more."""
    row = store.archive.conn.execute(
        f"select count(*) from (select 1 from records r join record_types t on t.id = r.type_id"
        f" where {_kept(is_archived=is_archived)} and {RECORD_VISIBLE} limit :most)",
        viewer_parameters(viewer)
        | {"type": record_type, "like": _escaped(like)}
        | {"most": MOST_RECORDS_COUNTED + 1},
    ).fetchone()
    return int(row[0])


def attached_counts(store: Store, viewer: Viewer, ids: Iterable[RecordId]) -> dict[RecordId, int]:
    """How many messages under each record the viewer may read; counting stops after 1,000.

    1,001 stands for more. A record without any is there with 0.
    """
    rows = store.archive.conn.execute(
        "select w.value, (select count(*) from (select 1 from filings x"
        " join messages m on m.id = x.message_id"
        f" where x.record_id = w.value and {READABLE} limit :most)) from json_each(:ids) w",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids)), "most": MOST_COUNTED + 1},
    )
    return {RecordId(row[0]): int(row[1]) for row in rows}


def _kept(*, is_archived: bool) -> str:
    """The condition on type, name or code; takes `type` and `like`."""
    return (
        f"t.key = :type and r.archived_at is {'not ' if is_archived else ''}null"
        " and (r.folded_name like '%' || :like || '%' escape '\\'"
        " or r.code like '%' || :like || '%' escape '\\')"
    )


def _escaped(like: str) -> str:
    return like.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _cursor(store: Store, viewer: Viewer, public_id: str) -> tuple[str, int]:
    """Where a record stands in the order of names; ("", 0) for the beginning."""
    row = store.archive.conn.execute(
        "select r.folded_name, r.id from records r"
        f" where r.public_id = :value and {RECORD_VISIBLE}",
        viewer_parameters(viewer) | {"value": public_id},
    ).fetchone()
    return (row[0], row[1]) if row else ("", 0)


def in_order_made(
    store: Store,
    viewer: Viewer,
    *,
    record_type: str = "",
    like: str = "",
    show: Literal["current", "archived", "all"] = "current",
    after: str = "",
    limit: int = 50,
) -> RecordsFound:
    """A page of records that the viewer may see, of one type or of all, the oldest first.

    `like` is a folded part of the name or code. `after` is the public id of a record; NotFound is
    raised where that is absent or hidden, because nobody could tell where to go on.
    """
    pattern = like.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = records.select(
        store,
        viewer,
        "(:type = '' or t.key = :type)"
        " and (:show = 'all' or (r.archived_at is not null) = (:show = 'archived'))"
        " and (:like = '' or r.folded_name like '%' || :like || '%' escape '\\'"
        " or r.code like '%' || :like || '%' escape '\\')"
        " and r.id > :after order by r.id limit :limit",
        {"type": record_type, "like": pattern, "show": show, "limit": limit + 1}
        | {"after": records.get(store, viewer, after).id if after else 0},
    )
    has_more = len(found) > limit
    return RecordsFound(found[:limit], next=found[limit - 1].public_id if has_more else "")
