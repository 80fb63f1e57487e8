"""From our tree to Tantivy's query objects; no engine syntax is ever passed through."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import tantivy
from tantivy import FieldType, Occur
from tantivy import Query as Engine

from app.search.analysis import joined
from app.search.schema import BCC, EVERYWHERE, ID_BITS, MOST_SECONDS, PEOPLE, TEXT
from app.search.tree import (
    And,
    Field,
    Flag,
    Held,
    Ids,
    Kind,
    Near,
    Node,
    Not,
    Or,
    Own,
    Phrase,
    Prefix,
    Range,
    Size,
    Term,
)
from app.store.visibility import ViewerScopes

SHORTEST_PART = 3
"""Names and addresses are found in part from three letters on."""

FEWEST_GROUPS = 3
"""So many groups of digits in a row are a telephone or an account, fewer just numbers."""

FEW = 8
"""Up to so many values are asked for one by one, which is faster than as a set."""

ANYWHERE = (*EVERYWHERE, BCC)
_FIELDS: dict[str, tuple[str, ...]] = {name: (name,) for name in ANYWHERE} | {
    "with": (*PEOPLE, BCC),
    "body": ("body", "quoted"),
}


class Compiler:
    """Compiles trees and scopes for one schema. Scores are never asked for: answers go by date.

    `accounts` are the numbers of the mailboxes whose Bcc may be looked into.
    """

    def __init__(self, schema: tantivy.Schema, accounts: Sequence[str] = ()) -> None:
        self.schema = schema
        self.accounts = accounts

    def of_viewer(self, viewer: ViewerScopes) -> "Compiler":
        """One that looks into the Bcc of the viewer's mailboxes as well."""
        parts = [one.partition(":") for one in sorted(viewer.account)]
        return Compiler(self.schema, [number for kind, _, number in parts if kind == "account"])

    def query(self, node: Node, fields: tuple[str, ...] = ANYWHERE) -> Engine:
        match node:
            case And(nodes=nodes):
                every = all_of([self.query(one, fields) for one in nodes])
                return any_of([every, *self._number(_groups(nodes), fields)])
            case Or(nodes=nodes):
                return any_of([self.query(one, fields) for one in nodes])
            case Not(node=inner):
                return but_not(Engine.all_query(), self.query(inner, fields))
            case Field(name=name, node=inner):
                return self.query(inner, _FIELDS[name])
            case Term():
                return any_of([one for name in fields for one in self._term(node, name, fields)])
            case Phrase():
                rows = [one for name in fields for one in self._row(node, name, fields)]
                return any_of(rows + self._number(node.words, fields))
            case Prefix(start=start):
                return any_of([self._prefix(name, start) for name in fields])
            case Near(word=word, distance=distance):
                return any_of(
                    [
                        Engine.fuzzy_term_query(self.schema, name, word, distance=distance)
                        for name in fields
                        if name in EVERYWHERE
                    ]
                )
            case _:
                return self._fact(node)

    def _fact(self, node: Range | Size | Kind | Flag | Held | Ids | Own) -> Engine:
        match node:
            case Range(start=start, end=end):
                return self.between(_bound(start), _bound(end))
            case Flag(name=flag):
                return Engine.term_query(self.schema, flag, field_value=True)
            case Size(above=above, below=below):
                return self._sized(above, below)
            case Kind(name=kind):
                return self.held("fact", [f"type:{kind}"])
            case Held(tokens=tokens, name=name):
                return self.held(name, sorted(tokens))
            case Ids(ids=ids):
                return self.held("message_id", sorted(ids))
            case Own():
                return Engine.empty_query()

    def between(self, start: int | None, end: int | None) -> Engine:
        """Sort keys from `start` on and below `end`."""
        last = None if end is None else end - 1
        return Engine.range_query(self.schema, "sort_key", FieldType.Integer, start, last)

    def scopes(self, viewer: ViewerScopes) -> Engine:
        by_record = all_of(
            [self.held("record_scope", viewer.record), self.held("role_scope", viewer.role)]
        )
        return any_of([self.held("account_scope", viewer.account), by_record])

    def held(self, name: str, values: Iterable[str | int]) -> Engine:
        """Documents with at least one of the values; none if there are no values."""
        wanted = list(values)
        if len(wanted) > FEW:
            return Engine.term_set_query(self.schema, name, wanted)
        if not wanted:
            return Engine.empty_query()
        return any_of([Engine.term_query(self.schema, name, one, "basic") for one in wanted])

    def _term(self, term: Term, name: str, fields: tuple[str, ...]) -> list[Engine]:
        if name in TEXT and term.stems:
            exact = {term.word, *term.stems}
            return [self.held(name, exact), self.held(f"{name}_stem", term.stems)]
        is_in_part = fields is not ANYWHERE and len(term.word) >= SHORTEST_PART
        if name in (*PEOPLE, BCC) and is_in_part:
            return [self._prefix(name, term.word)]
        return [self.held(name, [row[0] for row in self._written(name, (term.word,))])]

    def _number(self, row: Iterable[str], fields: tuple[str, ...]) -> list[Engine]:
        """A number that was typed with other punctuation or blanks than it is written with."""
        number = joined(row)
        names = [name for name in fields if name in TEXT] if number else []
        return [self.held(one, [number]) for name in names for one in (name, f"{name}_stem")]

    def _row(self, phrase: Phrase, name: str, fields: tuple[str, ...]) -> list[Engine]:
        is_open = phrase.is_open and name in (*PEOPLE, BCC) and fields is not ANYWHERE
        if is_open and len(phrase.words[-1]) >= SHORTEST_PART:
            first, last = phrase.words[:-1], phrase.words[-1]
            before = self._row(Phrase(first), name, fields)
            return [all_of([any_of(before), self._prefix(name, last)])]
        found = []
        for row in self._written(name, phrase.words):
            if len(row) > 1:
                words = list[str | tuple[int, str]](row)
                found.append(Engine.phrase_query(self.schema, name, words, slop=phrase.slop))
            else:
                found.append(self.held(name, row))
        return found

    def _sized(self, above: int | None, below: int | None) -> Engine:
        least = None if above is None else above + 1
        most = None if below is None else below - 1
        return Engine.range_query(self.schema, "size", FieldType.Integer, least, most)

    def _prefix(self, name: str, start: str) -> Engine:
        return any_of(
            [
                Engine.fuzzy_term_query(self.schema, name, row[0], distance=0, prefix=True)
                for row in self._written(name, (start,))
            ]
        )

    def _written(self, name: str, row: tuple[str, ...]) -> list[list[str]]:
        """Words in a row as the field has them: those of Bcc once for each mailbox."""
        if name != BCC:
            return [list(row)]
        return [[f"{account}:{word}" for word in row] for account in self.accounts]


def all_of(queries: Sequence[Engine]) -> Engine:
    return Engine.boolean_query([(Occur.Must, query) for query in queries])


def any_of(queries: Sequence[Engine]) -> Engine:
    if not queries:
        return Engine.empty_query()
    if len(queries) == 1:
        return queries[0]
    return Engine.boolean_query([(Occur.Should, query) for query in queries])


def but_not(query: Engine, excluded: Engine) -> Engine:
    return Engine.boolean_query([(Occur.Must, query), (Occur.MustNot, excluded)])


def _groups(nodes: Sequence[Node]) -> list[str]:
    """The words of a query that is one number with blanks in it: "22 555 01 10"; else nothing."""
    row = [one.word for one in nodes if isinstance(one, Term) and not one.word.isalpha()]
    return row if FEWEST_GROUPS <= len(row) == len(nodes) else []


def _bound(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return max(-MOST_SECONDS, min(MOST_SECONDS, int(moment.timestamp()))) << ID_BITS
