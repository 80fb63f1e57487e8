"""status, verify, reindex: how it stands, and proof of it."""

import sys
from dataclasses import asdict
from typing import Any

import click

from app import jobs
from app.cli.common import data_option, json_option, opened, show, waiting, work
from app.model import Account
from app.settings import Settings
from app.store import Store, accounts, folders
from app.store.totals import totals
from app.verify import verify as verify_store


@click.command()
@data_option
@json_option
def status(settings: Settings, as_json: bool) -> None:
    """How much there is, and how the mailboxes stand."""
    with opened(settings) as store:
        found = totals(store)
        document: dict[str, Any] = {
            "messages": found.messages,
            "copies": found.copies,
            "locations": found.locations,
            "queued_for_index": found.queued_for_index,
            "to_reparse": found.to_reparse,
            "bytes": {
                "raw": found.raw_bytes,
                "stored": found.stored_bytes,
                "database": found.database_bytes,
                "index": found.index_bytes,
            },
            "accounts": [_account(store, account) for account in accounts.all_accounts(store)],
        }
        show(document, as_json=as_json, text=_as_text(document))


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


def _as_text(document: dict[str, Any]) -> str:
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
    for account in document["accounts"]:
        state = account["error"] or (
            f"{account['unread']} unread, {account['new']} new, checked {account['last_check']}"
            if account["last_check"]
            else "not checked yet"
        )
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


@click.command()
@data_option
@json_option
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N copies, at random.")
def verify(settings: Settings, as_json: bool, sample: int | None) -> None:
    """Rebuild every copy and check its hash; check the ledger and the index."""
    with opened(settings) as store, waiting("Verifying") as tick:
        found = verify_store(
            store, sample=sample, progress=lambda done, total: tick(f"{done:,} of {total:,}")
        )
    document = asdict(found) | {"faults": list(found.faults)}
    text = (
        f"{found.copies:,} copies, {found.folders:,} folders and {found.documents:,} indexed"
        f" messages looked at: {len(found.faults) or 'no'} fault{'s' * (len(found.faults) != 1)}."
    )
    show(document, as_json=as_json, text="\n".join([*found.faults, text]))
    if found.faults:
        sys.exit(1)


@click.command()
@data_option
def reindex(settings: Settings) -> None:
    """Build the index anew from the store; searches go on meanwhile."""
    with opened(settings) as store:
        work(settings, store, lambda: jobs.rebuild_index(settings), kind="reindex")
        click.echo(f"{totals(store).messages:,} messages are indexed.")
