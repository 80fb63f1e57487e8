"""Find settings: asked in the form, looked up by the worker, put into the form and nowhere else."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app import jobs as worker
from app.settings import Settings
from app.store import accounts, jobs
from app.sync import autoconfig
from app.sync.providers import Found
from tests.internet import running
from tests.web import test_browser
from tests.web.conftest import ORIGIN, Browser, Team
from tests.web.test_account_test import until

NEW = "/email/accounts/new"
FIND = "/email/accounts/new/find"
ADDRESS = "anna@firma-a.pl"
FOUND = Found("imap.firma-a.pl", 993, "tls", "anna", "domain", "autoconfig.firma-a.pl")
FORM: dict[str, Any] = {"address": ADDRESS, "security": "tls", "skip": ["Trash", "Newsletter"]}

chromium = test_browser.chromium
address = test_browser.address
page = test_browser.page


def ask(browser: Browser, **given: Any) -> str:
    """Press the button without scripts; gives the page with the form."""
    answer = browser.post(FIND, seen_on=NEW, **(FORM | given))
    assert answer.status_code == 303
    return answer.headers["location"].partition("#")[0]


def answer(team: Team, *found: Found, error: str | None = None) -> None:
    """Do what the worker does."""
    job = jobs.claim(team.store, now=datetime.now(UTC))
    assert job is not None
    result = json.dumps([{"found": [asdict(one) for one in found]}])
    jobs.finish(team.store, job, result=result, error=error, now=datetime.now(UTC))


def value(text: str, name: str) -> str:
    shown = re.search(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', text)
    assert shown
    return shown.group(1)


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_what_is_found_fills_the_empty_server_and_says_who_told_it(team, alice) -> None:
    where = ask(alice)
    answer(team, FOUND)

    text = alice.get(where).text

    assert (value(text, "host"), value(text, "port")) == ("imap.firma-a.pl", "993")
    assert value(text, "login") == "anna"
    assert "Told by its own page at autoconfig.firma-a.pl" in plain(text)
    assert re.findall(r'name="skip" value="(\w+)"', text) == ["Trash", "Newsletter"]
    assert accounts.of_viewer(team.store, team.viewer(team.alice)) == [team.office]


def test_a_server_that_was_typed_stays_until_the_button_is_pressed(team, alice) -> None:
    where = ask(alice, host="imap.typed.pl", login="me")
    answer(team, FOUND, Found("b.pl", 143, "starttls", ADDRESS, "dns", "firma-a.pl"))

    text = alice.get(where).text
    (first, second) = re.findall(r'name="do" value="(use-[^"]+)"', text)
    used = alice.post(NEW, seen_on=NEW, **FORM, host="imap.typed.pl", login="me", do=second).text

    assert first != second
    assert value(text, "host") == "imap.typed.pl"
    assert (value(used, "host"), value(used, "port")) == ("b.pl", "143")
    assert value(used, "login") == "me"
    assert re.search(r'value="starttls" selected', used)


def test_the_typed_password_waits_and_is_in_no_page(team, alice) -> None:
    where = ask(alice, password="canary-4711")
    answer(team, FOUND)

    text = alice.get(where).text
    saved = alice.post(
        NEW,
        seen_on=NEW,
        **FORM,
        host=FOUND.host,
        login="anna",
        kept=value(text, "kept"),
        verify_certificate="1",
    )

    assert "canary-4711" not in text
    assert saved.status_code == 303
    row = team.store.archive.conn.execute("select arguments from jobs").fetchone()
    assert "canary-4711" not in row[0]


def test_a_big_provider_is_known_at_once_and_nobody_is_asked(team, alice) -> None:
    text = alice.post(FIND, seen_on=NEW, **(FORM | {"address": "anna@gmail.com"})).text

    assert value(text, "host") == "imap.gmail.com"
    assert "Sign in with app passwords" in text
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


@pytest.mark.parametrize(
    ("typed", "before", "after"),
    [
        ("anna@outlook.com", "password", "oauth"),
        ("anna@gmail.com", "password", "password"),
        ("anna@gmail.com", "oauth", "oauth"),
        ("anna@wp.pl", "oauth", "password"),
    ],
)
def test_the_only_way_that_a_provider_takes_is_chosen(alice, typed, before, after) -> None:
    text = alice.post(FIND, seen_on=NEW, **(FORM | {"address": typed}), auth_type=before).text

    assert re.findall(r'value="(password|oauth)" selected', text) == [after]


def test_switched_off_only_the_table_answers(team, settings) -> None:
    from litestar.testing import TestClient

    from app.main import create_app

    off = Settings.from_env(
        {"LETTERBOOK_FIND_SETTINGS": "no"}, data=settings.data, public_url=ORIGIN
    )
    with TestClient(create_app(off), base_url=ORIGIN) as client:
        client.cookies.set("letterbook", team.tokens["alice"])
        browser = Browser(client)
        unknown = browser.post(FIND, seen_on=NEW, **FORM)
        known = browser.post(FIND, seen_on=NEW, **(FORM | {"address": "a@wp.pl"}))

    assert "Look-ups are switched off here" in unknown.text
    assert "knows the big providers and asks nobody" in plain(unknown.text).replace("&#34;", '"')
    assert value(known.text, "host") == "imap.wp.pl"
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


def test_nothing_found_says_who_was_asked(team, alice) -> None:
    where = ask(alice)
    answer(team)

    text = alice.get(where).text

    assert "Nobody names a server for firma-a.pl" in plain(text)
    assert value(text, "host") == ""


def test_a_guess_and_another_domain_are_marked(team, alice) -> None:
    where = ask(alice)
    answer(
        team,
        Found("imap.gmail.com", 993, "tls", ADDRESS, "guess", "aspmx.l.google.com"),
        Found("imap.sub.firma-a.pl", 993, "tls", ADDRESS, "dns", "firma-a.pl"),
        Found("imap.notfirma-a.pl", 993, "tls", ADDRESS, "dns", "firma-a.pl"),
    )

    text = plain(alice.get(where).text)

    assert "A guess, because its mail is taken by aspmx.l.google.com" in text
    assert "Sign in with app passwords" in text
    assert text.count("That is another domain than the address") == 1


def test_hostile_words_of_a_page_stay_words(team, alice) -> None:
    where = ask(alice)
    answer(team, Found("imap.x.pl", 993, "tls", '"><script>alert(1)</script>', "domain", "x"))

    assert "<script>alert" not in alice.get(where).text


def test_while_it_goes_on_the_page_says_so_and_without_a_worker_too(team, alice) -> None:
    where = ask(alice)
    without = plain(alice.get(where).text)
    jobs.beat(team.store, now=datetime.now(UTC))

    text = alice.get(where).text
    poll = alice.fragment(f"/email/accounts/finds/{where.partition('find=')[2]}")

    assert poll.status_code == 204
    assert "no worker runs" in without
    assert "Looking for the settings of firma-a.pl" in plain(text)
    assert ">Refresh</a>" in text


def test_an_error_of_the_worker_is_shown(team, alice) -> None:
    where = ask(alice)
    answer(team, error="It waited too long. Start it again.")

    assert "It waited too long." in alice.get(where).text


@pytest.mark.parametrize("typed", ["", "x", "a@b", "a@" + "x" * 3000])
def test_what_is_no_address_is_said(team, alice, typed) -> None:
    whole = alice.post(FIND, seen_on=NEW, **(FORM | {"address": typed}))
    part = alice.send(
        FIND, {**FORM, "address": typed, "_csrf": alice.token(NEW)}, **{"HX-Request": "true"}
    )

    assert whole.status_code == part.status_code == 422
    assert 'href="#address"' in whole.text
    assert "<!doctype" not in part.text
    assert 'class="error-text"' in part.text
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


def test_the_fragment_is_a_part_of_both_pages(team, alice) -> None:
    where = ask(alice)
    answer(team, FOUND)
    path = f"/email/accounts/finds/{where.partition('find=')[2]}"

    fragment = " ".join(alice.fragment(path).text.split())

    assert "<!doctype" not in fragment
    assert fragment in " ".join(alice.get(path).text.split())
    assert fragment in " ".join(alice.get(where).text.split())


def test_anothers_look_up_is_not_there(team, alice, charlie) -> None:
    where = ask(alice)
    job = where.partition("find=")[2]
    answer(team, FOUND)

    hidden = charlie.get(f"/email/accounts/finds/{job}")
    used = charlie.post(NEW, seen_on=NEW, **(FORM | {"address": "c@d.pl"}), do=f"use-{job}-0")

    assert hidden.status_code == 404
    assert hidden.text == charlie.get("/email/accounts/finds/aaaaaaaaaaaaa").text
    assert ADDRESS not in charlie.get(f"{NEW}?find={job}").text
    assert value(used.text, "host") == ""


@pytest.mark.parametrize("step", ["use", "use-", "use-x-9", "use-{}-9", "use-{}-x", "use-{}"])
def test_odd_buttons_change_nothing(team, alice, step) -> None:
    job = ask(alice).partition("find=")[2]
    answer(team, FOUND)

    text = alice.post(NEW, seen_on=NEW, **FORM, host="typed.pl", do=step.format(job)).text

    assert value(text, "host") == "typed.pl"


def test_a_form_that_is_too_large_is_not_kept_whole(team, alice) -> None:
    ask(alice, skip=["x" * 100_000] * 5, host="y" * 100_000, version="z" * 100_000)

    row = team.store.archive.conn.execute("select length(arguments) from jobs").fetchone()

    assert row[0] < 20_000


def test_what_was_looked_up_yesterday_is_forgotten(team, alice) -> None:
    job = ask(alice).partition("find=")[2]
    answer(team, FOUND)
    team.store.archive.conn.execute("update jobs set finished_at = finished_at - 86401")

    ask(alice)

    assert alice.get(f"/email/accounts/finds/{job}").status_code == 404
    assert team.store.archive.conn.execute("select count(*) from jobs").fetchone() == (1,)


def test_nobody_has_servers_asked_in_bulk(team, alice, charlie) -> None:
    """Tests and look-ups count together; others are not kept waiting."""
    for _ in range(4):
        ask(alice)
    alice.post(f"{NEW}/test", seen_on=NEW, **FORM, host="x.pl", login="a", password="p")

    whole = alice.post(FIND, seen_on=NEW, **FORM, password="p")
    part = alice.send(FIND, {**FORM, "_csrf": alice.token(NEW)}, **{"HX-Request": "true"})
    test = alice.post(f"{NEW}/test", seen_on=NEW, **FORM, host="x.pl", login="a", password="p")
    answer(team, FOUND)
    ask(alice)
    ask(charlie)

    assert whole.status_code == part.status_code == test.status_code == 422
    assert all("Nothing was started" in one.text for one in (whole, part, test))
    assert value(whole.text, "address") == ADDRESS


def test_anothers_mailbox_has_no_look_up(team, alice, charlie) -> None:
    path = f"/email/accounts/{team.office.public_id}/find"

    assert charlie.post(path, seen_on=NEW, **FORM).status_code == 404
    assert alice.post(path, seen_on=NEW, **FORM).status_code == 403
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


def test_it_needs_sign_in_and_the_token(team, alice, stranger) -> None:
    assert alice.send(FIND, FORM).status_code == 403
    assert stranger.get("/email/accounts/finds/x").headers["location"].startswith("/sign-in")
    assert stranger.send(FIND, FORM).headers["location"].startswith("/sign-in")
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


# -- the worker


@pytest.fixture
def look_ups(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Starts a worker in front of a small internet that knows firma-a.pl."""
    team.store.archive.conn.execute("update accounts set due_at = unixepoch() + 3600")
    stop = threading.Event()
    threads: list[threading.Thread] = []
    with running(tmp_path, "autoconfig.firma-a.pl") as net:
        net.add_page(
            "https://autoconfig.firma-a.pl/mail/config-v1.1.xml",
            "<clientConfig><incomingServer type='imap'><hostname>imap.firma-a.pl</hostname>"
            "<port>993</port><socketType>SSL</socketType></incomingServer></clientConfig>",
        )
        monkeypatch.setattr(autoconfig.find_settings, "__kwdefaults__", {"outside": net.outside})

        def start(switch: str) -> None:
            settings = Settings.from_env(
                {"LETTERBOOK_FIND_SETTINGS": switch}, data=tmp_path / "data", public_url=ORIGIN
            )
            thread = threading.Thread(target=worker.run_worker, args=(settings, stop))
            threads.append(thread)
            thread.start()

        yield start
        stop.set()
        for thread in threads:
            thread.join(timeout=30)


