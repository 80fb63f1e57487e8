"""letterbook bench: the figures of docs/benchmarks.md, measured in one run on given mail."""

import gc
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import quantiles

from app.model import Viewer
from app.people import create_user
from app.search import search_messages
from app.search.analysis import words
from app.search.indexer import Indexer
from app.store import Store, accounts, documents, open_store, snippets, visibility
from app.store.totals import totals
from app.transfer import Imported, import_mail

QUERIES = 100
SEED = 7
QUERY_SHAPES = (
    *("{0}",) * 6,
    *("{0} {1}",) * 5,
    *('"{0} {1}"',) * 4,
    *("{0:.4}*",) * 2,
    "from:{2}",
    "subject:{3}",
    "{0} -{3}",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured; ratios are of bytes over the mail's raw bytes."""

    messages: int
    raw_bytes: int
    import_rate: float
    """Messages per CPU-second, from the mbox to durable and searchable."""
    import_wall_seconds: float
    stored_ratio: float
    payload_ratio: float
    index_ratio: float
    search_p50: float
    """Milliseconds: a page of 50 with snippets, count and access filter, in process."""
    search_p95: float
    peak_megabytes: float


def run_bench(
    mboxes: Sequence[Path], *, progress: Callable[[str], None] = lambda text: None
) -> Figures:
    """Import the mail into a directory of its own, search it, and remove the directory.

    Raises Invalid for a file that holds no mail.
    """
    with _directory() as directory:
        store = open_store(directory)
        viewer = _viewer(store)
        began, cpu_began = time.perf_counter(), time.process_time()
        for number, mbox in enumerate(mboxes):
            _import(store, viewer, mbox, f"Import {number}", progress)
        progress("indexing")
        indexer = Indexer(store)
        while indexer.drain():
            pass
        cpu, wall = time.process_time() - cpu_began, time.perf_counter() - began
        progress("searching")
        times = sorted(_search(store, viewer))
        store.archive.conn.execute("pragma wal_checkpoint(truncate)")
        store.mail.conn.execute("pragma wal_checkpoint(truncate)")
        found = totals(store)
        store.close()
    cuts = quantiles(times, n=20)
    return Figures(
        messages=found.copies,
        raw_bytes=found.raw_bytes,
        import_rate=found.copies / cpu,
        import_wall_seconds=wall,
        stored_ratio=found.database_bytes / found.raw_bytes,
        payload_ratio=found.stored_bytes / found.raw_bytes,
        index_ratio=found.index_bytes / found.raw_bytes,
        search_p50=quantiles(times, n=2)[0],
        search_p95=cuts[-1],
        peak_megabytes=_peak_megabytes(),
    )


def queries(store: Store, random: Random) -> list[str]:
    """Mixed queries from the words of the archive's own mail: the same for the same mail."""
    ids = documents.all_message_ids(store)
    made: list[str] = []
    while len(made) < QUERIES:
        message_id = random.choice(ids)
        text = snippets.texts(store, [message_id])[message_id]
        known = [word for word in words(text[:4000]) if len(word) > 3 and word.isalpha()]
        (document,) = documents.message_documents(store, [message_id])
        subject = [word for word in words(document.mail.subject) if word.isalpha()]
        if len(known) < 2 or not subject:
            continue
        at = random.randrange(len(known) - 1)
        sender = document.mail.sender.address or "root"
        shape = QUERY_SHAPES[len(made) % len(QUERY_SHAPES)]
        made.append(shape.format(known[at], known[at + 1], sender, random.choice(subject)))
    return made


def _search(store: Store, viewer: Viewer) -> Iterator[float]:
    """Milliseconds of each query, the second time it is asked."""
    for query in queries(store, Random(SEED)):  # noqa: S311  # the same queries each time
        search_messages(store, viewer, query)
        gc.collect()
        began = time.perf_counter()
        search_messages(store, viewer, query)
        yield (time.perf_counter() - began) * 1000


def _viewer(store: Store) -> Viewer:
    user = create_user(store, email="bench@localhost", name="Bench", by=None, now=_now())
    return visibility.viewer_of(store, user)


def _import(
    store: Store, viewer: Viewer, mbox: Path, folder: str, progress: Callable[[str], None]
) -> None:
    account = accounts.add(
        store,
        address=f"{folder}@localhost",
        host=None,
        port=993,
        security="tls",
        login="",
        sealed_password=None,
        verify_certificate=True,
        skip_folders=[],
        users=[viewer.user_id],
        now=_now(),
    )

    def say(done: Imported) -> None:
        progress(f"{done.read:,} messages imported")

    import_mail(store, mbox, account.id, folder=folder, now=_now(), progress=say)


@contextmanager
def _directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="letterbook-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _now() -> datetime:
    return datetime.now(UTC)


def _peak_megabytes() -> float:
    """Of this program alone: Linux counts into ru_maxrss what the parent had before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)
