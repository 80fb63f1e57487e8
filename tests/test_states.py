"""How mailboxes fare with the real worker and server: each for itself, and nothing is forgotten."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app import jobs as worker
from app import mailboxes
from app.errors import AuthFailed
from app.mailboxes import Wanted
from app.model import Account
from app.store import Store, accounts, jobs, open_store, states
from app.store.secrets import load_key
from app.store.states import State
from tests import dovecot as dovecot_server
from tests import make
from tests.dovecot import PASSWORD, Dovecot
from tests.test_jobs import Office, add_account, office, until, working

__all__ = ["office", "working"]
pytestmark = pytest.mark.dovecot


def sync(office: Office, account: Account) -> None:
    with pytest.raises(AuthFailed):
        worker.sync_now(office.settings, account.id)


def wanted(account: Account, office: Office) -> Wanted:
    return Wanted(
        address=account.address,
        host=account.host or "",
        login=account.login,
        port=account.port,
        security=account.security,
        users=(office.alice,),
    )


def wrong(office: Office) -> Account:
    login = office.server.new_user()
    return add_account(office.store, office.server, login, "no", office.alice)


def tries(office: Office, account: Account) -> int:
    """How often the server refused this login (Dovecot's own log)."""
    log = (office.server.directory / "dovecot.log").read_text()
    return sum(
        "auth failed" in line and f"user=<{account.login}>" in line for line in log.splitlines()
    )


def retype(office: Office, account: Account, password: str) -> None:
    mailboxes.change(
        office.store,
        None,
        account.id,
        wanted(account, office),
        password,
        key=load_key(office.store.directory),
        allow_clear=True,
        now=datetime.now(UTC),
    )


def test_a_refused_login_opens_no_connection_after_two_tries(office: Office) -> None:
    account = wrong(office)

    for _ in range(4):
        sync(office, account)

    assert tries(office, account) == 2
    assert states.of(office.store, account.id).halted_at is not None
    assert states.next_try_at(office.store, account.id) is None
    assert len(accounts.checks(office.store, account.id, limit=9)) == 2


@pytest.fixture
def halted(office: Office) -> Account:
    """A mailbox that waits for somebody, though it was due yesterday."""
    account, now = wrong(office), datetime.now(UTC)
    state = State(trouble="login", refusals=2, failures=2, halted_at=now)
    states.keep(office.store, account.id, state, due_at=now - timedelta(days=1))
    return account


def test_the_worker_leaves_a_halted_mailbox_alone_and_looks_at_the_others(
    halted: Account, working: Office
) -> None:
    viewer = make.viewer(working.store, working.alice)

    until(lambda: accounts.last_check(working.store, working.account.id))
    asked = jobs.request_check(working.store, viewer, now=datetime.now(UTC), account_id=halted.id)
    until(lambda: jobs.result(working.store, viewer, asked).is_done)

    assert tries(working, halted) == 0


def test_a_new_password_is_tried_at_once(office: Office) -> None:
    account = wrong(office)
    for _ in range(2):
        sync(office, account)

    retype(office, account, PASSWORD)
    claimed = accounts.claim_due(office.store, now=datetime.now(UTC), next_at=datetime.now(UTC))
    worker.sync_now(office.settings, account.id)

    assert claimed is not None
    state = states.of(office.store, account.id)
    assert (state.trouble, state.failures, state.halted_at) == ("", 0, None)


def test_a_check_with_a_password_that_was_retyped_meanwhile_counts_no_more(store: Store) -> None:
    account = make.account(store)
    before = states.of(store, account.id)
    now = datetime.now(UTC)

    states.renew(store, account.id, now=now)
    is_kept = states.keep(
        store, account.id, replace(before, refusals=2, halted_at=now), due_at=now + timedelta(9)
    )

    assert not is_kept
    assert states.of(store, account.id).halted_at is None
    assert accounts.claim_due(store, now=now, next_at=now) is not None


def test_what_a_server_asked_for_holds_for_a_forced_check_too(office: Office) -> None:
    now = datetime.now(UTC)
    wait_until = now.replace(microsecond=0) + timedelta(hours=1)
    state = State(trouble="passing", failures=1, wait_until=wait_until)
    states.keep(office.store, office.account.id, state, due_at=now)

    worker.sync_now(office.settings)

    assert office.server.commands(office.login) == []
    assert accounts.claim_due(office.store, now=now, next_at=now) is None
    assert states.next_try_at(office.store, office.account.id) == wait_until


def test_intervals_and_refusals_outlive_a_restart(office: Office) -> None:
    account = wrong(office)
    sync(office, account)

    again = open_store(office.store.directory)

    state = states.of(again, account.id)
    assert (state.trouble, state.refusals) == ("login", 1)
    due_at = states.next_try_at(again, account.id)
    assert due_at is not None
    assert due_at > datetime.now(UTC) + timedelta(minutes=3)
    again.close()


@pytest.fixture
def expired() -> Iterator[Dovecot]:
    with dovecot_server.running("expired") as server:
        yield server


def test_a_bad_certificate_stops_that_mailbox_and_it_resumes_alone(
    office: Office, expired: Dovecot, dovecot: Dovecot
) -> None:
    login = dovecot.new_user()
    account = add_account(office.store, expired, login, PASSWORD, office.alice)
    settings = replace(office.settings, ca_file=expired.ca_file)
    change = "update accounts set port = ?, security = 'tls' where id = ?"
    office.store.archive.conn.execute(change, [expired.tls_port, account.id])

    worker.sync_now(settings)
    stopped = states.of(office.store, account.id)
    check = accounts.last_check(office.store, account.id)
    office.store.archive.conn.execute(change, [dovecot.tls_port, account.id])
    worker.sync_now(replace(settings, ca_file=dovecot.ca_file))

    assert stopped.trouble == "settings"
    assert stopped.halted_at is None
    assert check is not None
    assert "expired on" in (check.error or "")
    assert states.of(office.store, account.id).trouble == ""
    assert states.of(office.store, office.account.id).trouble == ""


def test_a_mailbox_whose_password_cannot_be_unsealed_is_not_tried(office: Office) -> None:
    (office.store.directory / "secret.key").unlink()

    worker.sync_now(office.settings)

    check = accounts.last_check(office.store, office.account.id)
    assert check is not None
    assert "secret key" in (check.error or "")
    assert states.of(office.store, office.account.id).trouble == "settings"
    assert office.server.commands(office.login) == []
