"""sync, search, suggest, file, purge, raw: the mail itself."""

import sys
from functools import partial
from typing import Any

import click
import msgspec

from app import filing, jobs, mailboxes, people, purge, records
from app.cli.common import (
    data_option,
    json_option,
    opened,
    show,
    utc_now,
    wait_for_all,
    wait_for_index,
    work,
)
from app.errors import Forbidden, LetterbookError, NotFound
from app.model import Account, Message, Viewer
from app.search import Hit, Sort, search_messages
from app.search.answer import answer
from app.settings import Settings
from app.store import Store, accounts, blobs, folders, messages, users


@click.command()
@data_option
@json_option
@click.option("--account", "public_id", metavar="ID", help="Only this one.")
def sync(settings: Settings, as_json: bool, public_id: str | None) -> None:
    """One pass over the mailboxes now, to the end."""
    with opened(settings) as store:
        chosen = [accounts.by_public_id(store, public_id)] if public_id else []
        for account in chosen:
            mailboxes.refuse_unwatched(account)
        wanted = chosen or [a for a in accounts.all_accounts(store) if a.is_watched]
        if not wanted:
            raise LetterbookError(
                "There is no mailbox to sync: none is there, or all are paused or closed."
                " `letterbook account add` adds one."
            )
        only = chosen[0].id if chosen else None
        ids = [account.id for account in wanted]

        def sync_some() -> bool:
            """Whether there is more: a worker's passes make room for each other's new mail."""
            alone = partial(jobs.sync_now, settings, only)
            done = work(settings, store, alone, kind="sync", accounts=ids)
            return isinstance(done, list) and any(one["is_stopped"] for one in done)

        while sync_some():
            pass
        wait_for_all(settings, store)
        checked = [_checked(store, account) for account in wanted]
    for one in checked:
        for fault in one["faults"]:
            place = ", ".join(filter(None, (one["address"], fault["folder"])))
            click.echo(f"{place}: {fault['error']}", err=True)
    text = [
        "{address}: {unread:,} unread, {new:,} new".format(**one)
        for one in checked
        if one["unread"] is not None
    ]
    show({"accounts": checked}, as_json=as_json, text="\n".join(text))
    if any(one["faults"] for one in checked):
        sys.exit(1)


def _checked(store: Store, account: Account) -> dict[str, Any]:
    """How the last check of a mailbox went; a fault without a folder is the mailbox's own."""
    check = accounts.last_check(store, account.id)
    faults: list[dict[str, str | None]] = [
        {"folder": folder.name, "error": folder.error}
        for folder in folders.of_account(store, account.id)
        if folder.error and folder.gone_since is None
    ]
    if check is None or check.error:
        faults.insert(0, {"folder": None, "error": check.error if check else "not checked"})
    return {
        "id": account.public_id,
        "address": account.address,
        "unread": check and check.unread,
        "new": check and check.new,
        "faults": faults,
    }


@click.command()
@data_option
@json_option
@click.argument("query")
@click.option("--as", "email", required=True, help="Whose mail: what this person may read.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--sort", type=click.Choice(["date", "relevance"]), default="date")
def search(
    settings: Settings, as_json: bool, query: str, email: str, limit: int, sort: Sort
) -> None:
    """Find messages, newest first, or best first."""
    with opened(settings) as store:
        viewer = people.viewer_for(store, email)
        page = search_messages(store, viewer, query, limit=limit, sort=sort)
        document = msgspec.to_builtins(answer(store, viewer, query, page))
        lines = [_line(hit) for hit in page.hits]
        lines.append(f"{page.total:,} found, understood as: {page.query.understood}")
        show(document, as_json=as_json, text="\n".join(lines))


def _line(hit: Hit) -> str:
    message = hit.row.message
    who = message.sender.name or message.sender.address
    return f"{message.public_id}  {message.sort_at:%Y-%m-%d}  {who[:24]:24}  {message.subject}"


@click.command()
@data_option
@json_option
@click.argument("message_id")
@click.option("--as", "email", required=True, help="For this person.")
def suggest(settings: Settings, as_json: bool, message_id: str, email: str) -> None:
    """Records that a message may belong to, most likely first."""
    with opened(settings) as store:
        viewer = people.viewer_for(store, email)
        message = _message(store, viewer, message_id)
        found = filing.suggest(store, viewer, message.id)
        document = {
            "message": message.public_id,
            "suggestions": [
                {
                    "type": suggestion.record.type,
                    "record": suggestion.record.public_id,
                    "name": suggestion.record.name,
                    "score": round(suggestion.score, 3),
                    "preselected": suggestion.is_preselected,
                    "reasons": list(suggestion.reasons),
                }
                for suggestion in found
            ],
        }
        lines = [
            f"{'*' if s.is_preselected else ' '} {s.score:.2f}  {s.record.type}  {s.record.name}"
            f"  ({'; '.join(s.reasons)})"
            for s in found
        ]
        show(document, as_json=as_json, text="\n".join(lines) or "No suggestion.")


@click.command("file")
@data_option
@json_option
@click.argument("message_id")
@click.argument("record_type", metavar="TYPE")
@click.argument("name")
@click.option("--as", "email", required=True, help="As this person.")
@click.option("--role", "roles", multiple=True, help="Only for users with this role (first time).")
def file_command(
    settings: Settings,
    as_json: bool,
    message_id: str,
    record_type: str,
    name: str,
    email: str,
    roles: tuple[str, ...],
) -> None:
    """Archive a message under a record, or attach it to another one."""
    with opened(settings) as store:
        viewer = people.viewer_for(store, email)
        message = _message(store, viewer, message_id)
        record = records.find_record(store, viewer, record_type=record_type, name=name)
        is_new = filing.file_message(
            store,
            viewer,
            message.id,
            record.id,
            roles=users.role_ids(store, roles),
            now=utc_now(),
        )
        wait_for_index(settings, store)
        sentence = f"Archived to {record.name}." if is_new else f"It lay under {record.name}."
        document = {"message": message.public_id, "record": record.public_id, "filed": is_new}
        show(document, as_json=as_json, text=sentence)


@click.command("purge")
@data_option
@json_option
@click.argument("message_id")
@click.option("--reason", required=True, help="Why; the audit keeps it.")
@click.option("--as", "email", required=True, help="As this administrator.")
def purge_command(
    settings: Settings, as_json: bool, message_id: str, reason: str, email: str
) -> None:
    """Remove a message for good, for legal requests only: by its id or its Message-ID."""
    with opened(settings) as store:
        viewer = people.viewer_for(store, email)
        if not viewer.is_admin:
            raise Forbidden(f"{email} is no administrator. Only administrators remove for good.")
        removed = purge.purge_message(store, viewer, message_id, reason=reason, now=utc_now())
        wait_for_index(settings, store)
    sentence = (
        f"Message {removed} is removed, and does not come back. The worker wipes its bytes from"
        " the disk within minutes. Backups made before still hold it: see docs/purge.md."
    )
    show({"message": removed, "purged": True}, as_json=as_json, text=sentence)


@click.command()
@data_option
@click.argument("copy")
def raw(settings: Settings, copy: str) -> None:
    """Write the exact bytes of a copy to standard output; COPY is its id or SHA-256."""
    with opened(settings) as store:
        content = blobs.get(store, messages.any_copy(store, copy).digest)
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _message(store: Store, viewer: Viewer, public_id: str) -> Message:
    try:
        return messages.get(store, viewer, public_id)
    except NotFound as exc:
        raise NotFound(f"There is no message {public_id} that this person may read.") from exc
