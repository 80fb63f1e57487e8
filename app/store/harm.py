"""What damaged blobs mean for people: which messages, in whose mailboxes, and who has them yet."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.errors import Corrupt
from app.model import AccountId, CopyId, MessageId, PublicId
from app.store import blobs
from app.store.database import Store, sound


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy was seen; `is_on_server`: it is there as far as is known, and may be fetched."""

    copy_id: CopyId
    account_id: AccountId
    mailbox: str
    folder: str
    uidvalidity: int
    uid: int
    is_on_server: bool


@dataclass(frozen=True, slots=True)
class Harmed:
    """A message, its copies that cannot be had byte-exact, and where these were seen.

    Without such copies only what was derived from them is damaged.
    """

    message_id: MessageId
    message: PublicId
    copies: tuple[CopyId, ...]
    places: tuple[Place, ...]

    @property
    def can_fetch(self) -> bool:
        """Whether a server has every damaged copy."""
        there = {place.copy_id for place in self.places if place.is_on_server}
        return there.issuperset(self.copies)


def harmed(store: Store, blob_ids: Collection[int]) -> list[Harmed]:
    """The messages that damaged or missing blobs belong to, in the order they came."""
    wanted = {"ids": json.dumps(sorted(blob_ids))}
    with sound("archive.db"):
        copies: dict[int, list[CopyId]] = {}
        for message_id, copy_id in store.archive.conn.execute(
            "select message_id, id from copies where id in (select value from json_each(:ids))",
            wanted,
        ):
            copies.setdefault(message_id, []).append(CopyId(copy_id))
        rows = store.archive.conn.execute(
            "select id, public_id from messages where text_blob in"
            " (select value from json_each(:ids)) or id in (select message_id from parts where"
            " blob_id in (select value from json_each(:ids))) or id in"
            " (select message_id from copies where id in (select value from json_each(:ids)))"
            " order by id",
            wanted,
        ).fetchall()
        return [
            Harmed(
                MessageId(message_id),
                PublicId(public_id),
                tuple(copies.get(message_id, ())),
                tuple(_places(store, copies.get(message_id, ()))),
            )
            for message_id, public_id in rows
        ]


def other_copies(store: Store, message_id: MessageId) -> Iterable[bytes]:
    """The bytes of those of its copies that can be had byte-exact, one after the other."""
    rows = store.archive.conn.execute(
        "select id from copies where message_id = ? order by id", [message_id]
    ).fetchall()
    for (copy_id,) in rows:
        try:
            yield blobs.read(store, copy_id)
        except Corrupt:
            continue


def unneeded(store: Store, blob_ids: Iterable[int]) -> set[int]:
    """Those of the blobs that archive.db does not name."""
    rows = store.archive.conn.execute(
        f"select value from json_each(?) where value not in ({blobs.NAMED.format('main')})",
        [json.dumps(sorted(blob_ids))],
    )
    return {row[0] for row in rows}


def _places(store: Store, copy_ids: Iterable[CopyId]) -> list[Place]:
    rows = store.archive.conn.execute(
        "select l.copy_id, a.id, a.address, f.name, l.uidvalidity, l.uid,"
        " l.gone_since is null and a.host is not null and a.closed_at is null"
        " from locations l join folders f on f.id = l.folder_id"
        " join accounts a on a.id = f.account_id"
        " where l.copy_id in (select value from json_each(?)) order by a.address, f.name, l.uid",
        [json.dumps(list(copy_ids))],
    )
    return [
        Place(CopyId(row[0]), AccountId(row[1]), row[2], row[3], row[4], row[5], bool(row[6]))
        for row in rows
    ]
