"""A new record inside the archiving form, and who will be able to read the message."""

import re
from datetime import UTC, datetime

import pytest

from app.model import Team as OwnTeam
from app.records import archive_record
from app.store import filings, records, team, transaction, users
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team


def form_of(browser: Browser, public_id: str, query: str = "") -> str:
    return " ".join(browser.get(f"/email/messages/{public_id}/attach?{query}").text.split())


def value_of(text: str, name: str) -> str:
    found = re.search(rf'<input id="{name}" name="{name}" value="([^"]*)"', text)
    assert found
    return found.group(1)


def send(browser: Browser, public_id: str, **fields: str | list[str]):
    page = f"/email/messages/{public_id}/attach"
    return browser.post(page, seen_on=page, **fields)


def test_select_record_offers_a_new_one(team: Team, alice: Browser) -> None:
    """R41."""
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))

    assert "<span>New company ...</span>" in form_of(alice, one)
    assert "<span>New contact ...</span>" in form_of(alice, one, "type=contacts")


@pytest.mark.parametrize(
    ("sender", "name", "domain", "address"),
    [
        ("Ewa Wilk <ewa@wilga.pl>", "Wilga", "wilga.pl", ""),
        ("Wilga Sp. z o.o. <info@wilga.pl>", "Wilga Sp. z o.o.", "wilga.pl", ""),
        ("Ewa Wilk <ewa@mail.wilga.com.pl>", "Wilga", "wilga.com.pl", ""),
        ("Ewa Wilk <ewa@gmail.com>", "Ewa Wilk", "", "ewa@gmail.com"),
        ("ewa@gmail.com", "", "", "ewa@gmail.com"),
        ("Bob <bob@firma.pl>", "", "", "klient@gmail.com"),
    ],
)
def test_a_new_company_is_filled_in_from_the_other_side(
    team: Team, alice: Browser, sender: str, name: str, domain: str, address: str
) -> None:
    own_domain(team)
    (one,) = team.deliver(mail(text="x", sender=sender, to="klient@gmail.com"))

    text = form_of(alice, one, "type=companies&record=new")

    assert value_of(text, "name") == name
    assert value_of(text, "domains") == domain
    assert value_of(text, "addresses") == address


def test_a_new_contact_is_the_person(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail(text="x", sender="Ewa Wilk <ewa@wilga.pl>"))

    text = form_of(alice, one, "type=contacts&record=new")

    assert value_of(text, "name") == "Ewa Wilk"
    assert value_of(text, "addresses") == "ewa@wilga.pl"
    assert 'name="domains"' not in text


def test_confirm_makes_the_record_and_archives(team: Team, alice: Browser) -> None:
    """R47, R69."""
    (one,) = team.deliver(mail())

    answer = send(
        alice,
        one,
        type="companies",
        record="new",
        name="Wilga 🌲",
        domains="wilga.pl",
        addresses="",
    )
    viewer = team.viewer(team.alice)
    (filed,) = filings.visible(team.store, viewer, team.id_of(one))

    assert answer.status_code == 303
    assert "Archived to" in alice.get(answer.headers["location"]).text
    assert (filed.record.name, filed.record.domains) == ("Wilga 🌲", ("wilga.pl",))


def test_without_a_script_new_and_confirm_opens_the_fields(team: Team, alice: Browser) -> None:
    """R67."""
    (one,) = team.deliver(mail(sender="Ewa <ewa@wilga.pl>"))

    answer = send(alice, one, type="companies", record="new")

    assert answer.status_code == 200
    assert value_of(" ".join(answer.text.split()), "name") == "Wilga"
    assert not filings.is_archived(team.store, team.id_of(one))


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"name": ""}, "name", "Give the record a name."),
        ({"name": "\u202e \u200f"}, "name", "Give the record a name."),
        ({"name": "x" * 201}, "name", "A name has at most 200 characters."),
        ({"name": "spostex s.a."}, "name", "of this type already"),
        ({"name": "Wilga", "domains": "no domain"}, "domains", "is no domain"),
        ({"name": "Wilga", "addresses": "nobody"}, "addresses", "is no e-mail address"),
    ],
)
def test_a_wrong_field_is_said_and_nothing_is_saved(
    team: Team, alice: Browser, fields: dict[str, str], field: str, reason: str
) -> None:
    (one,) = team.deliver(mail())

    answer = send(alice, one, type="companies", record="new", **fields)
    text = " ".join(answer.text.split())

    assert answer.status_code == 422
    assert reason in text
    assert f'<li><a href="#{field}">' in text
    assert f'id="{field}-error"' in text
    assert "<title>Error:" in text
    assert not filings.is_archived(team.store, team.id_of(one))
    assert len(records.list_visible(team.store, team.viewer(team.alice), record_type="companies"))


def test_an_unknown_type_makes_nothing(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())

    answer = send(alice, one, type="nothing", record="new", name="X")

    assert answer.status_code == 422
    assert not filings.is_archived(team.store, team.id_of(one))


