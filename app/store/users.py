"""People, their roles, sessions and one-time links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Invalid, NotFound
from app.model import PublicId, Role, RoleId, User, UserId
from app.store.database import Store, maybe_from_seconds, new_public_id, to_seconds

COLUMNS = "u.id, u.public_id, u.email, u.name, u.is_admin, u.deactivated_at"


@dataclass(frozen=True, slots=True)
class Session:
    user: User
    created_at: int
    last_seen_at: int


def add(
    store: Store,
    *,
    email: str,
    name: str,
    is_admin: bool,
    roles: Sequence[RoleId],
    password_hash: str | None,
    now: datetime,
) -> UserId:
    """A new person; `email` is case-folded. Raises Invalid if the address is taken.

    Effects: inside the caller's transaction.
    """
    conn = store.archive.conn
    if conn.execute("select 1 from users where email = ?", [email]).fetchone():
        raise Invalid("email", f"{email} is a user already.")
    added = conn.execute(
        "insert into users (public_id, email, name, password_hash, is_admin, created_at)"
        " values (?, ?, ?, ?, ?, ?)",
        [new_public_id(), email, name, password_hash, is_admin, to_seconds(now)],
    )
    user_id = UserId(added.lastrowid or 0)
    conn.executemany(
        "insert into user_roles (user_id, role_id) values (?, ?)",
        [(user_id, role) for role in dict.fromkeys(roles)],
    )
    return user_id


def by_email(store: Store, email: str) -> User:
    """The active person with that case-folded address. Raises NotFound."""
    row = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.email = ? and u.deactivated_at is null", [email]
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no user {email}. `letterbook user add` makes one.")
    return _user_from(row)


def get(store: Store, user_id: UserId) -> User:
    row = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.id = ?", [user_id]
    ).fetchone()
    if row is None:
        raise NotFound
    return _user_from(row)


def all_active(store: Store) -> list[User]:
    rows = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.deactivated_at is null order by u.name, u.id"
    )
    return [_user_from(row) for row in rows]


def password_hash(store: Store, user_id: UserId) -> str | None:
    row = store.archive.conn.execute(
        "select password_hash from users where id = ?", [user_id]
    ).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def set_password_hash(store: Store, user_id: UserId, hashed: str) -> None:
    """Effects: ends the person's sessions and voids his links; in the caller's transaction."""
    conn = store.archive.conn
    conn.execute("update users set password_hash = ? where id = ?", [hashed, user_id])
    conn.execute("delete from sessions where user_id = ?", [user_id])
    conn.execute("delete from sign_in_links where user_id = ?", [user_id])


def deactivate(store: Store, user_id: UserId, *, now: datetime) -> None:
    """Effects: the person cannot sign in any more; in the caller's transaction."""
    conn = store.archive.conn
    conn.execute("update users set deactivated_at = ? where id = ?", [to_seconds(now), user_id])
    conn.execute("delete from sessions where user_id = ?", [user_id])
    conn.execute("delete from sign_in_links where user_id = ?", [user_id])


# -- roles


def add_role(store: Store, name: str) -> RoleId:
    """A new role. Raises Invalid if there is one of that name."""
    conn = store.archive.conn
    if conn.execute("select 1 from roles where name = ?", [name]).fetchone():
        raise Invalid("name", f"There is a role {name!r} already.")
    return RoleId(conn.execute("insert into roles (name) values (?)", [name]).lastrowid or 0)


def roles(store: Store) -> list[Role]:
    rows = store.archive.conn.execute("select id, name from roles order by name")
    return [Role(RoleId(row[0]), row[1]) for row in rows]


def role_ids(store: Store, names: Sequence[str]) -> list[RoleId]:
    """The roles of those names. Raises Invalid, naming the first unknown one."""
    known = {role.name.casefold(): role.id for role in roles(store)}
    for name in names:
        if name.casefold() not in known:
            there_are = ", ".join(role.name for role in roles(store)) or "none yet"
            raise Invalid("role", f"There is no role {name!r}. There are: {there_are}.")
    return [known[name.casefold()] for name in names]


# -- sessions and links


def add_session(
    store: Store, user_id: UserId, token_digest: bytes, *, address: str, agent: str, now: datetime
) -> None:
    seconds = to_seconds(now)
    store.archive.conn.execute(
        "insert into sessions (token_digest, user_id, created_at, last_seen_at, address, agent)"
        " values (?, ?, ?, ?, ?, ?)",
        [token_digest, user_id, seconds, seconds, address, agent],
    )


def session(store: Store, token_digest: bytes) -> Session | None:
    row = store.archive.conn.execute(
        f"select {COLUMNS}, s.created_at, s.last_seen_at from sessions s"
        " join users u on u.id = s.user_id"
        " where s.token_digest = ? and u.deactivated_at is null",
        [token_digest],
    ).fetchone()
    return None if row is None else Session(_user_from(row), row[6], row[7])


def touch_session(store: Store, token_digest: bytes, *, now: datetime) -> None:
    store.archive.conn.execute(
        "update sessions set last_seen_at = ? where token_digest = ?",
        [to_seconds(now), token_digest],
    )


def end_session(store: Store, token_digest: bytes) -> None:
    store.archive.conn.execute("delete from sessions where token_digest = ?", [token_digest])


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
    return None if row is None else _user_from(row)


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


def _user_from(row: tuple[Any, ...]) -> User:
    return User(
        UserId(row[0]),
        PublicId(row[1]),
        row[2],
        row[3],
        bool(row[4]),
        maybe_from_seconds(row[5]),
    )
