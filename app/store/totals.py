"""How much there is: the figures of `letterbook status`."""

from dataclasses import dataclass

from app.store import blobs, documents, extracts, reparse
from app.store.database import Store


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts, and bytes: of all copies, of their stored form, of the databases, of the index.

    `to_reparse`: messages that an older parser read. `unread_attachments`: messages whose
    attachments wait to be read; `attachments`: contents that were, by how it ended.
    """

    messages: int
    copies: int
    locations: int
    queued_for_index: int
    to_reparse: int
    unread_attachments: int
    attachments: dict[extracts.Status, int]
    raw_bytes: int
    stored_bytes: int
    database_bytes: int
    index_bytes: int


def totals(store: Store) -> Totals:
    """The figures of one data directory, now."""
    conn = store.archive.conn
    copies, raw_bytes = conn.execute(
        "select count(*), coalesce(sum(size_bytes), 0) from copies"
    ).fetchone()
    (locations,) = conn.execute("select count(*) from locations").fetchone()
    files = [f for f in (store.directory / "index").rglob("*") if f.is_file()]
    return Totals(
        messages=documents.message_count(store),
        copies=copies,
        locations=locations,
        queued_for_index=documents.backlog(store),
        to_reparse=reparse.to_do(store),
        unread_attachments=extracts.backlog(store),
        attachments=extracts.counts(store),
        raw_bytes=raw_bytes,
        stored_bytes=blobs.stored_bytes(store),
        database_bytes=sum(
            (store.directory / name).stat().st_size for name in ("archive.db", "mail.db")
        ),
        index_bytes=sum(f.stat().st_size for f in files),
    )
