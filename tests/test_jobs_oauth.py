"""The worker with an oAuth login: tokens are renewed in time, and a dead one is not tried."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import jobs as worker
from app import mailboxes
from app.errors import AuthFailed, LetterbookError, RemoteError, SignInAgain
from app.mailboxes import Wanted
from app.model import Account
from app.settings import Settings
from app.store import Store, accounts, messages, open_store, sign_ins, states
from app.store.secrets import load_key
from app.sync import oauth
from app.sync.registered import provider_for, providers
from tests import dovecot as dovecot_server
from tests import make
from tests import openid as openid_server
from tests.backups import back, bring_back
from tests.dovecot import Dovecot
from tests.openid import OpenId
from tests.test_jobs import until

pytestmark = pytest.mark.dovecot
ENDS_SOON = oauth.FRESH_SECONDS - 100
"""Tokens that are good when they come, and renewed before they are used again."""


@dataclass
class Office:
    """A mailbox with an oAuth login, its server, its provider, and a store."""

    server: Dovecot
    openid: OpenId
    store: Store
    settings: Settings
    account: Account

    def sign_in(self) -> None:
        """Somebody signs in, as the way back in the browser does it."""
        provider = provider_for(providers(self.settings), dovecot_server.HOST)
        login, key = self.account.login, load_key(self.store.directory)
        url, flow = oauth.begin(provider, login=login, redirect_uri="http://x/", state="s" * 40)
        answer = self.openid.answer(url, login)
        document = oauth.complete(provider, flow, answer, login=login, now=utc_now())
        mailboxes.keep_tokens(self.store, None, self.account, document, key=key, now=utc_now())

    def sync(self) -> None:
        worker.sync_now(self.settings, self.account.id)

    def subjects(self) -> list[str]:
        rows = self.store.archive.conn.execute("select subject from messages order by id")
        return [row[0] for row in rows]

    def renewals(self) -> int:
        return [form["grant_type"] for form in self.openid.requests].count("refresh_token")

    @property
    def state(self) -> states.State:
        return states.of(self.store, self.account.id)

    @property
    def has_tokens(self) -> bool:
        return sign_ins.sealed_tokens(self.store, self.account.id) is not None


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    if not dovecot_server.is_installed():
        pytest.skip("Dovecot is not installed here")
    with openid_server.dovecot_running() as running:
        yield running


@pytest.fixture(params=["microsoft", "google"])
def office(request: pytest.FixtureRequest, server: Dovecot, tmp_path: Path) -> Iterator[Office]:
    with openid_server.running(server.directory) as openid:
        environ = {**openid.settings(request.param), "LETTERBOOK_POLL_SECONDS": "5"}
        settings = Settings.from_env(environ, data=tmp_path / "data")
        store = open_store(settings.data)
        alice, login = make.user(store, "Alice"), server.new_user()
        wanted = Wanted(
            login, server.host, login, server.tls_port, users=(alice,), auth_type="oauth"
        )
        given = {"key": load_key(store.directory), "providers": providers(settings)}
        account = mailboxes.create(store, None, wanted, "", now=utc_now(), **given)
        found = Office(server, openid, store, settings, account)
        found.sign_in()
        yield found
        store.close()


def test_mail_is_read_with_a_token_that_was_renewed(office: Office) -> None:
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    office.server.append(office.account.login, "INBOX", make.mail("Beton"))

    office.sync()
    office.server.append(office.account.login, "INBOX", make.mail("Holz", message_id="<2@x>"))
    office.sync()

    assert office.subjects() == ["Beton", "Holz"]
    assert office.renewals() == 2
    assert office.state.trouble == ""


def test_a_token_that_is_good_is_not_renewed(office: Office) -> None:
    office.sync()
    office.sync()

    assert office.renewals() == 0


def test_a_token_is_had_in_any_thread_and_without_the_store(office: Office) -> None:
    """A session that broke is opened anew by whoever fetches, while others write."""
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    own, key = open_store(office.settings.data), load_key(office.store.directory)
    secret = mailboxes.secret_of(
        own, office.account, key=key, known=providers(office.settings), now=utc_now
    )
    assert not isinstance(secret, str)
    before = sign_ins.sealed_tokens(office.store, office.account.id)

    own.close()
    with ThreadPoolExecutor(1) as pool:
        token = pool.submit(secret).result()

    assert token.count(".") == 2
    assert sign_ins.sealed_tokens(office.store, office.account.id) != before


def test_a_revoked_sign_in_stops_the_mailbox_and_a_new_one_starts_it(office: Office) -> None:
    """reliability.md: "Sign in again"; no retry storm."""
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    office.openid.revoke_all()
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))
    thread.start()
    try:
        until(lambda: office.state.trouble == "sign-in")
        for _ in range(3):
            accounts.set_due(office.store, office.account.id, at=utc_now())
        halted, stopped_at = office.state, office.renewals()
        office.openid.lifetime_seconds = 3600
        office.server.append(office.account.login, "INBOX", make.mail("Beton"))
        office.sign_in()
        until(lambda: office.subjects() == ["Beton"])
    finally:
        stop.set()
        thread.join(timeout=30)

    assert halted.halted_at is not None
    assert stopped_at == office.renewals() == 1
    assert office.state.trouble == ""


def test_who_asks_for_a_check_of_a_dead_sign_in_asks_nobody_else(office: Office) -> None:
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    office.openid.revoke_all()

    with pytest.raises(SignInAgain):
        office.sync()
    for _ in range(3):
        with pytest.raises(AuthFailed):
            office.sync()

    assert office.renewals() == 1
    assert not office.has_tokens
    check = accounts.last_check(office.store, office.account.id)
    assert check is not None
    assert check.error is not None
    assert "the sign-in of this mailbox has ended" in check.error


def test_a_token_that_the_server_refuses_is_renewed_before_the_second_try(office: Office) -> None:
    """So it is after a change of password, though the token's time has not come."""
    right, office.openid.signing_key = office.openid.signing_key, b"x" * 32
    office.sign_in()
    office.server.append(office.account.login, "INBOX", make.mail("Beton"))

    with pytest.raises(AuthFailed, match="does not accept the oAuth login"):
        office.sync()
    office.openid.signing_key = right
    office.sync()

    assert office.subjects() == ["Beton"]
    assert office.renewals() == 1


