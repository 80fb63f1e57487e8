"""Merging and deleting records on their pages: preview, "Confirm", and who may."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app import filing
from app.store import records
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team


@pytest.fixture
def other(team: Team) -> int:
    """A second company, with a mail under it that Dora may read."""
    found = make.record(team.store, "Spostex Group", only_for=(team.alice, team.bob))
    (one,) = team.deliver(mail("Beton"))
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(one), found, now=now)
    return found


@pytest.fixture
def boss(team: Team, sit_down: Callable[[str], Browser]) -> Browser:
    """Bob, who administers now."""
    team.store.archive.conn.execute("update users set is_admin = 1 where id = ?", [team.bob])
    return sit_down("bob")


def page_of(team: Team, record: int) -> str:
    return f"/records/companies/{team.record(record)}"


def version_on(text: str) -> str:
    (found,) = re.findall(r'name="version" value="(\w+)"', text)
    return str(found)


def test_a_merge_is_chosen_seen_and_confirmed(team: Team, boss: Browser, other: int) -> None:
    page, kept = page_of(team, other) + "/merge", team.record(team.company)

    choice = boss.get(f"{page}?like=spos").text
    seen = boss.get(f"{page}?into={kept}").text
    done = boss.post(page, seen_on=page, into=kept, version=version_on(seen))

    assert f'value="{kept}"' in choice
    assert f'value="{team.record(other)}"' not in choice
    assert "1 message will become readable for 1 more person." in re.sub(r"\s+", " ", seen)
    assert done.headers["location"].startswith(page_of(team, team.company))
    assert "Beton" in boss.get(page_of(team, team.company) + "/emails").text


def test_records_of_a_like_name_are_offered_first(team: Team, boss: Browser, other: int) -> None:
    make.record(team.store, "Adamski")

    choice = boss.get(page_of(team, other) + "/merge").text

    assert 0 < choice.index("Spostex S.A.</bdi>") < choice.index("Adamski</bdi>")


def test_the_old_address_leads_to_the_new_one(
    team: Team, boss: Browser, charlie: Browser, other: int
) -> None:
    old = page_of(team, team.company)
    page, kept = old + "/merge", team.record(other)
    boss.post(
        page, seen_on=page, into=kept, version=version_on(boss.get(f"{page}?into={kept}").text)
    )

    for tab in ("", "/emails", "/attachments", "/edit"):
        assert boss.get(old + tab).headers["location"] == page_of(team, other)
        assert charlie.get(old + tab).status_code == 404


def test_a_merge_that_was_seen_otherwise_is_shown_again(
    team: Team, boss: Browser, other: int
) -> None:
    page, kept = page_of(team, other) + "/merge", team.record(team.company)

    late = boss.post(page, seen_on=page, into=kept, version="0" * 16)
    gone = boss.post(page, seen_on=page, into="nothing", version="0" * 16)
    itself = boss.get(f"{page}?into={team.record(other)}")

    assert (late.status_code, gone.status_code, itself.status_code) == (422, 422, 422)
    assert "shown anew" in late.text
    assert "not there any more" in gone.text
    assert len(records.every(team.store, [other])) == 1


def test_a_hidden_record_is_neither_offered_nor_told_from_none(
    team: Team, boss: Browser, other: int
) -> None:
    page = page_of(team, other) + "/merge"

    offered = boss.get(f"{page}?like=board&type=projects").text
    hidden = boss.get(f"{page}?into={team.record(team.secret)}")
    missing = boss.get(f"{page}?into=aaaaaaaaaaaaa")

    assert "Board" not in offered
    assert "No record is called so." in offered
    assert hidden.status_code == missing.status_code == 422
    assert hidden.text.replace(boss.token(page), "") == missing.text.replace(boss.token(page), "")


def test_deleting_says_what_goes_back_to_the_queue(team: Team, boss: Browser, other: int) -> None:
    """A18."""
    page = page_of(team, other) + "/delete"
    seen = boss.get(page).text

    late = boss.post(page, seen_on=page, version="0" * 16)
    done = boss.post(page, seen_on=page, version=version_on(seen))

    assert "goes back to the queue" in seen
    assert (late.status_code, done.status_code) == (422, 303)
    assert done.headers["location"].startswith("/records/companies?")
    assert boss.get(page_of(team, other)).status_code == 404
    assert "Spostex Group" not in boss.get("/records/companies").text


@pytest.mark.parametrize("verb", ["merge", "delete"])
def test_for_others_there_is_no_way_to_it(
    team: Team, alice: Browser, charlie: Browser, stranger: Browser, other: int, verb: str
) -> None:
    page = f"{page_of(team, other)}/{verb}"

    assert alice.get(page).status_code == alice.post(page).status_code == 403
    assert charlie.get(page).status_code == charlie.post(page).status_code == 404
    assert stranger.get(page).headers["location"].startswith("/sign-in")
    assert f'href="{page}"' not in alice.get(page_of(team, other)).text


@pytest.mark.parametrize("verb", ["merge", "delete"])
def test_bad_addresses_and_no_token(team: Team, boss: Browser, other: int, verb: str) -> None:
    assert boss.get(f"/records/companies/nothing/{verb}").status_code == 404
    assert boss.get(f"/records/projects/{team.record(other)}/{verb}").status_code == 404
    assert boss.send(f"{page_of(team, other)}/{verb}", {}).status_code == 403
    assert len(records.every(team.store, [other])) == 1
