"""The verbs that end a record: to become part of another, or to be removed (A18)."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.errors import Conflict, Forbidden, Invalid
from app.model import MessageId, Record, RecordId, UserId, Viewer, version_of
from app.records.draft import draft_of, record_version
from app.records.verbs import lower, save, visible
from app.search.analysis import fold
from app.store import Store, audit, filings, record_ends, records, transaction, visibility


@dataclass(frozen=True, slots=True)
class Shift:
    """So many messages come to be read, or not read any more, by so many people.

    Messages that the viewer may not read himself are not counted.
    """

    messages: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge would do; `version` stands for it. `attached` messages move that one may read.

    `is_other_access`: others may see the one record than the other.
    """

    dropped: Record
    kept: Record
    attached: int
    gain: Shift
    loss: Shift
    is_other_access: bool
    version: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removal would do; of `attached` messages `returned` are archived nowhere else."""

    record: Record
    attached: int
    returned: int
    version: str


def plan_merge(store: Store, viewer: Viewer, dropped_id: RecordId, kept_id: RecordId) -> Merge:
    """What it would do to merge a record into another.

    Raises NotFound if the viewer may not see one of them, Forbidden if he does not administer,
    Invalid if the two are one.
    """
    _require_admin(viewer)
    dropped, kept = visible(store, viewer, dropped_id), visible(store, viewer, kept_id)
    if dropped.id == kept.id:
        raise Invalid("into", "Choose another record: this is the same one.")
    ids = sorted(visibility.readable(store, viewer, record_ends.messages_under(store, dropped.id)))
    before = record_ends.who_see(store, dropped.id)
    after = record_ends.who_see(store, kept.id)
    gain, loss = _shifts(store, before ^ after, ids, dropped=dropped.id, kept=kept.id)
    version = version_of(
        record_version(dropped),
        record_version(kept),
        len(ids),
        (gain.messages, gain.people, loss.messages, loss.people),
    )
    return Merge(dropped, kept, len(ids), gain, loss, before != after, version)


def merge_records(
    store: Store,
    viewer: Viewer,
    dropped_id: RecordId,
    kept_id: RecordId,
    *,
    version: str,
    now: datetime,
) -> Record:
    """Make a record part of another, which keeps its type, name and access; gives that one.

    Its mail, aliases, addresses, domains and external ids move; its name, and its code where the
    other has one, become aliases. Its old address leads to the other.

    Raises as `plan_merge`, and Conflict if it would do something else now than `version` showed.
    Effects: one transaction, audited; everything that moved is queued for the index.
    """
    with transaction(store):
        plan = plan_merge(store, viewer, dropped_id, kept_id)
        if plan.version != version:
            raise Conflict("Something changed in the meantime. What would be done is shown anew.")
        dropped, kept = plan.dropped, plan.kept
        moved = record_ends.move_mail(store, dropped=dropped.id, kept=kept.id)
        aliases = _aliases_of(dropped, kept)
        takes_id = not kept.external_id and dropped.type == kept.type
        record_ends.move_marks(
            store, dropped=dropped, kept=kept, aliases=aliases, keeps_id=not takes_id
        )
        record_ends.end(store, dropped.id, merged_into=kept.id, now=now)
        _take_over(store, dropped, kept, by=viewer.user_id, now=now)
        audit.note(
            store,
            "merge records",
            by=viewer.user_id,
            now=now,
            record_id=kept.id,
            merged=_said(dropped),
            messages=moved,
            people_gained=plan.gain.people,
        )
        return kept


def plan_removal(store: Store, viewer: Viewer, record_id: RecordId) -> Removal:
    """What it would do to remove a record. Raises NotFound, Forbidden."""
    _require_admin(viewer)
    record = visible(store, viewer, record_id)
    ids = visibility.readable(store, viewer, record_ends.messages_under(store, record.id))
    returned = len(record_ends.only_under(store, record.id, ids))
    version = version_of(record_version(record), len(ids), returned)
    return Removal(record, len(ids), returned, version)


def remove_record(
    store: Store, viewer: Viewer, record_id: RecordId, *, version: str, now: datetime
) -> None:
    """Remove a record; a message that lies under no other is not archived any more (A18, R70).

    Raises as `plan_removal`, and Conflict as `merge_records`. Effects: one transaction, audited,
    each detached message too.
    """
    with transaction(store):
        plan = plan_removal(store, viewer, record_id)
        if plan.version != version:
            raise Conflict("Something changed in the meantime. What would be done is shown anew.")
        under = record_ends.messages_under(store, record_id)
        for message_id in under:
            _detach(store, viewer, message_id, record_id, now=now)
        record_ends.end(store, record_id, now=now)
        audit.note(
            store,
            "remove record",
            by=viewer.user_id,
            now=now,
            record_id=record_id,
            removed=_said(plan.record),
            messages=len(under),
        )


def _shifts(
    store: Store,
    people: set[UserId],
    ids: list[MessageId],
    *,
    dropped: RecordId,
    kept: RecordId,
) -> tuple[Shift, Shift]:
    """Who of these people would read more of the messages, and who less."""
    gained: set[MessageId] = set()
    lost: set[MessageId] = set()
    gainers = losers = 0
    for user_id in people if ids else ():
        viewer = visibility.viewer_of(store, user_id)
        before = visibility.readable(store, viewer, ids)
        after = record_ends.readable_if_moved(store, viewer, ids, dropped=dropped, kept=kept)
        gainers += bool(after - before)
        losers += bool(before - after)
        gained |= after - before
        lost |= before - after
    return Shift(len(gained), gainers), Shift(len(lost), losers)


def _take_over(store: Store, dropped: Record, kept: Record, *, by: UserId, now: datetime) -> None:
    """The code, external id and notes that the other lacks."""
    (kept,) = records.every(store, [kept.id])
    draft = draft_of(kept)
    if not kept.code and dropped.type == kept.type:
        draft = replace(draft, code=dropped.code)
    if not kept.external_id and dropped.type == kept.type:
        draft = replace(draft, external_id=dropped.external_id)
    if dropped.notes and dropped.notes not in kept.notes:
        draft = replace(draft, notes=f"{kept.notes}\n{dropped.notes}".strip())
    save(store, kept, draft, by=by, now=now)


def _aliases_of(dropped: Record, kept: Record) -> list[str]:
    """The name, and the code where it does not become the other's own."""
    names = [] if fold(dropped.name) == fold(kept.name) else [dropped.name]
    moves = not kept.code and dropped.type == kept.type
    if dropped.code and not moves and lower(dropped.code) != lower(kept.code):
        names.append(dropped.code)
    return names


def _detach(
    store: Store, viewer: Viewer, message_id: MessageId, record_id: RecordId, *, now: datetime
) -> None:
    filings.remove(store, message_id, record_id)
    audit.note(
        store,
        "detach",
        by=viewer.user_id,
        now=now,
        message_id=message_id,
        record_id=record_id,
    )


def _said(record: Record) -> dict[str, str]:
    """A record as the audit names it for good."""
    return {
        "id": record.public_id,
        "type": record.type,
        "name": record.name,
        "code": record.code,
        "external_id": record.external_id,
    }


def _require_admin(viewer: Viewer) -> None:
    if not viewer.is_admin:
        raise Forbidden("Records are merged and removed by administrators who may see them.")
