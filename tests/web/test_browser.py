"""The journeys in a real browser: with scripts by keyboard, and without scripts."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from app.main import LONGEST_HEAD, create_app
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import filings
from tests.make import mail
from tests.web.conftest import Team

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed here"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(team: Team, tmp_path: Path) -> Iterator[str]:
    """A running server on a free port of this machine."""
    config = uvicorn.Config(
        "unused",
        host="127.0.0.1",
        port=0,
        log_level="warning",
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    socket = config.bind_socket()
    found = f"http://127.0.0.1:{socket.getsockname()[1]}"
    settings = Settings.from_env({}, data=tmp_path / "data", public_url=found)
    config.app = create_app(settings)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    yield found
    server.should_exit = True
    thread.join(timeout=10)
    socket.close()


def sit_down(chromium: Browser, address: str, team: Team, *, scripts: bool) -> BrowserContext:
    context = chromium.new_context(
        base_url=address,
        java_script_enabled=scripts,
        viewport={"width": 1440, "height": 900},
    )
    context.add_cookies([{"name": "letterbook", "value": team.tokens["alice"], "url": address}])
    return context


@pytest.fixture
def page(chromium: Browser, address: str, team: Team) -> Iterator[Page]:
    """Alice's browser; the test fails if the page complains (a CSP violation, a script error)."""
    context = sit_down(chromium, address, team, scripts=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def plain(chromium: Browser, address: str, team: Team) -> Iterator[Page]:
    """Alice's browser without scripts."""
    context = sit_down(chromium, address, team, scripts=False)
    yield context.new_page()
    context.close()


def test_a_message_is_archived_in_three_keystrokes(team: Team, page: Page) -> None:
    first, second = team.deliver(
        mail("Zweite", text="Spostex S.A.", message_id="<2@x>"),
        mail("Erste", text="Spostex S.A.", message_id="<1@x>", date="Sat, 15 Mar 2025 08:00:00 +0"),
    )
    page.goto("/email/queue")

    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.get_by_label("Select Record")).to_be_focused()
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("status")).to_contain_text("Archived to Spostex S.A.")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    archived = [filings.is_archived(team.store, team.id_of(one)) for one in (first, second)]
    assert archived.count(True) == 1
    focused = page.evaluate("document.activeElement.closest('tr').className")
    assert "archived" not in focused


def test_a_row_opens_beside_the_list_and_back_closes_it(team: Team, page: Page) -> None:
    (one,) = team.deliver(mail("Faktura", text="Treść wiadomości"))
    page.goto("/email/queue")

    page.get_by_role("link", name="Faktura").click()
    expect(page.locator("#pane")).to_contain_text("Treść wiadomości")
    expect(page).to_have_url(re.compile(f"open={one}"))
    page.go_back()

    expect(page).to_have_url(re.compile(r"/email/queue$"))
    expect(page.locator("#pane")).to_be_hidden()


