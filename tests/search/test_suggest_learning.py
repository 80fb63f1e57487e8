"""What is learned from filings and corrections, and by whom."""

from datetime import timedelta

import pytest

from app.filing import file_message, unfile
from app.store import decisions, transaction
from app.store.filings import set_roles
from tests.search.conftest import NOW, add_account, add_user, mail
from tests.search.test_suggest import filled, names, suggested

HOUR = timedelta(hours=1)
SENDER = "Jan Kowalski <jan@mail.example>"


def reasons(house, message_id, viewer=None):
    return [reason for one in suggested(house, message_id, viewer) for reason in one.reasons]


def receive(house, number, subject="Pytanie", text="Dzień dobry", **rest):
    rest.setdefault("sender", SENDER)
    return house.receive(mail(subject, f"{text} {number}", **rest))


def file(house, message_id, record_id, *, at=NOW):
    return file_message(house.store, house.alice, message_id, record_id, now=at)


@pytest.mark.parametrize(
    ("times", "score", "said"),
    [
        (1, 0.30, "Jan Kowalski's last e-mail was filed there"),
        (2, 0.45, "Jan Kowalski's last two e-mails were filed there"),
        (3, 0.60, "Jan Kowalski's last three e-mails were filed there"),
        (4, 0.60, "Jan Kowalski's last three e-mails were filed there"),
    ],
)
def test_where_the_sender_s_last_mails_lie_speaks_for_it(house, times, score, said):
    """R42: habit, learned from filings."""
    record = house.record("Boisko", kind="projects")
    house.index()
    for number in range(times):
        file(house, receive(house, number), record)

    (one,) = suggested(house, receive(house, 9))

    assert (one.score, one.reasons, one.is_preselected) == (score, (said,), False)


def test_a_sender_whose_mails_lie_in_several_places_has_no_habit(house):
    for name in ("Boisko", "Hala"):
        file(house, receive(house, name), house.record(name, kind="projects"))
    house.index()

    assert names(house, receive(house, 9)) == []


def test_three_newer_mails_make_another_habit(house):
    old, new = house.record("Boisko", kind="projects"), house.record("Hala", kind="projects")
    house.index()
    for number in range(6):
        file(house, receive(house, number), old if number < 3 else new)

    assert names(house, receive(house, 9)) == ["Hala"]


def test_a_habit_and_a_name_are_enough(house):
    record = house.record("Jan Kowalski", kind="contacts")
    house.index()
    before = filled(house, receive(house, 0))
    for number in range(1, 4):
        file(house, receive(house, number), record)

    assert (before, filled(house, receive(house, 9))) == (None, "Jan Kowalski")


def test_a_colleague_has_no_habit_of_one_record(house):
    house.own_team("Letter", domains=["mail.example"])
    record = house.record("Boisko", kind="projects")
    house.index()
    for number in range(3):
        file(house, receive(house, number), record)

    assert names(house, receive(house, 9)) == []


def test_a_colleague_who_writes_about_one_kind_of_record_speaks_for_it(house):
    house.own_team("Letter", domains=["mail.example", "team.example"])
    helmets, nails = (
        house.record(name, kind="warehouse", aliases=[alias])
        for name, alias in (("Helmets", "kaski ochronne"), ("Nails", "gwoździe budowlane"))
    )
    house.index()
    before = filled(house, receive(house, 0, text="Zostało 12 kasków ochronnych"))
    for number in range(1, 4):
        file(house, receive(house, number), nails)

    message_id = receive(house, 9, text="Zostało 12 kasków ochronnych")

    assert helmets
    assert (before, filled(house, message_id)) == (None, "Helmets")
    assert "Jan Kowalski's last three e-mails were filed under Warehouse" in reasons(
        house, message_id
    )


# -- conversations


def answer(house, number, subject="Re: Oferta", text="Tak", **rest):
    return receive(house, number, subject, text, In_Reply_To="<start@x>", **rest)


def start(house, record):
    first = receive(house, 0, "Oferta", Message_ID="<start@x>", sender="ola@other.example")
    file(house, first, record)
    return first


def test_the_nearest_filed_mail_of_a_conversation_that_drifts_counts_most(house):
    """R42: thread; where it went to another record, that one is filled in."""
    old, new = house.record("Boisko", kind="projects"), house.record("Hala", kind="projects")
    house.index()
    start(house, old)
    file(house, answer(house, 1), new)

    message_id = answer(house, 2)

    assert filled(house, message_id) == "Hala"
    assert names(house, message_id) == ["Hala", "Boisko"]


def test_a_conversation_under_another_subject_is_not_sure(house):
    house.index()
    start(house, house.record("Boisko", kind="projects"))

    (one,) = suggested(house, answer(house, 2, "Co z dachem?", sender="eva@third.example"))

    assert (one.score, one.is_preselected) == (0.60, False)


@pytest.mark.parametrize("subject", ["Re: Oferta", "ODP: Re: oferta", "Fwd: [2]", "PD: Oferta"])
def test_prefixes_of_answers_make_no_other_subject(house, subject):
    house.index()
    start(house, house.record("Boisko", kind="projects"))

    is_same = filled(house, answer(house, 2, subject)) == "Boisko"

    assert is_same == ("ferta" in subject)


# -- corrections


