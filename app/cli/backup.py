"""backup, restore: a copy of the archive while it is in use, and the way back."""

import sys
from pathlib import Path

import click

from app.backup import BackedUp, Restored, back_up
from app.backup import restore as restore_archive
from app.cli.common import data_option, json_option, note_deed, opened, show, utc_now, waiting
from app.settings import Settings


@click.command()
@click.argument("dest", type=click.Path(path_type=Path))
@click.option(
    "--with-key",
    is_flag=True,
    help="Put the secret key in too. Whoever has that backup has the passwords of the mailboxes.",
)
@data_option
@json_option
def backup(settings: Settings, dest: Path, with_key: bool, as_json: bool) -> None:
    """Add the archive, as it is now, to the backup in the directory DEST.

    The web and the worker may run meanwhile. Only what is new is written, and it is checked.
    """
    with opened(settings) as store, waiting("Backing up") as tick:
        note_deed(store, "backup")
        done = back_up(
            store,
            dest,
            with_key=with_key and not settings.secret_key,
            keep=settings.backup_keep,
            now=utc_now(),
            progress=tick,
        )
    document = {
        "destination": str(dest),
        "snapshot": done.snapshot.name,
        "messages": done.snapshot.messages,
        "copies": done.snapshot.copies,
        "new_bytes": done.new_bytes,
        "bytes": done.size_bytes,
        "with_key": done.with_key,
        "faults": list(done.faults),
    }
    text = (
        f"{done.snapshot.messages:,} messages in {done.snapshot.copies:,} copies are in {dest}"
        f" (snapshot {done.snapshot.name}): {done.new_bytes:,} bytes written and checked,"
        f" {done.size_bytes:,} in all.\n{_about_key(settings, done, with_key=with_key)}"
    )
    show(document, as_json=as_json, text="\n".join([*done.faults, text]))
    if done.faults:
        sys.exit(1)


def _about_key(settings: Settings, done: BackedUp, *, with_key: bool) -> str:
    if done.with_key:
        return (
            "The secret key is in it: keep it where nobody else can read it. The next backup"
            " without --with-key takes the key out."
        )
    if settings.secret_key:
        return (
            "The secret key comes from LETTERBOOK_SECRET_KEY and is in no file, so it is not in"
            " the backup: keep it safe in another place."
        )
    if with_key:
        return "There is no secret key yet, so none is in the backup."
    return (
        "The secret key is not in it (--with-key puts it in): without secret.key the passwords of"
        " the mailboxes must be typed again after a restore."
    )


@click.command()
@click.argument("src", type=click.Path(path_type=Path))
@click.option("--snapshot", metavar="NAME", help="An earlier snapshot than the latest.")
@data_option
@json_option
def restore(settings: Settings, src: Path, snapshot: str | None, as_json: bool) -> None:
    """Bring the archive back from the backup SRC into an empty data directory.

    Every copy of every message is rebuilt and checked first; the worker then builds the index.
    """
    with waiting("Restoring") as tick:
        done = restore_archive(
            src,
            settings.data,
            name=snapshot,
            configured_key=settings.secret_key,
            now=utc_now(),
            progress=tick,
        )
    with opened(settings) as store:
        note_deed(store, "restore")
    document = {
        "source": str(src),
        "snapshot": done.snapshot.name,
        "data": str(settings.data),
        "messages": done.messages,
        "copies": done.copies,
        "gone": list(done.gone),
        "damaged": list(done.damaged),
        "passwords_to_type": list(done.without_password),
    }
    show(document, as_json=as_json, text="\n".join(_sentences(settings, done)))
    if done.damaged:
        sys.exit(1)


def _sentences(settings: Settings, done: Restored) -> list[str]:
    said = [*done.damaged]
    if done.damaged:
        said.append("These were damaged in the archive already when it was backed up.")
    said.append(
        f"{done.messages:,} messages in {done.copies:,} copies, as of {done.snapshot.made_at}, are"
        f" in {settings.data}. The search index is built when the worker runs."
    )
    if done.gone:
        said.append(
            "Removed from the archive since that snapshot, so not brought back:"
            f" {', '.join(done.gone)}."
        )
    said.append("Everybody was signed out, and links to sign in are void: invite again.")
    if done.without_password:
        said.append(
            "Without the old archive's secret key these mailboxes cannot be read: put its"
            f" secret.key into {settings.data}, or type their passwords again, under Accounts:"
            f" {', '.join(done.without_password)}."
        )
    return said
