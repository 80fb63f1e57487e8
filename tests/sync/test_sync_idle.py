"""Listening at a folder: news are heard at once, and a silent end is noticed."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.errors import RemoteError
from app.model import Account
from app.store import Store
from app.sync import listen, wire
from tests.dovecot import PASSWORD
from tests.heard import verb
from tests.sync.conftest import Clock, Mailbox, add_account, raw_mail
from tests.sync.extended import ExtendedImap, Held, HeldFolder, serving

LONG = 30
"""Seconds: more than anything here may take on a busy machine."""


def until(claim: Callable[[], bool]) -> None:
    """Wait until the claim holds, for half a minute at most."""
    pause = threading.Event()
    assert any(claim() or pause.wait(0.02) for _ in range(1_500))


class Ear:
    """A listener in a thread of its own; `outcome` is what `listen` gave or raised."""

    def __init__(self, account: Account, folder: str, **settings: object) -> None:
        self.news = threading.Semaphore(0)
        self.own_end, self.other_end = socket.socketpair()
        self.outcome: object = None
        self.thread = threading.Thread(target=self._run, args=(account, folder, settings))
        self.thread.start()

    def _run(self, account: Account, folder: str, settings: dict[str, object]) -> None:
        try:
            self.outcome = listen(
                account,
                PASSWORD,
                folder,
                heard=self.news.release,
                call_off=self.other_end,
                now=Clock(),
                **settings,
            )
        except RemoteError as exc:
            self.outcome = exc

    def hears(self) -> bool:
        return self.news.acquire(timeout=LONG)

    def ends(self) -> bool:
        self.thread.join(LONG)
        return not self.thread.is_alive()


@contextmanager
def ear(account: Account, folder: str = "INBOX", **settings: object) -> Iterator[Ear]:
    opened = Ear(account, folder, **settings)
    try:
        yield opened
    finally:
        opened.own_end.close()
        assert opened.ends()
        opened.other_end.close()


@contextmanager
def scripted(store: Store, **settings: object) -> Iterator[tuple[ExtendedImap, Account]]:
    server = ExtendedImap({"INBOX": HeldFolder()}, **{"capabilities": "IMAP4rev1 IDLE"} | settings)
    with serving(server) as port:
        yield server, add_account(store, login="ann@ex.test", port=port, security="none")


@pytest.mark.dovecot
@pytest.mark.parametrize("folder", ["INBOX", "Wysłane"])
def test_mail_is_heard_of_in_the_folder_that_is_listened_at(mailbox: Mailbox, folder: str) -> None:
    with ear(mailbox.account, folder, ca_file=mailbox.server.ca_file) as listener:
        begun = listener.hears()
        mailbox.append(folder, raw_mail(1))
        first = listener.hears()
        mailbox.append(folder, raw_mail(2))
        second = listener.hears()

    verbs = {verb(command) for command in mailbox.server.commands(mailbox.user)}
    assert (begun, first, second) == (True, True, True)
    assert verbs <= {"CAPABILITY", "LIST", "EXAMINE", "IDLE", "LOGOUT"}
    assert listener.outcome is True


def test_a_listener_that_is_called_off_goes_at_once(store: Store) -> None:
    with scripted(store) as (server, account), ear(account) as listener:
        until(lambda: server.idling == 1)
        listener.own_end.close()

        assert listener.ends()
        assert listener.outcome is True
        assert server.heard[-2:] == ["DONE", "LOGOUT"]


def test_idle_is_renewed_and_news_are_heard_after_it(store: Store) -> None:
    with scripted(store) as (server, account), ear(account, renew_seconds=0.05) as listener:
        listener.hears()
        until(lambda: server.heard.count("DONE") >= 3)
        server.folders["INBOX"].messages[1] = Held(raw_mail(1))

        assert listener.hears()
        assert server.callers == 1


def test_a_server_that_went_silent_is_noticed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINE_SECONDS", 0.2)
    with (
        scripted(store, idle_is_dead=True) as (_, account),
        ear(account, renew_seconds=0.05) as listener,
    ):
        assert listener.hears()
        assert listener.ends()
        assert "fell silent" in str(listener.outcome)


def test_a_server_without_idle_is_not_listened_at(store: Store) -> None:
    with scripted(store, capabilities="IMAP4rev1") as (server, account), ear(account) as listener:
        assert listener.ends()
        assert listener.outcome is False
        assert not server.asked("IDLE")


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ({"IDLE": "NO not today"}, "not today"),
        ({"LOGIN": "NO [LIMIT] Maximum number of connections from user+IP exceeded"}, "limits"),
    ],
)
def test_a_server_that_refuses_a_listener_ends_it(
    store: Store, refused: dict[str, str], words: str
) -> None:
    with scripted(store, refused=refused) as (_, account), ear(account) as listener:
        assert listener.ends()
        assert words in str(listener.outcome)
