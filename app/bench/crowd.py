"""Forty people over the demo company's archive, many records, and a third of the mail filed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypeVar

from app.bench.child import index_all
from app.bench.corpus import SEED
from app.model import MessageId, Record, RecordId, RoleId, UserId
from app.people import create_role, create_user, open_session
from app.records import Draft, add_record
from app.store import (
    Store,
    accounts,
    documents,
    filings,
    folders,
    queue,
    records,
    transaction,
    users,
    visibility,
)
from app.store.ingest import Delivery, ingest

T = TypeVar("T")

PEOPLE: Final = 40
MEMBERS_OF_EACH: Final = 6
FILED_SHARE: Final = 3
"""Every third mail is filed."""
RESTRICTED_SHARE: Final = 5
"""Every fifth filed mail is for a role alone, every fifth record too."""
DRAWN: Final = 500
NOBODY: Final = "nobody in the bench"
_AT_ONCE: Final = 5_000
_FIRST = (
    "Alfa",
    "Bet",
    "Dom",
    "Eko",
    "Fabryka",
    "Gamma",
    "Hurt",
    "Karpaty",
    "Lider",
    "Mazur",
    "Omega",
)
_SECOND = (
    "Stal",
    "Beton",
    "Okna",
    "Transport",
    "Projekt",
    "Serwis",
    "Meble",
    "Drewno",
    "Papier",
    "Szkło",
)
_FORMS = ("S.A.", "Sp. z o.o.", "s.c.", "GmbH")
_KINDS = ("companies", "companies", "contacts", "projects", "warehouse")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody signed in. `messages` are public ids of his mailboxes, `unfiled` those not filed."""

    user_id: UserId
    token: str
    messages: tuple[str, ...] = ()
    unfiled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """A mail with a word of its own that `by` will file, and who could not read it before."""

    message: str
    word: str
    by: Reader
    stranger: Reader


@dataclass(frozen=True, slots=True)
class Crowd:
    """`members` are the readers with mailboxes; `filed` are mails and readers who may read them.

    `role_of_nobody` is the number of a role that nobody has, as a form sends it.
    """

    readers: tuple[Reader, ...]
    members: tuple[Reader, ...]
    filed: tuple[tuple[Reader, str], ...]
    open_records: tuple[Record, ...]
    followed: tuple[Followed, ...]
    role_of_nobody: str


def gather(store: Store, number: int, *, followed: int, now: datetime) -> Crowd:
    """Make the crowd in a store with the demo company's mail. Effects: everything is indexed."""
    random = Random(SEED)  # noqa: S311  # the same crowd each time
    create_role(store, NOBODY, by=None, now=now)
    roles = [role.id for role in users.roles(store) if role.name != NOBODY]
    people = _people(store, roles, random, now)
    made = _make_records(store, number, roles, random, now)
    _file(store, people, made, roles, random, now)
    words = _deliver_followed(store, followed, now)
    index_all(store)
    return _crowd(store, people, made, words, random, now)


