"""One's own profile: name, language, time zone, password, sessions."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import people
from app.search.indexer import Indexer
from app.store import audit, users
from app.store import team as teams
from tests.make import mail
from tests.web.conftest import PASSWORD, Browser, Team

APP = Path(__file__).parents[2] / "app"
PAGES = ["/profile", "/profile/password", "/profile/sessions", "/profile/keys"]
NEW_PASSWORD = "another long battery"


@pytest.fixture
def token(team: Team) -> str:
    """Alice's session, opened with her password."""
    now, where = (
        datetime.now(UTC),
        {"address": "10.1.2.3", "agent": "Mozilla/5.0 (X11; Linux) Firefox/140"},
    )
    link = people.create_link(team.store, team.alice, by=None, now=now)
    token = people.set_password_by_link(team.store, link, PASSWORD, now=now, **where)
    team.tokens["alice"] = token
    return token


def change(browser: Browser, **changed: str) -> object:
    fields = {"old": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD} | changed
    return browser.post("/profile/password", seen_on="/profile/password", **fields)


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_are_for_everybody_who_is_signed_in(
    charlie: Browser, stranger: Browser, page: str
) -> None:
    assert charlie.get(page).status_code == 200
    assert stranger.get(page).headers["location"] == f"/sign-in?next={page}"
    assert charlie.send(page if page != PAGES[2] else f"{page}/end", {}).status_code in {403, 405}


def test_what_one_says_of_oneself_is_kept(team: Team, alice: Browser) -> None:
    answer = alice.post(
        "/profile",
        seen_on="/profile",
        name="Alicja \U0001f600 \u200fאבי\u202e",
        language="pl",
        time_zone="America/New_York",
    )
    text = alice.get("/profile").text

    user = users.get(team.store, team.alice)
    assert answer.headers["location"] == "/profile?done=saved"
    assert (user.name, user.language, user.time_zone) == (
        "Alicja \U0001f600 \u200fאבי",
        "pl",
        "America/New_York",
    )
    assert '<option value="pl" selected>Polski</option>' in text
    assert 'value="America/New_York"' in text
    assert audit.latest_verbs(team.store, 1) == ["change profile"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "Type a name."),
        ({}, "Type a name."),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"name": "A", "language": "xx"}, "Choose a language"),
        ({"name": "A", "time_zone": "Mars/Base"}, "is no time zone"),
        ({"name": "A", "time_zone": "/etc/localtime"}, "is no time zone"),
    ],
)
def test_a_wrong_field_comes_back(
    team: Team, alice: Browser, fields: dict[str, str], reason: str
) -> None:
    answer = alice.post("/profile", seen_on="/profile", **fields)

    assert answer.status_code == 422
    assert reason in answer.text
    assert "<title>Error:" in answer.text
    assert users.get(team.store, team.alice).name == "Alice"


def test_dates_stand_in_the_viewers_time_zone(team: Team, alice: Browser, charlie: Browser) -> None:
    """R80: his own, else the team's."""
    (one,) = team.deliver(mail(date="Fri, 14 Mar 2025 23:30:00 +0000"))
    page = f"/email/messages/{one}"

    alice.post("/profile", seen_on="/profile", name="Alice", time_zone="Asia/Tokyo")
    own = alice.get(page).text
    alice.post("/profile", seen_on="/profile", name="Alice")
    teams.put(team.store, teams.Team(time_zone="Europe/Warsaw"))
    of_team = alice.get(page).text

    assert "15 March 2025, 08:30" in own
    assert "15 March 2025, 00:30" in of_team


def test_days_in_a_search_are_the_viewers_days(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail(date="Fri, 14 Mar 2025 23:30:00 +0000"))
    Indexer(team.store).drain()
    query = "/search?q=after:2025-03-15 before:2025-03-16"

    alice.post("/profile", seen_on="/profile", name="Alice", time_zone="Asia/Tokyo")
    there = alice.get(query).text
    alice.post("/profile", seen_on="/profile", name="Alice", time_zone="America/New_York")
    not_there = alice.get(query).text

    assert one in there
    assert one not in not_there


