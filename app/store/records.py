"""The team's records, what else they are known by, and who may see them."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from app.errors import Invalid, NotFound
from app.model import PublicId, Record, RecordId, RecordType, RoleId, UserId, Viewer
from app.store.database import Store, maybe_from_seconds, new_public_id, to_seconds
from app.store.visibility import RECORD_VISIBLE, viewer_parameters

_SELECT = (
    "select r.id, r.public_id, t.key, r.name, r.code, r.notes, r.archived_at"
    " from records r join record_types t on t.id = r.type_id"
)


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
    if conn.execute(
        "select 1 from records where type_id = ? and folded_name = ?", [type_id, folded_name]
    ).fetchone():
        raise Invalid("name", f"There is a record {name!r} of this type already.")
    added = conn.execute(
        "insert into records (public_id, type_id, name, folded_name, code, notes, created_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [new_public_id(), type_id, name, folded_name, code, notes, to_seconds(now)],
    )
    record_id = RecordId(added.lastrowid or 0)
    for kind, values in (("alias", aliases), ("address", addresses), ("domain", domains)):
        conn.executemany(
            "insert into record_marks (record_id, kind, value) values (?, ?, ?)"
            " on conflict do nothing",
            [(record_id, kind, value) for value in values],
        )
    conn.executemany(
        "insert into record_roles (record_id, role_id) values (?, ?)",
        [(record_id, role) for role in dict.fromkeys(roles)],
    )
    conn.executemany(
        "insert into record_users (record_id, user_id) values (?, ?)",
        [(record_id, user) for user in dict.fromkeys(users)],
    )
    conn.execute("insert into index_queue (kind, subject_id) values ('record', ?)", [record_id])
    return record_id


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


def every(store: Store, ids: Iterable[RecordId]) -> list[Record]:
    """Records whoever may see them: for the index only."""
    rows = store.archive.conn.execute(
        f"{_SELECT} where r.id in (select value from json_each(?)) order by r.id",
        [json.dumps(list(ids))],
    ).fetchall()
    return _records_from(store, rows)


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
