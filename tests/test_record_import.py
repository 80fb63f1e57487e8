"""Records from a table: what is read, what is refused and why, and that nothing happens twice."""

from pathlib import Path

import pytest

from app import records
from app.errors import Invalid
from app.model import UserId
from app.records import Plan
from app.store import Store, audit
from app.store import records as store_records
from tests import make
from tests.make import NOW

HEADER = "type,name,code,aliases,domains,addresses,notes,external_id,roles,users\n"
WHOLE = HEADER + (
    'companies,Spostex S.A.,S-1,"Spostex;Spostex, Inc.",spostex.pl,"a@b.pl, c@d.pl",'
    '"Pays late.\nCall Ewa.",ERP-1,foreman,alice@firma.pl\n'
)


@pytest.fixture
def alice(store: Store) -> UserId:
    return make.user(store, "Alice", is_admin=True)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def plan(store: Store, path: Path, content: str | bytes, who: UserId | None = None) -> Plan:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return records.plan_import(store, who and make.viewer(store, who), path)


def bring_in(store: Store, path: Path, content: str | bytes, who: UserId | None = None) -> Plan:
    found = plan(store, path, content, who)
    viewer = who and make.viewer(store, who)
    assert records.import_records(store, viewer, found, name="t.csv", now=NOW) == []
    return found


def counts(found: Plan) -> tuple[int, int, int, int]:
    return found.new, found.changed, found.unchanged, len(found.refused)


def test_a_row_becomes_a_record_with_all_it_says(store: Store, alice: UserId, table: Path) -> None:
    """R77."""
    done = bring_in(store, table, WHOLE)

    (found,) = store_records.every(store, range(9))
    assert counts(done) == (1, 0, 0, 0)
    assert (found.name, found.code, found.external_id) == ("Spostex S.A.", "S-1", "ERP-1")
    assert found.aliases == ("Spostex", "Spostex, Inc.")
    assert (found.domains, found.addresses) == (("spostex.pl",), ("a@b.pl", "c@d.pl"))
    assert found.notes == "Pays late.\nCall Ewa."
    assert (len(found.roles), found.users) == (1, (alice,))


def test_the_same_file_again_changes_nothing(store: Store, alice: UserId, table: Path) -> None:
    bring_in(store, table, WHOLE)
    before = audit.latest_verbs(store, 20)

    again = plan(store, table, WHOLE)

    assert (counts(again), again.good) == ((0, 0, 1, 0), [])
    assert audit.latest_verbs(store, 20) == before


def test_a_plan_alone_writes_nothing(store: Store, alice: UserId, table: Path) -> None:
    plan(store, table, WHOLE)

    assert store_records.every(store, range(9)) == []


def test_what_is_exported_comes_in_as_it_was(store: Store, alice: UserId, table: Path) -> None:
    bring_in(store, table, WHOLE + 'contacts,=cmd|calc,,,,,,,,\ncompanies,"-X ""y""; z",,,,,,,,\n')
    viewer = make.viewer(store, alice)

    companies = records.export_records(store, viewer, record_type="companies", now=NOW)
    contacts = records.export_records(store, viewer, record_type="contacts", now=NOW)

    assert counts(plan(store, table, "\ufeff" + companies, alice)) == (0, 0, 2, 0)
    assert counts(plan(store, table, contacts, alice)) == (0, 0, 1, 0)
    assert "\ncontacts,'=cmd" in contacts.replace("\r", "")


def test_no_piece_of_an_export_is_a_formula_wherever_lines_are_cut(
    store: Store, alice: UserId, table: Path
) -> None:
    """Spreadsheets cut at semicolons where a comma is the decimal sign: in Polish, for one."""
    bring_in(store, table, HEADER + 'companies,Z;=cmd,"x;""=1+1""",Q;=R;-S,,,"a\n- b\n@c",,,\n')
    viewer = make.viewer(store, alice)

    text = records.export_records(store, viewer, record_type="companies", now=NOW)

    pieces = [piece.strip(' "') for line in text.splitlines() for piece in line.split(";")]
    assert [piece for piece in pieces if piece.startswith(("=", "+", "-", "@"))] == []
    assert counts(plan(store, table, text, alice)) == (0, 0, 1, 0)


