"""Damage is repaired from the servers and from other copies, byte by byte, and nothing else."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from click.testing import CliRunner

from app import jobs as worker
from app.cli import letterbook
from app.errors import Conflict, RemoteError
from app.model import Copy, Digest, MessageId
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import Store, blobs, jobs, messages, open_store, upkeep
from app.store.blobs import NewBlob
from app.store.database import write
from app.store.lock import no_removal
from app.verify import repair, verify
from tests import make
from tests.dovecot import Dovecot
from tests.heard import READ_ONLY_VERBS, verb
from tests.test_jobs import Office, add_account, until

CONTRACT = "the same contract, word for word " * 20


def unreachable(*_: object) -> Iterator[None]:
    raise RemoteError("The server does not answer.")
    yield


def forbidden(*_: object) -> Iterator[None]:
    raise AssertionError("No server has to be asked.")
    yield


def copies(store: Store) -> list[Copy]:
    return messages.copies_after(store, 0, limit=1_000)


def raws(store: Store) -> list[bytes]:
    return [blobs.read(store, copy.id) for copy in copies(store)]


@pytest.fixture
def archive(store: Store) -> Store:
    """Two messages with one text, in a mailbox without a server, indexed."""
    box = make.account(store, make.user(store, "Alice"), host=None)
    make.deliver(
        store,
        box,
        make.mail(text=CONTRACT),
        make.mail("Fwd", text=CONTRACT, message_id="<2@x>"),
    )
    Indexer(store).drain()
    return store


def test_a_sound_archive_is_left_as_it_is(archive: Store) -> None:
    before = archive.mail.conn.execute("select id, payload from blocks").fetchall()

    done = repair(archive, forbidden)

    assert (done.mended, done.verified.faults) == (0, ())
    assert archive.mail.conn.execute("select id, payload from blocks").fetchall() == before


def test_what_nobody_has_stays_listed_with_what_to_do(archive: Store) -> None:
    make.damage(archive, "kind = 1")

    done = repair(archive, forbidden)

    assert done.mended == 0
    assert len(done.verified.damaged) == 2
    assert all("restore a backup" in one["what_to_do"] for one in done.verified.damaged)


def test_a_damaged_checksum_alone_is_written_anew(archive: Store) -> None:
    before = raws(archive)
    with write(archive.mail):
        (digest,) = archive.mail.conn.execute("select digest from blobs where id = 1").fetchone()
        flipped = bytes([digest[0] ^ 1]) + digest[1:]
        archive.mail.conn.execute("update blobs set digest = ? where id = 1", [flipped])
    assert verify(archive).faults

    done = repair(archive, forbidden)

    assert (done.mended, done.verified.faults) == (1, ())
    assert raws(archive) == before


def test_a_text_that_is_kept_besides_is_made_anew_from_the_message(store: Store) -> None:
    box = make.account(store, make.user(store, "Alice"), host=None)
    html = "<p>Dear all, the meeting is on Monday at nine, as agreed.</p>" * 5
    raw = make.mail(text=html).replace(b"text/plain", b"text/html")
    make.deliver(store, box, raw)
    Indexer(store).drain()
    (text_blob,) = store.archive.conn.execute("select text_blob from messages").fetchone()
    assert not store.archive.conn.execute(
        "select 1 from parts where blob_id = ?", [text_blob]
    ).fetchone()
    with write(store.mail):
        store.mail.conn.execute("update blobs set start = start + 1 where id = ?", [text_blob])
    assert "the text for lists" in " ".join(verify(store).faults)

    done = repair(store, forbidden)

    assert done.verified.faults == ()
    assert blobs.read(store, text_blob)


def test_another_copy_that_says_the_same_in_other_words_gives_the_part(store: Store) -> None:
    """The one has the text as it is, the other in quoted-printable: one message, two copies."""
    box = make.account(store, make.user(store, "Alice"), host=None)
    plain = make.mail(text=CONTRACT)
    head, body = plain.split(b"\r\n\r\n", 1)
    quoted = (
        head.replace(b"8bit", b"quoted-printable")
        + b"\r\n\r\n"
        + body.replace(b"word for word", b"wor=64 for word")
    )
    make.deliver(store, box, plain, quoted)
    Indexer(store).drain()
    assert len(make.message_ids(store)) == 1
    before = raws(store)
    (part,) = store.archive.conn.execute("select blob_id from parts").fetchone()
    with write(store.mail):
        store.mail.conn.execute("update blobs set start = start + 1 where id = ?", [part])
    damaged = verify(store).damaged
    assert len(damaged[0]["copies"]) == 1

    done = repair(store, forbidden)

    assert done.verified.faults == ()
    assert raws(store) == before


def test_damaged_bytes_that_nobody_needs_are_removed(archive: Store) -> None:
    with write(archive.mail):
        blobs.put_all(archive, [NewBlob(Digest(sha256(b"x").digest()), blobs.OTHER, b"x" * 99)])
    assert verify(archive).faults

    done = repair(archive, forbidden)

    assert (done.verified.faults, done.verified.orphans) == ((), 0)


def test_nothing_is_repaired_while_a_backup_runs(archive: Store) -> None:
    make.damage(archive, "kind = 1")

    with no_removal(archive.directory), pytest.raises(Conflict, match="backup"):
        repair(archive, forbidden)


def test_a_database_that_sqlite_calls_malformed_is_left_to_a_backup(archive: Store) -> None:
    archive.mail.conn.execute("pragma wal_checkpoint(truncate)")
    path = archive.directory / "mail.db"
    (root,) = archive.mail.conn.execute(
        "select rootpage from sqlite_schema where name = 'blobs'"
    ).fetchone()
    whole = bytearray(path.read_bytes())
    whole[(root - 1) * 4096 + 3] ^= 8
    path.write_bytes(whole)

    with closing(open_store(archive.directory)) as store:
        done = repair(store, forbidden)

    assert done.mended == 0
    assert any(fault.startswith("mail.db: ") for fault in done.verified.faults)
    assert path.read_bytes() == whole


def test_an_index_of_mail_db_that_lost_a_row_is_made_anew(archive: Store) -> None:
    with write(archive.mail):
        archive.mail.conn.execute("pragma writable_schema = on")
        archive.mail.conn.execute(
            "update sqlite_schema set sql = replace(sql, '1, 8', '2, 8') where type = 'index'"
        )
    with closing(open_store(archive.directory)) as store:
        assert "index blobs_by_digest" in verify(store).faults[0]

        assert repair(store, forbidden).verified.faults == ()


# -- with a server


@pytest.fixture
def office(dovecot: Dovecot, store: Store) -> Office:
    """Alice's mailbox with three messages, two of them with one text, synced."""
    settings = Settings.from_env({}, data=store.directory)
    alice = make.user(store, "Alice")
    login = dovecot.new_user()
    account = add_account(store, dovecot, login, "secret", alice)
    dovecot.append(
        login,
        "INBOX",
        make.mail(text=CONTRACT),
        make.mail("Fwd", text=CONTRACT, message_id="<2@x>"),
        make.mail("Other", text="another text, as long as it takes " * 9, message_id="<3@x>"),
    )
    worker.sync_now(settings)
    return Office(dovecot, store, settings, alice, login, account)


