"""The resource "ledger" of a mailbox: what its folders' sums count, down to the message (R73)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app import mailboxes
from app.errors import NotFound
from app.model import Account, Folder, FolderLedger, Viewer
from app.store import Store, folders, passes
from app.store.passes import Comparison, Counted, Part, Pass
from app.web import render
from app.web.db import store_of
from app.web.forms import asked

_PAGE: Final = 100
_MOST_PASSES: Final = 20
_PARTS: Final[tuple[Part, ...]] = ("stored", "known", "skipped", "failed")
_HIGHEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Proof:
    """The ledger of a whole mailbox (R73); `skipped_folders` hold what was skipped."""

    seen: int
    stored: int
    known: int
    skipped: int
    failed: int
    adds_up: bool
    skipped_folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """The weekly comparisons: since when each folder was compared, and what was overlooked."""

    since: datetime | None
    next_at: datetime | None
    findings: list[tuple[str, Comparison]]


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """One folder's sum, one part of it message by message, and its passes.

    `older` is the place where the next page begins, "" on the last one.
    """

    account: Account
    folder: Folder
    ledger: FolderLedger
    part: Part
    messages: list[Counted]
    older: str
    is_first_page: bool
    passes: list[Pass]
    comparison: Comparison | None


@get("/{account_id:str}/ledger", sync_to_thread=True)
def show(
    request: HTMXRequest, viewer: NamedDependency[Viewer], account_id: FromPath[str]
) -> Template:
    store = store_of(request)
    account = mailboxes.find_account(store, viewer, account_id)
    context = _page(request, store, viewer, account)
    return render.page(request, "accounts/ledger.html", context=context, section="accounts")


def proof(lines: list[FolderLedger]) -> Proof:
    return Proof(
        seen=sum(line.seen for line in lines),
        stored=sum(line.stored for line in lines),
        known=sum(line.known for line in lines),
        skipped=sum(line.skipped for line in lines),
        failed=sum(line.failed for line in lines),
        adds_up=all(line.adds_up for line in lines),
        skipped_folders=tuple(line.name for line in lines if line.skipped > line.purged),
    )


def compared(store: Store, account: Account) -> Compared:
    since = passes.compared_since(store, account.id)
    next_at = None if since is None else since + passes.COMPARE_EVERY
    return Compared(since, next_at, passes.findings(store, account.id))


def _page(request: HTMXRequest, store: Store, viewer: Viewer, account: Account) -> LedgerPage:
    name, before = asked(request, "folder"), asked(request, "before")
    lines = {line.name: line for line in folders.ledger(store, account.id)}
    found = [one for one in folders.of_account(store, account.id) if one.name == name]
    if not found:
        raise NotFound
    (folder,), ledger = found, lines[name]
    part = _part(asked(request, "part"), ledger)
    place = _place(before)
    messages = passes.messages(store, viewer, folder.id, part, before=place, limit=_PAGE + 1)
    shown = messages[:_PAGE]
    return LedgerPage(
        account=account,
        folder=folder,
        ledger=ledger,
        part=part,
        messages=shown,
        older="{}.{}".format(*shown[-1].at) if len(messages) > _PAGE else "",
        is_first_page=place == (_HIGHEST, 0),
        passes=passes.of_folder(store, folder.id, limit=_MOST_PASSES),
        comparison=passes.last_comparison(store, folder.id),
    )


def _part(wanted: str, ledger: FolderLedger) -> Part:
    """The part that is asked for, else the first that counts anything."""
    chosen = [part for part in _PARTS if part == wanted]
    filled = [part for part in _PARTS if getattr(ledger, part)]
    return (chosen or filled or ["stored"])[0]


def _place(text: str) -> tuple[int, int]:
    """The (uidvalidity, uid) of "7.42"; beyond every one for anything else."""
    uidvalidity, _, uid = text.partition(".")
    is_place = all(
        one.isascii() and one.isdecimal() and len(one) < 19 for one in (uidvalidity, uid)
    )
    return (int(uidvalidity), int(uid)) if is_place else (_HIGHEST, 0)
