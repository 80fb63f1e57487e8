"""The import that is measured, as a process of its own: `python -m app.bench.child`.

So it is counted as other programs are, from the start of the interpreter to the end of the last
thread. The demo company's mail is made on the way; what that takes is told, to be taken off.
"""

import json
import resource
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from app import mailboxes
from app.bench.clock import Aside, Spent, run_whole
from app.bench.corpus import MAILBOX, Corpus, bring, open_places
from app.model import UserId
from app.people import create_user
from app.search.indexer import Indexer
from app.store import Store, open_store
from app.transfer import import_mail

EMAIL = "bench@localhost"
"""Who may read all of the mail."""


def import_apart(directory: Path, corpus: Corpus) -> tuple[Spent, float]:
    """Bring a corpus into an empty data directory, durable and searchable, in another process.

    Gives what that spent, and its largest memory in megabytes.
    """
    arguments = [str(corpus.messages), *map(str, corpus.mboxes)]
    command = [sys.executable, "-m", "app.bench.child", str(directory), *arguments]
    spent, said = run_whole(command)
    told = json.loads(said.splitlines()[-1])
    return spent - Spent(**told["aside"]), told["peak_megabytes"]


def main(directory: str, messages: str, *mboxes: str) -> None:
    corpus, aside = Corpus(tuple(map(Path, mboxes)), int(messages)), Aside()
    store = open_store(Path(directory))
    now = datetime.now(UTC)
    user = create_user(store, email=EMAIL, name="Bench", by=None, now=now)
    index_all(store)
    if corpus.mboxes:
        _import(store, corpus, user, now)
    else:
        with aside.counted():
            places = open_places(store, corpus, user, now=now)
        copies, indexer = aside.each(corpus.copies()), Indexer(store)
        bring(store, places, copies, now=now, progress=lambda _: indexer.keep_up())
    index_all(store)
    store.close()
    print(json.dumps({"aside": asdict(aside.spent), "peak_megabytes": _peak_megabytes()}))


def index_all(store: Store) -> None:
    """Have everything searchable; on an empty store, have an empty index to begin with."""
    indexer = Indexer(store)
    while indexer.drain():
        pass


def _import(store: Store, corpus: Corpus, user: UserId, now: datetime) -> None:
    account = mailboxes.open_archive(store, None, MAILBOX, [user], now=now)
    indexer = Indexer(store)
    for number, mbox in enumerate(corpus.mboxes):
        folder = f"import-{number}"
        import_mail(
            store, mbox, account.id, folder=folder, now=now, progress=lambda _: indexer.keep_up()
        )


def _peak_megabytes() -> float:
    """Of this program alone: Linux counts into ru_maxrss what the parent had before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
