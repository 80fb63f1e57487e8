"""Which records have words that begin so; kept by triggers (archive_026.sql, archive_030.sql)."""

from collections.abc import Sequence

from app.model import RecordId, Viewer
from app.store.database import Store
from app.store.visibility import RECORD_VISIBLE, viewer_parameters

_WORDS = "{name code alias}"


def begin_with(
    store: Store,
    viewer: Viewer,
    words: Sequence[str],
    *,
    record_type: str = "",
    is_start: bool = False,
    limit: int = 50,
) -> list[RecordId]:
    """Records that the viewer may see, each of the folded words the beginning of one of theirs.

    Of all types without `record_type`; `is_start`: the first word begins the name. Words are
    letters and digits only. Those that were put away are left out.
    """
    conn = store.archive.conn
    asked = [f'{_WORDS} : "{word}" *' for word in words]
    if is_start:
        asked[0] = f'name : ^ "{words[0]}" *'
    if record_type:
        row = conn.execute("select id from record_types where key = ?", [record_type]).fetchone()
        if row is None:
            return []
        asked.append(f'type : "type{row[0]}"')
    scopes = ["all", f"user{viewer.user_id}", *(f"role{role}" for role in sorted(viewer.roles))]
    asked.append(f"scope : ({' OR '.join(scopes)})")
    rows = conn.execute(
        "select r.id from record_words w join records r on r.id = w.rowid"
        f" where record_words match :words and r.archived_at is null and {RECORD_VISIBLE}"
        " limit :limit",
        viewer_parameters(viewer) | {"words": " AND ".join(asked), "limit": limit},
    )
    return [RecordId(row[0]) for row in rows]


def used_by(store: Store, viewer: Viewer, *, limit: int = 50) -> list[RecordId]:
    """The records that the viewer filed under, of his last 200 filings, the latest first."""
    rows = store.archive.conn.execute(
        "select record_id from filings where filed_by = ? order by filed_at desc limit 200",
        [viewer.user_id],
    )
    return list(dict.fromkeys(RecordId(row[0]) for row in rows))[:limit]
