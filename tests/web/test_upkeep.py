"""The page for administrators: what keeps the archive sound, and how it stands."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs.proving import verify_task
from app.jobs.upkeep import carry_out
from app.settings import Settings
from app.store import jobs, upkeep
from app.store.upkeep import Kind, Upkeep
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

NOW = datetime.now(UTC).replace(microsecond=0)


def ran(team: Team, kind: Kind, *, is_good: bool = True, said: str = "Looked.", **detail) -> None:
    upkeep.record(team.store, Upkeep(kind, NOW, NOW, is_good, said, detail))


def test_for_others_the_page_is_not_there(
    team: Team, alice: Browser, stranger: Browser, admin: Browser
) -> None:
    assert alice.get("/upkeep").status_code == 404
    assert alice.post("/upkeep/verify").status_code == 404
    assert stranger.get("/upkeep").headers["location"] == "/sign-in?next=/upkeep"
    assert admin.get("/upkeep").status_code == 200
    assert jobs.open_job(team.store, "verify") is None
    assert 'href="/upkeep"' in admin.get("/email/queue").text
    assert 'href="/upkeep"' not in alice.get("/email/queue").text


def test_what_never_ran_and_what_is_not_switched_on_say_so(admin: Browser) -> None:
    text = admin.get("/upkeep").text

    assert text.count("Not yet done.") == 5
    assert text.count("Not switched on. Set LETTERBOOK_BACKUP_DIR.") == 2


def test_each_kind_says_when_it_ran_how_it_ended_and_when_it_comes_next(
    team: Team, admin: Browser
) -> None:
    ran(team, "repack", said="12 small blocks became 1.", every_seconds=72_000)
    ran(team, "sweep", is_good=False, said="The disk is full.")

    text = admin.get("/upkeep").text

    assert "12 small blocks became 1." in text
    assert (NOW + timedelta(seconds=72_000)).isoformat() in text
    assert '<span class="error-text">The disk is full.</span>' in text
    assert ">never<" in text


@pytest.mark.parametrize("kind", ["verify", "backup"])
def test_a_mark_at_the_entry_tells_administrators_of_trouble(
    team: Team, admin: Browser, alice: Browser, kind: Kind
) -> None:
    ran(team, kind)
    assert "needs attention" not in admin.get("/email/queue").text

    ran(team, kind, is_good=False)

    assert "needs attention" in admin.get("/email/queue").text
    assert "needs attention" not in alice.get("/email/queue").text


def test_damaged_copies_are_listed_without_what_they_say(
    team: Team, admin: Browser, settings: Settings
) -> None:
    """R78: administrators see state, never content."""
    (one,) = team.deliver(mail("Salary of Jan", text="confidential " * 20))
    make.damage(team.store, "kind = 1")
    carry_out(settings, verify_task(), lambda: False)

    text = admin.get("/upkeep").text

    assert f"<code>{one}</code>" in text
    assert "<bdi>office@firma.pl</bdi> (<bdi>INBOX</bdi>)" in text
    assert "Run letterbook verify --repair" in text
    assert "Salary" not in text
    assert "spostex" not in text.lower()


def test_the_button_has_the_worker_verify_everything_once(team: Team, admin: Browser) -> None:
    first = admin.post("/upkeep/verify", seen_on="/upkeep")
    job = jobs.open_job(team.store, "verify")
    token = admin.token("/email/queue")

    again = admin.send("/upkeep/verify", {"_csrf": token})

    assert first.headers["location"] == again.headers["location"] == "/upkeep"
    assert jobs.open_job(team.store, "verify") == job is not None
    assert "no worker runs" in admin.get("/upkeep").text
    assert "Verify everything now" not in admin.get("/upkeep").text


def test_while_it_goes_on_the_page_shows_how_far_it_is(team: Team, admin: Browser) -> None:
    admin.post("/upkeep/verify", seen_on="/upkeep")
    jobs.beat(team.store, now=datetime.now(UTC))
    job = jobs.claim(team.store, now=NOW)
    assert job is not None
    jobs.record_progress(team.store, job, {"done": 1_200, "total": 4_800})

    page, part = admin.get("/upkeep").text, admin.fragment("/upkeep").text

    assert '<progress aria-label="Verification" max="4800" value="1200">' in page
    assert "Verifying: 1,200 of 4,800 blocks." in page
    assert part.strip() in page
    assert 'hx-get="/upkeep"' in part
    jobs.finish(team.store, job, result="[]", error=None, now=NOW)
    assert 'hx-get="/upkeep"' not in admin.fragment("/upkeep").text


def test_the_button_needs_its_token_and_the_right_method(admin: Browser) -> None:
    assert admin.send("/upkeep/verify", {}).status_code == 403
    assert admin.get("/upkeep/verify").status_code == 405
    assert admin.get("/upkeep/nothing").status_code == 404
