"""The passage of a text that shows why it was found, and its words marked. Pure, bounded work.

A word is marked by the same rule that finds it: its folded form or one of its stems is asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from app.search.analysis import IDEOGRAPH, RUN, Forms, fold, forms, joined
from app.search.query import Needles, Query

LONGEST_TEXT = 65_536
LONGEST_SNIPPET = 200
MOST_HITS = 200
SHARED = 3
"""Letters that a word shares with its stems in either language, from its beginning."""

LEAD = 60
"""Characters that are shown before the first hit of the passage."""

_WHITE = re.compile(r"\s+")
_LETTERS = re.compile(r"[^\W_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
MOST_LETTERS = 64
"""Different letters beyond ASCII that are folded one by one; scripts with more are read by word."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of a text in a row of pieces; `is_hit` is shown marked."""

    text: str
    is_hit: bool = False


class _Span(NamedTuple):
    start: int
    end: int
    needle: str


def marks(text: str, query: Query) -> tuple[Mark, ...]:
    """The whole text in pieces, for a subject."""
    return _pieces(text, _hits(text, query.terms), 0, len(text))


def snippet(text: str, query: Query) -> tuple[Mark, ...]:
    """The best passage of a text in pieces, `LONGEST_SNIPPET` characters at most; () of no text.

    The best one holds the most different words of the query; its beginning, if it holds none.
    """
    text = text[:LONGEST_TEXT]
    hits = _hits(text, query.terms)
    start, end = _passage(text, hits)
    inside = [hit for hit in hits if start <= hit.start and hit.end <= end]
    return tuple(
        Mark(_WHITE.sub(" ", piece.text), piece.is_hit)
        for piece in _pieces(text, inside, start, end)
    )


def holds(text: str, needles: Needles) -> bool:
    """Whether any of what is asked for is in a text."""
    return bool(_hits(text, needles))


def _hits(text: str, needles: Needles) -> list[_Span]:
    """The words that are asked for, in order; a phrase is one hit."""
    if not needles:
        return []
    flat = _flat(text)
    spans = _hits_of_any(text, needles) if flat is None else _hits_of_flat(text, flat, needles)
    return sorted([*spans, *_hits_of_numbers(text.lower(), needles)])


def _hits_of_numbers(lower: str, needles: Needles) -> Iterator[_Span]:
    """Numbers with whatever stands in them: "FV/2025/03/117" for fv202503117."""
    for number in {joined(row) for row in (*needles.phrases, *((one,) for one in needles.stems))}:
        row = rf"(?<![^\W_]){'[^0-9a-z]?'.join(map(re.escape, number))}(?![^\W_])"
        for match in islice(re.finditer(row, lower), MOST_HITS if number else 0):
            yield _Span(match.start(), match.end(), number)


def _flat(text: str) -> str | None:
    """The text folded with every letter in its place, or None where that cannot be.

    It can be in most languages, and such text is searched about ten times faster.
    """
    flat = text.lower()
    if flat.isascii():
        return flat
    others = set(_NOT_ASCII.findall(flat))
    if len(flat) != len(text) or len(others) > MOST_LETTERS:
        return None
    for other in others:
        plain = _plain(other)
        if not plain:
            return None
        flat = flat.replace(other, plain)
    return flat


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """The one character that another is folded to; "" where it is none, or a word of its own."""
    if not RUN.match(character):
        return " "
    plain = fold(character)
    is_one = len(plain) == 1 and not (IDEOGRAPH.match(plain) or plain == "_")
    return plain if is_one else ""


