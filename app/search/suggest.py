"""Which records a message may belong to, with the reasons in words (search.md, R42, R43)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from app.mail import ParsedMail
from app.model import MessageId, Record, RecordId, Suggestion, Team, Viewer
from app.search.evidence import (
    BARE_WEIGHT,
    Occurrence,
    Place,
    Zone,
    bare_subject,
    code_place,
    domains,
    grams,
    is_own,
    occurrences,
    outermost,
    participants,
    parts,
    zones_of,
)
from app.search.index import RecordIndex
from app.search.names import parts_of, proper_parts_of
from app.store import decisions, documents, records, threads, visibility
from app.store import team as teams
from app.store.database import Store
from app.store.decisions import HABIT, Filed, Refused

MOST_SUGGESTED = 5
MOST_QUEUED = 200
MOST_OF_THREAD = 8

THREAD_WEIGHT = 0.95
FURTHER_THREAD_WEIGHT = 0.60
DRIFTING_WEIGHT = 0.70
CODE_WEIGHTS: dict[Place, float] = {"subject": 0.95, "text": 0.60}
ADDRESS_WEIGHT = 0.90
DOMAIN_WEIGHT = 0.75
ASIDE = 0.6
"""What is left of an address or a domain that only takes part."""
KIND_WEIGHT = 0.35
HABITS = {
    1: (0.30, "last e-mail was"),
    2: (0.45, "last two e-mails were"),
    3: (0.60, "last three e-mails were"),
}
PART_WEIGHTS: dict[Place, float] = {"subject": 0.60, "text": 0.50}
SHARED_PART_WEIGHT = 0.35
AMONG_US_WEIGHTS: dict[Place, float] = {"subject": 0.70, "text": 0.60}
MOST_RARE = 3
SURE = 0.70
LEAD = 0.15
AGAINST = {"thread": 0.4, "sender": 0.7}


@dataclass(slots=True, eq=False)
class _Case:
    """What speaks for one record. `is_pointed_at`: by thread, code or a participant's address.

    `is_mentioned`: the subject or the new text names it. `is_doubted`: people took such mail from
    it before; `against` is what is left of its score.
    """

    record: Record
    weights: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    is_pointed_at: bool = False
    is_named_company: bool = False
    against: float = 1.0
    is_doubted: bool = False
    is_named: bool = False
    is_mentioned: bool = False

    def add(self, weight: float, reason: str) -> None:
        self.weights.append(weight)
        self.reasons.append(reason)

    @property
    def score(self) -> float:
        return round((1 - prod(1 - weight for weight in self.weights)) * self.against, 4)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message and what is to be compared of it; `telling` are words that may be part of a name.

    `is_outside`: somebody wrote it who is not of the team; `is_among_us`: nobody else takes part.
    """

    mail: ParsedMail
    team: Team
    zones: tuple[Zone, ...]
    people: dict[str, bool]
    telling: dict[str, Zone]
    is_outside: bool
    is_among_us: bool

    @property
    def sender(self) -> str:
        return self.mail.sender.name or self.mail.sender.address


def suggest(store: Store, viewer: Viewer, message_id: MessageId) -> list[Suggestion]:
    """The records that a readable message may belong to, at most five, the best one first.

    At most one is preselected; empty if nothing speaks for any, or the viewer may not read it.
    """
    conversation = threads.conversation(store, viewer, message_id)
    mail = documents.mail_of(store, message_id) if conversation else None
    if mail is None:
        return []
    asked = _asked(mail, teams.get(store))
    thread = decisions.of_thread(store, viewer, conversation, message_id, most=MOST_OF_THREAD)
    habit = decisions.of_sender(store, viewer, message_id)
    rare, ids = _candidates(store, viewer, asked)
    ids |= {one for filed in (*thread, *habit) for one in filed.records}
    current = _current(store, viewer, ids)
    cases = _cases(asked, current, occurrences(current, asked.zones, asked.team))
    _weigh_parts(cases, asked, rare)
    _weigh_thread(cases, thread, asked)
    if asked.is_outside:
        _weigh_habit(cases, asked, habit)
    else:
        _weigh_kind(store, viewer, cases, asked, habit)
    for refused in decisions.refused(store, viewer, conversation, message_id):
        if asked.is_outside or refused.by == "thread":
            _weigh_against(cases, refused, thread if refused.by == "thread" else habit)
    return _choose([case for case in cases.values() if case.score > 0])


