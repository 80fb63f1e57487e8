"""Passwords typed into a form that came back, sealed, until they are too old."""

from datetime import datetime

from app.model import UserId
from app.store.database import Store, to_seconds


def put(
    store: Store, token_digest: bytes, user_id: UserId, sealed: bytes, *, expires_at: datetime
) -> None:
    """Keep a sealed password under a token. Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "insert or replace into kept_passwords (token_digest, user_id, sealed, expires_at)"
        " values (?, ?, ?, ?)",
        [token_digest, user_id, sealed, to_seconds(expires_at)],
    )


def get(store: Store, token_digest: bytes, user_id: UserId, *, now: datetime) -> bytes | None:
    """What that person left under the token; None if there is nothing, or nothing any more."""
    row = store.archive.conn.execute(
        "select sealed from kept_passwords where token_digest = ? and user_id = ?"
        " and expires_at > ?",
        [token_digest, user_id, to_seconds(now)],
    ).fetchone()
    return None if row is None else bytes(row[0])


def drop(store: Store, token_digest: bytes) -> None:
    store.archive.conn.execute("delete from kept_passwords where token_digest = ?", [token_digest])


def drop_old(store: Store, *, now: datetime) -> None:
    """Wipe what is too old. Effects: may be repeated."""
    store.archive.conn.execute(
        "delete from kept_passwords where expires_at <= ?", [to_seconds(now)]
    )
