"""Texts from templates: alternatives in brackets, facts in braces. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """One kind of mail: its subjects, and for each paragraph the ways to write it.

    A paragraph may be "" to be left out. "[a|b]" is a choice, which nests; "{name}" is a fact.
    """

    subjects: tuple[str, ...]
    paragraphs: tuple[tuple[str, ...], ...]


def expand(template: str, facts: Mapping[str, str], random: Random) -> str:
    """The template with each choice made and each fact put in."""

    def chosen(match: re.Match[str]) -> str:
        return pick(str(match[1]).split("|"), random)

    while "[" in template:
        template, count = _CHOICE.subn(chosen, template)
        if not count:
            break
    return template.format_map(facts)


def written(piece: Piece, facts: Mapping[str, str], random: Random) -> str:
    """The paragraphs of a mail, without greeting and signature."""
    rows = (expand(pick(ways, random), facts, random) for ways in piece.paragraphs)
    # A name that ends in a point, "S.A.", ends the sentence too.
    return "\n\n".join(row.replace("..", ".") for row in rows if row)


def pick(among: Sequence[T], random: Random) -> T:
    return among[int(random.random() * len(among))]
