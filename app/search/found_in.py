"""Where in which attachment a hit was found: its file, its page, the best passage of that page.

Looked for only where a message's own text does not hold all that was asked for, in bounded time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from app.model import MessageId, Viewer
from app.search.highlight import Mark, holds, snippet
from app.search.query import Query, needles_of
from app.search.tree import And, Field, Node, Or, Phrase, Prefix, Term
from app.store import extracts
from app.store.database import Store
from app.store.extracts import Attachment

MOST_CHARACTERS = 3_000_000
"""Of attachments' texts that are looked through for one page of results."""

MOST_LEAVES = 8

Leaf = Term | Phrase | Prefix


@dataclass(frozen=True, slots=True)
class FoundIn:
    """`place` is "page 3", "sheet Costs", "slide 2", with the file's name in a mail that is
    attached ("invoice.pdf, page 3"); "" where the file has no pages."""

    filename: str
    place: str
    passage: tuple[Mark, ...]


def find_in(
    store: Store, viewer: Viewer, query: Query, shown: Mapping[MessageId, str]
) -> dict[MessageId, FoundIn]:
    """The attachments that hits were found in, by message; `shown` is each message's own text.

    Only those that the viewer may read are looked into.
    """
    ast = query.ast
    if ast is None:
        return {}
    wanted = [one for one, text in shown.items() if _missing(ast, text)]
    found: dict[MessageId, FoundIn] = {}
    room = MOST_CHARACTERS
    attachments = extracts.readable_attachments(store, viewer, wanted)
    for message_id, some in groupby(attachments, key=lambda one: one.message_id):
        its_own = list(some)
        names = "\n".join(one.filename for one in its_own)
        missing = _missing(ast, f"{shown[message_id]}\n{names}")[:MOST_LEAVES]
        if not missing or room <= 0:
            continue
        pages = _Pages(store, its_own, room)
        best = _best(pages, missing)
        room -= pages.characters
        if best is not None:
            attachment, place, text = best
            marked = replace(query, terms=needles_of(_leaves(ast)))
            found[message_id] = FoundIn(attachment.filename, place, snippet(text, marked))
    return found


class _Pages:
    """The pages of attachments, and how much was looked at."""

    def __init__(self, store: Store, attachments: Sequence[Attachment], most: int) -> None:
        self._store = store
        self._by_source = {one.source: one for one in reversed(attachments)}
        self._sources = [one.source for one in attachments]
        self._most = most
        self.characters = 0

    def __iter__(self) -> Iterator[tuple[Attachment, str, str]]:
        for source, text in extracts.texts_in_turn(self._store, dict.fromkeys(self._sources)):
            for place, body in extracts.pages(text[: extracts.MOST_INDEXED]):
                self.characters += len(body)
                yield self._by_source[source], place, body
                if self.characters > self._most:
                    return


def _best(pages: _Pages, missing: Sequence[Leaf]) -> tuple[Attachment, str, str] | None:
    """The first page that holds most of what is missing; None where none holds any."""
    best, most = None, 0
    asked = [needles_of([leaf]) for leaf in missing]
    for page in pages:
        held = sum(holds(page[2], needles) for needles in asked)
        if held > most:
            best, most = page, held
        if held == len(asked):
            break
    return best


def _missing(node: Node, text: str) -> list[Leaf]:
    """What is asked for and not in a text; of alternatives nothing, if one of them is there."""
    match node:
        case And(nodes=nodes):
            return [leaf for one in nodes for leaf in _missing(one, text)]
        case Or(nodes=nodes):
            each = [_missing(one, text) for one in nodes]
            return [leaf for some in each for leaf in some] if all(each) else []
        case Field(name="attachment", node=inner):
            return list(_leaves(inner))
        case Term() | Phrase() | Prefix():
            return [] if holds(text, needles_of([node])) else [node]
    return []


def _leaves(node: Node) -> Iterator[Leaf]:
    match node:
        case And(nodes=nodes) | Or(nodes=nodes):
            for one in nodes:
                yield from _leaves(one)
        case Field(name="attachment", node=inner):
            yield from _leaves(inner)
        case Term() | Phrase() | Prefix():
            yield node
