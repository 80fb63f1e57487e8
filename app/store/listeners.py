"""Where it is worth listening: the inbox and what was sent, of mailboxes that are well."""

from dataclasses import dataclass
from datetime import datetime

from app.model import AccountId
from app.store.database import Store, from_seconds, to_seconds
from app.store.states import READY


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to listen at; with other `edits` the account's settings are others."""

    account_id: AccountId
    edits: int
    folder: str


def places(store: Store, *, now: datetime) -> dict[Place, datetime]:
    """The inboxes first, then the folders of what was sent, and when a check last went well."""
    rows = store.archive.conn.execute(
        "select a.id, a.edits, min(f.name), upper(f.name) = 'INBOX' as is_inbox, a.good_at"
        " from accounts a join folders f on f.account_id = a.id"
        f" where {READY} and a.trouble = '' and a.good_at is not null"
        " and coalesce(a.wait_until, 0) <= ? and f.gone_since is null and f.skipped_by is null"
        " and f.error is null and (upper(f.name) = 'INBOX' or f.special_use = '\\Sent')"
        " group by a.id, is_inbox order by is_inbox desc, a.id",
        [to_seconds(now)],
    )
    return {Place(AccountId(row[0]), row[1], row[2]): from_seconds(row[4]) for row in rows}
