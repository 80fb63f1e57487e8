"""The journeys by keyboard alone, with the keys counted (typed letters apart)."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from app import filing
from app.store import filings
from tests.make import mail
from tests.web.conftest import Team
from tests.web.test_browser import CHROMIUM, address, chromium, page

__all__ = ["address", "chromium", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed here"),
]
PROJECT = "Łomianki Playground Construction"


def press(page: Page, *keys: str) -> int:
    # A page is seen before its script has run, and nobody types as fast as that.
    expect(page.locator("html.scripted")).to_be_attached()
    for key in keys:
        page.keyboard.press(key)
    return len(keys)


def deliver(team: Team, count: int, *, text: str = "Spostex S.A.") -> list[str]:
    """The last one is the newest and stands first."""
    return team.deliver(
        *(
            mail(
                f"Mail {n}", text=text, message_id=f"<{n}@x>", date=f"Fri, {n} Mar 2025 08:00:00 +0"
            )
            for n in range(1, count + 1)
        )
    )


def archive(team: Team, public_id: str) -> None:
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(public_id), team.company, now=now)


def under(team: Team, public_id: str) -> list[str]:
    viewer = team.viewer(team.alice)
    return [one.record.name for one in filings.visible(team.store, viewer, team.id_of(public_id))]


def choose_project(page: Page) -> int:
    """Type a part of its name, and take the first of the list."""
    expect(page.get_by_label("Select Record")).to_be_focused()
    page.keyboard.type("lomian")
    expect(page.get_by_role("option", name="Łomianki")).to_be_visible()
    return press(page, "ArrowDown")


def test_a_right_suggestion_takes_three_keys(team: Team, page: Page) -> None:
    """R42, R47: j, e, Ctrl+Enter; then the focus is on the next row that waits."""
    one, two = deliver(team, 2)
    page.goto("/email/queue")

    keys = press(page, "j", "e")
    expect(page.get_by_label("Select Record")).to_have_value("Spostex S.A.")
    keys += press(page, "Control+Enter")

    expect(page.locator(".flash")).to_contain_text("Archived to Spostex S.A.")
    expect(page.get_by_role("link", name="Mail 1")).to_be_focused()
    assert (keys, under(team, two), under(team, one)) == (3, ["Spostex S.A."], [])


def test_a_wrong_suggestion_takes_six_at_most(team: Team, page: Page) -> None:
    """R41, R43: the name is typed over the one that was filled in."""
    (one,) = deliver(team, 1)
    page.goto("/email/queue")

    keys = press(page, "j", "e") + choose_project(page) + press(page, "Enter")
    expect(page.locator("#readers")).to_contain_text("3 people will be able to read this")
    expect(page.get_by_label("Record Type")).to_have_value("projects")
    keys += press(page, "Control+Enter")

    expect(page.locator(".flash")).to_contain_text("Archived to")
    assert (keys, under(team, one)) == (5, [PROJECT])


def test_undo_by_z_brings_it_back_and_the_focus_to_it(team: Team, page: Page) -> None:
    """R70."""
    _, two = deliver(team, 2)
    page.goto("/email/queue")
    press(page, "j", "e")
    expect(page.get_by_label("Select Record")).to_have_value("Spostex S.A.")
    press(page, "Control+Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()

    press(page, "z")

    expect(page.locator(".flash")).to_contain_text("Detached from")
    expect(page.get_by_role("link", name="Mail 2")).to_be_focused()
    assert under(team, two) == []


def test_undo_is_offered_for_ten_seconds(team: Team, page: Page) -> None:
    """R70: afterwards "Edit" detaches; a reload says nothing twice."""
    (one,) = deliver(team, 1)
    archive(team, one)
    page.clock.install()
    record = team.record(team.company)
    page.goto(f"/email/queue?done=archived&message={one}&record={record}&show=all")

    expect(page).to_have_url(re.compile(r"/email/queue\?show=all$"))
    page.clock.run_for(9_000)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(2_000)

    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(page.locator(".flash")).to_contain_text("Archived to")


def test_method_one_takes_four_keys(team: Team, page: Page) -> None:
    """R57: Archives, "Attach this email to another record", "Confirm"."""
    (one,) = deliver(team, 1)
    archive(team, one)
    page.goto("/email/archives")

    keys = press(page, "j", "a") + choose_project(page) + press(page, "Control+Enter")

    expect(page.locator(".flash")).to_contain_text("Attached to")
    expect(page.get_by_role("link", name="Mail 1", exact=False).first).to_be_focused()
    assert (keys, under(team, one)) == (4, ["Spostex S.A.", PROJECT])


def test_method_two_by_keyboard(team: Team, page: Page) -> None:
    """R59: Archives, "Display", "Attach to another record", "Confirm"."""
    (one,) = deliver(team, 1)
    archive(team, one)
    page.goto("/email/archives")

    keys = press(page, "j", "v")
    expect(page.get_by_role("button", name="Attach to another record")).to_be_visible()
    keys += press(page, "a") + choose_project(page) + press(page, "Control+Enter")

    expect(page.locator(".flash")).to_contain_text("Attached to")
    assert (keys, under(team, one)) == (5, ["Spostex S.A.", PROJECT])


def test_method_three_by_keyboard(team: Team, page: Page) -> None:
    """R60, R61, R62: the record's tab, its picker, the form filled in with the record."""
    (one,) = deliver(team, 1)
    archive(team, one)
    page.goto(f"/records/projects/{team.record(team.project)}/emails")
    page.get_by_role("button", name="Attach archived email").focus()

    keys = press(page, "Enter")
    expect(page.get_by_role("link", name="Mail 1")).to_be_visible()
    keys += press(page, "j", "a")
    expect(page.get_by_label("Select Record")).to_have_value(PROJECT)
    keys += press(page, "Control+Enter")

    expect(page.locator(".flash")).to_contain_text("Attached to")
    expect(page.get_by_role("link", name="Mail 1")).to_be_focused()
    assert (keys, under(team, one)) == (4, ["Spostex S.A.", PROJECT])


