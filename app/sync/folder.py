"""One pass over one folder: what is new is stored, what vanished or changed is noted."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from app.errors import OutOfSpace
from app.model import Folder
from app.store import Store, folders, ingest, locations, tombstones
from app.store.database import require_room
from app.store.singly import ingest_all
from app.sync.answers import Status
from app.sync.faults import Refused, Stopped
from app.sync.fetching import Batch, read_ahead
from app.sync.given_again import set_apart_given_again
from app.sync.known import link_known, note_object_ids
from app.sync.meter import Meter
from app.sync.remote import Remote

MAX_TRIES = 3
"""After so many failures in a row a message waits for the next full look, or for a person."""

# An unchanged STATUS hides a flag that is not \Seen, and one read mail for one unread; with a
# modseq it hides nothing that a server should do.
_LOOK_AGAIN = timedelta(hours=1)
_LOOK_AGAIN_WITH_MODSEQ = timedelta(days=1)
_HIGHEST_UID = 2**32 - 1
_NO_ROOM = (
    "The disk that holds the archive is nearly full, so that no more mail is read. What is stored"
    " stays and is found. When there is room again, Letterbook goes on by itself."
)
_storing = Lock()
"""One batch at a time, of whatever account: parsing takes several times its size in memory."""

_INCOMPLETE = (
    "The server counts {:,} messages here, but lists {:,}. What it lists is stored, nothing is"
    " noted as gone, and Letterbook looks again."
)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a whole check of an account has in common.

    `since`: mail received later is new. `meter`: notes how far a first sync is.
    """

    now: Callable[[], datetime]
    since: datetime
    stop: Callable[[], bool]
    enough: Callable[[], bool]
    tell: Callable[[Folder, int, int], None]
    meter: Meter | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """How a pass ended: unread on the server, and new mail of this pass."""

    unread: int
    new: int


def sync_folder(remote: Remote, store: Store, folder: Folder, visit: Visit) -> Passed:
    """Bring the store in line with one folder of the server.

    Raises Refused if the server refuses this folder, ConnectionLost, Stopped. Effects: each batch
    is durable before the next; may be repeated after any interruption.
    """
    status = remote.status(folder.name)
    if _is_settled(store, folder, status, now=visit.now()):
        return Passed(status.unseen, new=0)
    uidvalidity = remote.examine(folder.name)
    locations.retire_other_validities(store, folder.id, uidvalidity, now=visit.now())
    is_full = _is_full_look_due(folder, status, now=visit.now())
    new = None
    if not is_full and visit.meter is None:
        new = _follow_growth(remote, store, folder, uidvalidity, status, visit)
    if new is None:
        status, new = _compare(remote, store, folder, uidvalidity, status, visit, is_full=is_full)
    folders.record_pass(
        store,
        folder.id,
        uidvalidity=uidvalidity,
        uidnext=status.uidnext,
        highestmodseq=status.highestmodseq if status.uidvalidity == uidvalidity else None,
        messages=status.messages,
        unseen=status.unseen,
        error=None,
        now=visit.now(),
    )
    return Passed(status.unseen, new)


def _follow_growth(
    remote: Remote, store: Store, folder: Folder, uidvalidity: int, status: Status, visit: Visit
) -> int | None:
    """Bring what came since the last pass, and flags that changed; gives how much is new mail.

    None, and nothing done, if more may have happened. What was there is there yet if the sum is
    right: no UID below UIDNEXT is given again (RFC 3501 2.3.1.1). So a folder of 200,000 messages
    need not be listed for each new one.
    """
    first = folder.uidnext or 0
    is_same_life = folder.uidvalidity == uidvalidity == status.uidvalidity
    if folder.error is not None or not is_same_life or not 0 < first <= status.uidnext:
        return None
    changed = _changed_flags(remote, folder.highestmodseq, status.highestmodseq)
    if changed is None:
        return None
    came = remote.uids_since(first)
    if came & locations.known_uids(store, folder.id, uidvalidity, first=first):
        return None
    before = locations.count_below(store, folder.id, uidvalidity, first)
    if before + len(came) != status.messages:
        return None
    failed = locations.failed_uids(store, folder.id, uidvalidity).keys()
    live = locations.flags_by_uid(store, folder.id, uidvalidity, among=changed.keys())
    new = _bring(remote, store, folder, uidvalidity, came | failed, visit, is_full=False)
    _set_flags(store, folder, uidvalidity, live, changed)
    return new


