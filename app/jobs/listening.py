"""Who listens at which mailbox: one with news is looked at at once, not at its next poll.

A listener writes nothing and decides nothing: it hears that a folder changed, and the mailbox is
due. Where none can listen, the poll brings the mail.
"""

import logging
import math
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import random
from threading import Lock, Thread
from time import monotonic

from app import mailboxes
from app.errors import LetterbookError
from app.model import AccountId
from app.settings import Settings
from app.store import Store, accounts, listeners, open_store
from app.store.listeners import Place
from app.sync import listen
from app.sync.registered import providers

MOST_LISTENERS = 100
"""A thread and a connection each. The inboxes come first; what is beyond is polled."""

LOOK_SECONDS = 2.0
"""How often it is asked who is to listen where."""

HURRY_SECONDS = 0.5
MOST_HURRIES = 20
REGAINED_SECONDS = 10.0
"""A mailbox is looked at for its news twice a second; where that goes on, every ten seconds."""

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 3_600.0
NO_ROOM_PAUSE_SECONDS = 6 * 3_600.0
"""Where the server does not let us read a mailbox beside our own listeners."""

NOT_OFFERED_PAUSE_SECONDS = 24 * 3_600.0
_JOIN_SECONDS = 1.0

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Listener:
    """A thread that listens until it is called off; `has_heard`: at least that it may listen."""

    place: Place
    thread: Thread
    own_end: socket.socket
    other_end: socket.socket
    has_heard: bool = False

    def call_off(self) -> None:
        self.own_end.close()


@dataclass(frozen=True, slots=True)
class _Pause:
    """No listening at a place before `ends`, after so many failures in a row."""

    failures: int
    ends: float


@dataclass(slots=True)
class _Hurry:
    """How often a mailbox may be looked at for its news yet; regained with time."""

    left: float = MOST_HURRIES
    at: float = -math.inf

    def take(self, *, now: float) -> bool:
        left = min(self.left + (now - self.at) / REGAINED_SECONDS, MOST_HURRIES)
        if left < 1 or now - self.at < HURRY_SECONDS:
            return False
        self.left, self.at = left - 1, now
        return True


