"""What to try when nothing was found: which part found nothing, and a near spelling.

Counted as every search is, of what the viewer may read, and only where nothing was found: a few
more searches. A near spelling is a word of mail that he may read.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from app.model import Viewer
from app.search import count, newest
from app.search.analysis import RUN, forms
from app.search.own import answerable
from app.search.query import Chip, parse, without
from app.search.tree import And, Field, Near, Node, Term
from app.store import messages, snippets
from app.store.database import Store

MOST_PARTS = 6
MOST_SPELLINGS = 2
MOST_READ = 20
LONGEST_READ = 16_384
SHORTEST_WORD = 4
_LONG_WORD = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a query: how much it finds alone, and the line without it with what that finds."""

    chip: Chip
    alone: int
    text: str
    total: int


@dataclass(frozen=True, slots=True)
class Spelling:
    """A line with another word in the place of one that is nowhere, and what that finds."""

    word: str
    text: str
    total: int


@dataclass(frozen=True, slots=True)
class Advice:
    """`parts` in the order they were typed, `MOST_PARTS` at most; empty where there is but one."""

    parts: tuple[Part, ...] = ()
    spellings: tuple[Spelling, ...] = ()


def advise(
    store: Store,
    viewer: Viewer,
    text: str,
    *,
    zone: tzinfo = UTC,
    now: datetime | None = None,
) -> Advice:
    """What else could be asked, after a typed line found nothing."""
    now = now or datetime.now(UTC)

    def total(*nodes: Node) -> int:
        return count(store, viewer, And(nodes)) if nodes else 0

    query = answerable(store, viewer, parse(text, zone=zone, now=now))
    parts: list[Part] = []
    spellings: list[Spelling] = []
    for number, (chip, node) in enumerate(zip(query.chips, query.parts, strict=True)):
        if number >= MOST_PARTS:
            break
        alone = total(node)
        others = query.parts[:number] + query.parts[number + 1 :]
        if others:
            parts.append(Part(chip, alone, without(text, chip), total(*others)))
        if not alone and len(spellings) < MOST_SPELLINGS:
            word = _near(store, viewer, node)
            found = total(*others, _with(node, word)) if word else 0
            if found:
                spellings.append(Spelling(word, _respelt(text, chip, node, word), found))
    return Advice(tuple(parts), tuple(spellings))


def _near(store: Store, viewer: Viewer, node: Node) -> str:
    """The nearest word, of equally near ones the commonest in the newest mail; "" for none."""
    term = node.node if isinstance(node, Field) else node
    if not isinstance(term, Term) or len(term.word) < SHORTEST_WORD:
        return ""
    most = 2 if len(term.word) >= _LONG_WORD else 1
    near: Node = Near(term.word, most)
    near = Field(node.name, near) if isinstance(node, Field) else near
    ids = newest(store, viewer, near, limit=MOST_READ)
    seen: Counter[str] = Counter()
    texts = snippets.texts(store, ids)
    for one in messages.by_ids(store, viewer, ids):
        said = f"{one.subject} {one.sender.name} {one.sender.address} {texts.get(one.id, '')}"
        words = {word for run in RUN.findall(said[:LONGEST_READ]) for word in forms(run).words}
        seen.update(words)
    ranked = [
        (distance, -number, word)
        for word, number in seen.items()
        if word != term.word and (distance := _distance(word, term.word, most)) <= most
    ]
    return min(ranked)[2] if ranked else ""


def _with(node: Node, word: str) -> Node:
    (found,) = parse(word).parts
    return Field(node.name, found) if isinstance(node, Field) else found


def _respelt(text: str, chip: Chip, node: Node, word: str) -> str:
    term = node.node if isinstance(node, Field) else node
    written = term.written if isinstance(term, Term) else ""
    part = text[chip.start : chip.end]
    head, _, tail = part.rpartition(written)
    return f"{text[: chip.start]}{head}{word}{tail}{text[chip.end :]}"


def _distance(one: str, other: str, most: int) -> int:
    """Letters to change, add, drop or swap with the next; anything above `most` where it is more.

    Source: the "optimal string alignment" distance.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
