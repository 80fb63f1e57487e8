"""One check of one account: its folders listed, and each of them passed over."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.errors import AuthFailed, Busy, OutOfSpace, RemoteError
from app.model import Account, AccountId, Folder
from app.store import Store, accounts, first_syncs, folders, passes
from app.store.passes import Comparison
from app.sync.comparing import compare_folder
from app.sync.connect import Secret, connect, never
from app.sync.faults import ConnectionLost, Limited, Refused, Stopped, Throttled
from app.sync.folder import Passed, Visit, sync_folder
from app.sync.meter import Meter
from app.sync.remote import Remote
from app.sync.sent import with_sent
from app.sync.skip import skip_entries

# INTERNALDATE is the server's clock, in whole seconds.
_CLOCK_SLACK = timedelta(minutes=2)
_FEW = 2
_MOST_LOST = 5
"""So many folders over which a server hangs up are none of a single folder any more."""

_BROKEN = "Letterbook stumbled over this folder; the log says more. It tries again."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a folder's new messages are stored."""

    account_id: AccountId
    folder: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: `unread` on the server, skipped folders excluded; `new` since the check
    before; folders that failed. `is_stopped`: it ended early on request, so the counts are partial.
    """

    unread: int
    new: int
    failed_folders: int
    is_stopped: bool = False


def unheard(progress: Progress) -> None:
    del progress


def sync_account(
    store: Store,
    account: Account,
    secret: Secret,
    *,
    now: Callable[[], datetime],
    ca_file: Path | None = None,
    public_only: bool = False,
    stop: Callable[[], bool] = never,
    enough: Callable[[], bool] = never,
    is_over: Callable[[], bool] = never,
    progress: Callable[[Progress], None] = unheard,
) -> Checked:
    """Bring the store in line with the account's server, which is only ever read.

    A folder that fails holds up no other: its error is kept with it. `stop` is asked between
    batches and folders, `enough` after each batch that is stored, `is_over` by any thread and every
    second that the server is waited for. New is mail stored in this check whose INTERNALDATE is
    later than the last good check (before the first: than this one's start), with two minutes for
    clocks that differ.

    `public_only`: the server was set by somebody who may reach public servers only.

    Raises AuthFailed, RemoteError. Effects: may be repeated after any interruption.
    """
    check = accounts.last_check(store, account.id, good=True)
    passed: list[Passed | None] = []
    try:
        with connect(
            account,
            secret,
            now=now,
            ca_file=ca_file,
            public_only=public_only,
            is_over=is_over,
        ) as remote:
            folders.read_from(store, account.id, _source(account), now=now())
            listed = folders.record_listing(
                store, account.id, _listing(remote, account.skip_folders), now=now()
            )
            ordered = _in_order(listed)
            visit = Visit(
                now=now,
                since=min(check.checked_at if check else now(), now()) - _CLOCK_SLACK,
                stop=stop,
                enough=enough,
                tell=lambda folder, done, total: progress(
                    Progress(account.id, folder.name, done, total)
                ),
                meter=_first_sync(remote, store, account, ordered, now=now),
            )
            _pass_over_all(remote, store, ordered, visit, passed)
    except Stopped:
        return _checked(passed, is_stopped=True)
    if visit.meter:
        first_syncs.finish(store, account.id, now=now())
    return _checked(passed)


def _first_sync(
    remote: Remote,
    store: Store,
    account: Account,
    ordered: Sequence[Folder],
    *,
    now: Callable[[], datetime],
) -> Meter | None:
    """Note what there is to do, before the first message; None: the first sync is behind us."""
    if not first_syncs.is_open(store, account.id):
        return None
    counts = {}
    lost = 0
    for folder in ordered:
        if folder.skipped_by is not None:
            continue
        try:  # what goes wrong here, the pass over the folder says
            status = remote.counted(folder.name) or remote.status(folder.name)
            counts[folder.id] = first_syncs.Counts(status.messages, status.unseen)
        except Refused:
            continue
        except Throttled as exc:
            if exc.wait is not None:
                raise
            break
        except ConnectionLost:
            remote.begin_anew()
            lost += 1
            if lost == _FEW:
                break
    first_syncs.begin(store, account.id, counts, now=now())
    return Meter(store, account.id, now)


def _checked(passed: Sequence[Passed | None], *, is_stopped: bool = False) -> Checked:
    good = [one for one in passed if one is not None]
    return Checked(
        unread=sum(one.unread for one in good),
        new=sum(one.new for one in good),
        failed_folders=len(passed) - len(good),
        is_stopped=is_stopped,
    )


def _source(account: Account) -> str:
    """Whose mail it is, in whatever way it is reached."""
    return f"{account.login or account.address} at {(account.host or '').lower()}"


def _listing(remote: Remote, skip_folders: Sequence[str]) -> list[folders.Listed]:
    """The folders that can be opened, with the skip entry that matches each.

    Raises RemoteError where there is none: INBOX always is (RFC 3501 5.1), and to believe an
    empty list would be to note all mail as gone.
    """
    found = with_sent(remote.list_folders(with_status=True))
    entries = skip_entries(found, skip_folders)
    listed = [
        folders.Listed(folder.name, folder.special_use, entry, mailbox_id=folder.mailbox_id)
        for folder, entry in zip(found, entries, strict=True)
        if folder.is_selectable
    ]
    if not listed:
        raise RemoteError("The server lists no folder, not even INBOX. Letterbook tries again.")
    return listed


def _in_order(listed: Sequence[Folder]) -> list[Folder]:
    """INBOX, then what was sent, then the rest as the server lists it; last what failed before."""
    return sorted(
        listed,
        key=lambda folder: (
            folder.error is not None,
            folder.name.upper() != "INBOX",
            folder.special_use != "\\Sent",
        ),
    )


def _pass_over_all(
    remote: Remote,
    store: Store,
    ordered: Sequence[Folder],
    visit: Visit,
    passed: list[Passed | None],
) -> None:
    """Pass over one folder after the other; `passed` grows.

    One over which the server hangs up, or that a limit keeps from us, fails alone, unless no
    other goes either.
    """
    lost = 0
    problem: Limited | ConnectionLost | None = None
    for folder in ordered:
        if visit.stop():
            raise Stopped
        try:
            passed.append(_pass_over_or_again(remote, store, folder, visit))
        except (Limited, ConnectionLost) as exc:
            problem = exc
            _note_error(store, folder, str(exc), now=visit.now())
            passed.append(None)
            lost += isinstance(exc, ConnectionLost)
            if lost == _MOST_LOST or (len(passed) >= _FEW and not any(passed)):
                break
            if isinstance(exc, ConnectionLost):
                remote.begin_anew()
    if problem is not None and (lost == _MOST_LOST or not any(passed)):
        raise problem.throttled if isinstance(problem, Limited) else problem


def _pass_over_or_again(
    remote: Remote, store: Store, folder: Folder, visit: Visit
) -> Passed | None:
    """As `_pass_over`; over most folders a connection breaks by chance, and not again."""
    try:
        return _pass_over(remote, store, folder, visit)
    except ConnectionLost:
        if folder.error is not None:
            raise
        remote.reopen()
    return _pass_over(remote, store, folder, visit)


def _pass_over(remote: Remote, store: Store, folder: Folder, visit: Visit) -> Passed | None:
    """Pass over a folder; None if it failed, with the reason kept."""
    try:
        if folder.skipped_by is not None:
            return _count_skipped(remote, store, folder, now=visit.now())
        passed = sync_folder(remote, store, folder, visit)
        _compare(remote, store, folder, visit)
    except Limited:
        raise
    except Refused as exc:
        reason = str(exc)
    except Throttled as exc:
        _note_error(store, folder, str(exc), now=visit.now())
        raise
    except (Stopped, RemoteError, AuthFailed, Busy, OutOfSpace):
        raise
    except Exception:
        logger.exception("a folder failed", extra={"folder_id": folder.id})
        reason = _BROKEN
    else:
        return passed
    _note_error(store, folder, reason, now=visit.now())
    return None


def _compare(remote: Remote, store: Store, folder: Folder, visit: Visit) -> None:
    """Compare a folder in full once a week; its very first pass has looked at everything."""
    now = visit.now()
    if not passes.is_comparison_due(store, folder.id, now=now):
        return
    if folder.checked_at is not None:
        compare_folder(remote, store, folder.id, visit)
    elif passes.last_comparison(store, folder.id) is None:
        messages = folders.get(store, folder.id).server_messages
        passes.note_comparison(store, folder.id, Comparison(now, messages, 0, 0, 0))


def _note_error(store: Store, folder: Folder, reason: str, *, now: datetime) -> None:
    folders.record_pass(
        store,
        folder.id,
        uidvalidity=folder.uidvalidity,
        uidnext=folder.uidnext,
        highestmodseq=folder.highestmodseq,
        messages=folder.server_messages,
        unseen=folder.server_unseen,
        error=reason,
        now=now,
    )


def _count_skipped(remote: Remote, store: Store, folder: Folder, *, now: datetime) -> Passed:
    """Keep the server's own counts of a folder that is not imported, for the ledger."""
    status = remote.status(folder.name)
    is_known = folder.checked_at is not None and folder.error is None
    if not is_known or status.messages != folder.server_messages:
        folders.record_pass(
            store,
            folder.id,
            uidvalidity=None,
            uidnext=None,
            highestmodseq=None,
            messages=status.messages,
            unseen=status.unseen,
            error=None,
            now=now,
        )
    return Passed(unread=0, new=0)
