from hypothesis import given
from hypothesis import strategies as st

from app.search.highlight import LONGEST_SNIPPET, marks, snippet
from app.search.query import parse

LONG = "Dzień dobry. " * 200


def hits(pieces):
    return [piece.text for piece in pieces if piece.is_hit]


def shown(pieces):
    return "".join(piece.text for piece in pieces)


def test_inflected_words_are_marked():
    pieces = marks("Dostawa betonu do Łomianek i w Łomiankach", parse("beton lomianki"))

    assert hits(pieces) == ["betonu", "Łomiankach"]


def test_marks_lose_nothing_of_the_text():
    text = "  Re:\tFaktura –  za beton "

    assert shown(marks(text, parse("faktura"))) == text


def test_a_phrase_is_one_mark_over_line_ends():
    pieces = marks("beton, potem faktura\nza beton", parse('"faktura za beton"'))

    assert hits(pieces) == ["faktura\nza beton"]


def test_a_prefix_marks_the_whole_word():
    assert hits(marks("Fakturowanie fa", parse("fakt*"))) == ["Fakturowanie"]


def test_an_excluded_word_is_not_marked():
    assert hits(marks("beton stal", parse("beton -stal"))) == ["beton"]


def test_a_person_is_not_marked_in_the_text():
    assert hits(marks("jan pisze", parse("from:jan pisze"))) == ["pisze"]


def test_words_with_soft_hyphens_and_accents_apart_are_marked():
    pieces = marks("fak\u00adtura Ło\u0301dz\u0301 東京", parse('faktura łódź "東京"'))

    assert hits(pieces) == ["fak\u00adtura", "Ło\u0301dz\u0301", "東京"]


def test_letters_of_other_languages_are_marked():
    pieces = marks("Čeština, Größe, año… Ελλάδα", parse("cestina groesse grosse ano ελλαδα"))

    assert hits(pieces) == ["Čeština", "Größe", "año", "Ελλάδα"]


def test_underscores_part_words():
    assert hits(marks("foo_bar bar_foo łbar", parse("bar"))) == ["bar", "bar"]


def test_a_snippet_shows_the_passage_with_most_of_the_words():
    text = LONG + "sam beton tutaj. " + LONG + "Faktura za beton jest gotowa. " + LONG

    pieces = snippet(text, parse("faktura beton gotowa"))

    assert hits(pieces) == ["Faktura", "beton", "gotowa"]
    assert len(shown(pieces)) <= LONGEST_SNIPPET


def test_a_snippet_without_hits_is_the_beginning():
    pieces = snippet("Dzień dobry,\n\n  w załączeniu", parse("nieobecne"))

    assert shown(pieces) == "Dzień dobry, w załączeniu"
    assert hits(pieces) == []


def test_a_snippet_of_no_text_is_empty():
    assert snippet("", parse("beton")) == ()


def test_what_stands_beyond_64_k_is_not_looked_at():
    assert hits(snippet("x " * 40_000 + "beton", parse("beton"))) == []


@given(st.text(), st.text())
def test_any_text_and_query_give_a_bounded_snippet(text, typed):
    assert len(shown(snippet(text, parse(typed)))) <= LONGEST_SNIPPET


@given(st.text(), st.text())
def test_marks_of_any_text_are_the_text(text, typed):
    assert shown(marks(text, parse(typed))) == text
