"""What a look found, in sentences and as a document: ids, mailboxes and folders, never subjects."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from app.model import Copy, CopyId, Digest, MessageId
from app.store import Store, blobs
from app.store.harm import Harmed, Place
from app.verify.check import Findings, examine, never, unheard

MOST_NAMED = 1_000
_MOST_PLACES = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and a sentence for everything that differs; empty: all is well.

    `damaged` names the messages that are hit: {"message": ID, "copies": [ID], "can_fetch": True,
    "places": [{"mailbox", "folder", "uid", "is_on_server"}], "what_to_do": "..."}. `orphans`
    counts blobs that nobody names.
    """

    copies: int
    folders: int
    documents: int
    faults: tuple[str, ...]
    blobs: int = 0
    blocks: int = 0
    orphans: int = 0
    damaged: tuple[dict[str, Any], ...] = ()

    @property
    def summary(self) -> str:
        number = len(self.faults)
        return (
            f"{self.copies:,} {'copy' if self.copies == 1 else 'copies'},"
            f" {self.folders:,} folder{'s' * (self.folders != 1)} and {self.documents:,} indexed"
            f" message{'s' * (self.documents != 1)} looked at:"
            f" {number or 'no'} fault{'s' * (number != 1)}."
        )


def verify(
    store: Store,
    *,
    sample: int | None = None,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unheard,
) -> Verified:
    """Look at everything, with a sample of the copies instead of all bytes if wanted."""
    return told(store, examine(store, sample=sample, stop=stop, progress=progress))


def told(store: Store, found: Findings) -> Verified:
    """The findings for people; of very many, the first."""
    damaged = [_document(store, one, found) for one in found.hit[:MOST_NAMED]]
    more = len(found.hit) - len(damaged)
    return Verified(
        found.copies,
        found.folders,
        found.documents,
        (
            *found.complaints,
            *_reasons(found),
            *found.drift,
            *found.faults,
            *(sentence(one) for one in damaged),
            *([f"{more:,} more messages are damaged."] if more else []),
        ),
        found.blobs,
        found.blocks,
        found.orphans,
        tuple(damaged),
    )


def sentence(damaged: dict[str, Any]) -> str:
    """One of `Verified.damaged`, for people."""
    places = dict.fromkeys(f"{one['mailbox']} ({one['folder']})" for one in damaged["places"])
    where = f" It is in {', '.join(places)}." if places else ""
    what = f"copy {', '.join(damaged['copies'])}" if damaged["copies"] else "the text for lists"
    return f"message {damaged['message']}: {what} is damaged.{where} {damaged['what_to_do']}"


def _reasons(found: Findings) -> list[str]:
    counted = Counter(found.roots.values())
    said = [
        reason if number == 1 else f"{reason} {number:,} contents lie in it."
        for reason, number in counted.most_common()
    ]
    return said if len(said) <= MOST_NAMED else [*said[:MOST_NAMED], "And so on."]


def _document(store: Store, one: Harmed, found: Findings) -> dict[str, Any]:
    return {
        "message": one.message,
        "copies": [_copy_name(store, copy_id) for copy_id in one.copies],
        "can_fetch": one.can_fetch,
        "places": [_place(place) for place in one.places[:_MOST_PLACES]],
        "what_to_do": _what_to_do(one, found),
    }


def _what_to_do(one: Harmed, found: Findings) -> str:
    if found.is_beyond_repair:
        return "Restore a backup: the database itself is damaged."
    if not one.copies:
        return "Run letterbook verify --repair: it is made anew from the message."
    if one.can_fetch:
        return "Run letterbook verify --repair: it is fetched again from the server."
    return (
        "No server has this copy. Run letterbook verify --repair: it looks for the bytes in other"
        " copies. If it finds none, restore a backup."
    )


def _copy_name(store: Store, copy_id: CopyId) -> str:
    """Its public id, or its number where its SHA-256 is lost."""
    digest = blobs.digests_of(store, [copy_id]).get(copy_id)
    if not isinstance(digest, bytes):
        return f"number {copy_id}"
    return Copy(copy_id, MessageId(0), Digest(digest), 0).public_id


def _place(place: Place) -> dict[str, Any]:
    document = asdict(place)
    return {key: document[key] for key in ("mailbox", "folder", "uid", "is_on_server")}
