"""When the worker reads attachments: the newest mail's first, some at a time, behind the index."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from app.errors import Corrupt, NotFound
from app.extract.reader import MOST_BYTES, Reader, Stopped
from app.settings import Settings
from app.store import Store, documents, extracts, open_store
from app.store.extracts import Attachment, Entry, Extract, Source

TURN_SECONDS = 2.0
PER_TURN = 200
MOST_CHARACTERS = 4_000_000
"""Read in a turn, before it is kept."""

MOST_QUEUED = 500
"""Messages whose new text waits for the index: new mail waits behind them."""

logger = logging.getLogger(__name__)


class Reading:
    """The turn under way, and the child that reads; it ends when nothing waits."""

    def __init__(
        self, settings: Settings, store: Store, thread: ThreadPoolExecutor, stop: Event
    ) -> None:
        self._settings = settings
        self._store = store
        self._thread = thread
        self._stop = stop
        self._reader = Reader(stop.is_set)
        self._running: Future[int] | None = None
        self._has_looked = False

    def turn(self) -> None:
        """Begin to read if something waits. Raises what went wrong in a turn."""
        if self._running is not None:
            if not self._running.done():
                return
            finished, self._running = self._running, None
            if not finished.result():
                self._reader.close()
        if documents.backlog(self._store) > MOST_QUEUED:
            return
        if not self._has_looked or extracts.backlog(self._store):
            self._running = self._thread.submit(self._read_some)

    def read_all(self, progress: Callable[[int, int], None]) -> None:
        """Read whatever waits, now; `progress` hears of messages, and how many there are."""
        done, is_more = 0, True
        while is_more and not self._stop.is_set():
            read = self._thread.submit(self._read_some).result()
            left = extracts.backlog(self._store)
            done, is_more = done + read, bool(left)
            progress(done, done + left)
        self._reader.close()

    def close(self) -> None:
        self._reader.close()

    def _read_some(self) -> int:
        store = open_store(self._settings.data)
        try:
            if not self._has_looked:
                extracts.enqueue_unread(store)
                self._has_looked = True
            return read_some(store, self._reader)
        finally:
            store.close()


def read_some(store: Store, reader: Reader) -> int:
    """Read the attachments of the newest messages that wait; gives how many messages are done.

    What was read is kept first, then the messages leave the queue and are indexed anew.
    Effects: may be repeated after any interruption.
    """
    fresh: dict[Source, Extract] = {}
    finished: dict[Entry, bool] = {}
    until = time.monotonic() + TURN_SECONDS
    try:
        for entry in extracts.waiting(store, limit=PER_TURN):
            finished[entry] = _read_message(store, reader, entry, fresh)
            if time.monotonic() > until or _characters(fresh) > MOST_CHARACTERS:
                break
    except Stopped:  # what is not finished is read again, by the next worker
        pass
    extracts.put(store, fresh)
    with_text = [entry.message_id for entry, has_text in finished.items() if has_text]
    extracts.done(store, [*finished], with_text)
    return len(finished)


def _read_message(store: Store, reader: Reader, entry: Entry, fresh: dict[Source, Extract]) -> bool:
    """Read what was not; whether any attachment of the message has text."""
    its_own = extracts.attachments(store, [entry.message_id])
    statuses = dict(extracts.statuses(store, {one.source for one in its_own}))
    for one in its_own:
        if one.source not in statuses and one.source not in fresh:
            found = _read_one(store, reader, one)
            if found is not None:
                fresh[one.source] = found
        if one.source in fresh:
            statuses[one.source] = fresh[one.source].status
    return any(status in ("read", "cut") for status in statuses.values())


def _read_one(store: Store, reader: Reader, attachment: Attachment) -> Extract | None:
    """None where its bytes cannot be had: verification tells, and the next worker tries again."""
    if attachment.size_bytes > MOST_BYTES:
        return Extract("large")
    try:
        content = extracts.content(store, attachment.source)
    except (Corrupt, NotFound) as exc:
        logger.warning("an attachment cannot be read", extra={"problem": str(exc)})
        return None
    return reader.read(attachment, content)


def _characters(found: dict[Source, Extract]) -> int:
    return sum(len(one.text) for one in found.values())
