"""The team itself: its names and domains, which are never suggested as a record."""

import json
from datetime import datetime

from app.model import Team
from app.store.database import Store, to_seconds


def get(store: Store) -> Team:
    names, domains, language, time_zone = store.archive.conn.execute(
        "select names, domains, language, time_zone from team"
    ).fetchone()
    return Team(tuple(json.loads(names)), tuple(json.loads(domains)), language, time_zone)


def put(store: Store, changed: Team) -> None:
    store.archive.conn.execute(
        "update team set names = ?, domains = ?, language = ?, time_zone = ?",
        [
            json.dumps(changed.names, ensure_ascii=False),
            json.dumps(changed.domains),
            changed.language,
            changed.time_zone,
        ],
    )


def mark_set_up(store: Store, *, now: datetime) -> None:
    """Note when the first person was made. Effects: may be repeated; the caller's transaction."""
    store.archive.conn.execute(
        "update team set set_up_at = ? where set_up_at is null", [to_seconds(now)]
    )
