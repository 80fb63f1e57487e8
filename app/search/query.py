"""What a person typed, as a tree of our own, with a sentence that says what was understood.

Never raises: what is unknown or unbalanced is plain text, and a note says so. The limits hold
before the engine sees anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

from app.search.analysis import RUN, asked_stems, words
from app.search.tree import (
    FIELD_NAMES,
    And,
    Field,
    Flag,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    sentence,
)

LONGEST_QUERY = 512
MOST_TERMS = 32
DEEPEST = 8
SHORTEST_PREFIX = 3

_DATES = frozenset(("before", "after", "on"))
_FLAGS = {
    ("has", "attachment"): Flag("has_attachment"),
    ("has", "attachments"): Flag("has_attachment"),
    ("in", "archive"): Flag("is_archived"),
}
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Needles:
    """What is to be marked in a text: folded words, stems, starts of words, rows of words."""

    words: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.stems or self.starts or self.phrases)


@dataclass(frozen=True, slots=True)
class Query:
    """`ast` is None where there is nothing to look for; `terms` are to be marked in the hits."""

    ast: Node | None
    understood: str
    notes: tuple[str, ...] = ()
    terms: Needles = field(default_factory=Needles)


@dataclass(slots=True)
class _Token:
    kind: Literal["word", "quoted", "field", "or", "not", "(", ")"]
    text: str = ""


def parse(text: str, *, zone: tzinfo = UTC) -> Query:
    """The query in a line that a person typed; dates are days in `zone`."""
    notes: list[str] = []
    if len(text) > LONGEST_QUERY:
        text = text[:LONGEST_QUERY]
        _note(notes, f"Only the first {LONGEST_QUERY} characters were searched for.")
    tokens = _balanced(list(_tokens(text, notes)), notes)
    ast = _Parser(tokens, notes, zone).read()
    if ast is None:
        return Query(None, "", tuple(notes))
    return Query(ast, sentence(ast), tuple(notes), _needles(ast))


def _note(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)


# -- tokens

_QUOTES = str.maketrans(dict.fromkeys("„”“«»", '"'))
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<paren>[()])
    |"(?P<quoted>[^"]*)"
    |(?P<stray>")
    |(?P<minus>-)(?=[^\s)-])
    |(?P<field>{"|".join((*FIELD_NAMES, *sorted(_DATES), "has", "in"))}):(?=\s*[^\s)])
    |(?P<word>[^\s()"]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_UNKNOWN_OPERATOR = re.compile(r"([A-Za-z_]+):(?!//)[^:]")


def _tokens(text: str, notes: list[str]) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text.translate(_QUOTES)):
        kind, value = match.lastgroup, match.group(match.lastgroup or 0)
        if kind == "paren":
            yield _Token("(" if value == "(" else ")")
        elif kind == "quoted":
            yield _Token("quoted", value)
        elif kind == "stray":
            _note(notes, "A quotation mark without its partner was left out.")
        elif kind == "minus":
            yield _Token("not")
        elif kind == "field":
            yield _Token("field", value.lower())
        elif value == "OR":
            yield _Token("or")
        else:
            unknown = _UNKNOWN_OPERATOR.match(value)
            if unknown:
                name = unknown.group(1)
                _note(notes, f"“{name}:” is not an operator here; it was searched for as text.")
            yield _Token("word", value)


def _balanced(tokens: list[_Token], notes: list[str]) -> list[_Token]:
    """The tokens without the parentheses that have no partner or stand too deep."""
    dropped: set[int] = set()
    open_at: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind == "(":
            open_at.append(index)
        elif token.kind == ")" and open_at:
            if len(open_at) > DEEPEST:
                dropped.update((open_at[-1], index))
                _note(notes, f"Parentheses more than {DEEPEST} deep were left out.")
            open_at.pop()
        elif token.kind == ")":
            dropped.add(index)
            _note(notes, "A parenthesis without its partner was left out.")
    if open_at:
        dropped.update(open_at)
        _note(notes, "A parenthesis without its partner was left out.")
    return [token for index, token in enumerate(tokens) if index not in dropped]


# -- the tree


class _Parser:
    """Recursive descent over balanced tokens; as deep as the parentheses, so `DEEPEST` at most."""

    def __init__(self, tokens: list[_Token], notes: list[str], zone: tzinfo) -> None:
        self.tokens = tokens
        self.notes = notes
        self.zone = zone
        self.at = 0
        self.terms = 0

    def read(self) -> Node | None:
        return self._all()

    def _kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def _take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _all(self) -> Node | None:
        nodes: list[Node] = []
        while self._kind() not in ("", ")"):
            node = self._any()
            if node is not None:
                nodes.append(node)
        return _joined(And, nodes)

    def _any(self) -> Node | None:
        nodes = [self._one()] if self._kind() != "or" else []
        while self._kind() == "or":
            self._take()
            if self._kind() in ("", ")", "or") or not nodes:
                _note(self.notes, "OR stands between two words; one that does not was left out.")
            else:
                nodes.append(self._one())
        return _joined(Or, [node for node in nodes if node is not None])

    def _one(self) -> Node | None:
        if self._kind() == "not":
            self._take()
            node = self._one() if self._kind() not in ("", ")", "or", "not") else None
            return Not(node) if node is not None else None
        return self._plain()

    def _plain(self) -> Node | None:
        token = self._take()
        if token.kind == "(":
            node = self._all()
            self._take()
            return node
        if token.kind == "field":
            return self._field(token.text)
        return self._leaf(token)

    def _field(self, name: str) -> Node | None:
        if self._kind() not in ("word", "quoted", "("):
            return self._leaf(_Token("word", name))
        if name in FIELD_NAMES:
            inner = self._plain()
            return Field(name, inner) if inner is not None else None
        value = "(" if self._kind() == "(" else self.tokens[self.at].text
        node = self._dates(name, value) if name in _DATES else _FLAGS.get((name, value.lower()))
        if node is None:
            _note(self.notes, f"“{name}:{value}” was not understood; it was searched for as text.")
            return self._leaf(_Token("word", name))
        self._take()
        return node

    def _dates(self, name: str, value: str) -> Node | None:
        period = _period(value, self.zone)
        if period is None:
            return None
        start, end = period
        if name == "before":
            return Range(None, start)
        return Range(start, None if name == "after" else end)

    def _leaf(self, token: _Token) -> Node | None:
        node = _quoted(token.text) if token.kind == "quoted" else self._word(token.text)
        if node is None:
            return None
        self.terms += len(node.words) if isinstance(node, Phrase) else 1
        if self.terms > MOST_TERMS:
            _note(self.notes, f"Only the first {MOST_TERMS} words were searched for.")
            return None
        return node

    def _word(self, text: str) -> Term | Phrase | Prefix | None:
        found = words(text)
        if text.endswith("*") and len(found) == 1:
            if len(found[0]) >= SHORTEST_PREFIX:
                return Prefix(found[0], text)
            note = f"A word with * needs {SHORTEST_PREFIX} letters before it."
            _note(self.notes, note)
        if len(found) > 1:
            return Phrase(tuple(found), text)
        stems = frozenset().union(*(asked_stems(run) for run in RUN.findall(text)))
        return Term(found[0], stems, text) if found else None


def _joined(kind: type[And] | type[Or], nodes: list[Node]) -> Node | None:
    if len(nodes) > 1:
        return kind(tuple(nodes))
    return nodes[0] if nodes else None


def _quoted(text: str) -> Term | Phrase | None:
    found, written = words(text), f'"{text.strip()}"'
    if len(found) > 1:
        return Phrase(tuple(found), written)
    return Term(found[0], written=written) if found else None


def _period(value: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The first moments of a year, month or day, and of the next one."""
    match = _DATE.match(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        start = datetime(year, month or 1, day or 1, tzinfo=zone)
        if day:
            later = date(year, month, day) + timedelta(days=1)
        else:
            later = date(year + (month in (0, 12)), month % 12 + 1 if month else 1, 1)
        return start, datetime(later.year, later.month, later.day, tzinfo=zone)
    except (ValueError, OverflowError):
        return None


def _needles(node: Node) -> Needles:
    leaves = list(_wanted(node))
    terms = [leaf for leaf in leaves if isinstance(leaf, Term)]
    return Needles(
        frozenset(term.word for term in terms),
        frozenset().union(*(term.stems for term in terms)),
        tuple(leaf.start for leaf in leaves if isinstance(leaf, Prefix)),
        tuple(leaf.words for leaf in leaves if isinstance(leaf, Phrase)),
    )


def _wanted(node: Node) -> Iterator[Node]:
    """The leaves that a hit's text or subject may hold: not the excluded ones, not people."""
    match node:
        case And(nodes=nodes) | Or(nodes=nodes):
            for one in nodes:
                yield from _wanted(one)
        case Field(name="subject", node=inner):
            yield from _wanted(inner)
        case Term() | Phrase() | Prefix():
            yield node
        case _:
            return
