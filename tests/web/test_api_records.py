"""Records over the API: pushed by another system, read, listed, put away (R77)."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from app import filing
from app.search.indexer import Indexer
from app.store import audit, records, users
from tests import make
from tests.make import mail
from tests.web.conftest import System, Team

PUSHED = "/records/companies/by-external-id/K-42"
WHOLE = {
    "name": "Zielony Dom",
    "code": "ZD-1",
    "notes": "Kwiaty \U0001f33b",
    "aliases": ["ZD"],
    "addresses": ["biuro@zielony.pl"],
    "domains": ["zielony.pl"],
    "roles": ["foreman"],
    "users": ["alice@firma.pl"],
}


def bulk(system: System, *items: object) -> dict[str, object]:
    answer = system.send("POST", "/records/bulk", {"records": list(items)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_another_system_pushes_a_record_as_often_as_it_likes(team: Team, erp: System) -> None:
    """R77: by an external id; new, changed, the same once more."""
    first = erp.send("PUT", PUSHED, WHOLE)
    changed = erp.send("PUT", PUSHED, {"name": "Zielony Dom sp. z o.o.", "code": None})
    again = erp.send("PUT", PUSHED, {"name": "Zielony Dom sp. z o.o."})

    assert [one.status_code for one in (first, changed, again)] == [201, 200, 200]
    kept = first.json()
    assert {name: kept[name] for name in (*WHOLE, "external_id", "type")} == WHOLE | {
        "external_id": "K-42",
        "type": "companies",
    }
    assert first.headers["location"] == f"/api/v1/records/{kept['id']}"
    assert changed.json() == kept | {"name": "Zielony Dom sp. z o.o."}
    assert again.json() == changed.json()
    assert again.headers["etag"] == changed.headers["etag"] != first.headers["etag"]
    assert audit.latest_verbs(team.store, 2) == ["change record", "create record"]


def test_a_record_is_read_by_its_id_and_by_its_external_id(erp: System) -> None:
    """R77."""
    made = erp.send("PUT", PUSHED, WHOLE)

    by_id = erp.get(f"/records/{made.json()['id']}")
    by_external_id = erp.get(PUSHED)

    assert by_id.json() == by_external_id.json() == made.json()
    assert by_id.headers["etag"] == by_external_id.headers["etag"] == made.headers["etag"]


@pytest.mark.parametrize(
    "external_id",
    ["ZK/12/2025", "a b", "Łódź \U0001f600", "50%", "x" * 200, "by-external-id"],
)
def test_an_external_id_may_hold_anything_on_one_line(erp: System, external_id: str) -> None:
    path = f"/records/companies/by-external-id/{quote(external_id, safe='')}"

    made = erp.send("PUT", path, {"name": "Zielony Dom"})

    assert made.status_code == 201
    assert made.json()["external_id"] == external_id
    assert erp.get(path).json() == made.json()


@pytest.mark.parametrize("external_id", ["", " a", "a ", "a\nb", "a\0b", "x" * 201, "a\u202eb"])
def test_an_external_id_that_could_not_be_kept_is_refused(erp: System, external_id: str) -> None:
    item = {"name": "Zielony Dom", "type": "companies", "external_id": external_id}

    (result,) = bulk(erp, item)["results"]
    put = erp.send("PUT", f"/records/companies/by-external-id/{quote(external_id, safe='')}", WHOLE)

    assert result["problem"]["field"] == "external_id"
    assert put.status_code in (404, 422)


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({}, "name", "missing required field `name`"),
        ({"name": ""}, "name", "Give the record a name."),
        ({"name": "x" * 201}, "name", "at most 200 characters"),
        ({"name": 7}, "name", "Expected `str`, got `int`"),
        ({"name": "A", "colour": 1, "size": 2}, "colour", "Unknown: 'colour', 'size'."),
        ({"name": "A", "domains": ["nodomain"]}, "domains", "is no domain"),
        ({"name": "A", "domains": "zielony.pl"}, "domains", "Expected `array | null`"),
        ({"name": "A", "domains": ["a.pl", 1]}, "domains[1]", "Expected `str`, got `int`"),
        ({"name": "A", "addresses": ["x"]}, "addresses", "is no e-mail address"),
        ({"name": "A", "roles": ["king"]}, "roles", "There is no 'king' among the roles."),
        ({"name": "A", "users": ["eve@firma.pl"]}, "users", "no 'eve@firma.pl' among the users"),
        ({"name": "A", "users": ["bob@firma.pl"]}, "roles", "could not see this record any more"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    team: Team, erp: System, body: object, field: str, reason: str
) -> None:
    answer = erp.send("PUT", PUSHED, body)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in problem["detail"]
    assert problem.get("field") == (field if "missing" not in reason else "body")
    assert problem["title"] == "Unprocessable Entity"
    assert erp.get(PUSHED).status_code == 404


def test_an_unknown_type_says_which_there_are(erp: System) -> None:
    answers = [
        erp.send("PUT", "/records/ships/by-external-id/1", WHOLE),
        erp.get("/records", type="ships"),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["field"] == "type"
        assert "companies, contacts, warehouse, projects" in answer.json()["detail"]
    assert erp.get("/records/ships/by-external-id/1").status_code == 404


def test_the_record_types_are_listed(erp: System) -> None:
    kinds = erp.get("/record-types").json()

    assert [kind["key"] for kind in kinds] == ["companies", "contacts", "warehouse", "projects"]
    assert kinds[0] == {"key": "companies", "singular": "Company", "plural": "Companies"}


def test_a_change_is_refused_where_somebody_was_first(erp: System) -> None:
    headers = {"Authorization": f"Bearer {erp.token}"}
    etag = erp.send("PUT", PUSHED, WHOLE).headers["etag"]
    erp.send("PUT", PUSHED, {"name": "Otherwise"})

    late = erp.request("PUT", PUSHED, json=WHOLE, headers=headers | {"If-Match": etag})
    now = erp.get(PUSHED).headers["etag"]
    fresh = erp.request("PUT", PUSHED, json=WHOLE, headers=headers | {"If-Match": now})
    there = erp.request("PUT", PUSHED, json=WHOLE, headers=headers | {"If-Match": "*"})
    new = erp.request("PUT", f"{PUSHED}x", json=WHOLE, headers=headers | {"If-Match": "*"})

    assert [one.status_code for one in (late, fresh, there, new)] == [412, 200, 200, 412]
    assert "Read it again" in late.json()["detail"]
    assert fresh.headers["etag"] == etag


def test_many_are_pushed_at_once_each_with_its_own_outcome(team: Team, erp: System) -> None:
    """R77."""
    same = {"name": "Zielony Dom", "type": "companies", "external_id": "1"}
    erp.send("PUT", "/records/companies/by-external-id/2", {"name": "Old"})
    erp.send("PUT", "/records/companies/by-external-id/3", {"name": "Stays"})

    done = bulk(
        erp,
        same,
        {"name": "New", "type": "companies", "external_id": "2"},
        {"name": "Stays", "type": "companies", "external_id": "3"},
        {"name": "Nowhere", "type": "ships", "external_id": "4"},
        {"name": "Odd", "type": "companies", "external_id": "5", "colour": "red", "size": 1},
        {"name": "Hidden", "type": "companies", "external_id": "6", "users": ["bob@firma.pl"]},
        {"name": "Taken", "type": "companies", "external_id": "7", "code": "A"},
        {"name": "Taken too", "type": "companies", "external_id": "8", "code": "a"},
        7,
        same | {"name": "Zielony Dom 2"},
    )

    outcomes = [one["outcome"] for one in done["results"]]
    fields = [one["problem"] and one["problem"]["field"] for one in done["results"]]
    assert outcomes == [
        "new", "changed", "unchanged", "refused", "refused", "refused", "new", "refused",
        "refused", "changed",
    ]  # fmt: skip
    assert fields == [None] * 3 + ["type", "colour", "roles", None, "code", "body", None]
    assert (done["new"], done["changed"], done["unchanged"], done["refused"]) == (2, 2, 1, 5)
    kept = erp.get("/records", type="companies", limit=50).json()["records"]
    assert [one["external_id"] for one in kept] == ["", "2", "3", "1", "7"]
    assert records.known_as(team.store, None, "external id", "6", record_type="companies") == []
    assert [one["id"] for one in done["results"] if one["id"]] == [
        kept[3]["id"], kept[1]["id"], kept[2]["id"], kept[4]["id"], kept[3]["id"],
    ]  # fmt: skip


@pytest.mark.parametrize("number", [0, 1001])
def test_too_many_or_none_at_once_are_refused(team: Team, erp: System, number: int) -> None:
    item = {"name": "A", "type": "companies", "external_id": "1"}

    answer = erp.send("POST", "/records/bulk", {"records": [item] * number})

    assert answer.status_code == 422
    assert answer.json()["field"] == "records"
    assert len(erp.get("/records", show="all").json()["records"]) == 3


def test_a_thousand_at_once_are_taken_and_come_in_pages(erp: System) -> None:
    items = [
        {"name": f"Company {n}", "type": "companies", "external_id": str(n)} for n in range(1000)
    ]

    done, pages, cursor = bulk(erp, *items), [], ""
    while (cursor or not pages) and len(pages) < 10:
        pages.append(erp.get("/records", type="companies", limit=200, cursor=cursor).json())
        cursor = pages[-1]["next"]

    listed = [one["external_id"] for page in pages for one in page["records"]]
    assert done["new"] == 1000
    assert [len(page["records"]) for page in pages] == [200] * 5 + [1]
    assert listed == ["", *(str(n) for n in range(1000))]


def test_records_are_found_by_a_part_of_their_name_or_code(erp: System) -> None:
    erp.send("PUT", PUSHED, {"name": "Zażółć 50% gęślą_jaźń", "code": "ZG-7"})

    found = {
        q: [one["external_id"] for one in erp.get("/records", q=q).json()["records"]]
        for q in ("ZAZOLC", "50%", "_jazn", "zg-7", "%%", "K-42", "nothing")
    }

    assert found == {
        "ZAZOLC": ["K-42"],
        "50%": ["K-42"],
        "_jazn": ["K-42"],
        "zg-7": ["K-42"],
        "%%": [],
        "K-42": [],
        "nothing": [],
    }


def test_a_record_is_put_away_and_brought_back(team: Team, erp: System) -> None:
    """R77."""
    made = erp.send("PUT", PUSHED, WHOLE).json()
    page = f"/records/{made['id']}"

    away = [erp.send("POST", f"{page}/archive") for _ in range(2)]
    shown = {show: erp.get("/records", show=show).text for show in ("current", "archived", "all")}
    back = erp.send("POST", f"{page}/restore")

    assert [one.status_code for one in (*away, back)] == [200] * 3
    assert away[0].json()["archived_at"]
    assert back.json() == made
    assert {show: made["id"] in text for show, text in shown.items()} == {
        "current": False,
        "archived": True,
        "all": True,
    }
    assert audit.latest_verbs(team.store, 3) == [
        "restore record",
        "archive record",
        "create record",
    ]


def test_a_record_becomes_part_of_another(team: Team, connect: Callable[..., System]) -> None:
    """R77: for administrators; what was pushed under either id is then the one record."""
    boss = connect(make.user(team.store, "Dora", is_admin=True), "records")
    once = boss.send("PUT", PUSHED, {"name": "Zielony Dom", "domains": ["zielony.pl"]}).json()
    twice = boss.send("PUT", f"{PUSHED}b", {"name": "Zielony Dom SA"}).json()
    path = f"/records/{twice['id']}/merge"
    others = connect(team.alice, "records")

    refused = [
        others.send("POST", path, {"into": once["id"]}),
        boss.send("POST", path, {"into": twice["id"]}),
        boss.send("POST", path, {"into": "aaaaaaaaaaaaa"}),
        boss.send("POST", path, {"into": team.record(team.secret)}),
        boss.send("POST", path, {"onto": once["id"]}),
    ]
    merged = boss.send("POST", path, {"into": once["id"]})

    assert [one.status_code for one in refused] == [403, 422, 404, 404, 422]
    assert refused[2].content == refused[3].content
    assert merged.status_code == 200
    assert merged.json()["id"] == once["id"]
    assert "Zielony Dom SA" in merged.json()["aliases"]
    assert boss.get(f"{PUSHED}b").json() == boss.get(PUSHED).json() == merged.json()
    again = boss.send("PUT", f"{PUSHED}b", {"name": "Zielony Dom"})
    assert (again.status_code, again.json()["id"]) == (200, once["id"])
    assert boss.get(PUSHED).json()["id"] == once["id"]
    assert audit.latest_verbs(team.store, 20).count("merge records") == 1


def test_the_mail_under_a_record_comes_in_pages(team: Team, erp: System) -> None:
    ids = team.deliver(
        *(mail(f"Faktura {n}", message_id=f"<{n}@x>", date=f"Fri, {n} Mar 2024 08:00:00 +0000")
          for n in (1, 8, 15))
    )  # fmt: skip
    viewer, now = team.viewer(team.alice), make.NOW
    for one in ids:
        filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)
    page = f"/records/{team.record(team.company)}/messages"

    first = erp.get(page, limit=2).json()
    rest = erp.get(page, limit=2, cursor=first["next"]).json()

    assert [one["id"] for one in first["messages"] + rest["messages"]] == ids[::-1]
    assert rest["next"] == ""
    assert first["messages"][0]["subject"] == "Faktura 15"
    assert first["messages"][0]["attached_to"][0]["name"] == "Spostex S.A."


def test_a_hidden_record_is_as_one_that_is_missing(
    team: Team, connect: Callable[..., System]
) -> None:
    """R46."""
    alices, charlies = connect(team.alice), connect(team.charlie)
    alices.send("PUT", PUSHED, WHOLE | {"roles": []})
    hidden, missing = team.record(team.secret), "aaaaaaaaaaaaa"
    asked = [
        ("GET", "/records/{}"),
        ("GET", "/records/{}/messages"),
        ("POST", "/records/{}/archive"),
        ("POST", "/records/{}/restore"),
        ("GET", "/records?cursor={}"),
        ("GET", "/records/companies/by-external-id/{}"),
    ]

    for method, path in asked:
        other = "K-42" if "external" in path else hidden
        of_hidden = charlies.send(method, path.format(other))
        of_missing = charlies.send(method, path.format(missing))
        assert of_hidden.status_code in (404, 422)
        assert of_hidden.status_code == of_missing.status_code
        assert of_hidden.content == of_missing.content
        assert of_hidden.headers == of_missing.headers

    listed = charlies.get("/records", show="all").text
    assert "Board" not in listed
    assert "Zielony" not in listed
    assert alices.get(PUSHED).json()["archived_at"] is None


def test_an_external_id_of_a_hidden_record_is_not_taken_over(
    team: Team, connect: Callable[..., System]
) -> None:
    alices, charlies = connect(team.alice), connect(team.charlie)
    made = alices.send("PUT", PUSHED, WHOLE | {"roles": [], "code": ""}).json()

    answer = charlies.send("PUT", PUSHED, {"name": "Mine", "domains": ["evil.example"]})

    assert answer.status_code == 422
    assert answer.json()["field"] == "external_id"
    assert "Zielony" not in answer.text
    assert alices.get(PUSHED).json() == made


def test_what_a_record_is_kept_for_counts_from_the_next_request(
    team: Team, connect: Callable[..., System]
) -> None:
    """R45."""
    alices, bobs = connect(team.alice), connect(team.bob, "read")
    made = alices.send("PUT", PUSHED, WHOLE).json()
    seen = [bobs.get(f"/records/{made['id']}").status_code]

    users.change(team.store, team.bob, name="Bob", is_admin=False, roles=[])
    seen.append(bobs.get(f"/records/{made['id']}").status_code)

    assert seen == [200, 404]


def test_the_names_of_roles_and_people_are_listed(team: Team, erp: System) -> None:
    users.deactivate(team.store, team.charlie, now=make.NOW)

    assert {"name": "foreman"} in erp.get("/roles").json()
    assert erp.get("/users").json() == [
        {"name": "Alice", "email": "alice@firma.pl"},
        {"name": "Bob", "email": "bob@firma.pl"},
    ]


def test_a_pushed_record_is_suggested_for_its_mail(team: Team, erp: System) -> None:
    """R77: what comes over the API is a record like any other."""
    erp.send("PUT", PUSHED, {"name": "Zielony Dom", "domains": ["zielony.pl"]})
    (one,) = team.deliver(mail("Kwiaty", sender="Ewa <ewa@zielony.pl>", text="Zielony Dom"))
    Indexer(team.store).drain()

    found = filing.suggest(team.store, team.viewer(team.alice), team.id_of(one))

    assert found[0].record.external_id == "K-42"
    assert records.known_as(
        team.store, team.viewer(team.bob), "external id", "K-42", record_type="companies"
    )