def test_an_export_holds_only_what_one_may_see(store: Store, alice: UserId) -> None:
    make.record(store, "Board", only_for=(make.user(store, "Bob"),))

    text = records.export_records(
        store, make.viewer(store, alice), record_type="companies", now=NOW
    )

    assert "Board" not in text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1250"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_separators_and_polish_headers_are_found_out(
    store: Store, table: Path, encoding: str, separator: str
) -> None:
    lines = (("Nazwa", "TYP", "Id zewnętrzne", "Telefon"), ("Łódź Śl.", "Companies", "7", "1"))
    text = "\r\n".join(separator.join(line) for line in lines)

    found = bring_in(store, table, text.encode(encoding))

    (made,) = store_records.every(store, range(9))
    assert (made.name, made.type, made.external_id) == ("Łódź Śl.", "companies", "7")
    assert found.table.ignored == ("Telefon",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"type;code\ncompanies;x\n", "'name' is missing"),
        (b"just a line of text\n", "'type' and 'name' is missing"),
        (b"type,name,Name\n", "twice"),
        (b"PK\x03\x04rest of a workbook", "workbook"),
        (b"\x7fELF\x01\x02\x03" * 40, "Row 1 holds bytes that are no text"),
        (b"type,name\ncompanies,a\x00b\n", "Row 2 holds bytes that are no text"),
        (b"type,name\ncompanies,\x81\x8d\n", "in none of UTF-8"),
        ("type,name\ncompanies,Łódź\n".encode() + b"companies,\xb3\n", "Row 3 is not written in"),
        (b'type,name\ncompanies,A\ncompanies,"B\ncompanies,C\n', "Row 3: a quote is opened"),
        (b'type,name\ncompanies,"' + b"x" * 200_000 + b'"\n', "Row 2: a quote is opened"),
        (b'type,name\ncompanies,"A"B\n', "Row 2: a quote stands where none belongs"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_whole(
    store: Store, table: Path, content: bytes, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        plan(store, table, content)


def test_a_file_that_is_too_large_is_not_read(store: Store, table: Path) -> None:
    with table.open("wb") as file:
        file.truncate(1 << 30)

    with pytest.raises(Invalid, match="1,024 MB; a file of records has at most 64"):
        records.plan_import(store, None, table)


@pytest.mark.parametrize(
    ("rows", "row", "said"),
    [
        ("ships,A,,,,,,,,", 2, "no record type 'ships'"),
        ("companies, ,,,,,,,,", 2, "Give the record a name"),
        (f"companies,{'x' * 201},,,,,,,,", 2, "at most 200"),
        ("companies,A,,,,no address,,,,", 2, "'no address' is no e-mail address"),
        ("companies,A,,,x y,,,,,", 2, "no domain"),
        ("companies,A,,,,,,,pilot,", 2, "no role 'pilot'"),
        ("companies,A,,,,,,,,bob@firma.pl", 2, "no person 'bob@firma.pl'"),
        ("companies,A,,,,,,,,,much,more", 2, "12 cells, the first line 10"),
        ("companies,A,,,,,,7,,\n\ncompanies,B,,,,,,7,,", 4, "external id stands in row 2"),
        ("companies,A,X-1,,,,,,,\ncompanies,B,x-1,,,,,,,", 3, "code stands in row 2"),
        ("companies,A,,,,,,,,\ncompanies,a,,,,,,,,", 3, "name stands in row 2"),
        ("companies,Known,,,,,,,,\ncompanies,KNOWN,,,,,,,,", 3, "same record as row 2"),
    ],
)
def test_a_bad_row_is_told_with_its_number_and_the_others_are_good(
    store: Store, alice: UserId, table: Path, rows: str, row: int, said: str
) -> None:
    make.record(store, "Known")

    found = bring_in(store, table, f"{HEADER}{rows}\ncompanies,Last,,,,,,,,\n")

    (refused,) = found.refused
    assert refused.row == row
    assert said in refused.reason
    assert "Last" in [record.name for record in store_records.every(store, range(9))]


def test_a_record_is_found_by_id_then_code_then_name(store: Store, table: Path) -> None:
    bring_in(store, table, "type,name,code,external_id\ncompanies,A,C-1,7\ncompanies,B,,\n")

    done = bring_in(
        store,
        table,
        "external_id,code,name,type\n7,,Anna,companies\n,,b,Company\n,C-1,A2,companies",
    )

    assert counts(done) == (0, 2, 0, 1)
    assert {r.name for r in store_records.every(store, range(9))} == {"Anna", "b"}


def test_a_column_that_is_not_there_leaves_what_is(
    store: Store, alice: UserId, table: Path
) -> None:
    bring_in(store, table, WHOLE)

    bring_in(store, table, "type,name,notes\ncompanies,Spostex S.A.,\n")

    (found,) = store_records.every(store, range(9))
    assert (found.notes, found.users, found.code) == ("", (alice,), "S-1")


def test_a_hidden_record_is_neither_changed_nor_told_of(
    store: Store, alice: UserId, table: Path
) -> None:
    bob = make.user(store, "Bob")
    hidden = records.create_record(
        store, record_type="companies", name="Board", code="B-1", users=(bob,), by=None, now=NOW
    )

    by_name = bring_in(store, table, "type,name,notes\ncompanies,Board,x\n", alice)
    by_code = plan(store, table, "type,name,code\ncompanies,Other,B-1\n", alice)

    assert counts(by_name) == (1, 0, 0, 0)
    assert "taken by another record" in by_code.refused[0].reason
    (kept,) = store_records.every(store, [hidden])
    assert (kept.name, kept.notes) == ("Board", "")


def test_the_plan_counts_records_that_more_people_would_see(
    store: Store, alice: UserId, table: Path
) -> None:
    bring_in(store, table, WHOLE)

    same = plan(store, table, WHOLE)
    opened = plan(store, table, "type,name,roles,users\ncompanies,Spostex S.A.,,\n")
    narrowed = plan(store, table, "type,name,roles\ncompanies,Spostex S.A.,\n")

    assert [one.widened for one in (same, opened, narrowed)] == [0, 1, 0]


def test_a_row_that_became_bad_in_between_is_told(store: Store, alice: UserId, table: Path) -> None:
    viewer, bob = make.viewer(store, alice), make.user(store, "Bob")
    found = plan(store, table, "type,name,code\ncompanies,A,C-1\ncompanies,B,C-2\n", alice)
    records.create_record(
        store, record_type="companies", name="Quick", code="C-1", users=(bob,), by=None, now=NOW
    )

    (late,) = records.import_records(store, viewer, found, name="t.csv", now=NOW)

    assert (late.row, "taken" in late.reason) == (2, True)
    assert {r.name for r in store_records.every(store, range(9))} == {"Quick", "B"}
