"""What a record is called: of any script, safely, and asked about where it is taken."""

from tests.web.conftest import Browser, Team

NEW = "/records/companies/new"


def test_each_wrong_field_has_its_own_error(alice: Browser) -> None:
    sent = {"name": " \u200b", "addresses": "ann", "domains": "x y", "external_id": "9" * 201}

    answer = alice.post(NEW, seen_on=NEW, access="all", **sent)

    assert answer.status_code == 422
    for field in sent:
        assert f'id="{field}-error"' in answer.text


def test_a_name_of_any_script_is_shown_safely(alice: Browser) -> None:
    page = alice.post(
        NEW, seen_on=NEW, name="\U0001f3d7\ufe0f \u202eשלום<b>\u2066 \x07", access="all"
    )

    text = alice.get(page.headers["location"]).text
    assert "<bdi>\U0001f3d7\ufe0f שלום&lt;b&gt;</bdi>" in text


def test_a_taken_name_does_not_tell_of_a_hidden_record(team: Team, charlie: Browser) -> None:
    page = "/records/projects/new"

    answer = charlie.post(page, seen_on=page, name="board", access="all")

    assert answer.status_code == 303


def test_a_name_that_is_taken_is_asked_about(team: Team, alice: Browser) -> None:
    other = f"/records/companies/{team.record(team.company)}"

    asked = alice.post(NEW, seen_on=NEW, name="SPOSTEX s.a.", access="all")
    saved = alice.post(NEW, seen_on=NEW, name="SPOSTEX s.a.", access="all", same_name="1")

    assert asked.status_code == 422
    assert f'href="{other}"' in asked.text
    assert 'name="same_name"' in asked.text
    assert saved.status_code == 303
