"""So many passes work at once, however many servers keep others waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident

from app.sync import waited_seconds

PATIENCE_SECONDS = 3.0
"""Who waits longer for a server takes no slot until it answers."""

_LOOK_SECONDS = 0.2


class Slots:
    """`number` threads may be inside; those that wait for a server do not count."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._inside: set[int] = set()
        self._left = Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a slot, and give it back."""
        me = get_ident()
        with self._left:
            while not self._has_room():
                self._left.wait(_LOOK_SECONDS)
            self._inside.add(me)
        try:
            yield
        finally:
            with self._left:
                self._inside.remove(me)
                self._left.notify()

    def _has_room(self) -> bool:
        at_work = [one for one in self._inside if waited_seconds(one) < PATIENCE_SECONDS]
        return len(at_work) < self._number
