"""What is learned from filings and corrections, and by whom."""

from datetime import timedelta

import pytest

from app.filing import file_message, unfile
from app.store import decisions
from tests.search.conftest import NOW, mail
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


def test_mails_without_a_sender_have_nothing_in_common(house):
    record = house.record("Boisko", kind="projects")
    house.index()
    for number in range(3):
        file(house, receive(house, number, sender=""), record)

    assert names(house, receive(house, 9, sender="")) == []
    assert decisions.of_sender(house.store, house.alice, receive(house, 10, sender="")) == []
