"""The search page teaches only what the search understands."""

import re
from html import unescape

import pytest

from app.search import query
from app.search.tokens import OPERATORS
from tests.web.conftest import Browser


def test_every_operator_shown_is_understood(alice: Browser) -> None:
    """R71."""
    shown = re.findall(r"<dt><code>(.*?)</code></dt>", alice.get("/search").text)

    found = [query.parse(unescape(one)) for one in shown]

    assert len(found) == 33
    assert [one.notes for one in found] == [()] * len(found)


def test_every_operator_that_is_understood_is_shown(alice: Browser) -> None:
    page = unescape(alice.get("/search").text).partition("<summary>Operators</summary>")[2]

    shown = set(re.findall(r"([a-z_-]+):", page))

    assert set(OPERATORS) <= shown


def test_every_example_is_understood_and_a_link(alice: Browser) -> None:
    shown = re.findall(r'href="(/search\?q=[^"]*)"><code>(.*?)</code>', alice.get("/search").text)

    found = [query.parse(unescape(text)) for _, text in shown]

    assert len(found) == 4
    assert [one.notes for one in found] == [()] * len(found)
    assert {alice.get(unescape(path)).status_code for path, _ in shown} == {200}


@pytest.mark.parametrize("asked", ["/search", "/search?q=zebra"])
def test_the_operators_are_one_click_away(alice: Browser, asked: str) -> None:
    assert "<summary>Operators</summary>" in alice.get(asked).text


def test_nothing_found_repeats_the_query_and_the_next_step(alice: Browser) -> None:
    text = alice.get("/search?q=zebra").text

    assert "Nothing found for" in text
    assert "<q><bdi>zebra</bdi></q>" in text
    assert "Leave out a word" in text


@pytest.mark.parametrize("path", ["/search", "/email/archives"])
@pytest.mark.parametrize(
    "typed",
    ["(" * 10_000, "a+" * 5_000, "from:", "on:2025-13-45", "%00%1b%ff", "%ed%a0%80", '"a', "OR)"],
)
def test_whatever_is_typed_is_answered(alice: Browser, path: str, typed: str) -> None:
    answer = alice.get(f"{path}?q={typed}")

    assert answer.status_code == 200
    assert 'class="understood"' in answer.text or 'class="note"' in answer.text or "%" in typed
