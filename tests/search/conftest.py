"""A real store in a temporary directory, and short ways to fill it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from app.model import Viewer
from app.search.analysis import fold
from app.search.indexer import Indexer
from app.store import accounts, filings, folders, records, team, transaction, users
from app.store.ingest import Delivery, ingest, queue_messages
from app.store.visibility import viewer_of

NOW = datetime(2025, 3, 14, 12, tzinfo=UTC)


def mail(subject="", text="", *, sender="jan@example.org", to="ewa@team.example", **headers):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, sender, to
    attachment = headers.pop("attachment", None)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if attachment:
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=attachment)
    return message


@dataclass
class House:
    """A store with one mailbox that Alice reads; Bob reads none."""

    store: object
    alice: Viewer
    bob: Viewer
    account: object
    folder: object
    indexer: Indexer
    uids: list = field(default_factory=list)

    def receive(self, message, *, folder=None, at=None):
        """Keep a mail; its message id. Each one is a minute newer than the last."""
        self.uids.append(len(self.uids) + 1)
        received = at or NOW + timedelta(minutes=len(self.uids))
        if "Date" not in message:
            message["Date"] = received
        if "Message-ID" not in message:
            message["Message-ID"] = f"<{len(self.uids)}@example.org>"
        folder = folder or self.folder
        ingest(
            self.store, [Delivery(folder.id, 1, self.uids[-1], bytes(message), received)], now=NOW
        )
        ((newest,),) = self.store.archive.conn.execute("select max(id) from messages").fetchall()
        return newest

    def record(self, name, *, kind="companies", code="", **marks):
        with transaction(self.store):
            return records.add(
                self.store,
                record_type=kind,
                name=name,
                folded_name=fold(name),
                code=code,
                now=NOW,
                **marks,
            )

    def file(self, message_id, record_id, *, roles=()):
        with transaction(self.store):
            filings.add(self.store, message_id, record_id, by=self.alice.user_id, now=NOW)
            filings.set_roles(self.store, message_id, roles)

    def unfile(self, message_id, record_id):
        with transaction(self.store):
            filings.remove(self.store, message_id, record_id)

    def own_team(self, *names, domains=()):
        team.put(self.store, team.Team(names, tuple(domains)))

    def requeue(self, *message_ids):
        with transaction(self.store):
            queue_messages(self.store, message_ids)

    def index(self):
        while self.indexer.drain():
            pass

    @property
    def directory(self):
        return self.store.directory / "index"


def add_user(store, email):
    with transaction(store):
        return users.add(
            store, email=email, name=email, is_admin=False, roles=[], password_hash=None, now=NOW
        )


def add_account(store, address, members, *, is_strict=False):
    return accounts.add(
        store,
        address=address,
        host=None,
        port=993,
        security="tls",
        login="",
        sealed_password=None,
        verify_certificate=True,
        skip_folders=[],
        users=members,
        is_strict=is_strict,
        now=NOW,
    )


@pytest.fixture
def house(store):
    alice, bob = add_user(store, "alice@team.example"), add_user(store, "bob@team.example")
    account = add_account(store, "office@team.example", [alice])
    folder = folders.ensure(store, account.id, "INBOX")
    return House(
        store, viewer_of(store, alice), viewer_of(store, bob), account, folder, Indexer(store)
    )
