"""Users, for administrators: the list, inviting, changing, keeping out and letting in."""

import re
from datetime import UTC, datetime

import pytest

from app import people
from app.store import audit, sessions, users
from tests import make
from tests.web.conftest import ORIGIN, PASSWORD, Browser, Team

PAGES = ["/users", "/users/new"]
OF_BOB = ["edit", "link", "deactivate", "reactivate"]


def bob_page(team: Team, what: str = "edit") -> str:
    return f"/users/{users.get(team.store, team.bob).public_id}/{what}"


def link_on(text: str) -> str:
    found = re.search(rf'value="{ORIGIN}(/sign-in/[\w-]+)"', text)
    assert found
    return found.group(1)


def version_on(admin: Browser, page: str) -> str:
    found = re.search(r'name="version" value="(\w+)"', admin.get(page).text)
    assert found
    return found.group(1)


@pytest.mark.parametrize("page", PAGES)
def test_for_others_the_pages_are_not_there(
    alice: Browser, stranger: Browser, admin: Browser, page: str
) -> None:
    missing = alice.get("/records/companies/aaaaaaaaaaaaa")

    assert alice.get(page).status_code == 404
    assert alice.get(page).text == missing.text
    assert stranger.get(page).headers["location"] == f"/sign-in?next={page}"
    assert admin.get(page).status_code == 200


@pytest.mark.parametrize("what", OF_BOB)
def test_others_change_nothing(team: Team, alice: Browser, stranger: Browser, what: str) -> None:
    page = bob_page(team, what)

    assert alice.post(page, name="Robert", is_admin="1").status_code == 404
    assert stranger.send(page, {}).headers["location"] == "/sign-in"
    assert users.get(team.store, team.bob).name == "Bob"
    assert users.get(team.store, team.bob).deactivated_at is None


def test_others_cannot_invite(team: Team, alice: Browser) -> None:
    answer = alice.post("/users", email="eve@firma.pl", name="Eve", is_admin="1")

    assert answer.status_code == 404
    assert len(users.every(team.store)) == 3


def test_the_list_says_who_is_what(team: Team, admin: Browser) -> None:
    make.user(team.store, "Ewa")

    text = admin.get("/users").text

    for word in ("Alice", "bob@firma.pl", "foreman", "Administrator", "Last seen", "(you)"):
        assert word in text
    assert "invited, link has expired" in text


def test_an_invitation_shows_its_link_once(team: Team, admin: Browser, stranger: Browser) -> None:
    answer = admin.post(
        "/users",
        seen_on="/users/new",
        email="Ewa@Firma.pl",
        name="Ewa \U0001f477",
        roles=str(team.foreman),
    )
    link = link_on(answer.text)
    stranger.post(link, seen_on=link, password=PASSWORD, again=PASSWORD)

    assert answer.status_code == 200
    assert "Letterbook sends no mail" in answer.text
    assert link not in admin.get("/users").text
    assert stranger.get("/email/queue").status_code == 200
    ewa = people.viewer_for(team.store, "ewa@firma.pl")
    assert (ewa.roles, ewa.is_admin) == ({team.foreman}, False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"email": "", "name": "Ewa"}, "Type the e-mail address."),
        ({"name": "Ewa"}, "Type the e-mail address."),
        ({"email": "ewa", "name": "Ewa"}, "is no e-mail address"),
        ({"email": "BOB@firma.pl", "name": "Bob"}, "is a user already"),
        ({"email": "ewa@firma.pl"}, "Type a name."),
        ({"email": "ewa@firma.pl", "name": "\u202e\x07 "}, "Type a name."),
        ({"email": "ewa@firma.pl", "name": "x" * 201}, "at most 200 characters"),
        ({"email": "ewa@firma.pl", "name": "E", "roles": "99"}, "not there any more"),
        ({"email": "ewa@firma.pl", "name": "E", "roles": ["1", "x"]}, "not there any more"),
    ],
)
def test_a_wrong_invitation_comes_back(
    team: Team, admin: Browser, fields: dict[str, str], reason: str
) -> None:
    answer = admin.post("/users", seen_on="/users/new", **fields)

    assert answer.status_code == 422
    assert reason in answer.text
    assert "<title>Error:" in answer.text
    assert len(users.every(team.store)) == 4


def test_a_change_counts_from_the_next_request(team: Team, admin: Browser) -> None:
    page = bob_page(team)
    version = version_on(admin, page)

    answer = admin.post(page, seen_on=page, version=version, name="Bob Wilk", is_admin="1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/users?done=saved")
    assert team.viewer(team.bob).is_admin
    assert team.viewer(team.bob).roles == frozenset()
    assert users.get(team.store, team.bob).name == "Bob Wilk"


