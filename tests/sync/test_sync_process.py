"""The worker as a process: killed at any step it loses and doubles nothing, and it stays small."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.model import AccountId
from app.store import open_store
from tests.dovecot import Dovecot
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
