"""Record types, for administrators; and where they stand in the navigation."""

import re
from html import unescape

import pytest

from app.store import records
from tests.web.conftest import Browser, Team

NEW = "/record-types/new"


def keys(team: Team) -> list[str]:
    return [kind.key for kind in records.types(team.store)]


@pytest.mark.parametrize("page", ["/record-types", NEW, "/record-types/companies/edit"])
def test_for_others_the_pages_are_not_there(
    alice: Browser, stranger: Browser, admin: Browser, page: str
) -> None:
    assert alice.get(page).status_code == 404
    assert stranger.get(page).headers["location"] == f"/sign-in?next={page}"
    assert admin.get(page).status_code == 200


def test_others_change_nothing(team: Team, alice: Browser) -> None:
    assert alice.post("/record-types", singular="A", plural="B").status_code == 404
    assert alice.post("/record-types/companies/edit", singular="A").status_code == 404
    assert alice.post("/record-types/companies/archive").status_code == 404
    assert alice.post("/record-types/companies/restore").status_code == 404
    assert keys(team) == ["companies", "contacts", "warehouse", "projects"]


def test_an_added_type_is_one_like_the_others(team: Team, admin: Browser, alice: Browser) -> None:
    """R40, R77."""
    admin.post("/record-types", seen_on=NEW, singular="Vehicle", plural="Środki transportu")
    for plural in ("Boats", "Cranes"):
        admin.post("/record-types", seen_on=NEW, singular="X", plural=plural)
    page = "/records/srodki-transportu/new"

    made = alice.post(page, seen_on=page, name="Van KR 1234", access="all")
    text = alice.get("/records/srodki-transportu").text

    assert made.status_code == 303
    assert "Van KR 1234" in text
    assert "More</summary>" in text
    assert 'href="/records/srodki-transportu"' in alice.get("/email/queue").text


def test_few_types_stand_in_the_panel_themselves(admin: Browser, alice: Browser) -> None:
    """R40."""
    admin.post("/record-types", seen_on=NEW, singular="Case", plural="Cases", icon="scales")

    text = alice.get("/email/queue").text

    assert 'href="/records/cases"' in text
    assert "More</summary>" not in text


def test_a_prefix_offers_the_next_code_and_an_icon_stays(admin: Browser, alice: Browser) -> None:
    """R40."""
    sent = {"singular": "Job", "plural": "Jobs", "code_prefix": "prj", "icon": "truck"}
    admin.post("/record-types", seen_on=NEW, **sent)
    page = "/records/jobs/new"
    alice.post(page, seen_on=page, name="Fence", access="all", code="PRJ-41")

    assert 'value="PRJ-42"' in alice.get(page).text
    form = admin.get("/record-types/jobs/edit").text
    assert 'value="PRJ"' in form
    assert 'value="truck" checked' in form


def test_a_type_in_use_is_not_put_away(team: Team, admin: Browser, alice: Browser) -> None:
    admin.post("/record-types", seen_on=NEW, singular="Job", plural="Jobs")
    page = "/records/jobs/new"
    alice.post(page, seen_on=page, name="Fence", access="all")

    refused = admin.post("/record-types/jobs/archive", seen_on="/record-types")

    assert refused.status_code == 422
    assert "1 of them are there" in refused.text
    assert "jobs" in keys(team)


def test_a_type_is_put_away_and_brought_back(team: Team, admin: Browser) -> None:
    admin.post("/record-types", seen_on=NEW, singular="Job", plural="Jobs")

    away = admin.post("/record-types/jobs/archive", seen_on="/record-types")
    text = admin.get("/record-types").text
    is_away = "jobs" not in keys(team)
    back = admin.post("/record-types/jobs/restore", seen_on="/record-types")

    assert (away.status_code, is_away, back.status_code) == (303, True, 303)
    assert "put away" in text
    assert "jobs" in keys(team)
    assert admin.post("/record-types/nothing/archive").status_code == 404
    assert admin.post("/record-types/nothing/restore").status_code == 404
    assert admin.send("/record-types/jobs/archive", {}).status_code == 403


