"""Who may use the API, for every route that there is; and what is sent to it in bad faith."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.plugins.htmx import HTMXPlugin
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from app import people
from app.main import create_app
from app.settings import Settings
from app.store import api_tokens
from app.web import api_routes
from app.web.api import NEEDS
from tests import make
from tests.make import mail
from tests.web.conftest import ORIGIN, Browser, System, Team

API = "/api/v1"
APP = Litestar(
    [api_routes.router], plugins=[HTMXPlugin()], openapi_config=None, logging_config=None
)
ROUTES = [
    (method, route.path.removeprefix(API), handler.opt[NEEDS])
    for route in APP.routes
    if isinstance(route, HTTPRoute) and not route.path.endswith("/schema")
    for handler in route.route_handlers
    for method in sorted(handler.http_methods)
    if method != "OPTIONS"
]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
TOKEN_HEADERS = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Basic YWxpY2U6eA=="},
    {"Authorization": "Bearer lbk_wrong"},
    {"Authorization": "Bearer " + "x" * 10_000},
    {"Authorization": b"Bearer \xc5\x82\xff"},
]


def path_of(route: str) -> str:
    """A route's address with parameters that stand for nothing."""
    for name, value in (
        ("{record_type:str}", "companies"),
        ("{external_id:path}", "K-42"),
        ("{part:int}", "1"),
        ("{message_id:str}", "aaaaaaaaaaaaa"),
        ("{record_id:str}", "aaaaaaaaaaaaa"),
    ):
        route = route.replace(name, value)
    assert "{" not in route
    return route


def test_there_are_routes() -> None:
    assert len(ROUTES) >= 17
    assert all(set(needed) <= set(people.SCOPES) and needed for _, _, needed in ROUTES)


@pytest.mark.parametrize("scope", people.SCOPES)
def test_each_route_takes_only_the_scopes_that_it_names(
    team: Team, connect: Callable[..., System], scope: str
) -> None:
    system = connect(team.alice, scope)

    for method, route, needed in ROUTES:
        answer = system.send(method, path_of(route), {} if method in ("POST", "PUT") else None)
        if scope in needed:
            assert answer.status_code not in (401, 403, 405, 500), (method, route)
            continue
        one_of = " or ".join(needed)
        assert answer.status_code == 403, (method, route)
        assert answer.json()["scope"] == one_of
        assert f"it needs the scope {one_of}, and has {scope}" in answer.json()["detail"]
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert f'scope="{" ".join(needed)}"' in answer.headers["www-authenticate"]


def test_without_a_good_token_nothing_answers(erp: System) -> None:
    for headers in TOKEN_HEADERS:
        answer = erp.request("GET", "/roles", headers=headers)
        assert answer.status_code == 401, headers
        assert answer.headers["www-authenticate"].startswith('Bearer realm="Letterbook"')
        assert answer.headers["content-type"] == "application/problem+json"
        assert "profile" in answer.json()["detail"].lower()


def test_no_route_is_open(erp: System) -> None:
    for method, route, _ in ROUTES:
        answer = erp.request(method, path_of(route), headers={})
        assert answer.status_code == 401, (method, route)


def test_wrong_expired_revoked_and_orphaned_tokens_are_one_answer(
    team: Team, connect: Callable[..., System]
) -> None:
    wrong, expired, revoked = (connect(team.alice) for _ in range(3))
    orphaned = connect(team.bob)
    good = [one.get("/roles").status_code for one in (wrong, expired, revoked, orphaned)]
    last, middle, _ = api_tokens.of_user(team.store, team.alice)
    now = datetime.now(UTC)
    wrong.token += "x"
    team.store.archive.conn.execute(
        "update api_tokens set expires_at = ? where id = ?", [int(now.timestamp()), middle.id]
    )
    people.revoke_token(team.store, team.viewer(team.alice), last.public_id, now=now)
    people.deactivate_user(team.store, team.bob, by=None, now=now)

    answers = [one.get("/roles") for one in (wrong, expired, revoked, orphaned)]

    assert good == [200] * 4
    assert {one.status_code for one in answers} == {401}
    assert len({one.content for one in answers}) == 1
    assert len({str(sorted(one.headers.items())) for one in answers}) == 1
    assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]


def test_too_many_wrong_tokens_are_told_to_wait(erp: System) -> None:
    headers = {"Authorization": "Bearer lbk_wrong"}
    codes = [
        erp.request("GET", "/roles", headers=headers).status_code
        for _ in range(people.MOST_FAILURES["token"])
    ]

    late = erp.request("GET", "/roles", headers=headers)

    assert set(codes) == {401}
    assert late.status_code == 429
    assert late.headers["retry-after"] == "900"
    assert late.headers["content-type"] == "application/problem+json"
    assert erp.get("/roles").status_code == 200


