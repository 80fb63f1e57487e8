"""The team's records, what else they are known by, and who may see them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Invalid, NotFound
from app.model import PublicId, Record, RecordId, RecordType, RoleId, UserId, Viewer
from app.store.database import Store, maybe_from_seconds, new_public_id, to_seconds
from app.store.visibility import READABLE, RECORD_VISIBLE, viewer_parameters

_SELECT = (
    "select r.id, r.public_id, t.key, r.name, r.code, r.notes, r.archived_at"
    " from records r join record_types t on t.id = r.type_id"
)

MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class RecordsFound:
    """A page of records by name; the cursors are folded names, "" where there is no more."""

    records: list[Record]
    next: str = ""
    previous: str = ""


def types(store: Store) -> list[RecordType]:
    """The record types, in the order they were made."""
    rows = store.archive.conn.execute("select key, singular, plural from record_types order by id")
    return [RecordType(*row) for row in rows]


def add(
    store: Store,
    *,
    record_type: str,
    name: str,
    folded_name: str,
    code: str = "",
    notes: str = "",
    aliases: Sequence[str] = (),
    addresses: Sequence[str] = (),
    domains: Sequence[str] = (),
    roles: Sequence[RoleId] = (),
    users: Sequence[UserId] = (),
    now: datetime,
) -> RecordId:
    """A new record. Raises Invalid for an unknown type or a name that the type has already.

    Effects: inside the caller's transaction; the record is queued for the index.
    """
    conn = store.archive.conn
    row = conn.execute("select id from record_types where key = ?", [record_type]).fetchone()
    if row is None:
        known = ", ".join(known.key for known in types(store))
        raise Invalid("type", f"There is no record type {record_type!r}. There are: {known}.")
    (type_id,) = row
    _require_free(store, type_id, name, folded_name, besides=None)
    added = conn.execute(
        "insert into records (public_id, type_id, name, folded_name, code, notes, created_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [new_public_id(), type_id, name, folded_name, code, notes, to_seconds(now)],
    )
    record_id = RecordId(added.lastrowid or 0)
    _put_marks(store, record_id, aliases=aliases, addresses=addresses, domains=domains)
    _put_access(store, record_id, roles=roles, users=users)
    _queue_record(store, record_id)
    return record_id


def change(
    store: Store,
    record: Record,
    *,
    name: str,
    folded_name: str,
    code: str,
    notes: str,
    aliases: Sequence[str],
    addresses: Sequence[str],
    domains: Sequence[str],
    roles: Sequence[RoleId],
    users: Sequence[UserId],
) -> None:
    """Save a record anew. Raises Invalid for a name that the type has already.

    Effects: inside the caller's transaction; the record is queued for the index and, where its
    access changed, so are its messages.
    """
    conn = store.archive.conn
    (type_id,) = conn.execute("select type_id from records where id = ?", [record.id]).fetchone()
    _require_free(store, type_id, name, folded_name, besides=record.id)
    conn.execute(
        "update records set name = ?, folded_name = ?, code = ?, notes = ? where id = ?",
        [name, folded_name, code, notes, record.id],
    )
    _put_marks(store, record.id, aliases=aliases, addresses=addresses, domains=domains)
    _put_access(store, record.id, roles=roles, users=users)
    _queue_record(store, record.id)
    if set(roles) != set(record.roles) or set(users) != set(record.users):
        conn.execute(
            "insert into index_queue (kind, subject_id)"
            " select 'message', message_id from filings where record_id = ?",
            [record.id],
        )


def set_archived(store: Store, record_id: RecordId, *, at: datetime | None) -> None:
    """Put a record away, or bring it back (None). Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "update records set archived_at = ? where id = ?",
        [None if at is None else to_seconds(at), record_id],
    )
    _queue_record(store, record_id)


