"""A worker in miniature, to be measured: one check of one account, then its peak memory.

Usage: python -m tests.sync.child DIRECTORY ACCOUNT CA_FILE
"""

import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from app.model import AccountId
from app.store import accounts, open_store
from app.sync import sync_account
from tests.dovecot import PASSWORD


def peak_kilobytes() -> int:
    """Of this program alone: Linux counts into ru_maxrss what the parent had before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(directory: str, account_id: str, ca_file: str) -> None:
    store = open_store(Path(directory))
    account = accounts.get(store, AccountId(int(account_id)))
    sync_account(store, account, PASSWORD, now=lambda: datetime.now(UTC), ca_file=Path(ca_file))
    store.close()
    print(peak_kilobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
