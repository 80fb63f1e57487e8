from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.query import LONGEST_QUERY, MOST_TERMS, Query, parse, without
from app.search.tree import And, Field, Flag, Not, Or, Own, Phrase, Prefix, Range, Size, Term


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


@pytest.mark.parametrize(
    "name", ["from", "to", "cc", "with", "subject", "body", "filename", "attachment"]
)
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


@pytest.mark.parametrize("text", ["on:2025-13", "after:spring", "before:0000", "has:wings"])
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
        ("on:2025", "2025"),
        ("on:2025-03", "2025-03"),
        ("on:2025-03-14", "2025-03-14"),
        ("from:jan faktura on:2025", "from: jan · text: faktura · 2025"),
        ("has:attachment beton stal", "has an attachment · text: beton stal"),
        ("larger:5M", "larger than 5 MB"),
        ("type:.PDF in:queue", "type: pdf · in the queue"),
        ("is:unread attached:none", "unread · attached to no record"),
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


NOW = datetime(2025, 3, 12, 1, 30, tzinfo=UTC)
"""A Wednesday; the evening of Tuesday in New York."""


@pytest.mark.parametrize(
    ("text", "first", "next_"),
    [
        ("on:today", (2025, 3, 12), (2025, 3, 13)),
        ("on:yesterday", (2025, 3, 11), (2025, 3, 12)),
        ("on:this week", (2025, 3, 10), (2025, 3, 17)),
        ('on:"last week"', (2025, 3, 3), (2025, 3, 10)),
        ("on:last-month", (2025, 2, 1), (2025, 3, 1)),
        ("on:this_year", (2025, 1, 1), (2026, 1, 1)),
        ("on: last year", (2024, 1, 1), (2025, 1, 1)),
        ("on:2025/3/4", (2025, 3, 4), (2025, 3, 5)),
    ],
)
def test_days_are_seen_from_now(text, first, next_):
    start, end = (datetime(*day, tzinfo=UTC) for day in (first, next_))

    assert parse(text, now=NOW).ast == Range(start, end)


def test_today_is_the_day_where_the_viewer_lives():
    zone = ZoneInfo("America/New_York")

    assert parse("after:today", zone=zone, now=NOW).understood == "from 2025-03-11 on"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("newer_than:2w", Range(datetime(2025, 2, 26, 1, 30, tzinfo=UTC), None)),
        ("older_than:6m", Range(None, datetime(2024, 9, 12, 1, 30, tzinfo=UTC))),
        ("older_than:1Y", Range(None, datetime(2024, 3, 12, 1, 30, tzinfo=UTC))),
        ("newer_than:3d", Range(datetime(2025, 3, 9, 1, 30, tzinfo=UTC), None)),
    ],
)
def test_ages_are_counted_from_now(text, expected):
    assert parse(text, now=NOW).ast == expected


def test_an_age_in_months_ends_in_a_shorter_month():
    now = datetime(2025, 3, 31, tzinfo=UTC)

    assert parse("older_than:1m", now=now).understood == "before 2025-02-28"


def test_last_spring_is_not_understood_and_said_so():
    query = parse("after:last spring beton")

    assert "“after:last spring” was not understood" in query.notes[0]
    assert "last week" in query.notes[0]
    assert [chip.label for chip in query.chips] == ["after", '"last spring"', "beton"]


@pytest.mark.parametrize(
    "text",
    [
        *("on:2025-13-45", "older_than:6", "newer_than:9999y", "larger:big", "in:trash", "is:red"),
        *("on:9999", "after:0001-01-01x", "older_than:soon", "type:/%", "before:(2025)"),
    ],
)
def test_a_value_that_makes_no_sense_is_text_with_a_note_that_helps(text):
    query = parse(text)

    assert "not understood" in query.notes[0]
    assert "It takes " in query.notes[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("larger:5M", Size(5 << 20, None)),
        ("larger:1.5k", Size(1536, None)),
        ("smaller:2GB", Size(None, 2 << 30)),
        ("smaller:300", Size(None, 300)),
    ],
)
def test_sizes_have_units(text, expected):
    assert parse(text).ast == expected


def test_what_only_the_viewer_can_answer_is_named():
    query = parse('mailbox:office folder:Sent in:queue is:unread attached:"Spostex S.A." thread:x')

    assert query.ast == And(
        (
            Own("account", "office"),
            Own("folder", "Sent"),
            Own("in", "queue"),
            Own("is", "unread"),
            Own("attached", "Spostex S.A."),
            Own("thread", "x"),
        )
    )
    assert query.notes == ()


def test_read_is_not_unread():
    assert parse("is:read").ast == Not(Own("is", "unread"))


def test_words_near_each_other_stand_ten_apart_at_most():
    assert parse('"faktura beton"~3').ast == Phrase(("faktura", "beton"), slop=3)
    assert parse('"faktura beton"~999').ast == Phrase(("faktura", "beton"), slop=10)


def test_an_operator_with_nothing_after_it_is_a_word_with_a_note():
    query = parse("beton from:")

    assert query.ast == And((term("beton"), term("from")))
    assert query.notes == ("Nothing stands after “from:”, so it was searched for as a word.",)
    assert query.carets[0].at == len("beton ")


def test_a_misspelt_operator_is_answered_with_the_near_one():
    (note,) = parse("form:jan").notes

    assert "Did you mean “from:”?" in note


def test_notes_point_at_the_place_they_are_about():
    text = 'faktura on:2025-13 ) "beton'

    found = {one.note[:20]: text[one.at :][:1] for one in parse(text).carets}

    assert found == {
        "“on:2025-13” was not": "o",
        "A parenthesis withou": ")",
        "A quotation mark wit": '"',
    }


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1b b", "\x9f a b"])
def test_what_is_no_text_is_a_blank(text):
    assert parse(text).understood == "text: a b"


def test_chips_mirror_the_parts_that_must_all_hold():
    text = 'from:jan (a OR b) -c "d e" on:2025'

    found = parse(text).chips

    assert [chip.label for chip in found] == ["from: jan", "a or b", "not c", '"d e"', "2025"]
    assert [text[chip.start : chip.end] for chip in found] == [
        "from:jan",
        "(a OR b)",
        "-c",
        '"d e"',
        "on:2025",
    ]


def test_a_removed_chip_is_gone_from_the_text():
    text = "  from:jan  (a OR b)   -c "

    left = [without(text, chip) for chip in parse(text).chips]

    assert left == ["(a OR b)   -c", "from:jan -c", "from:jan  (a OR b)"]


PARTS = ["from:jan", "-beton", "(a OR b)", '"d e"', "x OR y", "on:2025", "is:unread", "fakt*"]


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=8), st.data())
def test_removing_a_chip_leaves_the_others(parts, data):
    text = " ".join(parts)
    chips = parse(text).chips
    gone = data.draw(st.integers(0, len(chips) - 1))

    left = parse(without(text, chips[gone])).chips

    assert [one.label for one in left] == [
        chip.label for number, chip in enumerate(chips) if number != gone
    ]


@given(st.text())
def test_no_text_makes_the_parser_raise(text):
    assert isinstance(parse(text), Query)


PIECES = ["(", ")", '"', "-", "OR", " ", "from:", "on:", "has:", "in:", "a", "2025", "x*", ":", "„"]


@given(st.lists(st.sampled_from(PIECES), max_size=200).map("".join))
def test_no_operators_make_the_parser_raise(text):
    query = parse(text)

    assert (query.ast is None) == (query.understood == "")
