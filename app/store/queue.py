"""The queue of a viewer (product.md A1, A2), and its rows."""

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, Final, Literal

from app.errors import NotFound
from app.model import AccountId, Message, MessageId, Page, Row, Viewer
from app.store import filings
from app.store.database import Store, marks, to_seconds
from app.store.ingest import OLD_SECONDS
from app.store.messages import COLUMNS, message_from, with_previews
from app.store.messages import get as get_message
from app.store.visibility import READABLE, viewer_parameters

VISIBLE_AFTER_DOWNLOAD = timedelta(days=30)
MOST_COUNTED = 10_000
FEW = 2_000
MOST_HELD = 20_000
"""Up to so many messages of a view are told one by one."""

Show = Literal["waiting", "open", "all", "all-open", "aside"]
"""waiting: the default view; all: whatever its age; open and all-open: of these, what is not
archived; aside: what was set aside."""

Cursor = tuple[int, MessageId]
"""A place in a list: seconds of the sort date, and the message there."""

_RECENT = "h.received_at >= min(a.created_at, :month_ago)"
_WAITS: Final = f"h.state = 0 and {_RECENT}"
_LATELY: Final = (
    "h.state = 3 and h.downloaded_at > :month_ago and (a.is_strict = 0"
    f" or exists (select 1 from messages m where m.id = h.message_id and {READABLE}))"
)
_PARTS: Final[dict[Show, tuple[str, ...]]] = {
    "waiting": (_WAITS, _LATELY),
    "open": (_WAITS,),
    "all": ("h.state = 0", "h.state = 1", _LATELY),
    "all-open": ("h.state = 0", "h.state = 1"),
    "aside": ("h.state = 2",),
}
"""What each view consists of, every part in the order of an index on `holdings`."""

_OLDER: Final = (
    "select h.account_id, h.message_id from holdings h where h.state = 1"
    " and h.account_id in (select value from json_each(:accounts))"
    # Received within the month before the mailbox was added, and longer than a month ago.
    " union all select h.account_id, h.message_id from accounts a"
    " cross join holdings h indexed by holdings_by_receipt on h.account_id = a.id"
    "   and h.received_at >= a.created_at - :old"
    "   and h.received_at < min(a.created_at, :month_ago)"
    " where a.id in (select value from json_each(:accounts)) and h.state = 0"
)
_NOT_ELSEWHERE: Final = (
    "not exists (select 1 from holdings o join accounts b on b.id = o.account_id"
    "   where o.message_id = h.message_id and o.account_id <> h.account_id"
    # Plus: or else every mailbox is looked up for each message.
    "   and +o.account_id in (select value from json_each(:accounts)) and o.state in (0, 1)"
    "   and (o.account_id < h.account_id"
    "     or o.state = 0 and o.received_at >= min(b.created_at, :month_ago)))"
)
"""Whether no other of the mailboxes counts it, or received it lately: a row of the default view."""


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
    cursor = cursor_at(store, viewer, before or after)
    before, after = (before, after) if cursor else ("", "")
    places = _places(
        store,
        viewer,
        show,
        viewer.accounts if account is None else viewer.accounts & {account},
        cursor,
        is_newer=bool(after),
        limit=limit + 1,
        now=now,
    )
    messages = by_places(store, viewer, places)
    return page_of(store, viewer, messages, before=before, after=after, limit=limit)


def few(
    store: Store, viewer: Viewer, *, show: Show, account: AccountId | None, now: datetime
) -> list[MessageId] | None:
    """All that a view holds, if it is not too much; else None."""
    own = viewer.accounts if account is None else viewer.accounts & {account}
    places = _places(store, viewer, show, own, None, is_newer=False, limit=MOST_HELD + 1, now=now)
    return None if len(places) > MOST_HELD else [one for _, one in places]


def among(
    store: Store,
    viewer: Viewer,
    ids: Iterable[MessageId],
    *,
    show: Show,
    account: AccountId | None,
    now: datetime,
) -> set[MessageId]:
    """Those of the messages that a view holds."""
    own = viewer.accounts if account is None else viewer.accounts & {account}
    found = store.archive.conn.execute(
        "select h.message_id from json_each(:ids) wanted"
        " cross join holdings h on h.message_id = wanted.value"
        " join accounts a on a.id = h.account_id"
        " where h.account_id in (select value from json_each(:accounts))"
        f" and ({' or '.join(f'({part})' for part in _PARTS[show])})",
        viewer_parameters(viewer)
        | _times(now)
        | {"ids": json.dumps(list(ids)), "accounts": json.dumps(sorted(own))},
    )
    return {MessageId(row[0]) for row in found}


