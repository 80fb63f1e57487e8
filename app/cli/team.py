"""user, role, record, account, team: what the team is made of."""

import time
from pathlib import Path
from typing import Final

import click

from app import mailboxes, people, records
from app.cli.common import (
    data_option,
    json_option,
    opened,
    read_secret,
    show,
    utc_now,
    wait_for_index,
    waiting,
)
from app.errors import AuthFailed, Invalid, NotFound, RemoteError
from app.model import DEFAULT_PORTS, DEFAULT_SKIP_FOLDERS, Security, Team
from app.settings import Settings
from app.store import accounts, users
from app.store import records as store_records
from app.store.secrets import load_key
from app.store.team import get as get_team
from app.sync.oauth import Device, begin_device, person_of, poll_device
from app.sync.registered import Provider, providers

MOST_SAID: Final = 50
"""Refused rows, of those that a terminal shows; --json has them all."""


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@data_option
@json_option
@click.argument("email")
@click.option("--name", required=True, help="How the person is called.")
@click.option("--admin", is_flag=True, help="May administer (not read everything).")
@click.option("--role", "roles", multiple=True, help="A role; may be given several times.")
@click.option("--password-stdin", is_flag=True, help="The password is the first line of stdin.")
def add_user(
    settings: Settings,
    as_json: bool,
    email: str,
    name: str,
    admin: bool,
    roles: tuple[str, ...],
    password_stdin: bool,
) -> None:
    """Make a person; without a password, print a one-time sign-in link."""
    password = read_secret("Password") if password_stdin else None
    with opened(settings, may_begin=True) as store:
        user_id = people.create_user(
            store,
            email=email,
            name=name,
            is_admin=admin,
            roles=roles,
            password=password,
            by=None,
            now=utc_now(),
        )
        public_id = users.get(store, user_id).public_id
        if password is not None:
            show({"id": public_id}, as_json=as_json, text=f"{email} can sign in.")
            return
        token = people.create_link(store, user_id, by=None, now=utc_now())
        link = f"{settings.public_url}/sign-in/{token}"
        show({"id": public_id, "link": link}, as_json=as_json, text=link)


@user.command("link")
@data_option
@json_option
@click.argument("email")
def user_link(settings: Settings, as_json: bool, email: str) -> None:
    """Print a one-time link with which a person sets a new password."""
    with opened(settings) as store:
        found = people.find_user(store, email)
        token = people.create_link(store, found.id, by=None, now=utc_now())
        link = f"{settings.public_url}/sign-in/{token}"
        show({"id": found.public_id, "link": link}, as_json=as_json, text=link)


@user.command("deactivate")
@data_option
@click.argument("email")
def deactivate_user(settings: Settings, email: str) -> None:
    """Keep a person out from now on."""
    with opened(settings) as store:
        found = people.find_user(store, email)
        people.deactivate_user(store, found.id, by=None, now=utc_now())
        click.echo(f"{found.email} cannot sign in any more.")


@click.group()
def role() -> None:
    """Named groups of people."""


@role.command("add")
@data_option
@click.argument("name")
def add_role(settings: Settings, name: str) -> None:
    """Make a role; one that is there already stays as it is."""
    with opened(settings, may_begin=True) as store:
        if name.casefold() not in {known.name.casefold() for known in users.roles(store)}:
            people.create_role(store, name, by=None, now=utc_now())
        click.echo(f"Role {name!r} is there.")


@click.group()
def record() -> None:
    """Companies, contacts, warehouse items, projects."""


@record.command("add")
@data_option
@json_option
@click.argument("record_type", metavar="TYPE")
@click.argument("name")
@click.option("--alias", "aliases", multiple=True, help="Another name.")
@click.option("--domain", "domains", multiple=True, help="A mail domain of it: spostex.pl")
@click.option("--address", "addresses", multiple=True, help="A mail address of it.")
@click.option("--role", "roles", multiple=True, help="Only for people with this role.")
@click.option("--user", "only_for", multiple=True, help="Only for this person.")
def add_record(
    settings: Settings,
    as_json: bool,
    record_type: str,
    name: str,
    aliases: tuple[str, ...],
    domains: tuple[str, ...],
    addresses: tuple[str, ...],
    roles: tuple[str, ...],
    only_for: tuple[str, ...],
) -> None:
    """Make a record; TYPE is companies, contacts, warehouse, projects or an added one."""
    with opened(settings, may_begin=True) as store:
        record_id = records.create_record(
            store,
            record_type=record_type,
            name=name,
            aliases=aliases,
            domains=domains,
            addresses=addresses,
            roles=users.role_ids(store, roles),
            users=[people.find_user(store, email).id for email in only_for],
            by=None,
            now=utc_now(),
        )
        (made,) = store_records.every(store, [record_id])
        show(
            {"id": made.public_id, "type": made.type, "name": made.name},
            as_json=as_json,
            text=f"{made.name} is there ({made.public_id}).",
        )


