"""What people ask of the worker: rows that it finds, carries out and answers."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.errors import NotFound
from app.model import AccountId, PublicId, UserId, Viewer
from app.store import audit
from app.store.accounts import watched
from app.store.database import Store, from_seconds, new_public_id, to_seconds, transaction

Kind = Literal["check", "sync", "import", "reindex", "test", "find", "verify", "repair"]
DEAD_AFTER = timedelta(seconds=30)
"""A worker whose heart has not beaten for so long is not there."""

KEPT_FOR = timedelta(days=1)
"""What a look at a server brought is asked for within minutes; it holds what people typed."""

TEST_WITHIN = timedelta(minutes=10)
"""A test of a connection that nobody carried out by then is void, and its password gone."""


@dataclass(frozen=True, slots=True)
class Job:
    """`account_id=None` with kind "check" or "sync": all accounts that `arguments` names."""

    id: int
    public_id: PublicId
    kind: Kind
    account_id: AccountId | None
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job stands: `text` is a sentence for people, or JSON for the command line.

    `progress` is JSON by kind, "" before the first.
    """

    is_done: bool
    text: str
    is_error: bool
    progress: str = ""


def add(
    store: Store,
    kind: Kind,
    *,
    by: UserId | None,
    now: datetime,
    account_id: AccountId | None = None,
    **arguments: object,
) -> PublicId:
    """Ask the worker for something. Effects: one row."""
    public_id = new_public_id()
    _insert(store, public_id, kind, account_id, arguments, by=by, now=now)
    return public_id


def add_test(
    store: Store, public_id: PublicId, *, by: UserId, now: datetime, **arguments: object
) -> None:
    """Ask for a test; its id comes from outside, because its password is sealed for that id."""
    _insert(store, public_id, "test", None, arguments, by=by, now=now)


def add_find(
    store: Store, public_id: PublicId, *, by: UserId, now: datetime, **arguments: object
) -> None:
    """Ask for the settings of an address; its id comes from outside, as that of a test."""
    _insert(store, public_id, "find", None, arguments, by=by, now=now)


def open_probes(store: Store, user_id: UserId, *, now: datetime) -> int:
    """How many tests and look-ups of a person wait or go on; what is void does not count."""
    row = store.archive.conn.execute(
        "select count(*) from jobs where kind in ('test', 'find') and finished_at is null"
        " and requested_by = ? and requested_at >= ?",
        [user_id, to_seconds(now - TEST_WITHIN)],
    ).fetchone()
    return int(row[0])


def _insert(
    store: Store,
    public_id: PublicId,
    kind: Kind,
    account_id: AccountId | None,
    arguments: dict[str, object],
    *,
    by: UserId | None,
    now: datetime,
) -> None:
    """Effects: one row; what is done and was asked for long ago goes."""
    store.archive.conn.execute(
        "delete from jobs where kind in ('test', 'find', 'check', 'sync') and finished_at < ?",
        [to_seconds(now - KEPT_FOR)],
    )
    store.archive.conn.execute(
        "insert into jobs (public_id, kind, account_id, arguments, requested_by, requested_at)"
        " values (?, ?, ?, ?, ?, ?)",
        [public_id, kind, account_id, json.dumps(arguments), by, to_seconds(now)],
    )


def request_verify(store: Store, viewer: Viewer, *, now: datetime) -> PublicId:
    """Have everything verified; joins what waits or goes on already, whoever asked for it.

    Effects: one transaction, audited.
    """
    with transaction(store):
        job = open_job(store, "verify")
        audit.note(store, "verify", by=viewer.user_id, now=now)
        return job or add(store, "verify", by=viewer.user_id, now=now)


def open_job(store: Store, kind: Kind) -> PublicId | None:
    """The job of a kind that waits or goes on; None: there is none."""
    row = store.archive.conn.execute(
        "select public_id from jobs where finished_at is null and kind = ? order by id limit 1",
        [kind],
    ).fetchone()
    return None if row is None else PublicId(row[0])


def request_check(
    store: Store, viewer: Viewer, *, now: datetime, account_id: AccountId | None = None
) -> PublicId:
    """Have the viewer's mailboxes checked that are watched, or one; joins a job of his (R30)."""
    accounts = watched(store, viewer.accounts) if account_id is None else [account_id]
    with transaction(store):
        row = store.archive.conn.execute(
            "select public_id from jobs where kind = 'check' and finished_at is null"
            " and requested_by = ? and arguments = ?",
            [viewer.user_id, json.dumps({"accounts": accounts})],
        ).fetchone()
        if row:
            return PublicId(row[0])
        return add(store, "check", by=viewer.user_id, now=now, accounts=accounts)


