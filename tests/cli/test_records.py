"""Records on the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import Run, read, runner


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runner(tmp_path / "data")


def test_records_come_in_from_a_file_and_twice_is_once(run: Run, tmp_path: Path) -> None:
    """R77."""
    table = tmp_path / "records.csv"
    table.write_text("name,type,domains\nSpostex S.A.,companies,spostex.pl\nNova,contacts,\n")

    dry = read(run("record", "import", table, "--dry-run", "--json"))
    first = read(run("record", "import", table, "--json"))
    again = read(run("record", "import", table, "--json"))

    assert dry == {
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "refused": [],
        "ignored_columns": [],
        "is_imported": False,
    }
    assert first == {**dry, "is_imported": True}
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)


def test_with_a_bad_row_no_record_comes_in_unless_asked(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "records.csv"
    table.write_text("type,name\nships,Titanic\ncompanies,Nova\n")

    refused = run("record", "import", table, "--json")
    skipped = run("record", "import", table, "--skip-refused")

    assert (refused.exit_code, skipped.exit_code) == (1, 1)
    assert json.loads(refused.stdout)["refused"][0]["row"] == 2
    assert "Nothing was imported" in refused.stderr
    assert "1 new" in skipped.stdout
    again = run("record", "import", table, "--dry-run", "--json")
    assert json.loads(again.stdout)["unchanged"] == 1
