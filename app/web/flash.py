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
CHOOSE: Final = "choose"
_VERBS: Final = frozenset((ARCHIVED, ATTACHED, ALREADY, DETACHED, CHOOSE))


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
    if done == CHOOSE:
        return Flash(done)
    try:
        record = records.get(store, viewer, asked(request, "record"))
        message = messages.get(store, viewer, asked(request, "message"))
    except NotFound:
        return None
    return Flash(done, message, record)
