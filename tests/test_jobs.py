"""The worker: due accounts, jobs, the index; one at a time; it goes when it is told to."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import jobs as worker
from app import mailboxes
from app.errors import Conflict
from app.jobs import checks, slots
from app.jobs.checks import check_account
from app.model import Account, UserId
from app.search import search_messages
from app.search.index import count_messages
from app.settings import Settings
from app.store import Store, accounts, jobs, open_store, queue
from app.store.database import new_public_id
from app.store.secrets import load_key, seal
from app.sync import Checked, fetching, folder
from tests import make
from tests.dovecot import PASSWORD, Dovecot
from tests.extract import documents
from tests.sync.scripted import listening

pytestmark = pytest.mark.dovecot


@dataclass
class Office:
    """Alice's mailbox on the server, a store, and a worker that may be started on it."""

    server: Dovecot
    store: Store
    settings: Settings
    alice: UserId
    login: str
    account: Account

    def subjects(self) -> list[str]:
        viewer = make.viewer(self.store, self.alice)
        page = queue.rows(self.store, viewer, now=datetime.now(UTC))
        return [row.message.subject for row in page.rows]

    def found(self, text: str) -> int:
        return search_messages(self.store, make.viewer(self.store, self.alice), text).total


def add_account(
    store: Store, server: Dovecot, login: str, password: str, *users: UserId
) -> Account:
    public_id = new_public_id()
    return accounts.add(
        store,
        address=login,
        host=server.host,
        port=server.port,
        security="none",
        login=login,
        sealed_password=seal(load_key(store.directory), public_id, password),
        verify_certificate=True,
        skip_folders=["Trash"],
        users=users,
        public_id=public_id,
        now=datetime.now(UTC),
    )


@pytest.fixture
def office(dovecot: Dovecot, tmp_path: Path) -> Iterator[Office]:
    settings = Settings.from_env({}, data=tmp_path / "data")
    store = open_store(settings.data)
    alice = make.user(store, "Alice")
    login = dovecot.new_user()
    account = add_account(store, dovecot, login, PASSWORD, alice)
    yield Office(dovecot, store, settings, alice, login, account)
    store.close()