@record.command("import")
@data_option
@json_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--skip-refused", is_flag=True, help="Import the good rows though others are bad.")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
def import_table(
    settings: Settings, as_json: bool, dry_run: bool, skip_refused: bool, path: Path
) -> None:
    """Make and change records from a CSV file; the same file again changes nothing.

    Its first line names the columns: type, name, code, aliases, domains, addresses, notes,
    external_id, roles, users. Where a row is refused nothing is imported.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    with opened(settings, may_begin=True) as store:
        plan = records.plan_import(store, None, path)
        refused = list(plan.refused)
        is_done = not dry_run and (skip_refused or not refused)
        if is_done:
            with waiting("Importing records") as tick:
                refused += records.import_records(
                    store, None, plan, name=path.name, now=utc_now(), tell=lambda n: tick(f"{n:,}")
                )
            wait_for_index(settings, store)
    document = {
        "new": plan.new,
        "changed": plan.changed,
        "unchanged": plan.unchanged,
        "refused": [{"row": one.row, "reason": one.reason} for one in refused],
        "ignored_columns": plan.table.ignored,
        "is_imported": is_done,
    }
    counted = f"{plan.new:,} new, {plan.changed:,} changed, {plan.unchanged:,} unchanged."
    show(document, as_json=as_json, text=f"{plan.table.said}: {counted}")
    for one in refused[:MOST_SAID]:
        click.echo(f"Row {one.row}: {one.reason}", err=True)
    if refused:
        kept = "The other rows were imported." if is_done else "Nothing was imported."
        more = " Mend them, or leave them out with --skip-refused." if not is_done else ""
        raise Invalid("file", f"{len(refused):,} rows are refused. {kept}{more}")


@click.group()
def account() -> None:
    """Mailboxes that are read."""


@account.command("add")
@data_option
@json_option
@click.argument("address")
@click.option("--host", required=True, help="IMAP server address.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 993, or 143 without tls.")
@click.option("--security", type=click.Choice(["tls", "starttls", "none"]), default="tls")
@click.option("--login", help="Default: the address.")
@click.option("--password-stdin", is_flag=True, help="The password is the first line of stdin.")
@click.option("--oauth", is_flag=True, help="oAuth login, instead of a password.")
@click.option("--user", "members", multiple=True, required=True, help="Who sees its queue.")
@click.option("--skip", "skipped", multiple=True, help="A folder to skip, beside the usual ones.")
@click.option("--no-verify-certificate", is_flag=True, help="Accept any certificate (a risk).")
def add_account(
    settings: Settings,
    as_json: bool,
    address: str,
    host: str,
    port: int | None,
    security: Security,
    login: str | None,
    password_stdin: bool,
    oauth: bool,
    members: tuple[str, ...],
    skipped: tuple[str, ...],
    no_verify_certificate: bool,
) -> None:
    """Add a mailbox and print its id; a worker that runs begins with it at once.

    With --oauth it begins when somebody has signed in, on its page or with `account sign-in`.
    """
    if password_stdin == oauth:
        raise Invalid(
            "password",
            "Give the password on standard input, with --password-stdin, or choose --oauth.",
        )
    password = "" if oauth else read_secret("Password")
    with opened(settings, may_begin=True) as store:
        wanted = mailboxes.Wanted(
            address=address,
            host=host,
            login=login or address,
            port=port or DEFAULT_PORTS[security],
            security=security,
            verify_certificate=not no_verify_certificate,
            skip_folders=(*DEFAULT_SKIP_FOLDERS, *skipped),
            users=tuple(people.find_user(store, email).id for email in members),
            auth_type="oauth" if oauth else "password",
        )
        key, known = load_key(settings.data, settings.secret_key), providers(settings)
        made = mailboxes.create(
            store, None, wanted, password, key=key, providers=known, now=utc_now()
        )
        show({"id": made.public_id}, as_json=as_json, text=made.public_id)


@account.command("sign-in")
@data_option
@click.argument("account_id", metavar="ID")
def sign_in_account(settings: Settings, account_id: str) -> None:
    """Sign a mailbox with an oAuth login in, with a code that is typed on any device."""
    with opened(settings) as store:
        found = accounts.by_public_id(store, account_id)
        provider = mailboxes.provider_of_account(found, providers(settings))
        if not provider.has_device_code:
            raise Invalid(
                "account",
                f"{provider.title} gives no code for mail. Sign in on the mailbox's page: "
                f"{settings.public_url}/email/accounts/{account_id}/sign-in",
            )
        device, person = begin_device(provider), person_of(found.login)
        click.echo(f"Open {device.url} on any device, type {device.code}, sign in as {person}.")
        document = _wait_for(provider, device, found.login)
        key = load_key(settings.data, settings.secret_key)
        mailboxes.keep_tokens(store, None, found, document, key=key, now=utc_now())
        click.echo(f"{found.address} is signed in.")


def _wait_for(provider: Provider, device: Device, login: str) -> str:
    """The tokens, when somebody has signed in. Raises AuthFailed when the code has run out."""
    ends = time.monotonic() + device.expires_in_seconds
    while time.monotonic() < ends:
        time.sleep(device.interval_seconds)
        try:
            document = poll_device(provider, device, login=login, now=utc_now())
        except RemoteError as exc:
            if not exc.is_retryable:
                raise
            continue
        if document is not None:
            return document
    raise AuthFailed("Nobody signed in while the code was good. Run the command again.")


@account.command("pause")
@data_option
@click.argument("account_id", metavar="ID")
def pause_account(settings: Settings, account_id: str) -> None:
    """Stop looking at a mailbox."""
    with opened(settings) as store:
        found = accounts.by_public_id(store, account_id)
        mailboxes.pause(store, None, found.id, now=utc_now())
        click.echo(f"{found.address} is paused.")


@account.command("resume")
@data_option
@click.argument("account_id", metavar="ID")
def resume_account(settings: Settings, account_id: str) -> None:
    """Look at a paused mailbox again."""
    with opened(settings) as store:
        found = accounts.by_public_id(store, account_id)
        mailboxes.resume(store, None, found.id, now=utc_now())
        click.echo(f"{found.address} is read again.")


@account.command("close")
@data_option
@click.argument("account_id", metavar="ID")
def close_account(settings: Settings, account_id: str) -> None:
    """Never look at a mailbox again and forget its password; its mail stays."""
    with opened(settings) as store:
        found = accounts.by_public_id(store, account_id)
        mailboxes.close(store, None, found.id, now=utc_now())
        click.echo(f"{found.address} is closed; its mail stays.")


@click.group()
def team() -> None:
    """The company itself."""


@team.command("set")
@data_option
@json_option
@click.option("--name", "names", multiple=True, help="An own name; never suggested as a record.")
@click.option("--domain", "domains", multiple=True, help="An own mail domain; likewise.")
@click.option("--language", type=click.Choice(["en", "pl"]))
@click.option("--timezone", "time_zone", help="For example Europe/Warsaw.")
def set_team(
    settings: Settings,
    as_json: bool,
    names: tuple[str, ...],
    domains: tuple[str, ...],
    language: str | None,
    time_zone: str | None,
) -> None:
    """Say what the team is called, its domains, language and time zone."""
    with opened(settings, may_begin=True) as store:
        old = get_team(store)
        new = Team(
            names or old.names,
            domains or old.domains,
            language or old.language,
            old.time_zone if time_zone is None else time_zone,
        )
        new = people.change_team(store, new, by=None, now=utc_now())
        document = {
            "names": new.names,
            "domains": new.domains,
            "language": new.language,
            "timezone": new.time_zone,
        }
        show(document, as_json=as_json, text="Saved.")
