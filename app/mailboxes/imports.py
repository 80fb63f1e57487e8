"""Mail without a server: archive-only mailboxes, and uploaded files on their way into one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from app.errors import Invalid
from app.mailboxes.rules import check_users, doer, may_change
from app.model import Account, AccountId, PublicId, UserId, Viewer, checked_address
from app.store import Store, accounts, audit, jobs, kept, transaction
from app.store.jobs import Job

FOLDER = "Imported"
LEFT_OVER_AFTER = timedelta(hours=1)
"""A file that nothing was written to for so long is no upload that still runs."""


def open_archive(
    store: Store, viewer: Viewer | None, address: str, users: Sequence[UserId], *, now: datetime
) -> Account:
    """The archive-only mailbox of an address, made where it is missing; viewer None: the operator.

    For an existing one the users are added to its own. Raises Invalid for a bad address, one that
    is another person's, or none to see it; Forbidden (R9). Effects: one transaction, audited.
    """
    address = checked_address(address, field="address")
    users = tuple(dict.fromkeys(users))
    by = doer(viewer)
    with transaction(store):
        found = _archive_of(store, address)
        if found is not None:
            before = accounts.users(store, found.id)
            _refuse_others(viewer, before)
            if added := [user for user in users if user not in before]:
                check_users(viewer, users)
                accounts.add_users(store, found.id, added)
                audit.note(store, "share account", by=by, now=now, account_id=found.id, added=added)
            return found
        check_users(viewer, users)
        if not users:
            raise Invalid("users", f"Say who may see the mail of {address}.")
        made = accounts.add(
            store,
            address=address,
            host=None,
            port=993,
            security="tls",
            login="",
            sealed_password=None,
            verify_certificate=True,
            skip_folders=[],
            users=users,
            now=now,
        )
        audit.note(store, "create account", by=by, now=now, account_id=made.id, users=users)
    return made


def request_import(
    store: Store, viewer: Viewer, account_id: AccountId, *, upload: str, name: str, now: datetime
) -> PublicId:
    """Have an uploaded file brought in; gives the job. Effects: one transaction, audited."""
    with transaction(store):
        audit.note(store, "import", by=viewer.user_id, now=now, account_id=account_id)
        return jobs.add(
            store,
            "import",
            by=viewer.user_id,
            now=now,
            account_id=account_id,
            upload=upload,
            name=name,
            folder=FOLDER,
        )


def uploads_directory(store: Store) -> Path:
    """Where uploaded files wait, for their owner only."""
    path = store.directory / "uploads"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def upload_path(store: Store, name: str) -> Path:
    """The file of an upload; its name is ours, and leads nowhere else."""
    return uploads_directory(store) / Path(name).name


def remove_upload(store: Store, job: Job) -> None:
    """Remove the file of an import that is over. Effects: may be repeated."""
    if name := job.arguments.get("upload"):
        upload_path(store, name).unlink(missing_ok=True)


def sweep(store: Store, *, now: datetime) -> None:
    """Remove what uploads, forms and tests left over. Effects: for the one worker, at its start."""
    kept.drop_old(store, now=now)
    in_use = jobs.uploads_in_use(store)
    for path in uploads_directory(store).iterdir():
        is_old = path.stat().st_mtime < (now - LEFT_OVER_AFTER).timestamp()
        if path.name not in in_use and is_old:
            path.unlink(missing_ok=True)


def _archive_of(store: Store, address: str) -> Account | None:
    return next(
        (
            account
            for account in accounts.all_accounts(store)
            if account.address == address and account.host is None
        ),
        None,
    )


def _refuse_others(viewer: Viewer | None, users: Sequence[UserId]) -> None:
    if viewer is not None and not (may_change(viewer, users) or viewer.user_id in users):
        raise Invalid(
            "address",
            "There is a mailbox of this address already, and it is not yours. Ask an"
            " administrator, or import under another address.",
        )