def test_a_provider_that_is_away_is_waited_for(office: Office) -> None:
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    office.server.append(office.account.login, "INBOX", make.mail("Beton"))
    office.openid.failing_status = 503

    with pytest.raises(RemoteError):
        office.sync()
    waiting = office.state
    office.openid.failing_status = 0
    office.sync()

    assert (waiting.trouble, waiting.halted_at) == ("passing", None)
    assert office.has_tokens
    assert office.subjects() == ["Beton"]


def test_a_registration_that_ended_is_mended_in_the_settings(office: Office) -> None:
    """The client's secret ran out: no sign-in is lost by it."""
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    right, office.openid.secret = office.openid.secret, "a new one"

    with pytest.raises(RemoteError, match="its secret"):
        office.sync()
    trouble, office.openid.secret = office.state.trouble, right
    office.sync()

    assert trouble == "settings"
    assert office.has_tokens


def test_no_token_is_in_the_logs(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    office.openid.lifetime_seconds = ENDS_SOON
    office.sign_in()
    office.sync()
    tokens = [*office.openid.refresh, *(form.get("code", "") for form in office.openid.requests)]
    office.openid.failing_status = 200
    with suppress(LetterbookError):
        office.sync()

    assert [one for one in tokens if one and one in caplog.text] == []
    assert "eyJ" not in caplog.text
    assert openid_server.CLIENT_SECRET not in caplog.text


def test_a_backup_without_the_key_names_the_mailboxes_to_sign_in(
    office: Office, tmp_path: Path
) -> None:
    office.server.append(office.account.login, "INBOX", make.mail("Beton"))
    office.sync()
    back(office.store, tmp_path / "backup")

    came = bring_back(tmp_path / "backup", tmp_path / "new")

    assert came.without_password == (office.account.address,)
    new = open_store(tmp_path / "new")
    assert len(messages.copies_after(new, 0, limit=10)) == 1
    new.close()
