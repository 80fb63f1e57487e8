"""The only IMAP: looks at accounts on their servers, read-only, and hands new mail to the store.

Owns connections, the folder algorithm and what is skipped; must not know SQL, search or the web.
"""

from app.sync.account import Checked, Progress, sync_account
from app.sync.again import fetch_again
from app.sync.faults import Throttled
from app.sync.idle import listen
from app.sync.probe import Tested, test_connection
from app.sync.waiting import waited_seconds

__all__ = [
    "Checked",
    "Progress",
    "Tested",
    "Throttled",
    "fetch_again",
    "listen",
    "sync_account",
    "test_connection",
    "waited_seconds",
]
