"""Words as they are compared: folded, cut at punctuation, and stemmed. Pure, and the same on both
sides: what is indexed, what is typed, and what is highlighted."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import Stemmer

LONGEST_WORD = 64
"""Longer runs (base64, hashes in a row) are cut, when indexed and when asked for."""

SHORTEST_STEM = 3
"""A shorter stem says nothing: Polish rules make "it" of "item"."""

MEMO_LIMIT = 100_000

INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
"""Soft hyphens, zero-width and direction marks: part of a word, and nothing in it."""

MARKS = "\u0300-\u034e\u0350-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"

RUN = re.compile(f"[\\w{INVISIBLE}{MARKS}]+")
"""A run of letters, digits and what may stand among them, as it is written."""

_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_MARKS = re.compile(f"[{MARKS}]")
IDEOGRAPH = re.compile("[\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ASCII_RUNS = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or chr(code) == "_" else 32 for code in range(128)
).ljust(256)
"""Maps the bytes of ASCII text to lower case, and what stands between runs to spaces."""

_PART, _BETWEEN = r"[^\W_]{1,12}", r"[/\-._]"
_JOINED = re.compile(rf"(?<![^\W_]){_PART}(?:{_BETWEEN}{_PART}){{1,7}}(?![^\W_])")
_KIND = re.compile(
    rf"[A-Z]{{1,4}} (?=[^\W_]{{0,11}}\d){_PART}(?:{_BETWEEN}{_PART}){{1,7}}(?![^\W_])"
)
_GROUPS = re.compile(r"[+\d]\d{1,3}(?:[ \-]\d{2,4}){2,7}(?!\d)")
_ACCOUNT = re.compile(r"[A-Z]{2}\d{2}(?: \d{4}){3,7}(?!\d)")
_HINT = re.compile(r"\d[/\-._ ][^\W_]|[/\-._]\d")
"""Stands in every line that holds a number; most lines hold none."""

_CODE = re.compile(r"(?:\+|00)\d+[ \-]")
"""What people write as one with punctuation or blanks in it, and type otherwise: numbers of papers,
codes, telephones, bank accounts."""

SHORTEST_NUMBER = 5
LONGEST_NUMBER = 40
FEWEST_DIGITS = 3

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"}
    | {"ı": "i", "ŧ": "t", "ŋ": "n", "ĸ": "k", "ſ": "s", "ƶ": "z", "ɨ": "i", "ƀ": "b"}
)

# maxCacheSize=0: PyStemmer's own cache is slower than the memo below.
_POLISH = Stemmer.Stemmer("polish", 0)
_ENGLISH = Stemmer.Stemmer("english", 0)


class Forms(NamedTuple):
    """What one run of letters is compared by.

    For "Łomiankach": words ("lomiankach",), stems ("lomiank",). `words` are several where the run
    holds several ("foo_bar"), `stems` those that differ from the word itself.
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    text: str
    stem_text: str


class _Memo(dict[str, Forms]):
    """The forms of runs that were met before; of others made when asked."""

    def __missing__(self, run: str) -> Forms:
        made = _forms(run)
        if len(self) >= MEMO_LIMIT:
            self.clear()
        if len(run) <= LONGEST_WORD:
            self[run] = made
        return made


_memo = _Memo()


def fold(text: str) -> str:
    """The text without case, diacritics, compatibility forms and invisible characters."""
    if text.isascii():
        return text.lower()
    # Folding one thing can bring out another ("ﬅ" -> "ſt" -> "st"); twice is enough, tests say so.
    return _fold_once(_fold_once(text))


def words(text: str) -> list[str]:
    """The folded words of a text, in order: "FV/2025/03" gives fv, 2025, 03."""
    return [word for run in RUN.findall(text) for word in _memo[run].words]


@lru_cache(maxsize=MEMO_LIMIT)
def stem(word: str) -> str:
    """One form for all inflections of a word, folded: lomiank for "Łomiankach" and "Lomianki"."""
    folded = fold(word)
    stemmed: str = _POLISH.stemWord(folded)
    return stemmed if len(stemmed) >= SHORTEST_STEM else folded


