"""UIDs that a server gave again, to other mail: restored from its backup, it counts anew.

The place of the old mail is kept as gone, under numbers that no server gives, so that the UID is
free and the other mail is fetched.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from app.errors import Corrupt, NotFound
from app.model import Folder
from app.store import Store, candidates, locations
from app.store.locations import Look
from app.sync.answers import Summary
from app.sync.faults import ConnectionLost, Refused, Stopped
from app.sync.known import telling_lines
from app.sync.remote import UIDS_PER_COMMAND, Remote


def set_apart_given_again(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    uids: Iterable[int],
    *,
    now: Callable[[], datetime],
    stop: Callable[[], bool],
    ends_early: bool = False,
) -> set[int]:
    """Set apart those of these UIDs of the examined folder that stand for other mail; gives them.

    The newest come first. `ends_early`: five hundred that stand for what they did are enough.
    Raises ConnectionLost, Stopped. Effects: batch by batch; may be repeated.
    """
    ordered = sorted(uids, reverse=True)
    found: set[int] = set()
    for start in range(0, len(ordered), UIDS_PER_COMMAND):
        if stop():
            raise Stopped
        chunk = ordered[start : start + UIDS_PER_COMMAND]
        try:
            others = _others(remote, store, folder, uidvalidity, chunk)
        except Refused:
            continue
        except ConnectionLost:
            remote.reopen()
            break
        if others:
            locations.set_apart(store, folder.id, uidvalidity, others, now=now())
            found |= others
        elif ends_early:
            break
    return found


def _others(
    remote: Remote, store: Store, folder: Folder, uidvalidity: int, uids: Sequence[int]
) -> set[int]:
    """Another size and another date are other mail. One of both alone a server may have wrong, so
    then the header decides.
    """
    looks = locations.looks(store, folder.id, uidvalidity, uids)
    others: set[int] = set()
    doubtful: list[int] = []
    for one in remote.summaries(uids) if looks else []:
        if one.uid in looks:
            differences = _differences(one, looks[one.uid])
            if differences == 2:
                others.add(one.uid)
            elif differences == 1:
                doubtful.append(one.uid)
    headers = _headers(remote, doubtful)
    return others | {
        uid for uid in doubtful if not _is_header_of(store, looks[uid], headers.get(uid, b""))
    }


def _headers(remote: Remote, uids: Sequence[int]) -> Mapping[int, bytes]:
    """None of a server that refuses them: what is in doubt is fetched, once."""
    try:
        return remote.headers(uids)
    except Refused:
        return {}


def _differences(told: Summary, stored: Look) -> int:
    has_other_date = told.received_at is not None and told.received_at != stored.received_at
    return (told.size_bytes != stored.size_bytes) + has_other_date


def _is_header_of(store: Store, stored: Look, header: bytes) -> bool:
    try:
        return telling_lines(candidates.beginning(store, stored.copy_id)) == telling_lines(header)
    except (Corrupt, NotFound):  # nothing to compare it with
        return True
