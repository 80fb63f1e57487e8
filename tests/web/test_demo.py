"""The demo's way in: one click, in the demo only, and for this machine only."""

from collections.abc import Iterator

import pytest
from litestar.testing import TestClient
from litestar.types import Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from app.store import users
from tests import make
from tests.web.conftest import Browser, Team


def browser_at(settings: Settings, address: str) -> TestClient:
    """A browser at an address, of a web that serves the demo."""
    app = create_app(settings, is_demo=True)

    async def from_there(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": (address, 50_000)}, receive, send)

    return TestClient(from_there, base_url=settings.public_url)


@pytest.fixture
def demo(team: Team, settings: Settings) -> Iterator[Browser]:
    with browser_at(settings, "127.0.0.1") as client:
        yield Browser(client)


@pytest.fixture
def bob(team: Team) -> str:
    return users.get(team.store, team.bob).public_id


def test_the_sign_in_page_lists_the_people_with_their_roles(demo: Browser) -> None:
    page = demo.get("/sign-in").text

    assert page.count("/sign-in/as/") == 3
    assert "foreman" in page


def test_a_click_signs_in(demo: Browser, bob: str) -> None:
    answer = demo.post(f"/sign-in/as/{bob}", seen_on="/sign-in")

    assert answer.status_code == 303
    assert "Bob" in demo.get("/email/queue").text


def test_nobody_is_called_invited_there(demo: Browser, team: Team) -> None:
    team.store.archive.conn.execute("update users set password_hash = null")
    dora = make.user(team.store, "Dora", is_admin=True)
    admin = users.get(team.store, dora).public_id
    demo.post(f"/sign-in/as/{admin}", seen_on="/sign-in")

    assert "invited" not in demo.get("/users").text


def test_somebody_unknown_is_missing(demo: Browser) -> None:
    assert demo.post("/sign-in/as/aaaaaaaaaaaaa", seen_on="/sign-in").status_code == 404


def test_a_deactivated_person_is_missing(demo: Browser, team: Team, bob: str) -> None:
    team.store.archive.conn.execute("update users set deactivated_at = 1 where id = ?", [team.bob])

    assert demo.post(f"/sign-in/as/{bob}", seen_on="/sign-in").status_code == 404


def test_a_click_from_elsewhere_is_refused(demo: Browser, bob: str) -> None:
    assert demo.send(f"/sign-in/as/{bob}", {}).status_code == 403


def test_reading_the_address_signs_nobody_in(demo: Browser, bob: str) -> None:
    assert demo.get(f"/sign-in/as/{bob}").status_code == 405


def test_outside_the_demo_there_is_no_such_way(stranger: Browser, bob: str) -> None:
    assert "/sign-in/as/" not in stranger.get("/sign-in").text
    assert stranger.post(f"/sign-in/as/{bob}", seen_on="/sign-in").status_code == 404


def test_another_machine_sees_no_such_way(team: Team, settings: Settings, bob: str) -> None:
    with browser_at(settings, "192.168.1.7") as client:
        far = Browser(client)

        assert "/sign-in/as/" not in far.get("/sign-in").text
        assert far.post(f"/sign-in/as/{bob}", seen_on="/sign-in").status_code == 404


def test_a_demo_that_others_can_reach_has_no_such_way(team: Team, settings: Settings) -> None:
    public = Settings.from_env({}, data=settings.data, public_url="https://demo.firma.pl")

    with browser_at(public, "127.0.0.1") as client:
        assert "/sign-in/as/" not in Browser(client).get("/sign-in").text
