"""One message under a record, and back. Each verb is one transaction, and says who may do it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.filing.learned import learn_detached
from app.model import (
    MessageId,
    Record,
    RecordId,
    RoleId,
    UserId,
    Viewer,
    version_of,
)
from app.search.suggest import passed_over
from app.store import (
    Store,
    accounts,
    audit,
    decisions,
    filings,
    holdings,
    records,
    transaction,
    users,
    visibility,
)

_CLEARED: Final = (
    "It was detached from its last record in the meantime, which cleared its roles. Choose who may"
    " read it."
)


@dataclass(frozen=True, slots=True)
class Readership:
    """Who could read a message once it is filed so.

    `people` counts the active users. `mailboxes` are those of the viewer whose members are among
    them whatever the roles; `has_role` whether the viewer is by a role, `reads_it` whether he is
    at all. Of several messages `least` have the fewest readers; else it is as many.
    """

    people: int
    least: int
    roles: int
    is_record_open: bool
    mailboxes: tuple[str, ...]
    has_role: bool
    reads_it: bool


def file_message(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    record_id: RecordId,
    *,
    roles: Sequence[RoleId] | None = (),
    now: datetime,
) -> bool:
    """Put a message under a record; False if it lay there already.

    `roles` restrict who may read it, at the first archiving only (R49). None: those it has stay,
    so it must be archived; else what was kept for some would be open to all.

    Raises NotFound if the viewer may not see either of the two, Invalid for roles that are not
    there or come too late, and for a record that was put away. Effects: one transaction, audited.
    """
    with transaction(store):
        return _file(store, viewer, message_id, record_id, roles=roles, now=now)


def file_under_new(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    make: Callable[[], RecordId],
    *,
    roles: Sequence[RoleId] | None = (),
    now: datetime,
) -> RecordId:
    """Put a message under a record that `make` makes inside the same transaction.

    Raises as `file_message`, and what `make` raises; then there is neither record nor filing.
    """
    with transaction(store):
        require_readable(store, viewer, message_id)
        record_id = make()
        _file(store, viewer, message_id, record_id, roles=roles, now=now)
        return record_id


def unfile(
    store: Store, viewer: Viewer, message_id: MessageId, record_id: RecordId, *, now: datetime
) -> bool:
    """Take a message from a record; with the last record it is in the queue again (R70).

    False if it did not lie there. For whoever put it there, and for those who may change its
    access. Raises NotFound as `file_message`, Forbidden. Effects: one transaction, audited.
    """
    with transaction(store):
        _require(store, viewer, message_id, record_id)
        filed_by = filings.lies_under(store, message_id, record_id)
        if filed_by is None:
            return False
        if filed_by != viewer.user_id:
            _require_change(store, viewer, message_id)
        take_away(store, viewer, message_id, record_id, now=now)
        return True


# -- who may read it afterwards


def may_change_access(store: Store, viewer: Viewer, message_id: MessageId) -> bool:
    """Whether a reader may also say who else reads it (R50).

    He may who archived it, is a member of a mailbox that held it when it was archived, or
    administers. A copy that one puts into a mailbox of one's own afterwards gives no say.
    """
    if message_id not in visibility.readable(store, viewer, [message_id]):
        return False
    return (
        viewer.is_admin
        or filings.archiver_of(store, message_id) == viewer.user_id
        or holdings.held_when_archived(store, viewer, message_id)
    )


def access_version(store: Store, message_id: MessageId) -> str:
    """Stands for the roles that the form of a message's access shows."""
    return version_of([role.id for role in filings.roles_of(store, message_id)])


def set_roles(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    roles: Sequence[RoleId],
    *,
    version: str,
    now: datetime,
) -> bool:
    """Restrict an archived message to other roles; False if they are as they were (R50).

    Raises NotFound, Forbidden, Invalid for roles that are not there and for a message that is not
    archived, Conflict if somebody saved since `version`. Effects: one transaction, audited; the
    message is queued for the index.
    """
    with transaction(store):
        require_readable(store, viewer, message_id)
        _require_change(store, viewer, message_id)
        if not filings.is_archived(store, message_id):
            raise Invalid("roles", "It is not archived any more. Archive it from the queue.")
        require_roles(store, roles)
        before = [role.id for role in filings.roles_of(store, message_id)]
        if set(before) == set(roles):
            return False
        if access_version(store, message_id) != version:
            raise Conflict("Somebody else changed the roles in the meantime. They are shown here.")
        filings.set_roles(store, message_id, roles)
        audit.note(
            store,
            "change access",
            by=viewer.user_id,
            now=now,
            message_id=message_id,
            roles=list(roles),
            roles_before=before,
        )
        return True


def readers(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    record: Record | None,
    roles: Sequence[RoleId],
) -> Readership:
    """Who could read the message, were it filed under the record now.

    `record` is None for one that is being made, which everybody may see; `roles` count for a
    message that is not archived yet, else those it has. Raises NotFound.
    """
    require_readable(store, viewer, message_id)
    if filings.is_archived(store, message_id):
        roles = [role.id for role in filings.roles_of(store, message_id)]
    under = filings.record_ids(store, message_id)
    planned = [*under, record.id] if record else under
    found = _readership(
        store, viewer, message_id, records=planned, is_open=record is None, roles=roles
    )
    return replace(found, is_record_open=record is None or record.is_open)


