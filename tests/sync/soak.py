"""The worker killed again and again while the mailbox changes: nothing lost, nothing doubled.

Usage: python -m tests.sync.soak [KILLS] (`make soak`). The real worker syncs from a Dovecot in
which another process appends, moves, expunges, marks and renames all the time; SIGKILL strikes at
random. In the end the archive must be what one uninterrupted pass over the same server makes, and
hold besides all that was ever stored.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from app.jobs import sync_now
from app.model import AccountId
from app.search.index import count_messages
from app.settings import Settings
from app.store import Store, accounts, folders, open_store
from app.store.database import new_public_id
from app.store.secrets import load_key, seal
from tests.dovecot import PASSWORD, Dovecot, running
from tests.sync import churn
from tests.sync.conftest import add_account, copies

ROOT = Path(__file__).parents[2]
SHORT_RUN_SECONDS, LONG_RUN_SECONDS = 0.4, 3.0
"""Until the kill, from the moment that the worker holds its lock. One run in five is a long one:
what is shorter than a batch would never come to its end."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """How a run ended. `differing`: places that an uninterrupted pass sees otherwise.

    `meanwhile` counts the mails that came between the first kill and the last.
    """

    kills: int
    in_check: int
    meanwhile: int
    messages: int
    lost: int
    doubled: int
    differing: int
    is_sound: bool

    @property
    def is_good(self) -> bool:
        return self.is_sound and not self.lost + self.doubled + self.differing

    def __str__(self) -> str:
        return (
            f"{self.kills:,} kills ({self.in_check:,} before a check had ended), {self.messages:,}"
            f" messages: lost {self.lost}, doubled {self.doubled}, differing {self.differing}:"
            f" {'good' if self.is_good else 'BAD'}"
        )


def soak(kills: int, directory: Path, *, seed: int, tell: Callable[[str], None]) -> Soaked:
    """Kill a worker so often; `tell` hears how far it is."""
    chance = random.Random(seed)
    with running() as server:
        user = server.new_user()
        settings = Settings.from_env({}, data=directory / "killed", poll_seconds=5)
        account_id = _new_account(settings, server, user)
        stored: set[int] = set()
        lost = in_check = 0
        came = [churn.AT_FIRST]
        log = directory / "appended"
        with churn.going_on(server, user, log, seed=seed) as changing:
            for number in range(1, kills + 1):
                _wait_for_mail(log, beyond=came[-1], changing=changing)
                came.append(len(churn.appended_lines(log)))
                in_check += _run_and_kill(settings, account_id, chance)
                now_stored = _copy_ids(settings)
                lost += len(stored - now_stored)
                stored = now_stored
                if number % 25 == 0:
                    tell(f"{number:,} of {kills:,} kills, {len(stored):,} messages, lost {lost}")
        sync_now(settings)
        compared = Settings.from_env({}, data=directory / "undisturbed")
        _new_account(compared, server, user)
        sync_now(compared)
        counted = Counted(kills, in_check, came[-1] - came[0], lost)
        return _judge(settings, compared, churn.appended(log), counted)


@dataclass(frozen=True, slots=True)
class Counted:
    kills: int
    in_check: int
    meanwhile: int
    lost: int


def _judge(
    killed: Settings, undisturbed: Settings, appended: set[bytes], counted: Counted
) -> Soaked:
    with _open(killed) as store, _open(undisturbed) as other:
        held = Counter(sha256(raw).digest() for raw in copies(store))
        seen = {sha256(raw).digest() for raw in copies(other)}
        places, expected = live_places(store), live_places(other)
        invented = held.keys() - appended
        messages = _number(store, "select count(*) from messages")
        by_identity = _number(store, "select count(distinct identity) from messages")
        (account,) = accounts.all_accounts(store)
        is_sound = (
            not invented
            and all(line.adds_up for line in folders.ledger(store, account.id))
            and not any(line.failed for line in folders.ledger(store, account.id))
            and count_messages(store.directory) == messages
            and store.archive.conn.execute("pragma integrity_check").fetchone()[0] == "ok"
            and store.mail.conn.execute("pragma integrity_check").fetchone()[0] == "ok"
        )
        return Soaked(
            kills=counted.kills,
            in_check=counted.in_check,
            meanwhile=counted.meanwhile,
            messages=messages,
            lost=counted.lost + len(seen - held.keys()),
            doubled=sum(held.values()) - len(held) + messages - by_identity,
            differing=len(places ^ expected),
            is_sound=is_sound,
        )


def live_places(store: Store) -> set[tuple[str, int, int, str, bytes]]:
    """What the archive says is on the server: folder, UIDVALIDITY, UID, flags, SHA-256."""
    rows = store.archive.conn.execute(
        "select f.name, l.uidvalidity, l.uid, l.flags, l.copy_id from locations l"
        " join folders f on f.id = l.folder_id where l.gone_since is null"
    ).fetchall()
    digests = dict(
        store.mail.conn.execute("select id, digest from blobs where digest is not null").fetchall()
    )
    return {(*row[:4], digests[row[4]]) for row in rows}


def _run_and_kill(settings: Settings, account_id: AccountId, chance: random.Random) -> bool:
    """Start the worker with the account due, and kill it; whether no check had ended by then."""
    with _open(settings) as store:
        accounts.set_due(store, account_id, at=datetime.now(UTC))
        before = len(accounts.checks(store, account_id, limit=1_000_000))
    worker = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker", "--data", str(settings.data)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_lock(settings.data / "worker.lock", worker)
        longest = LONG_RUN_SECONDS if chance.random() < 0.2 else SHORT_RUN_SECONDS
        time.sleep(chance.uniform(0, longest))
    finally:
        worker.kill()
    if worker.wait() != -signal.SIGKILL:
        raise RuntimeError(f"The worker ended by itself, with {worker.returncode}.")
    with _open(settings) as store:
        return len(accounts.checks(store, account_id, limit=1_000_000)) == before


def _wait_for_mail(log: Path, *, beyond: int, changing: subprocess.Popen[bytes]) -> None:
    """Until more mails were appended than that: each worker finds a mailbox that changed."""
    while len(churn.appended_lines(log)) <= beyond:
        if changing.poll() is not None:
            raise RuntimeError("The mailbox is not changed any more.")
        time.sleep(0.005)


def _wait_for_lock(path: Path, worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if path.exists() and path.read_text() == str(worker.pid):
            return
        time.sleep(0.005)
    raise RuntimeError("The worker did not start.")


def _new_account(settings: Settings, server: Dovecot, user: str) -> AccountId:
    public_id = new_public_id()
    with _open(settings) as store:
        return add_account(
            store,
            login=user,
            port=server.port,
            security="none",
            public_id=public_id,
            sealed_password=seal(load_key(settings.data), public_id, PASSWORD),
        ).id


def _copy_ids(settings: Settings) -> set[int]:
    with _open(settings) as store:
        return {row[0] for row in store.archive.conn.execute("select id from copies")}


def _number(store: Store, query: str) -> int:
    return int(store.archive.conn.execute(query).fetchone()[0])


@contextmanager
def _open(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.data)
    try:
        yield store
    finally:
        store.close()


def main(kills: str = "1000") -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lb-soak-") as directory:
        done = soak(
            int(kills), Path(directory), seed=seed, tell=lambda text: print(text, flush=True)
        )
    print(done, flush=True)
    sys.exit(not done.is_good)


if __name__ == "__main__":
    main(*sys.argv[1:])
