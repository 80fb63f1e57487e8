"""What is archived and readable: the whole, under one record, or what a filter keeps.

No list begins with all that is archived: it is merged from lists in order of date, of what the
viewer's mailboxes hold, of what he reaches by records and roles (`reach`), and of his own.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.model import Message, MessageId, Page, RecordId, Viewer
from app.store.database import Store
from app.store.messages import COLUMNS, message_from
from app.store.queue import Cursor, beyond, cursor_at, first_of, page_of
from app.store.visibility import (
    READABLE,
    RECORD_VISIBLE,
    scopes_of_viewer,
    viewer_parameters,
)

FEW: Final = 1_000
"""So many messages are looked at one by one, whatever a filter says."""

_CHUNK: Final = 500
_ATTACHED: Final = (
    # A cross join keeps this order: the planner would begin with every record of a type.
    "exists (select 1 from filings f cross join records r on r.id = f.record_id"
    f" where f.message_id = m.id and {RECORD_VISIBLE}"
)
_TYPE_ID: Final = "(select id from record_types where key = :record_type)"

_REACHED: Final = "reach p where p.token = :value"
_HELD: Final = "holdings p where p.account_id = :value and p.state = 3"
_OWN: Final = "messages p where p.archived_by = :value"
_FILED: Final = "filings p where p.record_id = :value"

Source = tuple[str, object]
"""A list in order of date: what it is read from, and the value that stands for."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which archived messages: attached to this record, to a record of this type, or to none.

    Only records that the viewer may see count, for `without_record` too.
    """

    record: RecordId | None = None
    record_type: str = ""
    without_record: bool = False

    def __bool__(self) -> bool:
        return self != Filter()


def rows(
    store: Store,
    viewer: Viewer,
    *,
    only: Filter = Filter(),
    before: str = "",
    after: str = "",
    limit: int = 50,
) -> Page:
    """A page of archived messages that the viewer may read, newest first."""
    cursor = cursor_at(store, viewer, before or after)
    before, after = (before, after) if cursor else ("", "")
    sources = _sources(store, viewer, only)
    found: list[Message] = []
    chunk = limit + 1
    while len(found) <= limit:
        places = _places(store, sources, cursor, is_newer=bool(after), limit=chunk)
        kept = _kept(store, viewer, [place[1] for place in places], only)
        found += (kept[place[1]] for place in places if place[1] in kept)
        if len(places) < chunk:
            break
        cursor, chunk = places[-1], _CHUNK
    return page_of(store, viewer, found[: limit + 1], before=before, after=after, limit=limit)


def among(
    store: Store, viewer: Viewer, ids: Iterable[MessageId], *, only: Filter
) -> set[MessageId]:
    """Those of the messages that are archived, readable, and kept by the filter."""
    return set(_kept(store, viewer, list(ids), only))


def few(store: Store, viewer: Viewer, *, only: Filter) -> list[MessageId] | None:
    """All that the filter keeps, if that is told by few messages; else None."""
    places = _few_places(store, _sources(store, viewer, only))
    return None if places is None else [*_kept(store, viewer, [one for _, one in places], only)]


def _kept(
    store: Store, viewer: Viewer, ids: Sequence[MessageId], only: Filter
) -> dict[MessageId, Message]:
    conditions = ["m.archived_at is not null"]
    if only.record is not None:
        conditions.append(f"{_ATTACHED} and f.record_id = :record_id)")
    if only.record_type:
        conditions.append(f"{_ATTACHED} and r.type_id = {_TYPE_ID})")
    if only.without_record:
        conditions.append(f"not {_ATTACHED})")
    found = store.archive.conn.execute(
        f"select {COLUMNS} from json_each(:ids) wanted cross join messages m"
        f" on m.id = wanted.value where {' and '.join(conditions)} and {READABLE}",
        viewer_parameters(viewer)
        | {"record_id": only.record, "record_type": only.record_type}
        | {"ids": json.dumps(ids)},
    )
    return {message.id: message for message in map(message_from, found)}


# -- where a list is read from


def _sources(store: Store, viewer: Viewer, only: Filter) -> list[Source]:
    """The lists that together hold all that is readable and kept by the filter; few of them that
    hold more where that is little.
    """
    tokens = _tokens(store)
    whole = _readable_sources(store, viewer, tokens)
    if not only:
        return whole
    narrow = _narrow_sources(store, viewer, only, tokens)
    if _few_places(store, narrow) is not None or _few_places(store, whole) is None:
        return narrow
    return whole


def _readable_sources(store: Store, viewer: Viewer, tokens: Sequence[str]) -> list[Source]:
    scopes = scopes_of_viewer(viewer)
    reached = [
        (_REACHED, token)
        for token in tokens
        if token.split()[1] in scopes.record and token.split()[2] in scopes.role
    ]
    return reached + _own_sources(store, viewer)


def _own_sources(store: Store, viewer: Viewer) -> list[Source]:
    """What the viewer's mailboxes hold and, where the archive binds members, what he archived."""
    strict = {
        row[0] for row in store.archive.conn.execute("select id from accounts where is_strict = 1")
    }
    held: list[Source] = [(_HELD, one) for one in viewer.accounts if one not in strict]
    return [*held, (_OWN, viewer.user_id)] if strict else held


def _narrow_sources(
    store: Store, viewer: Viewer, only: Filter, tokens: Sequence[str]
) -> list[Source]:
    if only.record is not None:
        return [(_FILED, only.record)]
    seen = scopes_of_viewer(viewer).record
    if only.record_type:
        row = store.archive.conn.execute(
            f"select {_TYPE_ID}", {"record_type": only.record_type}
        ).fetchone()
        wanted = [one for one in tokens if one.split()[0] == str(row[0])]
        return [(_REACHED, one) for one in wanted if one.split()[1] in seen]
    hidden: list[Source] = [(_REACHED, one) for one in tokens if one.split()[1] not in seen]
    return hidden if _few_places(store, hidden) is not None else _own_sources(store, viewer)


def _tokens(store: Store) -> list[str]:
    """The tokens that there are: one look-up for each, not one for each row."""
    found = store.archive.conn.execute(
        "with recursive known (token) as (select min(token) from reach union all"
        " select (select min(token) from reach where token > known.token) from known"
        " where known.token is not null) select token from known where token is not null"
    )
    return [row[0] for row in found]


def _few_places(store: Store, sources: Iterable[Source]) -> list[Cursor] | None:
    """All that these lists hold, if it is little."""
    found: list[Cursor] = []
    for source in sources:
        found += _of_source(store, source, None, is_newer=False, limit=FEW + 1)
        if len(found) > FEW:
            return None
    return found


def _places(
    store: Store, sources: Iterable[Source], cursor: Cursor | None, *, is_newer: bool, limit: int
) -> list[Cursor]:
    streams = [_of_source(store, one, cursor, is_newer=is_newer, limit=limit) for one in sources]
    return first_of(streams, is_newer=is_newer, limit=limit)


def _of_source(
    store: Store, source: Source, cursor: Cursor | None, *, is_newer: bool, limit: int
) -> list[Any]:
    read, value = source
    name = "p.id" if read is _OWN else "p.message_id"
    order = "asc" if is_newer else "desc"
    return store.archive.conn.execute(
        f"select p.sort_at, {name} from {read}"
        f" and {beyond(f'p.sort_at, {name}', cursor, is_newer=is_newer)}"
        f" order by p.sort_at {order}, {name} {order} limit :limit",
        {"value": value, "limit": limit},
    ).fetchall()
