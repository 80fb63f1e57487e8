"""Import from directories, zips and packed files: what is there, what is refused and why."""

import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import zstandard

from app.errors import Invalid
from app.model import Account
from app.store import Store, folders, reading
from app.transfer import check_mail, import_mail, read_mail, sources
from app.transfer.mbox import written
from app.verify import verify
from tests import make
from tests.make import NOW

ONE = make.mail("One", message_id="<1@x>")
TWO = make.mail("Two", message_id="<2@x>")
LARGE = 150_000_001


@pytest.fixture
def box(store: Store) -> Account:
    return make.account(store, make.user(store, "Alice"), host=None)


def bring(store: Store, box: Account, path: Path, folder: str = "Imported"):
    return import_mail(store, path, box.id, folder=folder, now=NOW)


def put(path: Path, raw: bytes = ONE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


def places(store: Store) -> set[tuple[str, str]]:
    """Where mail lies, and its flags."""
    return set(
        store.archive.conn.execute(
            "select f.name, l.flags from locations l join folders f on f.id = l.folder_id"
        )
    )


def failed(store: Store, box: Account) -> list[str]:
    return sorted(one.reason for one in folders.failures(store, box.id, limit=200_000))


def ledger(store: Store, box: Account) -> dict[str, int]:
    """The failures of each folder; the ledger adds up."""
    assert verify(store).faults == ()
    return {line.name: line.failed for line in folders.ledger(store, box.id) if line.failed}


# -- Maildir


def test_maildir_folders_and_flags_are_kept(store, box, tmp_path) -> None:
    root = tmp_path / "Maildir"
    put(root / "cur" / "1:2,FRS")
    put(root / "cur" / "2")
    put(root / "new" / "3", TWO)
    put(root / "tmp" / "4", b"half")
    put(root / ".Wys&AUI-ane.2024" / "cur" / "5:2,T")
    put(root / "Nested" / "Deep" / "cur" / "6:2,DPS")

    done = bring(store, box, root)

    assert (done.read, done.failed) == (5, ())
    assert places(store) == {
        ("Imported", "\\Flagged \\Answered \\Seen"),
        ("Imported", ""),
        ("Imported/Wysłane/2024", "\\Deleted"),
        ("Imported/Nested/Deep", "\\Draft \\Seen"),
    }


def test_into_inbox_the_folders_keep_their_own_names(store, box, tmp_path) -> None:
    put(tmp_path / "M" / "cur" / "1")
    put(tmp_path / "M" / ".Sent" / "cur" / "1")

    bring(store, box, tmp_path / "M", "INBOX")

    assert {name for name, _ in places(store)} == {"INBOX", "Sent"}


def test_flags_that_change_in_a_file_name_do_not_double_a_refusal(store, box, tmp_path) -> None:
    for name in ("1:2,", "1:2,S"):
        root = tmp_path / name / "M"
        put(root / "cur" / "2")
        (root / "cur" / name).symlink_to("/etc/hostname")
        bring(store, box, root)

    assert len(failed(store, box)) == 1


def test_a_folder_of_the_server_takes_no_import(store, tmp_path) -> None:
    synced = make.account(store, make.user(store, "Bob"))
    folders.record_listing(store, synced.id, [folders.Listed("INBOX", "", None)], now=NOW)

    with pytest.raises(Invalid, match="INBOX is a folder of the mail server"):
        bring(store, synced, put(tmp_path / "a.eml"), "INBOX")


# -- what is no ordinary file


def test_links_pipes_and_devices_are_said_and_never_opened(store, box, tmp_path) -> None:
    put(tmp_path / "outside" / "secret.eml", TWO)
    root = tmp_path / "mail"
    put(root / "one.eml")
    (root / "link.eml").symlink_to(tmp_path / "outside" / "secret.eml")
    (root / "far").symlink_to(tmp_path / "outside")
    os.mkfifo(root / "pipe.eml")
    put(root / "box" / "cur" / "1:2,S")
    (root / "box" / "cur" / "2:2,S").symlink_to("/dev/zero")
    (root / "box" / "new").symlink_to(tmp_path / "outside")

    done = bring(store, box, root)
    again = bring(store, box, root)

    link = "it is a link, and links are not followed"
    reasons = [
        f"box/cur/2:2,S: {link}",
        f"box/new: {link}",
        f"far: {link}",
        f"link.eml: {link}",
        "pipe.eml: it is no ordinary file",
    ]
    assert (done.read, done.stored, sorted(done.failed)) == (7, 1, reasons)
    assert (again.present, sorted(again.failed)) == (2, reasons)
    assert failed(store, box) == reasons
    assert ledger(store, box) == {"Imported": 3, "Imported/box": 2}


@pytest.mark.parametrize("path", ["pipe", "/dev/null"])
def test_a_path_that_is_a_pipe_or_device_is_refused_at_once(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(Invalid, match="cannot be read"):
        check_mail(tmp_path / path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(store, box, tmp_path) -> None:
    put(tmp_path / "m" / "one.eml")
    put(tmp_path / "m" / "two.eml", TWO).chmod(0)

    assert bring(store, box, tmp_path / "m").failed == ("two.eml: Permission denied",)


def test_what_could_not_be_read_once_leaves_the_ledger_when_it_can(store, box, tmp_path) -> None:
    put(tmp_path / "m" / "one.eml")
    (tmp_path / "m" / "two.eml").symlink_to("one.eml")
    bring(store, box, tmp_path / "m")
    (tmp_path / "m" / "two.eml").unlink()
    put(tmp_path / "m" / "two.eml", TWO)

    done = bring(store, box, tmp_path / "m")

    assert (done.stored, done.present, failed(store, box)) == (1, 1, [])


# -- sizes


def test_a_huge_message_costs_no_memory_and_is_a_row(store, box, tmp_path) -> None:
    path = tmp_path / "huge.mbox.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        packed.write(written(ONE, NOW) + b"From - Fri Mar 14 08:00:00 2025\nSubject: x\n\n")
        for _ in range(1_500):
            packed.write(b"0" * 1_000_000)
        packed.write(b"\n\n" + written(TWO, NOW))
    tracemalloc.start()

    done = bring(store, box, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    reason = "huge.mbox.zst: a message is larger than 150,000,000 bytes, the most that is read"
    assert (done.stored, done.failed) == (2, (reason,))
    assert peak < 200_000_000
    assert failed(store, box) == [reason]
    assert ledger(store, box) == {"Imported": 1}


def test_a_huge_file_is_not_read(store, box, tmp_path) -> None:
    put(tmp_path / "m" / "one.eml")
    with (tmp_path / "m" / "huge.eml").open("wb") as file:
        file.truncate(LARGE)
    tracemalloc.start()

    done = bring(store, box, tmp_path / "m")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert done.failed == ("huge.eml is larger than 150,000,000 bytes, the most that is read",)
    assert peak < 10_000_000


def test_a_long_mbox_is_never_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.mbox.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        for _ in range(2_000):
            packed.write(written(b"Subject: x\n\n" + b"0" * 20_000, NOW))
    tracemalloc.start()

    count = sum(len(found.raw) for found in read_mail(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 2_000 * 20_012
    assert peak < 12_000_000


@pytest.mark.parametrize("frames", [1, 3])
def test_every_frame_of_a_zstd_file_is_read(tmp_path: Path, frames: int) -> None:
    packed = zstandard.compress(written(ONE, NOW))
    path = put(tmp_path / "a.zst", packed * frames)

    assert [found.raw for found in read_mail(path)] == [ONE] * frames


def test_a_cut_zstd_file_is_refused_from_there(store, box, tmp_path) -> None:
    content = written(ONE, NOW) + written(TWO + os.urandom(300_000), NOW)
    path = put(tmp_path / "a.zst", zstandard.compress(content)[:-9])

    done = bring(store, box, path)

    reason = "a.zst is damaged (it breaks off in the middle). What came before that is kept."
    assert (done.stored, done.failed) == (1, (reason,))
    assert ledger(store, box) == {"Imported": 1}


# -- zips


def write_zip(path: Path, *entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return path


def test_names_in_a_zip_lead_nowhere(store, box, tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", ("../../up.eml", ONE), ("/etc/root.EML", TWO))

    assert bring(store, box, path).stored == 2
    assert not list(tmp_path.parent.glob("*.eml"))


def test_a_size_that_lies_is_refused(store, box, tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", ("one.eml", ONE), ("two.eml", TWO))
    content = path.read_bytes()
    at = content.rfind(b"PK\x01\x02") + 24
    put(path, content[:at] + struct.pack("<L", 5) + content[at + 4 :])

    done = bring(store, box, path)

    assert (done.read, done.stored) == (2, 1)
    assert done.failed[0].startswith("two.eml: Bad CRC-32")


def test_files_that_lie_over_each_other_are_refused(store, box, tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", ("one.eml", ONE), ("two.eml", TWO))
    content = path.read_bytes()
    at = content.rfind(b"PK\x01\x02") + 42
    put(path, content[:at] + struct.pack("<L", 1) + content[at + 4 :])

    done = bring(store, box, path)

    assert (done.stored, done.failed) == (1, ("two.eml lies over another file of the zip",))


def test_bombs_in_a_zip_are_rows_and_a_zip_in_it_is_not_opened(store, box, tmp_path) -> None:
    inner = write_zip(tmp_path / "inner.zip", ("deep.eml", TWO))
    path = write_zip(
        tmp_path / "a.zip",
        ("one.eml", ONE),
        ("bomb.eml", b"0" * 30_000_000),
        ("inner.zip", inner.read_bytes()),
    )

    bring(store, box, path)
    done = bring(store, box, path)

    assert (done.present, done.failed) == (1, ("bomb.eml: unpacks to 30,000,000 bytes",))
    assert ledger(store, box) == {"Imported": 1}


def test_a_method_that_can_ask_for_gigabytes_is_not_read(store, box, tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", ("one.eml", ONE), method=zipfile.ZIP_LZMA)

    assert bring(store, box, path).failed == ("one.eml is packed in a way that is not read",)


def test_a_zip_of_more_files_than_sixteen_bits_count_is_read(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "a.zip", *((f"{n}.eml", b"") for n in range(66_000)), method=zipfile.ZIP_STORED
    )

    assert sum(1 for _ in read_mail(path)) == 66_000


def test_a_list_of_contents_that_is_too_long_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_DIRECTORY_BYTES", 100)
    path = write_zip(tmp_path / "a.zip", ("one.eml", ONE), ("two.eml", TWO))

    with pytest.raises(Invalid, match="Unpack it, and import the folder"):
        check_mail(path)


# -- interruptions

CHILD = """
import os, signal, sys
from pathlib import Path
from app.model import AccountId
from app.store import open_store
from app.transfer import import_mail, incoming
from tests.make import NOW

incoming.BATCH_MESSAGES = 7
import_mail(
    open_store(Path(sys.argv[1])), Path(sys.argv[2]), AccountId(int(sys.argv[3])),
    folder="Imported", now=NOW,
    progress=lambda done: done.read >= 20 and os.kill(os.getpid(), signal.SIGKILL),
)
"""


def test_a_killed_import_goes_on_and_doubles_nothing(store, box, tmp_path) -> None:
    mails = [make.mail(f"Mail {n}", message_id=f"<{n}@x>") for n in range(50)]
    path = put(tmp_path / "a.mbox", b"".join(written(mail, NOW) for mail in mails))
    words = [sys.executable, "-c", CHILD, str(store.directory), str(path), str(box.id)]

    killed = subprocess.run(words, cwd=Path(__file__).parents[1], check=False)
    done = bring(store, box, path)

    assert killed.returncode == -9
    assert (done.read, done.present, done.stored) == (50, 21, 29)
    assert len(make.message_ids(store)) == len(places_by_uid(store)) == 50


def places_by_uid(store: Store) -> list[int]:
    return [row[0] for row in store.archive.conn.execute("select uid from locations")]


def test_a_message_that_trips_us_is_a_row_and_holds_up_no_other(
    store, box, tmp_path, monkeypatch
) -> None:
    put(tmp_path / "m" / "one.eml")
    put(tmp_path / "m" / "two.eml", TWO)
    parse = reading.parse
    monkeypatch.setattr(reading, "parse", lambda raw: parse(raw) if raw == ONE else 1 / 0)

    done = bring(store, box, tmp_path / "m")
    monkeypatch.undo()
    healed = bring(store, box, tmp_path / "m")

    assert (done.stored, done.failed) == (1, ("It could not be stored (ZeroDivisionError).",))
    assert (healed.stored, healed.present, failed(store, box)) == (1, 1, [])
