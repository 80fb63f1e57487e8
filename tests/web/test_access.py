"""The page behind "Edit" in Archives: who may read a message, where it lies (R50, A10, R70)."""

import re
from datetime import UTC, datetime

import pytest

from app import filing
from app.store import audit, filings, transaction, users
from tests.make import mail
from tests.web.conftest import Browser, Team


@pytest.fixture
def archived(team: Team) -> str:
    """A message that Alice put under Spostex S.A., which everybody may see."""
    (one,) = team.deliver(mail("Faktura"))
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)
    return one


def page_of(public_id: str) -> str:
    return f"/email/messages/{public_id}/access"


def version_on(browser: Browser, path: str) -> str:
    found = re.search(r'name="version" value="(\w+)"', browser.get(path).text)
    assert found
    return found.group(1)


def save(browser: Browser, public_id: str, **fields: str | list[str]):
    page = page_of(public_id)
    fields = {"version": version_on(browser, page)} | fields
    return browser.post(page, seen_on=page, **fields)


def roles_of(team: Team, public_id: str) -> list[str]:
    return [role.name for role in filings.roles_of(team.store, team.id_of(public_id))]


def test_edit_restricts_it_to_roles_and_back(team: Team, alice: Browser, archived: str) -> None:
    """R50, R69."""
    first = save(alice, archived, roles=str(team.foreman))
    restricted = roles_of(team, archived)
    save(alice, archived)

    assert first.headers["location"] == "/email/archives?done=saved"
    assert restricted == ["foreman"]
    assert roles_of(team, archived) == []
    verbs = [verb for verb, _ in audit.verbs_on(team.store, team.id_of(archived))]
    assert verbs == ["archive", "change access", "change access"]


def test_who_has_no_role_loses_it_at_once(
    team: Team, alice: Browser, charlie: Browser, archived: str
) -> None:
    """R45, R46."""
    before = charlie.get(f"/email/messages/{archived}").status_code

    save(alice, archived, roles=str(team.foreman))

    assert before == 200
    assert charlie.get(f"/email/messages/{archived}").status_code == 404
    assert "Faktura" not in charlie.get("/email/archives").text


def test_the_form_names_its_labels_and_records(alice: Browser, archived: str) -> None:
    text = alice.get(page_of(archived)).text

    assert all(one in text for one in ("Only for users with roles", "Confirm", "Detach"))
    assert "Spostex S.A." in text
    assert "People with access to office@firma.pl can still read it." in text


def test_hidden_records_are_not_named(team: Team, sit_down, archived: str) -> None:
    """A6."""
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(archived), team.secret, now=now)

    assert "Board" in sit_down("alice").get(page_of(archived)).text
    assert "Board" not in sit_down("bob").get(page_of(archived)).text


def test_a_reader_by_record_is_refused_and_offered_nothing(
    team: Team, alice: Browser, charlie: Browser, archived: str
) -> None:
    """R50: the server refuses, and the page has no button."""
    version = version_on(alice, page_of(archived))

    shown = charlie.get(page_of(archived))
    sent = charlie.post(page_of(archived), roles=str(team.foreman), version=version)
    detached = charlie.post(f"/email/messages/{archived}/detach", record=team.record(team.company))

    assert shown.status_code == sent.status_code == detached.status_code == 403
    assert f"{archived}/access" not in charlie.get(f"/email/messages/{archived}").text
    assert f"{archived}/access" in alice.get(f"/email/messages/{archived}").text
    assert roles_of(team, archived) == []
    assert filings.is_archived(team.store, team.id_of(archived))


def test_two_people_saving_the_same_form(team: Team, alice: Browser, archived: str) -> None:
    version = version_on(alice, page_of(archived))
    save(alice, archived, roles=str(team.foreman))

    answer = save(alice, archived, version=version)

    assert answer.status_code == 422
    assert "Somebody else changed the roles" in answer.text
    assert f'value="{team.foreman}" checked' in answer.text
    assert roles_of(team, archived) == ["foreman"]