def test_a_new_password_ends_every_other_session(team: Team, token: str, alice: Browser) -> None:
    elsewhere = people.sign_in(
        team.store,
        "alice@firma.pl",
        PASSWORD,
        address="10.9.9.9",
        agent="x",
        now=datetime.now(UTC),
    )

    answer = change(alice)

    now = datetime.now(UTC)
    assert answer.headers["location"] == "/profile/password?done=saved"
    goes_on = re.match(r"letterbook=([\w-]+);", answer.headers["set-cookie"])
    assert goes_on
    assert people.viewer_of_session(team.store, goes_on.group(1), now=now) is not None
    assert people.viewer_of_session(team.store, token, now=now) is None
    assert people.viewer_of_session(team.store, elsewhere, now=now) is None
    assert people.sign_in(
        team.store, "alice@firma.pl", NEW_PASSWORD, address="x", agent="x", now=now
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"old": "wrong password"}, "This is not your current password."),
        ({"old": ""}, "This is not your current password."),
        ({"again": "something else"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "x" * 2000, "again": "x" * 2000}, "at most 1024 characters"),
        ({"password": PASSWORD, "again": PASSWORD}, "Choose another."),
    ],
)
def test_a_wrong_password_changes_nothing(
    team: Team, token: str, alice: Browser, fields: dict[str, str], reason: str
) -> None:
    answer = change(alice, **fields)

    assert answer.status_code == 422
    assert reason in answer.text
    assert PASSWORD not in answer.text
    assert people.viewer_of_session(team.store, token, now=datetime.now(UTC)) is not None


def test_guessing_the_old_password_is_slowed_down(team: Team, token: str, alice: Browser) -> None:
    for _ in range(people.MOST_FAILURES["user"]):
        change(alice, old="wrong password")

    assert "Too many attempts" in change(alice).text


def test_sessions_are_listed_and_ended_one_by_one(team: Team, token: str, alice: Browser) -> None:
    other = people.sign_in(
        team.store,
        "alice@firma.pl",
        PASSWORD,
        address="10.9.9.9",
        agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36",
        now=datetime.now(UTC),
    )
    text = alice.get("/profile/sessions").text
    (handle,) = re.findall(r'name="session" value="(\w+)"', text)

    answer = alice.post("/profile/sessions/end", session=handle)

    assert "Firefox on Linux" in text
    assert "Chrome on Windows" in text
    assert "10.9.9.9" in text
    assert "this one" in text
    assert token not in text
    assert other not in text
    assert answer.headers["location"] == "/profile/sessions?done=ended"
    assert people.viewer_of_session(team.store, other, now=datetime.now(UTC)) is None
    assert alice.get("/profile/sessions").status_code == 200


def test_all_other_sessions_end_and_this_one_stays(team: Team, token: str, alice: Browser) -> None:
    others = [
        people.open_session(team.store, team.alice, address="x", agent="", now=datetime.now(UTC))
        for _ in range(3)
    ]

    alice.post("/profile/sessions/end-others")

    now = datetime.now(UTC)
    assert [people.viewer_of_session(team.store, one, now=now) for one in others] == [None] * 3
    assert "You are signed in nowhere else." in alice.get("/profile/sessions").text


@pytest.mark.parametrize("handle", ["", "x", "zz" * 10, "\u0142"])
def test_nobody_ends_the_session_of_another(
    team: Team, alice: Browser, charlie: Browser, handle: str
) -> None:
    theirs = people.handle_of_session(team.tokens["alice"])

    assert charlie.post("/profile/sessions/end", session=theirs).status_code == 404
    assert charlie.post("/profile/sessions/end", session=handle).status_code == 404
    assert alice.get("/profile").status_code == 200


def test_the_page_of_keys_names_every_key_there_is(alice: Browser) -> None:
    templates = "".join(one.read_text() for one in (APP / "templates").rglob("*.html"))
    script = (APP / "static" / "app.js").read_text()
    keys = set(re.findall(r'data-hotkey="([^"]+)"', templates))
    keys |= set(re.findall(r'^    "?([^ ":]|\* \w)"?: \(\) =>', script, re.MULTILINE))
    keys |= {f"g {key}" for key in re.findall(r'(\w): "/', script)}

    text = alice.get("/profile/keys").text

    shown = {one.replace("Shift+", "") for one in re.findall("<kbd>([^<]+)</kbd>", text)}
    assert {"j", "J", "* a", "g q", "e", "z"} <= keys
    assert keys - shown == set()