def test_on_a_phone_a_row_is_a_page(team: Team, page: Page) -> None:
    (one,) = team.deliver(mail("Faktura"))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/email/queue")

    page.get_by_role("link", name="Faktura").click()

    expect(page).to_have_url(re.compile(f"/email/messages/{one}$"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_choosing_a_type_brings_its_records(team: Team, page: Page) -> None:
    (one,) = team.deliver(mail(text="Spostex S.A."))
    page.goto(f"/email/messages/{one}/attach")
    page.get_by_label("foreman").check()

    page.get_by_label("Record Type").select_option("Projects")
    expect(page.get_by_label("Select Record")).to_have_value("")
    page.get_by_label("Select Record").fill("lom")
    page.get_by_role("option", name="Łomianki").click()

    expect(page.get_by_label("foreman")).to_be_checked()
    expect(page.locator("#readers")).to_contain_text("2 people")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_contain_text("Łomianki Playground Construction")


def test_a_name_is_not_typed_into_the_form_that_a_new_type_replaces(team: Team, page: Page) -> None:
    (one,) = team.deliver(mail(text="Spostex S.A."))
    page.goto(f"/email/messages/{one}/attach")
    waiting: list[Route] = []
    page.route("**/attach?*type=projects*", lambda route: waiting.append(route))

    page.get_by_label("Record Type").select_option("Projects")

    expect(page.get_by_label("Select Record")).to_be_disabled()
    expect(page.get_by_label("Record Type")).to_have_value("projects")
    waiting[0].continue_()
    expect(page.get_by_label("Select Record")).to_be_enabled()


def test_without_scripts_a_message_is_archived_and_attached(team: Team, plain: Page) -> None:
    (one,) = team.deliver(mail("Faktura", text="Spostex S.A."))
    Indexer(team.store).drain()
    plain.goto("/email/queue")

    plain.locator("tbody .c-pick input").check()
    plain.get_by_role("button", name="Archive new email").click()
    plain.get_by_role("button", name="Confirm").click()
    expect(plain.get_by_role("status")).to_contain_text("Archived to Spostex S.A.")
    plain.goto("/records/projects")
    plain.get_by_role("link", name="Łomianki").click()
    plain.get_by_role("link", name="Attached - Emails").click()
    plain.get_by_role("button", name="Attach archived email").click()
    plain.locator("tbody .c-pick input").check()
    plain.get_by_role("button", name="Attach this email to another record").click()
    plain.get_by_role("button", name="Confirm").click()

    expect(plain.get_by_role("status")).to_contain_text("Attached to Łomianki")
    expect(plain.get_by_role("link", name="Faktura")).to_be_visible()
    assert len(filings.visible(team.store, team.viewer(team.alice), team.id_of(one))) == 2


def test_without_scripts_the_type_is_changed_by_a_button(team: Team, plain: Page) -> None:
    (one,) = team.deliver(mail(text="Spostex S.A."))
    plain.goto(f"/email/messages/{one}/attach")

    plain.get_by_label("Record Type").select_option("Projects")
    plain.get_by_role("button", name="Show").click()
    plain.get_by_label("Łomianki Playground Construction").check()
    plain.get_by_role("button", name="Confirm").click()

    expect(plain.get_by_role("status")).to_contain_text("Łomianki Playground Construction")


def test_a_hostile_mail_does_nothing_in_its_frame(team: Team, page: Page) -> None:
    raw = mail(
        text="<script>parent.document.title='gotcha'</script>"
        "<img src=x onerror=\"parent.document.title='gotcha'\"><p style='color:red'>Hallo</p>"
    ).replace(b"text/plain", b"text/html")
    (one,) = team.deliver(raw)
    page.goto(f"/email/messages/{one}")

    frame = page.frame_locator("iframe[title='Message body']")

    expect(frame.locator("p")).to_have_text("Hallo")
    expect(frame.locator("p")).to_have_css("color", "rgb(255, 0, 0)")
    assert "gotcha" not in page.title()


PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
LATER = "Sat, 15 Mar 2025 08:00:00 +0000"


def test_new_rows_come_by_themselves_to_a_list_nobody_touches(team: Team, page: Page) -> None:
    """R31: on top, without a click, and what was there stays the same element."""
    team.deliver(mail("Alte", message_id="<1@x>"))
    page.goto("/email/queue")
    old = page.locator("tr", has_text="Alte").element_handle()

    team.deliver(mail("Neue", message_id="<2@x>", date=LATER), uid=2)

    expect(page.get_by_role("link", name="Neue")).to_be_visible(timeout=15_000)
    assert page.locator(".rows tbody tr").first.inner_text().find("Neue") >= 0
    assert old.evaluate("row => row.isConnected")
    expect(page.locator(".news")).to_have_count(0)
    page.get_by_role("link", name="Neue").click()
    expect(page.locator("#pane")).to_contain_text("Neue")


def test_the_first_mail_comes_by_itself_to_an_empty_queue(team: Team, page: Page) -> None:
    """R31."""
    page.goto("/email/queue")
    expect(page.get_by_text("Nothing waiting.")).to_be_visible()

    team.deliver(mail("Erste"))

    expect(page.get_by_role("link", name="Erste")).to_be_visible(timeout=15_000)
    expect(page.locator(".news")).to_have_count(0)


def test_new_mail_is_announced_while_a_row_is_open(team: Team, page: Page) -> None:
    """R31: nothing moves under the reader; the key . shows what came."""
    team.deliver(mail("Alte", message_id="<1@x>"))
    page.goto("/email/queue")
    page.get_by_role("link", name="Alte").click()
    expect(page.locator("#pane")).to_contain_text("Alte")

    team.deliver(mail("Neue", message_id="<2@x>", date=LATER), uid=2)
    expect(page.get_by_role("link", name="1 new message - show")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("link", name="Neue")).to_have_count(0)
    page.keyboard.press(".")

    expect(page.get_by_role("link", name="Neue")).to_be_visible()


def test_new_mail_is_announced_while_the_list_has_the_focus(team: Team, page: Page) -> None:
    """R31."""
    team.deliver(mail("Alte", message_id="<1@x>"))
    page.goto("/email/queue")
    page.keyboard.press("j")

    team.deliver(mail("Neue", message_id="<2@x>", date=LATER), uid=2)

    expect(page.get_by_role("link", name="1 new message - show")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("link", name="Neue")).to_have_count(0)
    expect(page.get_by_role("link", name="Alte")).to_be_focused()


def test_a_row_is_set_aside_and_taken_back_by_two_keys(team: Team, page: Page) -> None:
    """A2: y, then z; the focus goes to the row that takes its place."""
    team.deliver(mail("Unten", message_id="<1@x>"))
    team.deliver(mail("Oben", message_id="<2@x>", date=LATER), uid=2)
    page.goto("/email/queue")

    page.keyboard.press("j")
    page.keyboard.press("y")
    expect(page.get_by_role("status")).to_contain_text("Set aside")
    expect(page.get_by_role("link", name="Oben")).to_have_count(0)
    expect(page.get_by_role("link", name="Unten")).to_be_focused()
    page.keyboard.press("z")

    expect(page.get_by_role("status")).to_contain_text("It waits in the queue again.")
    expect(page.get_by_role("link", name="Oben")).to_be_visible()


def test_a_team_without_records_archives_its_first_message(team: Team, page: Page) -> None:
    """The choice "New company ..." opens its fields, and one "Confirm" does both."""
    team.deliver(mail("Oferta", text="x", sender="Ewa Wilk <ewa@wilga.pl>"))
    team.store.archive.conn.execute("update records set removed_at = 1")
    page.goto("/email/queue")

    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.get_by_label("Select Record")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.get_by_role("option", name="New company ...").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Wilga")
    expect(page.get_by_label("Domain")).to_have_value("wilga.pl")
    expect(page.locator("#readers")).to_contain_text("3 people will be able to read this")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("status")).to_contain_text("Archived to Wilga")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_role("link", name="Open in Archives")).to_be_visible()


