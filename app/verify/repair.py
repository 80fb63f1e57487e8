"""What is damaged, had again from other copies and from the servers, and proved."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from app.errors import AuthFailed, RemoteError
from app.model import AccountId
from app.store import Store, blobs, derived, mending, soundness
from app.store.harm import Place, harmed, other_copies, unneeded
from app.store.lock import removal
from app.verify.check import Findings, examine, never, unheard
from app.verify.say import Verified, told

Fetch = Callable[[AccountId, Sequence[Place]], Iterator[tuple[Place, bytes]]]
"""Gives what a mailbox's server has at these places; raises AuthFailed, RemoteError."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """How many blobs are sound again, how it stands now, and which servers did not answer.

    `is_derived_anew`: what archive.db derives was mended.
    """

    mended: int
    verified: Verified
    notes: tuple[str, ...] = ()
    is_derived_anew: bool = False

    @property
    def summary(self) -> str:
        what = []
        if self.mended:
            what.append(f"{self.mended:,} damaged content{'s' * (self.mended != 1)} repaired.")
        if self.is_derived_anew:
            what.append("What archive.db derives from its rows was made anew.")
        what = what or ["No damage was repaired."]
        return " ".join([*what, *self.notes, self.verified.summary])


def repair(
    store: Store,
    fetch: Fetch,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unheard,
) -> Repaired:
    """Look at everything, repair what can be, and look again.

    Bytes are taken only if they have the SHA-256 that was stored. Nothing is tried where SQLite
    cannot make sense of mail.db: that is a backup's to restore. Raises Conflict while a backup
    runs. Effects: may be repeated after any interruption.
    """
    found = examine(store, stop=stop, progress=progress)
    if found.is_beyond_repair or not (found.harm or found.complaints or found.drift):
        return Repaired(0, told(store, found))
    is_derived_anew = _derive_anew(store, found)
    with removal(store.directory):
        if found.complaints:
            mending.rebuild_index(store)
        for blob_id in found.roots:
            mending.correct(store, blob_id)
        for one in found.hit:
            for raw in other_copies(store, one.message_id):
                mending.mend(store, raw, found.harm)
    notes = list(_from_servers(store, found, fetch, stop))
    with removal(store.directory):
        _tidy(store, found)
    mended = sum(mending.is_whole(store, blob_id) for blob_id in found.harm)
    verified = told(store, examine(store, stop=stop, progress=progress))
    return Repaired(mended, verified, tuple(notes), is_derived_anew)


def _derive_anew(store: Store, found: Findings) -> bool:
    """Have archive.db's rows that are derived from others say what those do; whether any did not.

    The words come first: what finds them must be sound before they are changed.
    """
    has_broken_words = any(map(soundness.is_of_words, found.complaints))
    if has_broken_words:
        derived.rebuild_words(store)
    if found.drift:
        derived.make_anew(store)
    return has_broken_words or bool(found.drift)


def _from_servers(
    store: Store, found: Findings, fetch: Fetch, stop: Callable[[], bool]
) -> Iterator[str]:
    """Fetch what is damaged yet: first one copy for each blob that several need, then the rest.

    Gives a sentence for each server that does not answer.
    """
    for choose in (_one_for_each_root, _first_places, _other_places):
        ordered = sorted(choose(store, found), key=lambda place: place.account_id)
        for account_id, some in groupby(ordered, key=lambda place: place.account_id):
            places = list(some)
            try:
                for place, raw in fetch(account_id, places):
                    _take(store, found, place, raw)
                    if stop():
                        return
            except (AuthFailed, RemoteError) as exc:
                yield f"{places[0].mailbox}: {exc}"


def _take(store: Store, found: Findings, place: Place, raw: bytes) -> None:
    """Use what a server gave, if it is what was stored."""
    digest = blobs.digests_of(store, [place.copy_id]).get(place.copy_id)
    if sha256(raw).digest() == digest:
        with removal(store.directory):
            mending.mend(store, raw, found.harm)


def _one_for_each_root(store: Store, found: Findings) -> list[Place]:
    chosen: dict[int, Place] = {}
    for place in _first_places(store, found):
        for blob_id in found.needs.get(place.copy_id, ()):
            if blob_id in found.roots:
                chosen.setdefault(blob_id, place)
    return list(dict.fromkeys(chosen.values()))


def _first_places(store: Store, found: Findings) -> list[Place]:
    return list({place.copy_id: place for place in reversed(_places(store, found))}.values())


def _other_places(store: Store, found: Findings) -> list[Place]:
    first = set(_first_places(store, found))
    return [place for place in _places(store, found) if place not in first]


def _places(store: Store, found: Findings) -> list[Place]:
    """Where servers have the copies that are damaged yet."""
    return [
        place
        for one in found.hit
        for copy_id in one.copies
        if not mending.is_whole(store, copy_id)
        for place in one.places
        if place.copy_id == copy_id and place.is_on_server
    ]


def _tidy(store: Store, found: Findings) -> None:
    """Derive anew what is derived, and remove the damaged bytes that nobody needs."""
    damaged = [blob_id for blob_id in found.harm if not mending.is_whole(store, blob_id)]
    for one in harmed(store, damaged):
        for raw in other_copies(store, one.message_id):
            mending.derive_again(store, one.message_id, raw)
            break
    needed = {need for blob_id in damaged for need in found.needs.get(blob_id, ())}
    mending.drop(store, unneeded(store, damaged) - needed)