def test_a_selection_is_archived_and_undone(team: Team, page: Page) -> None:
    """j, Shift+J twice, e, Ctrl+Enter; z takes all three back."""
    ids = deliver(team, 4)
    page.goto("/email/queue")

    keys = press(page, "j", "J", "J")
    expect(page.locator("#picked")).to_have_text("3 selected")
    keys += press(page, "e")
    expect(page.get_by_label("Select Record")).to_have_value("Spostex S.A.")
    keys += press(page, "Control+Enter")
    expect(page.locator(".flash")).to_contain_text("3 messages put under Spostex S.A.")
    expect(page.get_by_role("link", name="Mail 1")).to_be_focused()
    filed = [under(team, one) for one in ids]
    press(page, "z")

    expect(page.locator(".flash")).to_contain_text("3 messages taken away again.")
    expect(page.locator(".rows .row-link:focus")).to_have_count(1)
    assert (keys, filed) == (5, [[], *[["Spostex S.A."]] * 3])
    assert [under(team, one) for one in ids] == [[]] * 4


def test_keys_select_all_none_and_one(team: Team, page: Page) -> None:
    deliver(team, 3)
    page.goto("/email/queue")

    press(page, "*", "a")
    expect(page.locator("#picked")).to_have_text("3 selected")
    expect(page.get_by_label("Select all on this page")).to_be_checked()
    press(page, "j", "x")
    expect(page.locator("#picked")).to_have_text("2 selected")
    press(page, "*", "n")

    expect(page.locator("#picked")).to_have_text("")
    press(page, "y")
    expect(page.locator(".flash")).to_contain_text("Set aside")
    expect(page.get_by_role("link", name="Mail 2")).to_be_focused()


def test_without_a_row_the_key_explains(team: Team, page: Page) -> None:
    deliver(team, 1)
    page.goto("/email/queue")

    press(page, "e")

    expect(page.locator(".flash")).to_contain_text("Select a message first")
    expect(page.get_by_role("link", name="Mail 1")).to_be_focused()


def test_the_sheet_of_keys_opens_above_the_list(team: Team, page: Page) -> None:
    """`?` shows it, Esc puts it away with the focus where it was, and no key acts behind it."""
    deliver(team, 2)
    page.goto("/email/queue")
    press(page, "j", "?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet.get_by_text("Archive new email").first).to_be_visible()

    press(page, "x", "Escape")

    expect(sheet).to_be_hidden()
    expect(page.get_by_role("link", name="Mail 2")).to_be_focused()
    expect(page.locator("#picked")).to_have_text("")
    expect(page).to_have_url(re.compile("/email/queue$"))


def test_single_keys_can_be_turned_off_in_a_browser(team: Team, page: Page) -> None:
    """WCAG 2.1.4; the page of keys turns them on again."""
    deliver(team, 1)
    page.goto("/email/queue")
    press(page, "?")
    page.get_by_label("Use single keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()

    press(page, "j")
    expect(page.locator(".rows .current")).to_have_count(0)
    page.goto("/profile/keys")
    expect(page.get_by_label("Use single keys in this browser")).not_to_be_checked()
    page.get_by_label("Use single keys in this browser").check()
    page.goto("/email/queue")
    press(page, "j")

    expect(page.get_by_role("link", name="Mail 1")).to_be_focused()


def test_keys_walk_through_a_conversation_and_back(team: Team, page: Page) -> None:
    first, second = team.deliver(
        mail("First", message_id="<1@x>", date="Fri, 1 Mar 2025 08:00:00 +0"),
        mail(
            "Re: First",
            message_id="<2@x>",
            date="Fri, 2 Mar 2025 08:00:00 +0",
            headers="In-Reply-To: <1@x>\n",
        ),
    )
    page.goto(f"/email/messages/{first}")

    press(page, "n")
    expect(page).to_have_url(re.compile(second))
    press(page, "p")
    expect(page).to_have_url(re.compile(first))
    press(page, "Escape")

    expect(page).to_have_url(re.compile("/email/queue$"))


def test_a_months_name_is_whole_on_a_phone(team: Team, page: Page) -> None:
    (one,) = deliver(team, 1)
    archive(team, one)
    page.set_viewport_size({"width": 390, "height": 800})

    page.goto(f"/records/companies/{team.record(team.company)}/emails")

    month = page.get_by_role("rowheader", name="March 2025")
    assert month.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
