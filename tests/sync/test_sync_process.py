"""The worker as a process: killed at any step it loses and doubles nothing, and it stays small."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.model import AccountId
from app.store import blobs, folders, open_store
from tests.dovecot import Dovecot
from tests.sync.conftest import Mailbox, add_account, copies, raw_mail

pytestmark = pytest.mark.dovecot

ROOT = Path(__file__).parents[2]
MAX_RSS_KB = 300 * 1024

POINTS = [
    "app.store.folders:record_listing:1:before",
    "app.store.folders:record_listing:1:after",
    "app.sync.remote:Remote.bodies:2:after",
    "app.store.blobs:put_all:2:after",
    "app.store.ingest:_note:2:before",
    "app.store.ingest:_note:2:after",
    "app.store.ingest:ingest:1:after",
    "app.store.ingest:ingest:3:before",
    "app.store.locations:retire_other_validities:2:after",
    "app.store.locations:mark_gone:1:before",
    "app.store.folders:record_pass:1:before",
    "app.store.folders:record_pass:3:after",
]


def run(directory: Path, account_id: int, server: Dovecot, *point: str) -> Any:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.sync.child",
            directory,
            str(account_id),
            server.ca_file,
            *point,
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def final_state(directory: Path, account_id: AccountId) -> tuple[Any, ...]:
    """What must not depend on interruptions: the bytes, the places, and the ledger."""
    store = open_store(directory)
    rows = store.archive.conn.execute(
        "select f.name, l.uid, l.flags, l.gone_since is null, l.copy_id from locations l"
        " join folders f on f.id = l.folder_id order by f.name, l.uid"
    ).fetchall()
    digests = blobs.digests_of(store, [row[4] for row in rows])
    places = [(*row[:4], digests[row[4]]) for row in rows]
    ledger = folders.ledger(store, account_id)
    sums = [(line.name, line.seen, line.stored + line.known, line.failed) for line in ledger]
    messages = store.archive.conn.execute("select count(*) from messages").fetchone()
    state = (sorted(copies(store)), places, sums, messages, all(line.adds_up for line in ledger))
    store.close()
    return state


@pytest.fixture(scope="module")
def filled(dovecot: Dovecot) -> str:
    """The login of a mailbox with 21 messages in three folders, one of them twice."""
    user = dovecot.new_user()
    dovecot.append(user, "INBOX", *[raw_mail(number) for number in range(14)])
    dovecot.append(user, "Wysłane", *[raw_mail(number) for number in range(20, 26)])
    dovecot.append(user, "Archiv", raw_mail(3))
    return user


@pytest.fixture(scope="module")
def undisturbed(
    dovecot: Dovecot, filled: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, ...]:
    directory = tmp_path_factory.mktemp("undisturbed")
    account_id = new_account(directory, dovecot, filled)
    assert run(directory, account_id, dovecot).returncode == 0
    return final_state(directory, account_id)


def new_account(directory: Path, server: Dovecot, user: str) -> AccountId:
    store = open_store(directory)
    account = add_account(store, login=user, port=server.tls_port)
    store.close()
    return account.id


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_in_mid_check_ends_up_where_an_undisturbed_one_does(
    point: str, dovecot: Dovecot, filled: str, undisturbed: tuple[Any, ...], tmp_path: Path
) -> None:
    account_id = new_account(tmp_path, dovecot, filled)

    killed = run(tmp_path, account_id, dovecot, point)
    resumed = run(tmp_path, account_id, dovecot)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert final_state(tmp_path, account_id) == undisturbed
    assert undisturbed[-1]


def test_a_message_of_50_mb_is_stored_within_300_mb(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", raw_mail(1, "0123456789abcdef" * 3_276_800))

    ran = run(mailbox.store.directory, mailbox.account.id, mailbox.server)

    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < MAX_RSS_KB
