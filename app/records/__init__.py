"""Records: the team's companies, contacts, goods and projects, and their types.

Owns how they are made, changed, pushed by other systems and put away, and who may see them; knows
no mail and no pages.
"""

from app.records.draft import Draft, draft_of, problems, record_version
from app.records.ends import Merge, Removal, merge_records, plan_merge, plan_removal, remove_record
from app.records.imports import (
    MOST_SHOWN,
    Plan,
    Refused,
    export_records,
    import_records,
    plan_import,
)
from app.records.push import Done, Push, push_records
from app.records.table import COLUMNS, LARGEST_TABLE, plain, write_table
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
    kept_for_some,
    let_in,
    push_record,
    restore_record,
    upsert_record,
    would_see,
)

__all__ = [
    "COLUMNS",
    "DEFAULT_TYPES",
    "ICONS",
    "LARGEST_TABLE",
    "MOST_SHOWN",
    "Done",
    "Draft",
    "Merge",
    "Outcome",
    "Plan",
    "Push",
    "Pushed",
    "Refused",
    "Removal",
    "SameName",
    "add_record",
    "archive_record",
    "archive_type",
    "change_record",
    "change_type",
    "create_record",
    "create_type",
    "draft_of",
    "export_records",
    "find_record",
    "find_type",
    "import_records",
    "kept_for_some",
    "let_in",
    "merge_records",
    "next_code",
    "plain",
    "plan_import",
    "plan_merge",
    "plan_removal",
    "problems",
    "push_record",
    "push_records",
    "record_version",
    "remove_record",
    "restore_record",
    "restore_type",
    "type_version",
    "upsert_record",
    "would_see",
    "write_table",
]
