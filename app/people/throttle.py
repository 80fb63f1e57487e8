"""Guessing is slow: after some failures a door stays shut for a while."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.errors import AuthFailed
from app.model import UserId
from app.store import Store, audit, sessions, transaction

FAILURES_WITHIN: Final = timedelta(minutes=15)
MOST_FAILURES: Final = {"user": 10, "address": 50, "code": 10, "codes": 100, "token": 50}
"""How often each kind of key may fail within that time."""


class TooManyAttempts(AuthFailed):
    """Whatever was sent, it is not looked at for a while."""


def require_calm(store: Store, keys: Mapping[str, str], *, now: datetime) -> None:
    """Raises TooManyAttempts if one of the keys (kind: key) failed too often lately."""
    since = now - FAILURES_WITHIN
    for kind, key in keys.items():
        if sessions.count_failures(store, key, since=since) >= MOST_FAILURES[kind]:
            raise TooManyAttempts("Too many attempts. Wait a quarter of an hour and try again.")


def note_failure(
    store: Store, keys: Mapping[str, str], *, user: UserId | None = None, now: datetime
) -> None:
    """Note a failure to show that one is `user`, or anybody. Effects: one transaction, audited."""
    with transaction(store):
        sessions.record_failure(
            store, list(keys.values()), now=now, keep_since=now - FAILURES_WITHIN
        )
        if "token" not in keys:  # a program whose token has expired asks on and on
            audit.note(store, "fail sign-in", by=None, now=now, user=user)
