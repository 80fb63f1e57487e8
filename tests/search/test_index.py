import itertools
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import Conflict
from app.mail import parse as parse_mail
from app.search.index import MessageIndex
from app.search.query import parse
from app.search.reader import open_index
from app.search.schema import MESSAGES, message_entry, sort_key
from app.store.documents import MessageDocument
from app.store.visibility import ViewerScopes
from tests.search.conftest import mail

VIEWER = ViewerScopes(frozenset({"account:1", "user:7"}), frozenset({"all"}), frozenset({"any"}))
NOBODY = ViewerScopes(frozenset(), frozenset(), frozenset())
START = datetime(2025, 1, 1, tzinfo=UTC)


def document(message_id, message, *, account=("account:1",), record=(), role=("any",), at=None):
    sort_at = at or START + timedelta(minutes=message_id)
    return MessageDocument(message_id, sort_at, parse_mail(bytes(message)), account, record, role)


def write(directory, *documents):
    index = open_index(directory / MESSAGES, MESSAGES, create=True)
    writer = index.writer(15_000_000, 1)
    for one in documents:
        writer.add_document(message_entry(one))
    writer.commit()
    writer.wait_merging_threads()
    return MessageIndex(directory)


def found(index, text, viewer=VIEWER, **options):
    return list(index.search(parse(text).ast, viewer, **options).ids)


@pytest.fixture
def index(tmp_path):
    first = mail(
        "Faktura FV/2025/03/117",
        "Dostawa betonu w Łomiankach.\n\nOn Monday Ewa wrote:\n> stara umowa\n",
        sender="Jan Nowak <jan.nowak@Spostex.pl>",
        to="Ewa <ewa@team.example>",
        Cc="Piotr Żak <piotr@beton.example>",
        attachment="wycena-stali.pdf",
    )
    second = mail(
        "Spotkanie", "Stal i nic więcej", sender="Ola <ola@huta.example>", to="x@y.example"
    )
    return write(tmp_path, document(1, first), document(2, second))


@pytest.mark.parametrize(
    "text",
    [
        "faktura",
        "FAKTURY",
        "beton",
        "lomianki",
        "Łomianki",
        "FV/2025/03/117",
        "117",
        '"dostawa betonu"',
        "fakt*",
        "umowa",
        "faktura -spotkanie",
        "faktura (beton OR drewno)",
        "from:jan",
        "from:nowak",
        "from:spostex.pl",
        "from:spost",
        "from:jan.nowak@spostex.pl",
        'from:"Jan Nowak"',
        "to:ewa",
        "cc:zak",
        "with:piotr",
        "with:jan",
        "subject:faktura",
        "filename:wycena",
        "wycena",
        "has:attachment",
        "on:2025-01-01 beton",
    ],
)
def test_the_first_mail_alone_is_found_by(index, text):
    assert found(index, text) == [1]


@pytest.mark.parametrize(
    "text",
    [
        '"dostawa beton"',
        '"betonu dostawa"',
        "from:ewa",
        "to:jan",
        "subject:beton",
        "filename:faktura",
        "beton spotkanie",
        "FV/2025/03/118",
        '"ewa piotr"',
        "after:2026 beton",
        "in:archive",
        "nowakowskiego",
    ],
)
def test_nothing_is_found_by(index, text):
    assert found(index, text) == []


def test_an_exclusion_alone_finds_the_rest(index):
    assert found(index, "-beton") == [2]


def test_dates_bound_what_is_found(tmp_path):
    days = [document(n, mail("x"), at=datetime(2025, n, 1, tzinfo=UTC)) for n in (1, 2, 3)]
    index = write(tmp_path, *days)

    assert found(index, "x after:2025-02") == [3, 2]
    assert found(index, "x before:2025-02") == [1]
    assert found(index, "x on:2025-02") == [2]


