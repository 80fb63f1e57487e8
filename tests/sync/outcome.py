"""What must not depend on how often a sync was interrupted."""

from pathlib import Path
from typing import Any

from app.model import AccountId
from app.store import blobs, folders, open_store
from tests.sync.conftest import copies


def outcome(directory: Path, account_id: AccountId) -> tuple[Any, ...]:
    """The bytes of every copy, the places, the ledger's sums, and how many messages there are."""
    store = open_store(directory)
    rows = store.archive.conn.execute(
        "select f.name, l.uid, l.flags, l.gone_since is null, l.copy_id from locations l"
        " join folders f on f.id = l.folder_id order by f.name, l.uid"
    ).fetchall()
    digests = blobs.digests_of(store, [row[4] for row in rows])
    places = [(*row[:4], digests[row[4]]) for row in rows]
    ledger = folders.ledger(store, account_id)
    sums = [(line.name, line.seen, line.stored + line.known, line.failed) for line in ledger]
    counts = store.archive.conn.execute(
        "select (select count(*) from messages), (select count(*) from holdings where is_live),"
        " (select count(*) from holdings where is_unread)"
    ).fetchone()
    state = (sorted(copies(store)), places, sums, counts, all(line.adds_up for line in ledger))
    store.close()
    return state
