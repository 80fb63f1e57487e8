"""Opening an index to read it, what errors of the engine mean, and its newest commit."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tantivy

from app.errors import Conflict, LetterbookError, OutOfSpace
from app.search import soundness
from app.search.schema import SCHEMAS

logger = logging.getLogger(__name__)


class Damaged(LetterbookError):
    """An index that cannot be read. Nothing is lost: it is made anew from the store."""


@contextmanager
def engine_errors() -> Iterator[None]:
    """Translates the engine's errors: Conflict (another writer), Damaged, else LetterbookError."""
    try:
        yield
    except ValueError as exc:
        raise _translated(str(exc)) from exc
    except BaseException as exc:
        # A panic of the engine derives from BaseException and has no importable name.
        if type(exc).__name__ != "PanicException":
            raise
        raise Damaged("The search index cannot be read.") from exc


def _translated(text: str) -> LetterbookError:
    if "LockBusy" in text:
        return Conflict("Another process is writing the search index. It goes on when that ends.")
    if "StorageFull" in text or "os error 28" in text:
        return OutOfSpace(
            "There is no room left for the search index. All mail is stored; make room, and the"
            " index is brought up to date by itself."
        )
    if "Os {" in text or "os error" in text or "PermissionDenied" in text:
        return LetterbookError(f"The search index cannot be used now: {text}")
    return Damaged(f"The search index is damaged and will be made anew: {text}")


def open_index(path: Path, name: str, *, create: bool = False) -> tantivy.Index:
    """The index in a directory. Raises Damaged if it is missing, broken or of another schema.

    `create`: an empty one is made where there is none.
    """
    if create:
        path.mkdir(parents=True, exist_ok=True)
    elif not (path / "meta.json").exists():
        raise Damaged("There is no search index yet.")
    with engine_errors():
        index = tantivy.Index(SCHEMAS[name](), str(path))
        index.config_reader("manual")
        index.reload()
    return index


def marker(directory: Path, name: str) -> Path:
    """The file that stands beside an index while it is being filled for the first time."""
    return directory / f"{name}.rebuilding"


def doubt(directory: Path, name: str) -> Path:
    """The file by which a reader asks the worker to prove an index that did not answer."""
    return directory / f"{name}.doubted"


class Reader:
    """Opens an index when it is first asked, and looks for newer commits before each answer."""

    def __init__(self, directory: Path, name: str) -> None:
        self.path = directory / name
        self.name = name
        self._marker = marker(directory, name)
        self._lock = threading.Lock()
        self._index: tantivy.Index | None = None
        self._seen = (0, 0)

    @property
    def is_partial(self) -> bool:
        return self._marker.exists()

    def searcher(self) -> tantivy.Searcher:
        """Raises Damaged, or LetterbookError if the files cannot be read now."""
        with self._lock:
            commit = self._commit()
            if self._index is not None and commit != self._seen:
                try:
                    with engine_errors():
                        self._index.reload()
                except Damaged:  # another index may have taken its place
                    self._index = None
            if self._index is None:
                self._index = self._opened()
            self._seen = commit
            return self._index.searcher()

    def note(self, problem: LetterbookError) -> None:
        """Log why it did not answer. Where that is damage, the worker is asked to look at it."""
        logger.warning("%s did not answer", self.name, extra={"reason": str(problem)})
        if isinstance(problem, Damaged):
            with self._lock, suppress(OSError):
                self._index = None
                if self.path.exists():
                    doubt(self.path.parent, self.name).touch()

    def _commit(self) -> tuple[int, int]:
        """What becomes another with each commit."""
        try:
            found = (self.path / "meta.json").stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def _opened(self) -> tantivy.Index:
        """The index, every byte of it proved: what the engine does with other bytes is unknown."""
        if (fault := soundness.fault(self.path)) is not None:
            raise Damaged(f"The search index is damaged: {fault}.")
        return open_index(self.path, self.name)