def readers_within(
    store: Store, viewer: Viewer, message_id: MessageId, roles: Sequence[RoleId]
) -> Readership:
    """Who could read an archived message, were it restricted to these roles. Raises NotFound."""
    require_readable(store, viewer, message_id)
    under = filings.record_ids(store, message_id)
    return _readership(store, viewer, message_id, records=under, is_open=False, roles=roles)


def _readership(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    *,
    records: Sequence[RecordId],
    is_open: bool,
    roles: Sequence[RoleId],
) -> Readership:
    archiver = filings.archiver_of(store, message_id) or viewer.user_id
    people = visibility.readers(
        store, message_id, records=records, is_open=is_open, roles=roles, archiver=archiver
    )
    return Readership(
        people=len(people),
        least=len(people),
        roles=len(roles),
        is_record_open=is_open,
        mailboxes=keepers(store, viewer, message_id),
        has_role=not viewer.roles.isdisjoint(roles),
        reads_it=viewer.user_id in people,
    )


def may_lose_it(store: Store, viewer: Viewer, message_id: MessageId) -> bool:
    """Whether roles that the viewer lacks would keep him from reading it too (A8)."""
    is_archiver = filings.archiver_of(store, message_id) == viewer.user_id
    is_kept = is_archiver and holdings.is_in_strict(store, message_id)
    return not (is_kept or keepers(store, viewer, message_id))


def keepers(
    store: Store, viewer: Viewer, message_id: MessageId, *, is_strict: bool = False
) -> tuple[str, ...]:
    """The viewer's mailboxes whose members go on reading it, whatever the roles (A5).

    `is_strict`: those instead whose members read it, once archived, as the archive allows only.
    """
    held = set(holdings.held_by(store, viewer, message_id))
    return tuple(
        one.address
        for one in accounts.of_viewer(store, viewer)
        if one.id in held and one.is_strict == is_strict
    )


# -- checks


def _file(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    record_id: RecordId,
    *,
    roles: Sequence[RoleId] | None,
    now: datetime,
) -> bool:
    record = _require(store, viewer, message_id, record_id)
    is_first = not filings.is_archived(store, message_id)
    if is_first and roles is None:
        raise Invalid("roles", _CLEARED)
    roles = roles or ()
    if not is_first and _is_sent_again(store, viewer, message_id, record_id, roles):
        return False
    if roles and not is_first:
        raise Invalid(
            "roles",
            "The message is archived already, so its roles stay as they are. "
            "Change them with Edit in Archives.",
        )
    require_current(record)
    require_roles(store, roles)
    others = passed_over(store, viewer, message_id, record_id) if is_first else []
    return put(
        store,
        viewer,
        message_id,
        record_id,
        is_first=is_first,
        roles=roles,
        now=now,
        others=others,
    )


def put(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    record_id: RecordId,
    *,
    is_first: bool,
    roles: Sequence[RoleId],
    now: datetime,
    others: Sequence[RecordId] = (),
) -> bool:
    """Put it there; False if it lay there. `others` were passed over for it.

    Effects: in the caller's transaction, audited.
    """
    if not filings.add(store, message_id, record_id, by=viewer.user_id, now=now):
        return False
    decisions.accept(store, message_id, record_id)
    for other in others:
        decisions.refuse(store, message_id, other, chosen=record_id, now=now)
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


def take_away(
    store: Store, viewer: Viewer, message_id: MessageId, record_id: RecordId, *, now: datetime
) -> None:
    """Take it from there. Effects: in the caller's transaction, audited."""
    learn_detached(store, message_id, record_id, now=now)
    filings.remove(store, message_id, record_id)
    audit.note(
        store,
        "detach",
        by=viewer.user_id,
        now=now,
        message_id=message_id,
        record_id=record_id,
    )


def _is_sent_again(
    store: Store,
    viewer: Viewer,
    message_id: MessageId,
    record_id: RecordId,
    roles: Sequence[RoleId],
) -> bool:
    """Whether this is the viewer's own form once more: pressed twice, or reloaded."""
    standing = {role.id for role in filings.roles_of(store, message_id)}
    filed_by: UserId | None = filings.lies_under(store, message_id, record_id)
    return filed_by == viewer.user_id and standing == set(roles)


def _require(store: Store, viewer: Viewer, message_id: MessageId, record_id: RecordId) -> Record:
    require_readable(store, viewer, message_id)
    found = records.by_ids(store, viewer, [record_id]).get(record_id)
    if found is None:
        raise NotFound
    return found


def require_readable(store: Store, viewer: Viewer, message_id: MessageId) -> None:
    if message_id not in visibility.readable(store, viewer, [message_id]):
        raise NotFound


def _require_change(store: Store, viewer: Viewer, message_id: MessageId) -> None:
    if not may_change_access(store, viewer, message_id):
        raise Forbidden(
            "Who may read this message is changed by whoever archived it, by people with access"
            " to a mailbox that holds it, and by administrators who may read it."
        )


def require_current(record: Record) -> None:
    """Raises Invalid for a record that was put away."""
    if record.archived_at is not None:
        raise Invalid("record", "This record was put away in the meantime. Choose another one.")


def require_roles(store: Store, roles: Sequence[RoleId]) -> None:
    if not set(roles) <= {role.id for role in users.roles(store)}:
        raise Invalid("roles", "One of the roles is not there any more. Choose again.")
