"""What mailboxes and records say of messages, as tokens, and what a viewer calls these."""

import json
from collections.abc import Collection, Iterable
from typing import Final, Literal

from app.model import MessageId, RecordId, Viewer
from app.store.database import Store
from app.store.visibility import RECORD_VISIBLE, viewer_parameters

State = Literal["unread", "queue"]

MOST_RECORDS: Final = 200
_STATES: Final[dict[State, str]] = {"unread": "h.is_unread = 1", "queue": "h.state in (0, 1)"}

_KINDS: Final = (
    "select f.message_id, 'kind:' || r.type_id || ' ' || {scope} from filings f"
    " cross join records r on r.id = f.record_id {among}"
    " where f.message_id in {{ids}} and r.removed_at is null"
)
_FOR_ALL: Final = _KINDS.format(scope="'all'", among="")
_FOR_ROLES: Final = _KINDS.format(
    scope="'role:' || o.role_id", among="cross join record_roles o on o.record_id = r.id"
)
_FOR_USERS: Final = _KINDS.format(
    scope="'user:' || o.user_id", among="cross join record_users o on o.record_id = r.id"
)
_ALL: Final = (
    "select message_id, 'account:' || account_id from holdings where message_id in {ids}"
    " union all select message_id, 'unread:' || account_id from holdings h"
    f"   where message_id in {{ids}} and {_STATES['unread']}"
    " union all select message_id, 'queue:' || account_id from holdings h"
    f"   where message_id in {{ids}} and {_STATES['queue']}"
    " union all select message_id, 'record:' || record_id from filings where message_id in {ids}"
    # Where it lies; where nothing of it is there any more, where it lay.
    " union all select c.message_id, 'folder:' || l.folder_id from copies c"
    "   cross join locations l on l.copy_id = c.id cross join folders f on f.id = l.folder_id"
    "   where c.message_id in {ids} and (l.gone_since is null or not exists ("
    "     select 1 from copies d cross join locations o on o.copy_id = d.id"
    "     cross join folders g on g.id = o.folder_id where d.message_id = c.message_id"
    "     and g.account_id = f.account_id and o.gone_since is null))"
    f" union all {_FOR_ALL}"
    "   and not exists (select 1 from record_roles o where o.record_id = r.id)"
    "   and not exists (select 1 from record_users o where o.record_id = r.id)"
    f" union all {_FOR_ROLES} union all {_FOR_USERS}"
)


def of_messages(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, tuple[str, ...]]:
    """Tokens for the index: "account:3", "unread:3", "queue:3", "folder:17", "record:5", and
    "kind:2 role:1" for a record of type 2 that role 1 may see."""
    rows = store.archive.conn.execute(
        _ALL.format(ids="(select value from json_each(:ids))"), {"ids": json.dumps(list(ids))}
    )
    found: dict[MessageId, dict[str, None]] = {}
    for message_id, token in rows:
        found.setdefault(MessageId(message_id), {})[token] = None
    return {message_id: tuple(tokens) for message_id, tokens in found.items()}


def so_now(
    store: Store, viewer: Viewer, state: State, ids: Collection[MessageId]
) -> frozenset[MessageId]:
    """Those of the messages that are so in a mailbox of the viewer's, whatever the index says."""
    rows = store.archive.conn.execute(
        "select distinct h.message_id from json_each(:ids) wanted cross join holdings h"
        " on h.message_id = wanted.value where h.account_id in"
        f" (select value from json_each(:accounts)) and {_STATES[state]}",
        {"ids": json.dumps(list(ids)), "accounts": json.dumps(sorted(viewer.accounts))},
    )
    return frozenset(MessageId(row[0]) for row in rows)


def folders_of(store: Store, viewer: Viewer) -> list[tuple[int, str, str]]:
    """Id, full path and special use of the folders of the viewer's mailboxes, gone ones too."""
    return store.archive.conn.execute(
        "select id, name, special_use from folders"
        " where account_id in (select value from json_each(?))",
        [json.dumps(sorted(viewer.accounts))],
    ).fetchall()


def records_called(store: Store, viewer: Viewer, name: str, folded: str) -> list[RecordId]:
    """Records that the viewer may see with this name, code, alias or public id, put away or not.

    `MOST_RECORDS` at most.
    """
    rows = store.archive.conn.execute(
        f"select r.id from records r where {RECORD_VISIBLE} and (r.folded_name = :folded"
        " or r.code = :name collate nocase or r.public_id = :name or exists ("
        "   select 1 from record_marks k where k.record_id = r.id and k.kind = 'alias'"
        "   and k.value = :name collate nocase))"
        " order by r.id limit :limit",
        viewer_parameters(viewer) | {"name": name, "folded": folded, "limit": MOST_RECORDS},
    )
    return [RecordId(row[0]) for row in rows]


def record_type_id(store: Store, name: str) -> int | None:
    """The type with this key or name, in one or in many."""
    row = store.archive.conn.execute(
        "select id from record_types where :name collate nocase in (key, singular, plural)",
        {"name": name},
    ).fetchone()
    return int(row[0]) if row else None
