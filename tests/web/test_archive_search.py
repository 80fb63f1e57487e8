"""A search in the archive: paged both ways, together with every filter."""

import re
from datetime import UTC, datetime

import pytest

from app import filing
from app.extract.reader import Reader
from app.jobs.attachments import read_some
from app.search.indexer import Indexer
from app.store import archives
from tests.extract import documents
from tests.make import mail
from tests.web.conftest import Browser, Team


@pytest.fixture
def many(team: Team) -> Team:
    """Fifty-three offers under the company, all but two of them under the project, too."""
    ids = team.deliver(
        *(
            mail(
                f"Oferta {n:03}",
                message_id=f"<{n}@x>",
                date=f"Fri, 14 Mar 2025 08:{n:02}:00 +0000",
            )
            for n in range(53)
        )
    )
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    for number, one in enumerate(ids):
        filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)
        if number > 1:
            filing.file_message(team.store, viewer, team.id_of(one), team.project, now=now)
    Indexer(team.store).drain()
    return team


def pages(browser: Browser, path: str, rel: str) -> tuple[list[list[str]], str]:
    """The subjects of each page from here on, until there is no link `rel`; the last address."""
    found, last = [], path
    while path:
        page, last = browser.get(path).text, path
        found.append([f"{n:03}" for n in map(int, re.findall(r"Select Oferta (\d+)", page))])
        link = re.search(rf'rel="{rel}" href="([^"]+)"', page)
        path = link.group(1).replace("&amp;", "&") if link else ""
    return found, last


@pytest.mark.parametrize("few", [0, 1_000])
def test_hits_are_paged_both_ways_with_every_filter(
    many: Team, alice: Browser, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R68: without gap or overlap, however the filter is looked up."""
    monkeypatch.setattr(archives, "FEW", few)
    project, company = many.record(many.project), many.record(many.company)

    for query, sizes in (
        ("q=oferta", [50, 3]),
        ("q=oferta&type=projects", [50, 1]),
        (f"q=oferta&record={project}", [50, 1]),
        (f"q=oferta&record={company}", [50, 3]),
        (f"q=zebra&record={company}", [0]),
        ("q=oferta&attached=none", [0]),
    ):
        there, last = pages(alice, f"/email/archives?{query}", "next")
        back, _ = pages(alice, last, "prev")

        assert [len(one) for one in there] == sizes
        assert back[::-1] == there
        subjects = [one for page in there for one in page]
        assert subjects == sorted(set(subjects), reverse=True)


def test_search_and_the_picker_go_back_too(many: Team, alice: Browser) -> None:
    base = f"/records/projects/{many.record(many.project)}/emails"

    for path in ("/search?q=oferta", f"{base}/pick?q=oferta"):
        second = re.search(r'rel="next" href="([^"]+)"', alice.get(path).text)
        assert second
        page = alice.get(second.group(1).replace("&amp;", "&")).text
        first = re.search(r'rel="prev" href="([^"]+)"', page)
        assert first
        again = alice.get(first.group(1).replace("&amp;", "&")).text
        assert re.findall(r"Oferta</mark> (\d+)", again) == re.findall(
            r"Oferta</mark> (\d+)", alice.get(path).text
        )


def test_a_hit_in_an_attachment_says_file_and_page(team: Team, alice: Browser) -> None:
    """R4, R46."""
    file = ("fv <b>.pdf", documents.pdf("Faktura", "Deskowanie stropu"))
    (one,) = team.deliver(documents.mail("Nowa", "Zobacz.", file))
    viewer = team.viewer(team.alice)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=datetime.now(UTC))
    with Reader() as reader:
        read_some(team.store, reader)
    Indexer(team.store).drain()

    page = alice.get("/email/archives?q=deskowania").text

    said = "Found in <bdi>fv &lt;b&gt;.pdf</bdi>, <bdi>page 2</bdi>: <mark>Deskowanie</mark> stropu"
    assert said in page
