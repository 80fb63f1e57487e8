"""The store of the thread that a handler runs in. Never opened on the event loop."""

import threading
from pathlib import Path
from typing import Any

from litestar import Request

from app.store import Store, open_store

AnyRequest = Request[Any, Any, Any]


class Stores:
    """One open store per worker thread: SQLite connections are not shared between threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._local = threading.local()
        self._opened: list[Store] = []

    def get(self) -> Store:
        """This thread's store, opened at the first call."""
        store: Store | None = getattr(self._local, "store", None)
        if store is None:
            store = self._local.store = open_store(self._directory, checkpoints=False)
            self._opened.append(store)
        return store

    def close(self) -> None:
        """Close every thread's store, when no request runs any more."""
        while self._opened:
            self._opened.pop().close()


def store_of(request: AnyRequest) -> Store:
    """The store, for a handler that runs in a worker thread."""
    stores: Stores = request.app.state.stores
    return stores.get()
