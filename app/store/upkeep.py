"""When each kind of upkeep ran and how it ended: what the page for administrators shows."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.store.database import Store, from_seconds, to_seconds

Kind = Literal["verify", "repack", "reparse", "sweep", "backup", "rehearsal", "index"]
_KEPT = 100
"""Of each kind, the latest."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One run. `summary` is a sentence for people, `detail` what the next run of the kind needs."""

    kind: Kind
    began_at: datetime
    finished_at: datetime
    is_good: bool
    summary: str
    detail: dict[str, Any]

    @property
    def due_at(self) -> datetime | None:
        """When it is due again; None where the run did not say how often it is done."""
        seconds = self.detail.get("every_seconds")
        return self.finished_at + timedelta(seconds=seconds) if seconds else None


def record(store: Store, run: Upkeep) -> None:
    """Keep how a run ended. Effects: one row; the oldest of its kind go."""
    store.archive.conn.execute(
        "insert into upkeep (kind, began_at, finished_at, is_good, summary, detail)"
        " values (?, ?, ?, ?, ?, ?)",
        [
            run.kind,
            to_seconds(run.began_at),
            to_seconds(run.finished_at),
            run.is_good,
            run.summary,
            json.dumps(run.detail),
        ],
    )
    store.archive.conn.execute(
        "delete from upkeep where kind = :kind and id not in"
        " (select id from upkeep where kind = :kind order by id desc limit :kept)",
        {"kind": run.kind, "kept": _KEPT},
    )


def needs_care(store: Store) -> bool:
    """Whether the latest verification or backup did not end well."""
    latest = (last(store, "verify"), last(store, "backup"))
    return any(run is not None and not run.is_good for run in latest)


def last(store: Store, kind: Kind, *, good: bool = False) -> Upkeep | None:
    """The latest run of a kind, or the latest good one; None if there was none."""
    row = store.archive.conn.execute(
        "select kind, began_at, finished_at, is_good, summary, detail from upkeep"
        " where kind = ? and is_good >= ? order by id desc limit 1",
        [kind, good],
    ).fetchone()
    if row is None:
        return None
    return Upkeep(
        row[0], from_seconds(row[1]), from_seconds(row[2]), bool(row[3]), row[4], json.loads(row[5])
    )
