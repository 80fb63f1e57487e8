"""Signing in and out, and the gate in front of every page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient

from app import people
from app.main import create_app
from app.settings import Settings
from app.web.session import HOME, local_path
from tests.web.conftest import ORIGIN, PASSWORD, Browser, Team

PAGES = [
    "/",
    "/email/queue",
    "/email/queue/rows",
    "/email/messages/aaaaaaaaaaaaa/access",
    "/email/circles",
    "/email/check/x",
    "/email/messages/x",
    "/email/messages/x/body",
    "/email/messages/x/source.eml",
    "/email/messages/x/parts/0",
    "/email/messages/x/attach",
    "/email/archives",
    "/email/accounts",
    "/search",
    "/records/companies",
    "/records/companies/x",
    "/records/companies/x/emails",
    "/records/companies/x/emails/pick",
    "/records/companies/x/attachments",
    "/records/companies/export.csv",
    "/record-import",
    "/email/attach",
    "/email/attach/records",
    "/email/attach/result",
]
CHANGES = [
    "/email/queue/check",
    "/email/messages/x/attach",
    "/email/messages/x/detach",
    "/email/act",
    "/email/attach",
    "/email/attach/undo",
    "/sign-out",
]


def with_password(team: Team) -> None:
    now = datetime.now(UTC)
    link = people.create_link(team.store, team.alice, by=None, now=now)
    people.set_password_by_link(
        team.store, link, PASSWORD, address="127.0.0.1", agent="tests", now=now
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_page_needs_sign_in(stranger: Browser, page: str) -> None:
    answer = stranger.get(page)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={page}"


@pytest.mark.parametrize("page", CHANGES)
def test_every_change_needs_sign_in(stranger: Browser, page: str) -> None:
    answer = stranger.send(page, {})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_htmx_is_sent_to_the_sign_in_page_whole(stranger: Browser) -> None:
    answer = stranger.fragment("/email/circles")

    assert answer.headers["hx-redirect"] == "/sign-in"
    assert answer.text in ("", "null")


@pytest.mark.parametrize("page", ["/sign-in", "/healthz", "/static/app.css", "/static/app.js"])
def test_a_few_addresses_are_open(stranger: Browser, page: str) -> None:
    assert stranger.get(page).status_code == 200


def test_signing_in_leads_to_the_page_one_wanted(team: Team, stranger: Browser) -> None:
    with_password(team)

    answer = stranger.post(
        "/sign-in",
        seen_on="/sign-in?next=/email/archives",
        email="Alice@firma.pl",
        password=PASSWORD,
        next="/email/archives",
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/email/archives")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("letterbook=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert stranger.get("/email/archives").status_code == 200


@pytest.mark.parametrize("email", ["alice@firma.pl", "nobody@firma.pl"])
def test_a_wrong_password_and_an_unknown_person_get_one_answer(
    team: Team, stranger: Browser, email: str
) -> None:
    with_password(team)

    answer = stranger.post("/sign-in", seen_on="/sign-in", email=email, password="wrong password")

    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong." in answer.text
    assert "wrong password" not in answer.text


def test_signing_out_ends_the_session(alice: Browser) -> None:
    answer = alice.post("/sign-out")

    assert answer.headers["location"] == "/sign-in"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    alice.cookies.set("letterbook", "x")
    assert alice.get("/email/queue").status_code == 303


def test_a_session_that_was_ended_opens_nothing(team: Team, alice: Browser) -> None:
    people.sign_out(team.store, team.tokens["alice"], now=datetime.now(UTC))

    assert alice.get("/email/queue").status_code == 303


def test_a_one_time_link_sets_the_password_and_signs_in(team: Team, stranger: Browser) -> None:
    link = people.create_link(team.store, team.alice, by=None, now=datetime.now(UTC))
    page = f"/sign-in/{link}"

    answer = stranger.post(page, seen_on=page, password=PASSWORD, again=PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    assert stranger.get(HOME).status_code == 200
    assert stranger.get(page).status_code == 404


def test_a_link_refuses_a_short_password_and_a_slip(team: Team, stranger: Browser) -> None:
    link = people.create_link(team.store, team.alice, by=None, now=datetime.now(UTC))
    page = f"/sign-in/{link}"

    short = stranger.post(page, seen_on=page, password="short", again="short")
    slip = stranger.post(page, seen_on=page, password=PASSWORD, again=PASSWORD + "!")

    assert short.status_code == slip.status_code == 422
    assert "at least 12 characters" in short.text
    assert "two passwords differ" in slip.text


def test_an_old_link_is_not_found(team: Team, stranger: Browser) -> None:
    past = datetime.now(UTC) - timedelta(days=30)
    link = people.create_link(team.store, team.alice, by=None, now=past)

    assert stranger.get(f"/sign-in/{link}").status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/sign-in",
        "/sign-in/token",
        "/x" * 2000,
        "/a\\b",
        "///evil.example",
    ],
)
def test_next_never_leads_elsewhere(text: str) -> None:
    assert local_path(text) == HOME


@pytest.mark.parametrize("text", ["/search?q=a%20b&before=x", "/email/queue", "/a//b"])
def test_next_leads_back(text: str) -> None:
    assert local_path(text) == text


def test_a_form_without_the_token_is_refused(alice: Browser) -> None:
    assert alice.send("/sign-out", {}).status_code == 403
    assert alice.send("/sign-out", {"_csrf": "0" * 64}).status_code == 403
    assert alice.get("/email/queue").status_code == 200


def test_another_persons_token_is_refused(alice: Browser, charlie: Browser) -> None:
    assert alice.send("/sign-out", {"_csrf": charlie.token("/email/queue")}).status_code == 403


def test_the_sign_in_form_needs_its_token_too(stranger: Browser) -> None:
    answer = stranger.send("/sign-in", {"email": "alice@firma.pl", "password": "x"})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "https://127.0.0.1:8000"},
    ],
)
def test_a_form_from_elsewhere_is_refused(alice: Browser, headers: dict[str, str]) -> None:
    answer = alice.send("/sign-out", {"_csrf": alice.token("/email/queue")}, **headers)

    assert answer.status_code == 403
    assert ORIGIN in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:8000"},
    ],
)
def test_our_own_forms_are_taken(alice: Browser, headers: dict[str, str]) -> None:
    answer = alice.send("/sign-out", {"_csrf": alice.token("/email/queue")}, **headers)

    assert answer.status_code == 303


def test_https_has_a_secure_host_cookie(team: Team, tmp_path: Path) -> None:
    with_password(team)
    origin = "https://mail.firma.pl"
    app = create_app(Settings.from_env({}, data=tmp_path / "data", public_url=origin))

    with TestClient(app, base_url=origin) as client:
        answer = Browser(client).post(
            "/sign-in", seen_on="/sign-in", email="alice@firma.pl", password=PASSWORD
        )

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-letterbook=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_plain_http_elsewhere_does_not_sign_in(team: Team, tmp_path: Path) -> None:
    with_password(team)
    origin = "http://mail.firma.pl"
    app = create_app(Settings.from_env({}, data=tmp_path / "data", public_url=origin))

    with TestClient(app, base_url=origin) as client:
        page = client.get("/sign-in")
        token = "" if "_csrf" not in page.text else Browser(client).token("/sign-in")
        answer = client.post("/sign-in", data={"_csrf": token}, follow_redirects=False)

    assert "Caddy" in page.text
    assert 'name="password"' not in page.text
    assert answer.status_code == 403


def test_a_planted_session_cookie_is_not_adopted(
    team: Team, sit_down: Callable[[str], Browser]
) -> None:
    with_password(team)
    browser = sit_down("")
    browser.cookies.set("letterbook", "planted")

    answer = browser.post("/sign-in", seen_on="/sign-in", email="alice@firma.pl", password=PASSWORD)

    assert "letterbook=planted" not in answer.headers["set-cookie"]
    assert people.viewer_of_session(team.store, "planted", now=datetime.now(UTC)) is None


def test_a_link_that_is_wrong_used_or_too_old_tells_nothing(team: Team, stranger: Browser) -> None:
    """The same page for all, and for an address where nothing is."""
    now = datetime.now(UTC)
    used = people.create_link(team.store, team.alice, by=None, now=now)
    people.set_password_by_link(team.store, used, PASSWORD, address="127.0.0.1", agent="x", now=now)
    old = people.create_link(team.store, team.bob, by=None, now=now - people.LINK_FOR)
    void = people.create_link(team.store, team.charlie, by=None, now=now)
    people.create_link(team.store, team.charlie, by=None, now=now)

    shown = {stranger.get(f"/sign-in/{one}").text for one in (used, old, void, "never")}
    sent = {
        stranger.post(f"/sign-in/{one}", seen_on="/sign-in", password=PASSWORD, again=PASSWORD).text
        for one in (used, old, void, "never")
    }

    assert len(shown | sent) == 1
    assert stranger.get(f"/sign-in/{used}").status_code == 404
