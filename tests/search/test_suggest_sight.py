"""What one may not see changes nothing that one is offered, now or later (R46)."""

import pytest

from app.filing import file_message, unfile
from app.people import create_role, find_user
from app.store import decisions, folders, transaction, users
from app.store.filings import set_roles
from app.store.visibility import viewer_of
from tests.search.conftest import NOW, add_account, add_user, mail
from tests.search.test_suggest import filled, names, suggested
from tests.search.test_suggest_learning import (
    HOUR,
    SENDER,
    answer,
    file,
    receive,
    refusals,
    start,
)


def other_mailbox(house):
    """Carol's mailbox; mail in it is hidden from Alice."""
    carol = add_user(house.store, "carol@team.example")
    account = add_account(house.store, "carol@team.example", [carol])
    return carol, account


def hidden(house, subject, record, *, roles=(), number=77):
    """A mail of the same sender and conversation, in a mailbox that Alice does not read, filed."""
    carol, account = other_mailbox(house)
    folder = folders.ensure(house.store, account.id, "INBOX")
    message = mail(subject, "Ukryte", sender=SENDER, In_Reply_To="<start@x>")
    message["Message-ID"] = f"<hidden{number}@x>"
    message_id = house.receive(message, folder=folder)
    viewer = viewer_of(house.store, carol)
    file_message(house.store, viewer, message_id, record, roles=roles, now=NOW)
    return viewer, message_id


def test_mail_that_one_may_not_read_changes_nothing(house):
    """R46: neither its filing nor its detaching is learned by who may not read it."""
    create_role(house.store, "secret", by=None, now=NOW)
    (secret,) = users.role_ids(house.store, ["secret"])
    assert find_user(house.store, "alice@team.example")
    record = house.record("Spostex S.A.", domains=["mail.example"])
    project = house.record("Boisko", kind="projects")
    house.index()
    mine = receive(house, 0, "Oferta", Message_ID="<start@x>")
    before = suggested(house, mine)

    carol, message_id = hidden(house, "Re: Oferta", project, roles=[secret])
    filed = suggested(house, mine)
    unfile(house.store, carol, message_id, project, now=NOW + HOUR)
    file_message(house.store, carol, message_id, record, roles=[secret], now=NOW + HOUR)
    unfile(house.store, carol, message_id, record, now=NOW + 2 * HOUR)

    assert before == filed == suggested(house, mine)
    assert refusals(house)
    assert before[0].is_preselected


def test_a_correction_in_favour_of_a_record_that_one_may_not_see_changes_nothing(house):
    company = house.record("Spostex S.A.", domains=["mail.example"])
    secret = house.record("Boisko", kind="projects", users=[house.bob.user_id])
    house.index()
    carol, message_id = hidden(house, "Zapytanie", house.record("Hala", kind="projects"))
    mine = receive(house, 0, "Oferta")
    with transaction(house.store):
        decisions.accept(house.store, message_id, company)
        decisions.refuse(house.store, message_id, company, chosen=secret, now=NOW)

    assert carol
    assert filled(house, mine) == "Spostex S.A."


@pytest.mark.parametrize("is_filed_before", [True, False])
def test_what_is_learned_of_a_mail_does_not_depend_on_mail_that_only_its_filer_reads(
    house, is_filed_before
):
    """R46: a conversation tells the filer what is right; others, who see none, learn the same."""
    company = house.record("Spostex S.A.", domains=["mail.example"])
    project = house.record("Boisko", kind="projects")
    house.index()
    if is_filed_before:
        start(house, project)
    message_id = answer(house, 1)
    before = filled(house, message_id)

    file(house, message_id, project)

    assert before == ("Boisko" if is_filed_before else "Spostex S.A.")
    assert refusals(house) == [(company,)]


@pytest.mark.parametrize("has_longer", [True, False])
def test_what_is_learned_does_not_depend_on_a_record_that_only_its_filer_sees(house, has_longer):
    """R46: the filer knows that a name is part of a longer one; for others it is filled in."""
    company, project = house.record("Plus S.A."), house.record("Boisko", kind="projects")
    if has_longer:
        house.record("Beton Plus S.A.", users=[house.alice.user_id])
    house.index()
    message_id = receive(house, 0, "Oferta", "Beton Plus S.A.")

    file(house, message_id, project)

    assert (company,) in refusals(house)


def test_a_hidden_correction_takes_nothing_from_one_that_can_be_seen(house):
    """R46: also where both are of the same mail and record, and when it is undone."""
    company = house.record("Spostex S.A.", domains=["mail.example"])
    project = house.record("Boisko", kind="projects")
    secret = house.record("Hala", kind="projects", users=[house.bob.user_id])
    house.index()
    first, mine, later = receive(house, 0), receive(house, 1, "Oferta"), NOW + HOUR
    unlearned = suggested(house, mine)
    with transaction(house.store):
        decisions.refuse(house.store, first, company, chosen=project, now=NOW)
    before = suggested(house, mine)

    with transaction(house.store):
        decisions.refuse(house.store, first, company, chosen=secret, now=later)
    hidden_too = suggested(house, mine)
    with transaction(house.store):
        decisions.unsay(house.store, first, chosen=secret, at=later)

    assert unlearned != before == hidden_too == suggested(house, mine)


def test_the_same_filing_counts_once_one_may_read_it(house):
    project = house.record("Boisko", kind="projects")
    house.index()
    mine = receive(house, 0, "Oferta", Message_ID="<start@x>")
    before = names(house, mine)

    hidden(house, "Re: Oferta", project)

    assert (before, names(house, mine)) == ([], ["Boisko"])


def test_a_filing_under_a_record_that_one_may_not_see_changes_nothing(house):
    project = house.record("Boisko", kind="projects", users=[house.bob.user_id])
    house.record("Hala", kind="projects", domains=["mail.example"])
    house.index()
    first = receive(house, 0, "Oferta", Message_ID="<start@x>")
    second = answer(house, 1)
    before = suggested(house, second)

    house.file(first, project)

    assert suggested(house, second) == before


def test_roles_that_hide_a_filed_mail_hide_what_is_learned_from_it(house):
    project = house.record("Boisko", kind="projects")
    house.index()
    mine = receive(house, 0, "Oferta", Message_ID="<start@x>")
    _, message_id = hidden(house, "Re: Oferta", project)
    before = names(house, mine)

    with transaction(house.store):
        role = users.add_role(house.store, "secret")
        set_roles(house.store, message_id, [role])

    assert (before, names(house, mine)) == (["Boisko"], [])


def test_a_hidden_record_makes_no_word_less_rare(house):
    house.record("Budowa hali Łomianki", kind="projects")
    house.record("Szkoła Łomianki", kind="projects", users=[house.bob.user_id])
    house.index()

    (one,) = suggested(house, house.receive(mail("Co słychać w Łomiankach")))

    assert one.score == 0.60
