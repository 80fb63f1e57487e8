"""Removing a message for good: for legal requests only, never by age, never by anybody else."""

from datetime import datetime

from app.errors import Forbidden, Invalid
from app.model import PublicId, Viewer, one_line
from app.store import Store, audit, messages, purges, transaction

LONGEST_REASON = 500


def purge_message(
    store: Store, viewer: Viewer, public_id: str, *, reason: str, now: datetime
) -> PublicId:
    """Remove a message with all that was made of it; gives its public id.

    For administrators, whether they may read it or not: whoever asked for it names its id, or
    its Message-ID. Sync and import do not bring it back. Its bytes leave the disk with the next
    sweep.

    Raises NotFound, Conflict if several messages have the Message-ID, Forbidden for a reader who
    does not administer, Invalid without a reason.
    Effects: one transaction, audited.
    """
    if not viewer.is_admin:
        messages.get(store, viewer, public_id)
        raise Forbidden("A message is removed for good by administrators only.")
    reason = one_line(reason)
    if not reason:
        raise Invalid("reason", "Say why it is removed; the audit keeps it.")
    if len(reason) > LONGEST_REASON:
        raise Invalid("reason", f"Say it in at most {LONGEST_REASON} characters.")
    with transaction(store):
        message_id, found = purges.find(store, public_id)
        purges.remove(store, message_id, found, by=viewer.user_id, reason=reason, now=now)
        audit.note(store, "purge", by=viewer.user_id, now=now, message=found, reason=reason)
    return found
