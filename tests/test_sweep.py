"""The bytes of what was removed leave the disk; nothing that is needed does."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
import zstandard

from app.errors import Conflict
from app.jobs import upkeep as tasks
from app.jobs.worker import rebuild_index
from app.model import Digest, Viewer
from app.search import search_messages
from app.settings import Settings
from app.store import Store, blobs, ingest, lock, messages, open_store, sweep, upkeep
from app.verify import verify
from tests import make
from tests.purging import OTHER, SECRET, TEXT, WORD, fill, remove, sweep_now


@pytest.fixture
def admin(store: Store) -> Viewer:
    """Dora administers; she reads no mailbox."""
    return make.viewer(store, make.user(store, "Dora", is_admin=True))


@pytest.fixture
def filled(store: Store) -> Store:
    return fill(store)


@pytest.fixture
def alice(filled: Store) -> Viewer:
    (user_id,) = filled.archive.conn.execute("select id from users where name = 'Alice'").fetchone()
    return make.viewer(filled, user_id)


def bytes_on_disk(directory: Path) -> Iterator[bytes]:
    for path in directory.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


# -- its bytes


def test_after_the_sweep_no_file_holds_a_byte_of_it(filled, alice, admin) -> None:
    (payload,) = filled.mail.conn.execute(
        "select payload from blocks order by id limit 1"
    ).fetchone()
    frame = payload[20:120]
    assert any(frame in content for content in bytes_on_disk(filled.directory))
    assert any(WORD.encode() in content for content in bytes_on_disk(filled.directory))

    remove(filled, admin)
    sweep_now(filled)
    assert jobs_waiting(filled) == ["reindex"]
    rebuild_index(Settings.from_env({}, data=filled.directory))

    for content in bytes_on_disk(filled.directory):
        assert WORD.encode() not in content
        assert frame not in content
    for (block,) in filled.mail.conn.execute("select payload from blocks"):
        assert WORD.encode() not in zstandard.ZstdDecompressor().decompress(block)
    (left,) = messages.copies_after(filled, 0, limit=9)
    assert blobs.read(filled, left.id) == OTHER
    assert search_messages(filled, alice, "faktura").total == 1
    assert verify(filled).faults == ()


def test_nothing_of_moved_rows_is_left_in_unused_pages(filled, admin) -> None:
    large = make.mail(text="\n".join(str(number**9) for number in range(9_000)), message_id="<l@a>")
    make.deliver(filled, make.account(filled, address="x@y.pl"), large)
    remove(filled, admin, 3)
    sweep.sweep(filled)
    assert filled.mail.conn.execute("pragma freelist_count").fetchone()[0] > 9

    sweep.wipe(filled)

    for db in (filled.archive, filled.mail):
        assert db.conn.execute("pragma freelist_count").fetchone() == (0,)


def test_where_there_is_no_room_it_says_so_and_is_tried_again(filled, admin, monkeypatch) -> None:
    remove(filled, admin)
    (task,) = [one for one in tasks.TASKS if one.kind == "sweep"]
    settings = Settings.from_env({}, data=filled.directory)
    full = shutil.disk_usage(filled.directory)._replace(free=1 << 20)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: full)
        without_room = tasks.carry_out(settings, task, lambda: False)
    with_room = tasks.carry_out(settings, task, lambda: False)

    assert without_room is not None
    assert not without_room.is_good
    assert "no room left" in without_room.summary
    assert with_room is not None
    assert with_room.is_good
    rebuild_index(settings)
    assert all(WORD.encode() not in content for content in bytes_on_disk(filled.directory))


def jobs_waiting(store: Store) -> list[str]:
    rows = store.archive.conn.execute("select kind from jobs where finished_at is null")
    return [row[0] for row in rows]


def test_a_part_that_another_message_needs_stays(filled, admin) -> None:
    box = make.account(filled, address="x@y.pl", host=None)
    twin = make.mail("Twin", text=TEXT, message_id="<twin@a>")
    make.deliver(filled, box, twin)

    remove(filled, admin)
    sweep_now(filled)

    assert [blobs.read(filled, copy.id) for copy in messages.copies_after(filled, 0, limit=9)] == [
        OTHER,
        twin,
    ]


def test_a_sweep_of_a_sound_store_changes_nothing(filled) -> None:
    assert sweep.sweep(filled) == sweep.Swept(0, 0)

    assert [blobs.read(filled, copy.id) for copy in messages.copies_after(filled, 0, limit=9)] == [
        SECRET,
        OTHER,
    ]


def test_a_sweep_that_was_killed_is_ended_by_the_next(filled, admin, monkeypatch) -> None:
    remove(filled, admin)
    with monkeypatch.context() as killing:
        killing.setattr(sweep, "_rewrite", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sweep.sweep(filled)

    sweep.sweep(filled)

    for (block,) in filled.mail.conn.execute("select payload from blocks"):
        assert WORD.encode() not in zstandard.ZstdDecompressor().decompress(block)


def test_a_blob_s_id_is_not_given_twice(store: Store, admin) -> None:
    box = make.account(store, host=None)
    make.deliver(store, box, SECRET)
    highest = max(blobs.ids(store))
    remove(store, admin)

    sweep.sweep(store)
    make.deliver(store, box, OTHER, first_uid=2)

    (copy,) = messages.copies_after(store, 0, limit=9)
    assert copy.id > highest
    assert sweep.sweep(store).blobs == 0
    assert blobs.read(store, copy.id) == OTHER


def test_a_damaged_recipe_keeps_the_sweep_from_removing_anything(filled, admin) -> None:
    filled.mail.conn.execute("delete from blocks where kind = 0")
    remove(filled, admin)
    before = list(blobs.ids(filled))

    sweep_now(filled)

    assert list(blobs.ids(filled)) == before
    assert not tasks.upkeep.last(filled, "sweep").is_good


def test_a_lost_archive_db_does_not_take_the_mail_with_it(filled: Store) -> None:
    before = filled.mail.conn.execute("select count(*) from blobs").fetchone()
    directory = filled.directory
    filled.close()
    for path in directory.glob("archive.db*"):
        path.unlink()
    store = open_store(directory)

    sweep_now(store)

    last = upkeep.last(store, "sweep")
    assert last is not None
    assert (last.is_good, last.summary[:32]) == (False, "archive.db knows of no mail, and")
    assert store.mail.conn.execute("select count(*) from blobs").fetchone() == before
    store.close()


def test_a_backup_under_way_puts_the_sweep_off(filled, admin) -> None:
    remove(filled, admin)
    with lock.no_removal(filled.directory):
        sweep_now(filled)

    last = tasks.upkeep.last(filled, "sweep")
    task = next(one for one in tasks.TASKS if one.kind == "sweep")
    assert not last.is_good
    assert tasks.due(filled, [task], now=last.finished_at) is None
    assert tasks.due(filled, [task], now=last.finished_at + timedelta(hours=1)) == task


def test_a_sweep_is_due_soon_after_a_removal_and_weekly_otherwise(filled, admin) -> None:
    task = next(one for one in tasks.TASKS if one.kind == "sweep")
    sweep_now(filled)
    now = tasks.upkeep.last(filled, "sweep").finished_at
    assert tasks.due(filled, [task], now=now) is None

    remove(filled, admin)

    assert tasks.due(filled, [task], now=now) == task
    sweep_now(filled)
    assert tasks.due(filled, [task], now=now) is None


# -- beside an ingest


@pytest.mark.parametrize("looks", [1, 3])
def test_a_blob_that_an_ingest_is_about_to_name_is_there_when_it_is_named(
    filled, admin, monkeypatch, looks: int
) -> None:
    """Blobs come first and rows later: a sweep in between sees blobs that nothing names. The mail
    that comes has the text of one that was removed."""
    box = make.account(filled, address="x@y.pl", host=None)
    mail = make.mail("New", text=TEXT, message_id="<9@a>")
    remove(filled, admin)
    note, swept = ingest._note, []

    def sweep_first(store: Store, *given: object, **more: object) -> object:
        store.archive.conn.execute("rollback")
        other = open_store(store.directory)
        if len(swept) < looks:
            swept.append(sweep.sweep(other).blobs)
        other.close()
        store.archive.conn.execute("begin immediate")
        return note(store, *given, **more)

    monkeypatch.setattr(ingest, "_note", sweep_first)

    make.deliver(filled, box, mail)

    assert swept[0] == 1
    assert mail in {blobs.read(filled, c.id) for c in messages.copies_after(filled, 0, limit=9)}


def test_sweeping_while_the_same_mail_comes_again_and_again_loses_nothing(filled) -> None:
    box = make.account(filled, address="x@y.pl", host=None)
    mails = [
        make.mail(
            f"Mail {number % 20}", text=f"Tresc {number % 7}. " * 30, message_id=f"<{number}@b>"
        )
        for number in range(60)
    ]

    def deliver() -> None:
        other = open_store(filled.directory)
        for number, raw in enumerate(mails):
            make.deliver(other, box, raw, first_uid=number + 1)
        other.close()

    thread = Thread(target=deliver)
    thread.start()
    while thread.is_alive():
        sweep.sweep(filled)
    thread.join()

    stored = {blobs.read(filled, copy.id) for copy in messages.copies_after(filled, 0, limit=99)}
    assert stored >= set(mails)


def test_a_row_that_named_an_orphan_since_the_look_saves_it(filled, admin, monkeypatch) -> None:
    box = make.account(filled, address="x@y.pl", host=None)
    mail = make.mail("New", text=TEXT, message_id="<9@a>")
    remove(filled, admin)
    look = sweep._orphans

    def look_and_deliver(store: Store) -> object:
        found = look(store)
        make.deliver(store, box, mail)
        return found

    monkeypatch.setattr(sweep, "_orphans", look_and_deliver)

    # Of the removed mail its recipe goes; its text is that of the new one.
    assert sweep.sweep(filled).blobs == 1
    assert mail in {blobs.read(filled, c.id) for c in messages.copies_after(filled, 0, limit=9)}


def test_mail_that_an_older_archive_db_does_not_know_stays(filled, admin, tmp_path: Path) -> None:
    """Somebody copied an older archive.db in place by hand."""
    box = make.account(filled, address="x@y.pl", host=None)
    older = tmp_path / "older.db"
    filled.archive.conn.execute("vacuum into ?", [str(older)])
    late = make.mail("Late", text="Pozna tresc. " * 30, message_id="<l@a>")
    make.deliver(filled, box, late)
    directory = filled.directory
    filled.close()
    for path in directory.glob("archive.db*"):
        path.unlink()
    older.rename(directory / "archive.db")
    store = open_store(directory)

    sweep.sweep(store)

    assert blobs.get(store, Digest(sha256(late).digest())) == late
    make.deliver(store, box, late)
    assert len(make.message_ids(store)) == 3
    store.close()


def test_it_waits_for_a_reader_of_an_older_state(filled, admin, monkeypatch) -> None:
    remove(filled, admin)
    reader = open_store(filled.directory)
    reader.mail.conn.execute("begin")
    reader.mail.conn.execute("select count(*) from blobs").fetchone()
    for db in (filled.archive, filled.mail):
        db.conn.execute("pragma busy_timeout = 0")
    sweep.sweep(filled)

    with pytest.raises(Conflict):
        sweep.wipe(filled)

    reader.mail.conn.execute("rollback")
    sweep.wipe(filled)
    reader.close()


def test_it_waits_for_somebody_who_writes(filled, admin) -> None:
    remove(filled, admin)
    sweep.sweep(filled)
    writer = open_store(filled.directory)
    writer.archive.conn.execute("begin immediate")
    filled.archive.conn.execute("pragma busy_timeout = 0")

    with pytest.raises(Conflict):
        sweep.wipe(filled)

    writer.close()
    sweep.wipe(filled)
