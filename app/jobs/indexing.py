"""The one thread that writes the index, with a store of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from app.search.indexer import Indexer
from app.store import open_store


class IndexThread:
    """Does what it is given, in turn. `keeps_open`: nobody else can write until `close`."""

    def __init__(self, directory: Path, *, keeps_open: bool) -> None:
        self._directory = directory
        self._keeps_open = keeps_open
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._indexer: Indexer | None = None

    def submit(self, work: Callable[[Indexer], int]) -> Future[int]:
        """Have something done after what is done now."""
        return self._thread.submit(self._do, work)

    def close(self) -> None:
        """End it when what it was given is done."""
        self._thread.submit(self._end).result()
        self._thread.shutdown()

    def _do(self, work: Callable[[Indexer], int]) -> int:
        if self._indexer is None:
            self._indexer = Indexer(open_store(self._directory), keeps_open=self._keeps_open)
        return work(self._indexer)

    def _end(self) -> None:
        if self._indexer is not None:
            self._indexer.close()
            self._indexer.store.close()
