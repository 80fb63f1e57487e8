"""How mail that was removed for good is known when it comes again, and where it is still listed."""

from collections.abc import Iterable

from app.model import FIRST_MADE_UP_UID, Digest, FolderId
from app.store.database import Store, marks

_AT_ONCE = 500


def among(store: Store, known_by: Iterable[bytes]) -> set[bytes]:
    """Those of these identities and SHA-256s whose mail was removed."""
    if store.archive.conn.execute("select 1 from tombstones limit 1").fetchone() is None:
        return set()
    wanted = list(known_by)
    found: set[bytes] = set()
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        rows = store.archive.conn.execute(
            f"select mark from tombstones where mark in ({marks(len(some))})", some
        )
        found.update(bytes(row[0]) for row in rows)
    return found


def made_up_uid(digest: Digest) -> int:
    """Where a folder that no server has lists a removed copy: the same at each import."""
    return FIRST_MADE_UP_UID + int.from_bytes(digest[:6])


def every(store: Store) -> set[bytes]:
    """All identities and SHA-256s of mail that was removed."""
    return {bytes(row[0]) for row in store.archive.conn.execute("select mark from tombstones")}


def note_place(store: Store, folder_id: FolderId, uidvalidity: int, uid: int) -> bool:
    """Note that removed mail is listed there; False if that was noted already.

    Effects: inside the caller's transaction.
    """
    place = [folder_id, uidvalidity, uid]
    added = store.archive.conn.execute(
        "insert into purged_places (folder_id, uidvalidity, uid) values (?, ?, ?)"
        " on conflict do nothing",
        place,
    )
    store.archive.conn.execute(
        "delete from failures where folder_id = ? and uidvalidity = ? and uid = ?", place
    )
    return bool(added.rowcount)


def uids(store: Store, folder_id: FolderId, uidvalidity: int) -> set[int]:
    """The UIDs under which a folder lists removed mail."""
    rows = store.archive.conn.execute(
        "select uid from purged_places where folder_id = ? and uidvalidity = ?",
        [folder_id, uidvalidity],
    )
    return {row[0] for row in rows}


def forget(store: Store, folder_id: FolderId, uidvalidity: int, uids: Iterable[int]) -> None:
    """Drop places that the server lists no more. Effects: may be repeated."""
    store.archive.conn.executemany(
        "delete from purged_places where folder_id = ? and uidvalidity = ? and uid = ?",
        [(folder_id, uidvalidity, uid) for uid in uids],
    )
