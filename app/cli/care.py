"""status, verify, reindex: how it stands, and proof of it."""

import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any, NoReturn

import click

from app import jobs
from app.cli.common import (
    data_option,
    json_option,
    note_deed,
    opened,
    show,
    utc_now,
    wait_for_all,
    waiting,
    work,
)
from app.errors import Corrupt
from app.model import Account, PublicId
from app.settings import Settings
from app.store import Store, accounts, folders, upkeep
from app.store.database import sound
from app.store.extracts import NOT_READ
from app.store.totals import totals
from app.store.upkeep import Upkeep
from app.verify import Verified, outcome, sentence
from app.verify import verify as verify_store


@click.command()
@data_option
@json_option
def status(settings: Settings, as_json: bool) -> None:
    """How much there is, and how the mailboxes stand."""
    with opened(settings) as store:
        found = totals(store)
        mailboxes = accounts.all_accounts(store)
        document: dict[str, Any] = {
            "messages": found.messages,
            "copies": found.copies,
            "locations": found.locations,
            "queued_for_index": found.queued_for_index,
            "to_reparse": found.to_reparse,
            "attachments": {"waiting": found.unread_attachments, **found.attachments},
            "bytes": {
                "raw": found.raw_bytes,
                "stored": found.stored_bytes,
                "database": found.database_bytes,
                "index": found.index_bytes,
            },
            "accounts": [_account(store, account) for account in mailboxes],
        }
        archives = {account.public_id for account in mailboxes if account.host is None}
        show(document, as_json=as_json, text=_as_text(document, archives))


def _account(store: Store, account: Account) -> dict[str, Any]:
    check = accounts.last_check(store, account.id)
    return {
        "id": account.public_id,
        "address": account.address,
        "last_check": check and check.checked_at.isoformat(),
        "unread": check and check.unread,
        "new": check and check.new,
        "error": check and check.error,
        "folders": [asdict(ledger) for ledger in folders.ledger(store, account.id)],
    }


def _as_text(document: dict[str, Any], archives: set[PublicId]) -> str:
    """`archives`: the mailboxes that no server has."""
    size = document["bytes"]
    lines = [
        "{messages:,} messages, {copies:,} copies, {locations:,} locations,"
        " {queued_for_index:,} waiting for the index".format(**document),
        "{raw:,} bytes of mail in {database:,} bytes of databases and {index:,} of index".format(
            **size
        ),
    ]
    if document["to_reparse"]:
        done = document["messages"] - document["to_reparse"]
        lines.append(f"re-reading: {done:,} of {document['messages']:,}")
    lines.append(_attachments(document["attachments"]))
    for account in document["accounts"]:
        state = "archive only" if account["id"] in archives else _state(account)
        lines.append(f"{account['address']} ({account['id']}): {state}")
        lines += [
            "  {name}: {seen:,} = {stored:,} stored + {known:,} known + {skipped:,} skipped"
            " + {failed:,} failed".format(**folder)
            + (
                f" ({folder['purged']:,} of the skipped were removed for good)"
                * bool(folder["purged"])
            )
            for folder in account["folders"]
        ]
    return "\n".join(lines)


def _attachments(counts: dict[str, int]) -> str:
    read = counts.get("read", 0) + counts.get("cut", 0)
    said = f"attachments: {read:,} read, {counts['waiting']:,} messages waiting"
    reasons = [
        f"{counts[one]:,} not read: {why}"
        for one, why in NOT_READ.items()
        if one in counts and one != "cut"
    ]
    return "; ".join([said, *reasons])


def _state(account: dict[str, Any]) -> str:
    if account["error"] or not account["last_check"]:
        return str(account["error"] or "not checked yet")
    return "{unread:,} unread, {new:,} new, checked {last_check}".format(**account)


@click.command()
@data_option
@json_option
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N copies, at random.")
@click.option("--repair", is_flag=True, help="Mend what is damaged, from copies and servers.")
def verify(settings: Settings, as_json: bool, sample: int | None, repair: bool) -> None:
    """Read and prove every stored byte; check the ledger and the index."""
    if repair and sample:
        raise click.UsageError("--repair looks at everything; leave --sample out.")
    with opened(settings) as store:
        if repair:
            _show_ended(_repair(settings, store), as_json=as_json)
        began_at = utc_now()
        with waiting("Verifying") as tick:
            found = verify_store(
                store, sample=sample, progress=lambda done, total: tick(f"{done:,} of {total:,}")
            )
        document = asdict(found) | {"faults": list(found.faults), "damaged": list(found.damaged)}
        show(document, as_json=as_json, text="\n".join([*found.faults, found.summary]))
        with suppress(Corrupt), sound("archive.db"):  # where it can still be written
            note_deed(store, "verify")
            if sample is None:
                _keep(store, found, began_at)
    if found.faults:
        sys.exit(1)


def _repair(settings: Settings, store: Store) -> dict[str, Any]:
    """How a repair ended: here, or as a job of the worker."""
    with waiting("Repairing") as tick:
        done = work(
            settings,
            store,
            lambda: jobs.repair_now(settings, lambda now, all_: tick(f"{now:,} of {all_:,}")),
            kind="repair",
        )
    note_deed(store, "repair")
    ended: dict[str, Any] = done[0] if isinstance(done, list) else asdict(done)
    return ended


def _show_ended(ended: dict[str, Any], *, as_json: bool) -> NoReturn:
    detail = ended["detail"] or {}
    damaged = detail.get("damaged", [])
    faults = [*detail.get("faults", []), *(sentence(one) for one in damaged)]
    document = {"summary": ended["summary"], "faults": faults, "damaged": damaged}
    show(document, as_json=as_json, text="\n".join([*faults, ended["summary"]]))
    sys.exit(0 if ended["is_good"] else 1)


def _keep(store: Store, found: Verified, began_at: datetime) -> None:
    """Note how it ended, for the page "Upkeep"."""
    before = upkeep.last(store, "verify")
    now = utc_now()
    ended = outcome(found, before.detail if before else {}, now=now)
    run = Upkeep("verify", began_at, now, ended.is_good, ended.summary, ended.detail)
    upkeep.record(store, run)


@click.command()
@data_option
@json_option
def reindex(settings: Settings, as_json: bool) -> None:
    """Build the index anew from the store; searches go on meanwhile."""
    with opened(settings) as store:
        with waiting("Indexing") as tick:
            work(
                settings,
                store,
                lambda: jobs.rebuild_index(
                    settings, lambda now, all_: tick(f"{now:,} of {all_:,}")
                ),
                kind="reindex",
            )
        wait_for_all(settings, store)
        indexed = totals(store).messages
        show({"messages": indexed}, as_json=as_json, text=f"{indexed:,} messages are indexed.")
