"""The tokens of the API: whose, for what, until when. Of a token itself only its digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import NotFound
from app.model import PublicId, User, UserId
from app.store.database import Store, from_seconds, maybe_from_seconds, new_public_id, to_seconds
from app.store.users import COLUMNS, user_from

_COLUMNS = (
    "t.id, t.public_id, t.name, t.prefix, t.scopes, t.created_at, t.expires_at, t.last_used_at,"
    " t.revoked_at"
)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token as lists show it; `prefix` is how it begins. `last_used_at` is rough."""

    id: int
    public_id: PublicId
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    user: User

    def is_good(self, now: datetime) -> bool:
        """Whether it opens anything now."""
        return (
            self.revoked_at is None and now < self.expires_at and self.user.deactivated_at is None
        )


def add(
    store: Store,
    user_id: UserId,
    token_digest: bytes,
    *,
    name: str,
    prefix: str,
    scopes: Sequence[str],
    expires_at: datetime,
    now: datetime,
) -> PublicId:
    """Effects: inside the caller's transaction."""
    public_id = new_public_id()
    store.archive.conn.execute(
        "insert into api_tokens"
        " (public_id, user_id, name, token_digest, prefix, scopes, created_at, expires_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            public_id,
            user_id,
            name,
            token_digest,
            prefix,
            " ".join(scopes),
            to_seconds(now),
            to_seconds(expires_at),
        ],
    )
    return public_id


def by_digest(store: Store, token_digest: bytes) -> ApiToken | None:
    """The token, good or not; None if there never was one."""
    return next(iter(_where(store, "t.token_digest = ?", token_digest)), None)


def get(store: Store, public_id: str) -> ApiToken:
    """Raises NotFound."""
    for one in _where(store, "t.public_id = ?", public_id):
        return one
    raise NotFound


def of_user(store: Store, user_id: UserId) -> list[ApiToken]:
    """A person's tokens, the newest first."""
    return _where(store, "t.user_id = ?", user_id)


def every(store: Store) -> list[ApiToken]:
    """Everybody's tokens, the newest first."""
    return _where(store, "1 = ?", 1)


def touch(store: Store, token_id: int, *, now: datetime) -> None:
    """Note that a token is in use."""
    store.archive.conn.execute(
        "update api_tokens set last_used_at = ? where id = ?", [to_seconds(now), token_id]
    )


def revoke(store: Store, token_id: int, *, now: datetime) -> None:
    """Effects: inside the caller's transaction; may be repeated."""
    store.archive.conn.execute(
        "update api_tokens set revoked_at = ? where id = ? and revoked_at is null",
        [to_seconds(now), token_id],
    )


def _where(store: Store, condition: str, value: object) -> list[ApiToken]:
    rows = store.archive.conn.execute(
        f"select {_COLUMNS}, {COLUMNS} from api_tokens t join users u on u.id = t.user_id"
        f" where {condition} order by t.id desc",
        [value],
    )
    return [_token_from(row) for row in rows]


def _token_from(row: tuple[Any, ...]) -> ApiToken:
    return ApiToken(
        id=row[0],
        public_id=PublicId(row[1]),
        name=row[2],
        prefix=row[3],
        scopes=tuple(row[4].split()),
        created_at=from_seconds(row[5]),
        expires_at=from_seconds(row[6]),
        last_used_at=maybe_from_seconds(row[7]),
        revoked_at=maybe_from_seconds(row[8]),
        user=user_from(row[9:]),
    )
