"""`letterbook backup` and `restore`: their keys, sentences and exit codes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import letterbook
from app.store import open_store
from app.store.lock import worker_lock
from tests.backups import deliver
from tests.cli.test_commands import PASSWORD, Run, read, runner
from tests.make import account


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = runner(tmp_path / "data")
    words = ["user", "add", "alice@firma.pl", "--name", "Alice", "--admin", "--password-stdin"]
    run(*words, stdin=PASSWORD + "\n")
    store = open_store(tmp_path / "data")
    deliver(store, account(store), 2)
    store.close()
    (tmp_path / "data" / "secret.key").write_text("k" * 44)
    return run


def test_backup_beside_a_worker_and_restore_give_the_contracts_keys(
    run: Run, tmp_path: Path
) -> None:
    with worker_lock(tmp_path / "data"):
        made = read(run("backup", tmp_path / "b", "--json"))
    came = read(run("restore", tmp_path / "b", "--data", tmp_path / "new", "--json"))

    assert (made["destination"], made["messages"], made["copies"]) == (str(tmp_path / "b"), 2, 2)
    assert made["new_bytes"] >= made["bytes"] > 20_000
    assert (made["with_key"], made["faults"]) == (False, [])
    assert came == {
        "source": str(tmp_path / "b"),
        "snapshot": made["snapshot"],
        "data": str(tmp_path / "new"),
        "messages": 2,
        "copies": 2,
        "gone": [],
        "damaged": [],
        "passwords_to_type": [],
    }


def test_an_earlier_snapshot_can_be_named(run: Run, tmp_path: Path) -> None:
    first, _ = (read(run("backup", tmp_path / "b", "--json")) for _ in range(2))

    words = ["restore", tmp_path / "b", "--snapshot", first["snapshot"], "--data", tmp_path / "new"]

    assert read(run(*words, "--json"))["snapshot"] == first["snapshot"]


def test_the_sentences_say_where_the_key_is(run: Run, tmp_path: Path) -> None:
    without = run("backup", tmp_path / "b")
    has_key = [(tmp_path / "b" / "secret.key").exists()]
    with_it = run("backup", tmp_path / "b", "--with-key")
    has_key.append((tmp_path / "b" / "secret.key").exists())
    run("backup", tmp_path / "b")
    has_key.append((tmp_path / "b" / "secret.key").exists())

    assert "2 messages in 2 copies are in" in without.stdout
    assert "The secret key is not in it" in without.stdout
    assert "The secret key is in it" in with_it.stdout
    assert has_key == [False, True, False]


def test_a_key_of_the_environment_is_in_no_file(run: Run, tmp_path: Path) -> None:
    environment = {"LETTERBOOK_DATA": str(tmp_path / "data"), "LETTERBOOK_SECRET_KEY": "k" * 40}

    done = CliRunner().invoke(
        letterbook, ["backup", str(tmp_path / "b"), "--with-key"], env=environment
    )

    assert "comes from LETTERBOOK_SECRET_KEY" in done.stdout
    assert not (tmp_path / "b" / "secret.key").exists()


def test_restore_says_that_everybody_is_signed_out(run: Run, tmp_path: Path) -> None:
    run("backup", tmp_path / "b")

    done = run("restore", tmp_path / "b", "--data", tmp_path / "new")

    assert "Everybody was signed out" in done.stdout
    assert "index is built when the worker runs" in done.stdout
    found = read(runner(tmp_path / "new")("status", "--json"))
    assert (found["messages"], found["queued_for_index"]) == (2, 2)


def test_damage_is_one_sentence_and_exit_1(run: Run, tmp_path: Path) -> None:
    run("backup", tmp_path / "b")
    (tmp_path / "b" / "mail" / "000001.db").unlink()

    done = run("restore", tmp_path / "b", "--data", tmp_path / "new")

    assert done.exit_code == 1
    assert done.stderr.startswith("letterbook: ")
    assert "000001.db is missing" in done.stderr
    assert not (tmp_path / "new").exists()


def test_faults_of_the_archive_are_told_and_exit_1(run: Run, tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    store.mail.conn.execute("update blocks set payload = x'00' where id = 1")
    store.close()

    made = run("backup", tmp_path / "b")
    came = run("restore", tmp_path / "b", "--data", tmp_path / "new")

    assert (made.exit_code, came.exit_code) == (1, 1)
    assert "Damaged blocks in mail.db: 1" in made.stdout
    assert "damaged in the archive already" in came.stdout
    assert (tmp_path / "new" / "archive.db").exists()


def test_a_directory_without_an_archive_is_not_backed_up(tmp_path: Path) -> None:
    done = runner(tmp_path / "nothing")("backup", tmp_path / "b")

    assert done.exit_code == 1
    assert "There is no archive in" in done.stderr
    assert not (tmp_path / "nothing").exists()
