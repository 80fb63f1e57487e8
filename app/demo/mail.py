"""The demo company's mail, as many as wanted: the same for the same seed, number and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from app.demo.company import COMPANY, MANAGER, OFFICE, DemoMailbox, FolderUse
from app.demo.post import Sent, Thread, begin, delivered, kept, reached, soon_after, write
from app.demo.stories import FRESH, cast, next_story

SPAN = timedelta(days=1096)
SHORTEST_SPAN = timedelta(days=21)
MOST_FRESH = 25
FRESH_FOR = timedelta(days=3)
RecordKey = tuple[str, str]
"""A record's type and name."""

_MAILS_PER_DAY = 1.8
_FRESH_KINDS = (
    *("companies",) * 6, "two", "projects", "warehouse", *("companies",) * 4, "two", "contacts",
    "projects", "companies", "companies", "warehouse", "two", "projects", "companies", "contacts",
    "projects", "warehouse",
)  # fmt: skip
_DAY_WEIGHTS = (1.1, 1.15, 1.05, 1.0, 0.85, 0.06, 0.03)
_ANSWER_MINUTES = (8, 25, 70, 180, 420, 1_300, 2_700, 4_200)


@dataclass(frozen=True, slots=True)
class DemoDelivery:
    """One copy: where it lies, its exact bytes, its IMAP flags, and its INTERNALDATE (UTC)."""

    mailbox: str
    folder: str
    raw: bytes
    flags: tuple[str, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class DemoFiling:
    """That a mail is in the archive from the start: who put it there, and for which roles."""

    by: str
    roles: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class DemoMail:
    """A mail with its copies, in the order that their UIDs have, and the truth about it.

    `record` is what it belongs to, None: nowhere. `defects` are those that a parser must find.
    `kind` names the texts that it was written from.
    """

    internet_message_id: str
    sent_at: datetime
    language: str
    deliveries: tuple[DemoDelivery, ...]
    record: RecordKey | None
    filing: DemoFiling | None
    is_fresh: bool
    is_skipped: bool
    defects: tuple[str, ...]
    kind: str


def generate(*, messages: int, seed: int, end: datetime) -> Iterator[DemoMail]:
    """`messages` mails in the order of their dates, the last one minutes before `end` (UTC).

    They are made one by one: memory does not grow with their number.
    """
    random = Random(f"letterbook {seed} {messages} {end.isoformat()}")  # noqa: S311  # no secret
    end = end.replace(microsecond=0)
    fresh = min(MOST_FRESH, messages // 2)
    yield from _older(messages - fresh, end, random)
    for number in range(fresh):
        back = fresh - 1 - number
        at = end - timedelta(minutes=6 + 5 * back * back, seconds=int(random.random() * 59))
        kind = _FRESH_KINDS[number % len(_FRESH_KINDS)]
        yield _fresh(kind, at, f"f{number}", random)


def fresh_mail(seed: int, n: int, now: datetime) -> DemoMail:
    """The n-th mail that arrives while the demo runs, unread and unfiled, with a clear name."""
    random = Random(f"letterbook live {seed} {n}")  # noqa: S311  # no secret
    kind = _FRESH_KINDS[int(random.random() * len(_FRESH_KINDS))]
    return _fresh(kind, now.replace(microsecond=0), f"live{n}", random)


def _older(messages: int, end: datetime, random: Random) -> Iterator[DemoMail]:
    waiting: list[tuple[datetime, int, Thread]] = []
    for serial, at in enumerate(_moments(messages, end, random)):
        if waiting and waiting[0][0] <= at:
            thread = heappop(waiting)[2]
        else:
            thread = begin(cast(next_story(random), at, random), at, random)
            thread.is_filed = random.random() < 0.245
        step = thread.next_step
        if step is None:  # pragma: no cover  # a story waits only for a step it has
            continue
        sent = write(thread, step, at, str(serial), random)
        following = thread.next_step
        if following is not None and random.random() < following.chance:
            minutes = _ANSWER_MINUTES[int(random.random() * len(_ANSWER_MINUTES))]
            heappush(waiting, (at + timedelta(minutes=minutes), serial, thread))
        yield _posted(sent, thread, end, random)


def _moments(messages: int, end: datetime, random: Random) -> Iterator[datetime]:
    """When mails are sent: in working hours, fewer at weekends, more as the firm grows."""
    last = end - FRESH_FOR
    wanted = timedelta(days=messages / _MAILS_PER_DAY)
    days = min(SPAN, max(SHORTEST_SPAN, wanted)).days
    first = last - timedelta(days=days)
    weights = [
        _DAY_WEIGHTS[(first + timedelta(days=day)).weekday()] * (0.75 + 0.5 * day / days)
        for day in range(days)
    ]
    total, reach, done = sum(weights), 0.0, 0
    for day, weight in enumerate(weights):
        reach += weight
        upto = round(messages * reach / total)
        morning = (first + timedelta(days=day)).replace(hour=5, minute=20, second=0)
        # Two throws make a peak before noon; the day ends at 17:00 or so.
        seconds = [int((random.random() + random.random()) * 19_000) for _ in range(upto - done)]
        yield from (morning + timedelta(seconds=second) for second in sorted(seconds))
        done = upto


def _fresh(kind: str, at: datetime, serial: str, random: Random) -> DemoMail:
    thread = begin(cast(FRESH[kind], at, random), at, random)
    sent = write(thread, thread.cast.story.steps[0], at, serial, random)
    copies = [
        _delivery(sent, mailbox, mailbox.folder("inbox"), (), random) for mailbox in reached(sent)
    ]
    return _mail(sent, thread.cast.language, copies, None, is_fresh=True)


def _posted(sent: Sent, thread: Thread, end: datetime, random: Random) -> DemoMail:
    story = thread.cast.story
    age = end - sent.at
    copies: list[DemoDelivery] = []
    for mailbox in reached(sent):
        for use in _folders(mailbox, thread, random):
            flags = _flags(age, random)
            if copies and copies[-1].mailbox == mailbox.address:
                before = copies[-1]
                name = mailbox.folder(use)
                copies.append(DemoDelivery(mailbox.address, name, before.raw, flags,
                                           before.received_at))  # fmt: skip
                continue
            copies.append(_delivery(sent, mailbox, mailbox.folder(use), flags, random))
    own = COMPANY.mailbox_of(sent.sender)
    if own is not None:
        raw, folder = kept(sent, random), own.folder("sent")
        copies.append(DemoDelivery(own.address, folder, raw, ("\\Seen",), sent.at))
    is_skipped = story.folder != "inbox"
    filing = None
    if thread.is_filed and not is_skipped and age > FRESH_FOR * 2:
        filing = _filing(sent, copies, random)
    return _mail(sent, thread.cast.language, copies, filing, is_skipped=is_skipped)


def _folders(mailbox: DemoMailbox, thread: Thread, random: Random) -> list[FolderUse]:
    """Where a mail lies: people sort some of it away, and copy some."""
    story = thread.cast.story
    if story.folder != "inbox":
        return [story.folder]
    use: FolderUse = "projects" if story.about == "projects" else "invoices"
    is_paper = story.steps[0].piece in ("invoice", "reminder") or use == "projects"
    chance = random.random()
    if not is_paper or not mailbox.has(use) or chance > 0.4:
        return ["inbox"]
    return ["inbox", use] if chance < 0.08 else [use]


def _delivery(
    sent: Sent, mailbox: DemoMailbox, folder: str, flags: tuple[str, ...], random: Random
) -> DemoDelivery:
    received_at = soon_after(sent.at, random)
    raw = delivered(sent, mailbox, received_at, random)
    return DemoDelivery(mailbox.address, folder, raw, flags, received_at)


def _flags(age: timedelta, random: Random) -> tuple[str, ...]:
    flags = []
    if random.random() < (0.985 if age > timedelta(days=20) else 0.7):
        flags.append("\\Seen")
        if random.random() < 0.12:
            flags.append("\\Answered")
    if random.random() < 0.03:
        flags.append("\\Flagged")
    return tuple(flags)


def _filing(sent: Sent, copies: list[DemoDelivery], random: Random) -> DemoFiling | None:
    """Who filed it: somebody of its mailboxes who may see the record."""
    if sent.record is None or random.random() > 0.75:
        return None
    record = COMPANY.record(*sent.record)
    for copy in copies:
        mailbox = COMPANY.by_address[copy.mailbox]
        people = [COMPANY.person(address) for address in mailbox.users]
        able = [one for one in people if not record.roles or set(one.roles) & set(record.roles)]
        if able:
            by = able[int(random.random() * len(able))].address
            chance = random.random()
            roles = (MANAGER,) if chance < 0.06 else (OFFICE, MANAGER) if chance < 0.12 else ()
            return DemoFiling(by, roles, sent.at + timedelta(hours=1 + int(random.random() * 30)))
    return None


def _mail(
    sent: Sent,
    language: str,
    copies: list[DemoDelivery],
    filing: DemoFiling | None,
    *,
    is_fresh: bool = False,
    is_skipped: bool = False,
) -> DemoMail:
    return DemoMail(
        internet_message_id=sent.internet_message_id,
        sent_at=sent.at,
        language=language,
        deliveries=tuple(copies),
        record=sent.record,
        filing=filing,
        is_fresh=is_fresh,
        is_skipped=is_skipped,
        defects=sent.defects,
        kind=sent.kind,
    )
