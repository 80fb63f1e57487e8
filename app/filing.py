"""The verbs of archiving. Each is one transaction, and says who may do it."""

from collections.abc import Sequence
from datetime import datetime

from app.errors import Invalid, NotFound
from app.model import MessageId, RecordId, RoleId, Suggestion, Viewer
from app.search.suggest import suggest as suggest_records
from app.store import Store, audit, filings, records, transaction, users, visibility


def file_message(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    record_id: RecordId,
    *,
    roles: Sequence[RoleId] = (),
    now: datetime,
) -> bool:
    """Put a message under a record; False if it lay there already.

    `roles` restrict who may read it, at the first archiving only (R49).

    Raises NotFound if the viewer may not see either of the two, Invalid for roles that are not
    there or come too late. Effects: one transaction, audited.
    """
    with transaction(store):
        _require(store, viewer, message_id, record_id)
        is_first = not filings.is_archived(store, message_id)
        if roles and not is_first:
            raise Invalid(
                "roles",
                "The message is archived already, so its roles stay as they are. "
                "Change them with Edit in Archives.",
            )
        _require_roles(store, roles)
        if not filings.add(store, message_id, record_id, by=viewer.user_id, now=now):
            return False
        if roles:
            filings.set_roles(store, message_id, roles)
        audit.note(
            store,
            "archive" if is_first else "attach",
            by=viewer.user_id,
            now=now,
            message_id=message_id,
            record_id=record_id,
            roles=list(roles),
        )
        return True


def unfile(
    store: Store, viewer: Viewer, message_id: MessageId, record_id: RecordId, *, now: datetime
) -> bool:
    """Take a message from a record; with the last record it is in the queue again (R70).

    False if it did not lie there. Raises NotFound as `file_message`. Effects: one transaction.
    """
    with transaction(store):
        _require(store, viewer, message_id, record_id)
        if not filings.remove(store, message_id, record_id):
            return False
        audit.note(
            store,
            "detach",
            by=viewer.user_id,
            now=now,
            message_id=message_id,
            record_id=record_id,
        )
        return True


def suggest(store: Store, viewer: Viewer, message_id: MessageId) -> list[Suggestion]:
    """Records that the message may belong to, most likely first, at most five (R42, R43).

    Raises NotFound if the viewer may not read the message.
    """
    if message_id not in visibility.readable(store, viewer, [message_id]):
        raise NotFound
    return suggest_records(store, viewer, message_id)


def _require(store: Store, viewer: Viewer, message_id: MessageId, record_id: RecordId) -> None:
    if message_id not in visibility.readable(store, viewer, [message_id]):
        raise NotFound
    if record_id not in records.by_ids(store, viewer, [record_id]):
        raise NotFound


def _require_roles(store: Store, roles: Sequence[RoleId]) -> None:
    if not set(roles) <= {role.id for role in users.roles(store)}:
        raise Invalid("roles", "One of the roles is not there any more. Choose again.")
