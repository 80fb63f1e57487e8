"""From the mail server into an open browser: the real server, worker and browser."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from app import jobs as worker
from app.settings import Settings
from app.store import accounts
from tests.dovecot import PASSWORD, Dovecot
from tests.make import mail
from tests.test_jobs import add_account, until
from tests.web.conftest import Team
from tests.web.test_browser import CHROMIUM, address, chromium, page

__all__ = ["address", "chromium", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.dovecot,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed here"),
]


@pytest.fixture
def login(team: Team, dovecot: Dovecot, settings: Settings) -> Iterator[str]:
    """Alice's mailbox on the server, looked at by a worker that polls once an hour and listens."""
    login = dovecot.new_user()
    account = add_account(team.store, dovecot, login, PASSWORD, team.alice)
    team.store.archive.conn.execute("update accounts set closed_at = 1 where id <> ?", [account.id])
    stop = threading.Event()
    seldom = replace(settings, poll_seconds=3600)
    thread = threading.Thread(target=worker.run_worker, args=(seldom, stop))
    thread.start()
    until(lambda: accounts.last_check(team.store, account.id))
    yield login
    stop.set()
    thread.join(timeout=30)


def test_new_mail_comes_into_an_open_browser_by_itself(
    dovecot: Dovecot, login: str, page: Page
) -> None:
    """R31 to R35: heard of by IDLE, and seen at the browser's next poll: the circles, the row."""
    page.goto("/email/queue")
    circles = page.locator("#circles-state")
    expect(circles.locator(".badge")).to_have_count(0)

    dovecot.append(login, "INBOX", mail("Beton na jutro"), received_at=datetime.now(UTC))

    expect(page.get_by_role("link", name="Beton na jutro")).to_be_visible(timeout=20_000)
    expect(circles).to_contain_text("1 unread on server, 1 new in the last 5 minutes")
    expect(circles.locator(".badge.red")).to_have_text("1")
    expect(circles.locator(".badge.ring")).to_have_text("1")


def test_check_for_new_emails_shows_its_result_without_a_reload(
    dovecot: Dovecot, login: str, page: Page
) -> None:
    """R30; in a folder at which nobody listens, so that nothing but the button brings it."""
    page.goto("/email/queue")
    page.evaluate("window.isTheSamePage = true")
    button, result = page.get_by_role("button", name="Check for new emails"), page.locator("#check")

    button.click()
    expect(result).to_contain_text("nothing new", timeout=20_000)
    dovecot.append(login, "Lager", mail("Beton"), received_at=datetime.now(UTC))
    button.click()

    expect(result).to_contain_text("1 new", timeout=20_000)
    expect(page.get_by_role("link", name="Beton", exact=False)).to_be_visible(timeout=20_000)
    assert page.evaluate("window.isTheSamePage")
