"""The form of a mailbox in a real browser: what its script does at once."""

from playwright.sync_api import Page, expect

from tests.web import test_browser, test_first_sync
from tests.web.conftest import Team

pytestmark = test_browser.pytestmark
chromium = test_browser.chromium
address = test_browser.address
page = test_browser.page
plain = test_browser.plain

NEW = "/email/accounts/new"


def test_the_login_is_filled_from_the_address_once(page: Page) -> None:
    """R13."""
    page.goto(NEW)

    page.get_by_label("Email address").press_sequentially("jan@firma.pl")
    expect(page.get_by_label("Login")).to_have_value("jan@firma.pl")
    page.get_by_label("Login").fill("jan")
    page.get_by_label("Email address").press_sequentially("x")

    expect(page.get_by_label("Login")).to_have_value("jan")


def test_the_port_follows_the_security_until_it_is_typed(page: Page) -> None:
    """R17."""
    page.goto(NEW)
    port = page.get_by_label("Server port")

    expect(port).to_have_value("993")
    page.get_by_label("Connection security").select_option("STARTTLS")
    expect(port).to_have_value("143")
    port.fill("1143")
    page.get_by_label("Connection security").select_option("SSL/TLS")

    expect(port).to_have_value("1143")


def test_the_provider_fills_an_empty_server(page: Page) -> None:
    """R22."""
    page.goto(NEW)

    page.get_by_label("Email address").fill("jan@gmail.com")
    page.get_by_label("Email address").press("Tab")

    expect(page.get_by_label("IMAP server address")).to_have_value("imap.gmail.com")
    expect(page.get_by_text("Sign in with app passwords")).to_be_visible()


def test_skip_folders_come_and_go(page: Page) -> None:
    """R19, R20."""
    page.goto(NEW)
    folders = page.locator("[name=skip]")

    expect(folders).to_have_count(6)
    page.get_by_role("button", name="New", exact=True).click()
    expect(folders.nth(6)).to_be_focused()
    page.keyboard.type("Newsletter")
    page.get_by_role("button", name="Remove Trash").click()

    expect(folders).to_have_count(6)
    expect(folders.nth(5)).to_have_value("Newsletter")


def test_the_risks_are_said_when_they_are_taken(page: Page) -> None:
    """R15, R18."""
    page.goto(NEW)
    risk = page.get_by_text("using the selected email service may involve risk")

    expect(risk).to_be_hidden()
    page.get_by_label("Verify the correctness of the SSL/TLS server certificate").uncheck()
    expect(risk).to_be_visible()
    expect(page.get_by_text("None: the password")).to_be_hidden()
    page.get_by_label("Connection security").select_option("None")

    expect(page.get_by_text("None: the password")).to_be_visible()


def test_without_scripts_enter_confirms(plain: Page) -> None:
    plain.goto(NEW)

    plain.get_by_label("Email address").fill("jan@firma.pl")
    plain.get_by_label("Email address").press("Enter")

    expect(plain.get_by_role("heading", name="Not saved")).to_be_visible()
    expect(plain.get_by_label("Login")).to_have_value("jan@firma.pl")


def test_a_first_sync_is_followed_without_a_reload(page: Page, team: Team) -> None:
    test_first_sync.begin(team)
    page.goto(f"/email/accounts/{team.office.public_id}")
    expect(page.get_by_text("Importing 41,250 of 203,118 messages")).to_be_visible()
    page.evaluate("window.stayed = true")

    test_first_sync.begin(team, done=42_000)

    expect(page.get_by_text("Importing 42,000 of 203,118 messages")).to_be_visible(timeout=20_000)
    assert page.evaluate("window.stayed")
