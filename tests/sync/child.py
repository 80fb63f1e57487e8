"""A worker in miniature, to be killed or measured: one check of one account, then its peak memory.

Usage: python -m tests.sync.child DIRECTORY ACCOUNT CA_FILE [MODULE:FUNCTION:N:before|after]
The fourth argument has the process kill itself with SIGKILL at the Nth call of a function.
"""

import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.model import AccountId
from app.store import accounts, open_store
from app.sync import folder, sync_account
from tests.dovecot import PASSWORD


def deadly(function: Callable[..., Any], nth: int, *, before: bool) -> Callable[..., Any]:
    calls = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def peak_kilobytes() -> int:
    """Of this program alone: Linux counts into ru_maxrss what the parent had before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(directory: str, account_id: str, ca_file: str, point: str = "") -> None:
    if point:
        module_name, name, nth, when = point.split(":")
        owner: Any = importlib.import_module(module_name)
        *path, name = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, name, deadly(getattr(owner, name), int(nth), before=when == "before"))
        folder.UIDS_PER_COMMAND = 4
    store = open_store(Path(directory))
    account = accounts.get(store, AccountId(int(account_id)))
    sync_account(store, account, PASSWORD, now=lambda: datetime.now(UTC), ca_file=Path(ca_file))
    store.close()
    print(peak_kilobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
