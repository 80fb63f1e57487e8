"""A check of an account killed at its every step: each IMAP command, each write to a database.

Usage: python -m tests.sync.steps TEMPLATE SCRATCH ACCOUNT CA_FILE
For each step a copy of the data directory TEMPLATE is checked by a process that SIGKILL ends just
before that step, and then by one that nothing ends. Prints the number of steps, and each one
after which the archive is not what a check without interruption makes of it.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from app.model import AccountId
from app.store import accounts, open_store
from app.store.database import _Connection
from app.sync import fetching, sync_account
from app.sync.connect import tls_context
from app.sync.wire import Wire
from tests.dovecot import PASSWORD
from tests.sync.outcome import outcome

UIDS_PER_COMMAND = 2
NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
_READING = ("select", "pragma")


def check(directory: Path, account_id: AccountId, ca_file: Path) -> None:
    store = open_store(directory)
    account = accounts.get(store, account_id)
    sync_account(store, account, PASSWORD, now=lambda: NOW, ca_file=ca_file)
    store.close()


def killing_at(step: int) -> None:
    """From now on this process ends just before its so manieth step, counted from 1."""
    steps = count(1)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            is_read = isinstance(arguments[1], str) and arguments[1].startswith(_READING)
            if not is_read and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)

        return call

    for owner, name in (
        (_Connection, "execute"),
        (_Connection, "executemany"),
        (Wire, "send"),
    ):
        setattr(owner, name, deadly(getattr(owner, name)))


def killed(step: int | None, *arguments: Any) -> bool:
    """Check in a process of its own; whether that was killed."""
    child = os.fork()
    if child == 0:
        fetching.UIDS_PER_COMMAND = UIDS_PER_COMMAND
        if step is not None:
            killing_at(step)
        check(*arguments)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"The check failed ({status}).")
    return status != 0


def without_fsync(execute: Callable[..., Any]) -> Callable[..., Any]:
    """SIGKILL takes nothing from the system's cache, so that fsync would only cost time."""

    def call(connection: Any, statement: str, *arguments: Any) -> Any:
        chosen = (
            "pragma synchronous = off" if statement == "pragma synchronous = full" else statement
        )
        return execute(connection, chosen, *arguments)

    return call


def main(template: str, scratch: str, account_id: str, ca_file: str) -> None:
    _Connection.execute = without_fsync(_Connection.execute)  # type: ignore[method-assign]
    tls_context(verify=True, ca_file=Path(ca_file))  # read once, for all processes to come
    account, directory = AccountId(int(account_id)), Path(scratch)

    def ends(step: int | None) -> tuple[bool, object]:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(template, directory)
        was_killed = killed(step, directory, account, Path(ca_file))
        killed(None, directory, account, Path(ca_file))
        return was_killed, outcome(directory, account)

    _, expected = ends(None)
    for step in count(1):
        was_killed, got = ends(step)
        if not was_killed:
            print(step - 1, "steps")
            return
        if got != expected:
            print("step", step, "differs:", got, "instead of", expected)


if __name__ == "__main__":
    main(*sys.argv[1:])
