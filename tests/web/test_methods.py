"""Methods I, II and III of attaching a message to further records, step by step (R56-R66)."""

import re
from datetime import UTC, datetime

import pytest

from app import filing
from app.search.indexer import Indexer
from app.store import filings
from tests.make import mail
from tests.web.conftest import Browser, Team


@pytest.fixture
def archived(team: Team) -> str:
    (one,) = team.deliver(mail("Faktura za beton"))
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(
        team.store, viewer, team.id_of(one), team.company, roles=[team.foreman], now=now
    )
    Indexer(team.store).drain()
    return one


def names(team: Team, public_id: str) -> list[str]:
    found = filings.visible(team.store, team.viewer(team.alice), team.id_of(public_id))
    return [one.record.name for one in found]


def press(browser: Browser, verb: str, public_id: str, **sent: str) -> str:
    """Where a button of the toolbar leads with that message selected."""
    answer = browser.post("/email/act", do=verb, message=public_id, **sent)
    return answer.headers["location"]


def button(text: str, label: str) -> bool:
    return bool(re.search(rf"<button[^>]*>(?:<svg.*?</svg>)?{label}</button>", text, re.DOTALL))


def test_method_one(team: Team, alice: Browser, archived: str) -> None:
    """R57, R64: Archives, select, "Attach this email to another record", form, "Confirm"."""
    archives = alice.get("/email/archives").text
    step = press(alice, "attach", archived, back="/email/archives")
    form = alice.get(step).text

    sent = alice.post(
        f"/email/messages/{archived}/attach",
        seen_on=step,
        type="projects",
        record=team.record(team.project),
        back="archives",
    )

    assert button(archives, "Attach this email to another record")
    assert button(form, "Confirm")
    assert 'name="roles"' not in form
    assert "<strong>foreman</strong>" in form
    assert sent.headers["location"].startswith("/email/archives?done=attached")
    assert names(team, archived) == ["Spostex S.A.", "Łomianki Playground Construction"]


def test_archives_name_all_its_records(team: Team, alice: Browser, archived: str) -> None:
    """R58."""
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(archived), team.project, now=now)

    text = alice.get("/email/archives").text

    assert '<th scope="col" class="c-attached">Email attached to</th>' in text
    assert "<bdi>Spostex S.A.</bdi>" in text
    assert "<bdi>Łomianki Playground Construction</bdi>" in text


def test_method_two(team: Team, alice: Browser, archived: str) -> None:
    """R59: Archives, select, "Display", preview, "Attach to another record", form, "Confirm"."""
    archives = alice.get("/email/archives").text
    step = press(alice, "display", archived, back="/email/archives")
    preview = alice.get(step).text

    assert button(archives, "Display")
    assert button(preview, "Attach to another record")
    assert f'action="/email/messages/{archived}/attach"' in preview


def test_method_three(team: Team, alice: Browser, archived: str) -> None:
    """R60, R61, R62: the record's tab, "Attach archived email", pick, a form filled in, its tab."""
    record = team.record(team.project)
    base = f"/records/projects/{record}"
    tab = alice.get(f"{base}/emails").text
    picker = alice.get(f"{base}/emails/pick").text
    sent = {"type": "projects", "record": record, "way": "record"}
    step = press(alice, "attach", archived, back=f"{base}/emails/pick", **sent)
    form = alice.get(step).text

    sent = alice.post(
        f"/email/messages/{archived}/attach",
        seen_on=step,
        type="projects",
        record=record,
        back="record",
    )

    assert f'href="{base}/emails" aria-current="page">Attached - Emails' in tab
    assert button(tab, "Attach archived email")
    assert button(picker, "Attach this email to another record")
    assert '<option value="projects" selected>' in form
    assert f'name="record" value="{record}"' in form
    assert 'name="like" value="Łomianki Playground Construction"' in form
    assert 'name="roles"' not in form
    assert "Faktura za beton" in alice.get(sent.headers["location"]).text


def test_what_is_not_archived_is_in_no_picker(team: Team, alice: Browser) -> None:
    """R56."""
    team.deliver(mail("Offen"))

    text = alice.get(f"/records/projects/{team.record(team.project)}/emails/pick").text

    assert "Offen" not in text


def test_attached_it_is_read_by_those_of_the_record_within_its_roles(
    team: Team, alice: Browser, charlie: Browser, archived: str
) -> None:
    """R63, R65: Charlie sees the record but has no role of the message's."""
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(archived), team.project, now=now)
    base = f"/records/projects/{team.record(team.project)}/emails"

    assert "Faktura za beton" in alice.get(base).text
    assert "Faktura za beton" not in charlie.get(base).text
    assert "Faktura za beton" not in charlie.get(f"{base}/pick").text
    assert "Faktura za beton" not in charlie.get(f"{base}/pick?q=faktura").text


def test_an_address_alone_puts_nothing_on_a_record(team: Team, alice: Browser) -> None:
    """R66: spostex.pl is the company's domain, yet only an explicit filing shows there."""
    team.deliver(mail("Oferta", sender="Jan <jan@spostex.pl>"))

    text = alice.get(f"/records/companies/{team.record(team.company)}/emails").text

    assert "Oferta" not in text
    assert "No e-mail is attached here yet." in text


def test_the_unreadable_is_absent_on_every_path(
    team: Team, charlie: Browser, archived: str
) -> None:
    """R46: lists, preview, source, body, search and its counts, record tab, picker, form."""
    one, company = archived, team.record(team.company)
    lists = [
        "/email/archives",
        "/email/archives?q=faktura",
        "/email/queue",
        "/search?q=faktura",
        f"/records/companies/{company}",
        f"/records/companies/{company}/emails",
        f"/records/companies/{company}/emails/pick?q=faktura",
    ]
    addresses = ["", "/body", "/source.eml", "/parts/0", "/attach", "/access"]

    assert [path for path in lists if "Faktura za beton" in charlie.get(path).text] == []
    answers = {charlie.get(f"/email/messages/{one}{path}").status_code for path in addresses}
    assert answers == {404}
    assert "0 messages" in charlie.get("/search?q=faktura").text


def test_every_state_change_is_a_post_and_every_list_a_link(alice: Browser, archived: str) -> None:
    """R68."""
    changes = ("attach", "detach", "aside", "take-back", "access")

    refused = {alice.send(f"/email/messages/{archived}/{one}", {}).status_code for one in changes}

    assert refused == {403}
    assert alice.get("/email/archives?q=faktura&before=zz").status_code == 200
