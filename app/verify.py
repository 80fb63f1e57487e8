"""Proof that the store holds what it says: bytes, ledger, index."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from app.errors import Corrupt
from app.search.index import count_messages
from app.store import Store, accounts, blobs, documents, folders, messages


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and a sentence for everything that differs; empty: all is well."""

    copies: int
    folders: int
    documents: int
    faults: tuple[str, ...]


def verify(
    store: Store,
    *,
    sample: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verified:
    """Rebuild the copies (all, or a sample) and check their hashes, the ledger and the index."""
    copies = messages.copies_after(store, 0, limit=10**9)
    if sample is not None and sample < len(copies):
        copies = Random(seed).sample(copies, sample)  # noqa: S311  # a sample, not a secret
    faults: list[str] = []
    store.recent.clear()
    for number, copy in enumerate(copies, start=1):
        try:
            blobs.read(store, copy.id)
        except Corrupt as exc:
            faults.append(f"copy {copy.public_id}: {exc}")
        progress(number, len(copies))
    ledgers = _check_ledgers(store, faults)
    indexed = count_messages(store.directory)
    expected = documents.message_count(store)
    if indexed != expected and not documents.backlog(store):
        faults.append(
            f"index: {indexed:,} messages instead of {expected:,}; `letterbook reindex` mends it"
        )
    return Verified(len(copies), ledgers, indexed, tuple(faults))


def _check_ledgers(store: Store, faults: list[str]) -> int:
    checked = 0
    for account in accounts.all_accounts(store):
        for ledger in folders.ledger(store, account.id):
            checked += 1
            if not ledger.adds_up:
                faults.append(
                    f"ledger of {account.address}, {ledger.name}: {ledger.seen} seen is not"
                    f" {ledger.stored} stored + {ledger.known} known + {ledger.skipped} skipped"
                    f" + {ledger.failed} failed"
                )
    return checked