@pytest.fixture
def working(office: Office) -> Iterator[Office]:
    """A worker that runs."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))
    thread.start()
    yield office
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def until(claim: Callable[[], object]) -> None:
    """Wait until the claim holds; a test whose claim never does fails after half a minute."""
    pause = threading.Event()
    for _ in range(600):
        if claim():
            return
        pause.wait(0.05)
    raise AssertionError(claim)


def test_mail_on_the_server_is_in_the_queue_and_searchable(office: Office) -> None:
    office.server.append(office.login, "INBOX", make.mail("Beton"))

    (checked,) = worker.sync_now(office.settings).values()

    assert checked.new == 1
    assert office.subjects() == ["Beton"]
    assert office.found("betonu") == 1


def test_the_worker_looks_at_a_due_account_by_itself(working: Office) -> None:
    """R29."""
    working.server.append(working.login, "INBOX", make.mail("Beton"))
    accounts.set_due(working.store, working.account.id, at=datetime.now(UTC))

    until(lambda: working.found("beton"))

    check = accounts.last_check(working.store, working.account.id)
    assert check is not None
    assert check.error is None


def test_the_worker_reads_attachments_by_itself(working: Office) -> None:
    """R4."""
    raw = documents.mail("Faktura", "Zobacz.", ("a.pdf", documents.pdf("FV/2025/117")))
    working.server.append(working.login, "INBOX", raw)
    accounts.set_due(working.store, working.account.id, at=datetime.now(UTC))

    until(lambda: working.found("FV/2025/117"))


def check_now(office: Office, claimed: Account) -> Checked:
    """A pass over an account as it was when it was claimed."""
    return check_account(
        office.settings,
        load_key(office.settings.data),
        claimed,
        threading.Event(),
        pass_seconds=60,
        make_room=lambda: False,
    )


def test_a_pass_that_waited_goes_to_the_server_of_now(office: Office) -> None:
    """A new password is not for the old server."""
    callers: list[socket.socket] = []
    with listening(callers.append) as old:
        check_now(office, replace(office.account, host="127.0.0.1", port=old))

    check = accounts.last_check(office.store, office.account.id)
    assert check is not None
    assert check.error is None
    assert office.server.commands(office.login)
    assert callers == []


def test_a_mailbox_that_is_edited_at_this_moment_is_left_to_the_next_pass(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_of = mailboxes.secret_of

    def edited(*given: Any, **more: Any) -> object:
        secret = secret_of(*given, **more)
        accounts.change(office.store, replace(office.account, login="somebody else"))
        return secret

    monkeypatch.setattr(mailboxes, "secret_of", edited)

    checked = check_now(office, office.account)

    assert checked.is_stopped
    assert office.server.commands(office.login) == []


def test_a_mailbox_that_was_paused_while_it_waited_is_not_looked_at(office: Office) -> None:
    accounts.pause(office.store, office.account.id, at=datetime.now(UTC))

    checked = check_now(office, office.account)

    assert checked.is_stopped
    assert office.server.commands(office.login) == []
    assert accounts.last_check(office.store, office.account.id) is None


def test_check_for_new_emails_says_what_it_brought(working: Office) -> None:
    """R30."""
    until(lambda: accounts.last_check(working.store, working.account.id))
    received = datetime.now(UTC) + timedelta(seconds=1)
    working.server.append(working.login, "INBOX", make.mail("Beton"), received_at=received)
    viewer = make.viewer(working.store, working.alice)

    asked = jobs.request_check(working.store, viewer, now=datetime.now(UTC))
    until(lambda: jobs.result(working.store, viewer, asked).is_done)

    assert jobs.result(working.store, viewer, asked).text == "1 new"
    assert working.found("beton") == 1


def test_a_check_that_waits_is_joined(office: Office) -> None:
    """R30: no second job while one is waiting."""
    viewer = make.viewer(office.store, office.alice)

    first = jobs.request_check(office.store, viewer, now=datetime.now(UTC))

    assert jobs.request_check(office.store, viewer, now=datetime.now(UTC)) == first


def test_a_pause_takes_effect_within_a_batch_and_resume_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "UIDS_PER_COMMAND", 2)
    mails = [make.mail("Beton", message_id=f"<{number}@x>") for number in range(6)]
    office.server.append(office.login, "INBOX", *mails)
    store_batch = folder.ingest_all

    def store_and_pause(*args: Any, **kwargs: Any) -> Any:
        accounts.pause(office.store, office.account.id, at=datetime.now(UTC))
        return store_batch(*args, **kwargs)

    monkeypatch.setattr(folder, "ingest_all", store_and_pause)
    (paused,) = worker.sync_now(office.settings).values()
    monkeypatch.setattr(folder, "ingest_all", store_batch)
    stored = len(office.subjects())
    accounts.pause(office.store, office.account.id, at=None)
    (resumed,) = worker.sync_now(office.settings).values()

    assert (paused.is_stopped, stored) == (True, 2)
    assert (resumed.is_stopped, len(office.subjects())) == (False, 6)


def test_a_mailbox_that_is_resumed_while_its_pass_still_ends_is_looked_at_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_account = checks.sync_account

    def paused_and_resumed(*args: Any, **kwargs: Any) -> Checked:
        accounts.pause(office.store, office.account.id, at=datetime.now(UTC))
        checked = sync_account(*args, **kwargs)
        accounts.pause(office.store, office.account.id, at=None)
        now = datetime.now(UTC)
        assert accounts.claim_due(office.store, now=now, next_at=now + timedelta(hours=1))
        return checked

    monkeypatch.setattr(checks, "sync_account", paused_and_resumed)

    checked = check_now(office, office.account)

    assert checked.is_stopped
    now = datetime.now(UTC)
    assert accounts.claim_due(office.store, now=now, next_at=now) == office.account


def test_silent_servers_hold_up_nobody_however_many_they_are(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "PATIENCE_SECONDS", 0.1)
    office.server.append(office.login, "INBOX", make.mail("Beton"))
    accounts.set_due(office.store, office.account.id, at=datetime.now(UTC) + timedelta(seconds=1))
    silence, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))

    with listening(lambda caller: silence.wait(60) and None) as port:
        silent = [
            add_account(office.store, replace(office.server, port=port), f"{n}@ex.test", PASSWORD)
            for n in range(2 * worker.worker.ACCOUNTS_AT_ONCE)
        ]
        thread.start()
        try:
            until(lambda: accounts.last_check(office.store, office.account.id))
            unheard = [accounts.last_check(office.store, one.id) for one in silent]
        finally:
            silence.set()
            stop.set()
            thread.join(timeout=60)

    assert office.subjects() == ["Beton"]
    assert unheard == [None] * len(silent)


def test_a_long_pass_begins_anew_until_all_is_here(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "UIDS_PER_COMMAND", 2)
    monkeypatch.setattr(worker.worker, "PASS_SECONDS", 0.0)
    mails = [make.mail("Beton", message_id=f"<{number}@x>") for number in range(6)]
    office.server.append(office.login, "INBOX", *mails)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))

    thread.start()
    try:
        until(lambda: accounts.last_check(office.store, office.account.id))
    finally:
        stop.set()
        thread.join(timeout=30)

    logins = [c for c in office.server.login_commands() if office.login in c]
    assert len(office.subjects()) == 6
    assert len(logins) >= 3


def test_a_wrong_password_is_said_and_other_accounts_go_on(office: Office) -> None:
    wrong = add_account(office.store, office.server, office.server.new_user(), "no", office.alice)
    office.server.append(office.login, "INBOX", make.mail("Beton"))

    worker.sync_now(office.settings)

    check = accounts.last_check(office.store, wrong.id)
    assert check is not None
    assert check.error
    assert "password" in check.error
    assert office.subjects() == ["Beton"]


def test_an_import_is_done_by_the_worker_that_runs(working: Office, tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(make.mail("Zaprawa", message_id="<z@x>"))

    asked = jobs.add(
        working.store,
        "import",
        by=None,
        now=datetime.now(UTC),
        account_id=working.account.id,
        path=str(path),
        folder="Imported",
    )
    until(lambda: jobs.outcome(working.store, asked).is_done)

    (done,) = json.loads(jobs.outcome(working.store, asked).text)
    assert done["stored"] == 1
    assert working.found("zaprawy") == 1


def test_an_import_that_fails_says_why(working: Office) -> None:
    asked = jobs.add(
        working.store,
        "import",
        by=None,
        now=datetime.now(UTC),
        account_id=working.account.id,
        path="/nowhere",
        folder="Imported",
    )

    until(lambda: jobs.outcome(working.store, asked).is_done)

    outcome = jobs.outcome(working.store, asked)
    assert outcome.is_error
    assert outcome.text == "There is no file or folder /nowhere."


def test_a_lost_index_comes_back_by_itself(working: Office, tmp_path: Path) -> None:
    make.deliver(working.store, working.account, make.mail("Beton"), folder="Old")
    until(lambda: working.found("beton"))

    for file in (tmp_path / "data" / "index").rglob("*"):
        if file.is_file():
            file.unlink()

    until(lambda: count_messages(working.store.directory))
    assert working.found("beton") == 1


def test_there_is_one_worker(working: Office) -> None:
    until(lambda: jobs.is_worker_alive(working.store, now=datetime.now(UTC)))

    with pytest.raises(Conflict, match="A worker runs"):
        worker.run_worker(working.settings, threading.Event())


def test_a_job_that_a_dead_worker_had_begun_is_taken_up_again(office: Office) -> None:
    viewer = make.viewer(office.store, office.alice)
    asked = jobs.request_check(office.store, viewer, now=datetime.now(UTC))
    jobs.claim(office.store, now=datetime.now(UTC))
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))

    thread.start()
    until(lambda: jobs.result(office.store, viewer, asked).is_done)
    stop.set()
    thread.join(timeout=30)

    assert jobs.result(office.store, viewer, asked).text == "nothing new"