def test_mail_from_before_1970_is_the_oldest(tmp_path):
    old = document(1, mail("x"), at=datetime(1965, 1, 1, tzinfo=UTC))
    index = write(tmp_path, old, document(2, mail("x")))

    assert found(index, "x") == [2, 1]
    assert found(index, "x before:1970") == [1]


def test_pages_follow_each_other_without_gap_or_repeat(tmp_path):
    same_time = [document(n, mail("x"), at=START) for n in range(1, 8)]
    index = write(tmp_path, *same_time)

    first = index.search(parse("x").ast, VIEWER, limit=3)
    second = index.search(parse("x").ast, VIEWER, limit=3, before=first.sort_keys[-1])
    third = index.search(parse("x").ast, VIEWER, limit=3, before=second.sort_keys[-1])

    assert [*first.ids, *second.ids, *third.ids] == [7, 6, 5, 4, 3, 2, 1]
    assert {first.total, second.total, third.total} == {7}


def test_sort_keys_are_unique_and_ordered_by_time_then_id():
    later = START + timedelta(seconds=1)

    keys = [sort_key(START, 1), sort_key(START, 2), sort_key(later, 1)]

    assert keys == sorted(set(keys))


def test_an_excluded_id_is_neither_shown_nor_counted(index):
    answer = index.search(parse("-nic").ast, VIEWER, without={1})

    assert (answer.ids, answer.total) == ((), 0)


ACCOUNTS = [("account:1",), ("user:7",), ("account:2",), ()]
RECORDS = [("all",), ("role:4",), ()]
ROLES = [("any",), ("role:5",)]


@pytest.mark.parametrize(
    ("account", "record", "role"), list(itertools.product(ACCOUNTS, RECORDS, ROLES))
)
def test_scopes_decide_who_finds_a_message(tmp_path, account, record, role):
    index = write(tmp_path, document(1, mail("x"), account=account, record=record, role=role))

    may = bool(set(account) & VIEWER.account) or (record == ("all",) and role == ("any",))
    assert found(index, "x") == ([1] if may else [])


def test_a_viewer_without_scopes_finds_nothing(index):
    assert found(index, "beton", NOBODY) == []
    assert index.search(parse("-x").ast, NOBODY).total == 0


def test_scopes_of_one_kind_are_not_scopes_of_another(tmp_path):
    mixed = ViewerScopes(frozenset({"all", "any"}), frozenset({"account:1"}), frozenset({"any"}))
    index = write(tmp_path, document(1, mail("x"), record=("all",)))

    assert found(index, "x", mixed) == []


def test_scope_words_in_a_text_open_nothing(tmp_path):
    index = write(tmp_path, document(1, mail("account:1 all any", "account:1"), account=()))

    assert found(index, "account") == []


def test_a_missing_index_answers_with_nothing_and_says_so(tmp_path):
    answer = MessageIndex(tmp_path).search(parse("x").ast, VIEWER)

    assert (answer.ids, answer.total, answer.is_partial) == ((), 0, True)


def test_a_damaged_index_answers_with_nothing_and_says_so(tmp_path):
    write(tmp_path, document(1, mail("x")))
    (tmp_path / MESSAGES / "meta.json").write_text("{broken")

    answer = MessageIndex(tmp_path).search(parse("x").ast, VIEWER)

    assert (answer.ids, answer.is_partial) == ((), True)


def test_a_reader_sees_what_is_written_after_it_opened(tmp_path):
    index = write(tmp_path, document(1, mail("x")))
    assert found(index, "x") == [1]

    write(tmp_path, document(2, mail("x")))

    assert found(index, "x") == [2, 1]


def test_a_second_writer_is_a_conflict(tmp_path):
    from app.search.reader import engine_errors

    first = open_index(tmp_path / MESSAGES, MESSAGES, create=True)
    writer = first.writer(15_000_000, 1)

    with pytest.raises(Conflict), engine_errors():
        open_index(tmp_path / MESSAGES, MESSAGES).writer(15_000_000, 1)

    writer.wait_merging_threads()
