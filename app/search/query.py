"""What a person typed, as a tree of our own, with a sentence that says what was understood.

Never raises: what is unknown or unbalanced is plain text, and a note says so. The limits hold
before the engine sees anything.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from app.search.analysis import RUN, asked_stems, words
from app.search.kinds import asked_kind
from app.search.periods import moment_before, period
from app.search.tokens import AGES, DATES, LONGEST_QUERY, SIZES, Caret, Notes, Token, cleaned
from app.search.tokens import tokens as tokens_of
from app.search.tree import (
    FIELD_NAMES,
    And,
    Field,
    Flag,
    Kind,
    Node,
    Not,
    Or,
    Own,
    Phrase,
    Prefix,
    Range,
    Size,
    Term,
    said,
    sentence,
)

__all__ = ["LONGEST_QUERY", "Chip", "Needles", "Query", "joined", "parse", "without"]

MOST_TERMS = 32
SHORTEST_PREFIX = 3

_FLAGS = {
    ("has", "attachment"): Flag("has_attachment"),
    ("has", "attachments"): Flag("has_attachment"),
    ("in", "archive"): Flag("is_archived"),
    ("in", "archives"): Flag("is_archived"),
}
_OWN_VALUES = {"in": ("queue",), "is": ("unread", "read")}
_SIZE = re.compile(r"(\d{1,12})(?:\.(\d{1,3}))?\s*([kmg]?)i?b?\Z", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_EXAMPLES = dict.fromkeys(DATES, "2025, 2025-03, 2025-03-14, today, yesterday, last week") | {
    "has": "attachment",
    "in": "queue, archive",
    "is": "unread, read",
    "type": "pdf, image, doc, sheet",
}
_EXAMPLES |= dict.fromkeys(AGES, "3d, 2w, 6m, 1y") | dict.fromkeys(SIZES, "500k, 5M, 1G")


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
class Chip:
    """A part of a query that must hold beside the others: its words, and where it was typed."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """`ast` is None where there is nothing to look for; `terms` are to be marked in the hits.

    `carets` are those notes that point at a place of the line, `chips` its parts in order;
    `parts` are their trees.
    """

    ast: Node | None
    understood: str
    notes: tuple[str, ...] = ()
    terms: Needles = field(default_factory=Needles)
    chips: tuple[Chip, ...] = ()
    parts: tuple[Node, ...] = field(default=(), repr=False)
    carets: tuple[Caret, ...] = ()


def parse(text: str, *, zone: tzinfo = UTC, now: datetime | None = None) -> Query:
    """The query in a line that a person typed; dates are days in `zone`, seen from `now`."""
    notes = Notes()
    parser = _Parser(tokens_of(cleaned(text), notes), notes, zone, now or datetime.now(UTC))
    parts = parser.parts()
    carets = tuple(notes.carets)
    if not parts:
        return Query(None, "", tuple(notes.said), carets=carets)
    nodes = tuple(node for node, _ in parts)
    ast = joined(nodes)
    chips = tuple(Chip(said(node), *span) for node, span in parts)
    return Query(ast, sentence(ast), tuple(notes.said), needles(ast), chips, nodes, carets)


def without(text: str, chip: Chip) -> str:
    """The typed line without one of its parts."""
    return f"{text[: chip.start].rstrip()} {text[chip.end :].lstrip()}".strip()


def joined(parts: tuple[Node, ...]) -> Node:
    """The tree of parts that must all hold; one at least."""
    return And(parts) if len(parts) > 1 else parts[0]


class _Parser:
    """Recursive descent over balanced tokens, as deep as the parentheses at most."""

    def __init__(self, tokens: list[Token], notes: Notes, zone: tzinfo, now: datetime) -> None:
        self.tokens = tokens
        self.notes = notes
        self.zone = zone
        self.now = now
        self.at = 0
        self.terms = 0

    def parts(self) -> list[tuple[Node, tuple[int, int]]]:
        """The parts that must all hold, and where each was typed."""
        found: list[tuple[Node, tuple[int, int]]] = []
        while self._kind() not in ("", ")"):
            first = self.tokens[self.at]
            node = self._any()
            if node is not None:
                found.append((node, (first.start, self.tokens[self.at - 1].end)))
        return found

    def _kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def _take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _any(self) -> Node | None:
        nodes = [self._one()] if self._kind() != "or" else []
        while self._kind() == "or":
            place = self._take().start
            if self._kind() in ("", ")", "or") or not nodes:
                note = "OR stands between two words; one that does not was left out."
                self.notes.add(note, place)
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
            nodes = [node for node, _ in self.parts()]
            self._take()
            return _joined(And, nodes)
        if token.kind == "field":
            return self._field(token)
        return self._leaf(token)

    def _field(self, token: Token) -> Node | None:
        name = token.text
        if self._kind() not in ("word", "quoted", "("):
            note = f"Nothing stands after “{name}:”, so it was searched for as a word."
            self.notes.add(note, token.start)
            return self._leaf(token)
        if name in FIELD_NAMES:
            return self._in_field(name)
        is_group = self._kind() == "("
        value = "(" if is_group else self.tokens[self.at].text
        node = None if is_group else self._valued(name, value.strip(), token.start)
        if node is None:
            help_ = f" It takes {_EXAMPLES[name]}." if name in _EXAMPLES else ""
            note = f"“{name}:{value}” was not understood; it was searched for as text.{help_}"
            self.notes.add(note, token.start)
            return self._leaf(token)
        self._take()
        return node

    def _in_field(self, name: str) -> Node | None:
        inner = self._plain()
        known = next(one for one in FIELD_NAMES if one == name)
        return Field(known, inner) if inner is not None else None

    def _valued(self, name: str, value: str, at: int) -> Node | None:
        """The part that an operator with a value of its own stands for; None: not understood."""
        if name in DATES:
            return self._dates(name, value)
        if name in AGES:
            moment = moment_before(value, zone=self.zone, now=self.now)
            if moment is None:
                return None
            return Range(None, moment) if name == "older_than" else Range(moment, None)
        if name in SIZES:
            return _size(name, value)
        if name == "type":
            kind = asked_kind(value)
            return Kind(kind) if kind else None
        return _FLAGS.get((name, value.lower())) or _own(name, value, at)

    def _dates(self, name: str, value: str) -> Node | None:
        found = period(value, zone=self.zone, now=self.now)
        if found is None:
            return None
        start, end = found
        if name == "before":
            return Range(None, start)
        return Range(start, None if name == "after" else end)

    def _leaf(self, token: Token) -> Node | None:
        node = _quoted(token) if token.kind == "quoted" else self._word(token)
        if node is None:
            return None
        self.terms += len(node.words) if isinstance(node, Phrase) else 1
        if self.terms > MOST_TERMS:
            self.notes.add(f"Only the first {MOST_TERMS} words were searched for.", token.start)
            return None
        return node

    def _word(self, token: Token) -> Term | Phrase | Prefix | None:
        text = token.text
        found = words(text)
        if text.endswith("*") and len(found) == 1:
            if len(found[0]) >= SHORTEST_PREFIX:
                return Prefix(found[0], text)
            note = f"A word with * needs {SHORTEST_PREFIX} letters before it."
            self.notes.add(note, token.start)
        if len(found) > 1:
            _, at, host = text.rpartition("@")
            return Phrase(tuple(found), text, is_open=bool(at and host.isalnum()))
        stems = frozenset().union(*(asked_stems(run) for run in RUN.findall(text)))
        return Term(found[0], stems, text) if found else None


def _joined(kind: type[And] | type[Or], nodes: list[Node]) -> Node | None:
    if len(nodes) > 1:
        return kind(tuple(nodes))
    return nodes[0] if nodes else None


def _quoted(token: Token) -> Term | Phrase | None:
    found, written = words(token.text), f'"{token.text.strip()}"'
    if len(found) > 1:
        near = f"~{token.slop}" if token.slop else ""
        return Phrase(tuple(found), written + near, token.slop)
    return Term(found[0], written=written) if found else None


def _size(name: str, value: str) -> Size | None:
    match = _SIZE.match(value)
    if match is None:
        return None
    whole, part, unit = match.groups()
    number = int(float(f"{whole}.{part or 0}") * _UNITS[unit.lower()])
    written = f"{whole}{f'.{part}' if part else ''} {unit.upper()}B".replace(" KB", " kB")
    return Size(number, None, written) if name == "larger" else Size(None, number, written)


def _own(name: str, value: str, at: int) -> Node | None:
    if name in _OWN_VALUES:
        value = value.lower()
        if value not in _OWN_VALUES[name]:
            return None
        if value == "read":
            return Not(Own("is", "unread", at))
        return Own("in", value, at) if name == "in" else Own("is", value, at)
    match name:
        case "account" | "mailbox":
            return Own("account", value, at) if value else None
        case "folder" | "attached" | "type-of-record" | "thread":
            value = "none" if name == "attached" and value.lower() == "none" else value
            return Own(name, value, at) if value else None
    return None


def needles(node: Node) -> Needles:
    """What a hit's text can show of a query."""
    return needles_of(_wanted(node))


def needles_of(wanted: Iterable[Node]) -> Needles:
    """What marks these words, rows and beginnings in a text."""
    leaves = list(wanted)
    terms = [leaf for leaf in leaves if isinstance(leaf, Term)]
    return Needles(
        frozenset(term.word for term in terms),
        frozenset().union(*(term.stems for term in terms)),
        tuple(leaf.start for leaf in leaves if isinstance(leaf, Prefix)),
        tuple(leaf.words for leaf in leaves if isinstance(leaf, Phrase) and not leaf.slop),
    )


def _wanted(node: Node) -> Iterator[Node]:
    """The leaves that a hit's text or subject may hold: not the excluded ones, not people."""
    match node:
        case And(nodes=nodes) | Or(nodes=nodes):
            for one in nodes:
                yield from _wanted(one)
        case Field(name="subject" | "body" | "attachment", node=inner):
            yield from _wanted(inner)
        case Phrase(words=row, slop=slop) if slop:
            yield from (Term(word) for word in row)
        case Term() | Phrase() | Prefix():
            yield node
        case _:
            return
