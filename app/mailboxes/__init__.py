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
    MOST_OPEN,
    AskedTest,
    asked_test,
    drop_password,
    keep_password,
    kept_password,
    request_find,
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
from app.mailboxes.sign_in import (
    CALLBACK,
    begin_sign_in,
    doubt_token,
    finish_sign_in,
    keep_tokens,
    provider_of_account,
    secret_of,
    take_sign_in,
)
from app.mailboxes.verbs import change, check, close, create, pause, resume, share

__all__ = [
    "CALLBACK",
    "MOST_OPEN",
    "AskedTest",
    "Wanted",
    "as_account",
    "asked_test",
    "begin_sign_in",
    "change",
    "check",
    "close",
    "create",
    "doubt_token",
    "drop_password",
    "find_account",
    "finish_sign_in",
    "has_same_server",
    "is_bound_to_public",
    "keep_password",
    "keep_tokens",
    "kept_password",
    "may_change",
    "open_archive",
    "pause",
    "problems",
    "provider_of_account",
    "refuse_unwatched",
    "remove_upload",
    "request_find",
    "request_import",
    "request_test",
    "resume",
    "secret_of",
    "share",
    "sweep",
    "take_sign_in",
    "upload_path",
    "uploads_directory",
    "version",
    "wanted_of",
]