def test_a_session_opens_no_api_and_a_token_no_page(
    team: Team, erp: System, alice: Browser, stranger: Browser
) -> None:
    assert alice.get(f"{API}/roles").status_code == 401
    assert alice.get("/email/queue").status_code == 200

    headers = {"Authorization": f"Bearer {erp.token}"}
    for page in ("/email/queue", "/profile", "/search?q=x", "/users"):
        answer = stranger.get(page, headers=headers)
        assert answer.headers["location"].startswith("/sign-in")
    assert stranger.send("/profile", {"name": "x"}, **headers).headers["location"] == "/sign-in"


def test_a_token_in_an_address_is_none(erp: System) -> None:
    for asked in ("access_token={}", "token={}", "authorization=Bearer%20{}"):
        path = f"/roles?{asked.format(erp.token)}"
        assert erp.request("GET", path, headers={}).status_code == 401, asked


def test_every_answer_is_for_the_caller_only(erp: System) -> None:
    origin = {"Authorization": f"Bearer {erp.token}", "Origin": "https://evil.example"}
    answers = [
        erp.request("GET", "/roles", headers=origin),
        erp.request("OPTIONS", "/roles", headers=origin),
        erp.request("GET", "/roles", headers={"Origin": "https://evil.example"}),
        erp.request("GET", "/nothing", headers=origin),
        erp.request("GET", "/schema", headers=origin),
        erp.request("PATCH", "/roles", headers=origin),
    ]

    assert [one.status_code for one in answers] == [200, 204, 401, 404, 200, 405]
    for one in answers:
        assert one.headers["cache-control"] == "private, no-store"
        assert one.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in one.headers["content-security-policy"]
        assert not [name for name in one.headers if name.startswith("access-control")]
        assert "set-cookie" not in one.headers


def test_a_wrong_method_says_which_there_are(erp: System) -> None:
    allowed: dict[str, set[str]] = {}
    for method, route, _ in ROUTES:
        allowed.setdefault(path_of(route), {"OPTIONS"}).add(method)

    for path, methods in allowed.items():
        for method in METHODS:
            if method not in methods and path != "/records/bulk":
                answer = erp.send(method, path)
                assert answer.status_code == 405, (method, path)
                assert set(answer.headers["allow"].split(", ")) == methods
                assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_not_there_is_a_problem_document(erp: System) -> None:
    for path in ("", "/", "/nothing", "/records/a/b/c/d", "/schema/x"):
        answer = erp.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"] == "Not Found"


def deep(depth: int) -> bytes:
    return b'{"records":' + b"[" * depth + b"]" * depth + b"}"


BAD_BODIES = [
    (b"", 422),
    (b"{", 400),
    (b"nonsense", 400),
    (b"\xff\xfe{}", 400),
    (b'{"records": [1}', 400),
    (b"null", 422),
    (b"[]", 422),
    (b"7", 422),
    (b'"records"', 422),
    (b'{"records": {}}', 422),
    (b'{"records": [[]], "more": 1}', 422),
    (b'{"records": ["\\ud800"]}', 400),
    (b'{"records": ["\\udc00\\ud800"]}', 400),
    (b'{"records": [1e999]}', 400),
    (deep(100_000), 400),
    (b'{"a":' * 50_000, 400),
    (b'{"records": ["' + b"x" * 4_000_000 + b'"]}', 413),
    (b" " * 10_000_000, 413),
]


def test_a_bad_body_is_refused(erp: System) -> None:
    headers = {"Authorization": f"Bearer {erp.token}", "Content-Type": "application/json"}
    for body, status in BAD_BODIES:
        answer = erp.request("POST", "/records/bulk", content=body, headers=headers)
        assert answer.status_code == status, body[:50]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


def test_a_body_without_a_length_ends_at_the_limit(erp: System) -> None:
    headers = {"Authorization": f"Bearer {erp.token}", "Content-Type": "application/json"}
    read = []

    def endless() -> Iterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield b" " * 100_000

    answer = erp.request("POST", "/records/bulk", content=endless(), headers=headers)

    assert answer.status_code == 413


def test_only_json_is_taken(erp: System) -> None:
    path = "/records/companies/by-external-id/1"
    for sent in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"):
        headers = {"Authorization": f"Bearer {erp.token}", "Content-Type": sent}
        answer = erp.request("PUT", path, content=b'{"name": "A"}', headers=headers)
        assert answer.status_code == 415, sent
        assert "Content-Type: application/json" in answer.json()["detail"]
    assert erp.get(path).status_code == 404


def test_signs_that_mean_nothing_are_not_kept(erp: System) -> None:
    for number, sign in enumerate(("\0", "\u202e", "\x07", "\n")):
        path = f"/records/companies/by-external-id/{number}"
        made = erp.send("PUT", path, {"name": f"Dom {number}{sign} x", "notes": f"a{sign}b"})
        assert made.json()["name"] == f"Dom {number} x"
        assert "\0" not in erp.get(path).json()["notes"]


