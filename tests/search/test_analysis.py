import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.analysis import (
    LONGEST_WORD,
    RUN,
    analyse,
    asked_stems,
    fold,
    forms,
    numbers,
    stem,
    words,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ŁOMIANKI", "lomianki"),
        ("Łódź", "lodz"),
        ("Ło\u0301dz\u0301", "lodz"),
        ("Ørsted", "orsted"),
        ("Straße", "strasse"),
        ("Æther", "aether"),
        ("Đoković", "dokovic"),
        ("İstanbul", "istanbul"),
        ("ﬁrma", "firma"),
        ("ＦＶ", "fv"),
        ("fak\u00adtura", "faktura"),
        ("fak\u200btura", "faktura"),
    ],
)
def test_fold_takes_away_case_and_diacritics(written, folded):
    assert fold(written) == folded


def test_an_identifier_is_cut_into_its_parts():
    assert words("FV/2025/03/117") == ["fv", "2025", "03", "117"]


def test_an_address_is_cut_into_its_parts():
    assert words("Jan.Nowak@Spostex.pl") == ["jan", "nowak", "spostex", "pl"]


def test_a_soft_hyphen_does_not_cut_a_word():
    assert words("fak\u00adtura za beton") == ["faktura", "za", "beton"]


def test_ideographs_are_words_of_their_own():
    assert words("東京 office") == ["東", "京", "office"]


@pytest.mark.parametrize(
    ("inflected", "plain"),
    [
        ("betonu", "beton"),
        ("Łomiankach", "lomianki"),
        ("Spostexu", "Spostex"),
        ("fakturę", "faktury"),
        ("spółki", "spolka"),
    ],
)
def test_inflected_forms_have_one_stem(inflected, plain):
    assert stem(inflected) == stem(plain)


@pytest.mark.parametrize(
    ("indexed", "typed"),
    [
        ("betonu", "beton"),
        ("beton", "betonu"),
        ("Łomiankach", "lomianki"),
        ("Łomianki", "lomiankach"),
        ("fakturę", "fakture"),
        ("scheduling", "scheduled"),
        ("invoices", "invoice"),
    ],
)
def test_a_typed_word_asks_for_the_stems_of_its_other_forms(indexed, typed):
    held = {*forms(indexed).words, *forms(indexed).stems}

    asked = {*words(typed), *asked_stems(typed)}

    assert held & asked


def test_a_short_word_has_no_shorter_stem():
    assert "it" not in forms("item").stems


def test_numbers_have_no_stems():
    assert forms("117").stems == ()


def test_analyse_gives_words_in_order_and_stems_apart():
    exact, stems = analyse("Faktura za betonu, faktura!")

    assert exact.split() == ["faktura", "za", "betonu", "faktura"]
    assert set(stems.split()) == {"faktur", "beton"}


@given(st.text(st.characters(codec="ascii")) | st.text())
def test_a_text_is_analysed_as_its_runs_are(text):
    exact, stems = analyse(text)

    assert exact.split() == words(text)
    stemmed = {one for run in RUN.findall(text) for one in forms(run).stems}
    assert set(stems.split()) == stemmed | numbers(text)


@pytest.mark.parametrize("long", ["A" * 70, f"x_{'A' * 70}"])
def test_a_long_word_in_a_text_is_cut_as_by_itself(long):
    assert analyse(f"see {long}!")[0].split() == words(f"see {long}")


def test_an_endless_word_is_cut():
    assert words("a" * 5000) == ["a" * LONGEST_WORD]


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_words_are_clean_and_found_again_by_themselves(text):
    found = words(text)

    assert all(word and not word.isspace() and " " not in word for word in found)
    assert words(" ".join(found)) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Faktura FV/2025/03/117.", "fv202503117"),
        ("faktura FV 117/03/2025", "fv117032025"),
        ("[PRJ-2024-003] odbiór", "prj2024003"),
        ("tel. +48 22 555 01 10", "48225550110"),
        ("tel. +48 22 555 01 10", "225550110"),
        ("601-555-215", "601555215"),
        ("PL61 1090 1014 0000 0712 1981 2874", "pl61109010140000071219812874"),
        ("NIP 118-555-50-17", "1185555017"),
    ],
)
def test_a_number_is_kept_without_what_stands_in_it(text, number):
    assert number in numbers(text)
    assert number in analyse(text)[1].split()
    assert number in asked_stems(number)


@pytest.mark.parametrize("text", ["well-known", "a-1", "12", "1 2", "x/y/z", "3,5 m", "-" * 9_000])
def test_what_is_no_number_is_none(text):
    assert numbers(text) == set()


@given(st.text(st.sampled_from("aZ09/-._ +\n")))
def test_numbers_are_single_words_that_ask_for_themselves(text):
    assert all(words(one) == [one] and one in asked_stems(one) for one in numbers(text))