def forms(run: str) -> Forms:
    """The words and stems of one run of letters (a match of `RUN`)."""
    return _memo[run]


def analyse(text: str) -> tuple[str, str]:
    """A text as the index takes it: its words in order; its stems and numbers without order."""
    if text.isascii():
        return _analyse_ascii(text)
    found = [_memo[run] for run in RUN.findall(text)]
    exact = " ".join([entry.text for entry in found if entry.text])
    stems = {entry.stem_text for entry in found if entry.stem_text}
    return exact, " ".join(stems | numbers(text))


def _analyse_ascii(text: str) -> tuple[str, str]:
    """The same for ASCII, faster: the runs stay where they are, and each is looked up once."""
    lower = text.encode().translate(_ASCII_RUNS).decode()
    runs = set(lower.split())
    stems = {_memo[run].stem_text for run in runs} - {""}
    if "_" in lower:
        lower = lower.replace("_", " ")
    if max(map(len, runs), default=0) > LONGEST_WORD:
        lower = " ".join([word[:LONGEST_WORD] for word in lower.split()])
    return lower.strip(), " ".join(stems | numbers(text))


def numbers(text: str) -> set[str]:
    """The numbers of a text without what stands in them: fv202503117 for "FV/2025/03/117"."""
    rows = "\n".join([row for row in text.split("\n") if _HINT.search(row)])
    if not rows:
        return set()
    written = {*_JOINED.findall(rows), *_KIND.findall(rows), *_ACCOUNT.findall(rows)}
    for group in _GROUPS.findall(rows):
        written |= {group, _CODE.sub("", group, count=1)}
    return {joined(words(one)) for one in written if not one.isalpha()} - {""}


def joined(row: Iterable[str]) -> str:
    """The folded words of a number as one word; "" where they are none."""
    whole = "".join(row)
    is_number = sum(map(str.isdigit, whole)) >= FEWEST_DIGITS
    return whole if is_number and SHORTEST_NUMBER <= len(whole) <= LONGEST_NUMBER else ""


def asked_stems(run: str) -> frozenset[str]:
    """The stems a typed word asks for: also those of its folded form, for who types no diacritics.
    Of a number itself, which may have been written with punctuation.

    The word's own folded form is among them, because the index leaves out a stem that equals its
    word: "beton" itself answers for the stem of "betonu".
    """
    folded = forms(run).words
    if len(folded) != 1 or not folded[0].isalpha():
        return frozenset({joined(folded)} - {""})
    return frozenset((*forms(run).stems, *_stems(folded[0], folded[0]), stem(run)))


def _fold_once(text: str) -> str:
    bare = _INVISIBLE.sub("", text)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", bare).casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", apart).translate(_LETTERS))


def _forms(run: str) -> Forms:
    folded = fold(run)
    if folded.isascii() and folded.isalnum():
        parts: tuple[str, ...] = (folded[:LONGEST_WORD],)
    else:
        spaced = IDEOGRAPH.sub(r" \g<0> ", folded)
        parts = tuple(word[:LONGEST_WORD] for word in _WORD.findall(spaced))
    stems: tuple[str, ...] = ()
    if len(parts) == 1 and parts[0].isalpha() and len(parts[0]) < LONGEST_WORD:
        stems = _stems(run, parts[0])
    else:
        stems = tuple(s for part in parts if part.isalpha() for s in _stems(part, part))
    return Forms(parts, stems, " ".join(parts), " ".join(stems))


def _stems(written: str, folded: str) -> tuple[str, ...]:
    """The stems in either language that differ from the folded word.

    Polish is stemmed as written and folded afterwards: that finds 119 of 133 inflected forms, the
    other way round 112.
    """
    polish = fold(_POLISH.stemWord(_INVISIBLE.sub("", written).lower()))
    english = _ENGLISH.stemWord(folded) if folded.isascii() else folded
    return tuple(sorted({s for s in (polish, english) if s != folded and len(s) >= SHORTEST_STEM}))
