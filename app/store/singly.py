"""Deliveries of which one cannot be kept: it holds up no other."""

import logging
from collections.abc import Sequence
from datetime import datetime

from app.errors import Busy, LetterbookError, OutOfSpace
from app.store import ingest
from app.store.database import Store

# What one odd message can raise. A full disk and a locked database are not the message's fault.
_CONTENT_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RecursionError,
    MemoryError,
    LetterbookError,
)

logger = logging.getLogger(__name__)


def ingest_all(
    store: Store, deliveries: Sequence[ingest.Delivery], *, now: datetime
) -> tuple[ingest.Ingested, dict[int, str]]:
    """Keep a batch; where that fails, one by one. Gives the reasons by UID of those that cannot be.

    Where several fail and none can be stored, the fault is ours and not theirs: it is raised, so
    that no message is given up for it.
    """
    try:
        return ingest.ingest(store, deliveries, now=now), {}
    except (Busy, OutOfSpace):
        raise
    except _CONTENT_ERRORS as problem:
        counted, errors = _ingest_singly(store, deliveries, now=now)
        if len(errors) == len(deliveries) > 1:
            raise
        for uid, error in errors.items():
            logger.error("a message cannot be stored", exc_info=error, extra={"uid": uid})
        logger.warning("a batch was stored one by one", extra={"problem": type(problem).__name__})
        return counted, {
            uid: f"It could not be stored ({type(error).__name__})."
            for uid, error in errors.items()
        }


def _ingest_singly(
    store: Store, deliveries: Sequence[ingest.Delivery], *, now: datetime
) -> tuple[ingest.Ingested, dict[int, Exception]]:
    stored = known = skipped = 0
    errors: dict[int, Exception] = {}
    for delivery in deliveries:
        try:
            counted = ingest.ingest(store, [delivery], now=now)
        except (Busy, OutOfSpace):
            raise
        except _CONTENT_ERRORS as exc:
            errors[delivery.uid] = exc
        else:
            stored, known = stored + counted.stored, known + counted.known
            skipped += counted.skipped
    return ingest.Ingested(stored, known, skipped), errors
