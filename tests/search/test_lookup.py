"""What "Select Record" finds: any word's beginning, folded and inflected, the most likely first."""

import pytest

from app.filing import file_message
from app.model import RecordId, Viewer
from app.records import Draft, archive_record, change_record, record_version
from app.search.lookup import exactly, look_up
from app.store import Store, records, transaction
from tests import make
from tests.make import NOW


@pytest.fixture
def alice(store: Store) -> Viewer:
    """She sees all records but "Tajna rada", which is Bob's."""
    foreman = make.role(store, "foreman")
    alice = make.user(store, "Alice", roles=(foreman,))
    bob = make.user(store, "Bob")
    for name in ("Spostex S.A.", "Beton Łódź", "Cemex Spostrzeżenie", "Wilga"):
        make.record(store, name)
    for name in ("Łomianki Playground Construction", "Budowa szkoły w Krakowie", "🌲🌲"):
        make.record(store, name, record_type="projects")
    make.record(store, "Kosztorysy", record_type="projects", roles=(foreman,))
    make.record(store, "Tajna rada", record_type="projects", only_for=(bob,))
    return make.viewer(store, alice)


def found(store: Store, viewer: Viewer, text: str, kind: str = "companies", **given) -> list[str]:
    return [one.name for one in look_up(store, viewer, text, record_type=kind, **given)]


def record_named(store: Store, name: str) -> RecordId:
    row = store.archive.conn.execute("select id from records where name = ?", [name]).fetchone()
    return RecordId(row[0])


def draft_of(store: Store, record_id: RecordId, **given) -> tuple[Draft, str]:
    (record,) = records.every(store, [record_id])
    return Draft(**{"name": record.name} | given), record_version(record)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lomianki", "Łomianki Playground Construction"),
        ("ŁOM", "Łomianki Playground Construction"),
        ("Łomiankach", "Łomianki Playground Construction"),
        ("construc play", "Łomianki Playground Construction"),
        ("szkol", "Budowa szkoły w Krakowie"),
        ("szkole", "Budowa szkoły w Krakowie"),
        ("🌲", "🌲🌲"),
        ("kosz", "Kosztorysy"),
    ],
)
def test_records_are_found_folded_inflected_and_by_any_word(
    store: Store, alice: Viewer, text: str, name: str
) -> None:
    """R41."""
    assert found(store, alice, text, "projects")[:1] == [name]


@pytest.mark.parametrize("text", ["Spostexu", "spostex s.a.", "SPOSTEX SA", "spo"])
def test_a_company_is_found_in_any_case(store: Store, alice: Viewer, text: str) -> None:
    """R41."""
    assert found(store, alice, text)[0] == "Spostex S.A."


@pytest.mark.parametrize("text", ["tajna", "rada", "Tajna rada", ""])
def test_a_hidden_record_is_never_offered(store: Store, alice: Viewer, text: str) -> None:
    """R41, R46: nor when it is suggested by its id."""
    hidden = store.archive.conn.execute(
        "select public_id from records where name = 'Tajna rada'"
    ).fetchone()[0]

    assert "Tajna rada" not in found(store, alice, text, "projects", first=[hidden])


def test_the_name_s_beginning_goes_before_other_words(store: Store, alice: Viewer) -> None:
    assert found(store, alice, "spos") == ["Spostex S.A.", "Cemex Spostrzeżenie"]


def test_what_is_suggested_goes_first_and_what_was_used_before_the_rest(
    store: Store, alice: Viewer
) -> None:
    for name in ("Spostrzegawczy A", "Spostrzegawczy B", "Spostrzegawczy C"):
        make.record(store, name)
    box = make.account(store, alice.user_id)
    make.deliver(store, box, make.mail())
    reader = make.viewer(store, alice.user_id)
    used = record_named(store, "Spostrzegawczy C")
    file_message(store, reader, make.message_ids(store)[0], used, now=NOW)
    (suggested,) = records.every(store, [record_named(store, "Cemex Spostrzeżenie")])

    names = found(store, reader, "spostrz", first=[suggested.public_id, "unknown"])

    assert names == [
        "Cemex Spostrzeżenie",
        "Spostrzegawczy C",
        "Spostrzegawczy A",
        "Spostrzegawczy B",
    ]
    assert found(store, reader, "", first=[suggested.public_id])[:2] == [
        "Cemex Spostrzeżenie",
        "Spostrzegawczy C",
    ]


def test_records_of_other_types_follow(store: Store, alice: Viewer) -> None:
    assert found(store, alice, "lomian", "companies") == ["Łomianki Playground Construction"]


def test_it_is_found_at_once_by_alias_and_code_and_no_more_by_the_old(
    store: Store, alice: Viewer
) -> None:
    """In the transaction that saves it, whoever writes it."""
    wilga = record_named(store, "Wilga")
    for draft in ({"aliases": ("Żółta Ptaszarnia",), "code": "K-77"}, {"name": "Dzięcioł"}):
        given, version = draft_of(store, wilga, **draft)
        change_record(store, alice, wilga, given, version=version, now=NOW)
        if "code" in draft:
            before = [found(store, alice, text) for text in ("zolta", "K-77", "ptasz k", "wil")]
    after = [found(store, alice, text) for text in ("zolta", "K-77", "wil", "dzieciol")]

    assert before == [["Wilga"]] * 4
    assert after == [[], [], [], ["Dzięcioł"]]


def test_new_rights_count_at_once(store: Store, alice: Viewer) -> None:
    """R41: closed to her, then open again."""
    wilga = record_named(store, "Wilga")
    bob = store.archive.conn.execute("select id from users where name = 'Bob'").fetchone()[0]
    seen = []
    for users in ((bob,), (bob, alice.user_id), ()):
        with transaction(store):
            (old,) = records.every(store, [wilga])
            records.change(
                store,
                old,
                name=old.name,
                folded_name="wilga",
                code="",
                external_id="",
                notes="",
                aliases=(),
                addresses=(),
                domains=(),
                roles=(),
                users=users,
            )
        seen.append(found(store, alice, "wil"))

    assert seen == [[], ["Wilga"], ["Wilga"]]


def test_what_was_put_away_is_not_offered(store: Store, alice: Viewer) -> None:
    archive_record(store, alice, record_named(store, "Wilga"), now=NOW)

    assert found(store, alice, "wilga") == []
    assert exactly(store, alice, "wilga", record_type="companies") is None


@pytest.mark.parametrize("text", ['"', "' OR 1=1 --", "a*b^c:d", "(", "NEAR(a b)", "x" * 500])
def test_odd_signs_are_only_text(store: Store, alice: Viewer, text: str) -> None:
    assert found(store, alice, text) == []


def test_an_unknown_type_has_none(store: Store, alice: Viewer) -> None:
    assert found(store, alice, "wilga", "nothing") == ["Wilga"]


def test_who_may_see_a_record_is_looked_up_for_it_alone(store: Store) -> None:
    plan = store.archive.conn.execute(
        "explain query plan select scope from record_scopes where record_id = 1"
    ).fetchall()

    steps = [row[3] for row in plan]
    assert [step for step in steps if step.startswith("SEARCH")]
    assert not [step for step in steps if step.startswith("SCAN") and "subquery" not in step]
