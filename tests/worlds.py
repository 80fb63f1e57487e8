"""Worlds of people, roles, mailboxes, records and mail, drawn by chance, that change by chance.

What each should be is kept beside it in plain sets, and what A5 says of it is its oracle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeVar

from app import people
from app.model import Account, MessageId, RecordId, RoleId, UserId
from app.records import Draft, archive_record, change_record, record_version
from app.store import (
    Store,
    accounts,
    filings,
    locations,
    records,
    transaction,
)
from tests import make
from tests.make import NOW

T = TypeVar("T")
THREADS = 3


@dataclass
class Mail:
    """A message as it should be; `live` are those of the mailboxes that hold it still."""

    thread: int
    held: set[int] = field(default_factory=set)
    live: set[int] = field(default_factory=set)
    under: set[int] = field(default_factory=set)
    roles: set[RoleId] = field(default_factory=set)
    archiver: UserId | None = None


@dataclass
class World:
    """What there should be. Mailboxes, records and messages by number; people by id."""

    store: Store
    seed: int
    dice: Random
    roles: list[RoleId] = field(default_factory=list)
    has: dict[UserId, set[RoleId]] = field(default_factory=dict)
    active: set[UserId] = field(default_factory=set)
    boxes: list[Account] = field(default_factory=list)
    members: list[set[UserId]] = field(default_factory=list)
    strict: list[bool] = field(default_factory=list)
    records: list[RecordId] = field(default_factory=list)
    record_roles: list[set[RoleId]] = field(default_factory=list)
    record_users: list[set[UserId]] = field(default_factory=list)
    ids: list[MessageId] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    def some(self, all_of: Sequence[T], *, most: int = 2) -> set[T]:
        return set(self.dice.sample(all_of, self.dice.randint(0, most)))

    # -- the oracle

    def may_see(self, user: UserId, record: int) -> bool:
        roles, users = self.record_roles[record], self.record_users[record]
        return not (roles or users) or bool(roles & self.has[user]) or user in users

    def may_read(self, user: UserId, mail: Mail) -> bool:
        own = [box for box in mail.held if user in self.members[box]]
        is_archived = mail.archiver is not None
        is_member = any(not (self.strict[box] and is_archived) for box in own)
        is_archiver = mail.archiver == user and any(self.strict[box] for box in mail.held)
        has_role = not mail.roles or bool(mail.roles & self.has[user])
        sees_one = any(self.may_see(user, record) for record in mail.under)
        return is_member or is_archiver or (has_role and sees_one)

    def read_by(self, user: UserId) -> set[MessageId]:
        pairs = zip(self.ids, self.mails, strict=True)
        return {one for one, mail in pairs if self.may_read(user, mail)}


def drawn(store: Store, seed: int) -> World:
    world = World(store, seed, Random(seed))
    dice = world.dice
    world.roles = [make.role(store, f"role {n}") for n in range(3)]
    for n in range(6):
        own = world.some(world.roles)
        user = make.user(store, f"U{n}", roles=tuple(own), is_admin=n == 0)
        world.has[user] = own
    everybody = list(world.has)
    world.active = set(everybody[:-1])
    people.deactivate_user(store, everybody[-1], by=None, now=NOW)
    for n in range(4):
        world.strict.append(dice.random() < 0.5)
        world.members.append(world.some(everybody, most=3))
        world.boxes.append(
            make.account(
                store, *world.members[n], address=f"b{n}@firma.pl", is_strict=world.strict[n]
            )
        )
    for n in range(5):
        world.record_roles.append(world.some(world.roles, most=1))
        world.record_users.append(world.some(everybody, most=1))
        world.records.append(
            make.record(
                store,
                f"Spostex {n} S.A.",
                roles=tuple(world.record_roles[n]),
                only_for=tuple(world.record_users[n]),
            )
        )
    for n in range(14):
        receive(world, n)
    for verb in dice.choices(VERBS, weights=[8, 3, 1, 1, 1, 1, 1], k=25):
        verb(world, dice, store)
    return world


def receive(world: World, number: int) -> None:
    """A message in one or two of the mailboxes; in some of them it is gone from the server."""
    mail = Mail(thread=number % THREADS)
    raw = make.mail(
        "Beton",
        text=f"Faktura {number} dla Spostex {number % 5} S.A.",
        message_id=f"<{number}@spostex.pl>",
        headers=f"References: <thread-{mail.thread}@spostex.pl>\n",
    )
    for box in world.dice.sample(range(len(world.boxes)), world.dice.randint(1, 2)):
        make.deliver(world.store, world.boxes[box], raw, first_uid=number + 1)
        mail.held.add(box)
        mail.live.add(box)
        if world.dice.random() < 0.2:
            (folder,) = world.store.archive.conn.execute(
                "select id from folders where account_id = ?", [world.boxes[box].id]
            ).fetchone()
            locations.mark_gone(world.store, folder, 1, [number + 1], now=NOW)
            mail.live.discard(box)
    world.ids.append(make.message_ids(world.store)[-1])
    world.mails.append(mail)


def file(world: World, dice: Random, store: Store) -> None:
    number, record = dice.randrange(len(world.ids)), dice.randrange(len(world.records))
    mail, user = world.mails[number], dice.choice(sorted(world.active))
    is_first = mail.archiver is None
    with transaction(store):
        filings.add(store, world.ids[number], world.records[record], by=user, now=NOW)
        if is_first:
            mail.archiver, mail.roles = user, world.some(world.roles)
            filings.set_roles(store, world.ids[number], sorted(mail.roles))
    mail.under.add(record)


def detach(world: World, dice: Random, store: Store) -> None:
    filed = [number for number, mail in enumerate(world.mails) if mail.under]
    if not filed:
        return
    number = dice.choice(filed)
    mail = world.mails[number]
    record = dice.choice(sorted(mail.under))
    with transaction(store):
        filings.remove(store, world.ids[number], world.records[record])
    mail.under.discard(record)
    if not mail.under:
        mail.archiver, mail.roles = None, set()


def restrict(world: World, dice: Random, store: Store) -> None:
    for one, mail in zip(world.ids, world.mails, strict=True):
        if mail.archiver is not None and dice.random() < 0.3:
            mail.roles = world.some(world.roles)
            with transaction(store):
                filings.set_roles(store, one, sorted(mail.roles))


def open_record(world: World, dice: Random, store: Store) -> None:
    number = dice.randrange(len(world.records))
    (record,) = records.every(store, [world.records[number]])
    world.record_roles[number] = world.some(world.roles, most=1)
    world.record_users[number] = world.some(list(world.has), most=1)
    viewers = [make.viewer(store, user) for user in world.has]
    viewer = next((v for v in viewers if records.by_ids(store, v, [record.id])), None)
    if viewer is None:
        world.record_roles[number], world.record_users[number] = (
            set(record.roles),
            set(record.users),
        )
        return
    draft = Draft(
        record.name,
        roles=tuple(world.record_roles[number]),
        users=tuple(world.record_users[number]),
    )
    change_record(store, viewer, record.id, draft, version=record_version(record), now=NOW)


def put_away(world: World, dice: Random, store: Store) -> None:
    """A record that is archived: nothing changes in who reads its mail."""
    for user in world.has:
        viewer = make.viewer(store, user)
        if found := records.by_ids(store, viewer, [dice.choice(world.records)]):
            archive_record(store, viewer, next(iter(found)), now=NOW)
            return


def share(world: World, dice: Random, store: Store) -> None:
    number = dice.randrange(len(world.boxes))
    world.members[number] = world.some(list(world.has), most=3)
    with transaction(store):
        accounts.put_users(store, world.boxes[number].id, sorted(world.members[number]))


def bind(world: World, dice: Random, store: Store) -> None:
    number = dice.randrange(len(world.boxes))
    world.strict[number] = not world.strict[number]
    world.boxes[number] = replace(world.boxes[number], is_strict=world.strict[number])
    with transaction(store):
        accounts.change(store, world.boxes[number])


VERBS = (file, detach, restrict, open_record, put_away, share, bind)
"""What people do to what is readable."""