def test_the_worker_looks_it_up(team, alice, look_ups) -> None:
    where = ask(alice)

    look_ups("yes")

    until(lambda: "imap.firma-a.pl" in alice.get(where).text)


def test_the_worker_asks_nobody_where_that_is_switched_off(team, alice, look_ups) -> None:
    where = ask(alice)

    look_ups("no")

    until(lambda: "Look-ups are switched off here" in alice.get(where).text)


@pytest.mark.browser
@pytest.mark.skipif(not test_browser.CHROMIUM.exists(), reason="Chromium is not installed here")
def test_in_the_browser_the_answer_arrives_in_the_form(team: Team, page: Page) -> None:
    jobs.beat(team.store, now=datetime.now(UTC))
    page.goto(NEW)
    page.get_by_label("Email address").fill(ADDRESS)
    page.get_by_label("Password").fill("typed before")
    page.get_by_role("button", name="Find settings").click()
    expect(page.get_by_text("Looking for the settings of")).to_be_visible()

    answer(team, FOUND)

    expect(page.get_by_label("IMAP server address")).to_have_value("imap.firma-a.pl")
    expect(page.get_by_label("Login")).to_have_value("anna")
    expect(page.get_by_label("Password")).to_have_value("typed before")
    page.get_by_label("IMAP server address").fill("imap.other.pl")
    page.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_label("IMAP server address")).to_have_value("imap.firma-a.pl")
    page.get_by_label("Email address").fill("anna@outlook.com")
    page.get_by_role("button", name="Find settings").click()
    expect(page.get_by_text("by oAuth login only")).to_be_visible()
    page.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_label("Type of authorization")).to_have_value("oauth")
