"""The pieces of a typed line, each with its place in the line, and notes on what is none.

The limits hold here already: what is too long, too deep or unbalanced does not get further.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Literal

LONGEST_QUERY: Final = 512
DEEPEST: Final = 8

DATES: Final = ("before", "after", "on")
AGES: Final = ("older_than", "newer_than")
SIZES: Final = ("larger", "smaller")
WORDS: Final = ("from", "to", "cc", "bcc", "with", "subject", "body", "filename", "attachment")
OWN: Final = ("account", "mailbox", "folder", "in", "is", "attached", "type-of-record", "thread")
OPERATORS: Final = (*WORDS, *DATES, *AGES, *SIZES, *OWN, "has", "type")

Kind = Literal["word", "quoted", "field", "or", "not", "(", ")"]


@dataclass(frozen=True, slots=True)
class Caret:
    """A note on a place of the typed line: the character it begins at."""

    at: int
    note: str


@dataclass(slots=True)
class Notes:
    """What was not understood, in the order it was met; each said once."""

    said: list[str] = field(default_factory=list)
    carets: list[Caret] = field(default_factory=list)

    def add(self, note: str, at: int) -> None:
        if note not in self.said:
            self.said.append(note)
            self.carets.append(Caret(at, note))


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the line from `start` to `end`; `slop` are the words that may stand between."""

    kind: Kind
    text: str
    start: int
    end: int
    slop: int = 0


_UNSAFE = dict.fromkeys((*range(32), *range(127, 160), *range(55296, 57344)), " ")
_PLAIN = str.maketrans(_UNSAFE | {ord(quote): '"' for quote in "„”“«»"})
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<paren>[()])
    |"(?P<quoted>[^"]*)"(?:~(?P<slop>\d{{1,3}})(?![^\s()]))?
    |(?P<stray>")
    |(?P<minus>-)(?=[^\s)-])
    |(?P<dates>{"|".join(DATES)}):\s*(?P<period>(?:this|last)[ ]+\w+)(?![^\s()])
    |(?P<field>{"|".join(sorted(OPERATORS, reverse=True))}):(?=\s*[^\s)])
    |(?P<word>[^\s()"]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_UNKNOWN_OPERATOR = re.compile(r"([A-Za-z][A-Za-z_-]*):(?!//)(?P<rest>[^:]?)")
_GROUPS: Final = ("paren", "quoted", "stray", "minus", "period", "field", "word")
LOOSEST: Final = 10


def cleaned(text: str) -> str:
    """The line with every character in its place, and blanks for what is no text."""
    return text.translate(_PLAIN)


def tokens(text: str, notes: Notes) -> list[Token]:
    """The tokens of a cleaned line, in which every parenthesis has its partner."""
    if len(text) > LONGEST_QUERY:
        text = text[:LONGEST_QUERY]
        notes.add(f"Only the first {LONGEST_QUERY} characters were searched for.", LONGEST_QUERY)
    return _balanced(list(_tokens(text, notes)), notes)


def _tokens(text: str, notes: Notes) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        kind = next(one for one in _GROUPS if match.group(one) is not None)
        value, start, end = match.group(kind), match.start(kind), match.end()
        if kind == "paren":
            yield Token("(" if value == "(" else ")", value, start, end)
        elif kind == "quoted":
            slop = min(int(match.group("slop") or 0), LOOSEST)
            yield Token("quoted", value, start - 1, end, slop)
        elif kind == "stray":
            notes.add("A quotation mark without its partner was left out.", start)
        elif kind == "minus":
            yield Token("not", value, start, end)
        elif kind == "period":
            yield Token("field", match.group("dates").lower(), match.start("dates"), start)
            yield Token("quoted", value, start, end)
        elif kind == "field":
            yield Token("field", value.lower(), start, end)
        elif value == "OR":
            yield Token("or", value, start, end)
        else:
            _note_unknown(value, start, notes)
            yield Token("word", value, start, end)


def _note_unknown(word: str, start: int, notes: Notes) -> None:
    match = _UNKNOWN_OPERATOR.match(word)
    if match is None:
        return
    name = match.group(1)
    if name.lower() in OPERATORS:
        note = f"Nothing stands after “{name}:”, so it was searched for as a word."
    elif not match.group("rest"):
        return
    else:
        note = f"“{name}:” is not an operator here; it was searched for as text."
        near = get_close_matches(name.lower(), OPERATORS, n=1, cutoff=0.75)
        note += f" Did you mean “{near[0]}:”?" if near else ""
    notes.add(note, start)


def _balanced(found: list[Token], notes: Notes) -> list[Token]:
    """The tokens without the parentheses that have no partner or stand too deep."""
    dropped: set[int] = set()
    open_at: list[int] = []
    for index, token in enumerate(found):
        if token.kind == "(":
            open_at.append(index)
        elif token.kind == ")" and open_at:
            if len(open_at) > DEEPEST:
                dropped.update((open_at[-1], index))
                note = f"Parentheses more than {DEEPEST} deep were left out."
                notes.add(note, found[open_at[-1]].start)
            open_at.pop()
        elif token.kind == ")":
            dropped.add(index)
            notes.add("A parenthesis without its partner was left out.", token.start)
    if open_at:
        dropped.update(open_at)
        notes.add("A parenthesis without its partner was left out.", found[open_at[0]].start)
    return [token for index, token in enumerate(found) if index not in dropped]
