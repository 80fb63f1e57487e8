"""Making the demo company in a store: people, records, mailboxes, and what is filed already."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from secrets import token_urlsafe

from app import mailboxes
from app.demo.company import Company, DemoMailbox
from app.demo.mail import DemoMail
from app.errors import NotFound
from app.filing import file_message
from app.model import DEFAULT_SKIP_FOLDERS, MessageId, Team
from app.people import create_role, create_user, find_user, viewer_for
from app.records import create_record, find_record
from app.store import Store, documents, filings, team, users
from app.store.secrets import load_key

TIME_ZONE = "Europe/Warsaw"
MARKER = "demo.txt"
_READ_AT_ONCE = 100


def random_passwords(company: Company) -> dict[str, str]:
    """A password for each mailbox, by its address."""
    return {mailbox.address: token_urlsafe(24) for mailbox in company.mailboxes}


def fill(
    store: Store,
    company: Company,
    *,
    secret_key: str,
    server_port: int,
    passwords: Mapping[str, str],
    now: datetime,
) -> None:
    """Make the company in an empty store; its mailboxes point to a server on this machine.

    `secret_key` is `Settings.secret_key`. Nobody has a password: the demo signs people in by a
    click. Raises Invalid or Conflict if something of it is there already.
    """
    team.put(store, Team(company.names, company.domains, time_zone=TIME_ZONE))
    known = {role.name for role in users.roles(store)}
    for name in company.roles:
        if name not in known:
            create_role(store, name, by=None, now=now)
    for person in company.people:
        create_user(
            store,
            email=person.address,
            name=person.name,
            is_admin=person.is_admin,
            roles=person.roles,
            by=None,
            now=now,
        )
    for record in company.records:
        create_record(
            store,
            record_type=record.type,
            name=record.name,
            code=record.code,
            aliases=record.aliases,
            addresses=record.addresses,
            domains=record.domains,
            roles=users.role_ids(store, record.roles),
            by=None,
            now=now,
        )
    key = load_key(store.directory, secret_key)
    for mailbox in company.mailboxes:
        _add_account(store, mailbox, key, server_port, passwords[mailbox.address], now)


def mark(directory: Path) -> None:
    """Note that a data directory is a demo's, which may be thrown away."""
    (directory / MARKER).write_text("The data of `letterbook demo`. It may be deleted.\n")


def is_demo(directory: Path) -> bool:
    return (directory / MARKER).is_file()


class Filer:
    """Files what is filed from the start, as soon as the worker has stored it."""

    def __init__(self, mails: Iterable[DemoMail]) -> None:
        self._waiting = {mail.internet_message_id: mail for mail in mails if mail.filing}
        self._arrived: dict[str, MessageId] = {}
        self._looked_at = 0

    @property
    def waiting(self) -> int:
        """How many are not filed yet."""
        return len(self._waiting)

    def file_arrived(self, store: Store, *, now: datetime) -> int:
        """File what has come since the last call; gives how many.

        Effects: may be repeated; what lies there already stays as it is.
        """
        self._look(store)
        done = 0
        for internet_message_id, message_id in list(self._arrived.items()):
            mail = self._waiting[internet_message_id]
            try:
                file_as_told(store, mail, message_id, now=now)
            except NotFound:
                continue  # not to be read by that person yet: at the next call
            del self._waiting[internet_message_id], self._arrived[internet_message_id]
            done += 1
        return done

    def _look(self, store: Store) -> None:
        ids = documents.all_message_ids(store)[self._looked_at :] if self._waiting else []
        self._looked_at += len(ids)
        for internet_message_id, message_id in message_ids(store, ids).items():
            if internet_message_id in self._waiting:
                self._arrived[internet_message_id] = message_id


def file_truth(store: Store, mails: Iterable[DemoMail], *, now: datetime) -> int:
    """File those of the mails that are filed from the start and stored by now; gives how many
    are left. For one call after a whole sync; `Filer` does it step by step.
    """
    filer = Filer(mails)
    filer.file_arrived(store, now=now)
    return filer.waiting


def file_as_told(store: Store, mail: DemoMail, message_id: MessageId, *, now: datetime) -> None:
    """File one mail as the person who did it, in his hour. Raises NotFound if he may not see it.

    Effects: none if it lies there already.
    """
    if mail.filing is None or mail.record is None:
        return
    viewer = viewer_for(store, mail.filing.by)
    record_type, name = mail.record
    record = find_record(store, viewer, record_type=record_type, name=name)
    if filings.is_archived(store, message_id):
        return
    file_message(
        store,
        viewer,
        message_id,
        record.id,
        roles=users.role_ids(store, mail.filing.roles),
        now=min(mail.filing.at, now),
    )


def message_ids(store: Store, ids: Iterable[MessageId]) -> dict[str, MessageId]:
    """Those of the messages by their Message-ID header."""
    wanted = list(ids)
    found: dict[str, MessageId] = {}
    for at in range(0, len(wanted), _READ_AT_ONCE):
        for document in documents.message_documents(store, wanted[at : at + _READ_AT_ONCE]):
            found[document.mail.internet_message_id] = document.message_id
    return found


def _add_account(
    store: Store,
    mailbox: DemoMailbox,
    key: bytes,
    port: int,
    password: str,
    now: datetime,
) -> None:
    wanted = mailboxes.Wanted(
        address=mailbox.address,
        host="127.0.0.1",
        login=mailbox.address,
        port=port,
        security="none",
        skip_folders=DEFAULT_SKIP_FOLDERS,
        users=tuple(find_user(store, address).id for address in mailbox.users),
    )
    mailboxes.create(store, None, wanted, password, key=key, now=now)