@pytest.mark.parametrize("roles", ["99", "x", "-1", "99999999999"])
def test_odd_roles_are_refused(team: Team, alice: Browser, archived: str, roles: str) -> None:
    answer = save(alice, archived, roles=roles)

    assert answer.status_code == 422
    assert "not there any more" in answer.text
    assert "<title>Error:" in answer.text
    assert 'href="#roles"' in answer.text


def test_a_role_sent_twice_counts_once(team: Team, alice: Browser, archived: str) -> None:
    save(alice, archived, roles=[str(team.foreman), str(team.foreman)])

    assert roles_of(team, archived) == ["foreman"]


def test_a_role_deleted_meanwhile_is_refused(team: Team, alice: Browser, archived: str) -> None:
    page = page_of(archived)
    version = version_on(alice, page)
    with transaction(team.store):
        users.remove_role(team.store, team.foreman)

    answer = save(alice, archived, roles=str(team.foreman), version=version)

    assert answer.status_code == 422


def test_detached_from_its_last_record_it_waits_in_the_queue(
    team: Team, alice: Browser, archived: str
) -> None:
    """R70."""
    save(alice, archived, roles=str(team.foreman))

    answer = alice.post(
        f"/email/messages/{archived}/detach",
        record=team.record(team.company),
        back=page_of(archived),
    )

    assert answer.headers["location"].startswith("/email/queue?done=detached")
    assert "Detached from" in alice.get(answer.headers["location"]).text
    assert "Faktura" in alice.get("/email/queue?show=open").text
    assert roles_of(team, archived) == []


def test_detached_from_one_of_two_it_stays(team: Team, alice: Browser, archived: str) -> None:
    """A10: Edit changes roles and detaches."""
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, team.id_of(archived), team.project, now=now)

    answer = alice.post(
        f"/email/messages/{archived}/detach",
        record=team.record(team.company),
        back=page_of(archived),
    )

    assert answer.headers["location"].startswith(page_of(archived))
    assert filings.is_archived(team.store, team.id_of(archived))


def test_detaching_what_was_ones_only_way_leads_to_archives(
    team: Team, charlie: Browser, archived: str
) -> None:
    """R70: what he put there himself he may take away, and with it his right to read it."""
    own = team.charlie
    now = datetime.now(UTC)
    filing.file_message(team.store, team.viewer(own), team.id_of(archived), team.project, now=now)
    filing.unfile(team.store, team.viewer(team.alice), team.id_of(archived), team.company, now=now)

    answer = charlie.post(
        f"/email/messages/{archived}/detach", record=team.record(team.project), back="/email/queue"
    )

    assert answer.headers["location"].startswith("/email/archives?")
    assert charlie.get(answer.headers["location"]).status_code == 200


def test_what_is_not_archived_is_archived_first(team: Team, alice: Browser) -> None:
    """R56."""
    (one,) = team.deliver(mail())

    assert alice.get(page_of(one)).headers["location"] == f"/email/messages/{one}/attach"


def test_hidden_equals_missing_and_a_token_is_needed(
    team: Team, alice: Browser, charlie: Browser, stranger: Browser
) -> None:
    (one,) = team.deliver(mail())

    hidden, missing = charlie.get(page_of(one)), charlie.get(page_of("aaaaaaaaaaaaa"))

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text
    assert alice.send(page_of(one), {}).status_code == 403
    assert stranger.get(page_of(one)).headers["location"].startswith("/sign-in")
    assert alice.request("DELETE", page_of(one)).status_code == 405


def test_edit_says_who_will_read_it_and_that_one_will_not_oneself(
    team: Team, admin: Browser, archived: str
) -> None:
    """A8, R50: recomputed for the roles as marked, before anything is saved."""
    page, foreman = page_of(archived), team.foreman

    everybody = admin.get(page).text
    restricted = admin.get(f"{page}?version=x&roles={foreman}").text

    assert "4 people will be able to read this" in everybody
    assert "You will not be able to read it yourself any more." not in everybody
    assert "2 people will be able to read this" in restricted
    assert "You will not be able to read it yourself any more." in restricted
    assert roles_of(team, archived) == []
