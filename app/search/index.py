"""The two Tantivy indexes, of messages and of records: what is asked of them, and their files.

Every question takes the viewer's scopes, and every answer goes by date or by fixed points, so that
nothing that is shown depends on mail that the viewer may not see.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tantivy
from tantivy import FieldType, Order
from tantivy import Query as Engine

from app.errors import LetterbookError
from app.model import MessageId, RecordId
from app.search.compiler import Compiler, all_of, but_not
from app.search.ranking import Ranker, points_of
from app.search.reader import Damaged, Reader, engine_errors, open_index
from app.search.schema import MESSAGES, RECORDS, SCHEMAS
from app.search.tree import Node
from app.store.visibility import ViewerScopes

MOST_CANDIDATES = 100
MOST_RARE = 8
"""A word that so many visible records have in their names tells nothing."""

_MOST_IDS = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an answer, newest or best first: ids, sort keys, and the exact number of all hits.

    `is_partial`: the index is missing, damaged or being rebuilt, so mail may be absent.
    """

    ids: tuple[MessageId, ...] = ()
    sort_keys: tuple[int, ...] = ()
    total: int = 0
    is_partial: bool = False


class MessageIndex:
    """Answers which messages match, within the scopes of a viewer."""

    def __init__(self, directory: Path) -> None:
        self._reader = Reader(directory, MESSAGES)
        self._compiler = Compiler(SCHEMAS[MESSAGES]())
        self._ranker = Ranker(self._compiler.schema)

    @staticmethod
    @cache
    def open(directory: Path) -> "MessageIndex":
        """The index of a data directory's `index/`; one per process, read when first asked."""
        return MessageIndex(directory)

    def search(
        self,
        ast: Node,
        scopes: ViewerScopes,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        without: Collection[MessageId] = (),
        within: Collection[MessageId] | None = None,
    ) -> Found:
        """The newest `limit` hits whose sort key is below `before`, and the number of all hits.

        With `after` the oldest ones above it. `without` are ids that count as absent, `within` the
        only ones that count if given. Never raises on a missing or damaged index: the
        answer is empty and `is_partial`.
        """
        compiled = self._compiled(ast, scopes, without, within)
        page = compiled
        if before is not None:
            page = all_of([compiled, self._compiler.between(None, before)])
        if after is not None:
            page = all_of([compiled, self._compiler.between(after + 1, None)])
        return self._answered(
            lambda searcher: self._page(searcher, compiled, page, limit, is_newer=after is not None)
        )

    def rank(
        self,
        ast: Node,
        scopes: ViewerScopes,
        *,
        limit: int,
        without: Collection[MessageId] = (),
    ) -> Found:
        """The `limit` best hits, or a few less, best first, and the number of all hits.

        A longer answer begins with the shorter one. Otherwise as `search`.
        """
        scored = self._ranker.scored(self._compiled(ast, scopes, without, None), ast)
        return self._answered(lambda searcher: self._ranked(searcher, scored, limit))

    def _answered(self, ask: Callable[[tantivy.Searcher], Found]) -> Found:
        try:
            searcher = self._reader.searcher()
            with engine_errors():
                return ask(searcher)
        except LetterbookError as exc:
            self._reader.note(exc)
            return Found(is_partial=True)

    def _compiled(
        self,
        ast: Node,
        scopes: ViewerScopes,
        without: Collection[MessageId],
        within: Collection[MessageId] | None,
    ) -> Engine:
        compiler = self._compiler.of_viewer(scopes)
        compiled = all_of([compiler.query(ast), compiler.scopes(scopes)])
        if without:
            compiled = but_not(compiled, self._compiler.held("message_id", without))
        if within is not None:
            compiled = all_of([compiled, self._compiler.held("message_id", within)])
        return compiled

    def _ranked(
        self, searcher: tantivy.Searcher, scored: Engine, limit: int, *, fetched: int = 0
    ) -> Found:
        """The engine leaves ties in the order of its files; those that it cut are left out."""
        fetched = fetched or limit
        result = searcher.search(scored, fetched, count=True, weight_by_field="recency")
        hits, total = result.hits, _count(result)
        if total > len(hits):
            worst = hits[-1][0]
            tied = [hit for hit in hits if hit[0] == worst]
            if len(tied) == len(hits):
                return self._ranked(searcher, scored, limit, fetched=fetched * 4)
            hits = hits[: -len(tied)]
        addresses = [address for _, address in hits]
        ids = searcher.fast_field_values("message_id", addresses)
        keys = searcher.fast_field_values("sort_key", addresses)
        rows = sorted(
            (
                (points_of(score), int(key or 0), MessageId(int(message_id or 0)))
                for (score, _), key, message_id in zip(hits, keys, ids, strict=True)
            ),
            reverse=True,
        )[:limit]
        return Found(
            tuple(message_id for _, _, message_id in rows),
            tuple(key for _, key, _ in rows),
            total,
            self._reader.is_partial,
        )

    def _page(
        self,
        searcher: tantivy.Searcher,
        compiled: Engine,
        page: Engine,
        limit: int,
        *,
        is_newer: bool,
    ) -> Found:
        is_first = page is compiled
        order = Order.Asc if is_newer else Order.Desc
        result = searcher.search(
            page, limit, count=is_first, order_by_field="sort_key", order=order
        )
        counted = result if is_first else searcher.search(compiled, 1, order_by_field="sort_key")
        hits = result.hits[::-1] if is_newer else result.hits
        values = searcher.fast_field_values("message_id", [address for _, address in hits])
        return Found(
            tuple(MessageId(int(value or 0)) for value in values),
            tuple(int(key) for key, _ in hits),
            _count(counted),
            self._reader.is_partial,
        )


