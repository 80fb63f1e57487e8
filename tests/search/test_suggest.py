import pytest

from app.search.suggest import suggest
from tests.search.conftest import mail


def suggested(house, message_id, viewer=None):
    return suggest(house.store, viewer or house.alice, message_id)


def names(house, message_id, viewer=None):
    return [one.record.name for one in suggested(house, message_id, viewer)]


def filled(house, message_id, viewer=None):
    """The name of the record that is filled in, None: no record is."""
    found = suggested(house, message_id, viewer)
    return next((one.record.name for one in found if one.is_preselected), None)


@pytest.mark.parametrize(
    "text",
    [
        "Zamówienie dla Spostex S.A. na jutro",
        "Zamówienie dla SPOSTEX SA na jutro",
        "zamówienie dla spostex s.a.",
        "Oferta Spostexu S.A. w załączeniu",
        "Spostex Spółka Akcyjna",
        "pisze spółki Spostexem Spółką Akcyjną",
        "Dzień dobry\n\nJan Nowak\n-- \nSpostex\u00a0S.A.",
        "Tak.\n\nOn Monday Ewa wrote:\n> Spostex S.A. czeka\n",
    ],
)
def test_a_company_named_in_full_is_filled_in(house, text):
    """R42: subject, text, signature or quote; any case, form and diacritics."""
    house.record("Spostex S.A.")
    house.index()

    message_id = house.receive(mail("Pytanie", text))

    assert filled(house, message_id) == "Spostex S.A."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Beton-Bud Sp. z o.o.", "dla Beton-Bud sp zoo pilne"),
        ("Beton-Bud Sp. z o.o.", "dla Beton-Budu spółka z o.o. pilne"),
        ("Beton-Bud sp. z o.o.", "BETON BUD SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ"),
        ("Müller GmbH", "an die MULLER GmbH, Berlin"),
        ("Acme Ltd", "from Acme Limited, London"),
        ("Łódzkie Żwiry sp. j.", "Lodzkie Zwiry Spółka Jawna"),
    ],
)
def test_legal_forms_and_diacritics_are_written_in_many_ways(house, name, text):
    house.record(name)
    house.index()

    assert filled(house, house.receive(mail("x", text))) == name


@pytest.mark.parametrize(
    "text",
    ["Spostexpol S.A.", "Super-spost ex S.A.", "Postex S.A.", "Spos tex S.A."],
)
def test_a_part_of_a_word_is_no_name(house, text):
    house.record("Spostex S.A.")
    house.index()

    assert names(house, house.receive(mail("x", text))) == []


def test_a_name_in_another_legal_form_is_weak(house):
    house.record("Spostex S.A.")
    house.index()

    (one,) = suggested(house, house.receive(mail("x", "dla Spostex GmbH")))

    assert (one.score, one.is_preselected) == (0.55, False)


def test_an_alias_counts_as_the_name(house):
    house.record("Spostex S.A.", aliases=["Spółdzielnia Postęp"])
    house.index()

    (one,) = suggested(house, house.receive(mail("x", "Spółdzielni Postęp")))

    assert one.is_preselected
    assert one.reasons == ('Alias "Spółdzielnia Postęp" is in line 1 of the text',)


def test_reasons_say_where(house):
    """R43: the pre-fill says why."""
    house.record("Spostex S.A.", addresses=["jan@spostex.pl"])
    house.index()
    message = mail("Oferta Spostex S.A.", sender="Jan <Jan@Spostex.pl>")

    (one,) = suggested(house, house.receive(message))

    assert one.reasons == (
        "jan@spostex.pl is an address of this record",
        'Company name "Spostex S.A." is in the subject',
    )
    assert one.score == 0.98


def test_the_line_of_the_text_is_said(house):
    house.record("Spostex S.A.")
    house.index()

    (one,) = suggested(house, house.receive(mail("x", "Dzień dobry,\n\nSpostex S.A. prosi")))

    assert one.reasons == ('Company name "Spostex S.A." is in line 3 of the text',)


def test_two_companies_named_in_full_are_both_offered_and_none_is_filled_in(house):
    """R43: of equally good matches none is filled in."""
    house.record("Spostex S.A.")
    house.record("Beton-Bud Sp. z o.o.")
    house.record("Łomianki Playground Construction", kind="projects")
    house.index()
    message = mail("Łomianki Playground Construction", "Spostex S.A. i Beton-Bud Sp. z o.o.")

    message_id = house.receive(message)

    assert filled(house, message_id) is None
    assert set(names(house, message_id)[:2]) == {"Spostex S.A.", "Beton-Bud Sp. z o.o."}


def test_of_two_companies_named_in_full_the_one_that_wrote_is_filled_in(house):
    house.record("Spostex S.A.", addresses=("jan@spostex.pl",))
    house.record("Adamski Sp. z o.o.")
    house.index()

    text = "Spostex S.A. i Adamski sp. z o.o."
    message_id = house.receive(mail("Umowa", text, sender="jan@spostex.pl"))

    assert filled(house, message_id) == "Spostex S.A."
    assert names(house, message_id) == ["Spostex S.A.", "Adamski Sp. z o.o."]


