"""Where a message names a record, and who took part in it. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from app.mail import ParsedMail, split_quoted
from app.model import Record, Team
from app.search.analysis import RUN, forms, stem
from app.search.names import LONGEST_KEY, Name, code_of, merged, name_of, names_of

MOST_NEW_WORDS = 2_000
MOST_QUOTED_WORDS = 500

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

Place = Literal["subject", "text", "quoted"]
Kind = Literal["full", "bare"]
WEIGHTS: dict[Place, float] = {"subject": 0.80, "text": 0.70, "quoted": 0.40}
BARE_WEIGHT = 0.55
WEAK_WEIGHT = 0.40
SHORTEST_BARE = 6


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a message as name tokens; for each its line from 1, and whether it stands out.

    A token stands out that is written with a capital and does not begin a sentence.
    """

    place: Place
    tokens: tuple[str, ...]
    lines: tuple[int, ...]
    stands_out: tuple[bool, ...]


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
            return most
        if self.kind == "full":
            return min(most, WEAK_WEIGHT)
        is_telling = len(self.name.bare) > 1 or len(self.name.bare[0]) >= SHORTEST_BARE
        if not is_telling:
            return 0.0
        is_word = len(self.name.bare) == 1 and self.record.type != "companies"
        return min(most, WEAK_WEIGHT if is_word else BARE_WEIGHT)


def zones_of(mail: ParsedMail) -> tuple[Zone, ...]:
    """The subject, the new text, and the quoted text with the signature."""
    new, quoted = split_quoted(mail.text)
    return (
        _zone("subject", mail.subject, MOST_NEW_WORDS),
        _zone("text", new, MOST_NEW_WORDS),
        _zone("quoted", quoted, MOST_QUOTED_WORDS),
    )


def grams(zones: Iterable[Zone]) -> set[str]:
    """The rows of one to `LONGEST_KEY` tokens in the zones, as keys of the record index."""
    return {
        " ".join(zone.tokens[at : at + length])
        for zone in zones
        for length in range(1, LONGEST_KEY + 1)
        for at in range(len(zone.tokens) - length + 1)
    }


def participants(mail: ParsedMail) -> list[str]:
    """The addresses in From, Reply-To, To and Cc, lower case, each once."""
    people = (*mail.from_, mail.sender, *mail.reply_to, *mail.to, *mail.cc)
    return list(dict.fromkeys(one.address.lower() for one in people if "@" in one.address))


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
    """Where the records' names are, without the team's own and without parts of longer names."""
    own = {row for text in team.names for name in [name_of(text)] for row in (name.full, name.bare)}
    found: list[Occurrence] = []
    for zone in zones:
        starts: dict[str, list[int]] = {}
        for at, token in enumerate(zone.tokens):
            starts.setdefault(token, []).append(at)
        for record in records:
            for name in names_of(record):
                if not own & {name.full, name.bare}:
                    found += _of_name(record, name, zone, starts)
    return [one for one in found if not _is_inside_longer(one, found)]


def has_code(record: Record, zones: Iterable[Zone]) -> bool:
    """Whether the record's code is in the subject."""
    code = code_of(record)
    rows = (zone.tokens for zone in zones if zone.place == "subject")
    return bool(code) and any(_is_at(row, code, at) for row in rows for at in range(len(row)))


def _zone(place: Place, text: str, most_words: int) -> Zone:
    stems: list[str] = []
    lines: list[int] = []
    stands_out: list[bool] = []
    for word, line, is_out in _written(text):
        if len(stems) >= most_words:
            break
        stems.append(stem(word))
        lines.append(line)
        stands_out.append(is_out)
    row = merged(stems)
    return Zone(
        place,
        tuple(token for token, _ in row),
        tuple(lines[at] for _, at in row),
        tuple(stands_out[at] for _, at in row),
    )


def _written(text: str) -> Iterator[tuple[str, int, bool]]:
    """The folded words of a text, each with its line from 1 and whether it stands out."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in RUN.finditer(line):
            before = line[: match.start()].rstrip(" \t\"'„”“(*_>")[-1:]
            is_out = match.group()[0].isupper() and before not in ("", ".", "!", "?", ":")
            for word in forms(match.group()).words:
                yield word, number, is_out


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


def _is_inside_longer(one: Occurrence, others: Iterable[Occurrence]) -> bool:
    """Whether the place belongs to a longer name: "Plus S.A." in "Beton Plus S.A."."""
    return any(
        other.zone is one.zone
        and other.start <= one.start
        and one.end <= other.end
        and other.end - other.start > one.end - one.start
        for other in others
    )


def _is_public(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) == 2 and labels[0] in _PUBLIC_SECOND_LEVEL and len(labels[1]) == 2