BAD_PARAMETERS = [
    "/records?limit=0",
    "/records?limit=201",
    "/records?limit=x",
    "/records?show=none",
    "/records?cursor=aaaaaaaaaaaaa",
    f"/records?q={'x' * 201}",
    "/search",
    "/search?q=",
    f"/search?q={'x' * 1001}",
    "/search?q=x&limit=9999999999999999999999",
    "/search?q=x&sort=best",
    f"/search?q=x&cursor={'x' * 101}",
]


def test_a_parameter_that_is_wrong_is_named(erp: System) -> None:
    for path in BAD_PARAMETERS:
        answer = erp.get(path)
        field = answer.json()["field"]
        assert answer.status_code == 422, path
        assert f"{field}=" in path or (path, field) == ("/search", "q")


def test_odd_addresses_are_missing(erp: System) -> None:
    for path in (
        "/messages/%00",
        "/messages/%ff%fe",
        "/messages/" + "x" * 5000,
        "/messages/aaaaaaaaaaaaa/parts/-1",
        "/messages/aaaaaaaaaaaaa/parts/99999999999999999999999",
        "/records/%ED%A0%80",
        "/records/companies/by-external-id/%00",
        "/records/%F0%9F%98%80/by-external-id/1",
    ):
        assert erp.get(path).status_code == 404, path


def test_no_token_crosses_the_network_in_the_clear(team: Team, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    _, token = people.create_token(
        team.store, team.alice, name="ERP", scopes=["read"], days=1, now=now
    )
    headers = {"Authorization": f"Bearer {token}"}
    codes = []
    for host in ("http://archive.firma.pl", "https://archive.firma.pl"):
        settings = Settings.from_env({}, data=tmp_path / "data", public_url=host)
        with TestClient(create_app(settings), base_url=host) as client:
            codes.append(client.get(f"{API}/roles", headers=headers).status_code)

    assert codes == [403, 200]


def test_before_the_team_is_set_up_the_api_is_shut(settings: Settings) -> None:
    with TestClient(create_app(settings), base_url=ORIGIN) as client:
        assert client.get(f"{API}/roles").status_code == 401
        assert client.get(f"{API}/schema").status_code == 200


def test_a_page_in_trouble_is_still_a_page(alice: Browser) -> None:
    assert alice.get("/apricots").headers["content-type"] == "text/html; charset=utf-8"
    assert alice.get("/nothing").headers["content-type"] == "text/html; charset=utf-8"


def test_an_old_token_lasts_no_longer_than_its_days(
    team: Team, connect: Callable[..., System]
) -> None:
    system = connect(team.alice)
    (found,) = api_tokens.of_user(team.store, team.alice)

    assert found.is_good(found.expires_at - timedelta(seconds=1))
    assert not found.is_good(found.expires_at)
    assert system.get("/roles").status_code == 200


def test_what_another_may_not_read_is_as_if_missing(
    team: Team, connect: Callable[..., System]
) -> None:
    """R46: the same bytes on every route."""
    (one,) = team.deliver(mail("Beton"))
    system, hidden = connect(team.charlie), team.record(team.secret)
    for method, route, _ in ROUTES:
        path = path_of(route)
        other = path.replace("aaaaaaaaaaaaa", one, 1).replace("aaaaaaaaaaaaa", hidden)
        body = {"record": hidden} if route.endswith("/filings") else {"into": hidden}
        if "aaaaaaaaaaaaa" not in path:
            continue
        sent = body if method == "POST" else None
        missing, found = system.send(method, path, sent), system.send(method, other, sent)
        assert missing.status_code == 404, (method, route)
        assert (found.status_code, found.content) == (404, missing.content), (method, route)
        assert found.headers == missing.headers


@pytest.mark.parametrize("external_id", ["K/", "/K", "K//42"])
def test_ids_that_differ_in_slashes_only_are_of_different_records(
    erp: System, external_id: str
) -> None:
    """Else what is pushed for one of them is written over the other."""
    prefix = "/records/companies/by-external-id/"
    other = erp.send("PUT", prefix + external_id.replace("//", "/").strip("/"), {"name": "Other"})

    made = erp.send("PUT", prefix + quote(external_id, safe=""), {"name": "Zielony Dom"})

    assert (made.status_code, made.json()["external_id"]) == (201, external_id)
    assert erp.get(prefix + quote(external_id, safe="")).json() == made.json()
    assert erp.get(f"/records/{other.json()['id']}").json() == other.json()


def test_a_merge_lets_nobody_in_unasked(team: Team, connect: Callable[..., System]) -> None:
    """A page shows first who would read more; a system says that it is meant."""
    dora = make.user(team.store, "Dora", is_admin=True)
    boss, secret = connect(dora, "records"), make.record(team.store, "Plan", only_for=(dora,))
    path = f"/records/{team.record(secret)}/merge"
    into = {"into": team.record(team.company)}

    refused = boss.send("POST", path, into)
    kept = boss.get(f"/records/{team.record(secret)}")
    merged = boss.send("POST", path, into | {"other_access": True})

    assert (refused.status_code, refused.json()["field"]) == (422, "other_access")
    assert [kept.status_code, merged.status_code] == [200, 200]
