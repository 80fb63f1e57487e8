"""Who listens at which mailbox: one with news is looked at at once, not at its next poll.

A listener writes nothing and decides nothing: it hears that a folder changed, and the mailbox is
due. Where none can listen, the poll brings the mail.
"""

import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import random
from threading import Lock, Thread

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

LOOK_EVERY = timedelta(seconds=2)
"""How often it is asked who is to listen where."""

HURRY_EVERY = timedelta(seconds=0.5)
MOST_HURRIES = 20
REGAINED_EVERY = timedelta(seconds=10)
"""A mailbox is looked at for its news twice a second; where that goes on, every ten seconds."""

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
NO_ROOM_PAUSE = timedelta(hours=6)
"""Where the server does not let us read a mailbox beside our own listeners."""

NOT_OFFERED_PAUSE = timedelta(days=1)
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
    """No listening at a place before `ends_at`, after so many failures in a row."""

    failures: int
    ends_at: datetime


@dataclass(slots=True)
class _Hurry:
    """How often a mailbox may be looked at for its news yet; regained with time."""

    left: float = MOST_HURRIES
    at: datetime = field(default_factory=lambda: utc_now() - HURRY_EVERY)

    def take(self, *, now: datetime) -> bool:
        left = min(self.left + (now - self.at) / REGAINED_EVERY, MOST_HURRIES)
        if left < 1 or now - self.at < HURRY_EVERY:
            return False
        self.left, self.at = left - 1, now
        return True


class Listening:
    """The listeners, what they heard, and where listening failed.

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
        self._looked_at = utc_now() - LOOK_EVERY
        self._is_over = False

    def turn(self, store: Store, *, is_checking: Callable[[AccountId], bool]) -> None:
        """Have those listen that are to, and make mailboxes due of which news was heard.

        News during a check may have come too late for it, and waits for its end.
        """
        now = utc_now()
        with self._lock:
            heard = set(self._heard)
        for account_id in heard:
            hurry = self._hurries.setdefault(account_id, _Hurry())
            if not is_checking(account_id) and hurry.take(now=now):
                with self._lock:
                    self._heard.discard(account_id)
                accounts.hurry(store, account_id, now=now)
        if now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            self._follow(listeners.places(store, now=now), now=now)

    def call_off_account(self, account_id: AccountId) -> bool:
        """Free the account's connections for long; False if there were none."""
        with self._lock:
            own = [one for key, one in self._listeners.items() if key[0] == account_id]
            for listener in own:
                self._pauses[listener.place] = _Pause(1, utc_now() + NO_ROOM_PAUSE)
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

    def _follow(self, places: Mapping[Place, datetime], *, now: datetime) -> None:
        """Call off who listens where nobody is to, and begin where somebody is to."""
        proved = [place for place, good_at in places.items() if self._is_proved(place, good_at)]
        wanted = {(place.account_id, place.folder): place for place in proved[:MOST_LISTENERS]}
        with self._lock:
            for key, listener in self._listeners.items():
                if wanted.get(key) != listener.place:
                    listener.call_off()
            for key, place in wanted.items():
                pause = self._pauses.get(place)
                is_free = key not in self._listeners and (pause is None or pause.ends_at <= now)
                if is_free and len(self._listeners) < MOST_LISTENERS and not self._is_over:
                    self._begin(place)

    def _is_proved(self, place: Place, good_at: datetime) -> bool:
        """Whether a check went well with these settings: no listener tries a password first."""
        edits, met_at = self._met.get(place.account_id, (0, good_at))
        if edits != place.edits:
            met_at = utc_now().replace(microsecond=0)
            self._met[place.account_id] = (place.edits, met_at)
        return good_at >= met_at

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
        pause: timedelta | None = None
        try:
            if not self._listen(listener):
                pause = NOT_OFFERED_PAUSE
        except LetterbookError as exc:
            logger.info(
                "a mailbox cannot be listened at now, it is polled",
                extra={"account": place.account_id, "problem": type(exc).__name__},
            )
            pause = self._next_pause(listener)
        except Exception:
            logger.exception("a listener failed", extra={"account": place.account_id})
            pause = LONGEST_PAUSE
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

    def _next_pause(self, listener: _Listener) -> timedelta:
        doubled: int = 2 ** min(self._failures(listener), 10)
        return min(FIRST_PAUSE * doubled, LONGEST_PAUSE) * (0.8 + 0.4 * random())  # noqa: S311 - spreads the tries, guards nothing

    def _failures(self, listener: _Listener) -> int:
        """In a row, before this one."""
        before = self._pauses.get(listener.place)
        return 0 if listener.has_heard or before is None else before.failures

    def _end(self, listener: _Listener, pause: timedelta | None) -> None:
        place = listener.place
        with self._lock:
            del self._listeners[place.account_id, place.folder]
            before = self._pauses.get(place)
            if pause is not None and (before is None or before.ends_at <= utc_now()):
                self._pauses[place] = _Pause(self._failures(listener) + 1, utc_now() + pause)
        with suppress(OSError):
            listener.other_end.close()
            listener.own_end.close()


def _join(ended: Iterable[_Listener]) -> None:
    """Wait a moment, for all together, until they have hung up."""
    ends_at = utc_now() + timedelta(seconds=_JOIN_SECONDS)
    for listener in ended:
        listener.thread.join(max(0.0, (ends_at - utc_now()).total_seconds()))
