"""Two processes may start at once; a newer database is refused; a write is whole or not at all."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlite_utils.utils import sqlite3

from app.errors import Conflict, LetterbookError
from app.store import Store, open_store, transaction
from app.store.database import _statements
from app.store.lock import worker_lock
from app.store.secrets import load_key, seal, unseal
from tests import make


def test_ten_processes_may_open_a_new_data_directory_at_once(tmp_path: Path) -> None:
    program = "import sys, pathlib, app.store as s; s.open_store(pathlib.Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", program, str(tmp_path / "data")]

    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(10)]
    errors = [process.communicate()[1] for process in running]

    assert [process.returncode for process in running] == [0] * 10, errors


def _open_together(together: Barrier, directory: Path) -> None:
    for number in range(30):
        together.wait()
        open_store(directory / str(number)).close()


def test_web_and_worker_may_open_a_new_data_directory_at_the_same_instant(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    words = (context.Barrier(2, timeout=10), tmp_path)

    both = [context.Process(target=_open_together, args=words) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()

    assert [process.exitcode for process in both] == [0, 0]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.archive.conn.execute("pragma user_version = 999")
    store.close()

    with pytest.raises(Conflict, match="newer version of Letterbook"):
        open_store(tmp_path)


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(LetterbookError, match="cannot be used"):
        open_store(tmp_path / "file" / "data")


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)

    with pytest.raises(sqlite3.IntegrityError):
        _half_a_migration(store)

    tables = store.archive.table_names()
    store.close()
    assert "half" not in tables


def _half_a_migration(store: Store) -> None:
    with transaction(store):
        store.archive.conn.execute("create table half (id integer check (id > 0)) strict")
        store.archive.conn.execute("insert into half values (0)")


def test_scripts_are_cut_into_whole_statements() -> None:
    script = (
        "-- a; b\ncreate table t (\n  x text default ';'\n) strict;\ninsert into t values (1);\n"
    )

    assert len(list(_statements(script))) == 2


def test_the_databases_are_strict_and_durable(store: Store) -> None:
    for db in (store.archive, store.mail):
        settings = {
            name: db.conn.execute(f"pragma {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        loose = db.conn.execute(
            "select name from pragma_table_list where schema = 'main' and type = 'table'"
            " and strict = 0 and name not like 'sqlite_%'"
        ).fetchall()

        assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert loose == []


def test_a_second_worker_is_refused(tmp_path: Path) -> None:
    with (
        worker_lock(tmp_path),
        pytest.raises(Conflict, match="A worker runs"),
        worker_lock(tmp_path),
    ):
        pass


def test_the_data_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    load_key(store.directory)
    store.close()

    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()}
    assert set(modes.values()) == {0}


def test_a_sealed_password_opens_for_its_own_account_only(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    sealed = seal(key, make.PublicId("a"), "tajne")

    assert unseal(load_key(tmp_path), make.PublicId("a"), sealed) == "tajne"
    assert b"tajne" not in sealed
    with pytest.raises(LetterbookError, match="Type it again"):
        unseal(key, make.PublicId("b"), sealed)


def test_threads_that_open_at_once_leave_the_process_its_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with ThreadPoolExecutor(8) as pool:
            for opened in pool.map(lambda _: open_store(tmp_path / "data"), range(40)):
                opened.close()

        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
