"""Writing the two indexes: what the store queued, and everything anew where an index is lost.

One writer at a time. An entry leaves the queue after its document is durable, so every step may
be repeated.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import tantivy

from app.errors import LetterbookError
from app.model import MessageId, RecordId
from app.search import files, soundness
from app.search.names import keys_of, parts_of
from app.search.reader import Damaged, doubt, engine_errors, marker, open_index
from app.search.schema import MESSAGES, RECORDS, message_entry, record_entry
from app.store import documents, upkeep
from app.store.database import Store
from app.store.documents import Queued
from app.store.upkeep import Upkeep

logger = logging.getLogger(__name__)

NAMES = (MESSAGES, RECORDS)
ID_FIELDS = {MESSAGES: "message_id", RECORDS: "record_id"}
HEAP_BYTES = {MESSAGES: 64_000_000, RECORDS: 15_000_000}
PER_COMMIT = 5_000
PER_READ = 100
"""Documents read at a time: their texts are in memory together."""

MOST_REFUSED = 3
"""In a row an index without a fault may refuse to be written, before it is made anew."""

_ANEW = "everything-through"
"""The last entry that had everything indexed anew: what is queued later is new, and comes first."""

Progress = Callable[[int, int], None]
"""Called with the documents written so far, and how many there were to write at the start."""


def prove_again(directory: Path) -> None:
    """Have the indexes of a data directory read to the last byte when their writer looks next."""
    if (directory / "index").is_dir():
        for name in NAMES:
            doubt(directory / "index", name).touch()


class Indexer:
    """Keeps the indexes of one data directory up to date; for one thread.

    `keeps_open`: its writers stay open, so that files are put together in the background while it
    goes on; no other process can write until `close`. Else each call waits for that.
    """

    def __init__(self, store: Store, *, keeps_open: bool = False) -> None:
        self.store = store
        self.directory = store.directory / "index"
        self._keeps_open = keeps_open
        self._lock: TextIOWrapper | None = None
        self._is_locked = False
        self._writers: dict[Path, tantivy.IndexWriter] = {}
        self._is_checked = False
        self._answering_through = 0
        self._refused = 0

    def drain(self, progress: Progress = lambda written, total: None) -> int:
        """Write what is queued, one commit; the number of entries done, 0: nothing was queued.

        A missing or damaged index, or one of another version, is made anew first.
        Raises Conflict while another process writes. Effects: may be repeated.
        """
        with self._locked():
            self._mend()
            total = documents.backlog(self.store)
            done = self._write_some() if total else 0
            if not documents.backlog(self.store):
                self._swap()
            progress(done, total)
            return done

    def close(self) -> None:
        """Let other processes write. What was being put together is begun again by the next one."""
        self._writers.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def keep_up(self) -> None:
        """Write what is queued if it is enough for a commit: for whoever brings much mail."""
        if documents.backlog(self.store) >= PER_COMMIT:
            self.drain()

    def rebuild(self, progress: Progress = lambda written, total: None) -> int:
        """Write everything into fresh indexes beside the old ones, and put them in their place.

        The old ones answer meanwhile. After an interruption the next `drain` goes on.
        Raises Conflict while another process writes.
        """
        with self._locked():
            total = self.begin_rebuild()
            done = 0
            while some := self._write_some():
                done += some
                progress(done, total)
            self._swap()
            return done

    def begin_rebuild(self) -> int:
        """Have the next calls of `drain` do as `rebuild`; the number of entries to write."""
        with self._locked():
            lost = self._mend()
            for name in NAMES:
                self._remove(self._fresh(name))
            self._enqueue_all()
            for name in NAMES:
                if name not in lost:
                    open_index(self._fresh(name), name, create=True)
            return documents.backlog(self.store)

    # -- files

    def _fresh(self, name: str) -> Path:
        return self.directory / f"{name}.new"

    def _target(self, name: str) -> Path:
        return self._fresh(name) if self._fresh(name).exists() else self.directory / name

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A lock of our own over both indexes and their renaming; the system drops it on a kill."""
        if self._is_locked:
            yield
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "writer.lock"
        if self._lock is not None and not files.is_of(path, self._lock):
            self.close()
        if self._lock is None:
            self._lock = files.take_lock(path)
        self._is_locked = True
        try:
            yield
            if not self._keeps_open:
                for name in NAMES:
                    self._let_go(self.directory / name)
                    self._let_go(self._fresh(name))
        finally:
            self._is_locked = False
            if not self._keeps_open:
                self.close()

    def _mend(self) -> Mapping[str, str]:
        """Have usable indexes. Those that cannot be read are made anew, and everything queued.

        Gives those, and what was wrong with each.
        """
        doubted = [name for name in NAMES if doubt(self.directory, name).exists()]
        is_there = all((self._target(name) / "meta.json").is_file() for name in NAMES)
        if self._is_checked and is_there and not doubted:
            return {}
        self._writers.clear()
        others = self._sweep()
        faults = {name: files.fault(self._target(name), name) for name in NAMES}
        lost = {name: fault for name, fault in faults.items() if fault}
        self._is_checked = True
        if lost:
            self._begin_anew(lost, others)
        for name in NAMES:
            if self._fresh(name).exists() and files.fault(self.directory / name, name):
                self._answer_by_fresh(name)
            doubt(self.directory, name).unlink(missing_ok=True)
        return lost

    def _answer_by_fresh(self, name: str) -> None:
        """Have an unfinished index answer in part, in the place of an old one that was lost."""
        marker(self.directory, name).touch()
        self._remove(self.directory / name)
        self._writers.pop(self._fresh(name), None)
        self._fresh(name).rename(self.directory / name)

    def _begin_anew(self, lost: Mapping[str, str], others: Sequence[str] = ()) -> None:
        """Empty indexes in the place of lost ones, and everything queued. It is noted, and why."""
        for name in lost:
            marker(self.directory, name).touch()
        if documents.message_count(self.store) > documents.backlog(self.store):
            self._tell(lost, others)  # else it is the first one
        # Queued before the old one goes: after a crash in between it is found damaged again.
        self._enqueue_all()
        for name in lost:
            self._remove(self._target(name))
            open_index(self._target(name), name, create=True)

    def _tell(self, lost: Mapping[str, str], others: Sequence[str]) -> None:
        if others and set(lost.values()) == {"its list of files is missing"}:
            why = f"is of another version ({', '.join(others)})"
        else:
            why = f"was damaged ({'; '.join(f'{name}: {what}' for name, what in lost.items())})"
        logger.warning("A search index is made anew", extra={"why": why})
        self._record(f"The search index {why} and is being made anew from the stored mail.")

    def _record(self, summary: str, *, is_good: bool = False) -> None:
        now = datetime.now(UTC)
        upkeep.record(self.store, Upkeep("index", now, now, is_good, summary, {}))

    def _enqueue_all(self) -> None:
        """Everything anew, newest mail first. What is queued from now on is known to be new."""
        documents.enqueue_all(self.store)
        through = documents.last_queued(self.store)
        (self.directory / _ANEW).write_text(str(through))
        self._answering_through = through

    def _sweep(self) -> list[str]:
        """Remove indexes of other versions and what an interrupted swap left; the versions."""
        ours = {path for name in NAMES for path in (self.directory / name, self._fresh(name))}
        others = [
            path
            for path in self.directory.iterdir()
            if path.is_dir()
            and path not in ours
            and path.name.startswith(("messages-", "records-"))
        ]
        for path in others:
            shutil.rmtree(path)
        return sorted(path.name for path in others if not path.suffix)

    def _swap(self) -> None:
        """Put finished fresh indexes in place. Readers keep the old files until they look again."""
        for name in NAMES:
            path, old = self.directory / name, self.directory / f"{name}.old"
            if self._fresh(name).exists():
                self._let_go(self._fresh(name))
                self._let_go(path)
                if path.exists():
                    path.rename(old)
                self._fresh(name).rename(path)
                files.remove(old)
            marker(self.directory, name).unlink(missing_ok=True)
        (self.directory / _ANEW).unlink(missing_ok=True)
        self._answering_through = 0
        told = upkeep.last(self.store, "index")
        if told is not None and not told.is_good:
            number = documents.message_count(self.store)
            self._record(f"The search index was made anew: {number:,} messages.", is_good=True)

    def _remove(self, path: Path) -> None:
        self._writers.pop(path, None)
        files.remove(path)

    def _writer(self, path: Path, name: str) -> tantivy.IndexWriter:
        """The one writer of an index. Files that crashes left go before it begins."""
        if path not in self._writers:
            soundness.sweep(path)
            index = open_index(path, name)
            with engine_errors():
                self._writers[path] = index.writer(HEAP_BYTES[name], 1)
        return self._writers[path]

    def _let_go(self, path: Path) -> None:
        """Close a writer. Where none is kept open, what it puts together is finished first."""
        writer = self._writers.pop(path, None)
        if writer is not None and not self._keeps_open:
            with engine_errors():
                writer.wait_merging_threads()

    # -- documents

    def _write_some(self) -> int:
        """Write the oldest entries of the queue, durably, and take them from it; how many."""
        self._write_new()
        queued = documents.queued(self.store, limit=PER_COMMIT)
        if not queued.through:
            return 0
        if self._write(queued, self._target, between=self._write_new):
            documents.done(self.store, queued)
        return len(queued.message_ids) + len(queued.record_ids)

    def _write_new(self) -> None:
        """While everything is indexed anew: what came in since, into the index that answers now.

        So it is found at once; it stays queued, for it comes into the other one in its turn.
        """
        if not self._answering_through:
            if not (self.directory / _ANEW).exists():
                return
            self._answering_through = int((self.directory / _ANEW).read_text() or 0)
        queued = documents.queued(self.store, limit=PER_COMMIT, after=self._answering_through)
        if queued.through and self._write(queued, lambda name: self.directory / name):
            self._answering_through = queued.through

    def _write(
        self,
        queued: Queued,
        place: Callable[[str], Path],
        between: Callable[[], None] = lambda: None,
    ) -> bool:
        """Write documents durably; False if an index turned out to be damaged."""
        for name, ids, read in (
            (MESSAGES, queued.message_ids, self._message_entries),
            (RECORDS, queued.record_ids, self._record_entries),
        ):
            try:
                self._write_ids(place(name), name, ids, read, between)
            except Damaged as exc:
                self._lose(place(name), name, str(exc))
                return False
        self._refused = 0
        return True

    def _lose(self, path: Path, name: str, problem: str) -> None:
        """After an error of the engine, make the index anew if that was damage.

        Raises LetterbookError if it was not: a full disk ends a writer with an error like others.
        """
        self._writers.clear()
        fault = files.fault(path, name)
        if fault is None and self._refused < MOST_REFUSED:
            self._refused += 1
            raise LetterbookError(
                f"The search index could not be written, it is tried again: {problem}"
            )
        if path == self._target(name):
            self._begin_anew({name: fault or problem})
        else:
            self._answer_by_fresh(name)

    def _write_ids(
        self, path: Path, name: str, ids: Sequence[int], read: "_Read", between: Callable[[], None]
    ) -> None:
        if not ids:
            return
        writer = self._writer(path, name)
        try:
            for at in range(0, len(ids), PER_READ):
                _apply(writer, name, ids[at : at + PER_READ], read)
                between()
            with engine_errors():
                opstamp = writer.commit()
        except BaseException:
            self._writers.pop(path, None)  # with what it did not commit
            raise
        soundness.note_written(path, opstamp)

    def _message_entries(self, ids: Sequence[int]) -> dict[int, tantivy.Document]:
        wanted = [MessageId(message_id) for message_id in ids]
        return {
            document.message_id: message_entry(document)
            for document in documents.message_documents(self.store, wanted)
        }

    def _record_entries(self, ids: Sequence[int]) -> dict[int, tantivy.Document]:
        wanted = [RecordId(record_id) for record_id in ids]
        return {
            document.record.id: record_entry(
                document, keys_of(document.record), parts_of(document.record)
            )
            for document in documents.record_documents(self.store, wanted)
        }


_Read = Callable[[Sequence[int]], dict[int, tantivy.Document]]


def _apply(writer: tantivy.IndexWriter, name: str, ids: Sequence[int], read: _Read) -> None:
    """Put the documents of `ids` in the place of older ones."""
    entries = _read_all(ids, read)
    with engine_errors():
        for one in ids:
            writer.delete_documents_by_term(ID_FIELDS[name], one)
            if one in entries:
                writer.add_document(entries[one])


def _read_all(ids: Sequence[int], read: _Read) -> dict[int, tantivy.Document]:
    """The documents of `ids`; one that cannot be made is left out, so that the others get in."""
    try:
        return read(ids)
    except Exception:
        if len(ids) == 1:
            logger.exception("No document could be made", extra={"id": ids[0]})
            return {}
    entries: dict[int, tantivy.Document] = {}
    for one in ids:
        entries.update(_read_all([one], read))
    return entries
