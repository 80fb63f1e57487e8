"""A mailbox that is never at rest: mail comes, is moved, marked and expunged; folders are renamed.

Usage: python -m tests.sync.churn PORT USER SEED LOG, until its input is closed.
"""

import random
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from imapclient import IMAPClient

from tests.dovecot import HOST, MASTER, PASSWORD, Dovecot
from tests.sync.conftest import raw_mail

ROOT = Path(__file__).parents[2]
FOLDERS = ("INBOX", "Wysłane", "Projekty/Żółw", "Archiv")
OTHER_NAME = "Stare"
LONGEST_PAUSE_SECONDS = 0.6
AT_FIRST = 60
MOST_AT_ONCE = 5


@contextmanager
def going_on(
    server: Dovecot, user: str, log: Path, *, seed: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Change the mailbox from another process meanwhile, which writes to `log` what it appends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sync.churn", str(server.port), user, str(seed), str(log)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.communicate()
    if process.returncode:
        raise RuntimeError(f"The mailbox could not be changed ({process.returncode}).")


def appended(log: Path) -> set[bytes]:
    """The SHA-256 of all mail that ever was in the mailbox."""
    return {bytes.fromhex(line) for line in appended_lines(log)}


def appended_lines(log: Path) -> list[str]:
    """One for each mail that was appended so far, in that order."""
    return log.read_text().split() if log.exists() else []


class Churn:
    """One step after the other, at random, over one writing connection."""

    def __init__(self, client: IMAPClient, log: Path, seed: int) -> None:
        self._client = client
        self._log = log
        self._chance = random.Random(seed)
        self._number = 0
        self._names = list(FOLDERS)

    def begin(self) -> None:
        for name in FOLDERS:
            if not self._client.folder_exists(name):
                self._client.create_folder(name)
        for _ in range(AT_FIRST):
            self._append_one()

    def step(self) -> None:
        steps = [self._append, self._move, self._expunge, self._mark, self._rename]
        (step,) = self._chance.choices(steps, weights=[60, 14, 10, 14, 2])
        step()

    def pause_seconds(self) -> float:
        return self._chance.uniform(0, LONGEST_PAUSE_SECONDS)

    def _append(self) -> None:
        for _ in range(self._chance.randint(1, MOST_AT_ONCE)):
            self._append_one()

    def _append_one(self) -> None:
        """New mail, mostly small; now and then one that was there, or another copy of it."""
        kind = self._chance.random() if self._number else 0
        if kind < 0.85:
            self._number += 1
        number = self._number if kind < 0.85 else self._chance.randint(1, self._number)
        size = number * 7919 % 100_000 if number % 10 == 0 else 20
        raw = raw_mail(number, f"Nr {number}\n" * (size // 10))
        if kind > 0.95:
            raw = b"Received: from relay.ex.test\r\n" + raw
        with self._log.open("a") as log:
            log.write(sha256(raw).hexdigest() + "\n")
        self._client.append(self._some_name(), raw)

    def _move(self) -> None:
        uid = self._select_one()
        if uid is not None:
            self._client.move([uid], self._some_name())

    def _expunge(self) -> None:
        uid = self._select_one()
        if uid is not None:
            self._client.delete_messages([uid])
            self._client.expunge()

    def _mark(self) -> None:
        uid = self._select_one()
        if uid is not None:
            flag = self._chance.choice([b"\\Seen", b"\\Flagged", b"\\Answered"])
            change = self._chance.choice([self._client.add_flags, self._client.remove_flags])
            change([uid], [flag])

    def _rename(self) -> None:
        self._client.select_folder("INBOX")  # Dovecot hangs up on who has the renamed one open
        old = self._names[-1]
        self._names[-1] = OTHER_NAME if old != OTHER_NAME else FOLDERS[-1]
        self._client.rename_folder(old, self._names[-1])

    def _some_name(self) -> str:
        return self._chance.choice(self._names)

    def _select_one(self) -> int | None:
        self._client.select_folder(self._some_name())
        uids = self._client.search()
        return self._chance.choice(uids) if uids else None


def main(port: str, user: str, seed: str, log: str) -> None:
    with IMAPClient(HOST, int(port), ssl=False) as client:
        client.login(f"{user}*{MASTER}", PASSWORD)
        churn = Churn(client, Path(log), int(seed))
        churn.begin()
        while not select.select([sys.stdin], [], [], churn.pause_seconds())[0]:
            churn.step()


if __name__ == "__main__":
    main(*sys.argv[1:])
