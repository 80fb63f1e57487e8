"""A mailbox on the real Dovecot, with a store of its own; and one on a server that lies."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.model import Account, Folder
from app.store import Store, accounts, blobs, folders, locations, messages
from app.sync import Checked, sync_account
from tests.dovecot import PASSWORD, Dovecot
from tests.sync.scripted import ScriptedImap, listening

SKIPPED = ("Trash", "Junk", "Drafts")
LATER = datetime(2025, 3, 14, 9, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Our clock, which stands still until it is set."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(slots=True)
class Mailbox:
    """An account, the server that holds its mail, and the store that archives it."""

    server: Dovecot
    store: Store
    account: Account
    clock: Clock = field(default_factory=Clock)

    @property
    def user(self) -> str:
        return self.account.login

    def append(self, folder: str, *raws: bytes, **kwargs: Any) -> None:
        self.server.append(self.user, folder, *raws, **kwargs)

    def sync(self, **kwargs: Any) -> Checked:
        """Check the account and note the check, as the worker does."""
        checked = sync_account(
            self.store,
            self.account,
            PASSWORD,
            now=self.clock,
            ca_file=self.server.ca_file,
            **kwargs,
        )
        accounts.record_check(
            self.store,
            self.account.id,
            unread=checked.unread,
            new=checked.new,
            error=None,
            now=self.clock(),
        )
        return checked

    def folder(self, name: str) -> Folder:
        (found,) = (f for f in folders.of_account(self.store, self.account.id) if f.name == name)
        return found

    def copies(self) -> list[bytes]:
        """The exact bytes of every copy, rebuilt from the store."""
        return copies(self.store)

    def places(self, folder: str) -> dict[int, tuple[str, bool]]:
        """What is known of a folder, by UID: flags, and whether it is still there."""
        rows = self.store.archive.conn.execute(
            "select uid, flags, gone_since is null from locations"
            " where folder_id = ? order by uidvalidity, uid",
            [self.folder(folder).id],
        )
        return {uid: (flags, bool(is_there)) for uid, flags, is_there in rows}

    def adds_up(self) -> bool:
        return all(line.adds_up for line in folders.ledger(self.store, self.account.id))


def copies(store: Store) -> list[bytes]:
    return [blobs.read(store, copy.id) for copy in messages.copies_after(store, 0, limit=100_000)]


def add_account(store: Store, **settings: Any) -> Account:
    chosen = {
        "host": "127.0.0.1",
        "security": "tls",
        "sealed_password": None,
        "verify_certificate": True,
        "skip_folders": SKIPPED,
        "users": [],
        "now": datetime.now(UTC),
        **settings,
    }
    return accounts.add(store, address=settings["login"], **chosen)


@pytest.fixture
def mailbox(dovecot: Dovecot, store: Store) -> Mailbox:
    """A mailbox that nobody has used: INBOX, Wysłane (\\Sent), Trash, Junk and Drafts."""
    account = add_account(store, login=dovecot.new_user(), port=dovecot.tls_port)
    return Mailbox(dovecot, store, account)


def raw_mail(number: int, text: str = "Dzień dobry\n") -> bytes:
    """A small mail, different for each number."""
    return (
        (
            f"From: ann@ex.test\nTo: bob@ex.test\nSubject: Mail {number}\n"
            f"Message-ID: <{number}@ex.test>\nDate: Mon, 03 Mar 2025 10:00:00 +0000\n"
            f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
        )
        .replace("\n", "\r\n")
        .encode()
    )


class Bench:
    """A scripted server and the account that looks at it."""

    def __init__(self, store: Store, server: ScriptedImap, port: int) -> None:
        self.store = store
        self.server = server
        self.clock = Clock(LATER)
        self.account = add_account(store, login="ann@ex.test", port=port, security="none")

    def sync(self) -> Checked:
        return sync_account(self.store, self.account, "secret", now=self.clock)

    def folder(self) -> Folder:
        (found,) = folders.of_account(self.store, self.account.id)
        return found

    def flags(self) -> dict[int, tuple[str, ...]]:
        """What is known of the messages that are on the server, by UID."""
        return locations.flags_by_uid(self.store, self.folder().id, self.server.uidvalidity)

    def failures(self) -> dict[int, int]:
        folder = self.folder()
        return locations.failed_uids(self.store, folder.id, self.server.uidvalidity)

    def adds_up(self) -> bool:
        return all(line.adds_up for line in folders.ledger(self.store, self.account.id))


@pytest.fixture
def bench(store: Store) -> Iterator[Bench]:
    server = ScriptedImap()
    with listening(server.talk) as port:
        yield Bench(store, server, port)
