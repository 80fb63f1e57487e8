"""A backup is made while the archive is in use, holds what is new, and comes back as it was."""

from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from app.backup import create, manifest
from app.errors import Conflict
from app.model import Account
from app.store import Store, blobs, documents, lock, open_store, packing
from app.verify import verify
from tests import make
from tests.backups import back, bring_back, deliver, digests, files


@pytest.fixture
def box(store: Store) -> Account:
    return make.account(store, make.user(store, "Alice"))


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def written_bytes(dest: Path, before: dict[str, bytes]) -> int:
    """Of the files that were not there before, or were other ones."""
    changed = {name for name, digest in files(dest).items() if before.get(name) != digest}
    return sum((dest / name).stat().st_size for name in changed)


def test_what_is_restored_is_what_was_backed_up(store: Store, box: Account, dest: Path) -> None:
    """R76."""
    deliver(store, box, 5)

    done = back(store, dest)
    came = bring_back(dest, dest.with_name("new"))

    new = open_store(dest.with_name("new"))
    assert (done.snapshot.messages, done.snapshot.copies, done.faults) == (5, 5, ())
    assert (came.messages, came.copies, came.gone, came.damaged) == (5, 5, (), ())
    assert digests(new) == digests(store)
    assert documents.backlog(new) == 5
    new.close()


def test_a_second_run_writes_what_is_new_and_the_snapshot(
    store: Store, box: Account, dest: Path
) -> None:
    deliver(store, box, 60)
    back(store, dest)
    before, held_bytes = files(dest), blobs.stored_bytes(store)
    deliver(store, box, 20, seed=2)

    done = back(store, dest)

    new_bytes = blobs.stored_bytes(store) - held_bytes
    written = written_bytes(dest, before)
    assert done.new_bytes == written
    assert new_bytes <= written - done.snapshot.file.size_bytes <= 1.1 * new_bytes


def test_files_are_never_changed_in_place(store: Store, box: Account, dest: Path) -> None:
    deliver(store, box, 2)
    back(store, dest)
    before = {path: path.stat().st_ino for path in dest.glob("*/*") if path.is_file()}
    manifest_file = (dest / "manifest.json").stat().st_ino
    deliver(store, box, 2, seed=2)

    back(store, dest)

    assert {path: path.stat().st_ino for path in before} == before
    assert (dest / "manifest.json").stat().st_ino != manifest_file


def test_a_run_without_new_mail_writes_no_segment(store: Store, box: Account, dest: Path) -> None:
    deliver(store, box, 2)
    back(store, dest)

    back(store, dest)

    assert sorted(path.name for path in dest.glob("mail/*")) == ["000001.db"]
    assert len(list(dest.glob("archive/*"))) == 2


def test_a_large_archive_is_several_files(store: Store, box: Account, dest: Path) -> None:
    deliver(store, box, 40)

    back(store, dest, segment_bytes=100_000)
    bring_back(dest, dest.with_name("new"))

    sizes = [path.stat().st_size for path in dest.glob("mail/*")]
    assert len(sizes) >= 4
    assert max(sizes) < 150_000


def test_many_small_segments_become_one(
    store: Store, box: Account, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "MOST_SMALL", 4)
    counts = []
    for number in range(6):
        deliver(store, box, 1, seed=number)
        back(store, dest)
        counts.append(len(list(dest.glob("mail/*"))))

    assert counts == [1, 2, 3, 4, 1, 2]
    assert bring_back(dest, dest.with_name("new")).copies == 6


def test_the_latest_snapshots_are_kept_and_each_can_be_restored(
    store: Store, box: Account, dest: Path
) -> None:
    names = []
    for number in range(4):
        deliver(store, box, 1, seed=number)
        now = make.NOW + timedelta(days=number)
        names.append(back(store, dest, keep=2, now=now).snapshot.name)

    came = bring_back(dest, dest.with_name("new"), name=names[2])

    assert sorted(path.name for path in dest.glob("archive/*")) == [
        f"{name}.db.zst" for name in names[2:]
    ]
    assert (came.snapshot.name, came.messages) == (names[2], 3)


