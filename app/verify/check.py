"""Everything that is stored, read and proved: bytes, references, ledgers, the index."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.errors import Corrupt, LetterbookError
from app.model import MessageId
from app.search.index import count_messages, message_ids
from app.store import Store, accounts, blobs, documents, folders, messages, proof, soundness
from app.store.database import sound
from app.store.harm import Harmed, harmed
from app.store.lock import no_removal

_IDS_AT_ONCE = 10_000
_NO_END = MessageId(2**62)


@dataclass(slots=True)
class Findings:
    """What a look has found so far, for whoever repairs.

    `harm` says of blobs why they are not what was stored; `needs` which blobs the recipes among
    them name. `complaints` are SQLite's own. `drift` is of what archive.db derives from its rows.
    """

    harm: dict[int, str] = field(default_factory=dict)
    needs: dict[int, tuple[int, ...]] = field(default_factory=dict)
    hit: list[Harmed] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    copies: int = 0
    folders: int = 0
    documents: int = 0
    blobs: int = 0
    blocks: int = 0
    orphans: int = 0

    @property
    def roots(self) -> dict[int, str]:
        """The damaged blobs that are not so only because of others that they are made from."""
        return {
            blob_id: reason
            for blob_id, reason in self.harm.items()
            if not self.harm.keys() & self.needs.get(blob_id, ())
        }

    @property
    def is_beyond_repair(self) -> bool:
        """Whether SQLite cannot make sense of more than an index."""
        return not all(
            soundness.is_of_index(one) or soundness.is_of_words(one) for one in self.complaints
        )


def never() -> bool:
    return False


def unheard(done: int, total: int) -> None:
    del done, total


def examine(
    store: Store,
    *,
    sample: int | None = None,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unheard,
) -> Findings:
    """Unpack every block, prove every blob, build every copy, and compare all that names another.

    Blobs stay where they are meanwhile. Raises LetterbookError if it is told to stop.
    """
    found = Findings()
    with no_removal(store.directory):
        with _noting(found):
            found.complaints += soundness.complaints(store, quick=False, stop=stop)
        if sample is None:
            _look_at_all(store, found, stop, progress)
        else:
            _look_at_some(store, found, sample, progress)
        with _noting(found):
            found.hit += harmed(store, found.harm)
    for check in (_check_rows, _check_ledgers, _check_index):
        with _noting(found):
            check(store, found)
    return found


def examine_slice(
    store: Store,
    *,
    after: int,
    size_bytes: int,
    quick: bool,
    stop: Callable[[], bool] = never,
) -> tuple[Findings, int]:
    """Look at so many bytes of the blocks after one, and at what costs little; see `examine`.

    Gives the last block looked at; 0 where the next slice is the first. `quick`: SQLite looks
    through its files, too.
    """
    found = Findings()
    with no_removal(store.directory), _noting(found):
        if quick:
            found.complaints += soundness.complaints(store, quick=True, stop=stop)
        through = proof.end_of_slice(store, after, size_bytes)
        if through is not None:
            for look in proof.walk(store, after=after, through=through):
                _note(found, look)
                after = look.block_id
                if stop():
                    break
        if proof.end_of_slice(store, after, 0) is None:
            after = 0
    for check in (_check_rows, _check_ledgers):
        with _noting(found):
            check(store, found)
    return found, after


@contextmanager
def _noting(found: Findings) -> Iterator[None]:
    """A database that cannot be read is a fault, and the rest is looked at all the same."""
    try:
        with sound("archive.db"):
            yield
    except Corrupt as exc:
        found.faults.append(str(exc))


def _note(found: Findings, look: proof.Look) -> None:
    found.blocks += 1
    found.blobs += look.blobs
    found.harm |= look.harm
    found.needs |= {blob_id: look.needs[blob_id] for blob_id in look.harm if blob_id in look.needs}
    found.faults += look.faults


def _look_at_all(
    store: Store,
    found: Findings,
    stop: Callable[[], bool],
    progress: Callable[[int, int], None],
) -> None:
    with _noting(found):
        named = soundness.Named(store)
        blocks, stored = proof.counts(store)
        for look in proof.walk(store):
            _note(found, look)
            for needs in look.needs.values():
                named.add(needs)
            progress(found.blocks, blocks)
            if stop():
                raise LetterbookError("Verification was told to stop; nothing was changed.")
        if found.blobs < stored:
            found.faults.append(
                f"mail.db: {stored - found.blobs:,} blobs do not tell which block they lie in."
            )
        missing = named.missing()
        found.harm |= {one: f"The stored bytes of blob {one} are missing." for one in missing}
        found.orphans = named.orphans()
    with _noting(found):
        found.copies = messages.copy_count(store)


def _look_at_some(
    store: Store, found: Findings, sample: int, progress: Callable[[int, int], None]
) -> None:
    with _noting(found):
        chosen = messages.some_copies(store, sample)
        store.recent.clear()
        for copy_id in chosen:
            found.copies += 1
            try:
                blobs.read(store, copy_id)
            except Corrupt as exc:
                found.harm[copy_id] = str(exc)
            progress(found.copies, len(chosen))


def _check_rows(store: Store, found: Findings) -> None:
    found.faults += soundness.broken_references(store)
    found.drift += soundness.differing(store)


def _check_ledgers(store: Store, found: Findings) -> None:
    """R73, for the folders whose last pass has ended."""
    for account in accounts.all_accounts(store):
        under_way = folders.under_way(store, account.id)
        for ledger in folders.ledger(store, account.id):
            found.folders += 1
            if not ledger.adds_up and ledger.name not in under_way:
                found.faults.append(
                    f"ledger of {account.address}, {ledger.name}: {ledger.seen} seen is not"
                    f" {ledger.stored} stored + {ledger.known} known + {ledger.skipped} skipped"
                    f" + {ledger.failed} failed"
                )


def _check_index(store: Store, found: Findings) -> None:
    found.documents = count_messages(store.directory)
    missing = surplus = 0
    last = documents.last_message_id(store)
    for first in range(1, last + 1, _IDS_AT_ONCE):
        lacking, odd = _differing(store, first, min(last, first + _IDS_AT_ONCE - 1))
        missing, surplus = missing + lacking, surplus + odd
    surplus += _differing(store, last + 1, _NO_END)[1]
    for number, what in ((missing, "missing"), (surplus, "too many")):
        if number:
            found.faults.append(
                f"index: {number:,} message{'s' * (number > 1)} {what};"
                " `letterbook reindex` mends it"
            )


def _differing(store: Store, first: int, last: int) -> tuple[int, int]:
    """How many messages the index lacks, and has too many; what waits in the queue is no fault.

    The worker goes on meanwhile, so what differs is looked at twice.
    """
    lacking, odd = _difference(store, first, last)
    if lacking or odd:
        again = _difference(store, first, last)
        lacking, odd = lacking & again[0], odd & again[1]
    return len(lacking), len(odd)


def _difference(store: Store, first: int, last: int) -> tuple[set[MessageId], set[MessageId]]:
    begin, end = MessageId(first), MessageId(last)
    held = message_ids(store.directory, begin, end)
    stored = documents.message_ids_between(store, begin, end)
    queued = documents.queued_message_ids(store, begin, end)
    twice = {one for one, number in Counter(held).items() if number > 1}
    return stored - set(held) - queued, (set(held) - stored | twice) - queued