def _hits_of_flat(text: str, flat: str, needles: Needles) -> list[_Span]:
    spans: list[_Span] = []
    for phrase in needles.phrases:
        row = re.compile(r"[\W_]+".join(phrase) + r"(?![^\W_])")
        for at in _starts(flat, phrase[0]):
            match = row.match(flat, at)
            if match:
                spans.append(_Span(at, match.end(), " ".join(phrase)))
            if len(spans) >= MOST_HITS:
                break
    beginnings = {word[:SHARED] for word in (*needles.words, *needles.stems)} | {*needles.starts}
    for beginning in beginnings:
        for at in _starts(flat, beginning):
            run = _LETTERS.match(text, at)
            needle = _needle(forms(run.group()), needles) if run else ""
            if run and needle:
                spans.append(_Span(at, run.end(), needle))
            if len(spans) >= 2 * MOST_HITS:
                break
    return spans


def _starts(flat: str, beginning: str) -> Iterator[int]:
    """Where words begin so, in order."""
    at = flat.find(beginning)
    while at >= 0:
        if not at or not flat[at - 1].isalnum():
            yield at
        at = flat.find(beginning, at + 1)


def _hits_of_any(text: str, needles: Needles) -> list[_Span]:
    """The same for text in any script, with accents apart or with soft hyphens."""
    spans: list[_Span] = []
    row: list[tuple[str, int, int]] = []
    longest = max((len(phrase) for phrase in needles.phrases), default=0)
    for match in RUN.finditer(text):
        found = forms(match.group())
        needle = _needle(found, needles)
        if needle:
            spans.append(_Span(match.start(), match.end(), needle))
        for word in found.words if longest else ():
            row = [*row[-longest:], (word, match.start(), match.end())]
            spans += _phrases_at_end(row, needles)
        if len(spans) >= MOST_HITS:
            break
    return spans


def _needle(found: Forms, needles: Needles) -> str:
    """Which of the asked words this is, by its shortest form; "" for none."""
    for word in found.words:
        if word in needles.words or word in needles.stems:
            return found.stems[0] if found.stems else word
    for stem in found.stems:
        if stem in needles.stems:
            return stem
    for start in needles.starts:
        if any(word.startswith(start) for word in found.words):
            return start
    return ""


def _phrases_at_end(row: list[tuple[str, int, int]], needles: Needles) -> list[_Span]:
    """The phrases that end where the row of words ends."""
    return [
        _Span(row[-len(phrase)][1], row[-1][2], " ".join(phrase))
        for phrase in needles.phrases
        if tuple(word for word, _, _ in row[-len(phrase) :]) == phrase
    ]


def _passage(text: str, hits: list[_Span]) -> tuple[int, int]:
    """Where the passage starts and ends, between words."""
    if len(text) <= LONGEST_SNIPPET:
        return 0, len(text)
    start = max(0, hits[_best(hits)].start - LEAD) if hits else 0
    if start:
        space = _WHITE.search(text, start, start + LEAD)
        start = space.end() if space else start
    end = min(len(text), start + LONGEST_SNIPPET)
    if end < len(text):
        cut = max(text.rfind(white, start + LEAD, end) for white in " \n")
        end = cut if cut >= 0 else end
    return start, end


def _best(hits: list[_Span]) -> int:
    """The first hit of the window with the most different words, then the most words."""
    best, best_score, last = 0, (0, 0), 0
    inside: dict[str, int] = {}
    for first, hit in enumerate(hits):
        last = max(first, last)
        while last < len(hits) and hits[last].end <= hit.start + LONGEST_SNIPPET - LEAD:
            inside[hits[last].needle] = inside.get(hits[last].needle, 0) + 1
            last += 1
        if (score := (len(inside), last - first)) > best_score:
            best, best_score = first, score
        if last > first and inside[hit.needle] > 1:
            inside[hit.needle] -= 1
        else:
            inside.pop(hit.needle, None)
    return best


def _pieces(text: str, hits: list[_Span], start: int, end: int) -> tuple[Mark, ...]:
    pieces: list[Mark] = []
    at = start
    for hit in hits:
        if hit.start < at:
            continue
        if hit.start > at:
            pieces.append(Mark(text[at : hit.start]))
        pieces.append(Mark(text[hit.start : hit.end], is_hit=True))
        at = hit.end
    if at < end:
        pieces.append(Mark(text[at:end]))
    return tuple(pieces)