def passed_over(
    store: Store, viewer: Viewer, message_id: MessageId, chosen: RecordId
) -> list[RecordId]:
    """The records that the message alone would have had filled in rather than the chosen one.

    What other mail and records say does not count: else who may not see those would learn of them
    from what is learned here. Empty if the viewer may not read the message.
    """
    is_readable = visibility.readable(store, viewer, [message_id])
    mail = documents.mail_of(store, message_id) if is_readable else None
    if mail is None:
        return []
    asked = _asked(mail, teams.get(store))
    found = _current(store, viewer, {chosen, *_candidates(store, viewer, asked)[1]})
    there: dict[RecordId, list[Occurrence]] = {one.id: [] for one in found}
    for one in occurrences(found, asked.zones, asked.team):
        there[one.record.id].append(one)
    (right,) = [one for one in found if one.id == chosen]
    return [one.id for one in found if one is not right and _is_filled(asked, one, right, there)]


def _is_filled(
    asked: _Asked, one: Record, other: Record, there: Mapping[RecordId, Sequence[Occurrence]]
) -> bool:
    """Whether the message alone has `one` filled in, were there no record but these."""
    cases = _cases(asked, [one, other], [*there[one.id], *there[other.id]])
    return any(x.is_preselected and x.record is one for x in _choose([*cases.values()]))


def _current(store: Store, viewer: Viewer, ids: Iterable[RecordId]) -> list[Record]:
    """Those of the records that may be suggested."""
    return [one for one in records.by_ids(store, viewer, ids).values() if not one.archived_at]


def _cases(
    asked: _Asked, found: Iterable[Record], there: Iterable[Occurrence]
) -> dict[RecordId, _Case]:
    """What the message alone says for each record; `there` is where their names are in it."""
    cases = {one.id: _Case(one) for one in found}
    _weigh_names(cases, asked, outermost(there))
    _weigh_codes(cases, asked.zones)
    _weigh_people(cases, asked)
    return cases


def _asked(mail: ParsedMail, team: Team) -> _Asked:
    zones, people = zones_of(mail), participants(mail, team)
    return _Asked(
        mail,
        team,
        zones,
        people,
        telling=parts(zones, team),
        is_outside=not is_own(mail.sender.address, team),
        is_among_us=bool(people) and all(is_own(one, team) for one in people),
    )


def _candidates(
    store: Store, viewer: Viewer, asked: _Asked
) -> tuple[dict[str, list[RecordId]], set[RecordId]]:
    """Which few records have a telling word in a name; and all records to look at.

    They have a name, part of one, an address or a domain of the message, or are not indexed yet.
    """
    index = RecordIndex.open(store.directory / "index")
    scopes = visibility.scopes_of_viewer(viewer)
    rare = index.rare_parts(scopes, asked.telling)
    found = index.candidates(
        scopes,
        names=grams(asked.zones),
        addresses=asked.people,
        domains=domains(asked.people, asked.team),
    )
    queued = documents.queued_record_ids(store, limit=MOST_QUEUED)
    return rare, {*found, *queued, *(one for some in rare.values() for one in some)}


# -- what speaks for a record