def test_a_renamed_type_keeps_its_address(team: Team, admin: Browser, alice: Browser) -> None:
    page = "/record-types/warehouse/edit"
    version = version_on(admin, page)

    admin.post(page, seen_on=page, version=version, singular="Material", plural="Materials \u200f")

    assert keys(team)[2] == "warehouse"
    assert ">Materials" in alice.get("/email/queue").text
    assert "Materials" in alice.get("/records/warehouse").text


def version_on(admin: Browser, page: str) -> str:
    found = re.search(r'name="version" value="(\w+)"', admin.get(page).text)
    assert found
    return found.group(1)


def test_two_who_rename_a_type_do_not_undo_each_other(team: Team, admin: Browser) -> None:
    page = "/record-types/warehouse/edit"
    version = version_on(admin, page)
    admin.post(page, seen_on=page, version=version, singular="Good", plural="Goods")

    late = admin.post(page, seen_on=page, version=version, singular="Item", plural="Items")

    assert late.status_code == 422
    assert "Goods" in late.text
    assert 'value="Items"' in late.text
    assert records.types(team.store)[2].plural == "Goods"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"code_prefix": "A B"}, "code_prefix"),
        ({"code_prefix": "7"}, "code_prefix"),
        ({"code_prefix": "ABCDEFGHIJK"}, "code_prefix"),
        ({"icon": "<svg>"}, "icon"),
        ({"singular": "", "plural": "Cars"}, "singular"),
        ({"singular": "Car", "plural": ""}, "plural"),
        ({"singular": "x" * 61, "plural": "Cars"}, "singular"),
        ({"singular": "Car", "plural": "x" * 61}, "plural"),
        ({"singular": "Firm", "plural": "COMPANIES"}, "plural"),
        ({"singular": "\u202e", "plural": "Cars"}, "singular"),
    ],
)
def test_a_wrong_name_comes_back(
    team: Team, admin: Browser, sent: dict[str, str], field: str
) -> None:
    sent = {"singular": "Car", "plural": "Cars"} | sent

    answer = admin.post("/record-types", seen_on=NEW, **sent)

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert len(keys(team)) == 4


def test_a_name_without_latin_letters_gets_a_key(team: Team, admin: Browser) -> None:
    admin.post("/record-types", seen_on=NEW, singular="\U0001f69a", plural="\U0001f69a\U0001f69a")

    assert re.fullmatch(r"type-\w{6}", keys(team)[-1])


def test_unknown_types_and_forms_without_token(admin: Browser) -> None:
    assert admin.get("/record-types/nothing/edit").status_code == 404
    assert admin.post("/record-types/nothing/edit", singular="a", plural="b").status_code == 404
    assert admin.send("/record-types", {"singular": "A", "plural": "B"}).status_code == 403


@pytest.mark.parametrize("page", ["/email/queue", "/records/companies"])
def test_the_navigation_has_every_place(alice: Browser, admin: Browser, page: str) -> None:
    """R6, R32, R60."""
    text, for_admins = alice.get(page).text, admin.get(page).text

    for place in ("/email/queue", "/records/companies", "/records/warehouse", "/records/projects"):
        assert f'href="{place}"' in text
    assert 'href="/profile"' in text
    assert "Sign out" in text
    for place in ("/users", "/roles", "/record-types", "/team"):
        assert f'href="{place}"' not in text
        assert f'href="{place}"' in for_admins


@pytest.mark.parametrize("name", ['<i hx-get="/">"Rolls', "Off 10%", "%(num)s", "&lt;"])
def test_a_name_is_neither_html_nor_a_pattern(team: Team, admin: Browser, name: str) -> None:
    """On every page, for it stands in the navigation; and the page that mends it stays open."""
    made = admin.post("/record-types", seen_on=NEW, singular=name, plural=name)

    pages = [
        admin.get(one) for one in ("/email/queue", "/record-types", f"/records/{keys(team)[-1]}")
    ]

    assert made.status_code == 303
    assert [one.status_code for one in pages] == [200] * 3
    assert all(name in unescape(one.text) for one in pages)
    assert "<i hx-get" not in "".join(one.text for one in pages)