def _compare(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    status: Status,
    visit: Visit,
    *,
    is_full: bool,
) -> tuple[Status, int]:
    """Compare the folder's whole list of UIDs; gives the counts as of then, and how much is new."""
    on_server = remote.uids()
    if len(on_server) != status.messages:  # mail came or went in between
        status, on_server = remote.status(folder.name), remote.uids()
    _free_uids(remote, store, folder, uidvalidity, on_server, status, visit)
    live = locations.flags_by_uid(store, folder.id, uidvalidity)
    new = _bring(remote, store, folder, uidvalidity, on_server, visit, is_full=is_full)
    if len(on_server) < status.messages:
        raise Refused(_INCOMPLETE.format(status.messages, len(on_server)))
    if note_presence(store, folder, uidvalidity, on_server, live, now=visit.now()):
        is_full, live = True, locations.flags_by_uid(store, folder.id, uidvalidity)
    _note_flags(remote, store, folder, uidvalidity, status, live, is_full=is_full)
    return status, new


def _free_uids(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    on_server: set[int],
    status: Status,
    visit: Visit,
) -> None:
    """Free the UIDs that stand for other mail than they did, where there is a sign of that: one
    came back, or UIDNEXT fell.
    """
    back = locations.gone_uids(store, folder.id, uidvalidity) & on_server
    set_apart_given_again(remote, store, folder, uidvalidity, back, now=visit.now, stop=visit.stop)
    if folder.uidvalidity != uidvalidity or not 0 < status.uidnext < (folder.uidnext or 0):
        return
    purged = tombstones.uids(store, folder.id, uidvalidity)
    tombstones.forget(store, folder.id, uidvalidity, purged)
    there = locations.known_uids(store, folder.id, uidvalidity) & on_server - back
    set_apart_given_again(
        remote, store, folder, uidvalidity, there, now=visit.now, stop=visit.stop, ends_early=True
    )


def _bring(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    on_server: set[int],
    visit: Visit,
    *,
    is_full: bool,
) -> int:
    """Link what is stored already and fetch the rest of these UIDs; gives how much is new mail."""
    if unknown := _unknown(store, folder, uidvalidity, on_server):
        link_known(
            remote,
            store,
            folder,
            uidvalidity,
            unknown,
            now=visit.now,
            is_over=lambda: visit.stop() or visit.enough(),
        )
    new = store_missing(remote, store, folder, uidvalidity, on_server, visit, is_full=is_full)
    note_object_ids(remote, store, folder, uidvalidity, first=min(on_server, default=_HIGHEST_UID))
    return new


def _unknown(store: Store, folder: Folder, uidvalidity: int, on_server: set[int]) -> list[int]:
    """The UIDs of which there is neither a place nor mail that was removed, newest first."""
    known = locations.known_uids(
        store, folder.id, uidvalidity, first=min(on_server, default=_HIGHEST_UID)
    )
    known |= tombstones.uids(store, folder.id, uidvalidity)
    return sorted(on_server - known, reverse=True)


def _is_settled(store: Store, folder: Folder, status: Status, *, now: datetime) -> bool:
    """Whether the last pass saw all of this, so that a STATUS is enough."""
    if folder.error is not None or _is_full_look_due(folder, status, now=now):
        return False
    before = Status(
        folder.uidvalidity or 0,
        folder.uidnext or 0,
        folder.server_messages,
        folder.server_unseen,
        folder.highestmodseq,
    )
    tries = locations.failed_uids(store, folder.id, status.uidvalidity).values()
    return status == before and all(count >= MAX_TRIES for count in tries)


def _is_full_look_due(folder: Folder, status: Status, *, now: datetime) -> bool:
    interval = _LOOK_AGAIN_WITH_MODSEQ if status.highestmodseq else _LOOK_AGAIN
    # Our clock may have been set back since.
    return folder.checked_at is None or abs(now - folder.checked_at) >= interval


# -- new messages


