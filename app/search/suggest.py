"""Which records a message may belong to, with the reasons in words (search.md, R42, R43)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from math import prod

from app.mail import ParsedMail
from app.model import MessageId, Record, RecordId, Suggestion, Team, Viewer
from app.search.evidence import (
    Occurrence,
    Zone,
    domains,
    grams,
    has_code,
    occurrences,
    participants,
    zones_of,
)
from app.search.index import RecordIndex
from app.store import documents, filings, records, visibility
from app.store import team as teams
from app.store.database import Store

MOST_SUGGESTED = 5
MOST_QUEUED = 200

THREAD_WEIGHT = 0.95
CODE_WEIGHT = 0.95
ADDRESS_WEIGHT = 0.90
DOMAIN_WEIGHT = 0.75
SURE = 0.70
LEAD = 0.15


@dataclass(slots=True, eq=False)
class _Case:
    """What speaks for one record. `is_pointed_at`: by thread, code or a participant's address."""

    record: Record
    weights: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    is_pointed_at: bool = False
    is_named_company: bool = False

    def add(self, weight: float, reason: str) -> None:
        self.weights.append(weight)
        self.reasons.append(reason)

    @property
    def score(self) -> float:
        return round(1 - prod(1 - weight for weight in self.weights), 4)


def suggest(store: Store, viewer: Viewer, message_id: MessageId) -> list[Suggestion]:
    """The records that a readable message may belong to, at most five, the best one first.

    At most one is preselected; empty if nothing speaks for any, or the viewer may not read it.
    """
    if not visibility.readable(store, viewer, [message_id]):
        return []
    found = documents.message_documents(store, [message_id])
    if not found:
        return []
    mail, team = found[0].mail, teams.get(store)
    zones = zones_of(mail)
    filed = filings.thread_records(store, viewer, message_id)
    ids = {*filed, *_candidates(store, viewer, mail, zones, team)}
    visible = [
        record for record in records.by_ids(store, viewer, ids).values() if not record.archived_at
    ]
    cases = {record.id: _Case(record) for record in visible}
    _weigh_thread(cases, filed)
    _weigh_codes(cases, zones)
    _weigh_people(cases, participants(mail), team)
    _weigh_names(cases, occurrences(visible, zones, team))
    return _choose([case for case in cases.values() if case.score > 0])


def _candidates(
    store: Store, viewer: Viewer, mail: ParsedMail, zones: Collection[Zone], team: Team
) -> list[RecordId]:
    """Records with a name, address or domain of the message, and those not indexed yet."""
    addresses = participants(mail)
    index = RecordIndex.open(store.directory / "index")
    indexed = index.candidates(
        visibility.scopes_of_viewer(viewer),
        names=grams(zones),
        addresses=addresses,
        domains=domains(addresses, team),
    )
    return [*indexed, *documents.queued_record_ids(store, limit=MOST_QUEUED)]


# -- what speaks for a record


def _weigh_thread(cases: dict[RecordId, _Case], filed: Iterable[RecordId]) -> None:
    for record_id in filed:
        if record_id in cases:
            cases[record_id].is_pointed_at = True
            cases[record_id].add(
                THREAD_WEIGHT, "Another message of this conversation is attached to it"
            )


def _weigh_codes(cases: dict[RecordId, _Case], zones: Collection[Zone]) -> None:
    for case in cases.values():
        if has_code(case.record, zones):
            case.is_pointed_at = True
            case.add(CODE_WEIGHT, f'Code "{case.record.code}" is in the subject')


def _weigh_people(cases: dict[RecordId, _Case], addresses: list[str], team: Team) -> None:
    others = domains(addresses, team)
    for case in cases.values():
        known = {address.lower() for address in case.record.addresses}
        address = next((one for one in addresses if one in known), None)
        if address is not None:
            case.is_pointed_at = True
            case.add(ADDRESS_WEIGHT, f"{address} is an address of this record")
            continue
        domain = next((one for one in map(str.lower, case.record.domains) if one in others), None)
        if domain is not None:
            case.add(DOMAIN_WEIGHT, f"{others[domain]} is in this record's domain {domain}")


def _weigh_names(cases: dict[RecordId, _Case], found: Iterable[Occurrence]) -> None:
    best: dict[RecordId, Occurrence] = {}
    for one in found:
        case = cases[one.record.id]
        case.is_named_company |= one.is_whole and one.record.type == "companies"
        if one.weight > (best[one.record.id].weight if one.record.id in best else 0):
            best[one.record.id] = one
    for record_id, one in best.items():
        cases[record_id].add(one.weight, _said(one))


def _said(one: Occurrence) -> str:
    what = "Company name" if one.record.type == "companies" else "Name"
    what = what if one.name.text == one.record.name else "Alias"
    part = "" if one.kind == "full" else ", without its legal form,"
    where = {
        "subject": "in the subject",
        "text": f"in line {one.zone.lines[one.start]} of the text",
        "quoted": "in the quoted text or the signature",
    }[one.zone.place]
    return f'{what} "{one.name.text}"{part} is {where}'


# -- which one is filled in


def _choose(cases: list[_Case]) -> list[Suggestion]:
    """The five best, in the order they are offered, one of them preselected where it is clear."""
    ranked = sorted(cases, key=lambda case: (-case.score, case.record.name, case.record.id))
    companies = [case for case in ranked if case.is_named_company]
    pointed = [case for case in ranked if case.is_pointed_at]
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
