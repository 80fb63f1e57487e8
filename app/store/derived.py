"""What archive.db derives from its other rows: compared with them, made anew where it differs."""

import json
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final

from app.model import AccountId, MessageId
from app.store.database import Store, sound, transaction
from app.store.ingest import HELD, OLD_SECONDS, refresh_holdings

_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Derived:
    """The columns of a table that are derived, the first `keys` of which name what they are of,
    and the query for what they should be."""

    columns: str
    keys: int
    truth: str


_TABLES: Final = {
    "holdings": _Derived(
        "account_id, message_id, sort_at, downloaded_at, received_at, is_unread, is_live,"
        " is_archived, is_old",
        2,
        f"{HELD} from folders f join accounts a on a.id = f.account_id"
        " join locations l on l.folder_id = f.id join copies c on c.id = l.copy_id"
        " join messages m on m.id = c.message_id group by f.account_id, m.id",
    ),
    "filings": _Derived(
        "message_id, record_id, sort_at",
        2,
        "select f.message_id, f.record_id, m.sort_at"
        " from filings f join messages m on m.id = f.message_id",
    ),
    "reach": _Derived(
        "message_id, sort_at, token",
        1,
        "select m.id, m.sort_at,"
        " r.type_id || ' ' || s.scope || ' ' || coalesce('role:' || x.role_id, 'any')"
        " from filings f join messages m on m.id = f.message_id"
        " join records r on r.id = f.record_id and r.removed_at is null"
        " join (select r.id as record_id, 'all' as scope from records r"
        "   where not exists (select 1 from record_roles o where o.record_id = r.id)"
        "   and not exists (select 1 from record_users o where o.record_id = r.id)"
        "   union all select record_id, 'role:' || role_id from record_roles"
        "   union all select record_id, 'user:' || user_id from record_users) s"
        "   on s.record_id = r.id"
        " left join message_roles x on x.message_id = m.id",
    ),
    "record_words": _Derived(
        "rowid, type, scope, name, code, alias",
        1,
        # Asked for each record, as the triggers do: in the same order.
        "select r.id, 'type' || r.type_id,"
        " coalesce((select scope from record_scopes where record_id = r.id), 'all'),"
        " r.folded_name, r.code,"
        " coalesce((select words from folded_aliases where record_id = r.id), '') from records r",
    ),
}


def differing(store: Store) -> dict[str, int]:
    """How many rows of each table differ from what they are derived from; sound ones are absent."""
    with sound("archive.db"):
        found = {table: len(_differing(store, table)) for table in _TABLES}
    return {table: number for table, number in found.items() if number}


def make_anew(store: Store) -> None:
    """Derive anew what differs. Effects: some thousand rows a transaction; may be repeated."""
    with sound("archive.db"):
        for table in _TABLES:
            rows = iter(_differing(store, table))
            while some := list(islice(rows, _AT_ONCE)):
                with transaction(store):
                    _MAKERS[table](store, some)


def rebuild_words(store: Store) -> None:
    """Make the index of `record_words` anew from its rows. Effects: may be repeated."""
    with sound("archive.db"), transaction(store):
        store.archive.conn.execute("insert into record_words (record_words) values ('rebuild')")


def _differing(store: Store, table: str) -> list[tuple[Any, ...]]:
    """The keys of the rows that are there and should not be, or the other way round."""
    one = _TABLES[table]
    keys = ", ".join(one.columns.split(", ")[: one.keys])
    there = f"select {one.columns} from {table}"
    return store.archive.conn.execute(
        f"with truth ({one.columns}) as ({one.truth})"
        f" select {keys} from ({there} except select * from truth)"
        f" union select {keys} from (select * from truth except {there}) order by {keys}",
        {"old": OLD_SECONDS} if ":old" in one.truth else {},
    ).fetchall()


def _make_holdings(store: Store, rows: list[tuple[Any, ...]]) -> None:
    for account_id, some in groupby(rows, key=lambda row: row[0]):
        ids = [MessageId(row[1]) for row in some]
        store.archive.conn.execute(
            "delete from holdings where account_id = ? and message_id in"
            " (select value from json_each(?)) and not exists (select 1 from copies c"
            "   join locations l on l.copy_id = c.id join folders f on f.id = l.folder_id"
            "   where c.message_id = holdings.message_id and f.account_id = holdings.account_id)",
            [account_id, json.dumps(ids)],
        )
        refresh_holdings(store, AccountId(account_id), ids)


def _make_filings(store: Store, rows: list[tuple[Any, ...]]) -> None:
    store.archive.conn.executemany(
        "update filings set sort_at = (select sort_at from messages m where m.id = message_id)"
        " where message_id = ? and record_id = ?",
        rows,
    )


def _make_reach(store: Store, rows: list[tuple[Any, ...]]) -> None:
    store.archive.conn.executemany("insert into reach_stale (message_id) values (?)", rows)


def _make_words(store: Store, rows: list[tuple[Any, ...]]) -> None:
    one = _TABLES["record_words"]
    conn = store.archive.conn
    conn.executemany("delete from record_words where rowid = ?", rows)
    conn.execute(
        f"insert into record_words ({one.columns}) select * from ({one.truth} where r.id in"
        " (select value from json_each(?)))",
        [json.dumps([row[0] for row in rows])],
    )


_MAKERS: Final = {
    "holdings": _make_holdings,
    "filings": _make_filings,
    "reach": _make_reach,
    "record_words": _make_words,
}
