"""Names as they are matched: folded, stemmed, and with one token for each legal form. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

from app.model import Record
from app.search.analysis import RUN, stem, words

LONGEST_KEY = 6
"""Tokens of a name that the index is asked for; a longer name is asked for by its beginning."""

MOST_NAMES = 500
"""Of one record: name and aliases beyond that are not looked for."""

SHORTEST_CODE = 3
SHORTEST_PART = 4

_LEGAL_FORMS = {
    "sa": ("s a", "sa", "spolka akcyjna"),
    "spzoo": (
        "sp z o o",
        "sp z oo",
        "sp zoo",
        "spzoo",
        "spolka z o o",
        "spolka z oo",
        "spolka z ograniczona odpowiedzialnoscia",
    ),
    "spk": ("sp k", "spk", "spolka komandytowa"),
    "spj": ("sp j", "spj", "spolka jawna"),
    "sc": ("s c", "sc", "spolka cywilna"),
    "ska": ("s k a", "ska", "spolka komandytowo akcyjna"),
    "psa": ("p s a", "psa", "prosta spolka akcyjna"),
    "gmbh": ("gmbh", "g m b h", "ges m b h"),
    "ag": ("ag", "a g"),
    "kg": ("kg", "k g"),
    "gmbhcokg": ("gmbh co kg", "gmbh und co kg"),
    "ltd": ("ltd", "limited"),
    "plc": ("plc", "p l c"),
    "inc": ("inc", "incorporated"),
    "llc": ("llc", "l l c"),
    "llp": ("llp", "l l p"),
    "corp": ("corp", "corporation"),
    "sarl": ("sarl", "s a r l"),
    "sas": ("sas", "s a s"),
    "srl": ("srl", "s r l"),
    "spa": ("spa", "s p a"),
    "sro": ("sro", "s r o", "spol s r o"),
    "as": ("as", "a s"),
    "bv": ("bv", "b v"),
    "nv": ("nv", "n v"),
    "oy": ("oy", "oyj"),
    "ab": ("ab",),
    "aps": ("aps",),
    "kft": ("kft",),
    "se": ("se",),
}
_MARK = "§"
SHORTEST_KEPT = 3
_SHORTEST_CHANGED = 4
_ENDINGS = tuple(
    (re.compile(ending), left)
    for ending, left in (
        (r"ks$", "x"),
        (r"(?<=[^s]...)s$", ""),
        (r"(?<=....)ow$", ""),
        (r"(?<=...)(?:om|i)$", ""),
        (r"(?<=...)rz$", "r"),
        (r"(?<=[^aeiouy])i?e([cklnr])$", r"\1"),
    )
)
"""What Polish stemming leaves of endings, and the vowel that comes and goes before the last
consonant; and the English plural."""


@dataclass(frozen=True, slots=True)
class Name:
    """A record's name for matching. "Spostex S.A." is full ("spostex", "§sa"), bare ("spostex",).

    `bare` equals `full` where the name has no legal form.
    """

    text: str
    full: tuple[str, ...]
    bare: tuple[str, ...]

    @property
    def has_form(self) -> bool:
        return self.full != self.bare

    @property
    def is_ordinary(self) -> bool:
        """Whether its record writes it without a capital: ordinary words, like "kostka brukowa"."""
        return self.text == self.text.lower()


@lru_cache(maxsize=20_000)
def name_of(text: str) -> Name:
    full = tuple(token for token, _ in merged([name_stem(word) for word in words(text)]))
    bare = full
    while len(bare) > 1 and bare[-1].startswith(_MARK):
        bare = bare[:-1]
    return Name(text, full, bare)


def names_of(record: Record) -> list[Name]:
    """The record's name and aliases, those that hold at least one word."""
    texts = (record.name, *record.aliases)[:MOST_NAMES]
    return [name for name in map(name_of, texts) if name.full]


def code_of(record: Record) -> tuple[str, ...]:
    """The record's code as tokens: ("prj", "42"). Empty where there is none, or it is no code."""
    tokens = tuple(name_stem(word) for word in words(record.code))
    is_code = any(token.isdigit() for token in tokens) and len("".join(tokens)) >= SHORTEST_CODE
    return tokens if is_code and not record.code.isdigit() else ()


def keys_of(record: Record) -> set[str]:
    """What the index finds the record by: its names with and without legal form, and its code."""
    rows = {row for name in names_of(record) for row in (name.full, name.bare)}
    rows.add(code_of(record))
    return {" ".join(row[:LONGEST_KEY]) for row in rows if row}


def parts_of(record: Record) -> set[str]:
    """Words that stand for a name when hardly another record has them, written with a capital."""
    return {token for name in names_of(record) for token in _parts_of(name.text)}


def proper_parts_of(record: Record) -> set[str]:
    """Those that are no first word, or a company's: what begins a name may be any word."""
    rows = [_parts_of(name.text) for name in names_of(record)]
    first = 0 if record.type == "companies" else 1
    return {token for row in rows for token in (row if len(row) == 1 else row[first:])}


@lru_cache(maxsize=20_000)
def _parts_of(text: str) -> tuple[str, ...]:
    found = (
        name_stem(word) for run in RUN.findall(text) if run[0].isupper() for word in words(run)
    )
    return tuple(token for token in found if is_telling(token))


def is_telling(token: str) -> bool:
    return len(token) >= SHORTEST_PART and token.isalpha()


@lru_cache(maxsize=50_000)
def name_stem(word: str) -> str:
    """The stem of a word of a name, with less left of its inflection than search leaves.

    One form for "piasek" and "piasku", "pręt" and "prętów", "Betonex" and "Betoneksu", "Wawer" and
    "Wawrze", "Architects" and "Architect": what a name keeps through all cases.
    """
    token = stem(word)
    if len(token) < _SHORTEST_CHANGED or not token.isalpha():
        return token
    for ending, left in _ENDINGS:
        shorter = ending.sub(left, token)
        if shorter != token and len(shorter) >= SHORTEST_KEPT:
            token = shorter
    return token


_FORMS = {
    tuple(name_stem(word) for word in written.split()): _MARK + form
    for form, ways in _LEGAL_FORMS.items()
    for written in ways
}
_LONGEST_FORM = max(map(len, _FORMS))
_FORM_STARTS = frozenset(row[0] for row in _FORMS)


def merged(stems: list[str]) -> list[tuple[str, int]]:
    """The tokens of a row of stems, legal forms as one, each with the place of its first stem.

    ["spostex", "s", "a"] gives [("spostex", 0), ("§sa", 1)].
    """
    tokens: list[tuple[str, int]] = []
    at = 0
    while at < len(stems):
        length = _form_at(stems, at) if stems[at] in _FORM_STARTS else 0
        token = _FORMS[tuple(stems[at : at + length])] if length else stems[at]
        tokens.append((token, at))
        at += length or 1
    return tokens


def _form_at(stems: list[str], at: int) -> int:
    """How many stems from `at` on are a legal form, the longest that fits; 0: none."""
    for length in range(min(_LONGEST_FORM, len(stems) - at), 0, -1):
        if tuple(stems[at : at + length]) in _FORMS:
            return length
    return 0
