"""Export: what a person may read, or everything, as mbox, .eml files or Maildir."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from app.errors import Corrupt, Invalid, LetterbookError, NotFound, OutOfSpace
from app.mail.redact import marked
from app.model import Copy, CopyId, Digest, Folder, MessageId, Viewer
from app.search import find_all
from app.store import Store, accounts, audit, blobs, folders, locations, messages, transaction
from app.transfer.writers import Form, Outgoing, safe_name, write

PER_READ = 500


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `without_bcc`: copies of others' mailboxes; `failed`: the reasons."""

    messages: int = 0
    size_bytes: int = 0
    without_bcc: int = 0
    failed: tuple[str, ...] = ()


def export_found(
    store: Store,
    viewer: Viewer,
    query: str,
    *,
    form: Form,
    to: Path,
    now: datetime,
    progress: Callable[[Exported], None] = lambda done: None,
) -> Exported:
    """Write out what the viewer may read of what a query finds; of all his mail if it is empty.

    One copy a message: of his own mailboxes the exact bytes, else without Bcc and marked so (A20).

    Raises Invalid, Conflict (the index is not whole), OutOfSpace. Effects: the file or folder `to`,
    whole or not at all; audited.
    """
    ids = find_all(store, viewer, query) if query.strip() else _readable(store, viewer)
    with _beside(to) as path:
        with transaction(store):
            audit.note(store, "export", by=viewer.user_id, now=now, query=query, format=form)
        failed: list[str] = []
        return _written(_copies_for(store, viewer, ids, failed), failed, form, path, progress)


def export_all(
    store: Store,
    *,
    form: Form,
    to: Path,
    now: datetime,
    progress: Callable[[Exported], None] = lambda done: None,
) -> Exported:
    """Write out every copy there is, exactly; as Maildir by mailbox and folder, flags included.

    Raises Invalid, OutOfSpace. Effects: the file or folder `to`, whole or not at all; audited.
    """
    with _beside(to) as path:
        with transaction(store):
            audit.note(store, "export all", by=None, now=now, format=form)
        failed: list[str] = []
        items = _all_places(store, failed) if form == "maildir" else _all_copies(store, failed)
        return _written(items, failed, form, path, progress)


# -- what goes out


def _readable(store: Store, viewer: Viewer) -> Iterator[MessageId]:
    last = MessageId(0)
    while found := messages.readable_after(store, viewer, last, limit=PER_READ):
        yield from found
        last = found[-1]


def _copies_for(
    store: Store, viewer: Viewer, ids: Iterable[MessageId], failed: list[str]
) -> Iterator[Outgoing]:
    for message_id in ids:
        try:
            best = messages.best_copy(store, viewer, message_id)
        except NotFound:  # hidden since it was found
            continue
        except Corrupt as exc:
            failed.append(str(exc))
            continue
        received_at, flags = locations.first_seen(store, best.copy.id, viewer.accounts)
        copy = best.copy if best.is_own else _without_digest(best.copy)
        raw = best.raw if best.is_own else marked(best.raw)
        yield Outgoing(copy, raw, received_at, flags, is_exact=best.is_own)


def _without_digest(copy: Copy) -> Copy:
    """Its id goes into file names: by that of the exact bytes one could try who was in Bcc."""
    return replace(copy, digest=Digest(sha256(f"without Bcc {copy.id}".encode()).digest()))


def _all_copies(store: Store, failed: list[str]) -> Iterator[Outgoing]:
    last = CopyId(0)
    while found := messages.copies_after(store, last, limit=PER_READ):
        for copy in found:
            received_at, flags = locations.first_seen(store, copy.id)
            yield from _exact(store, Outgoing(copy, b"", received_at, flags), failed)
        last = found[-1].id


def _all_places(store: Store, failed: list[str]) -> Iterator[Outgoing]:
    taken: set[str] = set()
    for account in accounts.all_accounts(store):
        mailbox = safe_name(account.address)
        if mailbox in taken:
            mailbox += f"-{account.public_id}"
        taken.add(mailbox)
        for folder in folders.of_account(store, account.id):
            yield from _places(store, folder, mailbox, failed)


def _places(store: Store, folder: Folder, mailbox: str, failed: list[str]) -> Iterator[Outgoing]:
    last = (-1, 0)
    while found := locations.places_after(store, folder, last, limit=PER_READ):
        for place in found:
            outgoing = Outgoing(
                place.copy, b"", place.received_at, place.flags, mailbox, folder.name
            )
            yield from _exact(store, outgoing, failed)
        last = found[-1].at


def _exact(store: Store, outgoing: Outgoing, failed: list[str]) -> Iterator[Outgoing]:
    try:
        yield replace(outgoing, raw=blobs.read(store, outgoing.copy.id))
    except Corrupt as exc:
        failed.append(f"copy {outgoing.copy.public_id}: {exc}")


# -- where it goes


def _written(
    items: Iterable[Outgoing],
    failed: list[str],
    form: Form,
    path: Path,
    progress: Callable[[Exported], None],
) -> Exported:
    done = Exported()

    def counted() -> Iterator[Outgoing]:
        nonlocal done
        for item in items:
            yield item
            done = Exported(
                done.messages + 1,
                done.size_bytes + len(item.raw),
                done.without_bcc + (not item.is_exact),
            )
            progress(done)

    write(counted(), form, path)
    return replace(done, failed=tuple(failed))


@contextmanager
def _beside(to: Path) -> Iterator[Path]:
    """A place beside `to` that takes its name at the end, or is removed.

    Raises Invalid if there is something already, OutOfSpace, LetterbookError.
    """
    to = to.absolute()
    if not to.parent.is_dir():
        raise Invalid("dest", f"There is no folder {to.parent}. Make it first.")
    if not _is_free(to):
        raise Invalid("dest", f"{to} is there already. Name a new file or an empty folder.")
    old_mask = os.umask(0o077)
    scratch: Path | None = None
    try:
        scratch = Path(tempfile.mkdtemp(prefix=f".{to.name[:100]}.", dir=to.parent))
        yield scratch / to.name
        (scratch / to.name).rename(to)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace(
                f"There is no room left on the disk for {to}, and nothing was left there. Make"
                " room, or name a place on another disk, and do the same again."
            ) from exc
        raise LetterbookError(f"{to} cannot be written ({exc.strerror}).") from exc
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        os.umask(old_mask)


def _is_free(to: Path) -> bool:
    if to.is_symlink():
        return False
    if to.is_dir():
        return next(to.iterdir(), None) is None
    return not to.exists() or (to.is_file() and to.stat().st_size == 0)
