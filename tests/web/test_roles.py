"""Roles, for administrators: made, renamed, and removed where nothing would open."""

from datetime import UTC, datetime

import pytest

from app import filing
from app.model import RoleId
from app.store import users
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team


def names(team: Team) -> set[str]:
    return {role.name for role in users.roles(team.store)}


@pytest.mark.parametrize("page", ["/roles", "/roles/new", "/roles/1/edit"])
def test_for_others_the_pages_are_not_there(
    alice: Browser, stranger: Browser, admin: Browser, page: str
) -> None:
    assert alice.get(page).status_code == 404
    assert stranger.get(page).headers["location"] == f"/sign-in?next={page}"
    assert admin.get(page).status_code == 200


def test_others_change_nothing(team: Team, alice: Browser) -> None:
    before = names(team)

    answers = [
        alice.post("/roles", name="spy"),
        alice.post(f"/roles/{team.foreman}/edit", name="spy", seen="foreman"),
        alice.post(f"/roles/{team.foreman}/remove"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert names(team) == before


def test_the_list_counts_people(admin: Browser) -> None:
    text = admin.get("/roles").text

    assert "foreman" in text
    assert "1 person" in text
    assert "office worker" in text


def test_a_role_is_made_and_renamed(team: Team, admin: Browser) -> None:
    made = admin.post("/roles", seen_on="/roles/new", name="  site   manager \U0001f477 ")
    (role,) = users.role_ids(team.store, ["site manager \U0001f477"])
    page = f"/roles/{role}/edit"
    renamed = admin.post(page, seen_on=page, name="Kierownik", seen="site manager \U0001f477")

    assert made.headers["location"] == renamed.headers["location"] == "/roles?done=saved"
    assert "Kierownik" in names(team)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "Foreman", "\x00\u202e"])
def test_a_wrong_name_comes_back(team: Team, admin: Browser, name: str) -> None:
    before = names(team)

    answer = admin.post("/roles", seen_on="/roles/new", name=name)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert names(team) == before


def test_names_that_differ_in_case_only_are_one_whatever_the_letters(admin: Browser) -> None:
    admin.post("/roles", seen_on="/roles/new", name="Ślusarz")

    assert admin.post("/roles", seen_on="/roles/new", name="ślusarz").status_code == 422


def test_two_who_rename_a_role_do_not_undo_each_other(team: Team, admin: Browser) -> None:
    page = f"/roles/{team.foreman}/edit"
    admin.post(page, seen_on=page, name="gaffer", seen="foreman")

    late = admin.post(page, seen_on=page, name="boss", seen="foreman")

    assert late.status_code == 422
    assert "gaffer" in late.text
    assert 'value="boss"' in late.text
    assert "gaffer" in names(team)


def test_a_role_that_keeps_nothing_can_go_and_its_people_are_named(
    team: Team, admin: Browser
) -> None:
    page = f"/roles/{team.foreman}"

    text = admin.get(f"{page}/edit").text
    answer = admin.post(f"{page}/remove", seen_on=f"{page}/edit")

    assert "1 person has it and loses it." in text
    assert answer.headers["location"] == "/roles?done=removed"
    assert "foreman" not in names(team)
    assert team.viewer(team.bob).roles == frozenset()


def test_a_role_that_keeps_a_record_stays(team: Team, admin: Browser, charlie: Browser) -> None:
    record = make.record(team.store, "Site diary", roles=(team.foreman,))
    page = f"/roles/{team.foreman}"

    text = admin.get(f"{page}/edit").text
    answer = admin.post(f"{page}/remove", seen_on=f"{page}/edit")

    assert "1 record" in text
    assert f"{page}/remove" not in text
    assert answer.status_code == 422
    assert "foreman" in names(team)
    assert charlie.get(f"/records/companies/{team.record(record)}").status_code == 404


def test_a_role_that_keeps_a_message_stays(team: Team, admin: Browser) -> None:
    (one,) = team.deliver(mail())
    filing.file_message(
        team.store,
        team.viewer(team.alice),
        team.id_of(one),
        team.company,
        roles=[team.foreman],
        now=datetime.now(UTC),
    )
    page = f"/roles/{team.foreman}"

    answer = admin.post(f"{page}/remove", seen_on=f"{page}/edit")

    assert answer.status_code == 422
    assert "without one they would be open to everybody" in answer.text


@pytest.mark.parametrize("bad", ["0", "99", "x", "1e3", "9" * 30, "%C2%B2"])
def test_unknown_roles_are_not_found(admin: Browser, bad: str) -> None:
    assert admin.get(f"/roles/{bad}/edit").status_code == 404
    assert admin.post(f"/roles/{bad}/remove").status_code == 404


def test_changes_need_the_form_token(team: Team, admin: Browser) -> None:
    assert admin.send(f"/roles/{team.foreman}/remove", {}).status_code == 403
    assert admin.get(f"/roles/{team.foreman}/remove").status_code == 405
    assert RoleId(team.foreman) in {role.id for role in users.roles(team.store)}
