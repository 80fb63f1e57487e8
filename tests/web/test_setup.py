"""The first page of an empty Letterbook: who sets it up, once, and nobody else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from app import people
from app.main import create_app
from app.settings import Settings
from app.store import Store, users
from app.store import team as teams
from tests import make
from tests.web.conftest import ORIGIN, PASSWORD, Browser

CODE = "ABCD-EFGH"
FIELDS = {
    "name": "Anna Kowalczyk",
    "email": "Anna@Kowalczyk.example",
    "password": PASSWORD,
    "again": PASSWORD,
    "company": "Kowalczyk Budownictwo Sp. z o.o.",
    "domains": "kowalczyk.example, kowalczyk-bud.example",
    "language": "pl",
    "time_zone": "Europe/Warsaw",
}
Arrive = Callable[..., Browser]


def seen_from(app: Any, host: str) -> Any:
    """The app as a browser at that address reaches it."""

    async def near(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": (host, 50000)}, receive, send)

    return near


@pytest.fixture
def arrive(store: Store, tmp_path: Path) -> Iterator[Arrive]:
    """A function that gives a newcomer's browser at an empty Letterbook."""
    clients: list[Any] = []

    def newcomer(*, host: str = "127.0.0.1", url: str = ORIGIN, **headers: str) -> Browser:
        settings = Settings.from_env({}, data=tmp_path / "data", public_url=url)
        app = seen_from(create_app(settings, set_up_code=CODE), host)
        client = TestClient(app, base_url=url).__enter__()
        client.headers.update(headers)
        clients.append(client)
        return Browser(client)

    yield newcomer
    for client in clients:
        client.__exit__(None, None, None)


def set_up(browser: Browser, **changed: Any) -> Any:
    return browser.post("/set-up", seen_on="/set-up", **{**FIELDS, **changed})


@pytest.mark.parametrize("page", ["/", "/sign-in", "/email/queue", "/search?q=x", "/sign-in/token"])
def test_every_page_of_an_empty_letterbook_leads_to_the_first(arrive: Arrive, page: str) -> None:
    answer = arrive().get(page)

    assert (answer.status_code, answer.headers["location"]) == (303, "/set-up")


def test_every_change_leads_there_too(arrive: Arrive) -> None:
    assert arrive().send("/sign-in", {}).headers["location"] == "/set-up"
    assert arrive().fragment("/email/circles").headers["hx-redirect"] == "/set-up"


def test_health_and_styles_answer_before(arrive: Arrive) -> None:
    browser = arrive()

    assert browser.get("/healthz").text == "ok\n"
    assert browser.get("/static/app.css").status_code == 200


def test_the_first_page_says_what_to_do(arrive: Arrive) -> None:
    text = arrive().get("/set-up").text

    assert "Set up your team</h1>" in text
    assert "Just looking? <code>make demo</code>" in " ".join(text.split()).replace("</p>", "")
    for label in ("Your name", "Email address", "Company name", "Own domains", "Language"):
        assert label in text
    assert "Code from the terminal" not in text
    assert '<option value="pl">Polski</option>' in text


def test_setting_up_makes_team_and_administrator_and_signs_in(arrive: Arrive, store: Store) -> None:
    browser = arrive()

    answer = set_up(browser)

    assert (answer.status_code, answer.headers["location"]) == (303, "/email/accounts")
    assert browser.get("/users").status_code == 200
    anna = people.find_user(store, "ANNA@kowalczyk.example")
    assert (anna.name, anna.is_admin, anna.language) == ("Anna Kowalczyk", True, "pl")
    team = teams.get(store)
    assert team.names == ("Kowalczyk Budownictwo Sp. z o.o.",)
    assert team.domains == ("kowalczyk.example", "kowalczyk-bud.example")
    assert (team.language, team.time_zone) == ("pl", "Europe/Warsaw")
    assert [role.name for role in users.roles(store)] == [
        "foreman",
        "office worker",
        "project manager",
    ]


def test_after_set_up_the_page_is_not_there(arrive: Arrive) -> None:
    browser = arrive()
    set_up(browser)

    assert browser.get("/set-up").status_code == 404
    assert arrive().get("/set-up").status_code == 404
    assert arrive().get("/email/queue").headers["location"] == "/sign-in?next=/email/queue"


def test_of_two_browsers_one_wins_and_the_other_may_sign_in(arrive: Arrive, store: Store) -> None:
    first, second = arrive(), arrive()
    token = second.token("/set-up")

    set_up(first)
    answer = second.send("/set-up", {**FIELDS, "email": "eve@x.example", "_csrf": token})
    empty = second.send("/set-up", {"_csrf": token})

    assert empty.headers["location"] == "/sign-in"
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert [user.email for user in users.every(store)] == ["anna@kowalczyk.example"]