def _weigh_thread(cases: dict[RecordId, _Case], thread: Sequence[Filed], asked: _Asked) -> None:
    """The nearest filed mail of the conversation points to its records, the others do less.

    So does the nearest, where the conversation goes on under another subject, or among us about
    another company.
    """
    weighed: set[RecordId] = set()
    others = {case.record.id for case in cases.values() if case.is_mentioned}
    for number, filed in enumerate(thread):
        is_near = number == 0 and bare_subject(filed.subject) == bare_subject(asked.mail.subject)
        weight = THREAD_WEIGHT if is_near else FURTHER_THREAD_WEIGHT
        if is_near and asked.is_among_us and others and others.isdisjoint(filed.records):
            weight = DRIFTING_WEIGHT
        for record_id in filed.records:
            if record_id in cases and record_id not in weighed:
                weighed.add(record_id)
                cases[record_id].is_pointed_at |= is_near
                cases[record_id].add(
                    weight, "Another message of this conversation is attached to it"
                )


def _weigh_codes(cases: dict[RecordId, _Case], zones: Collection[Zone]) -> None:
    for case in cases.values():
        place = code_place(case.record, zones)
        if place is not None:
            case.is_pointed_at |= place == "subject"
            where = "the subject" if place == "subject" else "the text"
            case.add(CODE_WEIGHTS[place], f'Code "{case.record.code}" is in {where}')


def _weigh_people(cases: dict[RecordId, _Case], asked: _Asked) -> None:
    people, others = asked.people, domains(asked.people, asked.team)
    for case in cases.values():
        known = {address.lower() for address in case.record.addresses}
        address = next((one for one in people if one in known), None)
        if address is not None:
            is_main = people[address]
            case.is_pointed_at |= is_main
            case.add(
                ADDRESS_WEIGHT * (1 if is_main else ASIDE),
                f"{address} is an address of this record",
            )
            continue
        domain = next((one for one in map(str.lower, case.record.domains) if one in others), None)
        if domain is not None:
            address = others[domain]
            case.add(
                DOMAIN_WEIGHT * (1 if people[address] else ASIDE),
                f"{address} is in this record's domain {domain}",
            )


def _weigh_habit(cases: dict[RecordId, _Case], asked: _Asked, habit: Sequence[Filed]) -> None:
    """Where all of the sender's last filed mails lie, three at most."""
    counts: dict[RecordId, int] = {}
    for filed in habit:
        for record_id in filed.records:
            counts[record_id] = counts.get(record_id, 0) + 1
    for record_id, count in counts.items():
        if record_id in cases and count == len(habit):
            weight, said = HABITS[count]
            cases[record_id].add(weight, f"{asked.sender}'s {said} filed there")


def _weigh_kind(
    store: Store,
    viewer: Viewer,
    cases: dict[RecordId, _Case],
    asked: _Asked,
    habit: Sequence[Filed],
) -> None:
    """A colleague writes about many records, but some write about one kind of them."""
    if len(habit) < HABIT:
        return
    found = records.by_ids(store, viewer, {one for filed in habit for one in filed.records})
    kinds = [{found[one].type for one in filed.records if one in found} for filed in habit]
    common = set.intersection(*kinds)
    if len(common) != 1:
        return
    (kind,) = common
    title = next((one.plural for one in records.types(store) if one.key == kind), kind)
    for case in cases.values():
        if case.record.type == kind and case.weights:
            case.add(KIND_WEIGHT, f"{asked.sender}'s last three e-mails were filed under {title}")


def _weigh_names(cases: dict[RecordId, _Case], asked: _Asked, found: Iterable[Occurrence]) -> None:
    """What each record's name weighs where it weighs most."""
    best: dict[RecordId, tuple[float, str]] = {}
    for one in found:
        case, weight = cases[one.record.id], one.weight
        case.is_named_company |= one.is_whole and one.record.type == "companies"
        if asked.is_among_us and weight == BARE_WEIGHT and one.record.type == "companies":
            weight = AMONG_US_WEIGHTS.get(one.zone.place, weight)
        if weight > best.get(one.record.id, (0.0, ""))[0]:
            best[one.record.id] = weight, _said(one)
            is_new = one.zone.place in ("subject", "text")
            case.is_mentioned |= is_new and one.record.type == "companies" and not one.is_whole
    for record_id, (weight, reason) in best.items():
        cases[record_id].is_named = True
        cases[record_id].add(weight, reason)


