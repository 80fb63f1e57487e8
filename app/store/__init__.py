"""All SQL lives in this package. It owns archive.db and mail.db.

It must not know IMAP, Tantivy or HTTP.
"""

from app.store.database import Store, open_store, transaction

__all__ = ["Store", "open_store", "transaction"]
