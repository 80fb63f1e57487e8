"""How good the suggestions are on mail whose record is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from app.demo.mail import DemoMail, RecordKey
from app.demo.setup import message_ids
from app.filing import suggest
from app.model import MessageId, Viewer
from app.store import Store, documents, users, visibility


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
    """One mail: its record (None: none), what was filled in, and what was offered."""

    internet_message_id: str
    message_id: MessageId
    record: RecordKey | None
    filled: RecordKey | None
    offered: tuple[RecordKey, ...]


def truth_of(mails: Iterable[DemoMail]) -> dict[str, RecordKey | None]:
    """The record of each mail by Message-ID, without mail in skipped folders."""
    return {mail.internet_message_id: mail.record for mail in mails if not mail.is_skipped}


def measure_suggestions(
    store: Store, truth: Mapping[str, RecordKey | None], *, sample: int = 400, seed: int = 1
) -> Measured:
    """The figures over a sample of the stored mails in `truth`, those of no record included."""
    return figures(judge_suggestions(store, truth, sample=sample, seed=seed))


def judge_suggestions(
    store: Store, truth: Mapping[str, RecordKey | None], *, sample: int = 400, seed: int = 1
) -> list[Judged]:
    """Each mail of the sample, as it is suggested to somebody who may read it."""
    stored = message_ids(store, documents.all_message_ids(store))
    known = sorted(key for key in truth if key in stored)
    chosen = Random(seed).sample(known, min(sample, len(known)))  # noqa: S311  # no secret
    viewers = _viewers(store)
    judged = []
    for internet_message_id in chosen:
        message_id = stored[internet_message_id]
        viewer = _reader(store, viewers, message_id)
        if viewer is not None:
            record = truth[internet_message_id]
            judged.append(_judge(store, viewer, message_id, internet_message_id, record))
    return judged


def figures(judged: Iterable[Judged]) -> Measured:
    """1.0 where there was nothing to judge."""
    rows = list(judged)
    filled = [row for row in rows if row.filled is not None]
    wanted = [row for row in rows if row.record is not None]
    right = sum(row.filled == row.record for row in filled)
    offered = sum(row.record in row.offered for row in wanted)
    return Measured(_share(right, filled), _share(right, wanted), _share(offered, wanted))


def _viewers(store: Store) -> list[Viewer]:
    """Everybody, those with the most roles and mailboxes first."""
    found = [visibility.viewer_of(store, user.id) for user in users.all_active(store)]
    return sorted(found, key=lambda one: (-len(one.roles), -len(one.accounts), one.user_id))


def _reader(store: Store, viewers: Iterable[Viewer], message_id: MessageId) -> Viewer | None:
    return next((one for one in viewers if visibility.readable(store, one, [message_id])), None)


def _judge(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    internet_message_id: str,
    record: RecordKey | None,
) -> Judged:
    found = suggest(store, viewer, message_id)
    offered = tuple((one.record.type, one.record.name) for one in found)
    filled = next(
        (key for key, one in zip(offered, found, strict=True) if one.is_preselected), None
    )
    return Judged(internet_message_id, message_id, record, filled, offered)


def _share(part: int, whole: list[Judged]) -> float:
    return part / len(whole) if whole else 1.0
