"""Some of the demo's mail, made once, and the running demo synced into a store."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from app.demo.mail import DemoMail, generate
from app.demo.run import Demo
from app.search.indexer import Indexer
from app.store import Store, accounts, open_store
from app.store.secrets import load_key, unseal
from app.sync import sync_account

END = datetime(2026, 3, 20, 15, tzinfo=UTC)
MESSAGES = 250


@dataclass
class Synced:
    """A demo over a store that has seen all of its mail; `mails` is what the server began with."""

    demo: Demo
    store: Store
    mails: list[DemoMail]

    def sync(self):
        """One pass over each mailbox, as the worker makes it, index included."""
        key = load_key(self.store.directory)
        checked = []
        for account in accounts.all_accounts(self.store):
            sealed = accounts.sealed_password(self.store, account.id)
            password = unseal(key, account.public_id, sealed)
            checked.append(sync_account(self.store, account, password, now=lambda: END))
        while Indexer(self.store).drain():
            pass
        return checked


@pytest.fixture(scope="session")
def two_thousand():
    return list(generate(messages=2_000, seed=1, end=END))


@pytest.fixture(scope="module")
def synced(tmp_path_factory, cheap_password_hashes):
    directory = tmp_path_factory.mktemp("demo") / "data"
    mails = list(generate(messages=MESSAGES, seed=1, end=END))
    with Demo(directory, now=lambda: END, messages=MESSAGES, seed=1) as demo:
        store = open_store(directory)
        house = Synced(demo, store, mails)
        house.sync()
        yield house
        store.close()