def older_count(
    store: Store, viewer: Viewer, *, account: AccountId | None = None, now: datetime
) -> int:
    """How many un-archived messages the default view leaves out, at most MOST_COUNTED + 1."""
    accounts = viewer.accounts if account is None else viewer.accounts & {account}
    found = store.archive.conn.execute(
        f"select count(*) from (select 1 from ({_OLDER}) h"
        f" where {_NOT_ELSEWHERE if len(accounts) > 1 else '1'} limit {MOST_COUNTED + 1})",
        {"accounts": json.dumps(sorted(accounts)), "old": OLD_SECONDS} | _times(now),
    )
    return int(found.fetchone()[0])


def count_above(
    store: Store, viewer: Viewer, newest: str, *, show: Show, limit: int, now: datetime
) -> int:
    """How many rows the queue has above that message, at most `limit`; see `rows`."""
    cursor = cursor_at(store, viewer, newest)
    places = _places(
        store, viewer, show, viewer.accounts, cursor, is_newer=True, limit=limit, now=now
    )
    return len(places)


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


def first_of(streams: Iterable[Iterable[Cursor]], *, is_newer: bool, limit: int) -> list[Cursor]:
    """The first places of several lists in order, each once."""
    merged = merge(*streams, reverse=not is_newer)
    return list(islice(dict.fromkeys(merged), limit))


def by_places(store: Store, viewer: Viewer, places: Iterable[Cursor]) -> list[Message]:
    """The messages there that the viewer may read, in no order."""
    found = store.archive.conn.execute(
        f"select {COLUMNS} from json_each(:ids) wanted cross join messages m"
        f" on m.id = wanted.value where {READABLE}",
        viewer_parameters(viewer) | {"ids": json.dumps([message_id for _, message_id in places])},
    )
    return [message_from(values) for values in found]


def _places(
    store: Store,
    viewer: Viewer,
    show: Show,
    accounts: Collection[AccountId],
    cursor: Cursor | None,
    *,
    is_newer: bool,
    limit: int,
    now: datetime,
) -> list[Cursor]:
    """The next places of a view, from each mailbox at most `limit`."""
    parameters = viewer_parameters(viewer) | _times(now) | {"limit": limit}
    is_few = show in ("waiting", "all") and _is_few(store, accounts, parameters)
    order = "asc" if is_newer else "desc"
    streams: list[list[Cursor]] = []
    for part in _PARTS[show]:
        index = "holdings_archived" if part is _LATELY and is_few else "holdings_by_state"
        # The partial index asks for its own words.
        chosen = part.replace("h.state = 3", "h.is_archived = 1") if is_few else part
        statement = (
            f"select h.sort_at, h.message_id from accounts a"
            f" cross join holdings h indexed by {index}"
            " on h.account_id = a.id"
            f" where a.id = :account_id and {chosen}"
            f" and {beyond('h.sort_at, h.message_id', cursor, is_newer=is_newer)}"
            f" order by h.sort_at {order}, h.message_id {order} limit :limit"
        )
        streams += (
            store.archive.conn.execute(statement, parameters | {"account_id": one}).fetchall()
            for one in accounts
        )
    return first_of(streams, is_newer=is_newer, limit=limit)


def _is_few(store: Store, accounts: Collection[AccountId], parameters: dict[str, object]) -> bool:
    """Whether so little was archived lately that it is sorted faster than the list is searched."""
    found = store.archive.conn.execute(
        "select 1 from holdings h indexed by holdings_archived where h.is_archived = 1"
        " and h.account_id in (select value from json_each(:own))"
        f" and h.downloaded_at > :month_ago limit 1 offset {FEW}",
        parameters | {"own": json.dumps(sorted(accounts))},
    )
    return found.fetchone() is None


def _times(now: datetime) -> dict[str, Any]:
    return {"month_ago": to_seconds(now - VISIBLE_AFTER_DOWNLOAD)}
