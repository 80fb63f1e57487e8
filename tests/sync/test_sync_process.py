"""The worker as a process: killed at any step it loses and doubles nothing, and it stays small."""

import base64
import subprocess
import sys
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.model import AccountId
from app.store import Store, first_syncs, open_store
from app.store.database import new_public_id
from app.store.secrets import load_key, seal
from tests.dovecot import PASSWORD, Dovecot
from tests.sync.conftest import Mailbox, add_account, raw_mail

pytestmark = pytest.mark.dovecot

ROOT = Path(__file__).parents[2]
MAX_RSS_KB = 300 * 1024


def run(directory: Path, account_id: int, server: Dovecot) -> Any:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.sync.child",
            directory,
            str(account_id),
            server.ca_file,
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def user(dovecot: Dovecot) -> str:
    """The login of a mailbox with four messages in two folders, one of them twice."""
    user = dovecot.new_user()
    dovecot.append(user, "INBOX", *[raw_mail(number) for number in range(3)])
    dovecot.append(user, "Archiv", raw_mail(2))
    return user


def new_account(directory: Path, server: Dovecot, user: str) -> AccountId:
    store = open_store(directory)
    account = add_account(store, login=user, port=server.port, security="none")
    store.close()
    return account.id


def every_step(template: Path, account_id: AccountId, server: Dovecot, scratch: Path) -> list[str]:
    """What tests.sync.steps found, and how many steps there were."""
    arguments = [template, scratch, str(account_id), server.ca_file]
    done = subprocess.run(
        [sys.executable, "-m", "tests.sync.steps", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_check_killed_at_any_step_ends_up_where_an_undisturbed_one_does(
    dovecot: Dovecot, user: str, tmp_path: Path
) -> None:
    account_id = new_account(tmp_path / "template", dovecot, user)

    first = every_step(tmp_path / "template", account_id, dovecot, tmp_path / "scratch")
    checked = run(tmp_path / "template", account_id, dovecot)
    dovecot.append(user, "INBOX", raw_mail(30))
    dovecot.append(user, "Nowy", raw_mail(31))
    dovecot.expunge(user, "INBOX", 1)
    dovecot.move(user, "INBOX", 2, "Archiv")
    dovecot.set_flags(user, "INBOX", 3, "\\Seen")
    later = every_step(tmp_path / "template", account_id, dovecot, tmp_path / "scratch")

    assert checked.returncode == 0, checked.stderr
    assert [line.split()[1:] for line in (*first, *later)] == [["steps"], ["steps"]]
    assert all(int(line.split()[0]) > 50 for line in (*first, *later))


def test_a_message_of_50_mb_is_stored_within_300_mb(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1, "0123456789abcdef" * 3_276_800))

    ran = run(mailbox.store.directory, mailbox.account.id, mailbox.server)

    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < MAX_RSS_KB


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc (Linux)")
def test_a_worker_reads_large_mail_within_300_mb(dovecot: Dovecot, store: Store) -> None:
    """Mail of 50 MB one after the other, and enough others for several batches."""
    user, public_id = dovecot.new_user(), new_public_id()
    sizes = [50_000_000, 3_000_000, 50_000_000, *[3_900_000] * 6]
    dovecot.write_maildir(user, [with_attachment(n, size) for n, size in enumerate(sizes)])
    sealed = seal(load_key(store.directory), public_id, PASSWORD)
    place = {"login": user, "port": dovecot.port, "security": "none"}
    account = add_account(store, **place, public_id=public_id, sealed_password=sealed)
    command = [sys.executable, "-m", "app.cli", "worker", "--data", store.directory]

    worker = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until_all_is_here(store, account.id)
        peak = peak_kilobytes(worker.pid)
    finally:
        worker.terminate()
        worker.wait(30)

    assert store.archive.conn.execute("select count(*) from copies").fetchone() == (len(sizes),)
    assert peak < MAX_RSS_KB


def until_all_is_here(store: Store, account_id: AccountId) -> None:
    """Wait until all is searchable, two minutes at most."""
    pause = threading.Event()
    for _ in range(1_200):
        so_far = first_syncs.of_account(store, account_id)
        if so_far and so_far.finished_at and not so_far.waiting:
            return
        pause.wait(0.1)
    raise AssertionError(so_far)


def peak_kilobytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = (one for one in lines if one.startswith("VmHWM:"))
    return int(line.split()[1])


def with_attachment(number: int, size_bytes: int) -> bytes:
    head = (
        f"From: ann@ex.test\nSubject: Large {number}\nMessage-ID: <{number}@large>\n"
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
    )
    content = Random(number).randbytes(size_bytes * 57 // 78)
    return head.encode() + base64.encodebytes(content)