def claim(store: Store, *, now: datetime) -> Job | None:
    """The oldest job that nobody has begun; None: nothing to do."""
    row = store.archive.conn.execute(
        "select id, public_id, kind, account_id, arguments from jobs"
        " where started_at is null and finished_at is null order by id limit 1"
    ).fetchone()
    if row is None:
        return None
    claimed = store.archive.conn.execute(
        "update jobs set started_at = ? where id = ? and started_at is null",
        [to_seconds(now), row[0]],
    )
    if not claimed.rowcount:
        return None
    account_id = None if row[3] is None else AccountId(row[3])
    return Job(row[0], PublicId(row[1]), row[2], account_id, json.loads(row[4]))


def requeue_begun(store: Store) -> None:
    """Take up again what a worker that died had begun. Effects: for the one worker, at start."""
    store.archive.conn.execute("update jobs set started_at = null where finished_at is null")


def void_old_tests(store: Store, *, now: datetime) -> None:
    """End the tests and look-ups that waited too long. Effects: passwords are wiped."""
    store.archive.conn.execute(
        "update jobs set finished_at = :now, error = 'It waited too long. Start it again.',"
        " arguments = json_remove(arguments, '$.sealed')"
        " where kind in ('test', 'find') and finished_at is null and requested_at < :since",
        {"now": to_seconds(now), "since": to_seconds(now - TEST_WITHIN)},
    )


def record_progress(store: Store, job: Job, progress: object) -> None:
    """Say how far a job is, for the page that waits for it."""
    store.archive.conn.execute(
        "update jobs set progress = ? where id = ?", [json.dumps(progress), job.id]
    )


def finish(store: Store, job: Job, *, result: str, error: str | None, now: datetime) -> None:
    """Keep a job's outcome. Effects: a sealed password among its arguments is wiped."""
    store.archive.conn.execute(
        "update jobs set finished_at = ?, result = ?, error = ?,"
        " arguments = json_remove(arguments, '$.sealed') where id = ?",
        [to_seconds(now), result, error, job.id],
    )


def outcome(store: Store, public_id: str) -> JobResult:
    """How a job of anybody stands, for the command line. Raises NotFound."""
    return _outcome(store, "public_id = ?", [public_id])


def result(store: Store, viewer: Viewer, public_id: str) -> JobResult:
    """How a job of the viewer's own stands. Raises NotFound, also for others' jobs."""
    return _outcome(store, "public_id = ? and requested_by = ?", [public_id, viewer.user_id])


def arguments(store: Store, viewer: Viewer, public_id: str, kind: Kind) -> dict[str, Any]:
    """What a job of the viewer's own was asked to do. Raises NotFound."""
    row = store.archive.conn.execute(
        "select arguments from jobs where public_id = ? and requested_by = ? and kind = ?",
        [public_id, viewer.user_id, kind],
    ).fetchone()
    if row is None:
        raise NotFound
    found: dict[str, Any] = json.loads(row[0])
    return found


def account_of(store: Store, viewer: Viewer, public_id: str) -> AccountId:
    """The mailbox that a job of the viewer's own is about. Raises NotFound."""
    row = store.archive.conn.execute(
        "select account_id from jobs where public_id = ? and requested_by = ?"
        " and account_id is not null",
        [public_id, viewer.user_id],
    ).fetchone()
    if row is None:
        raise NotFound
    return AccountId(row[0])


def uploads_in_use(store: Store) -> set[str]:
    """The names of the uploaded files that an import still needs."""
    rows = store.archive.conn.execute(
        "select json_extract(arguments, '$.upload') from jobs"
        " where kind = 'import' and finished_at is null"
    )
    return {str(row[0]) for row in rows if row[0]}


def beat(store: Store, *, now: datetime) -> None:
    """Note that the worker lives."""
    store.archive.conn.execute(
        "insert into worker (id, beat_at) values (1, ?)"
        " on conflict (id) do update set beat_at = excluded.beat_at",
        [to_seconds(now)],
    )


def is_worker_alive(store: Store, *, now: datetime) -> bool:
    row = store.archive.conn.execute("select beat_at from worker").fetchone()
    return row is not None and now - from_seconds(row[0]) < DEAD_AFTER


def _outcome(store: Store, condition: str, values: list[object]) -> JobResult:
    row = store.archive.conn.execute(
        f"select finished_at, result, error, progress from jobs where {condition}", values
    ).fetchone()
    if row is None:
        raise NotFound
    return JobResult(row[0] is not None, row[2] or row[1] or "", row[2] is not None, row[3])
