"""Which threads wait for a server, and for how long already."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

_since: dict[int, float] = {}


@contextmanager
def waiting() -> Iterator[None]:
    """What is done within is nothing but waiting for a server."""
    me = get_ident()
    if me in _since:
        yield
        return
    _since[me] = time.monotonic()
    try:
        yield
    finally:
        del _since[me]


def waited_seconds(thread: int) -> float:
    """How long a thread waits already; 0: it works."""
    since = _since.get(thread)
    return 0.0 if since is None else time.monotonic() - since
