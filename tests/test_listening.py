"""The worker listens: mail comes without a poll, and who cannot be listened at is polled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import jobs as worker
from app.jobs import listening
from app.jobs.listening import Listening
from app.model import Account, AccountId
from app.settings import Settings
from app.store import Store, accounts, folders, listeners, open_store, states
from app.store.database import new_public_id
from app.store.listeners import Place
from app.store.secrets import load_key, seal
from tests.dovecot import PASSWORD, Dovecot
from tests.make import mail
from tests.sync.conftest import copies
from tests.sync.extended import ExtendedImap, Held, HeldFolder, serving
from tests.test_jobs import until

NEVER = {"LETTERBOOK_POLL_SECONDS": "86400"}
"""What comes, comes by listening."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env(NEVER, data=tmp_path / "data")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings.data)
    load_key(settings.data)
    yield opened
    opened.close()


def add_account(store: Store, login: str, port: int) -> Account:
    public_id = new_public_id()
    return accounts.add(
        store,
        address=login,
        host="127.0.0.1",
        port=port,
        security="none",
        login=login,
        sealed_password=seal(load_key(store.directory), public_id, PASSWORD),
        verify_certificate=True,
        skip_folders=["Trash"],
        users=[],
        public_id=public_id,
        now=datetime.now(UTC),
    )


@contextmanager
def working(settings: Settings) -> Iterator[float]:
    """A worker that runs; how long it takes to end is printed."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(settings, stop))
    thread.start()
    try:
        yield time.monotonic()
    finally:
        stop.set()
        asked_at = time.monotonic()
        thread.join(30)
        print(f"the worker ended {time.monotonic() - asked_at:.2f} s after it was told to")
        assert not thread.is_alive()


def listeners_running() -> int:
    return sum(thread.name.startswith("listen-") for thread in threading.enumerate())


@pytest.mark.dovecot
def test_mail_is_stored_soon_after_it_came_without_a_poll(
    dovecot: Dovecot, settings: Settings, store: Store
) -> None:
    login = dovecot.new_user()
    account = add_account(store, login, dovecot.port)
    subjects = ["INBOX", "Wysłane", "INBOX", "INBOX"]

    with working(settings):
        until(lambda: dovecot.commands(login).count("IDLE") or listeners_running() == 2)
        for number, folder in enumerate(subjects):
            began_at = time.monotonic()
            dovecot.append(login, folder, mail(f"Beton {number}"))
            until(lambda wanted=number + 1: len(copies(store)) == wanted)
            print(f"mail {number} in {folder}: stored after {time.monotonic() - began_at:.2f} s")

    assert len(copies(store)) == 4
    assert states.of(store, account.id).trouble == ""
    assert listeners_running() == 0


def test_a_server_that_takes_no_listener_is_polled_without_an_error(
    settings: Settings, store: Store
) -> None:
    server = ExtendedImap(
        {"INBOX": HeldFolder({1: Held(mail("Beton"))})},
        capabilities="IMAP4rev1 IDLE",
        refused={"IDLE": "NO [LIMIT] Maximum number of connections exceeded"},
    )
    with serving(server) as port, working(settings):
        account = add_account(store, "ann@ex.test", port)
        until(lambda: server.asked("IDLE"))
        until(lambda: listeners_running() == 0)
        logins = len(server.asked("LOGIN"))
        server.folders["INBOX"].messages[2] = Held(mail("Stal"))
        accounts.set_due(store, account.id, at=datetime.now(UTC))
        until(lambda: len(copies(store)) == 2)

    check = accounts.last_check(store, account.id)
    assert check is not None
    assert check.error is None
    assert len(server.asked("IDLE")) == 1
    assert len(server.asked("LOGIN")) == logins + 1


def test_listeners_make_room_for_a_check_that_the_server_takes_no_more(
    settings: Settings, store: Store
) -> None:
    server = ExtendedImap(
        {"INBOX": HeldFolder(), "Sent": HeldFolder()}, capabilities="IMAP4rev1 IDLE", most_callers=2
    )
    with serving(server) as port, working(settings):
        account = add_account(store, "ann@ex.test", port)
        until(lambda: server.idling == 2)
        server.folders["INBOX"].messages[1] = Held(mail("Beton"))
        until(lambda: len(copies(store)) == 1)
        until(lambda: listeners_running() == 0)

    errors = [check.error for check in accounts.checks(store, account.id, limit=99)]
    assert set(errors) == {None}
    assert server.turned_away > 0


def test_a_paused_mailbox_is_not_listened_at(settings: Settings, store: Store) -> None:
    server = ExtendedImap({"INBOX": HeldFolder()}, capabilities="IMAP4rev1 IDLE")
    with serving(server) as port, working(settings):
        account = add_account(store, "ann@ex.test", port)
        until(lambda: server.idling == 1)
        accounts.pause(store, account.id, at=datetime.now(UTC))

        until(lambda: server.idling == 0)
        assert accounts.get(store, account.id).paused_at is not None


def test_new_settings_are_proved_by_a_check_before_anybody_listens(settings: Settings) -> None:
    opened = Listening(settings, b"k" * 32)
    now = datetime.now(UTC)
    before, edited = Place(AccountId(1), 0, "INBOX"), Place(AccountId(1), 1, "INBOX")

    assert opened._is_proved(before, now)
    assert not opened._is_proved(edited, now - timedelta(seconds=1))
    assert opened._is_proved(edited, now + timedelta(seconds=5))


def test_a_clock_that_is_set_back_keeps_nobody_from_listening(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = add_account(store, "ann@ex.test", 143)
    folders.record_listing(
        store, account.id, [folders.Listed("INBOX", "", None)], now=datetime.now(UTC)
    )
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(listening, "utc_now", lambda: datetime.now(UTC) + timedelta(days=365))
    asked = []
    monkeypatch.setattr(listening.listeners, "places", lambda store, now: asked.append(now) or {})
    opened = Listening(settings, b"k" * 32)
    opened.turn(store, is_checking=lambda one: False)

    monkeypatch.setattr(listening, "utc_now", lambda: datetime.now(UTC))
    opened._heard.add(account.id)
    opened.turn(store, is_checking=lambda one: False)

    assert len(asked) == 2
    assert opened._heard == set()


def test_news_are_looked_at_at_once_but_not_for_long() -> None:
    hurry = listening._Hurry()

    taken = [hurry.take(now=n / 4) for n in range(480)]

    assert sum(taken[:40]) == 20
    assert sum(taken) <= 20 + 12


def test_the_inboxes_come_before_what_was_sent(store: Store) -> None:
    for login in ("ann@ex.test", "bob@ex.test"):
        account = add_account(store, login, 143)
        listed = [folders.Listed("INBOX", "", None), folders.Listed("Sent", "\\Sent", None)]
        folders.record_listing(store, account.id, listed, now=datetime.now(UTC))
        accounts.record_check(store, account.id, unread=0, new=0, error=None, now=datetime.now(UTC))

    places = [place.folder for place in listeners.places(store, now=datetime.now(UTC))]

    assert places == ["INBOX", "INBOX", "Sent", "Sent"]
