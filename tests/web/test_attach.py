"""Archiving, attaching to further records, and undoing."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from markupsafe import escape

from app import filing
from app.store import filings
from tests.make import mail
from tests.web.conftest import Browser, Team


def archive(team: Team, public_id: str, *, roles=()) -> None:
    filing.file_message(
        team.store,
        team.viewer(team.alice),
        team.id_of(public_id),
        team.company,
        roles=roles,
        now=datetime.now(UTC),
    )


def test_a_company_named_in_the_text_is_filled_in_with_its_reason(
    team: Team, alice: Browser
) -> None:
    """R40, R41, R42, R43."""
    (one,) = team.deliver(mail(text="Faktura od Spostex S.A. za beton.", sender="x@gmail.com"))
    record = team.record(team.company)

    text = alice.get(f"/email/messages/{one}/attach").text

    assert f'name="record" value="{record}"' in text
    assert 'name="like" value="Spostex S.A." role="combobox"' in text
    assert "It is worth verifying manually." in text
    assert all(
        label in text
        for label in ("Record Type", "Select Record", "Only for users with roles", "Confirm")
    )
    assert "Archive new email</h1>" in text


def test_confirm_archives_and_the_next_page_says_so(team: Team, alice: Browser) -> None:
    """R47."""
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"

    answer = alice.post(page, seen_on=page, type="companies", record=team.record(team.company))
    queue = alice.get(answer.headers["location"]).text

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/email/queue?done=archived&message=")
    assert "Archived to" in queue
    assert "Undo" in queue
    assert "Open in Archives" in queue


def test_the_flash_takes_no_text_from_the_address(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())

    texts = [
        alice.get(f"/email/queue?done=archived&message={one}&record=Gotcha").text,
        alice.get("/email/queue?done=Gotcha").text,
        alice.get(f"/email/queue?done=archived&message=Gotcha&record={one}").text,
    ]

    assert not any('class="flash"' in text for text in texts)


def test_the_flash_names_no_hidden_record(team: Team, charlie: Browser) -> None:
    (one,) = team.deliver(mail())
    archive(team, one)

    text = charlie.get(
        f"/email/queue?done=archived&message={one}&record={team.record(team.secret)}"
    ).text

    assert "Board" not in text
    assert 'class="flash"' not in text


def test_undo_brings_it_back(team: Team, alice: Browser) -> None:
    """R70."""
    (one,) = team.deliver(mail())
    archive(team, one)

    answer = alice.post(
        f"/email/messages/{one}/detach",
        record=team.record(team.company),
        back=f"/email/queue?done=archived&message={one}&show=all",
    )

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/email/queue?show=all&done=detached")
    assert not filings.is_archived(team.store, team.id_of(one))


def test_undo_never_leads_elsewhere(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    archive(team, one)

    answer = alice.post(
        f"/email/messages/{one}/detach",
        record=team.record(team.company),
        back="https://evil.example/",
    )

    assert answer.headers["location"].startswith("/email/queue?")


@pytest.mark.parametrize("record", ["", "zzzzzzzzzzzzz", "<x>"])
def test_no_record_is_refused_and_the_form_kept(team: Team, alice: Browser, record: str) -> None:
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"

    answer = alice.post(page, seen_on=page, type="projects", record=record, roles=str(team.foreman))

    assert answer.status_code == 422
    assert "Choose the record that this e-mail belongs to." in answer.text
    assert '<option value="projects" selected>' in answer.text
    assert f'value="{team.foreman}" checked' in answer.text
    assert "<title>Error:" in answer.text


def test_a_hidden_record_is_as_one_that_is_missing(team: Team, sit_down) -> None:
    """R41."""
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"
    bob = sit_down("bob")

    answer = bob.post(page, seen_on=page, type="projects", record=team.record(team.secret))

    assert answer.status_code == 422
    assert "Board" not in answer.text


def test_roles_restrict_at_the_first_archiving(team: Team, alice: Browser) -> None:
    """R44."""
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"

    alice.post(page, seen_on=page, record=team.record(team.company), roles=str(team.foreman))

    assert [role.id for role in filings.roles_of(team.store, team.id_of(one))] == [team.foreman]


def test_at_the_next_one_they_are_shown_and_refused(team: Team, alice: Browser) -> None:
    """R49, R56, R64."""
    (one,) = team.deliver(mail())
    archive(team, one, roles=[team.foreman])
    page = f"/email/messages/{one}/attach"

    form = alice.get(page).text
    answer = alice.post(
        page, seen_on=page, record=team.record(team.project), roles=str(team.foreman)
    )

    assert 'name="roles"' not in form
    assert "<strong>foreman</strong>" in form
    assert "Attach this email to another record</h1>" in form
    assert answer.status_code == 422
    assert team.id_of(one)
    assert len(filings.visible(team.store, team.viewer(team.alice), team.id_of(one))) == 1


def test_two_people_who_archive_the_same_mail_are_told_apart(
    team: Team, alice: Browser, sit_down
) -> None:
    """R49: who comes second attaches, and sets no roles."""
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"
    fields = {"type": "companies", "record": team.record(team.company)}
    bob = sit_down("bob")
    assert "Archive new email</h1>" in bob.get(page).text

    first = alice.post(page, seen_on=page, **fields)
    with_roles = bob.post(page, seen_on=page, **fields, roles=str(team.foreman))
    without = bob.post(page, seen_on=page, **fields)

    assert "done=archived" in first.headers["location"]
    assert with_roles.status_code == 422
    assert "The message is archived already, so its roles stay as they are." in with_roles.text
    assert "done=already" in without.headers["location"]
    assert filings.roles_of(team.store, team.id_of(one)) == []


def test_what_lost_its_roles_in_the_meantime_is_not_opened_to_all(
    team: Team, alice: Browser
) -> None:
    """The form showed that it is for foremen; then somebody took it from its last record."""
    (one,) = team.deliver(mail())
    archive(team, one, roles=[team.foreman])
    page = f"/email/messages/{one}/attach"
    fields = {"record": team.record(team.project), "standing": "roles"}
    assert 'name="standing" value="roles"' in alice.get(page).text
    alice.post(f"/email/messages/{one}/detach", record=team.record(team.company))

    answer = alice.post(page, **fields)
    chosen = alice.post(page, **fields, roles=str(team.foreman))

    assert answer.status_code == 422
    assert "which cleared its roles. Choose who may read it." in answer.text
    assert 'name="roles"' in answer.text
    assert 'name="standing"' not in answer.text
    assert chosen.status_code == 303
    assert [role.id for role in filings.roles_of(team.store, team.id_of(one))] == [team.foreman]


@pytest.mark.parametrize("roles", ["99", "x", "-1", "99999999999"])
def test_odd_roles_are_refused(team: Team, alice: Browser, roles: str) -> None:
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"

    answer = alice.post(page, seen_on=page, record=team.record(team.company), roles=roles)

    assert answer.status_code == 422


def test_attaching_twice_says_so(team: Team, alice: Browser) -> None:
    """R55."""
    (one,) = team.deliver(mail())
    archive(team, one)
    page = f"/email/messages/{one}/attach"

    answer = alice.post(page, seen_on=page, record=team.record(team.company))

    assert "It was attached already to" in alice.get(answer.headers["location"]).text


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        ("archives", "/email/archives"),
        ("record", "/records/projects/{id}/emails"),
        ("x", "/email/queue"),
        ("//evil.example/x", "/email/queue"),
    ],
)
def test_it_leads_back_to_where_it_began(
    team: Team, alice: Browser, back: str, leads_to: str
) -> None:
    (one,) = team.deliver(mail())
    archive(team, one)
    page = f"/email/messages/{one}/attach?back={back}"
    record = team.record(team.project)

    answer = alice.post(f"/email/messages/{one}/attach", seen_on=page, record=record, back=back)

    assert answer.headers["location"].partition("?")[0] == leads_to.format(id=record)


def test_it_leads_back_to_the_same_part_of_the_queue(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    place = "/email/queue?show=open&before=abc"

    form = alice.post("/email/act", message=one, do="archive", back=f"{place}&done=choose")
    page = form.headers["location"]
    answer = alice.post(page, seen_on=page, record=team.record(team.company), back=place)

    assert page == f"/email/messages/{one}/attach?{urlencode({'back': place})}"
    assert f'name="back" value="{escape(place)}"' in alice.get(page).text
    assert answer.headers["location"].startswith(f"{place}&done=archived&message={one}")


def test_the_record_it_lies_under_is_not_proposed_again(team: Team, alice: Browser) -> None:
    """R57: another record is wanted."""
    (one,) = team.deliver(mail(text="Faktura od Spostex S.A. za beton."))
    archive(team, one)

    text = alice.get(f"/email/messages/{one}/attach").text

    assert 'name="record" value=""' in text
    assert 'name="like" value=""' in text
    assert 'class="why"' not in text
    assert f'name="candidate" value="{team.record(team.company)}"' not in text


def test_without_a_script_the_type_is_changed_by_a_button(team: Team, alice: Browser) -> None:
    """R41, R67: whatever the letters, Ł included."""
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))

    text = alice.get(f"/email/messages/{one}/attach?type=projects&record=&like=lomianki").text

    assert ">Show</button>" in text
    assert '<option value="projects" selected>' in text
    assert f'name="candidate" value="{team.record(team.project)}"' in text
    assert f'name="candidate" value="{team.record(team.company)}"' not in text


def test_a_candidate_goes_before_the_list(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    page = f"/email/messages/{one}/attach"

    answer = alice.post(
        page,
        seen_on=page,
        record=team.record(team.company),
        candidate=team.record(team.project),
    )

    assert f"record={team.record(team.project)}" in answer.headers["location"]


def test_the_form_is_a_part_of_the_page(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail(text="Spostex S.A."))
    page = f"/email/messages/{one}/attach"

    full, fragment = alice.get(page).text, alice.fragment(page).text

    assert "<!doctype" not in fragment
    assert " ".join(fragment.split()) in " ".join(full.split())


@pytest.mark.parametrize("verb", ["attach", "detach"])
def test_it_needs_the_token(team: Team, alice: Browser, verb: str) -> None:
    """R68."""
    (one,) = team.deliver(mail())

    answer = alice.send(f"/email/messages/{one}/{verb}", {"record": team.record(team.company)})

    assert answer.status_code == 403
    assert not filings.is_archived(team.store, team.id_of(one))


@pytest.mark.parametrize("verb", ["attach", "detach"])
def test_it_hides_others_messages(team: Team, charlie: Browser, verb: str) -> None:
    (one,) = team.deliver(mail())

    hidden = charlie.post(f"/email/messages/{one}/{verb}", record=team.record(team.company))
    missing = charlie.post(
        f"/email/messages/aaaaaaaaaaaaa/{verb}", record=team.record(team.company)
    )

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text


def test_a_get_does_not_detach(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())

    assert alice.get(f"/email/messages/{one}/detach").status_code == 405
