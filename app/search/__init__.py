"""Search over what a viewer may read, and the records that a message may belong to.

Owns the index, which is derived from the store and may be deleted at any moment, and is the only
room that knows Tantivy. It narrows; the store decides again before anything is shown.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from time import perf_counter
from typing import Literal

from app.errors import Conflict, Invalid, NotFound
from app.model import Message, MessageId, Row, Viewer
from app.search.found_in import FoundIn, find_in
from app.search.highlight import Mark, marks, snippet
from app.search.index import Found, MessageIndex
from app.search.own import MOST_PENDING, answerable
from app.search.query import Query, parse
from app.search.schema import sort_key
from app.search.tree import And, Flag, Node
from app.store import documents, messages, queue, snippets, visibility
from app.store.database import Store

__all__ = [
    "FoundIn",
    "Hit",
    "Kept",
    "Mark",
    "Query",
    "SearchPage",
    "Sort",
    "count",
    "find_all",
    "newest",
    "search_messages",
]

MOST_ROUNDS = 5
PER_PAGE = 1_000
PARTIAL = "The search index is being rebuilt, so some mail may be missing here for now."
INCOMPLETE = (
    "The search index is not whole now, so some mail would be missing. `letterbook reindex` makes"
    " it anew; then do the same again."
)
MOST_RANKED = 1_000
"""So many of the best hits are sorted by relevance."""

BEST = f"Sorted by relevance are the {MOST_RANKED:,} best. Sort by date to see all, or add a word."
MOVED = "The place in the list is gone, so it starts at the top again."


Sort = Literal["date", "relevance"]
"""Newest first, or best first and of equal ones the newest."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found: its row, its subject in pieces, and its best passage in pieces.

    `found_in`: the attachment that holds what its own text does not.
    """

    row: Row
    subject_marks: tuple[Mark, ...]
    snippet: tuple[Mark, ...]
    found_in: FoundIn | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits in order; `older` and `newer` are cursors to the pages after and before it,
    "" where there is no more."""

    query: Query
    hits: tuple[Hit, ...]
    total: int
    total_is_exact: bool
    older: str
    took_ms: float
    newer: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a filter keeps: `among` gives those of some ids that are readable and wanted.

    `all_of` are all that it can keep, where they are few.
    """

    among: Callable[[Iterable[MessageId]], set[MessageId]]
    all_of: Collection[MessageId] | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Sort keys below or above which to go on, and how many hits are wanted."""

    below: int | None
    above: int | None
    limit: int

    @property
    def is_whole(self) -> bool:
        return self.below is None and self.above is None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, how many hits a page has, and the public ids of the messages around the page."""

    query: Query
    limit: int
    before: str
    after: str


def search_messages(
    store: Store,
    viewer: Viewer,
    text: str,
    *,
    before: str = "",
    after: str = "",
    limit: int = 50,
    sort: Sort = "date",
    zone: tzinfo = UTC,
    now: datetime | None = None,
    in_archive: bool = False,
    only: Kept | None = None,
) -> SearchPage:
    """What the viewer may read of what matches a typed line.

    `before` is the public id of a message: what comes after that one in the order; `after`: the
    nearest before it. By relevance the first `MOST_RANKED` are reached, and a note says so.
    `in_archive`: archived mail only, like the operator in:archive, but nothing that is typed can
    undo it. `only`: then the total is told where that keeps few, or all are shown. Never raises for
    what was typed or for a missing index; the notes of `query` say what could not be done.
    """
    started = perf_counter()
    query = answerable(store, viewer, parse(text, zone=zone, now=now))
    if query.ast is None:
        return SearchPage(query, (), 0, total_is_exact=True, older="", took_ms=0.0)
    ast = And((query.ast, Flag("is_archived"))) if in_archive else query.ast
    ask = _Asked(query, limit, before, "" if before else after)
    if sort == "relevance":
        page = _page_by_relevance(store, viewer, ast, ask, only)
    else:
        page = _page_by_date(store, viewer, ast, ask, only)
    return replace(page, took_ms=(perf_counter() - started) * 1000)


def _page_by_date(
    store: Store, viewer: Viewer, ast: Node, ask: _Asked, only: Kept | None
) -> SearchPage:
    key, notes = _key(store, viewer, ask.before or ask.after)
    is_newer = bool(ask.after) and key is not None
    place = _Place(None if is_newer else key, key if is_newer else None, ask.limit + 1)
    found, readable, is_counted = (
        _find_kept(store, viewer, ast, place, only) if only else _find(store, viewer, ast, place)
    )
    has_more = len(readable) > ask.limit
    shown = readable[-ask.limit :] if is_newer else readable[: ask.limit]
    hits = _hits(store, viewer, ask.query, shown)
    return SearchPage(
        _noted(ask.query, found, *notes),
        hits,
        found.total if is_counted else len(readable),
        total_is_exact=is_counted and not found.is_partial,
        older=_id(hits[-1:]) if has_more or is_newer else "",
        took_ms=0.0,
        newer=_id(hits[:1]) if (has_more if is_newer else key is not None) else "",
    )


def _page_by_relevance(
    store: Store, viewer: Viewer, ast: Node, ask: _Asked, only: Kept | None
) -> SearchPage:
    """The order is made anew for each page; the place is where the message of the cursor stands.

    As in `_find`, what the store no longer shows is asked for again without.
    """
    index = MessageIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    hidden, is_counted = _newly_hidden(store, viewer)
    for _ in range(MOST_ROUNDS):
        found = index.rank(ast, scopes, limit=MOST_RANKED, without=hidden)
        wanted = only.among(found.ids) if only else set(found.ids)
        ranked = [one for one in found.ids if one in wanted]
        start, end, notes = _window(store, viewer, ask, ranked)
        near = ranked[max(0, start - 1) : end + 1]
        unreadable = set(near) - visibility.readable(store, viewer, near)
        if not unreadable:
            break
        hidden |= unreadable
    else:
        is_counted = False
        ranked = [one for one in ranked if one not in hidden]
        start, end, notes = _window(store, viewer, ask, ranked)
    is_all = found.total == len(found.ids)
    hits = _hits(store, viewer, ask.query, ranked[start:end])
    if end >= len(ranked) and not is_all:
        notes += (BEST,)
    is_counted = is_counted and (is_all or not only)
    return SearchPage(
        _noted(ask.query, found, *notes),
        hits,
        (len(ranked) if only else found.total) if is_counted else len(hits),
        total_is_exact=is_counted and not found.is_partial,
        older=_id(hits[-1:]) if end < len(ranked) else "",
        took_ms=0.0,
        newer=_id(hits[:1]) if start else "",
    )


def _window(
    store: Store, viewer: Viewer, ask: _Asked, ranked: list[MessageId]
) -> tuple[int, int, tuple[str, ...]]:
    """Where the page begins and ends in the order; at its top where the cursor is not in it."""
    if not (ask.before or ask.after):
        return 0, ask.limit, ()
    try:
        at = ranked.index(messages.get(store, viewer, ask.before or ask.after).id)
    except (NotFound, ValueError):
        return 0, ask.limit, (MOVED,)
    if ask.before:
        return at + 1, at + 1 + ask.limit, ()
    return max(0, at - ask.limit), at, ()


def _noted(query: Query, found: Found, *notes: str) -> Query:
    return replace(query, notes=(*query.notes, *notes, *((PARTIAL,) if found.is_partial else ())))


def count(store: Store, viewer: Viewer, ast: Node) -> int:
    """How much the viewer may read of what matches; where it cannot be told, 1 for some."""
    found, readable, is_counted = _find(store, viewer, ast, _Place(None, None, 1))
    return found.total if is_counted else len(readable)


def newest(store: Store, viewer: Viewer, ast: Node, *, limit: int) -> list[MessageId]:
    """The newest that the viewer may read of what matches."""
    _, readable, _ = _find(store, viewer, ast, _Place(None, None, limit))
    return readable


def find_all(store: Store, viewer: Viewer, text: str) -> Iterator[MessageId]:
    """All that the viewer may read of what matches a typed line, newest first, ids only.

    Raises Invalid if there is nothing to look for, Conflict while the index has not all mail.
    """
    ast = answerable(store, viewer, parse(text)).ast
    if ast is None:
        raise Invalid("query", f"There is nothing to look for in {text!r}.")
    return _all_pages(store, viewer, ast)


def _all_pages(store: Store, viewer: Viewer, ast: Node) -> Iterator[MessageId]:
    index = MessageIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    below: int | None = None
    while True:
        found = index.search(ast, scopes, before=below, limit=PER_PAGE)
        if found.is_partial:
            raise Conflict(INCOMPLETE)
        readable = visibility.readable(store, viewer, found.ids)
        yield from (one for one in found.ids if one in readable)
        if len(found.ids) < PER_PAGE:
            return
        below = found.sort_keys[-1]


def _key(store: Store, viewer: Viewer, public_id: str) -> tuple[int | None, tuple[str, ...]]:
    if not public_id:
        return None, ()
    try:
        last = messages.get(store, viewer, public_id)
    except NotFound:
        return None, (MOVED,)
    return sort_key(last.sort_at, last.id), ()


def _id(hits: tuple[Hit, ...]) -> str:
    return hits[0].row.message.public_id if hits else ""


def _find(
    store: Store, viewer: Viewer, ast: Node, place: _Place
) -> tuple[Found, list[MessageId], bool]:
    """An answer, the readable ids of its page, newest first, and whether its total may be told.

    What the store no longer shows the viewer is asked for again without, so that page and total
    are the same as if it were not in the index.
    """
    index = MessageIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    hidden, is_counted = _newly_hidden(store, viewer)
    for _ in range(MOST_ROUNDS):
        found = index.search(
            ast, scopes, before=place.below, after=place.above, limit=place.limit, without=hidden
        )
        readable = visibility.readable(store, viewer, found.ids)
        if len(readable) == len(found.ids):
            break
        hidden |= set(found.ids) - readable
    else:
        is_counted = False
    return found, [one for one in found.ids if one in readable], is_counted


def _find_kept(
    store: Store, viewer: Viewer, ast: Node, place: _Place, only: Kept
) -> tuple[Found, list[MessageId], bool]:
    """As `_find`, of what `only` keeps."""
    index = MessageIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    if only.all_of is not None:
        found = index.search(
            ast,
            scopes,
            before=place.below,
            after=place.above,
            limit=place.limit,
            within=only.all_of,
        )
        wanted = only.among(found.ids)
        return found, [one for one in found.ids if one in wanted], len(wanted) == len(found.ids)
    kept: list[MessageId] = []
    below, above = place.below, place.above
    while True:
        found = index.search(ast, scopes, before=below, after=above, limit=PER_PAGE)
        wanted = only.among(found.ids)
        more = [one for one in found.ids if one in wanted]
        kept = more + kept if above is not None else kept + more
        is_all = len(found.ids) < PER_PAGE
        if is_all or len(kept) >= place.limit:
            is_counted = place.is_whole and is_all and len(kept) < place.limit
            nearest = kept[-place.limit :] if above is not None else kept[: place.limit]
            return replace(found, total=len(kept)), nearest, is_counted
        below = found.sort_keys[-1] if above is None else None
        above = found.sort_keys[0] if above is not None else None


def _newly_hidden(store: Store, viewer: Viewer) -> tuple[set[MessageId], bool]:
    """Messages with a queued change that the viewer may not read, whatever the index says.

    False: more changes wait than were looked at.
    """
    is_all = documents.backlog(store) <= MOST_PENDING
    pending = documents.queued(store, limit=MOST_PENDING).message_ids
    hidden = set(pending) - visibility.readable(store, viewer, pending) if pending else set()
    return hidden, is_all


def _hits(store: Store, viewer: Viewer, query: Query, ids: list[MessageId]) -> tuple[Hit, ...]:
    rows = queue.rows_by_ids(store, viewer, ids)
    texts = snippets.texts(store, [one for one in ids if one in rows])
    own = {
        one: _own_text(row.message, texts.get(one, ""))
        for one, row in rows.items()
        if row.message.attachment_count
    }
    where = find_in(store, viewer, query, own)
    return tuple(
        Hit(
            rows[one],
            marks(rows[one].message.subject, query),
            snippet(texts.get(one, ""), query),
            where.get(one),
        )
        for one in ids
        if one in rows
    )


def _own_text(message: Message, text: str) -> str:
    """What a hit may have been found in besides its attachments."""
    sender = message.sender
    return "\n".join((message.subject, sender.name, sender.address, message.to_summary, text))
