"""Not for the archive: messages that people set aside in their own mailboxes (A2)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.errors import Invalid, NotFound
from app.filing.one import require_readable
from app.model import AccountId, MessageId, Viewer
from app.store import Store, audit, filings, holdings, transaction


def set_aside(store: Store, viewer: Viewer, message_id: MessageId, *, now: datetime) -> bool:
    """Put a message aside in the viewer's own mailboxes: it is not for the archive.

    False if it lay aside already. Raises NotFound if he may not read it or none of his mailboxes
    holds it, Invalid if it is archived. Effects: one transaction, audited; nothing is deleted.
    """
    with transaction(store):
        return _set_aside(store, viewer, message_id, now=now)


def set_all_aside(
    store: Store, viewer: Viewer, ids: Sequence[MessageId], *, now: datetime
) -> list[MessageId]:
    """Put those of the messages aside that can be; which they were. Effects: as `set_aside`."""
    return _each(store, ids, lambda one: _set_aside(store, viewer, one, now=now))


def take_back(store: Store, viewer: Viewer, message_id: MessageId, *, now: datetime) -> bool:
    """Undo `set_aside`: it waits in the queue again. False if it did not lie aside.

    Raises NotFound as `set_aside`. Effects: one transaction, audited.
    """
    with transaction(store):
        return _take_back(store, viewer, message_id, now=now)


def take_all_back(
    store: Store, viewer: Viewer, ids: Sequence[MessageId], *, now: datetime
) -> list[MessageId]:
    """Take those of the messages back that lie aside; which they were. Effects: as `take_back`."""
    return _each(store, ids, lambda one: _take_back(store, viewer, one, now=now))


def _each(
    store: Store, ids: Sequence[MessageId], do: Callable[[MessageId], bool]
) -> list[MessageId]:
    """Those of the messages with which it was done, in one transaction."""
    done = []
    with transaction(store):
        for message_id in ids:
            try:
                if do(message_id):
                    done.append(message_id)
            except (Invalid, NotFound):
                continue
    return done


def _set_aside(store: Store, viewer: Viewer, message_id: MessageId, *, now: datetime) -> bool:
    held = _require_held(store, viewer, message_id)
    if filings.is_archived(store, message_id):
        raise Invalid("message", "It is archived already. Detach it from its records first.")
    if not holdings.set_aside(store, message_id, held, by=viewer.user_id, now=now):
        return False
    _note(store, viewer, message_id, "set aside", held, now=now)
    return True


def _take_back(store: Store, viewer: Viewer, message_id: MessageId, *, now: datetime) -> bool:
    held = _require_held(store, viewer, message_id)
    if not holdings.take_back(store, message_id, held):
        return False
    _note(store, viewer, message_id, "take back", held, now=now)
    return True


def _require_held(store: Store, viewer: Viewer, message_id: MessageId) -> list[AccountId]:
    require_readable(store, viewer, message_id)
    held = holdings.held_by(store, viewer, message_id)
    if not held:
        raise NotFound
    return held


def _note(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    verb: str,
    held: list[AccountId],
    *,
    now: datetime,
) -> None:
    audit.note(store, verb, by=viewer.user_id, now=now, message_id=message_id, accounts=held)
