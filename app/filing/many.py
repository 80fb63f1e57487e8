"""Many messages under one record at once, and back: one transaction, a result for each."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from app.errors import NotFound
from app.filing.one import (
    Readership,
    keepers,
    put,
    readers,
    require_current,
    require_roles,
    take_away,
)
from app.filing.proposed import suggest
from app.model import MessageId, Record, RecordId, RoleId, Suggestion, Viewer
from app.search.suggest import MOST_SUGGESTED
from app.store import Store, filings, records, transaction, visibility

MOST_AT_ONCE: Final = 500
_LOOKED_AT: Final = 8

Outcome = Literal["archived", "attached", "already", "refused", "cleared", "missing"]
"""refused: archived in the meantime, so that the roles chosen for it come too late (R49); cleared:
not archived any more, so that those it was to keep are gone; missing: it is not there, or not for
the viewer to read."""


def plan(
    store: Store, viewer: Viewer, ids: Sequence[MessageId], record_id: RecordId | None
) -> dict[MessageId, Outcome]:
    """What `file_messages` would do to each now; `record_id` is None while none is chosen."""
    readable = visibility.readable(store, viewer, ids)
    return {
        one: _planned(store, one, record_id) if one in readable else "missing"
        for one in dict.fromkeys(ids)
    }


def file_messages(
    store: Store,
    viewer: Viewer,
    ids: Sequence[MessageId],
    make: Callable[[], RecordId],
    *,
    roles: Sequence[RoleId],
    standing: Collection[MessageId],
    now: datetime,
) -> tuple[RecordId, dict[MessageId, Outcome]]:
    """Put messages under the record that `make` names, or makes in the same transaction.

    `roles` restrict those that are archived by it; `standing` are those that were archived before
    the roles were chosen, and keep theirs. Raises NotFound for a record that the viewer may not
    see, Invalid for one that was put away and for roles that are not there; then nothing is saved.
    Effects: one transaction, each filing audited; may be repeated.
    """
    with transaction(store):
        require_roles(store, roles)
        record_id = make()
        found = records.by_ids(store, viewer, [record_id]).get(record_id)
        if found is None:
            raise NotFound
        require_current(found)
        outcomes = plan(store, viewer, ids, record_id)
        for message_id, outcome in outcomes.items():
            is_first = outcome == "archived"
            if outcome == "attached" and roles and message_id not in standing:
                outcomes[message_id] = "refused"
            elif is_first and message_id in standing:
                outcomes[message_id] = "cleared"
            elif outcome in ("archived", "attached"):
                kept = roles if is_first else ()
                put(store, viewer, message_id, record_id, is_first=is_first, roles=kept, now=now)
        return record_id, outcomes


def filed_at(
    store: Store, viewer: Viewer, record_id: RecordId, moment: datetime
) -> list[MessageId]:
    """What the viewer put under the record at that moment, as far as he may read it still."""
    found = filings.put_at(store, viewer, record_id, moment)
    readable = visibility.readable(store, viewer, found)
    return [one for one in found if one in readable]


def unfile_all(
    store: Store, viewer: Viewer, record_id: RecordId, moment: datetime, *, now: datetime
) -> list[MessageId]:
    """Take away what the viewer put under the record at that moment; which they were (R70).

    Raises NotFound for a record that he may not see. Effects: one transaction, audited.
    """
    with transaction(store):
        if record_id not in records.by_ids(store, viewer, [record_id]):
            raise NotFound
        found = filed_at(store, viewer, record_id, moment)
        for message_id in found:
            take_away(store, viewer, message_id, record_id, now=now)
        return found


def readers_of_all(
    store: Store,
    viewer: Viewer,
    ids: Sequence[MessageId],
    record: Record | None,
    roles: Sequence[RoleId],
) -> Readership:
    """As `readers`, of messages that the viewer may read: from the fewest to the most."""
    each = [readers(store, viewer, one, record, roles) for one in filings.unlike(store, ids)]
    return replace(
        max(each, key=lambda one: one.people),
        least=min(one.people for one in each),
        mailboxes=tuple(sorted({name for one in each for name in one.mailboxes})),
        reads_it=all(one.reads_it for one in each),
    )


def keepers_of_all(
    store: Store, viewer: Viewer, ids: Sequence[MessageId], *, is_strict: bool = False
) -> tuple[str, ...]:
    """As `keepers`, of any of the messages."""
    kinds = filings.unlike(store, ids)
    each = [keepers(store, viewer, one, is_strict=is_strict) for one in kinds]
    return tuple(sorted({name for names in each for name in names}))


def suggest_for_all(store: Store, viewer: Viewer, ids: Sequence[MessageId]) -> list[Suggestion]:
    """Records that messages may belong to, those of the most first, of the first few looked at.

    One is preselected if it is for each of them.
    """
    looked = ids[:_LOOKED_AT]
    each = [suggest(store, viewer, one) for one in looked]
    found = {one.record.id: one for suggestions in each for one in suggestions}
    times = Counter(one.record.id for suggestions in each for one in suggestions)
    sure = Counter(one.record.id for some in each for one in some if one.is_preselected)
    ranked = sorted(found.values(), key=lambda one: (-times[one.record.id], -one.score))
    return [
        replace(
            one,
            reasons=(f"It fits {times[one.record.id]} of the first {len(looked)} messages",),
            is_preselected=sure[one.record.id] == len(looked),
        )
        for one in ranked[:MOST_SUGGESTED]
    ]


def _planned(store: Store, message_id: MessageId, record_id: RecordId | None) -> Outcome:
    if not filings.is_archived(store, message_id):
        return "archived"
    if record_id is None or filings.lies_under(store, message_id, record_id) is None:
        return "attached"
    return "already"