def test_a_role_deleted_meanwhile_leaves_neither_record_nor_filing(
    team: Team, alice: Browser
) -> None:
    (one,) = team.deliver(mail())

    answer = send(alice, one, type="companies", record="new", name="Wilga", roles="99")
    names = records.list_visible(team.store, team.viewer(team.alice), record_type="companies")

    assert answer.status_code == 422
    assert [record.name for record in names] == ["Spostex S.A."]
    assert value_of(" ".join(answer.text.split()), "name") == "Wilga"


def test_sent_twice_there_is_one_record(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    fields = {"type": "companies", "record": "new", "name": "Wilga"}

    first, second = send(alice, one, **fields), send(alice, one, **fields)

    assert (first.status_code, second.status_code) == (303, 422)
    assert "of this type already" in second.text
    assert len(filings.visible(team.store, team.viewer(team.alice), team.id_of(one))) == 1


# -- who will be able to read it


def test_the_form_says_how_many_will_read_it(team: Team, alice: Browser) -> None:
    """R44, R63, A5: open record, then a role, then a restricted record."""
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))
    company, secret = team.record(team.company), team.record(team.secret)

    everybody = form_of(alice, one, f"record={company}")
    role = form_of(alice, one, f"record={company}&roles={team.foreman}")
    restricted = form_of(alice, one, f"record={secret}")

    assert (
        "3 people will be able to read this"
        " (the record is open to everybody, access to office@firma.pl)" in everybody
    )
    assert "2 people will be able to read this (1 role, the record is open" in role
    assert "2 people will be able to read this (record access, access to office" in restricted
    assert "People with access to office@firma.pl can still read it." in everybody


def test_whoever_lacks_the_roles_is_told_whether_he_still_reads_it(
    team: Team, sit_down, alice: Browser
) -> None:
    """A8."""
    (one,) = team.deliver(mail())
    query = f"record={team.record(team.company)}&roles={team.foreman}"

    assert "but can still read it: you have access to office@firma.pl" in form_of(alice, one, query)
    assert "You have none of these roles" not in form_of(sit_down("bob"), one, query)


def test_nothing_is_promised_before_a_record_is_chosen(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))

    assert "will be able to read this" not in form_of(alice, one)


@pytest.mark.parametrize("roles", ["x", "99", "-1"])
def test_odd_roles_in_the_address_are_no_error(team: Team, alice: Browser, roles: str) -> None:
    (one,) = team.deliver(mail())

    query = f"record={team.record(team.company)}&roles={roles}"

    assert "will be able to read this" in form_of(alice, one, query)


def test_without_roles_the_form_says_who_reads_it(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    no_roles(team)

    assert "No roles yet: everyone who may see the record can read it." in form_of(alice, one)


def no_roles(team: Team) -> None:
    with transaction(team.store):
        for role in users.roles(team.store):
            users.remove_role(team.store, role.id)


def own_domain(made: Team) -> None:
    with transaction(made.store):
        team.put(made.store, OwnTeam(domains=("firma.pl",)))


# -- what changed while the form was open


def test_two_that_fit_alike_are_offered_and_none_is_chosen(team: Team, alice: Browser) -> None:
    """R43."""
    make.record(team.store, "Adamski Sp. z o.o.")
    text = "Oferta dla Spostex S.A. oraz Adamski Sp. z o.o."
    (one,) = team.deliver(mail("Oferta", text=text, sender="x@gmail.com"))

    form = form_of(alice, one)

    assert "These may fit; choose one" in form
    assert 'name="record" value=""' in form
    assert form.count('name="candidate"') == 4


def test_a_record_put_away_meanwhile_is_said(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail())
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    archive_record(team.store, viewer, team.company, now=now)

    answer = send(alice, one, type="companies", record=team.record(team.company))

    assert answer.status_code == 422
    assert "put away in the meantime" in answer.text
    assert 'name="record" value=""' in answer.text
    assert not filings.is_archived(team.store, team.id_of(one))


def test_the_same_form_sent_twice_says_so_and_doubles_nothing(team: Team, alice: Browser) -> None:
    """R49, R55."""
    (one,) = team.deliver(mail())
    fields = {
        "type": "companies",
        "record": team.record(team.company),
        "roles": str(team.foreman),
    }

    first, second = send(alice, one, **fields), send(alice, one, **fields)

    assert "done=archived" in first.headers["location"]
    assert "done=already" in second.headers["location"]
    assert "It was attached already to" in alice.get(second.headers["location"]).text


def test_a_like_that_finds_nothing_offers_to_make_it(team: Team, alice: Browser) -> None:
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))

    text = form_of(alice, one, "type=warehouse&like=Cement")

    assert "No record that you may see has that in its name." in text
    assert (
        value_of(form_of(alice, one, "type=warehouse&record=new&like=Cement"), "name") == "Cement"
    )
