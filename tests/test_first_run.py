"""The first five minutes in a real browser: through the demo, and from an empty directory."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from app.store import accounts, open_store
from tests import make
from tests.cli.test_serve import free_port, wait_for_page
from tests.dovecot import PASSWORD as MAIL_PASSWORD
from tests.dovecot import Dovecot

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"
TEN_SECONDS = 10_000
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed here"),
]


@contextmanager
def serving(*words: object) -> Iterator[str]:
    """`letterbook` with these words on a free port, until the end of the block; its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *map(str, words), "--port", str(port)],
        env={"PATH": os.environ["PATH"]},
    )
    try:
        wait_for_page(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(3 * TEN_SECONDS)
        yield page
        browser.close()


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox", name="Search", exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search")).to_be_visible()
    page.wait_for_load_state("load")


def wait_for_first_checks(directory: Path) -> None:
    """Until every mailbox was read to its end; rows below the top do not appear by themselves."""
    pause = threading.Event()
    store = open_store(directory, checkpoints=False)
    for _ in range(600):
        ids = [account.id for account in accounts.all_accounts(store)]
        if ids and all(accounts.last_check(store, one, good=True) for one in ids):
            store.close()
            return
        pause.wait(0.1)
    raise AssertionError("the demo was not read in a minute")


@pytest.mark.dovecot
def test_from_an_empty_directory_to_the_first_archived_and_found_message(
    dovecot: Dovecot, page: Page, tmp_path: Path
) -> None:
    login = dovecot.new_user()
    raw = make.mail("Oferta", text="Proponujemy beton towarowy.", sender="Jan <jan@spostex.pl>")
    dovecot.append(login, "INBOX", raw, received_at=datetime.now(UTC))

    with serving("run", "--data", tmp_path / "data") as address:
        page.goto(address)
        expect(page.get_by_role("heading", name="Set up your team")).to_be_visible()
        expect(page.get_by_text("make demo")).to_be_visible()
        page.get_by_label("Your name").fill("Anna Kowalczyk")
        page.get_by_label("Email address").fill("anna@kowalczyk.example")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_label("Company name").fill("Kowalczyk Budownictwo")
        page.get_by_role("button", name="Set up").click()

        expect(page.get_by_text("No mailbox yet.")).to_be_visible()
        page.goto(f"{address}/email/accounts/new")
        page.get_by_label("Email address").fill(login)
        page.get_by_label("IMAP server address").fill(dovecot.host)
        page.get_by_label("Login", exact=True).fill(login)
        page.get_by_label("Password", exact=True).fill(MAIL_PASSWORD)
        page.get_by_label("Connection security").select_option("none")
        page.get_by_label("Server port").fill(str(dovecot.port))
        page.get_by_role("button", name="Test connection").click()
        expect(page.locator("#test")).to_contain_text("INBOX")
        page.get_by_role("button", name="Confirm").last.click()
        expect(page.get_by_role("heading", name="Accounts")).to_be_visible()

        page.goto(f"{address}/email/queue")
        row = page.get_by_role("link", name="Oferta")
        expect(row).to_be_visible(timeout=TEN_SECONDS)
        page.wait_for_load_state("load")
        page.get_by_role("link", name="Oferta").focus()
        page.keyboard.press("x")
        page.get_by_role("button", name="Archive new email").click()
        page.get_by_label("Select Record").press("ArrowUp")
        page.get_by_role("option", name="New company ...").click()
        expect(page.get_by_label("Name", exact=True)).not_to_have_value("")
        page.get_by_label("Name", exact=True).fill("Spostex S.A.")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Archived to Spostex S.A.")).to_be_visible()

        search(page, "betonu")
        expect(page.get_by_role("link", name="Oferta")).to_be_visible()
        expect(page.locator("main")).to_contain_text("Spostex S.A.")


def test_through_the_demo_a_message_is_archived_found_and_hidden_from_the_foreman(
    page: Page, tmp_path: Path
) -> None:
    with serving("demo", "--data", tmp_path / "demo", "--messages", 300) as address:
        page.goto(address)
        page.get_by_role("button", name="Anna Kowalczyk").click()
        first = page.locator("main .rows tbody tr").first
        expect(first).to_be_visible(timeout=TEN_SECONDS)
        wait_for_first_checks(tmp_path / "demo")
        page.goto(f"{address}/email/queue?show=open")
        order = page.locator("main .rows tbody tr", has_text="Zamówienie").first
        expect(order).to_be_visible(timeout=3 * TEN_SECONDS)
        page.wait_for_load_state("load")
        order.get_by_role("checkbox").check()
        page.get_by_role("button", name="Archive new email").click()
        expect(page.get_by_text("It is worth verifying")).to_be_visible()
        subject = page.locator("main a[href^='/email/messages/']").first.inner_text()
        message = page.url.split("/attach")[0]
        page.get_by_label("office worker").check()
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Archived to")).to_be_visible()

        search(page, f'subject:"{subject}"')
        expect(page.locator("main .rows tbody tr").first).to_be_visible()

        page.context.clear_cookies()
        page.goto(address)
        page.get_by_role("button", name="Adam Sikora").click()
        page.wait_for_load_state("load")
        search(page, f'subject:"{subject}"')
        expect(page.locator("main .rows tbody tr")).to_have_count(0)
        answer = page.goto(message)
        assert answer is not None
        assert answer.status == 404
