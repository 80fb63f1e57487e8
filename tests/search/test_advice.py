"""Help where nothing was found, of what the viewer may read only."""

import pytest

from app.search.advice import advise
from tests.search.conftest import mail


@pytest.fixture
def filled(house):
    for _ in range(2):
        house.receive(mail("Faktura", "za dostawę betonu", sender="jan@spostex.pl"))
    house.receive(mail("Oferta", "cement"))
    house.index()
    return house


def test_each_part_is_counted_alone_and_left_out(filled):
    parts = advise(filled.store, filled.alice, "faktura cement zebra").parts

    assert [(one.chip.label, one.alone, one.text, one.total) for one in parts] == [
        ("faktura", 2, "cement zebra", 0),
        ("cement", 1, "faktura zebra", 0),
        ("zebra", 0, "faktura cement", 0),
    ]


def test_the_part_that_is_in_the_way_is_told_by_what_its_absence_finds(filled):
    parts = advise(filled.store, filled.alice, "faktura in:archive").parts

    assert [(one.text, one.total) for one in parts] == [("in:archive", 0), ("faktura", 2)]


@pytest.mark.parametrize(
    ("text", "respelt"),
    [
        ("fatkura", "faktura"),
        ("cementt oferta", "cement oferta"),
        ("from:spostx", "from:spostex"),
        ("oferta subject:oferat", "oferta subject:oferta"),
    ],
)
def test_a_near_spelling_is_offered_where_it_finds_something(filled, text, respelt):
    (found,) = advise(filled.store, filled.alice, text).spellings

    assert found.text == respelt
    assert found.total > 0


def test_a_spelling_that_finds_nothing_is_not_offered(filled):
    assert advise(filled.store, filled.alice, "fatkura cement").spellings == ()


def test_words_of_hidden_mail_are_never_offered(filled):
    assert advise(filled.store, filled.bob, "fatkura").spellings == ()
    assert [one.total for one in advise(filled.store, filled.bob, "faktura zebra").parts] == [0, 0]


def test_nothing_typed_needs_no_advice(filled):
    advice = advise(filled.store, filled.alice, "()")

    assert (advice.parts, advice.spellings) == ((), ())
