"""The queue's own search: a typed line finds in the view that is open, and nothing beside it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app import filing
from app.search.indexer import Indexer
from app.store import queue
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

QUEUE = "/email/queue"


def offers(team: Team, count: int = 4, **given: object) -> list[str]:
    now = datetime.now(UTC)
    raws = (
        mail(
            f"Oferta {n:02}",
            message_id=f"<{n}@x>",
            date=f"{now - timedelta(minutes=n):%a, %d %b %Y %H:%M:%S +0000}",
        )
        for n in range(count)
    )
    ids = team.deliver(*raws, **given)
    Indexer(team.store).drain()
    return [str(one) for one in ids]


def subjects(browser: Browser, query: str) -> list[str]:
    return re.findall(r"Select (Oferta \d+)", browser.get(f"{QUEUE}?{query}").text)


@pytest.mark.parametrize("most", [1, 20_000])
def test_each_view_is_searched_for_itself(
    team: Team, alice: Browser, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R71: what is archived, aside or old is found where it lies, however much a view holds."""
    monkeypatch.setattr(queue, "MOST_HELD", most)
    archived, aside, *_ = offers(team)
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(archived), team.company, now=now)
    filing.set_aside(team.store, viewer, team.id_of(aside), now=now)
    Indexer(team.store).drain()

    assert subjects(alice, "q=oferta&show=waiting") == ["Oferta 00", "Oferta 02", "Oferta 03"]
    assert subjects(alice, "q=oferta&show=open") == ["Oferta 02", "Oferta 03"]
    assert subjects(alice, "q=oferta&show=aside") == ["Oferta 01"]
    assert subjects(alice, "q=subject:03&show=all") == ["Oferta 03"]
    assert subjects(alice, "q=nothing&show=all") == []


@pytest.mark.parametrize("most", [1, 20_000])
def test_its_pages_have_no_gap(
    team: Team, alice: Browser, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R68: fifty rows a page, both ways, and the line stays in the address."""
    monkeypatch.setattr(queue, "MOST_HELD", most)
    offers(team, 53)

    first = alice.get(f"{QUEUE}?q=oferta").text
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = alice.get(older.replace("&amp;", "&")).text
    (newer,) = re.findall(r'rel="prev" href="([^"]+)"', second)

    found = re.findall(r"Select (Oferta \d+)", first + second)
    assert found == [f"Oferta {n:02}" for n in range(53)]
    again = alice.get(newer.replace("&amp;", "&")).text
    assert re.findall(r"Select (Oferta \d+)", again) == found[:50]
    assert ("53 messages" in first) == (most > 53)


def test_only_the_chosen_mailbox_is_searched(team: Team, alice: Browser) -> None:
    offers(team, 2)
    other = make.account(team.store, team.alice, address="alice@firma.pl")
    now = datetime.now(UTC)
    make.deliver(team.store, other, mail("Oferta 77"), received_at=now, now=now)
    Indexer(team.store).drain()

    found = subjects(alice, f"q=oferta&mailbox={other.public_id}")

    assert found == ["Oferta 77"]
    assert subjects(alice, "q=oferta&mailbox=zzz")[0:1] != []


def test_others_queues_are_not_searched(team: Team, charlie: Browser, admin: Browser) -> None:
    """R36, R78: not by who is in no mailbox, not by administrators."""
    offers(team)

    for browser in (charlie, admin):
        page = browser.get(f"{QUEUE}?q=oferta&show=all").text
        assert "Oferta 0" not in page


def test_hits_are_marked_and_odd_lines_get_a_note(team: Team, alice: Browser) -> None:
    """R71: the same parser as the search box."""
    offers(team)

    page = alice.get(f"{QUEUE}?q=(oferta").text

    assert "<mark>Oferta</mark>" in page
    assert "A parenthesis without its partner was left out." in page
    assert 'name="q" value="(oferta"' in page
    assert 'id="newest"' not in page
