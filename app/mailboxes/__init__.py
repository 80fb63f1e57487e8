"""The verbs of mailboxes: create, change, share, test, pause, close, and bringing in a file.

Owns the rules of who may do what to which mailbox; must not know HTTP, IMAP or SQL.
"""

from app.mailboxes.imports import (
    open_archive,
    remove_upload,
    request_import,
    sweep,
    upload_path,
    uploads_directory,
)
from app.mailboxes.probe import (
    AskedTest,
    asked_test,
    drop_password,
    keep_password,
    kept_password,
    request_test,
    wanted_of,
)
from app.mailboxes.rules import (
    Wanted,
    as_account,
    find_account,
    has_same_server,
    is_bound_to_public,
    may_change,
    problems,
    refuse_unwatched,
    version,
)
from app.mailboxes.verbs import change, check, close, create, pause, resume, share

__all__ = [
    "AskedTest",
    "Wanted",
    "as_account",
    "asked_test",
    "change",
    "check",
    "close",
    "create",
    "drop_password",
    "find_account",
    "has_same_server",
    "is_bound_to_public",
    "keep_password",
    "kept_password",
    "may_change",
    "open_archive",
    "pause",
    "problems",
    "refuse_unwatched",
    "remove_upload",
    "request_import",
    "request_test",
    "resume",
    "share",
    "sweep",
    "upload_path",
    "uploads_directory",
    "version",
    "wanted_of",
]
