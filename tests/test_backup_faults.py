"""What goes wrong with a backup is said in a sentence, and what was there before is intact."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from app.backup import create, place
from app.backup.manifest import MANIFEST
from app.errors import Conflict, Corrupt, Invalid, LetterbookError, NotFound
from app.model import Account, Digest
from app.store import Store, blobs, mending, open_store
from app.store.database import write
from app.store.segments import Blocks
from tests import make
from tests.backups import back, bring_back, deliver, digests, files


@pytest.fixture
def box(store: Store) -> Account:
    box = make.account(store, make.user(store, "Alice"))
    deliver(store, box, 2)
    return box


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("A file system of its own can be mounted by root only")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("part", ["manifest.json", "archive/*", "mail/000001.db", "secret.key"])
@pytest.mark.parametrize("at", [0.02, 0.5, 0.98])
def test_one_changed_byte_is_noticed_and_nothing_is_written(
    store: Store, box: Account, dest: Path, part: str, at: float
) -> None:
    (store.directory / "secret.key").write_text("k" * 44)
    back(store, dest, with_key=True)
    (path,) = dest.glob(part)
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 1
    path.write_bytes(content)
    before = sorted(dest.parent.iterdir())

    with pytest.raises(LetterbookError, match=path.name):
        bring_back(dest, dest.with_name("new"))

    assert sorted(dest.parent.iterdir()) == before


def test_a_missing_file_is_named(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)
    (dest / "mail" / "000001.db").unlink()

    with pytest.raises(Corrupt, match=r"000001\.db is missing"):
        bring_back(dest, dest.with_name("new"))


def test_a_backup_of_a_newer_version_is_refused(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)
    document = json.loads((dest / MANIFEST).read_text()) | {"format": 2}
    (dest / MANIFEST).write_text(json.dumps(document))

    with pytest.raises(Conflict, match="newer version"):
        bring_back(dest, dest.with_name("new"))
    with pytest.raises(Conflict, match="newer version"):
        back(store, dest)


def test_a_snapshot_of_a_newer_schema_is_refused(store: Store, box: Account, dest: Path) -> None:
    store.archive.conn.execute("pragma user_version = 999")
    back(store, dest)

    with pytest.raises(Conflict, match="newer version"):
        bring_back(dest, dest.with_name("new"))

    assert not dest.with_name("new").exists()


def test_only_an_empty_directory_is_restored_to(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)
    before = files(store.directory)

    with pytest.raises(Invalid, match="not empty"):
        bring_back(dest, store.directory)

    assert files(store.directory) == before


@pytest.mark.parametrize("name", ["README.md", None])
def test_the_directory_may_be_there_already(
    store: Store, box: Account, dest: Path, name: str | None
) -> None:
    """As in a fresh checkout, whose data directory has a README."""
    back(store, dest)
    target = dest.with_name("new")
    target.mkdir()
    if name:
        (target / name).write_text("What lies here.")

    bring_back(dest, target)

    kept = {name} if name else set()
    assert {path.name for path in target.iterdir()} == {"archive.db", "mail.db", "open.lock"} | kept


def test_a_file_system_of_its_own_is_restored_to(
    store: Store, box: Account, dest: Path, small_disk: Path
) -> None:
    back(store, dest)

    assert bring_back(dest, small_disk).copies == 2

    assert {path.name for path in small_disk.iterdir()} == {"archive.db", "mail.db", "open.lock"}


def test_an_unknown_snapshot_is_refused_with_those_there_are(
    store: Store, box: Account, dest: Path
) -> None:
    name = back(store, dest).snapshot.name

    with pytest.raises(NotFound, match=name):
        bring_back(dest, dest.with_name("new"), name="yesterday")


def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no backup"):
        bring_back(tmp_path, tmp_path / "new")


def test_a_directory_that_others_may_read_is_refused(
    store: Store, box: Account, dest: Path
) -> None:
    dest.mkdir()
    dest.chmod(0o750)

    with pytest.raises(Invalid, match="chmod 700"):
        back(store, dest)


def test_the_backup_is_for_its_owner_only(store: Store, box: Account, dest: Path) -> None:
    old_mask = os.umask(0)
    try:
        back(store, dest)
    finally:
        os.umask(old_mask)

    assert [path for path in (dest, *dest.rglob("*")) if path.stat().st_mode & 0o077] == []


def test_a_place_inside_the_data_directory_is_refused(store: Store, box: Account) -> None:
    with pytest.raises(Invalid, match="inside the data directory"):
        back(store, store.directory / "backup")


def test_a_directory_with_something_else_is_left_alone(
    store: Store, box: Account, dest: Path
) -> None:
    (dest / "mail").mkdir(mode=0o700, parents=True)
    (dest / "mail" / "000001.db").write_text("mine")
    dest.chmod(0o700)
    before = files(dest)

    with pytest.raises(Invalid, match="holds no backup"):
        back(store, dest)

    assert files(dest) == before


def test_the_backup_of_another_archive_is_left_alone(
    store: Store, box: Account, dest: Path
) -> None:
    """Above all by the empty archive of who set up anew before he restored."""
    back(store, dest)
    before = files(dest)
    other = open_store(dest.with_name("other"))

    with pytest.raises(Conflict, match="another archive"):
        back(other, dest)

    assert files(dest) == before
    other.close()


@pytest.mark.parametrize("later", [1, 4])
def test_an_archive_that_went_another_way_is_not_mixed_in(
    store: Store, box: Account, dest: Path, later: int
) -> None:
    """It was restored from an older copy, and gave the same ids to other mail."""
    old = dest.with_name("old")
    back(store, old)
    deliver(store, box, 2, seed=2)
    back(store, dest)
    before = files(dest)
    bring_back(old, dest.with_name("new"))
    new = open_store(dest.with_name("new"))
    deliver(new, box, later, seed=3)

    with pytest.raises(Conflict, match="never had"):
        back(new, dest)

    assert files(dest) == before
    new.close()


def test_two_backups_at_once_are_refused(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)

    with place.alone(dest):
        with pytest.raises(Conflict, match="is running"):
            back(store, dest)
        with pytest.raises(Conflict, match="is running"):
            bring_back(dest, dest.with_name("new"))


def test_a_full_disk_is_said_before_anything_is_written(
    store: Store, box: Account, small_disk: Path
) -> None:
    deliver(store, box, 60, seed=2, noise_bytes=60_000)

    with pytest.raises(LetterbookError, match=r"needs about .* left"):
        back(store, small_disk / "backup")

    assert list((small_disk / "backup").iterdir()) == [small_disk / "backup" / place.LOCK]


@pytest.mark.parametrize(("step", "left_bytes"), [("look", 0), ("look", 600_000), ("pack", 0)])
def test_a_disk_that_fills_up_leaves_the_backup_before(
    store: Store, box: Account, small_disk: Path, step: str, left_bytes: int
) -> None:
    dest, filler = small_disk / "backup", small_disk / "filler"
    back(store, dest)
    before = files(dest)
    deliver(store, box, 60, seed=2, noise_bytes=20_000)  # 1.2 MB

    def fill(state: str) -> None:
        disk = os.statvfs(small_disk)
        if state.startswith(step):
            filler.write_bytes(b"x" * (disk.f_bavail * disk.f_frsize - left_bytes))

    with pytest.raises(LetterbookError, match=r"No space is left .* is intact"):
        back(store, dest, progress=fill)

    filler.unlink()
    assert files(dest) == before
    assert bring_back(dest, store.directory.with_name("new")).copies == 2
    assert back(store, dest).snapshot.copies == 62


def test_a_run_that_was_killed_is_cleaned_up_by_the_next(
    store: Store, box: Account, dest: Path
) -> None:
    back(store, dest)
    leftovers = [dest / ".partial" / "archive.db", dest / "mail" / "000002.db"]
    leftovers[0].parent.mkdir()
    for path in leftovers:
        path.write_bytes(b"half")

    back(store, dest)

    assert [path for path in leftovers if path.exists()] == []
    assert bring_back(dest, dest.with_name("new")).copies == 2


@pytest.mark.parametrize("at", range(1, 10))
def test_a_run_that_breaks_at_any_step_leaves_a_whole_backup(
    store: Store, box: Account, dest: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Three files get their names; each is made durable, then its directory and the one above."""
    back(store, dest)
    deliver(store, box, 1, seed=2)
    steps, real = count(1), place.sync

    def break_off(path: Path) -> None:
        real(path)
        if next(steps) == at:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(place, "sync", break_off)
    with pytest.raises(LetterbookError, match="Input/output error"):
        back(store, dest)
    monkeypatch.undo()

    assert bring_back(dest, dest.with_name("new")).copies == (3 if at > 7 else 2)
    assert back(store, dest).snapshot.copies == 3


