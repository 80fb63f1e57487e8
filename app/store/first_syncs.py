"""How far the first sync of a mailbox is: rows that the worker writes and pages read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.model import AccountId, FolderId
from app.store.database import Store, from_seconds, maybe_from_seconds, to_seconds, transaction

BREAK = timedelta(minutes=2)
"""A sync that was silent for longer begins anew as far as its speed is concerned."""

WINDOW = timedelta(minutes=1)
_SPACING_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """The server's own counts of a folder."""

    messages: int
    unseen: int


@dataclass(frozen=True, slots=True)
class FolderSoFar:
    """`reached_at`: newest first, mail down to then is here; None: none yet."""

    folder_id: FolderId
    name: str
    total: int
    done: int
    done_bytes: int
    reached_at: datetime | None
    is_complete: bool


@dataclass(frozen=True, slots=True)
class FirstSync:
    """`waiting` of its messages cannot be searched yet; `unreadable` ones were skipped.

    `messages_per_second` and `bytes_per_second` are those of the last minute, 0 before there are
    any. `went_on_for`: without a longer break, until the last sign of it.
    """

    folders: tuple[FolderSoFar, ...]
    began_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    messages_per_second: float
    bytes_per_second: float
    waiting: int
    unreadable: int

    @property
    def total(self) -> int:
        return sum(folder.total for folder in self.folders)

    @property
    def done(self) -> int:
        return sum(folder.done for folder in self.folders)

    @property
    def searchable(self) -> int:
        return max(0, self.done - self.waiting)

    @property
    def done_bytes(self) -> int:
        return sum(folder.done_bytes for folder in self.folders)

    @property
    def total_bytes(self) -> int:
        """As far as the mean of those that came tells; servers do not say it beforehand."""
        return self.done_bytes * self.total // self.done if self.done else 0

    @property
    def current(self) -> FolderSoFar | None:
        """The folder that is read now, or next."""
        return next((folder for folder in self.folders if not folder.is_complete), None)

    @property
    def time_left(self) -> timedelta | None:
        """By bytes; None within the first minute, and while nothing comes."""
        if self.updated_at - self.began_at < WINDOW or not self.bytes_per_second:
            return None
        return timedelta(seconds=(self.total_bytes - self.done_bytes) / self.bytes_per_second)


def is_open(store: Store, account_id: AccountId) -> bool:
    """Whether the mailbox was never read to its end."""
    row = store.archive.conn.execute(
        "select finished_at from first_syncs where account_id = ?", [account_id]
    ).fetchone()
    return row is None or row[0] is None


def ended_before(store: Store, account_id: AccountId, moment: datetime) -> bool:
    row = store.archive.conn.execute(
        "select 1 from first_syncs where account_id = ? and finished_at < ?",
        [account_id, to_seconds(moment)],
    ).fetchone()
    return row is not None


def goes_on(store: Store, *, now: datetime) -> bool:
    """Whether any mailbox's first sync brings mail now."""
    (found,) = store.archive.conn.execute(
        "select exists (select 1 from first_syncs where finished_at is null"
        " and updated_at between ? and ?)",  # not in a future that a wrong clock told of
        [to_seconds(now - BREAK), to_seconds(now + BREAK)],
    ).fetchone()
    return bool(found)


def begin(
    store: Store, account_id: AccountId, counts: Mapping[FolderId, Counts], *, now: datetime
) -> None:
    """Note what there is to do, and what is here already; `counts` in the order of reading.

    Effects: one transaction; may be repeated, and is, each time it goes on.
    """
    conn = store.archive.conn
    with transaction(store):
        conn.execute(
            "insert into first_syncs (account_id, began_at, updated_at) values (:id, :now, :now)"
            " on conflict do update set finished_at = null, updated_at = :now,"
            " began_at = iif(updated_at < :since, :now, began_at),"
            " recent = iif(updated_at < :since, '[]', recent)",
            {"id": account_id, "now": to_seconds(now), "since": to_seconds(now - BREAK)},
        )
        conn.execute(
            "delete from first_sync_folders where folder_id in (select id from folders"
            " where account_id = ?) and folder_id not in (select value from json_each(?))",
            [account_id, json.dumps(list(counts))],
        )
        for position, (folder_id, found) in enumerate(counts.items()):
            done, done_bytes = _here(store, folder_id)
            conn.execute(
                "insert into first_sync_folders"
                " (folder_id, position, total, unseen, done, done_bytes) values (?, ?, ?, ?, ?, ?)"
                " on conflict do update set position = excluded.position, total = excluded.total,"
                " unseen = excluded.unseen, done = excluded.done, done_bytes = excluded.done_bytes",
                [
                    folder_id,
                    position,
                    found.messages,
                    found.unseen,
                    min(done, found.messages),
                    done_bytes,
                ],
            )


def note(
    store: Store,
    account_id: AccountId,
    folder_id: FolderId,
    *,
    total: int,
    done: int,
    more_bytes: int,
    reached_at: datetime | None,
    is_complete: bool,
    now: datetime,
) -> None:
    """Note how far a folder is. `reached_at=None` leaves what stands there.

    Effects: one transaction.
    """
    conn = store.archive.conn
    with transaction(store):
        conn.execute(
            "update first_sync_folders set total = ?, done = ?,"
            " done_bytes = done_bytes + ?, reached_at = coalesce(?, reached_at), is_complete = ?"
            " where folder_id = ?",
            [
                total,
                done,
                more_bytes,
                None if reached_at is None else to_seconds(reached_at),
                is_complete,
                folder_id,
            ],
        )
        conn.execute(
            "update first_syncs set updated_at = ?, recent = ? where account_id = ?",
            [to_seconds(now), _with_sample(store, account_id, now), account_id],
        )


