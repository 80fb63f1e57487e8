"""The verbs of archiving: what people do with messages and records.

It knows who may do what, and must not know HTTP or SQL.
"""

from app.filing.aside import set_all_aside, set_aside, take_all_back, take_back
from app.filing.many import (
    MOST_AT_ONCE,
    Outcome,
    file_messages,
    filed_at,
    keepers_of_all,
    plan,
    readers_of_all,
    suggest_for_all,
    unfile_all,
)
from app.filing.one import (
    Readership,
    access_version,
    file_message,
    file_under_new,
    keepers,
    may_change_access,
    may_lose_it,
    readers,
    readers_within,
    set_roles,
    unfile,
)
from app.filing.proposed import newcomer, suggest

__all__ = [
    "MOST_AT_ONCE",
    "Outcome",
    "Readership",
    "access_version",
    "file_message",
    "file_messages",
    "file_under_new",
    "filed_at",
    "keepers",
    "keepers_of_all",
    "may_change_access",
    "may_lose_it",
    "newcomer",
    "plan",
    "readers",
    "readers_of_all",
    "readers_within",
    "set_all_aside",
    "set_aside",
    "set_roles",
    "suggest",
    "suggest_for_all",
    "take_all_back",
    "take_back",
    "unfile",
    "unfile_all",
]
