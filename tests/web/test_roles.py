"""Roles, for administrators: made, renamed, and removed where nothing would open."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app import filing, people
from app.model import PublicId, RecordId, RoleId
from app.search import search_messages
from app.search.indexer import Indexer
from app.store import accounts, users, visibility
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


def keep(team: Team, role: RoleId, *, record: RecordId | None = None) -> PublicId:
    """Alice archives a mail of her own mailbox for a role."""
    own = next(
        (one for one in accounts.all_accounts(team.store) if one.address == "alice@firma.pl"), None
    ) or make.account(team.store, team.alice, address="alice@firma.pl")
    before = set(make.message_ids(team.store))
    number = len(before) + 1
    make.deliver(
        team.store, own, mail(message_id=f"<{number}@x>", text=str(number)), first_uid=number
    )
    (one,) = set(make.message_ids(team.store)) - before
    filing.file_message(
        team.store,
        team.viewer(team.alice),
        one,
        record or team.company,
        roles=[role] if record is None else (),
        now=datetime.now(UTC),
    )
    return make.public_id(team.store, one)


def told(text: str) -> list[str]:
    """What the preview says of each person."""
    part = text[text.index('id="means"') : text.index("/remove")]
    items = re.findall(r"<li>(.*?)</li>", part, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", item).split()) for item in items]


def test_the_preview_says_who_reads_more_and_who_less(
    team: Team, admin: Browser, sit_down: Callable[[str], Browser]
) -> None:
    """R46: by the one rule; a message by its role, and one by its record's."""
    board = make.role(team.store, "board")
    make.user(team.store, "Ewa", roles=(board,))
    make.user(team.store, "Fred", roles=(board, team.foreman))
    diary = make.record(team.store, "Site diary", roles=(team.foreman,), only_for=(team.alice,))
    kept = [keep(team, team.foreman), keep(team, team.foreman, record=diary)]
    page = f"/roles/{team.foreman}"
    bob = sit_down("bob")
    read_before = [bob.get(f"/email/messages/{one}").status_code for one in kept]

    text = admin.get(f"{page}/edit?in_its_place={board}").text
    shown = told(text)
    answer = admin.post(f"{page}/remove", seen_on=f"{page}/edit", in_its_place=str(board))

    assert shown == [
        "Bob: could not read 2 messages any more",
        "Ewa: could read 2 messages more",
    ]
    assert read_before == [200, 200]
    assert [bob.get(f"/email/messages/{one}").status_code for one in kept] == [404, 404]
    assert answer.headers["location"] == "/roles?done=removed"
    ewa = team.viewer(people.find_user(team.store, "ewa@firma.pl").id)
    ids = make.message_ids(team.store)
    assert visibility.readable(team.store, ewa, ids) == set(ids)


def test_removing_a_role_never_opens_what_was_kept_for_it(
    team: Team, admin: Browser, charlie: Browser
) -> None:
    """R46: neither by the form without a choice nor with a wrong one."""
    one = keep(team, team.foreman)
    page = f"/roles/{team.foreman}"

    answers = [
        admin.post(f"{page}/remove", seen_on=f"{page}/edit", in_its_place=place)
        for place in ("", "0", "x", "99", str(team.foreman))
    ]

    assert [answer.status_code for answer in answers] == [422] * 5
    assert "foreman" in names(team)
    assert charlie.get(f"/email/messages/{one}").status_code == 404


def test_what_is_found_follows_the_role_that_was_put_in_its_place(
    team: Team, admin: Browser
) -> None:
    board = make.role(team.store, "board")
    ewa = make.user(team.store, "Ewa", roles=(board,))
    keep(team, team.foreman)
    Indexer(team.store).drain()

    people.remove_role(
        team.store, team.foreman, in_its_place=board, by=team.alice, now=datetime.now(UTC)
    )
    Indexer(team.store).drain()

    assert search_messages(team.store, team.viewer(ewa), "beton").total == 1
    assert search_messages(team.store, team.viewer(team.bob), "beton").total == 0


@pytest.mark.parametrize("name", ["fórëman", "FOREMAN\u200f", "fore\u200bman", "\uff46oreman"])
def test_names_that_look_alike_are_one(team: Team, admin: Browser, name: str) -> None:
    answer = admin.post("/roles", seen_on="/roles/new", name=name)

    assert answer.status_code == 422
    assert "There is a role" in answer.text


@pytest.mark.parametrize("name", ["\u200f", "\u200b\u200d", "\ufe0f"])
def test_a_name_that_nobody_would_see_is_none(admin: Browser, name: str) -> None:
    assert admin.post("/roles", seen_on="/roles/new", name=name).status_code == 422


def test_names_with_emoji_and_from_right_to_left_stand_in_their_own_direction(
    team: Team, admin: Browser
) -> None:
    admin.post("/roles", seen_on="/roles/new", name="\u202eאבי \U0001f477\u200d\u2640\ufe0f <i>")

    assert "<bdi>אבי \U0001f477\u200d\u2640\ufe0f &lt;i&gt;</bdi>" in admin.get("/roles").text


def test_the_number_of_a_role_that_is_gone_is_not_given_again(team: Team) -> None:
    last = make.role(team.store, "last")
    people.remove_role(team.store, last, by=team.alice, now=datetime.now(UTC))

    assert make.role(team.store, "new") > last