def store_missing(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    on_server: set[int],
    visit: Visit,
    *,
    is_full: bool,
) -> int:
    """Fetch and store what is not known, newest first, and what failed before at the end, so that
    it keeps nothing else waiting; gives how many are new mail.

    A full look tries those that were given up once more: the fault may have been ours.
    """
    unknown = _unknown(store, folder, uidvalidity, on_server)
    failed = locations.failed_uids(store, folder.id, uidvalidity)
    gone = failed.keys() - on_server
    locations.mark_failures_gone(store, folder.id, uidvalidity, gone, now=visit.now())
    given_up = {uid for uid, tries in failed.items() if tries >= MAX_TRIES and not is_full}
    missing = [uid for uid in unknown if uid not in given_up]
    missing.sort(key=lambda uid: failed.get(uid, 0))
    if missing:
        _require_room(store, 0)
    new = done = 0
    if visit.meter:
        visit.meter.begin(total=len(on_server), done=len(on_server) - len(missing))
    with closing(read_ahead(remote, missing)) as batches:
        for batch in batches:
            new += _store(store, folder, uidvalidity, batch, visit)
            done += len(batch.messages)
            visit.tell(folder, done, len(missing))
            if visit.meter:
                _measure(visit.meter, folder, batch)
            del batch  # its bytes, before the next ones come
            if visit.stop() or visit.enough():
                if visit.meter:
                    visit.meter.note(folder)
                raise Stopped
    if visit.meter:
        visit.meter.note(folder, is_complete=True)
    return new


def _measure(meter: Meter, folder: Folder, batch: Batch) -> None:
    oldest = min(batch.messages, key=lambda one: one[0].uid, default=None)
    meter.add(
        folder,
        done=len(batch.messages) + len(batch.failures),
        size_bytes=sum(len(raw) for _, raw in batch.messages),
        reached_at=oldest[0].received_at if oldest else None,
    )


def _store(store: Store, folder: Folder, uidvalidity: int, batch: Batch, visit: Visit) -> int:
    """Store a batch, and why some of it could not be had; gives how many are new mail."""
    deliveries = [
        ingest.Delivery(
            folder.id,
            uidvalidity,
            summary.uid,
            raw,
            summary.received_at or visit.now(),
            summary.flags,
        )
        for summary, raw in batch.messages
    ]
    with _storing:
        _require_room(store, sum(len(raw) for _, raw in batch.messages))
        _, refused = ingest_all(store, deliveries, now=visit.now())
    failures = batch.failures | refused
    for uid, reason in failures.items():
        locations.record_failure(store, folder.id, uidvalidity, uid, reason, now=visit.now())
    return sum(d.received_at >= visit.since for d in deliveries if d.uid not in failures)


def _require_room(store: Store, size_bytes: int) -> None:
    try:
        require_room(store, size_bytes)
    except OutOfSpace as exc:
        raise OutOfSpace(_NO_ROOM) from exc


# -- known messages


def note_presence(
    store: Store,
    folder: Folder,
    uidvalidity: int,
    on_server: set[int],
    live: Mapping[int, tuple[str, ...]],
    *,
    now: datetime,
) -> bool:
    """Note what vanished from the folder and what came back; gives whether anything came back."""
    locations.mark_gone(store, folder.id, uidvalidity, live.keys() - on_server, now=now)
    now_live = locations.flags_by_uid(store, folder.id, uidvalidity).keys()
    purged = tombstones.uids(store, folder.id, uidvalidity)
    tombstones.forget(store, folder.id, uidvalidity, purged - on_server)
    known = locations.known_uids(store, folder.id, uidvalidity)
    back = (known & on_server) - now_live
    locations.revive(store, folder.id, uidvalidity, back)
    return bool(back)


def _note_flags(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    status: Status,
    live: Mapping[int, tuple[str, ...]],
    *,
    is_full: bool,
) -> None:
    """Note flags that differ. `live` are those stored before this pass: new mail brought its own.

    With CONDSTORE only what changed since the last good pass is asked for (RFC 7162 3.1.4).
    """
    if not live:
        return
    told = None
    if not is_full and folder.error is None and folder.uidvalidity == uidvalidity:
        told = _changed_flags(remote, folder.highestmodseq, status.highestmodseq)
    if told is None:
        told = remote.flags_of(list(live))
    _set_flags(store, folder, uidvalidity, live, told)


def _set_flags(
    store: Store,
    folder: Folder,
    uidvalidity: int,
    live: Mapping[int, tuple[str, ...]],
    told: Mapping[int, tuple[str, ...]],
) -> None:
    differ = {uid: flags for uid, flags in told.items() if uid in live and live[uid] != flags}
    if differ:
        locations.set_flags(store, folder.id, uidvalidity, differ)


def _changed_flags(
    remote: Remote, since: int | None, highest: int | None
) -> dict[int, tuple[str, ...]] | None:
    """The flags that changed since a modseq; None if that cannot be known.

    0 is a folder without modseqs (RFC 7162 3.1.2.2). One that lies behind ours means that the
    server lost its index and counts anew.
    """
    if not since or not highest or highest < since:
        return None
    try:
        return remote.flags(1, _HIGHEST_UID, changed_since=since)
    except Refused:
        return None