def test_marking_a_role_says_at_once_who_will_read_it(team: Team, page: Page) -> None:
    """R44, A8: without losing what was marked or where the focus is."""
    (one,) = team.deliver(mail(text="Spostex S.A."))
    page.goto(f"/email/messages/{one}/attach")
    expect(page.locator("#readers")).to_contain_text("3 people")

    page.get_by_label("foreman").focus()
    page.keyboard.press("Space")

    expect(page.locator("#readers")).to_contain_text("2 people will be able to read this (1 role")
    expect(page.locator("#readers")).to_contain_text("but can still read it")
    expect(page.get_by_label("foreman")).to_be_focused()
    expect(page.get_by_label("foreman")).to_be_checked()


def test_remote_images_are_loaded_by_the_key_i_only(team: Team, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route(
        "https://t.example/**",
        lambda route: route.fulfill(content_type="image/gif", body=PIXEL),
    )
    raw = mail(text='<p>Hallo</p><img alt="x" src="https://t.example/a.gif">')
    (one,) = team.deliver(raw.replace(b"text/plain", b"text/html"))
    page.goto(f"/email/messages/{one}")
    frame = page.frame_locator("iframe[title='Message body']")
    expect(frame.locator("p")).to_have_text("Hallo")
    before = [url for url in asked if "t.example" in url]

    with page.expect_request("https://t.example/a.gif"):
        page.keyboard.press("i")

    expect(frame.locator("img")).to_have_attribute("src", "https://t.example/a.gif")
    assert before == []


def test_a_mail_is_found_opened_and_archived_by_keys_from_any_page(team: Team, page: Page) -> None:
    team.deliver(mail("Protokół odbioru", text="W załączeniu, Spostex S.A."))
    Indexer(team.store).drain()
    page.goto("/records/projects")

    page.keyboard.press("/")
    page.keyboard.type("protokoly")
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_have_text("Protokół")
    expect(page.locator("html.scripted")).to_be_attached()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#pane")).to_contain_text("W załączeniu")
    page.go_back()
    expect(page.locator("#pane")).not_to_contain_text("W załączeniu")
    page.keyboard.press("j")
    page.keyboard.press("e")

    expect(page.get_by_label("Select Record")).to_have_value("Spostex S.A.")


def test_results_follow_what_is_typed_on_their_page(team: Team, page: Page) -> None:
    team.deliver(
        mail("Protokół odbioru", message_id="<1@x>"),
        mail("Oferta na żwir", message_id="<2@x>"),
    )
    Indexer(team.store).drain()
    page.goto("/search?q=oferta&sort=relevance")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#pane")).to_contain_text("Oferta")
    places = page.evaluate("history.length")

    page.get_by_role("searchbox", name="Search", exact=True).first.fill("protok*")

    expect(page.locator("mark")).to_have_text("Protokół")
    expect(page.locator("#pane")).to_be_empty()
    expect(page).to_have_url(re.compile(r"/search\?(?=.*q=protok)(?=.*sort=relevance)"))
    expect(page.locator("[data-search]").first).to_be_focused()
    expect(page).to_have_title(re.compile("protok"))
    assert page.evaluate("history.length") == places
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("tr.current")).to_contain_text("Protokół")
