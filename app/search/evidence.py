"""Where a message names a record, and who took part in it. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from app.mail import ParsedMail, split_quoted
from app.model import Address, Record, Team
from app.search.analysis import RUN, forms
from app.search.names import (
    LONGEST_KEY,
    Name,
    code_of,
    is_telling,
    merged,
    name_of,
    name_stem,
    names_of,
)

MOST_NEW_WORDS = 2_000
MOST_QUOTED_WORDS = 500
MOST_PEOPLE = 50
MOST_PARTS = 24

_FREE_MAIL = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com
icloud.com me.com mac.com gmx.com gmx.net gmx.de web.de t-online.de mail.com mail.ru yandex.ru
proton.me protonmail.com pm.me tutanota.com tuta.com zoho.com fastmail.com wp.pl o2.pl onet.pl
onet.eu op.pl vp.pl poczta.onet.pl interia.pl interia.eu poczta.fm gazeta.pl tlen.pl go2.pl
autograf.pl int.pl spoko.pl orange.fr free.fr laposte.net seznam.cz centrum.cz email.cz libero.it
virgilio.it orange.pl neostrada.pl
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
_PUBLIC_SECOND_LEVEL = frozenset(("com", "net", "org", "edu", "gov", "info", "biz", "co", "ac"))

Place = Literal["subject", "text", "quoted", "people"]
Kind = Literal["full", "bare"]
WEIGHTS: dict[Place, float] = {"subject": 0.80, "text": 0.70, "people": 0.55, "quoted": 0.40}
BARE_WEIGHT = 0.55
WEAK_WEIGHT = 0.40
ORDINARY_WEIGHTS: dict[Place, float] = {
    "subject": 0.65, "text": 0.55, "people": 0.40, "quoted": 0.30,
}  # fmt: skip
SHORTEST_BARE = 6
LONGEST_RUN = 500
_APOSTROPHES = frozenset("'’`")
_SENTENCE_ENDS = frozenset(("", ".", "!", "?", ":"))
_PREFIX = re.compile(r"^\s*(?:re|odp|fwd?|fw|pd|aw|sv|vs|wg)\s*(?:\[\d+\])?\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a message as name tokens; for each its line from 1, whether it is written with a
    capital, and whether it stands out: that it does not begin a sentence either.
    """

    place: Place
    tokens: tuple[str, ...]
    lines: tuple[int, ...]
    stands_out: tuple[bool, ...]
    capitals: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A record's name found in a message: tokens `start` to `end` of `zone`."""

    record: Record
    name: Name
    kind: Kind
    zone: Zone
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        """Whether a full name was found that can be nothing else than a name."""
        if self.kind != "full":
            return False
        if self.name.has_form or len(self.name.full) > 1:
            return True
        return self.record.type == "companies" and self.zone.stands_out[self.start]

    @property
    def weight(self) -> float:
        most = WEIGHTS[self.zone.place]
        if self.is_whole:
            is_weak = self.name.is_ordinary and self.record.type != "companies"
            return min(most, ORDINARY_WEIGHTS[self.zone.place]) if is_weak else most
        if self.kind == "full":
            return min(most, WEAK_WEIGHT)
        is_telling = len(self.name.bare) > 1 or len(self.name.bare[0]) >= SHORTEST_BARE
        if not is_telling:
            return 0.0
        is_word = len(self.name.bare) == 1 and self.record.type != "companies"
        return min(most, WEAK_WEIGHT if is_word else BARE_WEIGHT)


def zones_of(mail: ParsedMail) -> tuple[Zone, ...]:
    """The subject, the new text, the quoted text with the signature, and who wrote, by name."""
    new, quoted = split_quoted(mail.text)
    people = dict.fromkeys(one.name for one in (*mail.from_, *mail.reply_to) if one.name)
    return (
        _zone("subject", mail.subject, MOST_NEW_WORDS),
        _zone("text", new, MOST_NEW_WORDS),
        _zone("quoted", quoted, MOST_QUOTED_WORDS),
        *(_zone("people", name, MOST_NEW_WORDS) for name in [*people][:MOST_PEOPLE]),
    )


def parts(zones: Iterable[Zone], team: Team) -> dict[str, Zone]:
    """Words that may be part of a name, each with where it is: written with a capital."""
    own = {token for text in team.names for token in name_of(text).full}
    found: dict[str, Zone] = {}
    for zone in zones:
        if zone.place not in ("subject", "text"):
            continue
        marked = zone.capitals if zone.place == "subject" else zone.stands_out
        for token, is_marked in zip(zone.tokens, marked, strict=True):
            if is_marked and is_telling(token) and token not in own and len(found) < MOST_PARTS:
                found.setdefault(token, zone)
    return found


def grams(zones: Iterable[Zone]) -> set[str]:
    """The rows of one to `LONGEST_KEY` tokens in the zones, as keys of the record index."""
    return {
        " ".join(zone.tokens[at : at + length])
        for zone in zones
        for length in range(1, LONGEST_KEY + 1)
        for at in range(len(zone.tokens) - length + 1)
    }


def participants(mail: ParsedMail, team: Team) -> dict[str, bool]:
    """The addresses of a mail, lower case, each with whether it is the other side's.

    That is who wrote it or, where we wrote it, to whom; the others only take part.
    """
    wrote, to = _addresses((*mail.from_, mail.sender, *mail.reply_to)), _addresses(mail.to)
    is_ours = bool(wrote) and all(is_own(one, team) for one in wrote)
    found = dict.fromkeys(to if is_ours else wrote, True)
    for one in (*wrote, *to, *_addresses(mail.cc)):
        if len(found) < MOST_PEOPLE:
            found.setdefault(one, False)
    return found


