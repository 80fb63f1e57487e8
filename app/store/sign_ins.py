"""Sign-ins at providers: the tokens of mailboxes, sealed, and the flows that are under way."""

from datetime import datetime

from app.model import AccountId, UserId
from app.store.database import Store, to_seconds


def sealed_tokens(store: Store, account_id: AccountId) -> bytes | None:
    row = store.archive.conn.execute(
        "select sealed_tokens from accounts where id = ?", [account_id]
    ).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def put_tokens(store: Store, account_id: AccountId, sealed: bytes) -> None:
    """Keep the tokens of a new sign-in. Effects: inside the caller's transaction."""
    store.archive.conn.execute(
        "update accounts set sealed_tokens = ? where id = ?", [sealed, account_id]
    )


def replace_tokens(store: Store, account_id: AccountId, before: bytes, after: bytes | None) -> None:
    """Keep renewed tokens, or forget dead ones, unless others stand there by now.

    Effects: one statement; somebody's sign-in in between stays.
    """
    store.archive.conn.execute(
        "update accounts set sealed_tokens = ? where id = ? and sealed_tokens = ?",
        [after, account_id, before],
    )


def add_flow(
    store: Store,
    *,
    state_digest: bytes,
    session_digest: bytes,
    user_id: UserId,
    account_id: AccountId,
    sealed: bytes,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a flow, the one of this person and mailbox. Effects: caller's transaction; old ones go.

    The digests are 32 raw bytes.
    """
    conn = store.archive.conn
    conn.execute(
        "delete from sign_in_flows where expires_at <= ? or (user_id = ? and account_id = ?)",
        [to_seconds(now), user_id, account_id],
    )
    conn.execute(
        "insert into sign_in_flows"
        " (state_digest, session_digest, user_id, account_id, sealed, expires_at)"
        " values (?, ?, ?, ?, ?, ?)",
        [state_digest, session_digest, user_id, account_id, sealed, to_seconds(expires_at)],
    )


def take_flow(
    store: Store, state_digest: bytes, session_digest: bytes, user_id: UserId, *, now: datetime
) -> tuple[AccountId, bytes] | None:
    """The mailbox and the sealed flow, once; None if it is another browser's, or no more.

    Effects: the row goes with the first call.
    """
    row = store.archive.conn.execute(
        "delete from sign_in_flows where state_digest = ? and session_digest = ? and user_id = ?"
        " and expires_at > ? returning account_id, sealed",
        [state_digest, session_digest, user_id, to_seconds(now)],
    ).fetchone()
    return None if row is None else (AccountId(row[0]), bytes(row[1]))
