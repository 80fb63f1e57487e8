"""What just happened, as the next page says it. Addresses carry ids only, never text."""

from dataclasses import dataclass
from typing import Final

from app.errors import NotFound
from app.model import Message, Record, Viewer
from app.store import Store, messages, records
from app.web.db import AnyRequest
from app.web.forms import asked

ARCHIVED: Final = "archived"
ATTACHED: Final = "attached"
ALREADY: Final = "already"
DETACHED: Final = "detached"
ASIDE: Final = "aside"
TAKEN_BACK: Final = "back"
FILED: Final = "filed"
CHOOSE: Final = "choose"
SAVED: Final = "saved"
REMOVED: Final = "removed"
ENDED: Final = "ended"
SIGNED_IN: Final = "signed-in"
CHOOSE_ONE: Final = "choose-one"
TOO_MANY: Final = "too-many"
FILED_MANY: Final = "filed-many"
UNFILED_MANY: Final = "unfiled-many"
ASIDE_MANY: Final = "aside-many"
BACK_MANY: Final = "back-many"
_OF_MANY: Final = frozenset((FILED_MANY, UNFILED_MANY, ASIDE_MANY, BACK_MANY))
_ALONE: Final = frozenset((CHOOSE, CHOOSE_ONE, TOO_MANY, SAVED, REMOVED, ENDED, SIGNED_IN))
_OF_MESSAGE: Final = frozenset((ASIDE, TAKEN_BACK, FILED))
_VERBS: Final = _ALONE | _OF_MESSAGE | _OF_MANY | {ARCHIVED, ATTACHED, ALREADY, DETACHED}


@dataclass(frozen=True, slots=True)
class Flash:
    """A verb of this module, and what it was done to, as far as the viewer may see it.

    Done to many it says how many (`count`) and in which second (`at`), for the undoing; `message`
    is then the first of them.
    """

    done: str
    message: Message | None = None
    record: Record | None = None
    count: int = 0
    at: str = ""


def flash_of(request: AnyRequest, store: Store, viewer: Viewer) -> Flash | None:
    """The flash that the address asks for; None if there is none or it names hidden things."""
    done = asked(request, "done")
    if done not in _VERBS:
        return None
    if done in _ALONE:
        return Flash(done)
    try:
        if done in _OF_MESSAGE:
            return Flash(done, messages.get(store, viewer, asked(request, "message")))
        if done in _OF_MANY:
            return _of_many(request, store, viewer, done)
        record = records.get(store, viewer, asked(request, "record"))
        message = messages.get(store, viewer, asked(request, "message"))
    except NotFound:
        return None
    return Flash(done, message, record)


def _of_many(request: AnyRequest, store: Store, viewer: Viewer, done: str) -> Flash:
    """Raises NotFound for a hidden record; the first message may be one's own no more."""
    name, count = asked(request, "record"), asked(request, "n")
    found = messages.by_public_ids(store, viewer, [asked(request, "message")])
    return Flash(
        done,
        next(iter(found), None),
        records.get(store, viewer, name) if name or done == FILED_MANY else None,
        int(count) if count.isascii() and count.isdecimal() and len(count) < 4 else 0,
        asked(request, "at"),
    )
