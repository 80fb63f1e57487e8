"""tools/rescue.py gets all mail out of a data directory without Letterbook."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from app.demo.mail import generate
from app.store import Store, blobs, messages, open_store
from app.store.database import write
from tests import make
from tests.store.test_recipe import forwarded
from tests.store.test_upgrade import HEAD, TEXT, write_first_version

RESCUE = Path(__file__).parents[1] / "tools" / "rescue.py"


def rescue(data: Path, dest: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", RESCUE, data, dest], capture_output=True, text=True, check=False
    )


def written(dest: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in dest.rglob("*.eml"))


@pytest.fixture
def filled(store: Store) -> Store:
    """Two mailboxes of the demo company's mail, with a mail that is attached to another."""
    office, boss = make.account(store), make.account(store, address="../boss@firma.pl")
    raws = [m.deliveries[0].raw for m in generate(messages=60, seed=3, end=make.NOW)]
    make.deliver(store, office, *raws)
    make.deliver(store, office, forwarded(raws[0], 1), b"", first_uid=61)
    make.deliver(store, boss, *raws[:5], folder="A/../B")
    return store


def test_it_is_short_and_needs_nothing_of_letterbook() -> None:
    text = RESCUE.read_text()

    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert len(text.splitlines()) < 100
    assert {name.split(".")[0] for name in imported} - sys.stdlib_module_names == {"zstandard"}


def test_it_writes_every_copy_into_its_folders(filled: Store, tmp_path: Path) -> None:
    """R76: without Letterbook."""
    done = rescue(filled.directory, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "67 written, 0 lost\n"
    copies = messages.copies_after(filled, 0, limit=100)
    assert set(written(tmp_path / "out")) == {blobs.read(filled, copy.id) for copy in copies}
    assert len(list((tmp_path / "out" / "office@firma.pl" / "INBOX").iterdir())) == 62
    assert len(list((tmp_path / "out" / "_boss@firma.pl" / "A_.._B").iterdir())) == 5


def test_it_needs_mail_db_only(filled: Store, tmp_path: Path) -> None:
    copies = messages.copies_after(filled, 0, limit=100)
    raws = sorted(blobs.read(filled, copy.id) for copy in copies)
    filled.archive.conn.close()
    (filled.directory / "archive.db").write_bytes(b"no database")

    done = rescue(filled.directory, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "archive.db cannot be read" in done.stderr
    assert written(tmp_path / "out") == raws


def test_it_names_what_is_damaged_and_writes_the_rest(filled: Store, tmp_path: Path) -> None:
    with write(filled.mail):
        filled.mail.conn.execute(
            "update blocks set payload = x'00' where id = (select min(id) from blocks"
            " where kind = 1)"
        )

    done = rescue(filled.directory, tmp_path / "out")

    assert done.returncode == 1
    assert "damaged" in done.stderr or "frame" in done.stderr
    assert 0 < len(written(tmp_path / "out")) < 67


@pytest.mark.parametrize("words", [[], ["nowhere", "out"], ["nowhere"]])
def test_wrong_words_are_no_traceback(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-I", RESCUE, *words]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 1
    assert "python rescue.py DATA DEST" in done.stderr or "nowhere out stopped" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_reads_the_first_version_s_recipes(tmp_path: Path) -> None:
    write_first_version(tmp_path / "data")
    open_store(tmp_path / "data").close()

    done = rescue(tmp_path / "data", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert written(tmp_path / "out") == [HEAD + TEXT]
