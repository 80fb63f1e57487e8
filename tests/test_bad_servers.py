"""Mailboxes whose servers are none, are down or refuse: each says why, and the others go on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.jobs import sync_now
from app.settings import Settings
from app.store import Store, accounts, folders, open_store, states
from app.store.database import new_public_id
from app.store.secrets import load_key, seal
from app.sync import connect
from tests.dovecot import HOST, PASSWORD, Dovecot
from tests.sync.conftest import add_account, copies, raw_mail
from tests.sync.scripted import ScriptedImap, greeter, listening

pytestmark = pytest.mark.dovecot

QUOTA = b"TAG NO [OVERQUOTA] Quota exceeded (mailbox for user is full)\r\n"
BAD = {
    "smtp@x.test": (greeter(b"220 mail.x.test ESMTP\r\n"), "No IMAP server answers"),
    "web@x.test": (
        greeter(b"HTTP/1.1 400 Bad Request\r\n\r\n", after_hearing=True),
        "No IMAP server answers",
    ),
    "full@x.test": (ScriptedImap(answers={b"LOGIN": QUOTA}).talk, "Quota exceeded"),
    "down@x.test": (greeter(b"* BYE maintenance\r\n"), "turns every caller away"),
    "refused@x.test": (
        ScriptedImap(answers={b"LOGIN": b"TAG NO [AUTHENTICATIONFAILED] no\r\n"}).talk,
        "does not accept the user name or password",
    ),
    "locked@x.test": (
        ScriptedImap(answers={b"EXAMINE": b"TAG NO [NOPERM] not yours\r\n"}, uidvalidity=7).talk,
        "1 folder could not be read",
    ),
    "empty@x.test": (ScriptedImap(answers={b"LIST": b""}).talk, "lists no folder"),
}


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "data")
    yield store
    store.close()


def add(store: Store, login: str, port: int) -> None:
    public_id = new_public_id()
    sealed = seal(load_key(store.directory), public_id, PASSWORD)
    add_account(
        store,
        login=login,
        port=port,
        security="none",
        public_id=public_id,
        sealed_password=sealed,
    )


def test_each_bad_server_is_told_as_what_it_is_and_the_good_one_is_read(
    dovecot: Dovecot, data: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(connect, "_GREETING_SECONDS", 0.3)
    good = dovecot.new_user()
    dovecot.append(good, "INBOX", raw_mail(1))

    with ExitStack() as servers:
        for login, (talk, _) in BAD.items():
            add(data, login, servers.enter_context(listening(talk)))
        with socket.create_server((HOST, 0)) as taken:
            add(data, "closed@x.test", taken.getsockname()[1])
        add(data, good, dovecot.port)
        sync_now(Settings.from_env({}, data=data.directory))

    found = {account.login: account for account in accounts.all_accounts(data)}
    said = {
        login: accounts.last_check(data, account.id).error or "" for login, account in found.items()
    }
    assert {login for login, (_, words) in BAD.items() if words not in said[login]} == set()
    assert "refuses connections at port" in said["closed@x.test"]
    assert said[good] == ""
    assert copies(data) == [raw_mail(1)]
    assert [login for login in BAD if states.of(data, found[login].id).halted_at] == []
    (locked,) = folders.of_account(data, found["locked@x.test"].id)
    assert "not yours" in (locked.error or "")