def test_a_company_whose_name_is_part_of_a_longer_one_is_not_named(house):
    house.record("Plus S.A.")
    house.record("Beton Plus S.A.")
    house.index()

    message_id = house.receive(mail("Beton Plus S.A."))

    assert filled(house, message_id) == "Beton Plus S.A."


def test_the_team_itself_is_not_suggested(house):
    house.own_team("Letter Sp. z o.o.")
    house.record("Letter Sp. z o.o.")
    house.record("Spostex S.A.")
    house.index()

    message_id = house.receive(mail("Spostex S.A.", "-- \nLetter Sp. z o.o."))

    assert names(house, message_id) == ["Spostex S.A."]
    assert filled(house, message_id) == "Spostex S.A."


def test_a_participants_address_is_stronger_than_a_company_that_is_named(house):
    house.record("Spostex S.A.")
    house.record("Jan Nowak", kind="contacts", addresses=["jan@nowak.example"])
    house.index()

    message_id = house.receive(mail("Spostex S.A.", sender="jan@nowak.example"))

    assert names(house, message_id) == ["Jan Nowak", "Spostex S.A."]
    assert filled(house, message_id) == "Jan Nowak"


def test_the_conversation_is_the_strongest_evidence(house):
    project = house.record("Plac zabaw", kind="projects")
    house.record("Spostex S.A.")
    first = mail("Pytanie")
    first["Message-ID"] = "<first@example.org>"
    house.file(house.receive(first), project)
    house.index()

    answer = mail("Re: Pytanie", "Spostex S.A.", In_Reply_To="<first@example.org>")
    message_id = house.receive(answer)

    assert names(house, message_id) == ["Plac zabaw", "Spostex S.A."]
    assert filled(house, message_id) == "Plac zabaw"


def test_a_code_in_the_subject_points_to_its_record(house):
    house.record("Plac zabaw", kind="projects", code="PRJ-42")
    house.record("Boisko", kind="projects", code="PRJ-421")
    house.index()

    assert names(house, house.receive(mail("Re: [PRJ-42] beton"))) == ["Plac zabaw"]


@pytest.mark.parametrize("kind", ["warehouse", "projects", "contacts"])
def test_a_one_word_name_is_weak(house, kind):
    house.record("Concrete", kind=kind)
    house.index()

    (one,) = suggested(house, house.receive(mail("Concrete", "We need Concrete today")))

    assert (one.score, one.is_preselected) == (0.4, False)


def test_a_one_word_company_is_named_only_with_a_capital_inside_a_sentence(house):
    house.record("Budowa")
    house.index()

    assert filled(house, house.receive(mail("x", "Nowa budowa. Budowa trwa"))) is None
    assert filled(house, house.receive(mail("x", "dla firmy Budowa na jutro"))) == "Budowa"


def test_a_project_is_named_in_another_case(house):
    """A15: any record may be filled in, where the evidence is strong and leads."""
    house.record("Łomianki Playground Construction", kind="projects")
    house.index()

    message_id = house.receive(mail("W sprawie Lomianki playground construction"))

    assert filled(house, message_id) == "Łomianki Playground Construction"


def test_a_domain_speaks_for_its_record(house):
    house.record("Spostex S.A.", domains=["spostex.pl"])
    house.index()

    (one,) = suggested(house, house.receive(mail("x", sender="Ola <ola@poczta.spostex.pl>")))

    assert (one.score, one.is_preselected) == (0.75, True)


@pytest.mark.parametrize("sender", ["jan@notspostex.pl", "jan@spostex.pl.evil.example"])
def test_a_part_of_a_domain_speaks_for_nothing(house, sender):
    house.record("Spostex S.A.", domains=["spostex.pl"])
    house.index()

    assert names(house, house.receive(mail("x", sender=sender))) == []


def test_free_mail_and_own_domains_speak_for_nothing(house):
    house.own_team("Letter", domains=["team.example"])
    house.record("Jan", kind="contacts", domains=["gmail.com"])
    house.record("Biuro", kind="contacts", domains=["team.example"])
    house.index()

    assert names(house, house.receive(mail("x", sender="jan@gmail.com"))) == []


def test_a_hidden_record_is_never_suggested_and_changes_nothing(house):
    house.record("Spostex S.A.")
    house.record("Beton-Bud S.A.", users=[house.bob.user_id])
    house.index()

    message_id = house.receive(mail("Spostex S.A. i Beton-Bud S.A."))

    assert names(house, message_id) == ["Spostex S.A."]
    assert filled(house, message_id) == "Spostex S.A."


def test_a_message_that_the_viewer_may_not_read_has_no_suggestions(house):
    house.record("Spostex S.A.")
    house.index()

    assert suggested(house, house.receive(mail("Spostex S.A.")), house.bob) == []


