"""The team itself, for administrators."""

import re

import pytest

from app.model import Team as OwnTeam
from app.store import audit
from app.store import team as teams
from tests.web.conftest import Browser, Team


def save(admin: Browser, **changed: str) -> object:
    found = re.search(r'name="version" value="(\w+)"', admin.get("/team").text)
    assert found
    fields = {"version": found.group(1), "names": "Kowalczyk", "language": "en"} | changed
    return admin.post("/team", seen_on="/team", **fields)


def test_for_others_the_page_is_not_there(
    team: Team, alice: Browser, stranger: Browser, admin: Browser
) -> None:
    before = teams.get(team.store)

    assert alice.get("/team").status_code == 404
    assert alice.post("/team", names="Mine", language="en").status_code == 404
    assert stranger.get("/team").headers["location"] == "/sign-in?next=/team"
    assert admin.get("/team").status_code == 200
    assert teams.get(team.store) == before


def test_the_team_is_saved(team: Team, admin: Browser) -> None:
    answer = save(
        admin,
        names="Kowalczyk Budownictwo\r\nKowalczyk\r\n\r\nKowalczyk",
        domains="Kowalczyk.example\r\n@kb.example",
        language="pl",
        time_zone="Europe/Warsaw",
    )

    assert answer.headers["location"] == "/team?done=saved"
    assert teams.get(team.store) == OwnTeam(
        ("Kowalczyk Budownictwo", "Kowalczyk"),
        ("kowalczyk.example", "kb.example"),
        "pl",
        "Europe/Warsaw",
    )
    assert audit.latest_verbs(team.store, 1) == ["set team"]


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"names": "x" * 201}, "of at most 200 characters each", "names"),
        ({"names": "\n".join(map(str, range(21)))}, "At most 20 names", "names"),
        ({"domains": "kowalczyk"}, "is no domain", "domains"),
        ({"domains": "x" * 300 + ".pl"}, "is no domain", "domains"),
        ({"domains": "\n".join(f"d{n}.pl" for n in range(51))}, "At most 50 domains", "domains"),
        ({"language": ""}, "Choose a language", "language"),
        ({"language": "xx"}, "Choose a language", "language"),
        ({"time_zone": "Mars/Base"}, "is no time zone", "time_zone"),
    ],
)
def test_a_wrong_field_comes_back_with_the_rest(
    team: Team, admin: Browser, fields: dict[str, str], reason: str, field: str
) -> None:
    before = teams.get(team.store)

    answer = save(admin, **fields)

    assert answer.status_code == 422
    assert reason in answer.text
    assert f'id="{field}-error"' in answer.text
    assert teams.get(team.store) == before


def test_two_who_save_the_team_do_not_undo_each_other(team: Team, admin: Browser) -> None:
    found = re.search(r'name="version" value="(\w+)"', admin.get("/team").text)
    assert found
    save(admin, names="First")

    late = save(admin, version=found.group(1), names="Second")

    assert late.status_code == 422
    assert "First" in late.text
    assert "Second</textarea>" in late.text
    assert teams.get(team.store).names == ("First",)


def test_the_form_needs_its_token(admin: Browser) -> None:
    assert admin.send("/team", {"names": "X", "language": "en"}).status_code == 403
    assert admin.request("PUT", "/team").status_code in (403, 405)
