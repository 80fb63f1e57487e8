"""How far a first sync is, noted while it goes on."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.model import AccountId, Folder
from app.store import Store, first_syncs

_NOTE_EVERY = timedelta(seconds=1)


class Meter:
    """Notes the folder that is read now, once a second at most and at its end; for one pass."""

    def __init__(self, store: Store, account_id: AccountId, now: Callable[[], datetime]) -> None:
        self._store = store
        self._account_id = account_id
        self._now = now
        self._noted_at = now() - _NOTE_EVERY
        self._total = self._done = self._bytes = 0
        self._reached_at: datetime | None = None

    def begin(self, *, total: int, done: int) -> None:
        """Another folder: so many messages, so many of which need no fetching."""
        self._total, self._done, self._bytes, self._reached_at = total, done, 0, None

    def add(
        self, folder: Folder, *, done: int, size_bytes: int, reached_at: datetime | None
    ) -> None:
        """More of the folder is done; `reached_at`: when the oldest of it was received."""
        self._done += done
        self._bytes += size_bytes
        self._reached_at = reached_at or self._reached_at
        if self._now() - self._noted_at >= _NOTE_EVERY:
            self.note(folder)

    def note(self, folder: Folder, *, is_complete: bool = False) -> None:
        self._noted_at = self._now()
        first_syncs.note(
            self._store,
            self._account_id,
            folder.id,
            total=self._total,
            done=self._done,
            more_bytes=self._bytes,
            reached_at=self._reached_at,
            is_complete=is_complete,
            now=self._noted_at,
        )
        self._bytes = 0