def test_a_person_made_on_the_command_line_counts(arrive: Arrive, store: Store) -> None:
    make.user(store, "Alice")

    browser = arrive()

    assert browser.get("/set-up").status_code == 404
    assert browser.get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "Type a name."),
        ("name", "x" * 201, "at most 200 characters"),
        ("email", "", "Type the e-mail address."),
        ("email", "anna", "is no e-mail address"),
        ("email", "anna\u202e@x.example", "is no e-mail address"),
        ("email", "a" * 300 + "@x.example", "is no e-mail address"),
        ("password", "short", "two passwords differ"),
        ("again", "another password", "two passwords differ"),
        ("company", "", "Type the name of your company."),
        ("company", "x" * 201, "at most 200 characters each"),
        ("domains", "no domain", "is no domain"),
        ("language", "de", "Choose a language"),
        ("time_zone", "Mars/Base", "is no time zone"),
        ("time_zone", "../../etc/passwd", "is no time zone"),
    ],
)
def test_wrong_fields_come_back_with_what_was_typed(
    arrive: Arrive, store: Store, field: str, value: str, reason: str
) -> None:
    answer = set_up(arrive(), **{field: value})

    assert answer.status_code == 422
    assert reason in answer.text
    assert "<title>Error:" in answer.text
    assert PASSWORD not in answer.text
    assert "Kowalczyk" in answer.text
    assert users.is_empty(store)


@pytest.mark.parametrize("missing", ["name", "email", "password", "company", "language"])
def test_missing_fields_are_as_empty_ones(arrive: Arrive, store: Store, missing: str) -> None:
    browser = arrive()
    fields = {key: value for key, value in FIELDS.items() if key != missing}

    answer = browser.send("/set-up", {**fields, "_csrf": browser.token("/set-up")})

    assert answer.status_code == 422
    assert users.is_empty(store)


def test_a_short_password_is_refused(arrive: Arrive) -> None:
    assert "at least 12 characters" in set_up(arrive(), password="short", again="short").text


def test_a_doubled_field_counts_once(arrive: Arrive, store: Store) -> None:
    answer = set_up(arrive(), name=["Anna", "Eve"])

    assert answer.status_code == 303
    assert [user.name for user in users.every(store)] == ["Anna"]


def test_names_may_have_emoji_and_marks_but_no_controls(arrive: Arrive, store: Store) -> None:
    set_up(arrive(), name="\x01Ann\u202ea 👩‍👧 \u200fאבי")

    assert users.every(store)[0].name == "Anna 👩‍👧 \u200fאבי"


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({"host": "192.168.1.20"}, {}),
        ({"host": "172.17.0.1"}, {}),
        ({"url": "https://mail.firma.example"}, {}),
        ({}, {"X-Forwarded-For": "127.0.0.1"}),
        ({}, {"Forwarded": "for=127.0.0.1"}),
    ],
)
def test_from_elsewhere_the_code_of_the_terminal_is_asked(
    arrive: Arrive, store: Store, given: dict[str, str], headers: dict[str, str]
) -> None:
    browser = arrive(**given, **headers)
    page = browser.get("/set-up").text

    without, wrong = set_up(browser), set_up(browser, code="ABCD-EFGX")
    nobody = users.is_empty(store)
    right = set_up(browser, code=" abcd efgh ")

    assert "Code from the terminal" in page
    assert without.status_code == wrong.status_code == 422
    assert "not the code that the terminal shows" in wrong.text
    assert nobody
    assert right.status_code == 303


def test_guessing_the_code_is_slowed_down(arrive: Arrive, store: Store) -> None:
    browser = arrive(host="192.168.1.20")
    for _ in range(people.MOST_FAILURES["code"]):
        set_up(browser, code="wrong")

    answer = set_up(browser, code=CODE)

    assert answer.status_code == 422
    assert "Too many attempts" in answer.text
    assert users.is_empty(store)


def test_plain_http_elsewhere_is_refused_with_the_caddy_step(arrive: Arrive, store: Store) -> None:
    browser = arrive(url="http://mail.firma.example")
    page = browser.get("/set-up")

    answer = browser.send("/set-up", {**FIELDS, "code": CODE})

    assert "Caddy" in page.text
    assert 'name="password"' not in page.text
    assert answer.status_code == 403
    assert users.is_empty(store)


def test_the_form_needs_its_token(arrive: Arrive, store: Store) -> None:
    assert arrive().send("/set-up", FIELDS).status_code == 403
    assert users.is_empty(store)


def test_other_methods_are_refused(arrive: Arrive) -> None:
    browser = arrive()

    assert browser.request("DELETE", "/set-up").status_code in (403, 405)