def test_a_lost_or_cut_segment_is_written_again(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)
    deliver(store, box, 2, seed=2)
    back(store, dest)
    (dest / "mail" / "000001.db").unlink()
    (dest / "mail" / "000002.db").write_bytes(b"SQLite format 3")

    back(store, dest)

    assert bring_back(dest, dest.with_name("new")).copies == 4


def test_bytes_that_were_damaged_before_are_told_at_each_step(
    store: Store, box: Account, dest: Path
) -> None:
    with write(store.mail):
        store.mail.conn.execute("update blocks set payload = x'00' where id = 1")

    (fault,) = back(store, dest).faults
    came = bring_back(dest, dest.with_name("new"))

    assert "Damaged blocks in mail.db: 1" in fault
    assert (came.copies, len(came.damaged)) == (2, 1)


def test_bytes_that_the_archive_lacks_are_told(store: Store, box: Account, dest: Path) -> None:
    with write(store.mail):
        store.mail.conn.execute("delete from blobs where id = 1")

    (fault,) = back(store, dest).faults

    assert "Missing in mail.db: 1 of 4" in fault


def test_a_block_that_is_lost_does_not_keep_a_backup_from_its_end(
    store: Store, box: Account, dest: Path
) -> None:
    with write(store.mail):
        store.mail.conn.execute("delete from blocks where id = 1")
    with closing(Blocks(store)) as blocks:
        blocks.want()
        sizes = {"most_bytes": 10**9, "progress": lambda size_bytes: None}
        first = blocks.write(dest.with_name("1.db"), [], **sizes)
        second = blocks.write(dest.with_name("2.db"), [], **sizes)

    assert (first is None, second, dest.with_name("2.db").exists()) == (False, None, False)
    done = back(store, dest)
    assert done.faults[0].startswith("Missing in mail.db: 1 of 4")
    assert {path.name for path in dest.glob("mail/*")} == {"000001.db"}
    assert len(bring_back(dest, dest.with_name("new")).damaged) == 1


def test_a_checksum_that_was_repaired_goes_into_the_backup(
    store: Store, box: Account, dest: Path
) -> None:
    before = digests(store)
    wrong = bytes([before[0][0] ^ 1]) + before[0][1:]
    with write(store.mail):
        store.mail.conn.execute("update blobs set digest = ? where digest = ?", [wrong, before[0]])
    back(store, dest)
    (blob_id,) = blobs.find_all(store, [Digest(wrong)]).values()
    mending.correct(store, blob_id)

    back(store, dest)

    assert bring_back(dest, dest.with_name("new")).damaged == ()
    new = open_store(dest.with_name("new"))
    assert digests(new) == before
    new.close()


def test_a_segment_that_is_merged_is_taken_from_the_sound_copy(
    store: Store, box: Account, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk under mail.db lost bytes since: the backup still has them."""
    monkeypatch.setattr(create, "MOST_SMALL", 1)
    back(store, dest)
    before = digests(store)
    with write(store.mail):
        store.mail.conn.execute("update blocks set payload = x'00'")

    back(store, dest)
    came = bring_back(dest, dest.with_name("new"))

    new = open_store(dest.with_name("new"))
    assert (came.damaged, digests(new)) == ((), before)
    new.close()
