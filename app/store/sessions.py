"""Sessions, one-time links, and the failures that slow down who guesses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from app.model import User, UserId
from app.store.database import Store, from_seconds, to_seconds
from app.store.users import COLUMNS, user_from


@dataclass(frozen=True, slots=True)
class Session:
    user: User
    created_at: int
    last_seen_at: int


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One line of a person's sessions; `handle` names it on pages and opens nothing."""

    handle: str
    created_at: datetime
    last_seen_at: datetime
    address: str
    agent: str


def add_session(
    store: Store, user_id: UserId, token_digest: bytes, *, address: str, agent: str, now: datetime
) -> None:
    seconds = to_seconds(now)
    store.archive.conn.execute(
        "insert into sessions (token_digest, user_id, created_at, last_seen_at, address, agent)"
        " values (?, ?, ?, ?, ?, ?)",
        [token_digest, user_id, seconds, seconds, address, agent],
    )
    _note_seen(store, token_digest, seconds)


def session(store: Store, token_digest: bytes) -> Session | None:
    row = store.archive.conn.execute(
        f"select s.created_at, s.last_seen_at, {COLUMNS} from sessions s"
        " join users u on u.id = s.user_id"
        " where s.token_digest = ? and u.deactivated_at is null",
        [token_digest],
    ).fetchone()
    return None if row is None else Session(user_from(row[2:]), row[0], row[1])


def touch_session(store: Store, token_digest: bytes, *, now: datetime) -> None:
    """Note that it is in use. Effects: in the caller's transaction."""
    seconds = to_seconds(now)
    store.archive.conn.execute(
        "update sessions set last_seen_at = ? where token_digest = ?", [seconds, token_digest]
    )
    _note_seen(store, token_digest, seconds)


def end_session(store: Store, token_digest: bytes) -> None:
    store.archive.conn.execute("delete from sessions where token_digest = ?", [token_digest])


def handle_of(token_digest: bytes) -> str:
    return sha256(token_digest).hexdigest()[:20]


def of_user(store: Store, user_id: UserId, *, since: datetime) -> list[OpenSession]:
    """A person's sessions that were in use since then, the latest first."""
    rows = store.archive.conn.execute(
        "select token_digest, created_at, last_seen_at, address, agent from sessions"
        " where user_id = ? and last_seen_at > ? order by last_seen_at desc, created_at desc",
        [user_id, to_seconds(since)],
    )
    return [
        OpenSession(handle_of(row[0]), from_seconds(row[1]), from_seconds(row[2]), row[3], row[4])
        for row in rows
    ]


def end_by_handle(store: Store, user_id: UserId, handle: str) -> bool:
    """End one session of a person; False if he has none of that handle."""
    rows = store.archive.conn.execute(
        "select token_digest from sessions where user_id = ?", [user_id]
    ).fetchall()
    found = [digest for (digest,) in rows if handle_of(digest) == handle]
    for digest in found:
        end_session(store, digest)
    return bool(found)


def end_others(store: Store, user_id: UserId, token_digest: bytes) -> int:
    """End all sessions of a person but the one; how many there were."""
    ended = store.archive.conn.execute(
        "delete from sessions where user_id = ? and token_digest <> ?", [user_id, token_digest]
    )
    return int(ended.rowcount)


def add_link(
    store: Store, user_id: UserId, token_digest: bytes, *, expires_at: datetime, now: datetime
) -> None:
    """A one-time link; the person's earlier ones are void. Effects: in the caller's transaction."""
    conn = store.archive.conn
    conn.execute("delete from sign_in_links where user_id = ?", [user_id])
    conn.execute(
        "insert into sign_in_links (token_digest, user_id, created_at, expires_at)"
        " values (?, ?, ?, ?)",
        [token_digest, user_id, to_seconds(now), to_seconds(expires_at)],
    )


def user_of_link(store: Store, token_digest: bytes, *, now: datetime) -> User | None:
    row = store.archive.conn.execute(
        f"select {COLUMNS} from sign_in_links l join users u on u.id = l.user_id"
        " where l.token_digest = ? and l.expires_at > ? and u.deactivated_at is null",
        [token_digest, to_seconds(now)],
    ).fetchone()
    return None if row is None else user_from(row)


def count_failures(store: Store, key: str, *, since: datetime) -> int:
    """How often a sign-in failed under a key since then."""
    found = store.archive.conn.execute(
        "select count(*) from sign_in_failures where key = ? and failed_at > ?",
        [key, to_seconds(since)],
    )
    return int(found.fetchone()[0])


def record_failure(
    store: Store, keys: Sequence[str], *, now: datetime, keep_since: datetime
) -> None:
    """Note a failed sign-in; older notes than `keep_since` go. Effects: caller's transaction."""
    conn = store.archive.conn
    conn.execute("delete from sign_in_failures where failed_at <= ?", [to_seconds(keep_since)])
    conn.executemany(
        "insert into sign_in_failures (key, failed_at) values (?, ?)",
        [(key, to_seconds(now)) for key in keys],
    )


def _note_seen(store: Store, token_digest: bytes, seconds: int) -> None:
    """When a person was here last outlives his sessions."""
    store.archive.conn.execute(
        "update users set last_seen_at = ?"
        " where id = (select user_id from sessions where token_digest = ?)",
        [seconds, token_digest],
    )
