"""Odd names and large mail: suggestions stay right, and read no more than they say."""

import pytest

from app.model import Record, RecordId
from app.search import evidence
from app.search.names import MOST_NAMES, keys_of, name_of, name_stem, names_of, parts_of
from tests.search.conftest import mail
from tests.search.test_suggest import filled, names


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", ">", "-- \n", "\ufeff\u200f"])
def test_a_mail_without_words_has_no_suggestions(house, text):
    house.record("Spostex S.A.")
    house.index()

    assert names(house, house.receive(mail("", text, sender="", to=""))) == []


@pytest.mark.parametrize(
    "name", ["🏗️ Budex", "\u202eBudex\u202c", "بناء الحديقة", "公司 北京", "Бетон"]
)
def test_names_of_emoji_and_other_scripts_are_found(house, name):
    house.record(name, kind="projects", code="")
    house.record(f"{name} Plus", kind="projects")
    house.index()

    assert f"{name} Plus" in names(house, house.receive(mail(f"W sprawie {name} Plus")))


@pytest.mark.parametrize("name", ["🙂", "...", "—", "\u200f"])
def test_a_name_without_a_word_is_never_found(house, name):
    house.record(name)
    house.index()

    assert names(house, house.receive(mail(f"a {name} b", f"{name}"))) == []


@pytest.mark.parametrize("name", ["i", "a", "The", "SA", "S.A.", "Sp. z o.o."])
def test_a_name_of_a_stop_word_or_a_legal_form_is_not_sure(house, name):
    house.record(name, kind="projects")
    house.index()
    text = "Spostex S.A. i Adamski Sp. z o.o., the usual terms, a month"

    assert filled(house, house.receive(mail("i a the", text))) is None


def test_of_two_megabytes_as_many_words_are_read_as_are_said(house):
    """Bounded by construction: words, grams and characters, whatever the body."""
    house.record("Spostex S.A.")
    house.index()
    body = "Beton Plus " * 190_000
    near = house.receive(mail("x", f"{'beton ' * 1_900} dla Spostex S.A. {body}"))
    far = house.receive(mail("x", f"{'beton ' * 2_100} dla Spostex S.A. {body}"))

    assert (filled(house, near), filled(house, far)) == ("Spostex S.A.", None)


@pytest.mark.parametrize("text", ["x" * 2_000_000, "ą" * 600_000, "A b " * 500_000, "> " * 900_000])
def test_no_zone_is_longer_than_said(text):
    from app.mail import parse

    parsed = parse(bytes(mail("Oferta " * 9_000, text)))

    zones = evidence.zones_of(parsed)

    most = {"quoted": evidence.MOST_QUOTED_WORDS}
    assert all(
        len(zone.tokens) <= most.get(zone.place, evidence.MOST_NEW_WORDS)
        and len(zone.tokens) == len(zone.lines) == len(zone.stands_out) == len(zone.capitals)
        for zone in zones
    )
    assert len(evidence.parts(zones, evidence.Team())) <= evidence.MOST_PARTS


def test_a_mail_to_a_thousand_names_fifty(house):
    from app.mail import parse

    message = mail("x", to=", ".join(f"p{n}@firm{n}.example" for n in range(1_000)))

    assert len(evidence.participants(parse(bytes(message)), evidence.Team())) == 50


def test_of_ten_thousand_aliases_five_hundred_names_are_looked_for():
    aliases = tuple(f"Alias Number{n:05}" for n in range(10_000))
    record = Record(RecordId(1), "a", "projects", "Boisko", aliases=aliases)

    assert len(names_of(record)) == MOST_NAMES
    assert len(keys_of(record)) == MOST_NAMES
    assert len(parts_of(record)) <= 2 * MOST_NAMES


def test_an_alias_beyond_five_hundred_is_not_looked_for(house):
    house.record("Boisko", kind="projects", aliases=[f"plac{n:03} zabaw" for n in range(600)])
    house.index()

    assert names(house, house.receive(mail("Nowy plac007 zabaw"))) == ["Boisko"]
    assert names(house, house.receive(mail("Nowy plac599 zabaw"))) == []


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Spostex", ["Spostexu", "Spostexem", "SPOSTEX"]),
        ("Betonex", ["Betoneksu", "Betoneksem"]),
        ("Łomianki", ["Łomiankach", "lomianek", "Łomiankami"]),
        ("piasek płukany", ["piasku płukanego", "piaskiem płukanym"]),
        ("pręt żebrowany", ["prętów żebrowanych", "prętami żebrowanymi"]),
        ("Wawer", ["Wawrze", "Wawra"]),
        ("Sulejówek", ["Sulejówku", "Sulejówka"]),
        ("Architects", ["Architect", "architects"]),
    ],
)
def test_a_name_is_the_same_in_every_case(name, forms):
    assert {name_of(form).full for form in forms} == {name_of(name).full}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Spostex", "Spostal"),
        ("Beton-Bud", "Beton budowa"),
        ("Nowak", "Nowakowski"),
    ],
)
def test_near_names_stay_apart(one, other):
    assert name_of(one).full != name_of(other).full


def test_the_possessive_of_a_name_is_the_name(house):
    house.record("Harrow Playgrounds Ltd")
    house.index()

    for text in ("about Harrow Playgrounds Ltd's offer", "about Harrow Playgrounds Ltd’s offer"):
        assert filled(house, house.receive(mail("x", text))) == "Harrow Playgrounds Ltd"


def test_a_stem_is_never_empty():
    assert all(name_stem(word) for word in ("s", "ow", "om", "rz", "ks", "ek", "i", "ss", "iek"))