def test_two_who_save_the_same_person_do_not_undo_each_other(team: Team, admin: Browser) -> None:
    page = bob_page(team)
    version = version_on(admin, page)
    admin.post(page, seen_on=page, version=version, name="Robert", roles=str(team.foreman))

    late = admin.post(page, seen_on=page, version=version, name="Bobby", is_admin="1")
    newer = re.search(r'name="version" value="(\w+)"', late.text)
    assert newer
    kept = users.get(team.store, team.bob).name
    again = admin.post(page, seen_on=page, version=newer.group(1), name="Bobby")

    assert late.status_code == 422
    assert "Robert" in late.text
    assert 'value="Bobby"' in late.text
    assert kept == "Robert"
    assert again.status_code == 303
    assert users.get(team.store, team.bob).name == "Bobby"


def test_the_last_administrator_stays_one(team: Team, admin: Browser) -> None:
    dora = people.find_user(team.store, "dora@firma.pl")
    page = f"/users/{dora.public_id}/edit"
    version = version_on(admin, page)

    answer = admin.post(page, seen_on=page, version=version, name="Dora")

    assert answer.status_code == 422
    assert "This is the last administrator." in answer.text
    assert team.viewer(dora.id).is_admin


def test_nobody_shuts_himself_out(team: Team, admin: Browser) -> None:
    dora = people.find_user(team.store, "dora@firma.pl")
    page = f"/users/{dora.public_id}"

    answer = admin.post(f"{page}/deactivate", seen_on=f"{page}/edit")

    assert answer.status_code == 422
    assert "You cannot shut yourself out." in answer.text
    assert f'action="{page}/deactivate"' not in admin.get(f"{page}/edit").text


def test_a_deactivated_person_is_out_at_once_and_may_come_back(
    team: Team, admin: Browser, stranger: Browser
) -> None:
    stranger.cookies.set("letterbook", team.tokens["bob"])
    before = stranger.get("/email/queue").status_code

    admin.post(bob_page(team, "deactivate"), seen_on=bob_page(team))
    during = stranger.get("/email/queue").status_code
    listed = admin.get("/users").text
    admin.post(bob_page(team, "reactivate"), seen_on=bob_page(team))

    assert (before, during) == (200, 303)
    assert "deactivated" in listed
    assert users.get(team.store, team.bob).deactivated_at is None
    assert sessions.of_user(team.store, team.bob, since=datetime(2020, 1, 1, tzinfo=UTC)) == []


def test_a_new_link_voids_the_one_before(team: Team, admin: Browser, stranger: Browser) -> None:
    first = link_on(admin.post(bob_page(team, "link"), seen_on=bob_page(team)).text)
    second = link_on(admin.post(bob_page(team, "link"), seen_on=bob_page(team)).text)

    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200


def test_no_link_for_somebody_who_is_kept_out(team: Team, admin: Browser) -> None:
    admin.post(bob_page(team, "deactivate"), seen_on=bob_page(team))

    assert admin.post(bob_page(team, "link"), seen_on=bob_page(team)).status_code == 303


@pytest.mark.parametrize("bad", ["x", "aaaaaaaaaaaaa", "%00", "<b>"])
def test_unknown_people_are_not_found(admin: Browser, bad: str) -> None:
    assert admin.get(f"/users/{bad}/edit").status_code == 404
    assert admin.post(f"/users/{bad}/link").status_code == 404


def test_changes_need_the_form_token(team: Team, admin: Browser) -> None:
    assert admin.send("/users", {"email": "e@firma.pl", "name": "E"}).status_code == 403
    assert admin.send(bob_page(team, "deactivate"), {}).status_code == 403
    assert admin.get(bob_page(team, "deactivate")).status_code == 405


def test_changes_are_in_the_audit(team: Team, admin: Browser) -> None:
    """R69."""
    admin.post(bob_page(team, "deactivate"), seen_on=bob_page(team))
    admin.post(bob_page(team, "reactivate"), seen_on=bob_page(team))

    verbs = audit.latest_verbs(team.store, 2)

    assert verbs == ["reactivate user", "deactivate user"]


def test_names_stand_in_their_own_direction(team: Team, admin: Browser) -> None:
    admin.post("/users", seen_on="/users/new", email="a@firma.pl", name="\u200fאבי <b>")

    assert "<bdi>\u200fאבי &lt;b&gt;</bdi>" in admin.get("/users").text


def test_who_gives_up_his_own_right_is_led_out(team: Team, admin: Browser) -> None:
    dora = people.find_user(team.store, "dora@firma.pl")
    page = bob_page(team)
    admin.post(page, seen_on=page, version=version_on(admin, page), name="Bob", is_admin="1")
    page = f"/users/{dora.public_id}/edit"

    answer = admin.post(page, seen_on=page, version=version_on(admin, page), name="Dora")

    assert answer.headers["location"] == "/profile?done=saved"
    assert admin.get("/users").status_code == 404
