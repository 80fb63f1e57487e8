"""Reading in a child process: hostile documents cost their own text only (R4)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.extract import child
from app.extract.reader import MOST_BYTES, Reader, Stopped
from app.model import MessageId
from app.store.extracts import Attachment, Extract, Source
from tests.extract import documents as make

MEGABYTE = 1 << 20
PRELUDE = "import errno, os, socket\nfrom app.extract import child\n"


def attachment(filename="", content_type=""):
    return Attachment(MessageId(1), 1, content_type, "", filename, 0, Source(1))


def read(reader, content):
    return reader.read(attachment("a.txt"), content)


@pytest.fixture(scope="module")
def reader():
    with Reader() as one:
        yield one


def program(body):
    """A child that does something else with every document."""
    lines = f"def read_document(document):\n    {body}\nchild.read_document = read_document\n"
    return ("-c", f"{PRELUDE}{lines}child.CPU_SECONDS = 1\nchild.main()")


def peak_bytes(reader):
    status = Path(f"/proc/{reader._child.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_one_child_reads_many_documents(reader):
    assert read(reader, b"one") == Extract("read", "one")
    first = reader._child.pid

    assert read(reader, make.pdf("dwa")) == Extract("read", "\fpage 1\ndwa")

    assert reader._child.pid == first


BOMBS = {
    "zip": make.word(b"<w:t>", *[b"a " * MEGABYTE] * 100),
    "zip without text": make.word(*[b" " * MEGABYTE] * 100),
    "one attribute": make.word(b'<a b="', *[b"x" * MEGABYTE] * 60),
    "elements": make.word(*[b"<w:x></w:x>" * 100_000] * 20),
    "rtf": b"{\\rtf1" + b"{" * 20_000_000,
    "html": b"<html>" + b"<div>" * 3_000_000,
    "pdf of operators": make.pdf_of(b"BT /F1 1 Tf " + b"(abcdefgh) Tj " * 1_000_000 + b"ET"),
    "pdf of brackets": b"%PDF-1.4\n1 0 obj " + b"[" * 10_000_000,
    "pdf of zeros": make.pdf_of(bytes(300 * MEGABYTE)),
    "random": os.urandom(MEGABYTE),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_own_text(reader, name):
    before = reader._child.pid if reader._child else 0

    found = read(reader, BOMBS[name])

    assert found.status in ("cut", "empty", "large", "damaged", "unknown")
    if reader._child and reader._child.pid == before:
        assert peak_bytes(reader) < child.MEMORY_BYTES
    assert read(reader, b"next") == Extract("read", "next")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("while True: pass", "slow"),
        ("import os; os.abort()", "large"),
        ("import os; os.kill(os.getpid(), 11)", "failed"),
        ("raise SystemExit", "failed"),
        (
            "import sys; sys.stdout.buffer.write(b'\\xff' * 4); sys.stdout.flush(); return 1",
            "failed",
        ),
        ("return ('read', 7)", "failed"),
        ("return ('root', 'a')", "failed"),
        ("return ('large' if len(' ' * 400_000_000) else '', '')", "failed"),
    ],
)
def test_a_child_that_falls_costs_its_own_document(body, status):
    with Reader(program=program(body)) as reader:
        assert read(reader, b"a") == Extract(status)
        reader.program = Reader().program
        reader.close()
        assert read(reader, b"next") == Extract("read", "next")


def test_a_child_that_keeps_silent_is_killed(monkeypatch):
    monkeypatch.setattr("app.extract.reader.WALL_SECONDS", 0.5)
    with Reader(program=program("import time; time.sleep(60)")) as reader:
        read_by = reader.read(attachment(), b"a")

    assert read_by == Extract("slow")


def test_what_a_child_says_is_bounded():
    with Reader(program=program("return 'read', 'x\\u202e\\0' * 600_000")) as reader:
        assert set(read(reader, b"a").text) == {"x"}


def test_a_worker_that_is_to_end_does_not_wait(reader):
    with Reader(lambda: True, program("import time; time.sleep(60)")) as stopped:
        with pytest.raises(Stopped):
            read(stopped, b"a")
        assert stopped._child is None


def test_a_document_that_is_too_large_does_not_reach_the_child():
    with Reader(program=("-c", "raise SystemExit")) as reader:
        assert read(reader, bytes(MOST_BYTES + 1)) == Extract("large")
        assert reader._child is None


def test_the_child_reaches_neither_disk_nor_network_and_knows_no_secret(monkeypatch):
    monkeypatch.setenv("LETTERBOOK_SECRET_KEY", "canary")
    tried = (
        "found = []\n"
        "    for one in (lambda: open('/etc/passwd'), socket.socket, os.pipe):\n"
        "        try: found.append(repr(one()))\n"
        "        except OSError as exc: found.append(errno.errorcode[exc.errno])\n"
        "    return 'read', ' '.join(found + [n for n in os.environ if 'LETTERBOOK' in n])"
    )
    with Reader(program=program(tried)) as reader:
        said = read(reader, b"a").text

    assert said == "EMFILE EMFILE EMFILE"


def test_the_child_has_the_lowest_priority(reader):
    read(reader, b"a")

    assert os.getpriority(os.PRIO_PROCESS, reader._child.pid) == child.LOWEST_PRIORITY


def test_the_child_ends_with_its_parent():
    done = subprocess.run(
        [sys.executable, "-m", "app.extract.child"], input=b"", timeout=60, check=False
    )

    assert done.returncode == 0
