"""A data directory of an earlier version is read as it was, after one open."""

import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
import zstandard

from app.model import MessageId, RecordId, UserId, Viewer
from app.store import (
    archives,
    blobs,
    database,
    filings,
    lock,
    mending,
    messages,
    open_store,
    queue,
    snippets,
)
from app.store.archives import Filter
from app.store.database import sqlite3
from app.verify import verify
from tests import make

TEXT = b"Prosze o fakture za beton.\r\n" * 6
HEAD = b"From: jan@spostex.pl\r\nSubject: Beton\r\nMessage-ID: <1@x>\r\n\r\n"


def test_the_first_version_s_mail_comes_back_byte_exact(tmp_path: Path) -> None:
    write_first_version(tmp_path)

    store = open_store(tmp_path)

    (copy,) = messages.copies_after(store, 0, limit=10)
    assert blobs.read(store, copy.id) == HEAD + TEXT
    assert copy.digest == sha256(HEAD + TEXT).digest()
    assert messages.any_copy(store, copy.public_id) == copy


def test_the_first_version_s_rows_name_the_same_mail(tmp_path: Path) -> None:
    write_first_version(tmp_path)

    store = open_store(tmp_path)

    viewer = Viewer(UserId(1), accounts=frozenset({1}))
    (part,) = messages.parts(store, viewer, MessageId(1))
    assert messages.part_bytes(store, viewer, MessageId(1), 0) == (part, TEXT)
    assert snippets.texts(store, [MessageId(1)]) == {MessageId(1): TEXT.decode()}
    assert [place.uid for place in messages.locations(store, viewer, MessageId(1))] == [7]
    assert store.archive.conn.execute("pragma foreign_key_check").fetchall() == []


