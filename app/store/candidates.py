"""Copies that a server may list again under another UID, so that they need not be fetched."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.model import AccountId, CopyId, Folder
from app.store import blobs, recipe
from app.store.database import Store, to_seconds, transaction

_MOST_ALIKE = 20


@dataclass(frozen=True, slots=True)
class Vanished:
    """Copies of which a place vanished, by size and INTERNALDATE.

    Each is its id, doubled, and one more if the place was in the folder itself: one number for
    each, for there may be hundreds of thousands.
    """

    _by_look: Mapping[int, int | tuple[int, ...]]

    def __bool__(self) -> bool:
        return bool(self._by_look)

    def find(self, size_bytes: int, received_at: datetime) -> list[tuple[CopyId, bool]]:
        """The copies that look so, and whether they vanished from the folder itself."""
        found = self._by_look.get(_look(size_bytes, to_seconds(received_at)), ())
        entries = (found,) if isinstance(found, int) else found
        return [(CopyId(entry // 2), bool(entry % 2)) for entry in entries]


def vanished(store: Store, folder: Folder, *, uidvalidity: int, since: datetime) -> Vanished:
    """What vanished from the account's folders since then; where too many look alike, none does.

    Not from the folder's present UIDVALIDITY: what comes anew there was delivered anew, perhaps
    changed.
    """
    by_look: dict[int, int | tuple[int, ...]] = {}
    rows = store.archive.conn.execute(
        "select c.size_bytes, l.received_at, 2 * c.id + max(l.folder_id = :folder)"
        # Cross joins keep this order: the planner would begin with every location of a folder.
        " from locations l cross join folders f on f.id = l.folder_id"
        " cross join copies c on c.id = l.copy_id where l.gone_since >= :since"
        " and f.account_id = :account"
        " and not (l.folder_id = :folder and l.uidvalidity = :uidvalidity)"
        " group by c.id, l.received_at",
        {
            "folder": folder.id,
            "account": folder.account_id,
            "uidvalidity": uidvalidity,
            "since": to_seconds(since),
        },
    )
    for size_bytes, received_at, entry in rows:
        look = _look(size_bytes, received_at)
        before = by_look.get(look)
        if before is None:
            by_look[look] = entry
        else:
            several = before if isinstance(before, tuple) else (before,)
            by_look[look] = (*several, entry)[: _MOST_ALIKE + 1]
    return Vanished({look: found for look, found in by_look.items() if not _are_too_many(found)})


def _are_too_many(found: int | tuple[int, ...]) -> bool:
    return isinstance(found, tuple) and len(found) > _MOST_ALIKE


def has_object_ids(store: Store, account_id: AccountId) -> bool:
    row = store.archive.conn.execute(
        "select 1 from object_ids where account_id = ? limit 1", [account_id]
    ).fetchone()
    return row is not None


def by_object_id(
    store: Store, account_id: AccountId, object_ids: Collection[str]
) -> dict[str, tuple[CopyId, int]]:
    """The copies that the account's server calls so, with their sizes."""
    rows = store.archive.conn.execute(
        "select o.object_id, c.id, c.size_bytes from object_ids o join copies c on c.id = o.copy_id"
        " where o.account_id = ? and o.object_id in (select value from json_each(?))",
        [account_id, json.dumps(list(object_ids))],
    )
    return {object_id: (CopyId(copy_id), size) for object_id, copy_id, size in rows}


def without_object_id(store: Store, folder: Folder, uidvalidity: int, *, first: int) -> list[int]:
    """The live UIDs of a folder from `first` on whose copies have none here yet, sorted."""
    rows = store.archive.conn.execute(
        "select l.uid from locations l where l.folder_id = ? and l.uidvalidity = ? and l.uid >= ?"
        " and l.gone_since is null and not exists (select 1 from object_ids o"
        "   where o.copy_id = l.copy_id and o.account_id = ?) order by l.uid",
        [folder.id, uidvalidity, first, folder.account_id],
    )
    return [row[0] for row in rows]


def note_object_ids(
    store: Store, folder: Folder, uidvalidity: int, object_ids: Mapping[int, str]
) -> None:
    """Note what the server calls these UIDs of a folder. Effects: one transaction; repeatable."""
    with transaction(store):
        store.archive.conn.executemany(
            "insert into object_ids (account_id, object_id, copy_id)"
            " select ?, ?, copy_id from locations where folder_id = ? and uidvalidity = ?"
            " and uid = ? on conflict do nothing",
            [
                (folder.account_id, object_id, folder.id, uidvalidity, uid)
                for uid, object_id in object_ids.items()
            ],
        )


def beginning(store: Store, copy_id: CopyId) -> bytes:
    """A copy's first bytes, its header block among them. Raises Corrupt, NotFound."""
    stored = blobs.stored_recipe(store, copy_id)
    return blobs.read(store, copy_id) if stored is None else recipe.beginning(stored)


def _look(size_bytes: int, received_at: int) -> int:
    return received_at << 40 | size_bytes