def is_own(address: str, team: Team) -> bool:
    domain = address.rpartition("@")[2].lower()
    return any(domain == own or domain.endswith(f".{own}") for own in map(str.lower, team.domains))


def domains(addresses: Iterable[str], team: Team) -> dict[str, str]:
    """The domains of others, and those they belong to, each with an address that has it.

    Free mail and the team's own are left out: they say nothing about a record.
    """
    own = {domain.lower() for domain in team.domains}
    found: dict[str, str] = {}
    for address in addresses:
        labels = address.rpartition("@")[2].split(".")
        above = [".".join(labels[at:]) for at in range(len(labels) - 1)]
        if own.isdisjoint(above) and FREE_MAIL.isdisjoint(above):
            for domain in above:
                if not _is_public(domain):
                    found.setdefault(domain, address)
    return found


def occurrences(records: Collection[Record], zones: Iterable[Zone], team: Team) -> list[Occurrence]:
    """Where the records' names are, without the team's own; parts of longer names among them."""
    own = {row for text in team.names for name in [name_of(text)] for row in (name.full, name.bare)}
    found: list[Occurrence] = []
    named = [(record, name) for record in records for name in names_of(record)]
    named = [(record, name) for record, name in named if not own & {name.full, name.bare}]
    for zone in zones:
        starts: dict[str, list[int]] = {}
        for at, token in enumerate(zone.tokens):
            starts.setdefault(token, []).append(at)
        found += [
            one
            for record, name in named
            if name.full[0] in starts
            for one in _of_name(record, name, zone, starts)
        ]
    return found


def outermost(found: Iterable[Occurrence]) -> list[Occurrence]:
    """Those that are no part of a longer name that is there too."""
    kept: list[Occurrence] = []
    in_zones: dict[int, list[Occurrence]] = {}
    for one in found:
        in_zones.setdefault(id(one.zone), []).append(one)
    for here in in_zones.values():
        spans = {(one.start, one.end) for one in here}
        inner = {span for span in spans if any(_is_inside(span, other) for other in spans)}
        kept += [one for one in here if (one.start, one.end) not in inner]
    return kept


def code_place(record: Record, zones: Iterable[Zone]) -> Place | None:
    """Where the record's code is: in the subject, else in the new text, else nowhere."""
    code = code_of(record)
    for zone in zones:
        if code and zone.place in ("subject", "text"):
            row = zone.tokens
            if any(_is_at(row, code, at) for at in range(len(row)) if row[at] == code[0]):
                return zone.place
    return None


def bare_subject(subject: str) -> str:
    """Folded, without what answering and forwarding put before it."""
    while (shorter := _PREFIX.sub("", subject, count=1)) != subject:
        subject = shorter
    return " ".join(subject.split()).casefold()


def _addresses(people: Iterable[Address]) -> list[str]:
    return [one.address.lower() for one in people if "@" in one.address]


def _zone(place: Place, text: str, most_words: int) -> Zone:
    stems: list[str] = []
    lines: list[int] = []
    stands_out: list[bool] = []
    capitals: list[bool] = []
    for word, line, is_capital, is_out in _written(text):
        if len(stems) >= most_words:
            break
        stems.append(name_stem(word))
        lines.append(line)
        stands_out.append(is_out)
        capitals.append(is_capital)
    row = merged(stems)
    return Zone(
        place,
        tuple(token for token, _ in row),
        tuple(lines[at] for _, at in row),
        tuple(stands_out[at] for _, at in row),
        tuple(capitals[at] for _, at in row),
    )


def _written(text: str) -> Iterator[tuple[str, int, bool, bool]]:
    """The folded words of a text, each with its line from 1, whether it begins with a capital, and
    whether it stands out. The "s" of a possessive is no word.
    """
    for number, line in enumerate(text.splitlines(), 1):
        for match in RUN.finditer(line):
            written, before = match.group(), line[max(0, match.start() - 8) : match.start()]
            if written == "s" and before[-1:] in _APOSTROPHES:
                continue
            is_capital = written[0].isupper()
            is_out = is_capital and before.rstrip(" \t\"'„”“(*_>")[-1:] not in _SENTENCE_ENDS
            for word in forms(written[:LONGEST_RUN]).words:
                yield word, number, is_capital, is_out


def _of_name(
    record: Record, name: Name, zone: Zone, starts: dict[str, list[int]]
) -> Iterator[Occurrence]:
    rows: dict[Kind, tuple[str, ...]] = {"full": name.full}
    if name.has_form:
        rows["bare"] = name.bare
    for kind, row in rows.items():
        for at in starts.get(row[0], ()):
            if _is_at(zone.tokens, row, at):
                yield Occurrence(record, name, kind, zone, at, at + len(row))


def _is_at(tokens: tuple[str, ...], row: tuple[str, ...], at: int) -> bool:
    return tokens[at : at + len(row)] == row


def _is_inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether the place belongs to a longer name: "Plus S.A." in "Beton Plus S.A."."""
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _is_public(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) == 2 and labels[0] in _PUBLIC_SECOND_LEVEL and len(labels[1]) == 2
