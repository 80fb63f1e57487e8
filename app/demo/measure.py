"""How good the suggestions are on mail whose record is known."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.demo.company import COMPANY, Colleague
from app.demo.mail import DemoMail, RecordKey
from app.demo.setup import message_ids
from app.filing import file_message, suggest
from app.model import MessageId, Viewer
from app.people import viewer_for
from app.records import find_record
from app.store import Store, documents, filings


class Measured(NamedTuple):
    """Shares, 0 to 1. `precision`: of the records filled in, the right ones; `recall`: of the
    mails that belong to a record, those with the right one filled in; `top5`: those with the right
    one among the five offered.
    """

    precision: float
    recall: float
    top5: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One mail: the kind of its texts, its record (None: none), what was filled in and offered."""

    kind: str
    record: RecordKey | None
    filled: RecordKey | None
    offered: tuple[RecordKey, ...]

    @property
    def miss(self) -> str:
        """What went wrong, "": nothing did."""
        if self.filled is not None and self.filled != self.record:
            return "another was filled in" if self.record else "belongs nowhere"
        if self.record is None or self.filled is not None:
            return ""
        return "not filled in" if self.record in self.offered else "not offered"


def judge_cold(store: Store, mails: Iterable[DemoMail]) -> list[Judged]:
    """Each stored mail as it is suggested now, to whoever would file it."""
    return [_judge(store, viewer, *known) for viewer, known in _known(store, mails)]


def judge_in_order(store: Store, mails: Iterable[DemoMail]) -> list[Judged]:
    """Each stored mail as it is suggested on its day, when all mail before it is filed rightly.

    Effects: files each, after it was judged, as somebody does who reads a mailbox that holds it.
    """
    judged = []
    for viewer, (message_id, mail) in _known(store, mails):
        judged.append(_judge(store, viewer, message_id, mail))
        if mail.record is not None and not filings.is_archived(store, message_id):
            kind, name = mail.record
            record = find_record(store, viewer, record_type=kind, name=name)
            file_message(store, viewer, message_id, record.id, now=mail.sent_at)
    return judged


def figures(judged: Iterable[Judged]) -> Measured:
    """1.0 where there was nothing to judge."""
    rows = list(judged)
    filled = [row for row in rows if row.filled is not None]
    wanted = [row for row in rows if row.record is not None]
    right = sum(row.filled == row.record for row in filled)
    offered = sum(row.record in row.offered for row in wanted)
    return Measured(_share(right, filled), _share(right, wanted), _share(offered, wanted))


def misses(judged: Iterable[Judged]) -> list[tuple[str, str, int]]:
    """What went wrong, with the kind of text, and how often: the most frequent first."""
    counted = Counter((row.miss, row.kind) for row in judged if row.miss)
    return [(miss, kind, count) for (miss, kind), count in counted.most_common()]


def _known(
    store: Store, mails: Iterable[DemoMail]
) -> Iterator[tuple[Viewer, tuple[MessageId, DemoMail]]]:
    """The mails that are stored, oldest first, each with who would file it."""
    stored = message_ids(store, documents.all_message_ids(store))
    viewers = {person.address: viewer_for(store, person.address) for person in COMPANY.people}
    for mail in mails:
        message_id = stored.get(mail.internet_message_id)
        if message_id is not None:
            yield viewers[_clerk(mail).address], (message_id, mail)


def _clerk(mail: DemoMail) -> Colleague:
    """Somebody who reads a mailbox that holds the mail and may see its record."""
    record = None if mail.record is None else COMPANY.record(*mail.record)
    boxes = [COMPANY.by_address[copy.mailbox] for copy in mail.deliveries]
    people = [COMPANY.person(address) for box in boxes for address in box.users]
    return next(
        one for one in people if not record or not record.roles or {*one.roles} & {*record.roles}
    )


def _judge(store: Store, viewer: Viewer, message_id: MessageId, mail: DemoMail) -> Judged:
    found = suggest(store, viewer, message_id)
    offered = [(one.record.type, one.record.name) for one in found]
    filled = [key for key, one in zip(offered, found, strict=True) if one.is_preselected]
    return Judged(mail.kind, mail.record, filled[0] if filled else None, tuple(offered))


def _share(part: int, whole: list[Judged]) -> float:
    return part / len(whole) if whole else 1.0
