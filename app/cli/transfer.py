"""import, export: mail in and out."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app import jobs, mailboxes, people
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
from app.errors import Invalid
from app.model import Account, AccountId, UserId, one_line
from app.search import search_messages
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import Store, accounts, documents
from app.store.totals import totals
from app.transfer import (
    Exported,
    Form,
    Imported,
    check_mail,
    export_all,
    export_found,
    import_mail,
    mail_bytes,
)


@click.command("import")
@data_option
@json_option
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--account", "public_id", metavar="ID", help="Into this mailbox; `status` has its id."
)
@click.option("--address", metavar="A", help="Into an archive-only mailbox of this address.")
@click.option(
    "--user",
    "members",
    multiple=True,
    metavar="EMAIL",
    help="Who sees its queue; may be given several times. Not needed for a mailbox that is there.",
)
@click.option(
    "--folder",
    "folder_name",
    metavar="NAME",
    default="Imported",
    show_default=True,
    help="Where the mail goes; sub-folders go below it, or beside it if it is INBOX.",
)
def import_command(
    settings: Settings,
    as_json: bool,
    path: Path,
    public_id: str | None,
    address: str | None,
    members: tuple[str, ...],
    folder_name: str,
) -> None:
    """Bring in mail from an mbox (also .gz, .zst), a Maildir, a folder or zip of .eml files.

    It may be done again: what is there already is left alone.
    """
    if bool(public_id) == bool(address):
        raise Invalid("account", "Say where it goes: either --account ID, or --address and --user.")
    folder_name = one_line(folder_name)
    if not folder_name:
        raise Invalid("folder", "Name a folder with --folder.")
    with opened(settings) as store:
        check_mail(path)
        if public_id:
            target = accounts.by_public_id(store, public_id)
        else:
            who = [people.find_user(store, email).id for email in members]
            target = _archive_only(store, address or "", who)
        note_deed(store, "import", account_id=target.id)
        done = work(
            settings,
            store,
            lambda: _import_here(settings, store, path, target.id, folder_name),
            kind="import",
            account_id=target.id,
            path=str(path.absolute()),
            folder=folder_name,
        )
        wait_for_all(settings, store)
        result = done if isinstance(done, dict) else asdict(Imported(**done[0]))
        for reason in result["failed"]:
            click.echo(f"not read: {reason}", err=True)
        text = "{read:,} read: {stored:,} new, {known:,} known, {present:,} here already".format(
            **result
        )
        if result["skipped"]:
            text += f", {result['skipped']:,} skipped (removed for good before)"
        if result["failed"]:
            text += f", {len(result['failed']):,} not readable"
        show(result | {"account": target.public_id}, as_json=as_json, text=text)
        if result["failed"]:
            sys.exit(1)


def _import_here(
    settings: Settings, store: Store, path: Path, account_id: AccountId, folder_name: str
) -> dict[str, Any]:
    total = mail_bytes(path)
    share = ""

    def note_bytes(size_bytes: int) -> None:
        nonlocal share
        share = f", {min(100, 100 * size_bytes // total)} %" if total else ""

    indexer = Indexer(store)
    with waiting("Importing") as tick:

        def note(so_far: Imported) -> None:
            tick(f"{so_far.read:,} messages{share}")
            indexer.keep_up()

        done = import_mail(
            store,
            path,
            account_id,
            folder=folder_name,
            now=utc_now(),
            progress=note,
            read_bytes=note_bytes,
        )
    with waiting("Indexing") as tick:
        jobs.drain_index(settings, lambda now, all_: tick(f"{now:,} of {all_:,}"))
    return asdict(done)


def _archive_only(store: Store, address: str, who: list[UserId]) -> Account:
    """The archive-only mailbox of an address, made where it is missing, with these people."""
    try:
        return mailboxes.open_archive(store, None, address, who, now=utc_now())
    except Invalid as exc:
        if exc.field != "users":
            raise
        raise Invalid("user", f"Say with --user who may see the mail of {address}.") from exc


@click.command("export")
@data_option
@json_option
@click.option("--query", metavar="Q", help="What to look for; '' is all that the person may read.")
@click.option("--as", "email", metavar="EMAIL", help="Whose mail: what this person may read.")
@click.option("--all", "everything", is_flag=True, help="Every copy of every mailbox.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mbox", "eml", "maildir"]),
    required=True,
    help="One file; a file each; a Maildir, with --all one for each mailbox.",
)
@click.argument("dest", type=click.Path(path_type=Path))
def export_command(
    settings: Settings,
    as_json: bool,
    query: str | None,
    email: str | None,
    everything: bool,
    form: Form,
    dest: Path,
) -> None:
    """Write mail to DEST: an mbox, a folder of .eml files (or a zip: DEST.zip), or a Maildir."""
    is_for_one = query is not None and email is not None
    if everything == is_for_one or (everything and (query is not None or email is not None)):
        raise Invalid("query", "Say what goes out: either --query Q and --as EMAIL, or --all.")
    with opened(settings) as store:
        waiting_for_index = documents.backlog(store) if query and query.strip() else 0
        if everything:
            total = totals(store).locations if form == "maildir" else totals(store).copies
            done = _with_progress(
                total,
                lambda progress: export_all(
                    store, form=form, to=dest, now=utc_now(), progress=progress
                ),
            )
        else:
            done = _export_found(store, email or "", query or "", form, dest)
    for reason in done.failed:
        click.echo(f"not written: {reason}", err=True)
    if waiting_for_index:
        click.echo(
            f"{waiting_for_index:,} changes wait for the search index, so the newest mail may be"
            " missing. Do the same again when `letterbook status` shows none.",
            err=True,
        )
    document = asdict(done) | {
        "format": form,
        "dest": str(dest),
        "waiting_for_index": waiting_for_index,
    }
    document["bytes"] = document.pop("size_bytes")
    text = f"{done.messages:,} messages, {done.size_bytes:,} bytes, are in {dest}."
    if done.without_bcc:
        text += f" Of others' mailboxes, so without Bcc and marked: {done.without_bcc:,}."
    show(document, as_json=as_json, text=text)
    if done.failed:
        sys.exit(1)


def _export_found(store: Store, email: str, query: str, form: Form, dest: Path) -> Exported:
    viewer = people.viewer_for(store, email)
    page = search_messages(store, viewer, query, limit=1)
    for note in page.query.notes:
        click.echo(note, err=True)
    return _with_progress(
        page.total,
        lambda progress: export_found(
            store, viewer, query, form=form, to=dest, now=utc_now(), progress=progress
        ),
    )


def _with_progress(
    total: int, export: Callable[[Callable[[Exported], None]], Exported]
) -> Exported:
    of = f" of {total:,}" if total else ""
    with waiting("Exporting") as tick:
        return export(lambda so_far: tick(f"{so_far.messages:,}{of} messages"))