def _weigh_parts(
    cases: dict[RecordId, _Case], asked: _Asked, rare: Mapping[str, Sequence[RecordId]]
) -> None:
    """A word that hardly another visible record has in its names, for records not named whole."""
    weights = AMONG_US_WEIGHTS if asked.is_among_us else PART_WEIGHTS
    best: dict[RecordId, tuple[float, str]] = {}
    for token, ids in rare.items():
        holders = [one for one in ids if one in cases and token in parts_of(cases[one].record)]
        if len(holders) > MOST_RARE:
            continue
        zone, weight = asked.telling[token], SHARED_PART_WEIGHT
        if len(holders) == 1 and token in proper_parts_of(cases[holders[0]].record):
            weight = weights[zone.place]
        for one in holders:
            if not cases[one].is_named and weight > best.get(one, (0.0, ""))[0]:
                best[one] = weight, f"A word of its name is in the {zone.place}"
    for one, (weight, reason) in best.items():
        cases[one].is_mentioned |= cases[one].record.type == "companies"
        cases[one].add(weight, reason)


def _weigh_against(cases: dict[RecordId, _Case], refused: Refused, since: Iterable[Filed]) -> None:
    """What people said no to for such mail, unless they filed such mail there since."""
    case = cases.get(refused.record_id)
    if case is None:
        return
    case.is_doubted = True
    if all(filed.records.get(refused.record_id, -1) < refused.at for filed in since):
        case.against = min(case.against, AGAINST[refused.by])


def _said(one: Occurrence) -> str:
    what = "Company name" if one.record.type == "companies" else "Name"
    what = what if one.name.text == one.record.name else "Alias"
    part = "" if one.kind == "full" else ", without its legal form,"
    where = {
        "subject": "in the subject",
        "text": f"in line {one.zone.lines[one.start]} of the text",
        "quoted": "in the quoted text or the signature",
        "people": "the sender's",
    }[one.zone.place]
    return f'{what} "{one.name.text}"{part} is {where}'


# -- which one is filled in


def _choose(cases: list[_Case]) -> list[Suggestion]:
    """The five best, in the order they are offered, one of them preselected where it is clear."""
    ranked = sorted(cases, key=lambda case: (-case.score, case.record.name, case.record.id))
    companies = [case for case in ranked if case.is_named_company and not case.is_doubted]
    pointed = [case for case in ranked if case.is_pointed_at and case.against == 1]
    chosen: _Case | None
    if len(companies) > 1:
        chosen = _clear(pointed) if len(pointed) == 1 else None
        first = [*pointed, *(c for c in companies if c is not chosen)] if chosen else companies
    elif companies and pointed and not companies[0].is_pointed_at:
        chosen = _clear(pointed)
        first = [pointed[0], companies[0]] if chosen else [*pointed, companies[0]]
    elif companies:
        first, chosen = companies, companies[0]
    else:
        first, chosen = [], _clear(ranked)
    ordered = [*first, *(case for case in ranked if case not in first)]
    return [_suggestion(case, is_chosen=case is chosen) for case in ordered[:MOST_SUGGESTED]]


def _clear(ranked: list[_Case]) -> _Case | None:
    """The best case, if it is good enough and well before the next one."""
    if not ranked or ranked[0].score < SURE:
        return None
    if len(ranked) > 1 and ranked[0].score - ranked[1].score < LEAD:
        return None
    return ranked[0]


def _suggestion(case: _Case, *, is_chosen: bool) -> Suggestion:
    by_weight = sorted(zip(case.weights, case.reasons, strict=True), key=lambda pair: -pair[0])
    reasons = tuple(reason for _, reason in by_weight)
    return replace(Suggestion(case.record, case.score, reasons), is_preselected=is_chosen)