def test_mail_that_came_before_is_known_when_it_comes_again(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    store = open_store(tmp_path)
    box = make.account(store, address="boss@firma.pl")

    done = make.deliver(store, box, HEAD + TEXT, b"X-Other: 1\r\n" + HEAD + TEXT)

    assert (done.stored, done.known) == (1, 1)
    assert len(make.message_ids(store)) == 2


def test_a_copy_whose_bytes_are_lost_stays_and_is_told(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    mail = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    mail.execute("delete from blobs where form = 1")
    mail.close()

    store = open_store(tmp_path)

    (copy,) = messages.copies_after(store, 0, limit=10)
    assert copy.digest == sha256(HEAD + TEXT).digest()
    (damaged,) = verify(store).damaged
    assert damaged["message"] == "m"
    with lock.removal(tmp_path):
        mending.mend(store, HEAD + TEXT, [copy.id])
    assert blobs.read(store, copy.id) == HEAD + TEXT


def test_a_mailbox_that_was_read_is_known_to_be_read_as_it_is_set(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    archive = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
    archive.execute("update accounts set host = 'IMAP.F.pl', login = 'office'")
    archive.execute("update folders set checked_at = 5")
    archive.execute(
        "insert into accounts (id, public_id, address, host, created_at)"
        " values (2, 'b', 'new@f.pl', 'imap.f.pl', 1)"
    )
    archive.close()

    store = open_store(tmp_path)

    rows = store.archive.conn.execute("select read_from from accounts order by id").fetchall()
    assert rows == [("office at imap.f.pl",), (None,)]


def test_records_and_what_lies_under_them_are_as_they_were(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    archive = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
    archive.execute(
        "insert into records (id, public_id, type_id, name, folded_name, code, external_id, notes,"
        " created_at) values (7, 'r', 1, 'Łoś', 'los', 'L-1', 'erp-1', 'Late.', 5)"
    )
    archive.execute("insert into record_marks values (7, 'domain', 'los.pl')")
    archive.execute("insert into record_users values (7, 1)")
    archive.execute("insert into filings values (1, 7, 1, 5)")
    archive.close()

    store = open_store(tmp_path)

    (found,) = filings.records_of(store, Viewer(UserId(1)), [MessageId(1)])[MessageId(1)]
    assert (found.public_id, found.name, found.code, found.external_id, found.notes) == (
        "r",
        "Łoś",
        "L-1",
        "erp-1",
        "Late.",
    )
    assert (found.domains, found.users) == (("los.pl",), (UserId(1),))
    assert filings.records_of(store, Viewer(UserId(2)), [MessageId(1)]) == {}


def test_what_was_archived_before_is_in_every_list(tmp_path: Path) -> None:
    """R47, R53: by its mailbox, its record and its type; what waits, waits as older mail."""
    write_first_version(tmp_path)
    archive = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
    archive.execute("update accounts set created_at = 9000000")
    archive.execute(
        "insert into messages select 2, 'm2', x'02', 2, '2@x', 'Zement', '', '', '', '', null, 7,"
        " 9, 0, null, '', '', 1, 8, 1"
    )
    archive.execute("insert into holdings values (1, 2, 7, 8999999, 7, 0, 1, null, null)")
    archive.execute(
        "insert into records (id, public_id, type_id, name, folded_name, code, notes, created_at)"
        " values (7, 'r', 1, 'Los', 'los', '', '', 5)"
    )
    archive.execute("insert into filings values (2, 7, 1, 8)")
    archive.execute("insert into message_roles values (2, 1)")
    archive.close()

    store = open_store(tmp_path)

    now = datetime.fromtimestamp(9_000_000, UTC)
    member, role = Viewer(UserId(1), accounts=frozenset({1})), Viewer(UserId(2), frozenset({1}))
    for viewer in (member, role):
        for only in (Filter(), Filter(record=RecordId(7)), Filter(record_type="companies")):
            found = archives.rows(store, viewer, only=only).rows
            assert [row.message.subject for row in found] == ["Zement"]
    assert archives.rows(store, Viewer(UserId(3))).rows == ()
    found = queue.rows(store, member, now=now).rows
    assert [row.message.subject for row in found] == ["Zement"]
    assert queue.older_count(store, member, now=now) == 1


def test_a_process_waits_while_another_one_upgrades_a_large_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Web and worker start together: one that gave up would stop the other in the middle."""
    write_first_version(tmp_path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    other = sqlite3.connect(tmp_path / "mail.db", isolation_level=None)
    other.execute("pragma journal_mode = wal")
    other.execute("begin immediate")

    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_store, tmp_path)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.3)
        other.execute("rollback")
        opening.result().close()


def test_what_was_learned_from_corrections_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    make.deliver(store, make.account(store, address="boss@firma.pl"), HEAD + TEXT)
    first, second = (make.record(store, name) for name in ("Budex", "Spostex"))
    said = [(1, first, "jan@spostex.pl", 5, second), (1, second, "jan@spostex.pl", 6, None)]
    script = files("app.store").joinpath("archive_022.sql").read_text()
    old = store.archive.conn
    old.execute("drop table refusals")
    old.execute(script.partition("create index")[0])
    old.executemany("insert into refusals values (?, ?, ?, ?, ?)", said)

    old.executescript(files("app.store").joinpath("archive_029.sql").read_text())

    assert old.execute("select * from refusals order by record_id").fetchall() == said
    store.close()


def write_first_version(directory: Path) -> None:
    """A data directory as the first schema had it: one mail of a head and a text part."""
    directory.mkdir(exist_ok=True)
    mail = run_scripts(directory / "mail.db", "mail_001.sql")
    recipe = b"\x00" + struct.pack(">I", len(HEAD)) + HEAD + b"\x01" + sha256(TEXT).digest()
    for content, form, payload in ((TEXT, 0, TEXT), (HEAD + TEXT, 1, recipe)):
        mail.execute(
            "insert into blobs (digest, size_bytes, form, payload) values (?, ?, ?, ?)",
            [sha256(content).digest(), len(content), form, zstandard.compress(payload)],
        )
    archive = run_scripts(
        directory / "archive.db", "archive_001.sql", "archive_002.sql", "archive_003.sql"
    )
    archive.execute(
        "insert into users (id, public_id, email, name, created_at) values (1, 'u', 'a@b', 'A', 1)"
    )
    archive.execute(
        "insert into accounts (id, public_id, address, created_at) values (1, 'a', 'o@f.pl', 1)"
    )
    archive.execute("insert into account_users values (1, 1)")
    archive.execute(
        "insert into folders (id, account_id, name, uidvalidity) values (1, 1, 'INBOX', 1)"
    )
    archive.execute(
        "insert into messages (id, public_id, identity, thread_id, internet_message_id, subject,"
        " sender_name, sender_address, to_summary, preview, sort_at, size_bytes,"
        " attachment_count, text_digest, text_charset, defects, parser_version)"
        " values (1, 'm', ?, 1, '1@x', 'Beton', '', 'jan@spostex.pl', '', 'Prosze', 5, ?, 0,"
        " ?, '', '', 1)",
        [sha256(b"whatever").digest(), len(HEAD + TEXT), sha256(TEXT).digest()],
    )
    # The copy's row has another id than its blob.
    archive.execute(
        "insert into copies values (41, 'c', 1, ?, ?, 5)",
        [sha256(HEAD + TEXT).digest(), len(HEAD + TEXT)],
    )
    archive.execute(
        "insert into parts values (1, 0, 'text/plain', '', '', '', ?, 0, ?)",
        [len(TEXT), sha256(TEXT).digest()],
    )
    archive.execute("insert into locations values (1, 1, 7, 41, 5, 5, null, '', 0)")
    archive.execute(
        "insert into holdings (account_id, message_id, sort_at, downloaded_at, received_at,"
        " is_unread, is_live) values (1, 1, 5, 5, 5, 0, 1)"
    )
    for db in (mail, archive):
        db.close()


def run_scripts(path: Path, *names: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    for name in names:
        db.executescript(files("app.store").joinpath(name).read_text())
    db.execute(f"pragma user_version = {len(names)}")
    return db
