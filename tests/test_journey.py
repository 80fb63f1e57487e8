"""The whole journey with the real parts: Dovecot, the two processes, Chromium, the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import make
from tests.cli.test_serve import free_port, wait_for_page
from tests.dovecot import PASSWORD as MAIL_PASSWORD
from tests.dovecot import Dovecot

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"
pytestmark = [
    pytest.mark.dovecot,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed here"),
]

Command = Callable[..., str]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def command(tmp_path: Path, port: int) -> Command:
    """Runs `letterbook` in a process of its own and gives what it printed."""
    environment = {
        "LETTERBOOK_DATA": str(tmp_path / "data"),
        "LETTERBOOK_PORT": str(port),
        "PATH": os.environ["PATH"],
    }

    def run(*words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def running(tmp_path: Path, port: int) -> Iterator[None]:
    """`letterbook run`, looking at the mailboxes every five seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "run"],
        env={
            "LETTERBOOK_DATA": str(tmp_path / "data"),
            "LETTERBOOK_PORT": str(port),
            "LETTERBOOK_POLL_SECONDS": "5",
            "PATH": os.environ["PATH"],
        },
    )
    wait_for_page(port)
    yield
    process.terminate()
    assert process.wait(timeout=30) == 0


@pytest.fixture
def page(port: int) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            base_url=f"http://127.0.0.1:{port}", viewport={"width": 1440, "height": 900}
        )
        yield page
        browser.close()


def test_mail_on_a_server_is_read_archived_and_found(
    dovecot: Dovecot, command: Command, running: None, page: Page
) -> None:
    login = dovecot.new_user()
    text = "Dzień dobry, Spostex S.A. przesyła fakturę za beton w Łomiankach."
    dovecot.append(login, "INBOX", make.mail("Faktura FV/2025/03/117", text=text))
    dovecot.append(login, "Trash", make.mail("Śmieci", message_id="<trash@x>"))
    before = dovecot.file_names(login)
    command("role", "add", "foreman")
    command("record", "add", "companies", "Spostex S.A.")
    command("record", "add", "projects", "Łomianki Playground Construction")
    words = ("user", "add", "alice@firma.pl", "--name", "Alice", "--admin", "--password-stdin")
    command(*words, stdin=PASSWORD)
    words = ("account", "add", login, "--host", dovecot.host, "--port", str(dovecot.port))
    words += ("--security", "none", "--user", "alice@firma.pl", "--password-stdin")
    command(*words, stdin=MAIL_PASSWORD)
    command("sync")

    page.goto("/")
    page.get_by_label("Email address").fill("Alice@Firma.pl")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.wait_for_load_state("load")
    page.get_by_role("link", name="Faktura FV/2025/03/117").click()
    page.get_by_role("link", name="Full page").click()
    expect(page.get_by_text("przesyła fakturę za beton")).to_be_visible()
    page.get_by_role("button", name="Archive new email").click()
    expect(page.get_by_label("Record Type")).to_have_value("companies")
    expect(page.get_by_label("Select Record")).to_have_value("Spostex S.A.")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Archived to Spostex S.A.")).to_be_visible()
    page.get_by_role("searchbox", name="Search", exact=True).fill("lomianki faktury")
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Faktura FV/2025/03/117")).to_be_visible()
    expect(page.locator("main mark").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("Spostex S.A.")
    expect(page.locator("main")).not_to_contain_text("Śmieci")
    found = json.loads(command("search", "beton", "--as", "alice@firma.pl", "--json"))
    assert [hit["subject"] for hit in found["hits"]] == ["Faktura FV/2025/03/117"]
    assert json.loads(command("verify", "--json"))["faults"] == []
    assert dovecot.file_names(login) == before