def test_a_record_that_was_just_made_is_suggested_at_once(house):
    house.index()
    house.record("Spostex S.A.")

    assert filled(house, house.receive(mail("Spostex S.A."))) == "Spostex S.A."


def test_at_most_five_are_suggested(house):
    for number in range(8):
        house.record(f"Spostex {number}", kind="contacts", addresses=["jan@example.org"])
    house.index()

    assert len(names(house, house.receive(mail("x", sender="jan@example.org")))) == 5


def test_equally_good_records_leave_the_choice_to_the_person(house):
    for name in ("Ola", "Jan"):
        house.record(name, kind="contacts", addresses=["jan@example.org"])
    house.index()

    message_id = house.receive(mail("x", sender="jan@example.org"))

    assert names(house, message_id) == ["Jan", "Ola"]
    assert filled(house, message_id) is None


def test_nothing_speaks_for_any_record(house):
    house.record("Spostex S.A.")
    house.index()

    assert names(house, house.receive(mail("Dzień dobry"))) == []


def test_an_address_in_copy_is_weaker_than_the_sender_s(house):
    house.record("Spostex S.A.", addresses=["jan@spostex.pl"])
    house.index()

    (sender,) = suggested(house, house.receive(mail("x", sender="jan@spostex.pl")))
    (copied,) = suggested(
        house, house.receive(mail("x", sender="a@b.example", Cc="jan@spostex.pl"))
    )

    assert (sender.score, sender.is_preselected) == (0.90, True)
    assert (copied.score, copied.is_preselected) == (0.54, False)


def test_what_we_write_goes_by_whom_we_write_to(house):
    house.own_team("Letter", domains=["team.example"])
    house.record("Spostex S.A.", domains=["spostex.pl"])
    house.index()
    message = mail("x", sender="ewa@team.example", to="jan@spostex.pl")

    (one,) = suggested(house, house.receive(message))

    assert (one.score, one.is_preselected) == (0.75, True)


def test_a_code_in_the_text_is_weaker_than_in_the_subject(house):
    house.record("Plac zabaw", kind="projects", code="PRJ-42")
    house.index()

    (one,) = suggested(house, house.receive(mail("x", "jak przy PRJ-42")))

    assert (one.score, one.is_preselected) == (0.60, False)
    assert one.reasons == ('Code "PRJ-42" is in the text',)


def test_the_sender_s_name_is_weaker_than_one_in_the_text(house):
    house.record("Halina Brzoza", kind="contacts")
    house.index()

    (one,) = suggested(house, house.receive(mail("x", sender="Halina Brzoza <h@mail.example>")))

    assert (one.score, one.is_preselected) == (0.55, False)
    assert one.reasons == ('Name "Halina Brzoza" is the sender\'s',)


def test_a_rare_word_of_a_name_speaks_for_its_record(house):
    house.record("Budowa hali Łomianki", kind="projects")
    house.record("Remont szkoły Marki", kind="projects")
    house.index()

    (one,) = suggested(house, house.receive(mail("Co słychać w Łomiankach")))

    assert (one.record.name, one.score) == ("Budowa hali Łomianki", 0.60)
    assert one.reasons == ("A word of its name is in the subject",)
    assert names(house, house.receive(mail("x", "co w łomiankach"))) == []


def test_a_word_that_several_names_have_is_weak_and_one_that_many_have_is_none(house):
    for number in range(3):
        house.record(f"Hala {number} Łomianki", kind="projects")
    for number in range(4):
        house.record(f"Hala {number} Marki", kind="projects")
    house.index()

    some = suggested(house, house.receive(mail("Co słychać w Łomiankach")))

    assert [one.score for one in some] == [0.35] * 3
    assert names(house, house.receive(mail("Co słychać w Markach"))) == []


def test_among_ourselves_a_rare_word_in_the_subject_is_enough(house):
    house.own_team("Letter", domains=["team.example"])
    house.record("Budowa hali Łomianki", kind="projects")
    house.index()
    message = mail("Co słychać w Łomiankach", sender="jan@team.example")

    assert filled(house, house.receive(message)) == "Budowa hali Łomianki"


def test_a_name_of_ordinary_words_is_not_sure_in_the_text(house):
    house.record("Paving", kind="warehouse", aliases=["kostka brukowa"])
    house.index()

    (one,) = suggested(house, house.receive(mail("x", "zużyliśmy 12 m2 kostki brukowej")))

    assert (one.score, one.is_preselected) == (0.55, False)


def test_a_company_inside_another_one_s_name_is_not_named(house):
    house.record("Nowak Sp. z o.o.")
    house.record("Transbud Nowak Sp. z o.o.")
    house.index()

    assert filled(house, house.receive(mail("x", "dla Nowaka sp. z o.o."))) == "Nowak Sp. z o.o."
    assert (
        filled(house, house.receive(mail("x", "dla Transbudu Nowak sp. z o.o.")))
        == "Transbud Nowak Sp. z o.o."
    )