class RecordIndex:
    """Answers which records bear a name, an address or a domain, within a viewer's scopes."""

    def __init__(self, directory: Path) -> None:
        self._reader = Reader(directory, RECORDS)
        self._compiler = Compiler(SCHEMAS[RECORDS]())

    @staticmethod
    @cache
    def open(directory: Path) -> "RecordIndex":
        """The index of a data directory's `index/`; one per process, read when first asked."""
        return RecordIndex(directory)

    def candidates(
        self,
        scopes: ViewerScopes,
        *,
        names: Collection[str] = (),
        addresses: Collection[str] = (),
        domains: Collection[str] = (),
    ) -> list[RecordId]:
        """Records with one of the name keys, addresses or domains, `MOST_CANDIDATES` of each kind.

        Empty where the index cannot be read.
        """
        # Long names apart, so that many records called by one common word do not crowd them out.
        long = [name for name in names if " " in name]
        short = [name for name in names if " " not in name]
        asked = (("name", long), ("name", short), ("address", addresses), ("domain", domains))
        found: dict[RecordId, None] = {}
        try:
            searcher = self._reader.searcher()
            for field, values in asked:
                found.update(dict.fromkeys(self._holders(searcher, scopes, field, values)))
        except LetterbookError as exc:
            self._reader.note(exc)
        return list(found)

    def rare_parts(self, scopes: ViewerScopes, parts: Collection[str]) -> dict[str, list[RecordId]]:
        """Those of the words that a few records have in a longer name, with these records.

        Absent are words that no record has, or that `MOST_RARE` have.
        """
        found: dict[str, list[RecordId]] = {}
        try:
            searcher = self._reader.searcher()
            for part in parts:
                ids = self._holders(searcher, scopes, "part", [part], most=MOST_RARE)
                if 0 < len(ids) < MOST_RARE:
                    found[part] = ids
        except LetterbookError as exc:
            self._reader.note(exc)
        return found

    def _holders(
        self,
        searcher: tantivy.Searcher,
        scopes: ViewerScopes,
        field: str,
        values: Collection[str],
        *,
        most: int = MOST_CANDIDATES,
    ) -> list[RecordId]:
        if not values:
            return []
        held = self._compiler.held
        query = all_of([held("scope", scopes.record), held(field, values)])
        with engine_errors():
            hits = searcher.search(query, most, count=False, order_by_field="record_id").hits
        return [RecordId(int(record_id)) for record_id, _ in hits]


def count_messages(directory: Path) -> int:
    """How many messages the index of a data directory holds; 0 where it cannot be read."""
    try:
        return open_index(directory / "index" / MESSAGES, MESSAGES).searcher().num_docs
    except Damaged:
        return 0


def message_ids(directory: Path, first: MessageId, last: MessageId) -> list[MessageId]:
    """The ids from `first` to `last` that the index holds now, 20,000 at most.

    None where it cannot be read.
    """
    try:
        searcher = open_index(directory / "index" / MESSAGES, MESSAGES).searcher()
        with engine_errors():
            between = Engine.range_query(
                SCHEMAS[MESSAGES](), "message_id", FieldType.Integer, first, last
            )
            hits = searcher.search(
                between, min(searcher.num_docs, last - first + 1, _MOST_IDS) + 1, count=False
            ).hits
            values = searcher.fast_field_values("message_id", [address for _, address in hits])
    except Damaged:
        return []
    return [MessageId(int(value or 0)) for value in values]


def _count(result: tantivy.SearchResult) -> int:
    """The exact number of hits, which the engine's type stub does not know."""
    count: int = result.count  # type: ignore[attr-defined]
    return count
