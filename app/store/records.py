"""The team's records, what else they are known by, and who may see them."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from app.errors import Invalid, NotFound
from app.model import PublicId, Record, RecordId, RecordType, RoleId, UserId, Viewer
from app.store.database import Store, maybe_from_seconds, new_public_id, to_seconds
from app.store.visibility import RECORD_VISIBLE, viewer_parameters

_SELECT = (
    "select r.id, r.public_id, t.key, r.name, r.code, r.notes, r.archived_at, r.external_id"
    " from records r join record_types t on t.id = r.type_id"
)


Mark = Literal["external id", "code", "name"]
"""By what a record is told from others of its type."""

_BY_MARK: Final[dict[Mark, str]] = {
    "external id": "r.id in ("
    "select o.id from records o join record_types y on y.id = o.type_id"
    " where y.key = :type and o.external_id = :value"
    " union all select x.record_id from record_ids x join record_types y on y.id = x.type_id"
    " where y.key = :type and x.external_id = :value)",
    "code": "t.key = :type and r.code != '' and r.code = :value collate nocase",
    "name": "t.key = :type and r.folded_name = :value",
}


def types(store: Store, *, with_archived: bool = False) -> list[RecordType]:
    """The record types, in the order they were made."""
    rows = store.archive.conn.execute(
        "select key, singular, plural, icon, code_prefix, archived_at is not null"
        " from record_types where :all or archived_at is null order by id",
        {"all": with_archived},
    )
    return [
        RecordType(key, singular, plural, icon, code_prefix, bool(is_archived))
        for key, singular, plural, icon, code_prefix, is_archived in rows
    ]


def add(
    store: Store,
    *,
    record_type: str,
    name: str,
    folded_name: str,
    code: str = "",
    external_id: str = "",
    notes: str = "",
    aliases: Sequence[str] = (),
    addresses: Sequence[str] = (),
    domains: Sequence[str] = (),
    roles: Sequence[RoleId] = (),
    users: Sequence[UserId] = (),
    now: datetime,
) -> RecordId:
    """A new record. Raises Invalid for an unknown type, or a code or external id that is taken.

    Effects: inside the caller's transaction; the record is queued for the index.
    """
    conn = store.archive.conn
    row = conn.execute(
        "select id from record_types where key = ? and archived_at is null", [record_type]
    ).fetchone()
    if row is None:
        known = ", ".join(known.key for known in types(store))
        raise Invalid("type", f"There is no record type {record_type!r}. There are: {known}.")
    (type_id,) = row
    _require_free(store, type_id, code=code, external_id=external_id, besides=None)
    added = conn.execute(
        "insert into records"
        " (public_id, type_id, name, folded_name, code, external_id, notes, created_at)"
        " values (?, ?, ?, ?, ?, nullif(?, ''), ?, ?)",
        [
            new_public_id(),
            type_id,
            name,
            folded_name,
            code,
            external_id,
            notes,
            to_seconds(now),
        ],
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
    external_id: str,
    notes: str,
    aliases: Sequence[str],
    addresses: Sequence[str],
    domains: Sequence[str],
    roles: Sequence[RoleId],
    users: Sequence[UserId],
) -> None:
    """Save a record anew. Raises Invalid for a code or external id that is taken.

    Effects: inside the caller's transaction; the record is queued for the index and, where its
    access changed, so are its messages.
    """
    conn = store.archive.conn
    (type_id,) = conn.execute("select type_id from records where id = ?", [record.id]).fetchone()
    _require_free(store, type_id, code=code, external_id=external_id, besides=record.id)
    conn.execute(
        "update records set name = ?, folded_name = ?, code = ?, external_id = nullif(?, ''),"
        " notes = ? where id = ?",
        [name, folded_name, code, external_id, notes, record.id],
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


def get(store: Store, viewer: Viewer, public_id: str) -> Record:
    """The record. Raises NotFound if it is absent or the viewer may not see it."""
    return _one(store, viewer, "r.public_id = :value", {"value": public_id})


def by_name(store: Store, viewer: Viewer, *, record_type: str, folded_name: str) -> list[Record]:
    """The records of that type and name, the oldest first, those put away last."""
    return select(
        store,
        viewer,
        "t.key = :type and r.folded_name = :value order by r.archived_at is not null, r.id",
        {"type": record_type, "value": folded_name},
    )


def known_as(
    store: Store, viewer: Viewer | None, mark: Mark, value: str, *, record_type: str
) -> list[Record]:
    """The records of a type with this external id, code or folded name, the oldest first.

    Or what a record with that external id became part of, whatever its type.

    `viewer=None` is the operator, who sees every record.
    """
    asked = f"{_BY_MARK[mark]} order by r.id"
    return select(store, viewer, asked, {"type": record_type, "value": value})


def taken(store: Store) -> dict[tuple[str, Mark, str], RecordId]:
    """Every external id and code, of hidden records too: by type, mark and value."""
    found: dict[tuple[str, Mark, str], RecordId] = {}
    for key, external_id, code, record_id in store.archive.conn.execute(
        "select t.key, r.external_id, lower(r.code), r.id from records r"
        " join record_types t on t.id = r.type_id"
        " where (r.external_id is not null or r.code != '') and r.removed_at is null"
        " union all select t.key, x.external_id, '', x.record_id from record_ids x"
        " join record_types t on t.id = x.type_id"
    ):
        found[key, "external id", external_id or ""] = RecordId(record_id)
        found[key, "code", code] = RecordId(record_id)
    return found


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
    limit: int = 50,
) -> list[Record]:
    """Records of a type that the viewer may see, by name; `like` is a folded part of the name."""
    pattern = like.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = store.archive.conn.execute(
        f"{_SELECT} where t.key = :type and r.archived_at is null"
        " and r.folded_name like '%' || :like || '%' escape '\\'"
        f" and {RECORD_VISIBLE} order by r.folded_name, r.id limit :limit",
        viewer_parameters(viewer) | {"type": record_type, "like": pattern, "limit": limit},
    ).fetchall()
    return _records_from(store, rows)


def select(
    store: Store, viewer: Viewer | None, condition: str, values: dict[str, object]
) -> list[Record]:
    """The records `r` of types `t` that the viewer may see and the condition holds for.

    `viewer=None` is the operator, who sees every record.
    """
    visible = "r.removed_at is null" if viewer is None else RECORD_VISIBLE
    asked = values if viewer is None else viewer_parameters(viewer) | values
    rows = store.archive.conn.execute(f"{_SELECT} where {visible} and {condition}", asked)
    return _records_from(store, rows.fetchall())


def every(store: Store, ids: Iterable[RecordId]) -> list[Record]:
    """Records whoever may see them: for the index only."""
    rows = store.archive.conn.execute(
        f"{_SELECT} where r.id in (select value from json_each(?)) and r.removed_at is null"
        " order by r.id",
        [json.dumps(list(ids))],
    ).fetchall()
    return _records_from(store, rows)


def kept_for_some(store: Store, public_id: str) -> Record:
    """A record that not everybody sees, whoever asks: for its state only. Raises NotFound."""
    rows = store.archive.conn.execute(
        f"{_SELECT} where r.public_id = ? and r.removed_at is null", [public_id]
    ).fetchall()
    for found in _records_from(store, rows):
        if not found.is_open:
            return found
    raise NotFound


def _require_free(
    store: Store, type_id: int, *, code: str, external_id: str, besides: RecordId | None
) -> None:
    """Raises Invalid, which does not tell whether the other record is one that may be seen."""
    for field, value, asked, title in (
        ("code", code, "records where code = :value collate nocase and code != ''", "code"),
        ("external_id", external_id, "records where external_id = :value", "external id"),
        (
            "external_id",
            external_id,
            "(select type_id, record_id as id from record_ids where external_id = :value) where 1",
            "external id",
        ),
    ):
        taken = store.archive.conn.execute(
            f"select 1 from {asked} and type_id = :type and id is not :besides",
            {"value": value, "type": type_id, "besides": besides},
        )
        if value and taken.fetchone():
            raise Invalid(
                field,
                f"The {title} {value!r} is taken by another record of this type, though perhaps"
                " not for you to see. Type another one.",
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
        # What stays is left alone: each row that comes or goes renews all the record's messages.
        conn.execute(
            f"delete from {table} where record_id = ?"
            f" and {column} not in (select value from json_each(?))",
            [record_id, json.dumps(list(ids))],
        )
        conn.executemany(
            f"insert into {table} (record_id, {column}) values (?, ?) on conflict do nothing",
            [(record_id, one) for one in ids],
        )


def _queue_record(store: Store, record_id: RecordId) -> None:
    store.archive.conn.execute(
        "insert into index_queue (kind, subject_id) values ('record', ?)", [record_id]
    )


def _one(store: Store, viewer: Viewer, condition: str, values: dict[str, object]) -> Record:
    found = select(store, viewer, condition, values)
    if not found:
        raise NotFound
    return found[0]


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
            external_id=row[7] or "",
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
