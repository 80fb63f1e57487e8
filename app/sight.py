"""Why somebody can see a message, and who else can (R79), as far as the one who asks may know."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app import filing
from app.model import (
    AccountId,
    MessageId,
    Record,
    RecordId,
    Role,
    RoleId,
    User,
    UserId,
    Viewer,
)
from app.store import Store, accounts, filings, records, users, visibility
from app.store.visibility import Kind, Way


@dataclass(frozen=True, slots=True)
class Path:
    """One way from somebody to a message, through a mailbox, by address, or a record.

    With a record: `is_named`: it is open to him by name; `roles` are those of his for which it is
    open, `message_roles` those for which the message is.
    """

    kind: Kind
    mailbox: str = ""
    record: Record | None = None
    is_named: bool = False
    roles: tuple[str, ...] = ()
    message_roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who can see a message, and the ways that let him, as far as they are told."""

    user: User
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """The ways of the one who asks, and everybody else by name; None: that is not his to ask."""

    own: tuple[Path, ...]
    others: tuple[Reader, ...] | None


def may_ask(store: Store, viewer: Viewer, message_id: MessageId) -> bool:
    """Whether somebody may know who else can see a message: he who may say who can (R50)."""
    return filing.may_change_access(store, viewer, message_id)


def sight(store: Store, viewer: Viewer, message_id: MessageId) -> Sight:
    """Why the viewer can see a message that he may read, and who else can.

    A way through a mailbox that is not his, or a record that he may not see, is not told, nor
    is who has no other: it would show that there is such a mailbox or record. Somebody with none
    of his own that is told archived it from a strict mailbox, which is not his any more.
    """
    found = visibility.ways(store, message_id)
    told = _told(store, viewer, found)
    limits = filings.roles_of(store, message_id)
    own = _paths(store, viewer.user_id, found.get(viewer.user_id, []), told, limits)
    own = own or (Path("archiver"),)
    if not may_ask(store, viewer, message_id):
        return Sight(own, None)
    readers = [
        Reader(user, _paths(store, user.id, found[user.id], told, limits))
        for user in users.all_active(store)
        if user.id in found and user.id != viewer.user_id
    ]
    return Sight(own, tuple(one for one in readers if one.paths))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the viewer may know of: mailboxes by id, records by id, and the names of all roles."""

    mailboxes: dict[AccountId, str]
    records: dict[RecordId, Record]
    roles: dict[RoleId, str]


def _told(store: Store, viewer: Viewer, found: dict[UserId, list[Way]]) -> _Told:
    under = {way.record for ways in found.values() for way in ways if way.record is not None}
    return _Told(
        {one.id: one.address for one in accounts.of_viewer(store, viewer)},
        records.by_ids(store, viewer, under),
        {role.id: role.name for role in users.roles(store)},
    )


def _paths(
    store: Store, user_id: UserId, ways: Iterable[Way], told: _Told, limits: Collection[Role]
) -> tuple[Path, ...]:
    has = set(users.roles_of(store, user_id))
    paths = []
    for way in ways:
        if way.account is not None and way.account in told.mailboxes:
            paths.append(Path(way.kind, mailbox=told.mailboxes[way.account]))
        elif way.record is not None and way.record in told.records:
            record = told.records[way.record]
            paths.append(
                Path(
                    way.kind,
                    record=record,
                    is_named=user_id in record.users,
                    roles=tuple(told.roles[role] for role in record.roles if role in has),
                    message_roles=tuple(role.name for role in limits if role.id in has),
                )
            )
    return tuple(paths)
