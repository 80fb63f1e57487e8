"""import and export on the command line, also beside a worker and on a full disk."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from click.testing import Result

from app.store import open_store
from app.store.database import write
from app.store.lock import worker_lock
from app.transfer import incoming, read_mail
from app.transfer.mbox import written
from tests import make
from tests.cli.test_commands import Run, read, runner
from tests.make import NOW

MAILS = [
    make.mail("Beton", message_id="<1@x>", headers="Bcc: boss@firma.pl\n"),
    make.mail("Lunch", text="Soup?", message_id="<2@x>"),
]
INTO = ("--address", "old@firma.pl", "--user", "alice@firma.pl")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("filled")
    (directory / "old.mbox").write_bytes(b"".join(written(mail, NOW) for mail in MAILS))
    run = runner(directory / "data")
    run("user", "add", "alice@firma.pl", "--name", "Alice")
    run("user", "add", "bob@firma.pl", "--name", "Bob")
    assert run("import", directory / "old.mbox", *INTO).exit_code == 0
    return directory / "data"


@pytest.fixture
def run(filled: Path, tmp_path: Path) -> Run:
    shutil.copytree(filled, tmp_path / "data")
    return runner(tmp_path / "data")


def test_export_prints_the_contracts_keys(run: Run, tmp_path: Path) -> None:
    words = ["export", "--query", "beton", "--as", "alice@firma.pl", "--format", "mbox"]

    done = read(run(*words, tmp_path / "out.mbox", "--json"))

    (found,) = read_mail(tmp_path / "out.mbox")
    assert found.raw == MAILS[0]
    assert done == {
        "messages": 1,
        "bytes": len(MAILS[0]),
        "without_bcc": 0,
        "failed": [],
        "format": "mbox",
        "dest": str(tmp_path / "out.mbox"),
        "waiting_for_index": 0,
    }


def test_an_empty_query_is_all_that_the_person_may_read(run: Run, tmp_path: Path) -> None:
    words = ["export", "--query", "", "--format", "eml", "--json", "--as"]

    alices = read(run(*words, "alice@firma.pl", tmp_path / "alice"))
    bobs = read(run(*words, "bob@firma.pl", tmp_path / "bob"))

    assert (alices["messages"], bobs["messages"]) == (2, 0)


def test_all_comes_back_into_another_archive_with_its_folders(run: Run, tmp_path: Path) -> None:
    assert run("export", "--all", "--format", "maildir", tmp_path / "out").exit_code == 0
    other = runner(tmp_path / "other")
    other("user", "add", "alice@firma.pl", "--name", "Alice")

    path = tmp_path / "out" / "old@firma.pl"
    done = read(other("import", path, *INTO, "--folder", "INBOX", "--json"))

    (account,) = read(other("status", "--json"))["accounts"]
    assert (done["read"], done["stored"]) == (2, 2)
    assert [(f["name"], f["stored"]) for f in account["folders"]] == [("Imported", 2)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "either --query Q and --as EMAIL, or --all"),
        (["--query", "x"], "either --query Q and --as EMAIL, or --all"),
        (["--all", "--query", "x"], "either --query Q and --as EMAIL, or --all"),
        (["--all", "--as", "alice@firma.pl"], "either --query Q and --as EMAIL, or --all"),
        (["--query", "x", "--as", "nobody@firma.pl"], "no user nobody@firma.pl"),
        (["--query", "()", "--as", "alice@firma.pl"], "nothing to look for"),
    ],
)
def test_a_bad_request_is_one_sentence_and_leaves_nothing(
    run: Run, tmp_path: Path, words, sentence
) -> None:
    done = run("export", *words, "--format", "eml", tmp_path / "out")

    assert done.exit_code == 1
    assert sentence in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_read_is_said_and_the_status_is_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "one.eml").write_bytes(MAILS[0])
    (tmp_path / "mail" / "two.eml").symlink_to("one.eml")

    done = run("import", tmp_path / "mail", "--address", "old@firma.pl")

    assert done.exit_code == 1
    assert "not read: two.eml: it is a link, and links are not followed" in done.stderr
    assert read(run("verify", "--json"))["faults"] == []


def test_export_needs_neither_the_workers_lock_nor_its_turn(run: Run, tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")

    with worker_lock(store.directory), write(store.mail):
        done = read(run("export", "--all", "--format", "mbox", tmp_path / "out.mbox", "--json"))

    store.close()
    assert done["messages"] == 2


# -- a full disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64m", "letterbook-test", str(path)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes root")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def sentence(done: Result) -> str:
    """What a command that failed says: one sentence, and no traceback."""
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def with_attachment(number: int, content: bytes) -> bytes:
    headers = "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
    head = f"Subject: Mail {number}\nMessage-ID: <{number}@x>\nMIME-Version: 1.0\n{headers}\n"
    return head.encode() + base64.encodebytes(content)


@pytest.fixture
def large_mbox(tmp_path: Path) -> Path:
    """40 mails of 2 MB each that do not compress."""
    noise = Random(1)
    mails = (with_attachment(n, noise.randbytes(1_500_000)) for n in range(40))
    (tmp_path / "old.mbox").write_bytes(b"".join(written(mail, NOW) for mail in mails))
    return tmp_path / "old.mbox"


def test_an_import_stops_before_the_disk_is_full_and_goes_on(disk: Path, large_mbox: Path) -> None:
    run = runner(disk / "data")
    run("user", "add", "alice@firma.pl", "--name", "Alice")

    full = sentence(run("import", large_mbox, *INTO))
    kept = read(run("verify", "--json"))
    resize(disk, "400m")
    done = read(run("import", large_mbox, *INTO, "--json"))

    assert full.startswith("letterbook: There is no room left on the disk")
    assert f"{kept['copies']} messages were brought in and stay" in full
    assert "import the same again" in full
    assert (kept["faults"], 0 < kept["copies"] < 40) == ([], True)
    assert (done["read"], done["present"], done["failed"]) == (40, kept["copies"], [])
    assert done["stored"] == 40 - kept["copies"]
    assert read(run("verify", "--json"))["faults"] == []


def test_a_disk_that_fills_up_in_the_middle_of_a_write_loses_nothing(
    disk: Path, large_mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "require_room", lambda store, size_bytes: None)
    run = runner(disk / "data")
    run("user", "add", "alice@firma.pl", "--name", "Alice")

    full = sentence(run("import", large_mbox, *INTO))
    resize(disk, "400m")
    kept = read(run("verify", "--json"))
    done = read(run("import", large_mbox, *INTO, "--json"))

    assert "There is no room left" in full
    assert kept["faults"] == []
    assert (done["present"], done["stored"]) == (kept["copies"], 40 - kept["copies"])
    assert read(run("verify", "--json"))["faults"] == []


@pytest.mark.parametrize("form", ["mbox", "eml", "maildir"])
def test_an_export_that_fills_the_disk_leaves_nothing_there(
    disk: Path, tmp_path: Path, form: str
) -> None:
    (tmp_path / "old.eml").write_bytes(with_attachment(1, Random(1).randbytes(1_500_000)))
    run = runner(tmp_path / "data")
    run("user", "add", "alice@firma.pl", "--name", "Alice")
    run("import", tmp_path / "old.eml", *INTO)
    resize(disk, "1m")

    full = sentence(run("export", "--all", "--format", form, disk / "out"))

    assert "nothing was left there" in full
    assert list(disk.iterdir()) == []


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(b"0" * 4_096):
            pass


def test_no_command_shows_a_traceback_on_a_disk_that_is_full(
    disk: Path, filled: Path, tmp_path: Path
) -> None:
    shutil.copytree(filled, disk / "data")
    run = runner(disk / "data")
    (tmp_path / "new.eml").write_bytes(MAILS[1] + b"x" * 100_000)
    fill(disk)

    sentences = [
        sentence(run("import", tmp_path / "new.eml", *INTO)),
        sentence(run("export", "--all", "--format", "eml", tmp_path / "out")),
        sentence(run("reindex")),
        sentence(run("record", "add", "companies", "Spostex S.A.")),
    ]

    assert all("There is no room left" in one for one in sentences)
    assert not (tmp_path / "out").exists()
