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
_ALONE: Final = frozenset((CHOOSE, SAVED, REMOVED, ENDED, SIGNED_IN))
_OF_MESSAGE: Final = frozenset((ASIDE, TAKEN_BACK, FILED))
_VERBS: Final = _ALONE | _OF_MESSAGE | {ARCHIVED, ATTACHED, ALREADY, DETACHED}


@dataclass(frozen=True, slots=True)
class Flash:
    """A verb of this module, and what it was done to, as far as the viewer may see it."""

    done: str
    message: Message | None = None
    record: Record | None = None


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
        record = records.get(store, viewer, asked(request, "record"))
        message = messages.get(store, viewer, asked(request, "message"))
    except NotFound:
        return None
    return Flash(done, message, record)
