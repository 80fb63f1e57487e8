"""How well a message answers a query: fixed points for each word and where it stands, no more.

How rare a word is does not count: that would tell of mail that the viewer may not see. What matches
is decided by the compiler alone; these are clauses beside it that only give points.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import tantivy
from tantivy import Occur
from tantivy import Query as Engine

from app.search.analysis import joined
from app.search.schema import PEOPLE, TEXT
from app.search.tree import And, Field, Node, Or, Phrase, Prefix, Term

EXACT = dict.fromkeys(PEOPLE, 10) | {
    "subject": 12,
    "filename": 8,
    "body": 7,
    "attachment": 5,
    "quoted": 3,
}
"""Points of a word as it is typed, by where it stands; the best place counts."""

STEM = {"subject": 10, "body": 6, "attachment": 4, "quoted": 2}
"""Points of another inflection of it."""

IN_A_ROW = {"subject": 4, "body": 3}
NEAR = {"body": 2}
"""Points of two words that are typed one after the other and stand so, or near each other."""

_WHERE: dict[str, Sequence[str]] = {"with": PEOPLE, "body": ("body", "quoted")}

NEAR_SLOP = 10
MOST_WORDS = 12
MOST_PAIRS = 4
"""So many words and pairs are given points for; more decide only what matches."""


def points_of(score: float) -> int:
    """The points without what `recency` added."""
    return int(score + 1e-3)


class Ranker:
    """Gives points for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self.schema = schema

    def scored(self, matching: Engine, node: Node) -> Engine:
        """What `matching` finds, with the points that the words of `node` give."""
        leaves = list(_leaves(node, tuple(EXACT)))[:MOST_WORDS]
        clauses = [self._leaf(leaf, fields) for leaf, fields in leaves]
        for first, second in list(_pairs(node))[:MOST_PAIRS]:
            clauses.append(self._pair((first, second)))
        optional = [(Occur.Should, clause) for clause in clauses]
        return Engine.boolean_query(
            [(Occur.Must, Engine.const_score_query(matching, 1.0)), *optional]
        )

    def _leaf(self, leaf: Term | Phrase | Prefix, fields: Sequence[str]) -> Engine:
        return _best(one for name in fields if name in EXACT for one in self._in_field(leaf, name))

    def _in_field(self, leaf: Term | Phrase | Prefix, name: str) -> Iterator[Engine]:
        match leaf:
            case Term(word=word, stems=stems):
                yield _points(self._word(name, word), EXACT[name])
                if name in TEXT and stems:
                    forms = [self._word(name, one) for one in stems if one != word]
                    forms += [self._word(f"{name}_stem", one) for one in stems]
                    yield from (_points(form, STEM[name]) for form in forms)
            case Phrase(words=row):
                yield _points(self._row(name, row), EXACT[name])
                if name in TEXT and (number := joined(row)):
                    yield _points(self._word(name, number), EXACT[name])
                    yield _points(self._word(f"{name}_stem", number), EXACT[name])
            case Prefix(start=start):
                prefix = Engine.fuzzy_term_query(self.schema, name, start, distance=0, prefix=True)
                yield _points(prefix, EXACT[name])

    def _pair(self, pair: Sequence[str]) -> Engine:
        rows = [_points(self._row(name, pair), points) for name, points in IN_A_ROW.items()]
        near = [_points(self._row(name, pair, NEAR_SLOP), points) for name, points in NEAR.items()]
        return _best([*rows, *near])

    def _word(self, name: str, word: str) -> Engine:
        return Engine.term_query(self.schema, name, word, "basic")

    def _row(self, name: str, row: Sequence[str], slop: int = 0) -> Engine:
        words = list[str | tuple[int, str]](row)
        return Engine.phrase_query(self.schema, name, words, slop=slop)


def _points(query: Engine, points: int) -> Engine:
    return Engine.const_score_query(query, float(points))


def _best(queries: Iterable[Engine]) -> Engine:
    return Engine.disjunction_max_query(list(queries))


def _leaves(
    node: Node, fields: Sequence[str]
) -> Iterator[tuple[Term | Phrase | Prefix, Sequence[str]]]:
    """The words that are wanted, each with the fields it is looked for in."""
    match node:
        case And(nodes=nodes) | Or(nodes=nodes):
            for one in nodes:
                yield from _leaves(one, fields)
        case Field(name=name, node=inner):
            yield from _leaves(inner, _WHERE.get(name, (name,)))
        case Term() | Phrase() | Prefix():
            yield node, fields
        case _:
            return


def _pairs(node: Node) -> Iterator[tuple[str, str]]:
    """Words that were typed one after the other."""
    row = node.nodes if isinstance(node, And) else ()
    for first, second in pairwise(row):
        if isinstance(first, Term) and isinstance(second, Term):
            yield first.word, second.word
