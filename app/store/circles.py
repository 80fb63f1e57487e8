"""The two circles at the mail icon: unread on the server (R33), and new (R34)."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.model import AccountId, Viewer
from app.store import first_syncs
from app.store.database import Store, maybe_from_seconds, to_seconds
from app.store.states import SYNCED
from app.store.visibility import READABLE, viewer_parameters

NEW_FOR = timedelta(minutes=5)
CLOCK_SKEW = timedelta(minutes=2)

_OWN = "from holdings h join accounts a on a.id = h.account_id"
_SHOWN = (
    "(a.is_strict = 0 or exists"
    f" (select 1 from messages m where m.id = h.message_id and {READABLE}))"
)
"""Members read all that an open mailbox holds, so only of strict ones each message is looked up."""


@dataclass(frozen=True, slots=True)
class Circles:
    """`unread` on the server, `new` of the last five minutes.

    `checked_at` is the oldest of the mailboxes' last good checks; None: no mailbox, or none
    checked yet; in a first sync it is when mail came last. `is_rough`: a first sync goes on, so
    `unread` counts mail that is not here yet, as the server told before (A11).
    """

    unread: int
    new: int
    checked_at: datetime | None
    is_stale: bool
    is_rough: bool = False


@dataclass(frozen=True, slots=True)
class Pulse:
    """What costs little to ask: `version` changes whenever mail of the viewer's comes, goes or
    changes. `syncing` are in their first sync; their servers told of `unseen` messages.
    """

    version: str
    checked_at: datetime | None
    has_unchecked: bool
    syncing: tuple[AccountId, ...]
    unseen: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What a version stands for: `unread` but for first syncs, and `received`: when each of the
    latest messages came, in seconds.
    """

    unread: int
    received: tuple[int, ...]


def circles(store: Store, viewer: Viewer, *, now: datetime) -> Circles:
    """What the mail icon shows this viewer, as of the last check of his mailboxes."""
    found = pulse(store, viewer)
    return at(found, count(store, viewer, but=found.syncing, now=now), now=now)


def pulse(store: Store, viewer: Viewer) -> Pulse:
    rows = store.archive.conn.execute(
        f"select id, pulse, good_at, {SYNCED} from accounts"
        " where id in (select value from json_each(?)) order by id",
        [json.dumps(sorted(viewer.accounts))],
    ).fetchall()
    syncing = first_syncs.open_ones(store, [row[0] for row in rows])
    looks = [
        syncing[account][1] if account in syncing else maybe_from_seconds(good_at)
        for account, _, good_at, is_synced in rows
        if is_synced
    ]
    return Pulse(
        version=" ".join(f"{row[0]}.{row[1]}{'~' * (row[0] in syncing)}" for row in rows),
        checked_at=min((look for look in looks if look), default=None),
        has_unchecked=None in looks,
        syncing=tuple(syncing),
        unseen=sum(unseen for unseen, _ in syncing.values()),
    )


def count(
    store: Store, viewer: Viewer, *, but: Collection[AccountId] = (), now: datetime
) -> Counted:
    """Count what `at` needs; without what is unread in the accounts of `but`.

    What a strict mailbox keeps from the viewer is not counted either: he would know of it.
    """
    own = "h.account_id in (select value from json_each(:accounts))"
    parameters = viewer_parameters(viewer) | {
        "but": json.dumps(list(but)),
        "since": to_seconds(now - NEW_FOR),
    }
    (unread,) = store.archive.conn.execute(
        f"select count(distinct h.message_id) {_OWN} where h.is_unread = 1 and {own}"
        f" and {_SHOWN} and h.account_id not in (select value from json_each(:but))",
        parameters,
    ).fetchone()
    received = store.archive.conn.execute(
        f"select max(h.received_at) {_OWN} where h.is_live = 1"
        f" and h.received_at > :since and {own} and {_SHOWN} group by h.message_id",
        parameters,
    )
    return Counted(unread, tuple(row[0] for row in received))


def at(pulse: Pulse, counted: Counted, *, now: datetime) -> Circles:
    """What was counted, as it is now: the blue circle falls back by itself."""
    since, until = to_seconds(now - NEW_FOR), to_seconds(now + CLOCK_SKEW)
    is_old = pulse.checked_at is not None and pulse.checked_at < now - NEW_FOR
    return Circles(
        unread=counted.unread + pulse.unseen,
        new=sum(since < one <= until for one in counted.received),
        checked_at=pulse.checked_at,
        is_stale=is_old or pulse.has_unchecked,
        is_rough=bool(pulse.syncing),
    )
