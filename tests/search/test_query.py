from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.query import LONGEST_QUERY, MOST_TERMS, Query, parse
from app.search.tree import And, Field, Flag, Not, Or, Phrase, Prefix, Range, Term


def term(word):
    return parse(word).ast


def test_words_are_all_wanted():
    assert parse("faktura betonu").ast == And((term("faktura"), term("betonu")))


def test_quotes_make_a_phrase_of_exact_forms():
    assert parse('"Faktura za beton"').ast == Phrase(("faktura", "za", "beton"))


def test_polish_quotes_are_quotes():
    assert parse("„za beton”").ast == Phrase(("za", "beton"))


def test_one_word_in_quotes_has_no_stems():
    assert parse('"betonu"').ast == Term("betonu")


def test_a_star_makes_a_prefix():
    assert parse("Fakt*").ast == Prefix("fakt")


def test_a_prefix_of_two_letters_is_a_word_and_said_so():
    query = parse("fa*")

    assert isinstance(query.ast, Term)
    assert query.notes


def test_or_binds_tighter_than_and():
    assert parse("a b OR c").ast == And((term("a"), Or((term("b"), term("c")))))


def test_small_or_is_a_word():
    assert isinstance(parse("a or b").ast, And)


def test_minus_excludes():
    assert parse("a -b").ast == And((term("a"), Not(term("b"))))


def test_a_hyphen_inside_a_word_excludes_nothing():
    assert parse("e-mail").ast == Phrase(("e", "mail"))


def test_parentheses_group():
    assert parse("-(a OR b)").ast == Not(Or((term("a"), term("b"))))


@pytest.mark.parametrize("name", ["from", "to", "cc", "with", "subject", "filename"])
def test_fields_hold_what_follows(name):
    assert parse(f"{name}:jan").ast == Field(name, term("jan"))


def test_a_field_may_stand_before_a_space_quotes_and_a_group():
    assert parse("from: jan").ast == parse("FROM:jan").ast
    assert parse('from:"Jan Nowak"').ast == Field("from", Phrase(("jan", "nowak")))
    assert parse("from:(jan OR ewa)").ast == Field("from", Or((term("jan"), term("ewa"))))


def test_an_address_is_looked_up_whole():
    assert parse("from:jan@spostex.pl").ast == Field("from", Phrase(("jan", "spostex", "pl")))


def test_flags_are_understood():
    assert parse("has:attachment").ast == Flag("has_attachment")
    assert parse("in:archive").ast == Flag("is_archived")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("on:2025", datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        ("on:2025-12", datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        ("on:2025-02-28", datetime(2025, 2, 28, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC)),
        ("after:2025-03", datetime(2025, 3, 1, tzinfo=UTC), None),
        ("before:2025-03-14", None, datetime(2025, 3, 14, tzinfo=UTC)),
    ],
)
def test_dates_are_periods(text, start, end):
    assert parse(text).ast == Range(start, end)


def test_a_day_is_a_day_where_the_viewer_lives():
    query = parse("on:2025-03-30", zone=ZoneInfo("Europe/Warsaw"))

    start = datetime(2025, 3, 29, 23, tzinfo=UTC)
    assert (query.ast.start, query.ast.end) == (start, datetime(2025, 3, 30, 22, tzinfo=UTC))


@pytest.mark.parametrize("text", ["on:2025-13", "after:yesterday", "before:0000", "has:wings"])
def test_a_value_that_is_not_understood_is_text_with_a_note(text):
    query = parse(text)

    assert isinstance(query.ast, And)
    assert "not understood" in query.notes[0]


def test_an_unknown_operator_is_text_with_a_note():
    query = parse("colour:red")

    assert query.ast == Phrase(("colour", "red"))
    assert "colour:" in query.notes[0]


def test_an_address_of_the_web_is_text_without_a_note():
    query = parse("http://example.org")

    assert query.ast == Phrase(("http", "example", "org"))
    assert query.notes == ()


@pytest.mark.parametrize("text", ['a "b', "(a b", "a) b", "a OR", "OR a", "a OR OR b"])
def test_what_is_unbalanced_is_left_out_with_a_note(text):
    query = parse(text)

    assert query.ast is not None
    assert query.notes


@pytest.mark.parametrize("text", ["", " ", "-", "()", '""', "!!!", "((((", "OR", "-()", "*"])
def test_nothing_to_look_for_is_no_tree(text):
    assert parse(text).ast is None


def test_ten_thousand_parentheses_are_no_danger():
    query = parse("(" * 10_000 + "a" + ")" * 10_000)

    assert query.notes


def test_parentheses_too_deep_are_left_out():
    query = parse("(" * 20 + "a" + ")" * 20)

    assert query.ast == term("a")
    assert "deep" in query.notes[0]


def test_words_beyond_the_limit_are_left_out():
    query = parse("a " * 100)

    assert len(query.ast.nodes) == MOST_TERMS
    assert query.notes


def test_characters_beyond_the_limit_are_left_out():
    query = parse("x" * 600 + " y")

    assert query.ast == term("x" * LONGEST_QUERY)
    assert query.notes


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("from:jan faktura", "from: jan · text: faktura"),
        ("Łomianki betonu", "text: Łomianki betonu"),
        ("a OR b", "text: a or b"),
        ("a OR b c", "text: (a or b) c"),
        ("from:jan@spostex.pl -beton", "from: jan@spostex.pl · not beton"),
        ('subject:"za beton" has:attachment', 'subject: "za beton" · has an attachment'),
        ("on:2025", "2025-01-01 to 2025-12-31"),
        ("before:2025 x", "before 2025-01-01 · text: x"),
        ("-(a b)", "not (a and b)"),
    ],
)
def test_what_was_understood_is_said_in_a_sentence(text, understood):
    assert parse(text).understood == understood


def test_needles_are_what_a_hit_can_show():
    needles = parse('betonu -stal from:jan fakt* "za beton" subject:oferta').terms

    assert needles.words == {"betonu", "oferta"}
    assert needles.starts == ("fakt",)
    assert needles.phrases == (("za", "beton"),)


@given(st.text())
def test_no_text_makes_the_parser_raise(text):
    assert isinstance(parse(text), Query)


PIECES = ["(", ")", '"', "-", "OR", " ", "from:", "on:", "has:", "in:", "a", "2025", "x*", ":", "„"]


@given(st.lists(st.sampled_from(PIECES), max_size=200).map("".join))
def test_no_operators_make_the_parser_raise(text):
    query = parse(text)

    assert (query.ast is None) == (query.understood == "")
