"""What stands behind a folder's sum (R73): its passes, its messages, and its full comparisons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.model import (
    FIRST_MADE_UP_UID,
    AccountId,
    FolderId,
    FolderLedger,
    PublicId,
    Viewer,
)
from app.store.database import Store, from_seconds, maybe_from_seconds, to_seconds
from app.store.visibility import READABLE, viewer_parameters

COMPARE_EVERY = timedelta(days=7)

Part = Literal["stored", "known", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that changed the folder's sum or its error."""

    passed_at: datetime
    ledger: FolderLedger
    error: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A message of a folder, as the sum counts it; what came by import has no `uid`.

    `public_id` and `subject` are None where the viewer may not read it. `reason`: why it failed.
    """

    at: tuple[int, int]
    uid: int | None
    noted_at: datetime | None
    gone_since: datetime | None
    public_id: PublicId | None = None
    subject: str | None = None
    reason: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A folder compared message by message with its server, beyond what its passes look at.

    All three counts are 0 where nothing had been overlooked.
    """

    compared_at: datetime
    messages: int
    missed: int
    vanished: int
    changed: int

    @property
    def is_clean(self) -> bool:
        return not (self.missed or self.vanished or self.changed)


def note(
    store: Store, folder_id: FolderId, ledger: FolderLedger, *, error: str | None, now: datetime
) -> None:
    """Keep how a pass ended, if it is not as the one before. Effects: one row at most."""
    sums = (ledger.seen, ledger.stored, ledger.known, ledger.skipped, ledger.failed, error)
    conn = store.archive.conn
    before = conn.execute(
        "select seen, stored, known, skipped, failed, error from passes where folder_id = ?"
        " order by id desc limit 1",
        [folder_id],
    ).fetchone()
    if before != sums:
        conn.execute(
            "insert into passes (folder_id, passed_at, seen, stored, known, skipped, failed, error)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            [folder_id, to_seconds(now), *sums],
        )


def of_folder(store: Store, folder_id: FolderId, *, limit: int) -> list[Pass]:
    """The passes that changed something, the latest first."""
    rows = store.archive.conn.execute(
        "select passed_at, seen, stored, known, skipped, failed, error from passes"
        " where folder_id = ? order by id desc limit ?",
        [folder_id, limit],
    )
    return [Pass(from_seconds(row[0]), FolderLedger("", *row[1:6]), row[6]) for row in rows]


def messages(
    store: Store,
    viewer: Viewer,
    folder_id: FolderId,
    part: Part,
    *,
    before: tuple[int, int],
    limit: int,
) -> list[Counted]:
    """The messages that a part of the folder's sum counts, by (uidvalidity, uid), highest first.

    Of a skipped folder the server's count is all there is: none. Whoever sees the mailbox sees how
    many there are; what they are, only who may read them (R78).
    """
    parameters = viewer_parameters(viewer) | {
        "folder": folder_id,
        "uidvalidity": before[0],
        "uid": before[1],
        "limit": limit,
        "was_known": part == "known",
    }
    rows = store.archive.conn.execute(_QUERIES[part], parameters).fetchall()
    return [
        Counted(
            at=(row[0], row[1]),
            uid=row[1] if row[1] < FIRST_MADE_UP_UID else None,
            noted_at=maybe_from_seconds(row[2]),
            gone_since=maybe_from_seconds(row[3]),
            public_id=row[4],
            subject=row[5],
            reason=row[6],
            tries=row[7],
        )
        for row in rows
    ]


_BEFORE = "(x.uidvalidity, x.uid) < (:uidvalidity, :uid)"
_LATEST = "order by x.uidvalidity desc, x.uid desc limit :limit"
_STORED = (
    "select x.uidvalidity, x.uid, x.first_seen_at, x.gone_since,"
    f" iif({READABLE}, m.public_id, null), iif({READABLE}, m.subject, null), '', 0"
    " from locations x join copies c on c.id = x.copy_id join messages m on m.id = c.message_id"
    f" where x.folder_id = :folder and x.was_known = :was_known and {_BEFORE} {_LATEST}"
)
_QUERIES: dict[Part, str] = {
    "stored": _STORED,
    "known": _STORED,
    "skipped": "select x.uidvalidity, x.uid, null, null, null, null, '', 0 from purged_places x"
    f" where x.folder_id = :folder and {_BEFORE} {_LATEST}",
    "failed": "select x.uidvalidity, x.uid, x.tried_at, x.gone_since, null, null, x.reason, x.tries"
    f" from failures x where x.folder_id = :folder and {_BEFORE} {_LATEST}",
}


# -- full comparisons


def note_comparison(store: Store, folder_id: FolderId, found: Comparison) -> None:
    """Keep what a comparison found; the next one is due a week later. Effects: one row."""
    store.archive.conn.execute(
        "insert into comparisons (folder_id, compared_at, messages, missed, vanished, changed)"
        " values (?, ?, ?, ?, ?, ?)",
        [
            folder_id,
            to_seconds(found.compared_at),
            found.messages,
            found.missed,
            found.vanished,
            found.changed,
        ],
    )


def last_comparison(store: Store, folder_id: FolderId) -> Comparison | None:
    row = store.archive.conn.execute(
        "select compared_at, messages, missed, vanished, changed from comparisons"
        " where folder_id = ? order by id desc limit 1",
        [folder_id],
    ).fetchone()
    return None if row is None else Comparison(from_seconds(row[0]), *row[1:])


def is_comparison_due(store: Store, folder_id: FolderId, *, now: datetime) -> bool:
    """Whether a folder was not compared in full for a week, by a clock that may be set back."""
    last = last_comparison(store, folder_id)
    return last is None or abs(now - last.compared_at) >= COMPARE_EVERY


def findings(store: Store, account_id: AccountId) -> list[tuple[str, Comparison]]:
    """What comparisons found that passes had overlooked, by folder, the latest first."""
    rows = store.archive.conn.execute(
        "select f.name, c.compared_at, c.messages, c.missed, c.vanished, c.changed"
        " from comparisons c join folders f on f.id = c.folder_id where f.account_id = ?"
        " and c.missed + c.vanished + c.changed > 0 order by c.id desc limit 20",
        [account_id],
    )
    return [(row[0], Comparison(from_seconds(row[1]), *row[2:])) for row in rows]


def compared_since(store: Store, account_id: AccountId) -> datetime | None:
    """Since when each folder that is read was compared in full; None: one never was."""
    rows = store.archive.conn.execute(
        "select (select max(c.compared_at) from comparisons c where c.folder_id = f.id)"
        " from folders f where f.account_id = ? and f.skipped_by is null"
        " and f.gone_since is null and f.checked_at is not null",
        [account_id],
    ).fetchall()
    times = [row[0] for row in rows]
    return None if not times or None in times else from_seconds(min(times))
