"""Who did what, when, from where: one line for each change that people make (R69)."""

import json
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.model import AccountId, MessageId, PublicId, RecordId, UserId, Viewer
from app.store.database import Store, from_seconds, to_seconds
from app.store.visibility import READABLE, viewer_parameters

came_from: ContextVar[str] = ContextVar("came_from", default="")
"""The address that a web request comes from; empty elsewhere."""

OPERATOR: Final = "operator"
NOBODY: Final = "nobody"

_COLUMNS: Final = "id, at, user_id, verb, message_id, record_id, account_id, detail, address"


@dataclass(frozen=True, slots=True)
class Line:
    """One deed. Without a `user_id` it was the operator or, over the web, somebody unknown."""

    id: int
    at: datetime
    user_id: UserId | None
    verb: str
    message_id: MessageId | None
    record_id: RecordId | None
    account_id: AccountId | None
    detail: dict[str, Any]
    address: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; what is None or empty does not narrow.

    `who` is a user's id, OPERATOR or NOBODY.
    """

    who: UserId | str | None = None
    verbs: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    message_id: MessageId | None = None
    record_id: RecordId | None = None
    account_id: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines, newest first, and the cursors to the next ones; empty where there are none."""

    lines: tuple[Line, ...]
    older: str = ""
    newer: str = ""


def note(
    store: Store,
    verb: str,
    *,
    by: UserId | None,
    now: datetime,
    message_id: MessageId | None = None,
    record_id: RecordId | None = None,
    account_id: AccountId | None = None,
    **detail: object,
) -> None:
    """Add a line; `by=None` is the operator, or somebody unknown. Effects: caller's transaction."""
    store.archive.conn.execute(
        "insert into audit (at, user_id, verb, message_id, record_id, account_id, detail, address)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(to_seconds(now), by, verb, message_id, record_id, account_id),
            *(json.dumps(detail), came_from.get()[:100]),
        ],
    )


def page(store: Store, wanted: Wanted, *, before: str = "", after: str = "", limit: int) -> Lines:
    """Lines from a cursor on; one that is no cursor begins at the top."""
    at = _cursor(before or after)
    before, after = (before, after) if at else ("", "")
    found = _found(store, wanted, at, limit=limit + 1, is_newer=bool(after))
    has_more, found = len(found) > limit, found[:limit]
    if after:
        found.reverse()
    has_older, has_newer = (True, has_more) if after else (has_more, bool(before))
    return Lines(
        tuple(found),
        _name(found[-1]) if found and has_older else "",
        _name(found[0]) if found and has_newer else "",
    )


def every(store: Store, wanted: Wanted, *, per_read: int) -> Iterator[list[Line]]:
    """All the lines, newest first, so many at a time."""
    at: tuple[int, int] | None = None
    while found := _found(store, wanted, at, limit=per_read, is_newer=False):
        yield found
        at = to_seconds(found[-1].at), found[-1].id


def access_given(store: Store, viewer: Viewer, *, since: datetime) -> list[Line]:
    """Who was let into the viewer's mailboxes since then, by others, the latest first.

    Without what he was told of already.
    """
    return _lines(
        store,
        "verb = 'share account' and at > max(:since, :told) and user_id is not :user_id"
        " and account_id in (select value from json_each(:accounts))"
        " and json_array_length(detail, '$.added') > 0 order by id desc limit 50",
        viewer_parameters(viewer)
        | {"since": to_seconds(since), "told": _told_at(store, viewer.user_id)},
    )


def access_changes(store: Store, account_id: AccountId, *, limit: int) -> list[Line]:
    """Who was let into a mailbox or kept out, the latest first."""
    return _lines(
        store,
        "account_id = :account_id and verb = 'share account' order by id desc limit :limit",
        {"account_id": account_id, "limit": limit},
    )


def note_told(store: Store, user_id: UserId, *, until: datetime) -> None:
    """Tell a person no more of access that was given until then. Effects: may be repeated."""
    store.archive.conn.execute(
        "update users set told_at = max(told_at, ?) where id = ?", [to_seconds(until), user_id]
    )


def readable_ids(
    store: Store, viewer: Viewer, ids: Sequence[MessageId]
) -> dict[MessageId, PublicId]:
    """The public ids of those of the messages that the viewer may read."""
    rows = store.archive.conn.execute(
        "select m.id, m.public_id from json_each(:ids) wanted"
        f" join messages m on m.id = wanted.value where {READABLE}",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids))},
    )
    return {MessageId(row[0]): PublicId(row[1]) for row in rows}


