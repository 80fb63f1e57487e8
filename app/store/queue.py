"""The queue of a viewer (product.md A1, A2), and its rows."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from app.errors import NotFound
from app.model import AccountId, Message, MessageId, Page, Row, Viewer
from app.store import filings
from app.store.database import Store, marks, to_seconds
from app.store.messages import COLUMN_COUNT, COLUMNS, message_from, with_previews
from app.store.messages import get as get_message
from app.store.visibility import READABLE, viewer_parameters

VISIBLE_AFTER_DOWNLOAD = timedelta(days=30)
MOST_COUNTED = 10_000

Show = Literal["waiting", "open", "all", "all-open", "aside"]
"""waiting: the default view; all: whatever its age; open and all-open: of these, what is not
archived; aside: what was set aside."""

Cursor = tuple[int, MessageId]
"""A place in a list: seconds of the sort date, and the message there."""

_OPEN = "(m.archived_at is null and h.is_live = 1 and h.set_aside_at is null)"
_RECENT = "h.received_at >= min(a.created_at, :month_ago)"
_ARCHIVED = "(m.archived_at is not null and h.downloaded_at > :month_ago)"
_CONDITIONS: dict[Show, str] = {
    "waiting": f"(({_OPEN} and {_RECENT}) or {_ARCHIVED})",
    "open": f"({_OPEN} and {_RECENT})",
    "all": f"({_OPEN} or {_ARCHIVED})",
    "all-open": _OPEN,
    "aside": "(m.archived_at is null and h.set_aside_at is not null)",
}


def rows(
    store: Store,
    viewer: Viewer,
    *,
    show: Show = "waiting",
    account: AccountId | None = None,
    before: str = "",
    after: str = "",
    limit: int = 50,
    now: datetime,
) -> Page:
    """A page of the viewer's queue, one row per message, newest first.

    `before` and `after` are public ids of messages: older than, newer than that one. One that is
    absent or hidden is no place: the list begins with the newest.
    """
    accounts = viewer.accounts if account is None else viewer.accounts & {account}
    cursor = cursor_at(store, viewer, before or after)
    before, after = (before, after) if cursor else ("", "")
    messages: dict[MessageId, Message] = {}
    for own in accounts:
        kept = beyond("h.sort_at, h.message_id", cursor, is_newer=bool(after))
        order = "asc" if after else "desc"
        found = _of_account(
            store, viewer, own, f"{_CONDITIONS[show]} and {kept}", order, limit + 1, now
        )
        messages.update((message.id, message) for message in found)
    return page_of(store, viewer, list(messages.values()), before=before, after=after, limit=limit)


def older_count(
    store: Store, viewer: Viewer, *, account: AccountId | None = None, now: datetime
) -> int:
    """How many un-archived messages the default view leaves out, at most MOST_COUNTED + 1."""
    accounts = viewer.accounts if account is None else viewer.accounts & {account}
    found = store.archive.conn.execute(
        "select count(*) from (select distinct h.message_id"
        " from holdings h join accounts a on a.id = h.account_id"
        " join messages m on m.id = h.message_id"
        " where h.account_id in (select value from json_each(:accounts))"
        f" and {_OPEN} and not ({_RECENT})"
        # What another of the mailboxes received lately is a row of the default view.
        " and not exists (select 1 from holdings o join accounts b on b.id = o.account_id"
        "   where o.message_id = h.message_id and o.account_id <> h.account_id"
        "   and o.account_id in (select value from json_each(:accounts)) and o.is_live = 1"
        "   and o.set_aside_at is null and o.received_at >= min(b.created_at, :month_ago))"
        f" limit {MOST_COUNTED + 1})",
        {"accounts": json.dumps(sorted(accounts))} | _times(now),
    )
    return int(found.fetchone()[0])


def count_above(
    store: Store, viewer: Viewer, newest: str, *, show: Show, limit: int, now: datetime
) -> int:
    """How many rows the queue has above that message, at most `limit`; see `rows`."""
    beyond_newest = beyond(
        "h.sort_at, h.message_id", cursor_at(store, viewer, newest), is_newer=True
    )
    found = store.archive.conn.execute(
        "select count(*) from (select distinct h.message_id"
        " from holdings h join messages m on m.id = h.message_id"
        " join accounts a on a.id = h.account_id"
        " where h.account_id in (select value from json_each(:accounts))"
        f" and {_CONDITIONS[show]} and {beyond_newest} and {READABLE} limit :limit)",
        viewer_parameters(viewer) | _times(now) | {"limit": limit},
    )
    return int(found.fetchone()[0])


def row(store: Store, viewer: Viewer, message_id: MessageId) -> Row:
    """One row, with its preview. Raises NotFound if the viewer may not read the message."""
    found = rows_by_ids(store, viewer, [message_id])
    if message_id not in found:
        raise NotFound
    (message,) = with_previews(store, [found[message_id].message])
    return replace(found[message_id], message=message)


def rows_by_ids(store: Store, viewer: Viewer, ids: Iterable[MessageId]) -> dict[MessageId, Row]:
    """The rows of those messages that the viewer may read, without previews."""
    found = store.archive.conn.execute(
        f"select {COLUMNS} from json_each(:ids) wanted join messages m on m.id = wanted.value"
        f" where {READABLE}",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids))},
    )
    messages = [message_from(values) for values in found]
    return {row.message.id: row for row in with_places(store, viewer, messages)}


def with_places(store: Store, viewer: Viewer, messages: list[Message]) -> list[Row]:
    """Rows of messages that the viewer may read: with their visible records and mailboxes."""
    ids = [message.id for message in messages]
    attached = filings.records_of(store, viewer, ids)
    accounts: dict[int, list[str]] = {}
    unread: set[int] = set()
    held = store.archive.conn.execute(
        "select h.message_id, a.address, h.is_unread from holdings h"
        " join accounts a on a.id = h.account_id"
        f" where h.message_id in ({marks(len(ids))})"
        " and h.account_id in (select value from json_each(?)) order by a.address",
        [*ids, json.dumps(sorted(viewer.accounts))],
    )
    for message_id, address, is_unread in held:
        accounts.setdefault(message_id, []).append(address)
        if is_unread:
            unread.add(message_id)
    return [
        Row(
            message,
            tuple(attached.get(message.id, ())),
            tuple(accounts.get(message.id, ())),
            message.id in unread,
        )
        for message in messages
    ]


def page_of(
    store: Store,
    viewer: Viewer,
    messages: list[Message],
    *,
    before: str,
    after: str,
    limit: int,
) -> Page:
    """A page of at most `limit` rows from up to `limit + 1` messages each way, newest first."""
    messages.sort(key=lambda message: (message.sort_at, message.id), reverse=True)
    has_more = len(messages) > limit
    shown = messages[-limit:] if after else messages[:limit]
    older = shown[-1].public_id if shown and (has_more or after) else ""
    newer = shown[0].public_id if shown and (before or (after and has_more)) else ""
    rows = with_places(store, viewer, with_previews(store, shown))
    return Page(tuple(rows), older=older, newer=newer)


def cursor_at(store: Store, viewer: Viewer, public_id: str) -> Cursor | None:
    """The place of a message in a list; None if it is absent or not for this viewer."""
    try:
        message = get_message(store, viewer, public_id)
    except NotFound:
        return None
    return to_seconds(message.sort_at), message.id


def beyond(column: str, cursor: Cursor | None, *, is_newer: bool) -> str:
    """The SQL that keeps what is older, or newer, than the cursor; without one everything."""
    if cursor is None:
        return "1"
    return f"({column}) {'>' if is_newer else '<'} ({cursor[0]}, {cursor[1]})"


def _of_account(
    store: Store,
    viewer: Viewer,
    account_id: AccountId,
    condition: str,
    order: str,
    limit: int,
    now: datetime,
) -> list[Message]:
    found = store.archive.conn.execute(
        f"select {COLUMNS} from holdings h join messages m on m.id = h.message_id"
        " join accounts a on a.id = h.account_id"
        f" where h.account_id = :account_id and {condition} and {READABLE}"
        f" order by h.sort_at {order}, h.message_id {order} limit :limit",
        viewer_parameters(viewer) | _times(now) | {"account_id": account_id, "limit": limit},
    )
    return [message_from(values[:COLUMN_COUNT]) for values in found]


def _times(now: datetime) -> dict[str, Any]:
    return {"month_ago": to_seconds(now - VISIBLE_AFTER_DOWNLOAD)}
