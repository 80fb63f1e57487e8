"""What is proposed for a message: the records it may belong to, and what a new one begins with."""

from app.filing.one import require_readable
from app.model import MessageId, Suggestion, Viewer
from app.search.newcomer import Newcomer, newcomer_of
from app.search.suggest import suggest as suggest_records
from app.store import Store, documents
from app.store import team as teams


def suggest(store: Store, viewer: Viewer, message_id: MessageId) -> list[Suggestion]:
    """Records that the message may belong to, most likely first, at most five (R42, R43).

    Raises NotFound if the viewer may not read the message.
    """
    require_readable(store, viewer, message_id)
    return suggest_records(store, viewer, message_id)


def newcomer(store: Store, viewer: Viewer, message_id: MessageId) -> Newcomer:
    """Who wrote it, or to whom it went, as the start of a new record. Raises NotFound."""
    require_readable(store, viewer, message_id)
    found = documents.message_documents(store, [message_id])
    return newcomer_of(found[0].mail, teams.get(store)) if found else Newcomer()
