"""A record that an administrator does not see: he sees whom it is kept for, and lets people in."""

import pytest

from app.store import audit, records, users
from tests.web.conftest import Browser, Team


def page_of(team: Team) -> str:
    return f"/audit/records/{team.record(team.secret)}"


def id_of(team: Team, name: str) -> str:
    return users.by_email(team.store, f"{name}@firma.pl").public_id


def test_an_administrator_sees_whom_it_is_kept_for_and_not_what_it_is(
    team: Team, admin: Browser
) -> None:
    """R78."""
    text = admin.get(page_of(team)).text

    assert "Alice" in text
    assert "Board" not in text
    assert f'href="{page_of(team)}"' in admin.get("/audit").text


def test_letting_oneself_in_is_possible_and_on_record(team: Team, admin: Browser) -> None:
    """R78: from the next request on, beside those who were there."""
    address = f"/records/projects/{team.record(team.secret)}"
    before = admin.get(address).status_code

    answer = admin.post(page_of(team), seen_on=page_of(team), people=id_of(team, "dora"))

    assert (before, answer.status_code) == (404, 303)
    assert "Board" in admin.get(address).text
    (record,) = records.every(team.store, [team.secret])
    assert set(record.users) == {team.alice, users.by_email(team.store, "dora@firma.pl").id}
    assert audit.latest_verbs(team.store, 1) == ["change record access"]
    assert "changed who sees" in admin.get("/audit").text


def test_for_others_it_is_not_there(team: Team, alice: Browser, stranger: Browser) -> None:
    page = page_of(team)

    assert alice.get(page).status_code == 404
    assert alice.post(page, people=id_of(team, "bob")).status_code == 404
    assert stranger.get(page).headers["location"] == f"/sign-in?next={page}"
    assert records.every(team.store, [team.secret])[0].users == (team.alice,)


@pytest.mark.parametrize("people", [[], ["aaaaaaaaaaaaa"], ["\x00"]])
def test_a_wrong_choice_comes_back(team: Team, admin: Browser, people: list[str]) -> None:
    answer = admin.post(page_of(team), seen_on=page_of(team), people=people)

    assert answer.status_code == 422
    assert "Choose" in answer.text
    assert records.every(team.store, [team.secret])[0].users == (team.alice,)


def test_one_that_all_see_one_that_is_missing_and_the_form_s_token(
    team: Team, admin: Browser
) -> None:
    assert admin.get(f"/audit/records/{team.record(team.company)}").status_code == 404
    assert admin.get("/audit/records/aaaaaaaaaaaaa").status_code == 404
    assert admin.send(page_of(team), {"people": id_of(team, "dora")}).status_code == 403
    assert admin.request("PUT", page_of(team)).status_code == 405
