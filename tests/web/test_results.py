"""The results page (R71): order, parts of the query, what to try after nothing, the pane."""

import re
from html import unescape

import pytest

from app.search.indexer import Indexer
from tests.make import mail
from tests.web.conftest import Browser, Team


def _sent(day: int) -> dict[str, str]:
    return {"date": f"0{day} Mar 2025 08:00:00 +0000", "message_id": f"<{day}@spostex.pl>"}


@pytest.fixture
def found(team: Team) -> dict[str, str]:
    """Three mails of Alice's about concrete, and one that only Bob may read."""
    about = {
        "subject": mail("Faktura za beton", text="Przesyłam.", **_sent(1)),
        "text": mail("Umowa", text="Beton i faktura na wtorek.", **_sent(2)),
        "quoted": mail("Re: zapytanie", text="Tak.\n\n> beton, faktura", **_sent(3)),
    }
    ids = dict(zip(about, team.deliver(*about.values()), strict=True))
    Indexer(team.store).drain()
    return ids


def _order(text: str) -> list[str]:
    return re.findall(r'<tr id="row-(\w+)"', text)


def test_results_are_newest_first_or_best_first(alice: Browser, found: dict[str, str]) -> None:
    by_date = alice.get("/search?q=faktura+beton").text
    by_relevance = alice.get("/search?q=faktura+beton&sort=relevance").text

    assert _order(by_date) == [found["quoted"], found["text"], found["subject"]]
    assert _order(by_relevance) == [found["subject"], found["text"], found["quoted"]]
    assert "Messages found, best first" in by_relevance


def test_an_unknown_order_is_by_date(alice: Browser, found: dict[str, str]) -> None:
    assert _order(alice.get("/search?q=beton&sort=nothing").text)[0] == found["quoted"]


def test_each_part_of_a_query_is_left_out_by_a_click(alice: Browser, found: dict[str, str]) -> None:
    page = alice.get("/search", params={"q": "umowa beton before:2030", "sort": "relevance"}).text

    (parts,) = re.findall(r'<ul class="chips parts".*?</ul>', page, re.DOTALL)
    links = [unescape(one) for one in re.findall(r'href="([^"]*)"', parts)]
    assert links[0] == "/search?q=beton+before%3A2030&sort=relevance"
    assert _order(alice.get(links[0]).text)[0] == found["subject"]
    assert len(links) == 3


def test_what_found_nothing_is_said_and_a_near_spelling_offered(
    alice: Browser, found: dict[str, str]
) -> None:
    page = alice.get("/search", params={"q": "umowa bteon"}).text

    assert "Did you mean" in page
    assert 'href="/search?q=umowa+beton"' in unescape(page)
    assert "<bdi>bteon</bdi>: nowhere in your mail." in page
    assert 'href="/search?q=umowa">Without it</a>' in unescape(page)


def test_no_spelling_comes_from_the_mail_of_others(team: Team, charlie: Browser) -> None:
    team.deliver(mail("Geheimnis"))
    Indexer(team.store).drain()

    page = charlie.get("/search?q=geheimniss").text

    assert "Did you mean" not in page
    assert "Geheimnis</" not in page


def test_a_result_opens_beside_the_list(alice: Browser, found: dict[str, str]) -> None:
    address = f"/search?q=beton&sort=relevance&open={found['text']}"

    whole = alice.get(address).text
    only = alice.get(address, headers={"HX-Request": "true", "HX-Target": "pane"}).text

    assert "Beton i faktura na wtorek." in only
    assert "<html" not in only
    assert len(_order(whole)) == 3
    assert "Beton i faktura na wtorek." in whole.partition('id="pane"')[2]


def test_what_others_may_read_is_not_opened_beside(
    alice: Browser, charlie: Browser, found: dict[str, str]
) -> None:
    hidden = charlie.get(f"/search?q=beton&open={found['text']}")

    assert hidden.status_code == charlie.get("/search?q=beton&open=missing").status_code == 404


@pytest.mark.parametrize("verb", ["archive", "attach"])
def test_what_was_found_is_archived_from_the_list(
    alice: Browser, found: dict[str, str], verb: str
) -> None:
    page = alice.get("/search?q=umowa").text

    assert f'name="do" value="{verb}"' in page
    answer = alice.post("/email/act", do=verb, message=found["text"], back="/search?q=umowa")
    assert answer.headers["location"].startswith(f"/email/messages/{found['text']}/attach")