def finish(store: Store, account_id: AccountId, *, now: datetime) -> None:
    """Note that all folders were read to their end. Effects: may be repeated."""
    store.archive.conn.execute(
        "insert into first_syncs (account_id, began_at, updated_at, finished_at)"
        " values (:id, :now, :now, :now) on conflict do update set"
        " finished_at = excluded.finished_at where finished_at is null",
        {"id": account_id, "now": to_seconds(now)},
    )


def of_account(store: Store, account_id: AccountId) -> FirstSync | None:
    """How the mailbox's first sync stands or ended; None: it never began, or there was nothing."""
    conn = store.archive.conn
    row = conn.execute(
        "select began_at, updated_at, recent, finished_at from first_syncs where account_id = ?",
        [account_id],
    ).fetchone()
    folders = _folders(store, account_id)
    if row is None or not folders:
        return None
    messages_per_second, bytes_per_second = _speeds(json.loads(row[2]))
    (waiting,) = conn.execute(
        "select count(distinct q.subject_id) from index_queue q join holdings h"
        " on h.message_id = q.subject_id and h.account_id = ? where q.kind = 'message'",
        [account_id],
    ).fetchone()
    (unreadable,) = conn.execute(
        "select count(*) from failures x join folders f on f.id = x.folder_id"
        " where f.account_id = ?",
        [account_id],
    ).fetchone()
    return FirstSync(
        folders,
        from_seconds(row[0]),
        from_seconds(row[1]),
        maybe_from_seconds(row[3]),
        messages_per_second,
        bytes_per_second,
        waiting,
        unreadable,
    )


def open_ones(store: Store, accounts: Sequence[AccountId]) -> dict[AccountId, tuple[int, datetime]]:
    """Those of the accounts whose first sync is not at its end: the server's own unread count, and
    when anything came last."""
    rows = store.archive.conn.execute(
        "select s.account_id, coalesce(sum(p.unseen), 0), s.updated_at from first_syncs s"
        " join accounts a on a.id = s.account_id and a.closed_at is null"
        " join folders f on f.account_id = s.account_id"
        " join first_sync_folders p on p.folder_id = f.id"
        " where s.finished_at is null and s.account_id in (select value from json_each(?))"
        " group by s.account_id",
        [json.dumps(list(accounts))],
    )
    return {AccountId(row[0]): (row[1], from_seconds(row[2])) for row in rows}


def _here(store: Store, folder_id: FolderId) -> tuple[int, int]:
    """How many of a folder's messages need no fetching any more, and the bytes of those stored."""
    stored, size_bytes = store.archive.conn.execute(
        "select count(*), coalesce(sum(c.size_bytes), 0) from locations l"
        " join copies c on c.id = l.copy_id where l.folder_id = ? and l.gone_since is null",
        [folder_id],
    ).fetchone()
    (others,) = store.archive.conn.execute(
        "select (select count(*) from failures where folder_id = :id and gone_since is null)"
        " + (select count(*) from purged_places where folder_id = :id)",
        {"id": folder_id},
    ).fetchone()
    return stored + others, size_bytes


def _folders(store: Store, account_id: AccountId) -> tuple[FolderSoFar, ...]:
    rows = store.archive.conn.execute(
        "select f.id, f.name, p.total, p.done, p.done_bytes, p.reached_at, p.is_complete"
        " from first_sync_folders p join folders f on f.id = p.folder_id"
        " where f.account_id = ? order by p.position",
        [account_id],
    )
    return tuple(
        FolderSoFar(
            folder_id=FolderId(row[0]),
            name=row[1],
            total=row[2],
            done=row[3],
            done_bytes=row[4],
            reached_at=maybe_from_seconds(row[5]),
            is_complete=bool(row[6]),
        )
        for row in rows
    )


def _with_sample(store: Store, account_id: AccountId, now: datetime) -> str:
    """The last minute's samples, some seconds apart, and one more."""
    conn = store.archive.conn
    (text,) = conn.execute(
        "select recent from first_syncs where account_id = ?", [account_id]
    ).fetchone()
    sample = [
        to_seconds(now),
        *conn.execute(
            "select sum(p.done), sum(p.done_bytes) from first_sync_folders p"
            " join folders f on f.id = p.folder_id where f.account_id = ?",
            [account_id],
        ).fetchone(),
    ]
    since = sample[0] - WINDOW.total_seconds()
    kept = [one for one in json.loads(text) if since <= one[0] < sample[0]]
    if len(kept) > 1 and kept[-1][0] - kept[-2][0] < _SPACING_SECONDS:
        kept.pop()
    return json.dumps([*kept, sample])


def _speeds(samples: Sequence[Sequence[int]]) -> tuple[float, float]:
    if len(samples) < 2 or samples[-1][0] <= samples[0][0]:
        return 0.0, 0.0
    (began, *first), (ended, *last) = samples[0], samples[-1]
    messages, size_bytes = (
        max(0, after - before) / (ended - began) for before, after in zip(first, last, strict=True)
    )
    return messages, size_bytes
