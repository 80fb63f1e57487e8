"""What is learned from a detached message."""

from datetime import datetime, timedelta
from typing import Final

from app.model import MessageId, RecordId
from app.store import Store, decisions, filings

SECOND_THOUGHTS: Final = timedelta(minutes=1)
"""Who detaches sooner undoes a slip, from which nothing is learned."""


def learn_detached(
    store: Store, message_id: MessageId, record_id: RecordId, *, now: datetime
) -> None:
    """To detach is to say that it does not belong there; to undo at once says nothing.

    What was passed over for the detached record may be right after all.

    Effects: inside the caller's transaction.
    """
    filed_at = filings.filed_at(store, message_id, record_id)
    decisions.unsay(store, message_id, chosen=record_id, at=filed_at)
    if now - filed_at > SECOND_THOUGHTS:
        decisions.refuse(store, message_id, record_id, now=now)
