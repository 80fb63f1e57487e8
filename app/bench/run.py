"""One run: everything measured on one corpus, in directories of its own that are removed."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.bench import sizes
from app.bench.answers import measure_reads, measure_search, measure_suggest
from app.bench.child import EMAIL, import_apart
from app.bench.corpus import Corpus, times_over, write_maildir
from app.bench.figures import Measured
from app.bench.growth import measure_further_copies, measure_growth, measure_records
from app.bench.peers import PEERS, measure_peer
from app.store import open_store, users, visibility
from app.store.totals import totals
from app.transfer import check_mail

Progress = Callable[[str], None]


def run_bench(
    mboxes: Sequence[Path],
    *,
    messages: int = 2_000,
    times: int = 1,
    growth: int = 0,
    with_peers: bool = True,
    progress: Progress = lambda text: None,
) -> Measured:
    """Import mail into directories of its own, ask for it, and remove the directories.

    The mail is that of the mboxes; without any the demo company's, `messages` mails, for which the
    suggestions are measured too. `times`: the mail of the mboxes so many times over. `growth`: that
    many mails are imported besides. `with_peers`: other programs read the same mail.

    Raises Invalid for a file that holds no mail.
    """
    for mbox in mboxes:
        check_mail(mbox)
    corpus = Corpus(tuple(mboxes), messages)
    notes: list[str] = []
    with _directory() as directory:
        progress("writing the mail as files")
        if times > 1:
            corpus = times_over(corpus, times, directory / "mail.mbox")
        maildir = write_maildir(corpus, directory / "maildir")
        figures = _measure_sizes(directory, maildir, notes, with_peers=with_peers)
        figures |= _measure_own(directory / "data", corpus, figures["server_messages"], progress)
        if with_peers:
            figures |= _measure_peers(directory, maildir, notes, progress)
        else:
            notes.append("No other programs were measured beside it (--no-peers).")
        progress("growing")
        figures |= measure_further_copies(directory / "copies", corpus)
        figures |= measure_records(directory / "records")
        if growth:
            figures |= measure_growth(directory / "growth", corpus, growth, progress)
    return Measured(_compared(figures, is_demo=not mboxes), tuple(notes))


def _measure_own(
    directory: Path, corpus: Corpus, server_messages: float, progress: Progress
) -> dict[str, float]:
    progress("importing")
    spent, peak_megabytes = import_apart(directory, corpus)
    store = open_store(directory)
    found = totals(store)
    figures: dict[str, float] = {
        "messages": found.copies,
        "raw_bytes": found.raw_bytes,
        "import_rate": server_messages / spent.cpu_seconds,
        "import_wall_seconds": spent.wall_seconds,
        "peak_megabytes": peak_megabytes,
        "database_bytes": found.database_bytes,
        "stored_ratio": found.database_bytes / found.raw_bytes,
        "payload_ratio": found.stored_bytes / found.raw_bytes,
        "index_ratio": found.index_bytes / found.raw_bytes,
    }
    progress("reading")
    figures |= measure_reads(store)
    progress("searching")
    viewer = visibility.viewer_of(store, users.by_email(store, EMAIL).id)
    figures |= measure_search(store, viewer)
    if not corpus.mboxes:
        progress("suggesting")
        figures |= measure_suggest(store, corpus)
    store.close()
    return figures


def _measure_sizes(
    directory: Path, maildir: Path, notes: list[str], *, with_peers: bool
) -> dict[str, float]:
    """Ratios to all bytes that a server holds: a copy in two mailboxes counts twice."""
    held = [file.stat().st_size for file in (maildir / "cur").iterdir()]
    server_bytes = sum(held)
    figures: dict[str, float] = {
        "server_messages": len(held),
        "server_bytes": server_bytes,
        "maildir_ratio": sizes.maildir_bytes(maildir) / server_bytes,
        "zstd_ratio": sizes.zstd_bytes(maildir) / server_bytes,
    }
    if with_peers:
        git_bytes = sizes.git_bytes(maildir, directory / "git")
        if git_bytes is None:
            notes.append("git is not installed: not measured beside it.")
        else:
            figures["git_ratio"] = git_bytes / server_bytes
    return figures


def _measure_peers(
    directory: Path, maildir: Path, notes: list[str], progress: Progress
) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name in PEERS:
        progress(f"{name} reads the same mail")
        measured = measure_peer(name, maildir, directory / name)
        if measured is None:
            notes.append(f"{name} is not installed: not measured beside it.")
        else:
            figures |= measured
    return figures


def _compared(figures: dict[str, float], *, is_demo: bool) -> dict[str, float]:
    for name in PEERS:
        if f"{name}_rate" in figures:
            figures[f"import_over_{name}"] = figures["import_rate"] / figures[f"{name}_rate"]
    if is_demo:
        figures["stored_ratio_server"] = figures["database_bytes"] / figures["server_bytes"]
    return figures


@contextmanager
def _directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="letterbook-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)