def test_mail_that_was_packed_since_comes_back(store: Store, box: Account, dest: Path) -> None:
    for number in range(40):
        raw = make.mail(text=f"Text {number}. " * 60, message_id=f"<{number}@x>")
        make.deliver(store, box, raw, first_uid=number + 1)
    deliver(store, box, 20, noise_bytes=20_000)  # each a full block: these stay
    name = back(store, dest).snapshot.name
    with lock.removal(store.directory):
        assert packing.repack(store).made

    done = back(store, dest)
    older = bring_back(dest, dest.with_name("older"), name=name)
    latest = bring_back(dest, dest.with_name("latest"))

    assert done.new_bytes < 100_000  # the first segment stays: most of it is as it was
    assert (older.copies, older.gone, latest.copies, latest.gone) == (60, (), 60, ())
    new, old = open_store(dest.with_name("latest")), store.mail.conn
    for query in ("select * from blocks", "select * from blobs"):
        assert new.mail.conn.execute(query).fetchall() == old.execute(query).fetchall()
    new.close()


def test_block_ids_go_on_where_they_were(store: Store, box: Account, dest: Path) -> None:
    """So that the restored archive can be backed up to the same place."""
    deliver(store, box, 3)
    back(store, dest)
    bring_back(dest, dest.with_name("new"))
    new = open_store(dest.with_name("new"))
    deliver(new, box, 2, seed=2)

    back(new, dest)

    assert bring_back(dest, dest.with_name("newer")).copies == 5
    new.close()


def test_mail_that_comes_meanwhile_does_no_harm(store: Store, box: Account, dest: Path) -> None:
    """Between the snapshot and the blocks: these are in the backup and nobody names them."""
    deliver(store, box, 3)
    other = open_store(store.directory)
    seeds = iter(range(2, 99))

    done = back(store, dest, progress=lambda _: deliver(other, box, 1, seed=next(seeds)))

    came = bring_back(dest, dest.with_name("new"))
    assert done.snapshot.copies == came.copies == 3
    assert len(make.message_ids(store)) > 3
    other.close()


def test_it_is_consistent_while_a_worker_writes_and_packs(
    store: Store, box: Account, dest: Path
) -> None:
    began, ended = Event(), Event()

    def work() -> None:
        own = open_store(store.directory)
        seed = 10
        while not ended.is_set():
            deliver(own, box, 3, seed=seed)
            seed += 1
            began.set()
            try:
                with lock.removal(own.directory):
                    packing.repack(own)
            except Conflict:
                continue  # a backup holds the bytes in place
        own.close()

    thread = Thread(target=work)
    thread.start()
    began.wait()
    try:
        names = [back(store, dest, segment_bytes=400_000).snapshot.name for _ in range(4)]
    finally:
        ended.set()
        thread.join()

    for name in names:
        target = dest.with_name(name)
        came = bring_back(dest, target, name=name)
        new = open_store(target)
        assert came.copies == came.snapshot.copies >= 3
        assert (came.gone, came.damaged) == ((), ())
        assert not [fault for fault in verify(new).faults if not fault.startswith("index")]
        new.close()


def test_nothing_is_removed_while_the_blocks_are_read(
    store: Store, box: Account, dest: Path
) -> None:
    deliver(store, box, 1)
    refused = []

    def try_removal(_: str) -> None:
        try:
            with lock.removal(store.directory):
                pass
        except Conflict as exc:
            refused.append(str(exc))

    back(store, dest, progress=try_removal)

    assert "A backup is running" in refused[0]


def test_the_manifest_counts_and_names_every_file(store: Store, box: Account, dest: Path) -> None:
    deliver(store, box, 3)

    done = back(store, dest)

    read = manifest.read(dest / "manifest.json")
    assert read is not None
    assert read.snapshots == (done.snapshot,)
    assert {file.name for file in read.files} == files(dest).keys() - {
        "manifest.json",
        "letterbook.lock",
    }
    assert done.snapshot.blobs == len(list(blobs.ids(store)))
    assert done.size_bytes == sum((dest / file.name).stat().st_size for file in read.files)
