"""What lists are read from is whole after an upgrade, whoever was killed in it, or did it too."""

import os
import signal
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

from app.errors import OutOfSpace
from app.store import Store, archives, database, open_store
from app.store.database import sqlite3
from app.store.derived import differing
from app.store.visibility import who_may_read
from tests import make
from tests.store.test_upgrade import write_first_version

MAILS, RECORDS = 120, 8
NEWEST = sum(one.name.startswith("archive_") for one in files("app.store").iterdir())
KEPT = (
    "select id, archived_at, archived_by, sort_at, subject from messages order by id",
    "select message_id, record_id, filed_by, filed_at from filings order by 1, 2",
    "select message_id, role_id from message_roles order by 1, 2",
    "select id, public_id, type_id, name, code, external_id, notes, archived_at from records"
    " order by id",
    "select record_id, role_id from record_roles order by 1, 2",
    "select record_id, user_id from record_users order by 1, 2",
    "select account_id, message_id, set_aside_at, set_aside_by, is_live from holdings"
    " order by 1, 2",
)
"""What people made, which each version has under these names."""


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data directory of the first schema: a strict mailbox and one that is not, with filings."""
    write_first_version(tmp_path)
    dice = Random(7)
    db = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
    db.execute("begin")
    db.execute("update holdings set is_unread = 1")  # as its flags say
    db.executemany(
        "insert into users (id, public_id, email, name, created_at) values (?, ?, ?, 'U', 1)",
        [(n, f"u{n}", f"{n}@f.pl") for n in (2, 3, 4)],
    )
    db.executemany("insert into user_roles values (?, ?)", [(2, 1), (3, 2), (4, 1), (4, 3)])
    db.execute(
        "insert into accounts (id, public_id, address, is_strict, created_at)"
        " values (2, 'a2', 'strict@f.pl', 1, 9000000)"
    )
    db.executemany("insert into account_users values (2, ?)", [(2,), (3,)])
    db.execute("insert into folders (id, account_id, name, uidvalidity) values (2, 2, 'INBOX', 1)")
    for n in range(2, RECORDS + 2):
        db.execute(
            "insert into records (id, public_id, type_id, name, folded_name, code, external_id,"
            " notes, created_at) values (?, ?, ?, ?, ?, ?, ?, '', 5)",
            [n, f"r{n}", 1 + n % 2, f"Łoś {n}", f"los {n}", f"L-{n}", f"erp-{n}"],
        )
        db.execute("insert into record_marks values (?, 'alias', 'Straße')", [n])
        for role in dice.sample([1, 2, 3], dice.choice([0, 0, 1, 2])):
            db.execute("insert into record_roles values (?, ?)", [n, role])
        for user in dice.sample([1, 2, 3], dice.choice([0, 0, 1])):
            db.execute("insert into record_users values (?, ?)", [n, user])
    for n in range(2, MAILS + 2):
        add_mail(db, n, dice)
    db.execute("commit")
    db.close()
    return tmp_path


def add_mail(db: sqlite3.Connection, number: int, dice: Random) -> None:
    at, name = dice.randint(1, 9_000_000), str(number).encode()
    under = dice.sample(range(2, RECORDS + 2), dice.choice([0, 1, 1, 2]))
    by = dice.randint(1, 4)
    archived = (8, by) if under else (None, None)
    db.execute(
        "insert into messages select ?, ?, ?, ?, ?, 'S', '', '', '', '', null, ?, 9, 0, null, '',"
        " '', 1, ?, ?",
        [number, f"m{number}", sha256(name).digest(), number, f"{number}@x", at, *archived],
    )
    db.execute(
        "insert into copies values (?, ?, ?, ?, 9, 5)",
        [number + 100, f"c{number}", number, sha256(b"c" + name).digest()],
    )
    box = dice.choice([1, 2])
    db.execute("insert into locations values (?, 1, ?, ?, ?, 5, null, '', 0)",
               [box, number + 100, number + 100, at])  # fmt: skip
    aside = (9, 1) if not under and dice.random() < 0.2 else (None, None)
    db.execute(
        "insert into holdings values (?, ?, ?, 5, ?, 1, 1, ?, ?)", [box, number, at, at, *aside]
    )
    for record in under:
        db.execute("insert into filings values (?, ?, ?, 8)", [number, record, by])
    for role in dice.sample([1, 2], dice.choice([0, 1, 2]) if under else 0):
        db.execute("insert into message_roles values (?, ?)", [number, role])


def kept(directory: Path) -> list[list[tuple[object, ...]]]:
    db = sqlite3.connect(directory / "archive.db")
    found = [db.execute(one).fetchall() for one in KEPT]
    db.close()
    return found


def in_child(work: Callable[[], object]) -> int:
    """Run it in a process of its own; its number."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def is_whole(store: Store) -> bool:
    """Whether what is derived is as derived now, and each person's list as the rule says."""
    archived = store.archive.conn.execute(
        "select id from messages where archived_at is not null order by sort_at desc, id desc"
    ).fetchall()
    readers = {one: who_may_read(store, one) for (one,) in archived}
    for user in (1, 2, 3, 4):
        found = archives.rows(store, make.viewer(store, user), limit=500).rows
        ruled = [one for one, by in readers.items() if user in by]
        if not ruled or [row.message.id for row in found] != ruled:
            return False
    return differing(store) == {}


@pytest.mark.parametrize("version", range(20, NEWEST + 1))
def test_whoever_is_killed_in_the_middle_is_gone_on_from(
    filled: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, run = kept(filled), database._run

    def run_half(db: database.Database, script: str, **given: int) -> None:
        if given["version"] == version:
            statements = list(database._statements(script))
            for statement in statements[: (len(statements) + 1) // 2]:
                db.conn.execute(statement)
            os.kill(os.getpid(), signal.SIGKILL)
        run(db, script, **given)

    with monkeypatch.context() as patch:
        patch.setattr(database, "_run", run_half)
        _, status = os.waitpid(in_child(lambda: open_store(filled)), 0)

    store = open_store(filled)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert kept(filled) == before
    assert is_whole(store)
    assert store.archive.conn.execute("pragma integrity_check").fetchall() == [("ok",)]
    store.close()


def test_two_processes_at_once_upgrade_it_once(filled: Path) -> None:
    before = kept(filled)

    both = [in_child(lambda: open_store(filled)) for _ in range(2)]

    assert [os.waitpid(child, 0)[1] for child in both] == [0, 0]
    store = open_store(filled)
    assert kept(filled) == before
    assert is_whole(store)
    store.close()


def test_an_upgrade_that_fills_the_disk_changes_nothing_and_goes_on_when_there_is_room(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, run = kept(filled), database._run

    def run_on_a_full_disk(db: database.Database, script: str, **given: int) -> None:
        if "create table reach" in script:
            db.conn.execute("pragma max_page_count = 1")  # SQLite makes it what there is
        run(db, script, **given)

    with monkeypatch.context() as patch:
        patch.setattr(database, "_run", run_on_a_full_disk)
        with pytest.raises(OutOfSpace, match="Make room and do the same again"):
            open_store(filled)

    assert kept(filled) == before
    store = open_store(filled)
    assert kept(filled) == before
    assert is_whole(store)
    store.close()
