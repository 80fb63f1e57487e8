"""Select Record as a combobox by the ARIA practice, in a real browser and by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.make import mail
from tests.web.conftest import Team
from tests.web.test_browser import CHROMIUM, address, chromium, page

__all__ = ["address", "chromium", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed here"),
]


@pytest.fixture
def form(team: Team, page: Page) -> Page:
    """The form of a message for which nothing is suggested."""
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))
    page.goto(f"/email/messages/{one}/attach")
    expect(page.get_by_label("Select Record")).to_be_focused()
    return page


def test_typing_opens_the_list_and_chooses_nothing(form: Page) -> None:
    """R41: the first option is not selected by itself."""
    combo = form.get_by_role("combobox", name="Select Record")
    expect(combo).to_have_attribute("aria-expanded", "false")
    expect(combo).to_have_attribute("aria-autocomplete", "list")

    form.keyboard.type("spo")

    expect(combo).to_have_attribute("aria-expanded", "true")
    expect(combo).to_have_attribute("aria-controls", "options")
    expect(form.get_by_role("listbox", name="Records").get_by_role("option")).to_have_count(2)
    expect(form.locator("#options [aria-selected=true]")).to_have_count(0)
    assert combo.get_attribute("aria-activedescendant") is None
    expect(form.locator("#options-said")).to_have_text("1 record")
    expect(combo).to_be_focused()


def test_arrows_walk_and_enter_chooses(team: Team, form: Page) -> None:
    combo = form.get_by_role("combobox", name="Select Record")
    form.keyboard.type("spo")
    expect(form.locator("#options")).to_be_visible()

    form.keyboard.press("ArrowDown")
    walked = combo.get_attribute("aria-activedescendant")
    form.keyboard.press("ArrowUp")
    last = combo.get_attribute("aria-activedescendant")
    form.keyboard.press("ArrowDown")
    form.keyboard.press("Enter")

    expect(combo).to_have_value("Spostex S.A.")
    expect(form.locator("#readers")).to_contain_text("3 people will be able to read this")
    expect(combo).to_have_attribute("aria-expanded", "false")
    expect(combo).to_be_focused()
    assert walked == f"option-{team.record(team.company)}"
    assert last == "option-new"


def test_escape_closes_and_keeps_the_text(form: Page) -> None:
    combo = form.get_by_role("combobox", name="Select Record")
    form.keyboard.type("spo")
    expect(form.locator("#options")).to_be_visible()

    form.keyboard.press("ArrowDown")
    form.keyboard.press("Escape")

    expect(form.locator("#options")).to_be_hidden()
    expect(combo).to_have_value("spo")
    expect(combo).to_be_focused()
    assert combo.get_attribute("aria-activedescendant") is None


def test_enter_without_a_choice_saves_nothing(team: Team, form: Page) -> None:
    form.keyboard.type("spo")
    expect(form.locator("#options")).to_be_visible()

    form.keyboard.press("Enter")

    expect(form.get_by_label("Select Record")).to_be_focused()
    expect(form.locator("#options")).to_be_visible()
    assert form.url.endswith("/attach")


def test_a_record_of_another_type_sets_the_type(form: Page) -> None:
    form.keyboard.type("lomiank")
    expect(form.get_by_role("option", name="Łomianki")).to_be_visible()

    form.keyboard.press("ArrowDown")
    form.keyboard.press("Enter")

    expect(form.get_by_label("Record Type")).to_have_value("projects")
    expect(form.get_by_label("Select Record")).to_have_value("Łomianki Playground Construction")


def test_typing_on_takes_the_choice_back(team: Team, page: Page) -> None:
    """What was filled in is not filed under when another name stands there."""
    (one,) = team.deliver(mail(text="Spostex S.A."))
    page.goto(f"/email/messages/{one}/attach")
    expect(page.locator("#record")).to_have_value(team.record(team.company))

    page.keyboard.type("Wilga")

    expect(page.get_by_label("Select Record")).to_have_value("Wilga")
    expect(page.locator("#record")).to_have_value("")


def test_a_new_record_takes_the_typed_name(form: Page) -> None:
    form.keyboard.type("Wilga")
    expect(form.get_by_role("option", name="New company ...")).to_be_visible()

    form.keyboard.press("ArrowUp")
    form.keyboard.press("Enter")

    expect(form.get_by_label("Name", exact=True)).to_have_value("Wilga")
    expect(form.get_by_label("Name", exact=True)).to_be_focused()