@pytest.mark.dovecot
def test_a_damaged_block_comes_back_byte_exact_from_the_server(office: Office) -> None:
    before, files = raws(office.store), office.server.file_names(office.login)
    make.damage(office.store, "kind in (0, 1)")
    assert len(verify(office.store).damaged) == 3
    office.server.forget_commands(office.login)

    report = worker.repair_now(office.settings)

    assert report is not None
    assert report.is_good
    assert verify(office.store).faults == ()
    assert raws(office.store) == before
    assert office.server.file_names(office.login) == files
    asked = {verb(command) for command in office.server.commands(office.login)}
    assert {"EXAMINE", "UID FETCH"} <= asked <= READ_ONLY_VERBS


@pytest.mark.dovecot
def test_parts_whose_rows_are_lost_come_back_and_are_named_anew(office: Office) -> None:
    before = raws(office.store)
    with write(office.store.mail):
        office.store.mail.conn.execute(
            "delete from blobs where id in (select id from blobs b"
            " where b.block_id in (select id from blocks where kind = 1))"
        )

    report = worker.repair_now(office.settings)

    assert report is not None
    assert (report.is_good, verify(office.store).orphans) == (True, 0)
    assert raws(office.store) == before
    named = office.store.archive.conn.execute("select blob_id from parts").fetchall()
    assert all(blobs.read(office.store, blob_id) for (blob_id,) in named)


@pytest.mark.dovecot
def test_a_message_that_is_gone_from_the_server_says_so(office: Office) -> None:
    before = raws(office.store)
    office.server.expunge(office.login, "INBOX", 3)
    worker.sync_now(office.settings)
    make.damage(office.store, "kind in (0, 1)")

    report = worker.repair_now(office.settings)

    assert report is not None
    assert not report.is_good
    (left,) = (report.detail or {})["damaged"]
    assert (left["message"], left["can_fetch"]) == (
        make.public_id(office.store, MessageId(1)),
        False,
    )
    assert "restore a backup" in left["what_to_do"]
    assert [blobs.read(office.store, copy.id) for copy in copies(office.store)[1:]] == before[1:]


@pytest.mark.dovecot
def test_other_bytes_under_the_same_number_are_not_taken(office: Office) -> None:
    make.damage(office.store, "kind in (0, 1)")
    office.store.archive.conn.execute("update locations set uid = uid + 10")
    office.store.archive.conn.execute("update locations set uid = 14 - uid")

    worker.repair_now(office.settings)

    verified = verify(office.store)
    assert [len(verified.damaged), verified.blobs] == [2, 5]


@pytest.mark.dovecot
def test_an_unreachable_server_is_named(office: Office) -> None:
    make.damage(office.store, "kind in (0, 1)")

    done = repair(office.store, unreachable)

    assert done.notes[0] == f"{office.account.address}: The server does not answer."
    assert len(done.verified.damaged) == 3


@pytest.fixture
def working(office: Office) -> Iterator[Office]:
    """A worker that runs."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))
    thread.start()
    try:
        until(lambda: jobs.is_worker_alive(office.store, now=datetime.now(UTC)))
        yield office
    finally:
        stop.set()
        thread.join(timeout=30)


@pytest.mark.dovecot
def test_a_worker_that_runs_repairs_for_the_command_line(working: Office) -> None:
    before = raws(working.store)
    make.damage(working.store, "kind in (0, 1)")

    environment = {"LETTERBOOK_DATA": str(working.settings.data)}
    done = CliRunner().invoke(letterbook, ["verify", "--repair", "--json"], env=environment)

    assert (done.exit_code, json.loads(done.stdout)["faults"]) == (0, [])
    assert raws(working.store) == before
    last = upkeep.last(working.store, "verify")
    assert last is not None
    assert "repaired" in last.summary


@pytest.mark.dovecot
def test_a_worker_verifies_what_an_administrator_asked_for(working: Office) -> None:
    make.damage(working.store, "id = 1")
    viewer = make.viewer(working.store, working.alice)

    job = jobs.request_verify(working.store, viewer, now=datetime.now(UTC))

    until(lambda: jobs.outcome(working.store, job).is_done)
    last = upkeep.last(working.store, "verify")
    assert last is not None
    assert not last.is_good
    assert last.detail["damaged"]
