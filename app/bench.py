"""letterbook bench: the figures of docs/benchmarks.md, measured in one run."""

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

from app import mailboxes
from app.demo.company import COMPANY
from app.demo.mail import DemoDelivery, generate
from app.demo.measure import measure_suggestions, truth_of
from app.demo.setup import file_truth, fill, random_passwords
from app.model import FolderId, UserId, Viewer
from app.people import create_user
from app.search import search_messages
from app.search.analysis import words
from app.search.indexer import Indexer
from app.search.suggest import suggest
from app.store import (
    Store,
    accounts,
    documents,
    folders,
    open_store,
    snippets,
    transaction,
    users,
    visibility,
)
from app.store.ingest import Delivery, ingest
from app.store.totals import totals
from app.transfer import BATCH_MESSAGES, Imported, import_mail

QUERIES = 100
SEED = 7
DEMO_END = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""Of the demo company's mail: the same mail every day."""

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
    """Messages per CPU-second, from the mail's bytes to durable and searchable."""
    import_wall_seconds: float
    stored_ratio: float
    payload_ratio: float
    index_ratio: float
    search_p50: float
    """Milliseconds: a page of 50 with snippets, count and access filter, in process."""
    search_p95: float
    peak_megabytes: float
    suggest_precision: float | None = None
    """Of the records filled in, the right ones; on the demo company's mail only."""
    suggest_recall: float | None = None
    suggest_top5: float | None = None
    suggest_p95: float | None = None
    """Milliseconds."""


def run_bench(
    mboxes: Sequence[Path],
    *,
    messages: int = 2_000,
    progress: Callable[[str], None] = lambda text: None,
) -> Figures:
    """Import mail into a directory of its own, search it, and remove the directory.

    The mail is that of the mboxes; without any the demo company's, `messages` mails, for which the
    suggestions are measured too. Raises Invalid for a file that holds no mail.
    """
    with _directory() as directory:
        store = open_store(directory)
        user = create_user(store, email="bench@localhost", name="Bench", by=None, now=_now())
        began, cpu_began = time.perf_counter(), time.process_time()
        if mboxes:
            for number, mbox in enumerate(mboxes):
                _import(store, user, mbox, f"import-{number}", progress)
        else:
            _import_demo(store, user, messages, progress)
        progress("indexing")
        indexer = Indexer(store)
        while indexer.drain():
            pass
        cpu, wall = time.process_time() - cpu_began, time.perf_counter() - began
        progress("searching")
        times = list(_search(store, visibility.viewer_of(store, user)))
        suggested = {} if mboxes else _suggest(store, messages, progress)
        for db in (store.archive, store.mail):
            db.conn.execute("pragma wal_checkpoint(truncate)")
        found = totals(store)
        store.close()
    return Figures(
        messages=found.copies,
        raw_bytes=found.raw_bytes,
        import_rate=found.copies / cpu,
        import_wall_seconds=wall,
        stored_ratio=found.database_bytes / found.raw_bytes,
        payload_ratio=found.stored_bytes / found.raw_bytes,
        index_ratio=found.index_bytes / found.raw_bytes,
        search_p50=quantiles(times, n=2)[0],
        search_p95=quantiles(times, n=20)[-1],
        peak_megabytes=_peak_megabytes(),
        **suggested,
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


def _import(
    store: Store, user: UserId, mbox: Path, folder: str, progress: Callable[[str], None]
) -> None:
    account = mailboxes.open_archive(store, None, f"{folder}@bench.example", [user], now=_now())

    def say(done: Imported) -> None:
        progress(f"{done.read:,} messages imported")

    import_mail(store, mbox, account.id, folder=folder, now=_now(), progress=say)


def _import_demo(
    store: Store, user: UserId, messages: int, progress: Callable[[str], None]
) -> None:
    """The demo company's mail as its worker would have brought it, from the same bytes."""
    passwords = random_passwords(COMPANY)
    fill(store, COMPANY, secret_key="", server_port=1, passwords=passwords, now=DEMO_END)
    places: dict[tuple[str, str], FolderId] = {}
    for mailbox in COMPANY.mailboxes:
        account = accounts.by_address(store, mailbox.address)
        with transaction(store):
            accounts.add_users(store, account.id, [user])
        for folder in mailbox.folders:
            place = folders.ensure(store, account.id, folder.name)
            places[mailbox.address, folder.name] = place.id
    batch: list[Delivery] = []
    for uid, copy in enumerate(_demo_copies(messages), start=1):
        place_id = places[copy.mailbox, copy.folder]
        batch.append(Delivery(place_id, 1, uid, copy.raw, copy.received_at, copy.flags))
        if len(batch) == BATCH_MESSAGES:
            ingest(store, batch, now=_now())
            batch = []
            progress(f"{uid:,} copies imported")
    ingest(store, batch, now=_now())


def _demo_copies(messages: int) -> Iterator[DemoDelivery]:
    for mail in generate(messages=messages, seed=SEED, end=DEMO_END):
        yield from mail.deliveries


def _suggest(
    store: Store, messages: int, progress: Callable[[str], None]
) -> dict[str, float | None]:
    """How good and how fast the suggestions are on a sample of the demo company's mail."""
    progress("suggesting")
    file_truth(store, generate(messages=messages, seed=SEED, end=DEMO_END), now=_now())
    indexer = Indexer(store)
    while indexer.drain():
        pass
    truth = truth_of(generate(messages=messages, seed=SEED, end=DEMO_END))
    measured = measure_suggestions(store, truth)
    viewer = visibility.viewer_of(store, users.by_email(store, COMPANY.people[0].address).id)
    times = []
    for message_id in Random(SEED).sample(documents.all_message_ids(store), 200):  # noqa: S311
        began = time.perf_counter()
        suggest(store, viewer, message_id)
        times.append((time.perf_counter() - began) * 1000)
    return {
        "suggest_precision": measured.precision,
        "suggest_recall": measured.recall,
        "suggest_top5": measured.top5,
        "suggest_p95": quantiles(times, n=20)[-1],
    }


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
