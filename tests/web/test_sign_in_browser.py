"""An oAuth login in a real browser: Letterbook's form, the provider's page, mail from Dovecot."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from app import jobs as worker
from app.main import create_app
from app.model import Account
from app.settings import Settings
from app.store import accounts, sign_ins
from tests import make
from tests import openid as openid_server
from tests.dovecot import HOST, Dovecot, is_installed
from tests.openid import OpenId
from tests.web import test_browser
from tests.web.conftest import Team
from tests.web.test_account_test import until

pytestmark = [*test_browser.pytestmark, pytest.mark.dovecot]
chromium = test_browser.chromium


@dataclass
class Office:
    """A web and a worker that run, a mail server, and the provider whose tokens it takes."""

    team: Team
    server: Dovecot
    openid: OpenId
    address: str

    def account(self, address: str) -> Account:
        return accounts.by_address(self.team.store, address)


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Dovecot]:
    if not is_installed():
        pytest.skip("Dovecot is not installed here")
    with openid_server.dovecot_running() as server:
        yield server


@pytest.fixture(params=[("microsoft", True), ("google", False)], ids=["scripts", "plain"])
def way(request: pytest.FixtureRequest) -> tuple[str, bool]:
    """The provider, and whether the browser runs scripts."""
    return request.param


@pytest.fixture
def office(
    way: tuple[str, bool], team: Team, mail_server: Dovecot, tmp_path: Path
) -> Iterator[Office]:
    config = uvicorn.Config("unused", host="127.0.0.1", port=0, log_level="warning")
    socket = config.bind_socket()
    address = f"http://127.0.0.1:{socket.getsockname()[1]}"
    with openid_server.running(mail_server.directory) as openid:
        settings = Settings.from_env(
            openid.settings(way[0]), data=tmp_path / "data", public_url=address
        )
        config.app = create_app(settings)
        server, stop = uvicorn.Server(config), threading.Event()
        threads = [
            threading.Thread(target=server.run, kwargs={"sockets": [socket]}),
            threading.Thread(target=worker.run_worker, args=(settings, stop)),
        ]
        team.store.archive.conn.execute("update accounts set due_at = unixepoch() + 3600")
        for thread in threads:
            thread.start()
        yield Office(team, mail_server, openid, address)
        server.should_exit = True
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
        socket.close()


@pytest.fixture
def page(way: tuple[str, bool], chromium: Browser, office: Office, admin: object) -> Iterator[Page]:
    """Dora's browser; the test fails if a page has a script error or breaks our policy."""
    context = chromium.new_context(
        base_url=office.address, java_script_enabled=way[1], ignore_https_errors=True
    )
    token = office.team.tokens["dora"]
    context.add_cookies([{"name": "letterbook", "value": token, "url": office.address}])
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda one: complaints.append(one.text))
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    yield page
    context.close()
    assert [one for one in complaints if "script" in one.lower() or "Security Policy" in one] == []


def has_ended_test(office: Office) -> bool:
    row = office.team.store.archive.conn.execute(
        "select finished_at from jobs where kind = 'test' order by id desc limit 1"
    ).fetchone()
    return row is not None and row[0] is not None


def fill_in(page: Page, login: str, port: int) -> None:
    page.goto("/email/accounts/new")
    page.get_by_label("Email address").fill(login)
    page.get_by_label("IMAP server address").fill(HOST)
    page.get_by_label("Login").fill(login)
    page.get_by_label("Type of authorization").select_option("oAuth login")
    page.get_by_label("Server port").fill(str(port))


def test_a_mailbox_is_signed_in_and_read_and_signed_in_again(office: Office, page: Page) -> None:
    login = office.server.new_user()
    office.server.append(login, "INBOX", make.mail("Beton"))
    fill_in(page, login, office.server.tls_port)

    page.get_by_role("button", name="Test connection").click()
    until(lambda: has_ended_test(office))
    page.reload()
    expect(page.locator("#test")).to_contain_text("leads to the sign-in")
    page.locator("[data-confirm]").click()
    page.get_by_role("button", name="Sign in at").click()
    page.get_by_role("link", name="Go on to").click()
    expect(page.get_by_label("Account")).to_have_value(login)
    page.get_by_label("Account").fill("somebody@ex.test")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert")).to_contain_text(f"the login of this mailbox is {login}")
    page.get_by_role("button", name="Sign in at").click()
    page.get_by_role("link", name="Go on to").click()
    page.get_by_role("button", name="Accept").click()

    expect(page.locator(".flash")).to_contain_text("Signed in.")
    account, store = office.account(login), office.team.store
    until(lambda: accounts.last_check(store, account.id, good=True))
    page.reload()
    expect(page.locator(".account-facts")).to_contain_text("1 unread on the server")
    assert accounts.sealed_password(store, account.id) is None
    assert sign_ins.sealed_tokens(store, account.id)


def test_a_connection_is_tested_with_the_sign_in_that_is_there(office: Office, page: Page) -> None:
    login = office.server.new_user()
    fill_in(page, login, office.server.tls_port)
    page.locator("[data-confirm]").click()
    page.get_by_role("button", name="Sign in at").click()
    page.get_by_role("link", name="Go on to").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("link", name="Edit").click()

    page.get_by_role("button", name="Test connection").click()
    until(lambda: has_ended_test(office))
    page.reload()

    expect(page.locator("#test")).to_contain_text("The connection works.")
    expect(page.locator("#test")).to_contain_text("Wysłane")


def test_who_denies_comes_back_and_nothing_is_saved(office: Office, page: Page) -> None:
    login = office.server.new_user()
    fill_in(page, login, office.server.tls_port)
    page.locator("[data-confirm]").click()
    page.get_by_role("button", name="Sign in at").click()
    page.get_by_role("link", name="Go on to").click()

    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("alert")).to_contain_text("was told not to let Letterbook read")
    expect(page.get_by_role("button", name="Sign in at")).to_be_visible()
    assert office.account(login).needs_sign_in
