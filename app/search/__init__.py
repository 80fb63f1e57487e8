"""Search over what a viewer may read, and the records that a message may belong to.

Owns the index, which is derived from the store and may be deleted at any moment, and is the only
room that knows Tantivy. It narrows; the store decides again before anything is shown.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from time import perf_counter
from typing import Literal

from app.errors import Conflict, Invalid, NotFound
from app.model import MessageId, Row, Viewer
from app.search.highlight import Mark, marks, snippet
from app.search.index import Found, MessageIndex
from app.search.query import Query, parse
from app.search.schema import sort_key
from app.search.tree import And, Flag, Node
from app.store import documents, messages, queue, snippets, visibility
from app.store.database import Store

__all__ = ["Hit", "Mark", "Query", "SearchPage", "find_all", "search_messages"]

MOST_PENDING = 500
"""Queued changes that are looked at, so that a message that has just been hidden is not counted.

While more wait, the index cannot be believed when it counts: only what is shown is counted then.
"""

MOST_ROUNDS = 5
PER_PAGE = 1_000
PARTIAL = "The search index is being rebuilt, so some mail may be missing here for now."
INCOMPLETE = (
    "The search index is not whole now, so some mail would be missing. `letterbook reindex` makes"
    " it anew; then do the same again."
)
MOVED = "The place in the list is gone, so it starts with the newest again."


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found: its row, its subject in pieces, and its best passage in pieces."""

    row: Row
    subject_marks: tuple[Mark, ...]
    snippet: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits, newest first; `older` is the cursor of the next page, "" on the last one."""

    query: Query
    hits: tuple[Hit, ...]
    total: int
    total_is_exact: bool
    older: str
    took_ms: float


def search_messages(
    store: Store,
    viewer: Viewer,
    text: str,
    *,
    before: str = "",
    limit: int = 50,
    sort: Literal["date"] = "date",
    zone: tzinfo = UTC,
    in_archive: bool = False,
    keep: Callable[[Iterable[MessageId]], set[MessageId]] | None = None,
) -> SearchPage:
    """What the viewer may read of what matches a typed line.

    `before` is the public id of a message: older than that one. `in_archive`: archived mail only,
    like the operator in:archive, but nothing that is typed can undo it. `keep`: those of some ids
    that are readable and wanted besides; then the total is told only where all are shown. Never
    raises for what was typed or for a missing index; the notes of `query` say what could not be
    done.
    """
    started = perf_counter()
    query = parse(text, zone=zone)
    if query.ast is None:
        return SearchPage(query, (), 0, total_is_exact=True, older="", took_ms=0.0)
    ast = And((query.ast, Flag("is_archived"))) if in_archive else query.ast
    below, notes = _below(store, viewer, before)
    found, readable, is_counted = (
        _find_kept(store, viewer, ast, below, limit + 1, keep)
        if keep
        else _find(store, viewer, ast, below, limit + 1)
    )
    shown = readable[:limit]
    hits = _hits(store, viewer, query, shown)
    notes += (PARTIAL,) if found.is_partial else ()
    return SearchPage(
        replace(query, notes=query.notes + notes),
        hits,
        found.total if is_counted else len(readable),
        total_is_exact=is_counted and not found.is_partial,
        older=hits[-1].row.message.public_id if hits and len(readable) > limit else "",
        took_ms=(perf_counter() - started) * 1000,
    )


def find_all(store: Store, viewer: Viewer, text: str) -> Iterator[MessageId]:
    """All that the viewer may read of what matches a typed line, newest first, ids only.

    Raises Invalid if there is nothing to look for, Conflict while the index has not all mail.
    """
    ast = parse(text).ast
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


def _below(store: Store, viewer: Viewer, before: str) -> tuple[int | None, tuple[str, ...]]:
    if not before:
        return None, ()
    try:
        last = messages.get(store, viewer, before)
    except NotFound:
        return None, (MOVED,)
    return sort_key(last.sort_at, last.id), ()


def _find(
    store: Store, viewer: Viewer, ast: Node, below: int | None, limit: int
) -> tuple[Found, list[MessageId], bool]:
    """An answer, the readable ids of its page, newest first, and whether its total may be told.

    What the store no longer shows the viewer is asked for again without, so that page and total
    are the same as if it were not in the index.
    """
    index = MessageIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    hidden, is_counted = _newly_hidden(store, viewer)
    for _ in range(MOST_ROUNDS):
        found = index.search(ast, scopes, before=below, limit=limit, without=hidden)
        readable = visibility.readable(store, viewer, found.ids)
        if len(readable) == len(found.ids):
            break
        hidden |= set(found.ids) - readable
    else:
        is_counted = False
    return found, [one for one in found.ids if one in readable], is_counted


def _find_kept(
    store: Store,
    viewer: Viewer,
    ast: Node,
    below: int | None,
    limit: int,
    keep: Callable[[Iterable[MessageId]], set[MessageId]],
) -> tuple[Found, list[MessageId], bool]:
    """As `_find`, of what `keep` keeps."""
    index = MessageIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    kept: list[MessageId] = []
    is_first = below is None
    while True:
        found = index.search(ast, scopes, before=below, limit=PER_PAGE)
        wanted = keep(found.ids)
        kept += [one for one in found.ids if one in wanted]
        is_all = len(found.ids) < PER_PAGE
        if is_all or len(kept) >= limit:
            is_counted = is_first and is_all and len(kept) < limit
            return replace(found, total=len(kept)), kept[:limit], is_counted
        below = found.sort_keys[-1]


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
    return tuple(
        Hit(
            rows[one],
            marks(rows[one].message.subject, query),
            snippet(texts.get(one, ""), query),
        )
        for one in ids
        if one in rows
    )
