"""The only IMAP: looks at accounts on their servers, read-only, and hands new mail to the store.

Owns connections, the folder algorithm and what is skipped; must not know SQL, search or the web.
"""

from app.sync.account import Checked, Progress, sync_account
from app.sync.probe import Tested, test_connection

__all__ = ["Checked", "Progress", "Tested", "sync_account", "test_connection"]
