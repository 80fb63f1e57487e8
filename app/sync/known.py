"""Mail that is stored already and comes under another UID: its place is noted, nothing fetched.

It comes so after a new UIDVALIDITY, after a move or the renaming of a folder, and where a folder
is another view of the same mail (Gmail). Size and date are never enough, nor is a server's word:
the lines of the header that tell one mail from another must be the same, too. Whatever is in doubt
is fetched, and its hash decides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.errors import Corrupt, NotFound
from app.model import CopyId, Folder
from app.store import Store, candidates, ingest
from app.store.candidates import Vanished
from app.sync.answers import Summary
from app.sync.faults import ConnectionLost, Refused
from app.sync.remote import TELLING_FIELDS, UIDS_PER_COMMAND, Remote

_LATELY = timedelta(days=7)
"""What vanished longer ago is fetched when it comes back."""

_IDS_PER_COMMAND = 5_000

_NOTHING: frozenset[bytes] = frozenset()
_IN_ITS_FOLDER = frozenset({b"message-id"})
_ELSEWHERE = frozenset({b"message-id", b"received"})
"""What the header must have. Without Received lines a mail in another folder may be a draft."""

_TELLING = frozenset(field.lower().encode() for field in TELLING_FIELDS)


@dataclass(frozen=True, slots=True)
class _Guess:
    """A message on the server and the copies that it may be, with what its header must have."""

    summary: Summary
    received_at: datetime
    options: tuple[tuple[CopyId, frozenset[bytes]], ...]


def link_known(
    remote: Remote,
    store: Store,
    folder: Folder,
    uidvalidity: int,
    missing: Sequence[int],
    *,
    now: Callable[[], datetime],
    is_over: Callable[[], bool],
) -> None:
    """Note the places of those of the examined folder's UIDs that are stored already.

    Raises ConnectionLost. Effects: batch by batch; may be repeated.
    """
    vanished = candidates.vanished(store, folder, uidvalidity=uidvalidity, since=now() - _LATELY)
    has_ids = candidates.has_object_ids(store, folder.account_id) and remote.has_object_ids
    linked: set[CopyId] = set()
    for chunk in _chunks(missing if vanished or has_ids else [], UIDS_PER_COMMAND):
        if is_over():
            return
        try:
            summaries = remote.summaries(chunk, with_object_id=has_ids)
            guesses = list(_guesses(store, folder, summaries, vanished))
            headers = remote.headers([guess.summary.uid for guess in guesses])
        except Refused:
            continue  # whoever fetches them finds out which one it was
        except ConnectionLost:
            remote.reopen()
            return
        proved = _proved(store, guesses, headers, but=linked)
        linked |= proved.keys()
        places = [(_delivery(g, folder, uidvalidity), copy_id) for copy_id, g in proved.items()]
        ingest.link(store, places, now=now())


def note_object_ids(
    remote: Remote, store: Store, folder: Folder, uidvalidity: int, *, first: int
) -> None:
    """Note what the server calls the stored messages of the examined folder from UID `first` on.

    A server that offers this and refuses it loses nothing. Effects: may be repeated.
    """
    if not remote.has_object_ids:
        return
    unnamed = candidates.without_object_id(store, folder, uidvalidity, first=first)
    for chunk in _chunks(unnamed, _IDS_PER_COMMAND):
        try:
            told = remote.object_ids(chunk[0], chunk[-1])
        except Refused:
            return
        wanted = set(chunk)
        known = {uid: object_id for uid, object_id in told.items() if uid in wanted and object_id}
        candidates.note_object_ids(store, folder, uidvalidity, known)


def _guesses(
    store: Store, folder: Folder, summaries: Sequence[Summary], vanished: Vanished
) -> Iterator[_Guess]:
    """By the server's own id, else by size and date of what vanished."""
    ids = {one.object_id for one in summaries if one.object_id}
    by_id = candidates.by_object_id(store, folder.account_id, ids) if ids else {}
    for one in summaries:
        if one.received_at is None:
            continue
        copy_id, size_bytes = by_id.get(one.object_id, (None, 0))
        if copy_id is not None:
            options = [(copy_id, _NOTHING)] if size_bytes == one.size_bytes else []
        else:
            found = vanished.find(one.size_bytes, one.received_at)
            options = [(copy, _IN_ITS_FOLDER if is_here else _ELSEWHERE) for copy, is_here in found]
        if options:
            yield _Guess(one, one.received_at, tuple(options))


def _proved(
    store: Store, guesses: Sequence[_Guess], headers: Mapping[int, bytes], *, but: set[CopyId]
) -> dict[CopyId, _Guess]:
    """The copies that are on the server beyond doubt: one message may be the copy, and no other
    copy may be the message. Of two that look alike both are fetched.
    """
    by_copy: dict[CopyId, list[_Guess]] = {}
    for guess in guesses:
        told = telling_lines(headers.get(guess.summary.uid, b""))
        same = [copy for copy, needed in guess.options if _is_same(store, copy, told, needed)]
        if len(same) == 1:
            by_copy.setdefault(same[0], []).append(guess)
    return {copy: some[0] for copy, some in by_copy.items() if len(some) == 1 and copy not in but}


def _is_same(
    store: Store, copy_id: CopyId, told: list[tuple[bytes, bytes]], needed: frozenset[bytes]
) -> bool:
    if not told or not needed <= {name for name, value in told if value}:
        return False
    try:
        return telling_lines(candidates.beginning(store, copy_id)) == told
    except (Corrupt, NotFound):
        return False


def telling_lines(raw: bytes) -> list[tuple[bytes, bytes]]:
    """The lines of a header that tell one mail from another, unfolded and sorted.

    telling_lines(b"To: x\\r\\nDATE: 3\\r\\n  May\\r\\n\\r\\n") == [(b"date", b"3 May")]
    """
    lines: list[bytes] = []
    for line in raw.splitlines():
        if not line.strip():
            break
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += line
        else:
            lines.append(line)
    fields = [line.partition(b":") for line in lines]
    found = [(name.strip().lower(), b" ".join(value.split())) for name, _, value in fields]
    return sorted(one for one in found if one[0] in _TELLING)


def _delivery(guess: _Guess, folder: Folder, uidvalidity: int) -> ingest.Delivery:
    one = guess.summary
    return ingest.Delivery(folder.id, uidvalidity, one.uid, b"", guess.received_at, one.flags)


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (uids[start : start + size] for start in range(0, len(uids), size))