class Listening:
    """The listeners, what they heard, and where listening failed. No clock that may be set counts.

    Everything runs in the worker's thread but `call_off_account`, and the listeners themselves.
    """

    def __init__(self, settings: Settings, key: bytes) -> None:
        self._settings = settings
        self._key = key
        self._lock = Lock()
        self._listeners: dict[tuple[AccountId, str], _Listener] = {}
        self._pauses: dict[Place, _Pause] = {}
        self._heard: set[AccountId] = set()
        self._hurries: dict[AccountId, _Hurry] = {}
        self._met: dict[AccountId, tuple[int, datetime]] = {}
        self._looked = -math.inf
        self._is_over = False

    def turn(self, store: Store, *, is_checking: Callable[[AccountId], bool]) -> None:
        """Have those listen that are to, and make mailboxes due of which news was heard.

        News during a check may have come too late for it, and waits for its end.
        """
        now = monotonic()
        with self._lock:
            heard = set(self._heard)
        for account_id in heard:
            hurry = self._hurries.setdefault(account_id, _Hurry())
            if not is_checking(account_id) and hurry.take(now=now):
                with self._lock:
                    self._heard.discard(account_id)
                accounts.hurry(store, account_id, now=utc_now())
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._follow(listeners.places(store, now=utc_now()), now=now)

    def call_off_account(self, account_id: AccountId) -> bool:
        """Free the account's connections for long; False if there were none."""
        with self._lock:
            own = [one for key, one in self._listeners.items() if key[0] == account_id]
            for listener in own:
                self._pauses[listener.place] = _Pause(1, monotonic() + NO_ROOM_PAUSE_SECONDS)
                listener.call_off()
        _join(own)
        return bool(own)

    def close(self) -> None:
        """Call everybody off. Who hangs on a server's answer ends with the process."""
        with self._lock:
            self._is_over = True
            rest = list(self._listeners.values())
            for listener in rest:
                listener.call_off()
        _join(rest)

    def _follow(self, places: Mapping[Place, datetime], *, now: float) -> None:
        """Call off who listens where nobody is to, and begin where somebody is to."""
        proved = [place for place, good_at in places.items() if self._is_proved(place, good_at)]
        wanted = {(place.account_id, place.folder): place for place in proved[:MOST_LISTENERS]}
        with self._lock:
            for key, listener in self._listeners.items():
                if wanted.get(key) != listener.place:
                    listener.call_off()
            for key, place in wanted.items():
                pause = self._pauses.get(place)
                is_free = key not in self._listeners and (pause is None or pause.ends <= now)
                if is_free and len(self._listeners) < MOST_LISTENERS and not self._is_over:
                    self._begin(place)

    def _is_proved(self, place: Place, good_at: datetime) -> bool:
        """Whether a check went well with these settings: no listener tries a password first."""
        edits, before = self._met.get(place.account_id, (0, good_at))
        if edits != place.edits:
            edits, before = self._met[place.account_id] = (place.edits, good_at)
        return not edits or good_at != before

    def _begin(self, place: Place) -> None:
        own_end, other_end = socket.socketpair()
        name = f"listen-{place.account_id}"
        thread = Thread(target=self._run, args=(place,), name=name, daemon=True)
        key = (place.account_id, place.folder)
        self._listeners[key] = _Listener(place, thread, own_end, other_end)
        thread.start()

    def _run(self, place: Place) -> None:
        """Listen at a place, and note for how long nobody is to try again."""
        with self._lock:
            listener = self._listeners[place.account_id, place.folder]
        pause: float | None = None
        try:
            if not self._listen(listener):
                pause = NOT_OFFERED_PAUSE_SECONDS
        except LetterbookError as exc:
            logger.info(
                "a mailbox cannot be listened at now, it is polled",
                extra={"account": place.account_id, "problem": type(exc).__name__},
            )
            pause = self._next_pause(listener)
        except Exception:
            logger.exception("a listener failed", extra={"account": place.account_id})
            pause = LONGEST_PAUSE_SECONDS
        self._end(listener, pause)

    def _listen(self, listener: _Listener) -> bool:
        place = listener.place
        store = open_store(self._settings.data)
        try:
            account = accounts.get(store, place.account_id)
            secret = mailboxes.secret_of(
                store, account, key=self._key, known=providers(self._settings), now=utc_now
            )
            is_bound = mailboxes.is_bound_to_public(store, account)
        finally:
            store.close()

        def heard() -> None:
            listener.has_heard = True
            with self._lock:
                self._heard.add(place.account_id)

        return listen(
            account,
            secret,
            place.folder,
            heard=heard,
            call_off=listener.other_end,
            now=utc_now,
            ca_file=self._settings.ca_file,
            public_only=is_bound,
        )

    def _next_pause(self, listener: _Listener) -> float:
        doubled: int = 2 ** min(self._failures(listener), 10)
        return min(FIRST_PAUSE_SECONDS * doubled, LONGEST_PAUSE_SECONDS) * (0.8 + 0.4 * random())  # noqa: S311 - spreads the tries, guards nothing

    def _failures(self, listener: _Listener) -> int:
        """In a row, before this one."""
        before = self._pauses.get(listener.place)
        return 0 if listener.has_heard or before is None else before.failures

    def _end(self, listener: _Listener, pause: float | None) -> None:
        place = listener.place
        with self._lock:
            del self._listeners[place.account_id, place.folder]
            before = self._pauses.get(place)
            if pause is not None and (before is None or before.ends <= monotonic()):
                self._pauses[place] = _Pause(self._failures(listener) + 1, monotonic() + pause)
        with suppress(OSError):
            listener.other_end.close()
            listener.own_end.close()


def _join(ended: Iterable[_Listener]) -> None:
    """Wait a moment, for all together, until they have hung up."""
    ends = monotonic() + _JOIN_SECONDS
    for listener in ended:
        listener.thread.join(max(0.0, ends - monotonic()))