def removed_roles(store: Store) -> dict[int, str]:
    """The names that roles had when they were removed, by their former id."""
    lines = _lines(store, "verb = 'remove role' order by id", {})
    return {one.detail["id"]: str(one.detail["role"]) for one in lines if "id" in one.detail}


def last_on_record(store: Store, record_id: RecordId) -> tuple[UserId | None, datetime] | None:
    """Who last made or changed a record, and when; None if that is not known."""
    row = store.archive.conn.execute(
        "select user_id, at from audit where record_id = ?"
        " and verb in ('create record', 'change record') order by id desc limit 1",
        [record_id],
    ).fetchone()
    if row is None:
        return None
    return (None if row[0] is None else UserId(row[0])), from_seconds(row[1])


def verbs_on(store: Store, message_id: MessageId) -> list[tuple[str, UserId | None]]:
    """What was done to a message and by whom, oldest first."""
    rows = store.archive.conn.execute(
        "select verb, user_id from audit where message_id = ? order by id", [message_id]
    )
    return [(row[0], None if row[1] is None else UserId(row[1])) for row in rows]


def latest_verbs(store: Store, number: int) -> list[str]:
    """What was done last, the latest first."""
    rows = store.archive.conn.execute("select verb from audit order by id desc limit ?", [number])
    return [row[0] for row in rows]


def _found(
    store: Store,
    wanted: Wanted,
    at: tuple[int, int] | None,
    *,
    limit: int,
    is_newer: bool,
) -> list[Line]:
    """The next lines in one direction, nearest first.

    Each verb is asked for alone, so that its index serves; then they are put in order.
    """
    conditions, values = _conditions(wanted)
    sign, order = (">", "asc") if is_newer else ("<", "desc")
    if at:
        conditions.append(f"(at, id) {sign} (:at, :id)")
        values |= {"at": at[0], "id": at[1]}
    values["limit"] = limit
    last = f"order by at {order}, id {order} limit :limit"
    if not wanted.verbs:
        return _lines(store, f"{' and '.join(conditions) or 'true'} {last}", values)
    each = []
    for number, verb in enumerate(wanted.verbs):
        values[f"verb{number}"] = verb
        where = " and ".join([*conditions, f"verb = :verb{number}"])
        each.append(f"select * from (select id from audit where {where} {last})")
    return _lines(store, f"id in ({' union all '.join(each)}) {last}", values)


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, object]]:
    named = {
        "message_id": wanted.message_id,
        "record_id": wanted.record_id,
        "account_id": wanted.account_id,
    }
    conditions = [f"{name} = :{name}" for name, value in named.items() if value is not None]
    values: dict[str, object] = {name: value for name, value in named.items() if value is not None}
    if wanted.who in (OPERATOR, NOBODY):
        conditions.append(
            f"user_id is null and address {'=' if wanted.who == OPERATOR else '<>'} ''"
        )
    elif wanted.who is not None:
        conditions.append("user_id = :who")
        values["who"] = wanted.who
    for name, sign, moment in (("since", ">=", wanted.since), ("until", "<", wanted.until)):
        if moment is not None:
            conditions.append(f"at {sign} :{name}")
            values[name] = to_seconds(moment)
    return conditions, values


def _lines(store: Store, where: str, values: dict[str, object]) -> list[Line]:
    rows = store.archive.conn.execute(f"select {_COLUMNS} from audit where {where}", values)
    return [_line(row) for row in rows]


def _line(row: tuple[Any, ...]) -> Line:
    return Line(
        row[0],
        from_seconds(row[1]),
        None if row[2] is None else UserId(row[2]),
        row[3],
        None if row[4] is None else MessageId(row[4]),
        None if row[5] is None else RecordId(row[5]),
        None if row[6] is None else AccountId(row[6]),
        json.loads(row[7]),
        row[8],
    )


def _told_at(store: Store, user_id: UserId) -> int:
    (told,) = store.archive.conn.execute(
        "select told_at from users where id = ?", [user_id]
    ).fetchone()
    return int(told)


def _name(line: Line) -> str:
    return f"{to_seconds(line.at)}-{line.id}"


def _cursor(text: str) -> tuple[int, int] | None:
    at, _, line = text.partition("-")
    if not all(one.isascii() and one.isdecimal() and len(one) < 16 for one in (at, line)):
        return None
    return int(at), int(line)
