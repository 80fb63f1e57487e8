"""Names as they are matched: folded, stemmed, and with one token for each legal form. Pure."""

from dataclasses import dataclass

from app.model import Record
from app.search.analysis import stem, words

LONGEST_KEY = 6
"""Tokens of a name that the index is asked for; a longer name is asked for by its beginning."""

SHORTEST_CODE = 3

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
_FORMS = {
    tuple(stem(word) for word in written.split()): _MARK + form
    for form, ways in _LEGAL_FORMS.items()
    for written in ways
}
_LONGEST_FORM = max(map(len, _FORMS))
_FORM_STARTS = frozenset(row[0] for row in _FORMS)


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


def name_of(text: str) -> Name:
    full = tuple(token for token, _ in merged([stem(word) for word in words(text)]))
    bare = full
    while len(bare) > 1 and bare[-1].startswith(_MARK):
        bare = bare[:-1]
    return Name(text, full, bare)


def names_of(record: Record) -> list[Name]:
    """The record's name and aliases, those that hold at least one word."""
    return [name for name in map(name_of, (record.name, *record.aliases)) if name.full]


def code_of(record: Record) -> tuple[str, ...]:
    """The record's code as tokens: ("prj", "42"). Empty where there is none, or it is no code."""
    tokens = tuple(stem(word) for word in words(record.code))
    is_code = any(token.isdigit() for token in tokens) and len("".join(tokens)) >= SHORTEST_CODE
    return tokens if is_code and not record.code.isdigit() else ()


def keys_of(record: Record) -> set[str]:
    """What the index finds the record by: its names with and without legal form, and its code."""
    rows = {row for name in names_of(record) for row in (name.full, name.bare)}
    rows.add(code_of(record))
    return {" ".join(row[:LONGEST_KEY]) for row in rows if row}


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