def test_a_detached_filing_weighs_against_the_record_in_this_conversation(house):
    """A detached suggestion weighs against: thread."""
    record = house.record("Spostex S.A.")
    house.index()
    first = receive(house, 0, "Oferta Spostex S.A.", Message_ID="<start@x>")
    before = filled(house, first)
    file(house, first, record)
    unfile(house.store, house.alice, first, record, now=NOW + HOUR)

    again, answered = (
        suggested(house, first),
        suggested(house, answer(house, 1, sender="a@b.example")),
    )

    assert before == "Spostex S.A."
    assert [(one.score, one.is_preselected) for one in again] == [(0.32, False)]
    assert answered == []


def test_a_detached_filing_weighs_against_the_record_for_the_sender(house):
    """A detached suggestion weighs against: sender."""
    record = house.record("Spostex S.A.", domains=["mail.example"])
    house.index()
    first = receive(house, 0)
    before = filled(house, first)
    file(house, first, record)
    unfile(house.store, house.alice, first, record, now=NOW + HOUR)

    (one,) = suggested(house, receive(house, 1, "Inna sprawa"))
    (other,) = suggested(house, receive(house, 2, "Inna", sender="eva@mail.example"))

    assert before == "Spostex S.A."
    assert (one.score, one.is_preselected) == (0.525, False)
    assert (other.score, other.is_preselected) == (0.75, True)


def test_filing_there_again_takes_the_correction_back(house):
    record = house.record("Spostex S.A.", domains=["mail.example"])
    house.index()
    first = receive(house, 0)
    file(house, first, record)
    unfile(house.store, house.alice, first, record, now=NOW + HOUR)
    file(house, receive(house, 1, "Druga"), record, at=NOW + 2 * HOUR)

    assert filled(house, receive(house, 2, "Trzecia")) == "Spostex S.A."


def test_to_choose_another_record_than_the_one_filled_in_is_a_correction(house):
    record = house.record("Spostex S.A.", domains=["mail.example"])
    project = house.record("Boisko", kind="projects")
    house.index()
    first = receive(house, 0)
    before = filled(house, first)
    file(house, first, project)

    message_id = receive(house, 1, "Inna sprawa")

    assert record
    assert before == "Spostex S.A."
    assert filled(house, message_id) is None
    assert set(names(house, message_id)) == {"Spostex S.A.", "Boisko"}


def test_to_add_the_record_that_was_passed_over_is_no_correction(house):
    record = house.record("Spostex S.A.", domains=["mail.example"])
    project = house.record("Boisko", kind="projects")
    house.index()
    first = receive(house, 0)
    file(house, first, project)
    file(house, first, record)

    assert refusals(house) == []


def test_undo_within_seconds_teaches_nothing(house):
    """Neither the slip counts, nor what was passed over by it."""
    house.record("Spostex S.A.", domains=["mail.example"])
    project = house.record("Boisko", kind="projects")
    house.index()
    first = receive(house, 0)
    file(house, first, project)
    passed_over = refusals(house)
    unfile(house.store, house.alice, first, project, now=NOW + timedelta(seconds=59))

    assert len(passed_over) == 1
    assert refusals(house) == []
    assert filled(house, receive(house, 1)) == "Spostex S.A."


def test_a_corrected_company_gives_way_to_another_name_for_that_sender(house):
    company = house.record("Spostex S.A.")
    project = house.record("Hala Sportowa", kind="projects")
    house.index()
    signed = "Dzień dobry\n-- \nSpostex S.A."
    first = receive(house, 0, "Hala Sportowa", signed)
    before = filled(house, first)
    file(house, first, project)
    file(house, receive(house, 1, "Faktura", "Spostex S.A."), company, at=NOW + HOUR)

    assert before == "Spostex S.A."
    assert filled(house, receive(house, 2, "Hala Sportowa", signed)) == "Hala Sportowa"
    assert filled(house, receive(house, 3, "Faktura", "Spostex S.A.")) == "Spostex S.A."


def refusals(house):
    return house.store.archive.conn.execute("select record_id from refusals").fetchall()


# -- who learns


def other_mailbox(house):
    """Carol's mailbox; mail in it is hidden from Alice."""
    carol = add_user(house.store, "carol@team.example")
    account = add_account(house.store, "carol@team.example", [carol])
    return carol, account


def hidden(house, subject, record, *, roles=(), number=77):
    """A mail of the same sender and conversation, in a mailbox that Alice does not read, filed."""
    from app.store import folders
    from app.store.visibility import viewer_of

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
    from app.people import create_role, find_user
    from app.store import users

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
    house.record("Spostex S.A.", domains=["mail.example"])
    secret = house.record("Boisko", kind="projects", users=[house.bob.user_id])
    house.index()
    carol, message_id = hidden(house, "Zapytanie", house.record("Hala", kind="projects"))
    mine = receive(house, 0, "Oferta")
    with transaction(house.store):
        decisions.refuse(
            house.store, message_id, suggested(house, mine)[0].record.id, chosen=secret, now=NOW
        )

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
    from app.store import users

    project = house.record("Boisko", kind="projects")
    house.index()
    mine = receive(house, 0, "Oferta", Message_ID="<start@x>")
    _, message_id = hidden(house, "Re: Oferta", project)
    before = names(house, mine)

    with transaction(house.store):
        role = users.add_role(house.store, "secret")
        set_roles(house.store, message_id, [role])

    assert (before, names(house, mine)) == (["Boisko"], [])


def test_mails_without_a_sender_have_nothing_in_common(house):
    record = house.record("Boisko", kind="projects")
    house.index()
    for number in range(3):
        file(house, receive(house, number, sender=""), record)

    assert names(house, receive(house, 9, sender="")) == []
    assert decisions.of_sender(house.store, house.alice, receive(house, 10, sender="")) == []