def _people(store: Store, roles: Sequence[RoleId], random: Random, now: datetime) -> list[UserId]:
    """Those of the company and others; half of all have mailboxes."""
    names = {role.id: role.name for role in users.roles(store)}
    for each in range(PEOPLE - len(users.all_active(store))):
        create_user(
            store,
            email=f"person{each}@bench.example",
            name=f"Person {each}",
            roles=[names[one] for one in random.sample(roles, random.randrange(len(roles)))],
            by=None,
            now=now,
        )
    people = [user.id for user in users.all_active(store)]
    with transaction(store):
        for account in accounts.all_accounts(store):
            accounts.pause(store, account.id, at=now)
            accounts.add_users(
                store, account.id, random.sample(people[: PEOPLE // 2], MEMBERS_OF_EACH)
            )
    return people


def _make_records(
    store: Store, number: int, roles: Sequence[RoleId], random: Random, now: datetime
) -> list[RecordId]:
    made: list[RecordId] = []
    for some in _parts(range(number)):
        with transaction(store):
            for each in some:
                kind = random.choice(_KINDS)
                name = f"{random.choice(_FIRST)} {random.choice(_SECOND)} {each}"
                draft = Draft(
                    f"{name} {random.choice(_FORMS)}" if kind == "companies" else name,
                    domains=(f"firma{each}.example",) if kind == "companies" else (),
                    roles=() if each % RESTRICTED_SHARE else (random.choice(roles),),
                )
                made.append(add_record(store, record_type=kind, draft=draft, by=None, now=now))
    return made


def _file(
    store: Store,
    people: Sequence[UserId],
    made: Sequence[RecordId],
    roles: Sequence[RoleId],
    random: Random,
    now: datetime,
) -> None:
    """Every third mail, in the order in which it came; some records have far more than others."""
    ids = documents.all_message_ids(store)[::FILED_SHARE]
    for some in _parts(ids):
        with transaction(store):
            for at, message_id in enumerate(some):
                record_id = made[int(len(made) * random.random() ** 3)]
                filed_at = now - timedelta(minutes=random.randrange(500_000))
                filings.add(store, message_id, record_id, by=random.choice(people), now=filed_at)
                if not at % RESTRICTED_SHARE:
                    filings.set_roles(store, message_id, [random.choice(roles)])


def _deliver_followed(store: Store, number: int, now: datetime) -> list[str]:
    """Mails to the first mailbox, each with a word of its own, which is also its Message-ID."""
    account = accounts.all_accounts(store)[0]
    folder = folders.ensure(store, account.id, "followed")
    words = [f"followedword{each}" for each in range(number)]
    mails = [
        Delivery(folder.id, 1, at, _followed_mail(word), now, ())
        for at, word in enumerate(words, start=1)
    ]
    ingest(store, mails, now=now)
    return words


def _followed_mail(word: str) -> bytes:
    return (
        f"From: Bench <bench@elsewhere.example>\r\nTo: team@bench.example\r\n"
        f"Subject: About {word}\r\nMessage-ID: <{word}@bench.example>\r\n"
        f"Date: Mon, 01 Jun 2026 10:00:00 +0000\r\n\r\nNothing else stands here.\r\n"
    ).encode()


# -- who asks for what


def _crowd(
    store: Store,
    people: Sequence[UserId],
    made: Sequence[RecordId],
    words: Sequence[str],
    random: Random,
    now: datetime,
) -> Crowd:
    ids = documents.all_message_ids(store)
    drawn = random.sample(ids, min(DRAWN, len(ids)))
    readers = tuple(_reader(store, one, drawn, now) for one in people)
    members = tuple(one for one in readers if one.unfiled)
    strangers = [one for one in readers if not visibility.viewer_of(store, one.user_id).accounts]
    opened = visibility.viewer_of(store, strangers[0].user_id)
    seen = records.by_ids(store, opened, random.sample(made, min(DRAWN, len(made))))
    return Crowd(
        readers=readers,
        members=members,
        filed=tuple(
            (one, message)
            for one in readers
            for message in one.messages
            if message not in one.unfiled
        ),
        open_records=tuple(one for one in seen.values() if one.is_open),
        followed=tuple(
            Followed(message, word, by, random.choice(strangers))
            for word, message, by in _who_files(store, words, members)
        ),
        role_of_nobody=str(next(one.id for one in users.roles(store) if one.name == NOBODY)),
    )


def _reader(store: Store, user_id: UserId, drawn: Sequence[MessageId], now: datetime) -> Reader:
    viewer = visibility.viewer_of(store, user_id)
    rows = queue.rows_by_ids(store, viewer, drawn).values()
    return Reader(
        user_id,
        open_session(store, user_id, address="127.0.0.1", agent="bench", now=now),
        tuple(row.message.public_id for row in rows),
        tuple(row.message.public_id for row in rows if row.message.archived_at is None),
    )


def _who_files(
    store: Store, words: Sequence[str], members: Sequence[Reader]
) -> Iterator[tuple[str, str, Reader]]:
    """Each word, its mail, and a member of the mailbox that holds it."""
    account = accounts.all_accounts(store)[0]
    inside = set(accounts.users(store, account.id))
    by = next(one for one in members if one.user_id in inside)
    viewer = visibility.viewer_of(store, by.user_id)
    last = documents.all_message_ids(store)[-len(words) :]
    for row in queue.rows_by_ids(store, viewer, last).values():
        yield row.message.subject.rpartition(" ")[2], row.message.public_id, by


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), _AT_ONCE):
        yield items[at : at + _AT_ONCE]
