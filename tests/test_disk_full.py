"""A disk that fills up while mail is read: it stops before, search stays up, and it resumes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from app.errors import OutOfSpace
from app.jobs import sync_now
from app.search import search_messages
from app.settings import Settings
from app.store import accounts, folders, messages, open_store
from app.sync import fetching
from tests import make
from tests.dovecot import PASSWORD, Dovecot
from tests.test_jobs import add_account

pytestmark = pytest.mark.dovecot

MAILS = 40
KEPT_FREE = 8_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", str(path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("A file system of its own can be mounted by root only")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=512m", str(disk)], check=True)


def heavy_mail(number: int) -> bytes:
    """A mail of 2 MB that no compression makes smaller."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = f"Beton {number}"
    mail["Message-ID"] = f"<{number}@ex.test>"
    mail.set_content("Plan")
    mail.add_attachment(
        os.urandom(1_500_000), maintype="application", subtype="octet-stream", filename="plan.bin"
    )
    return mail.as_bytes()


def test_reading_stops_before_the_disk_is_full_and_goes_on_when_there_is_room(
    dovecot: Dovecot, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_BATCH_BYTES", 3_000_000)
    settings = Settings.from_env({}, data=small_disk / "data")
    store = open_store(settings.data)
    alice = make.user(store, "Alice")
    login = dovecot.new_user()
    account = add_account(store, dovecot, login, PASSWORD, alice)
    dovecot.append(login, "INBOX", *map(heavy_mail, range(MAILS)))

    with pytest.raises(OutOfSpace, match="goes on by itself"):
        sync_now(settings, account.id)
    stored = messages.copy_count(store)
    free = shutil.disk_usage(small_disk).free
    found = search_messages(store, make.viewer(store, alice), "beton").total
    check = accounts.last_check(store, account.id)
    with pytest.raises(OutOfSpace):
        sync_now(settings, account.id)
    make_room(small_disk)
    sync_now(settings, account.id)

    assert 0 < stored < MAILS
    assert free > KEPT_FREE
    assert found == stored
    assert check is not None
    assert "nearly full" in (check.error or "")
    assert messages.copy_count(store) == MAILS
    assert search_messages(store, make.viewer(store, alice), "beton").total == MAILS
    assert folders.failures(store, account.id, limit=9) == []
    assert all(line.adds_up for line in folders.ledger(store, account.id))
    store.close()