def add_type(store: Store, found: RecordType) -> None:
    """Raises Invalid if there is one of that key. Effects: inside the caller's transaction."""
    conn = store.archive.conn
    if conn.execute("select 1 from record_types where key = ?", [found.key]).fetchone():
        raise Invalid("plural", f"There is a record type {found.key!r} already.")
    conn.execute(
        "insert into record_types (key, singular, plural) values (?, ?, ?)",
        [found.key, found.singular, found.plural],
    )


def rename_type(store: Store, found: RecordType) -> None:
    """The type of that key is called as given. Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "update record_types set singular = ?, plural = ? where key = ?",
        [found.singular, found.plural, found.key],
    )


def get(store: Store, viewer: Viewer, public_id: str) -> Record:
    """The record. Raises NotFound if it is absent or the viewer may not see it."""
    return _one(store, viewer, "r.public_id = :value", {"value": public_id})


def by_name(store: Store, viewer: Viewer, *, record_type: str, folded_name: str) -> Record:
    """The record of that type and name. Raises NotFound."""
    condition = "t.key = :type and r.folded_name = :value"
    return _one(store, viewer, condition, {"type": record_type, "value": folded_name})


def by_ids(store: Store, viewer: Viewer, ids: Iterable[RecordId]) -> dict[RecordId, Record]:
    """Those of the records that the viewer may see."""
    rows = store.archive.conn.execute(
        f"{_SELECT} where r.id in (select value from json_each(:ids)) and {RECORD_VISIBLE}",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids))},
    ).fetchall()
    return {record.id: record for record in _records_from(store, rows)}


def list_visible(
    store: Store,
    viewer: Viewer,
    *,
    record_type: str,
    like: str = "",
    before: str = "",
    limit: int = 50,
) -> list[Record]:
    """Records of a type that the viewer may see, by name; `like` is a folded part of the name.

    `before` is the folded name after which to go on.
    """
    pattern = like.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = store.archive.conn.execute(
        f"{_SELECT} where t.key = :type and r.archived_at is null"
        " and r.folded_name like '%' || :like || '%' escape '\\' and r.folded_name > :before"
        f" and {RECORD_VISIBLE} order by r.folded_name limit :limit",
        viewer_parameters(viewer)
        | {"type": record_type, "like": pattern, "before": before, "limit": limit},
    ).fetchall()
    return _records_from(store, rows)


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
    pattern = like.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    compared, order = ("<", "desc") if before else (">", "asc")
    rows = store.archive.conn.execute(
        f"{_SELECT} where t.key = :type and (r.archived_at is not null) = :is_archived"
        " and (r.folded_name like '%' || :like || '%' escape '\\'"
        " or r.code like '%' || :like || '%' escape '\\')"
        f" and r.folded_name {compared} :cursor"
        f" and {RECORD_VISIBLE} order by r.folded_name {order} limit :limit",
        viewer_parameters(viewer)
        | {"type": record_type, "like": pattern, "is_archived": is_archived}
        | {"cursor": before or after, "limit": limit + 1},
    ).fetchall()
    shown = rows[:limit][::-1] if before else rows[:limit]
    has_more = len(rows) > limit
    cursors = _folded_names(store, [row[0] for row in (shown[:1] + shown[-1:])]) if shown else []
    return RecordsFound(
        _records_from(store, shown),
        next=cursors[-1] if shown and (has_more or before) else "",
        previous=cursors[0] if shown and (after or (before and has_more)) else "",
    )


def count_archived(store: Store, viewer: Viewer, *, record_type: str) -> int:
    """How many records of a type are put away that the viewer may see."""
    found = store.archive.conn.execute(
        "select count(*) from records r join record_types t on t.id = r.type_id"
        f" where t.key = :type and r.archived_at is not null and {RECORD_VISIBLE}",
        viewer_parameters(viewer) | {"type": record_type},
    )
    return int(found.fetchone()[0])


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


def every(store: Store, ids: Iterable[RecordId]) -> list[Record]:
    """Records whoever may see them: for the index only."""
    rows = store.archive.conn.execute(
        f"{_SELECT} where r.id in (select value from json_each(?)) order by r.id",
        [json.dumps(list(ids))],
    ).fetchall()
    return _records_from(store, rows)


def _require_free(
    store: Store, type_id: int, name: str, folded_name: str, *, besides: RecordId | None
) -> None:
    """Raises Invalid, which does not tell whether the other record is one that may be seen."""
    taken = store.archive.conn.execute(
        "select 1 from records where type_id = ? and folded_name = ? and id is not ?",
        [type_id, folded_name, besides],
    )
    if taken.fetchone():
        raise Invalid(
            "name",
            f"There is a record {name!r} of this type already, though perhaps not for you to see."
            " Add a word that tells them apart.",
        )


def _put_marks(
    store: Store,
    record_id: RecordId,
    *,
    aliases: Sequence[str],
    addresses: Sequence[str],
    domains: Sequence[str],
) -> None:
    conn = store.archive.conn
    conn.execute("delete from record_marks where record_id = ?", [record_id])
    for kind, values in (("alias", aliases), ("address", addresses), ("domain", domains)):
        conn.executemany(
            "insert into record_marks (record_id, kind, value) values (?, ?, ?)"
            " on conflict do nothing",
            [(record_id, kind, value) for value in values],
        )


def _put_access(
    store: Store, record_id: RecordId, *, roles: Sequence[RoleId], users: Sequence[UserId]
) -> None:
    conn = store.archive.conn
    for table, column, ids in (
        ("record_roles", "role_id", roles),
        ("record_users", "user_id", users),
    ):
        conn.execute(f"delete from {table} where record_id = ?", [record_id])
        conn.executemany(
            f"insert into {table} (record_id, {column}) values (?, ?)",
            [(record_id, one) for one in dict.fromkeys(ids)],
        )


def _queue_record(store: Store, record_id: RecordId) -> None:
    store.archive.conn.execute(
        "insert into index_queue (kind, subject_id) values ('record', ?)", [record_id]
    )


def _folded_names(store: Store, ids: Sequence[int]) -> list[str]:
    return [
        str(
            store.archive.conn.execute(
                "select folded_name from records where id = ?", [one]
            ).fetchone()[0]
        )
        for one in ids
    ]


def _one(store: Store, viewer: Viewer, condition: str, values: dict[str, object]) -> Record:
    rows = store.archive.conn.execute(
        f"{_SELECT} where {condition} and {RECORD_VISIBLE}", viewer_parameters(viewer) | values
    ).fetchall()
    if not rows:
        raise NotFound
    return _records_from(store, rows)[0]


def _records_from(store: Store, rows: Sequence[tuple[Any, ...]]) -> list[Record]:
    """Records with their marks and access, in the order of the rows."""
    wanted = json.dumps([row[0] for row in rows])
    conn = store.archive.conn
    known: dict[tuple[int, str], list[str]] = {}
    for record_id, kind, value in conn.execute(
        "select record_id, kind, value from record_marks"
        " where record_id in (select value from json_each(?))",
        [wanted],
    ):
        known.setdefault((record_id, kind), []).append(value)
    roles = _access(store, "record_roles", "role_id", wanted)
    users = _access(store, "record_users", "user_id", wanted)
    return [
        Record(
            id=RecordId(row[0]),
            public_id=PublicId(row[1]),
            type=row[2],
            name=row[3],
            code=row[4],
            notes=row[5],
            aliases=tuple(known.get((row[0], "alias"), ())),
            addresses=tuple(known.get((row[0], "address"), ())),
            domains=tuple(known.get((row[0], "domain"), ())),
            roles=tuple(RoleId(role) for role in roles.get(row[0], ())),
            users=tuple(UserId(user) for user in users.get(row[0], ())),
            archived_at=maybe_from_seconds(row[6]),
        )
        for row in rows
    ]


def _access(store: Store, table: str, column: str, wanted: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for record_id, value in store.archive.conn.execute(
        f"select record_id, {column} from {table}"
        " where record_id in (select value from json_each(?))",
        [wanted],
    ):
        found.setdefault(record_id, []).append(value)
    return found
