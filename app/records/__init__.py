"""Records: the team's companies, contacts, goods and projects, and their types.

Owns how they are made, changed, pushed by other systems and put away, and who may see them; knows
no mail and no pages.
"""

from app.records.draft import Draft, draft_of, problems, record_version
from app.records.types import (
    DEFAULT_TYPES,
    ICONS,
    archive_type,
    change_type,
    create_type,
    find_type,
    next_code,
    restore_type,
    type_version,
)
from app.records.verbs import (
    Outcome,
    Pushed,
    SameName,
    add_record,
    archive_record,
    change_record,
    create_record,
    find_record,
    push_record,
    restore_record,
    search_records,
    upsert_record,
    would_see,
)

__all__ = [
    "DEFAULT_TYPES",
    "ICONS",
    "Draft",
    "Outcome",
    "Pushed",
    "SameName",
    "add_record",
    "archive_record",
    "archive_type",
    "change_record",
    "change_type",
    "create_record",
    "create_type",
    "draft_of",
    "find_record",
    "find_type",
    "next_code",
    "problems",
    "push_record",
    "record_version",
    "restore_record",
    "restore_type",
    "search_records",
    "type_version",
    "upsert_record",
    "would_see",
]
