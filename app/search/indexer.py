"""Writing the two indexes: what the store queued, and everything anew where an index is lost.

One writer at a time. An entry leaves the queue after its document is durable, so every step may
be repeated.
"""

import fcntl
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tantivy

from app.errors import Conflict
from app.model import MessageId, RecordId
from app.search.index import Damaged, engine_errors, marker, open_index
from app.search.names import keys_of, parts_of
from app.search.schema import MESSAGES, RECORDS, message_entry, record_entry
from app.store import documents
from app.store.database import Store

logger = logging.getLogger(__name__)

NAMES = (MESSAGES, RECORDS)
ID_FIELDS = {MESSAGES: "message_id", RECORDS: "record_id"}
SORT_FIELDS = {MESSAGES: "sort_key", RECORDS: "record_id"}
HEAP_BYTES = {MESSAGES: 64_000_000, RECORDS: 15_000_000}
PER_COMMIT = 5_000
PER_READ = 100
"""Documents read at a time: their texts are in memory together."""

Progress = Callable[[int, int], None]
"""Called with the documents written so far, and how many there were to write at the start."""


class Indexer:
    """Keeps the indexes of one data directory up to date; for the worker's one thread."""

    def __init__(self, store: Store, directory: Path | None = None) -> None:
        self.store = store
        self.directory = directory or store.directory / "index"
        self._is_checked = False

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
            documents.enqueue_all(self.store)
            for name in NAMES:
                shutil.rmtree(self._fresh(name), ignore_errors=True)
                open_index(self._fresh(name), name, create=True)
            total = documents.backlog(self.store)
            done = 0
            while some := self._write_some():
                done += some
                progress(done, total)
            self._swap()
            return done

    # -- files

    def _fresh(self, name: str) -> Path:
        return self.directory / f"{name}.new"

    def _target(self, name: str) -> Path:
        return self._fresh(name) if self._fresh(name).exists() else self.directory / name

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A lock of our own over both indexes and their renaming; the system drops it on a kill."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "writer.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise Conflict(
                    "Another process is writing the search index. Try again when it has finished."
                ) from exc
            yield

    def _mend(self) -> None:
        """Have usable indexes. Those that cannot be read are made anew, and everything queued."""
        if self._is_checked and all((self._target(n) / "meta.json").exists() for n in NAMES):
            return
        self._sweep()
        lost = [name for name in NAMES if not _is_usable(self._target(name), name)]
        self._is_checked = True
        if lost:
            self._begin_anew(lost)

    def _begin_anew(self, names: Sequence[str]) -> None:
        """Empty indexes in the place of lost ones, and everything queued."""
        if any(self._target(name).exists() for name in names):
            logger.warning("A search index is damaged", extra={"lost": names})
        for name in names:
            marker(self.directory, name).touch()
        # Queued before the old one goes: after a crash in between it is found damaged again.
        documents.enqueue_all(self.store)
        for name in names:
            path = self._target(name)
            shutil.rmtree(path, ignore_errors=True)
            open_index(path, name, create=True)

    def _sweep(self) -> None:
        """Remove indexes of other versions and what an interrupted swap left."""
        ours = {path for name in NAMES for path in (self.directory / name, self._fresh(name))}
        for path in self.directory.iterdir():
            if (
                path.is_dir()
                and path not in ours
                and path.name.startswith(("messages-", "records-"))
            ):
                shutil.rmtree(path)

    def _swap(self) -> None:
        """Put finished fresh indexes in place. Readers keep the old files until they look again."""
        for name in NAMES:
            path, old = self.directory / name, self.directory / f"{name}.old"
            if self._fresh(name).exists():
                if path.exists():
                    path.rename(old)
                self._fresh(name).rename(path)
                shutil.rmtree(old, ignore_errors=True)
            marker(self.directory, name).unlink(missing_ok=True)

    # -- documents

    def _write_some(self) -> int:
        """Write the oldest entries of the queue, durably, and take them from it; how many."""
        queued = documents.queued(self.store, limit=PER_COMMIT)
        if not queued.through:
            return 0
        try:
            self._write(MESSAGES, queued.message_ids, self._message_entries)
            self._write(RECORDS, queued.record_ids, self._record_entries)
        except Damaged:
            self._begin_anew(NAMES)
        else:
            documents.done(self.store, queued)
        return len(queued.message_ids) + len(queued.record_ids)

    def _write(self, name: str, ids: Sequence[int], read: "_Read") -> None:
        if not ids:
            return
        with _writer(self._target(name), name) as writer:
            for at in range(0, len(ids), PER_READ):
                _apply(writer, name, ids[at : at + PER_READ], read)

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


@contextmanager
def _writer(path: Path, name: str) -> Iterator[tantivy.IndexWriter]:
    """A writer whose work is committed at the end; files of earlier crashes go, merges finish."""
    index = open_index(path, name)
    with engine_errors():
        writer = index.writer(HEAP_BYTES[name], 1)
    try:
        yield writer
        with engine_errors():
            writer.commit()
            writer.garbage_collect_files()
    finally:
        with engine_errors():
            writer.wait_merging_threads()


def _is_usable(path: Path, name: str) -> bool:
    """Whether the index opens and answers. Errors that are not damage are raised."""
    try:
        searcher = open_index(path, name).searcher()
        with engine_errors():
            searcher.search(tantivy.Query.all_query(), 1, order_by_field=SORT_FIELDS[name])
    except Damaged:
        return False
    return True
