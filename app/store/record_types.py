"""The types of records: made, changed and put away."""

from datetime import datetime

from app.errors import Invalid
from app.model import RecordType
from app.store.database import Store, to_seconds


def add(store: Store, found: RecordType) -> None:
    """Raises Invalid if there is one of that key. Effects: inside the caller's transaction."""
    conn = store.archive.conn
    if conn.execute("select 1 from record_types where key = ?", [found.key]).fetchone():
        raise Invalid("plural", f"There is a record type {found.key!r} already.")
    conn.execute(
        "insert into record_types (key, singular, plural, icon, code_prefix)"
        " values (?, ?, ?, ?, ?)",
        [found.key, found.singular, found.plural, found.icon, found.code_prefix],
    )


def change(store: Store, found: RecordType) -> None:
    """The type of that key is as given. Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "update record_types set singular = ?, plural = ?, icon = ?, code_prefix = ? where key = ?",
        [found.singular, found.plural, found.icon, found.code_prefix, found.key],
    )


def set_archived(store: Store, key: str, *, at: datetime | None) -> None:
    """Put a type away, or bring it back (None). Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "update record_types set archived_at = ? where key = ?",
        [None if at is None else to_seconds(at), key],
    )


def count_records(store: Store, key: str) -> int:
    """How many records are of the type, whoever may see them."""
    row = store.archive.conn.execute(
        "select count(*) from records r join record_types t on t.id = r.type_id"
        " where t.key = ? and r.removed_at is null",
        [key],
    ).fetchone()
    return int(row[0])


def highest_number(store: Store, kind: RecordType) -> int:
    """The highest number after the type's prefix among its codes, hidden ones too; 0: none."""
    first = f"{kind.code_prefix}-"
    row = store.archive.conn.execute(
        "select max(cast(substr(r.code, :skip) as integer)) from records r"
        " join record_types t on t.id = r.type_id where t.key = :type"
        " and r.code != '' and r.code collate nocase >= :first"
        " and r.code collate nocase < :last and substr(r.code, :skip) not glob '*[^0-9]*'"
        " and length(r.code) < :skip + 12",
        {
            "type": kind.key,
            "first": first,
            "last": f"{kind.code_prefix}.",
            "skip": len(first) + 1,
        },
    ).fetchone()
    return int(row[0] or 0)
