"""People and their roles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Invalid, NotFound
from app.model import MessageId, PublicId, Role, RoleId, User, UserId
from app.store.database import Store, maybe_from_seconds, new_public_id, to_seconds

COLUMNS = (
    "u.id, u.public_id, u.email, u.name, u.is_admin, u.deactivated_at, u.language, u.time_zone"
)
"""What `user_from` takes, of `users u`."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user as administrators see him: his state, never his mail."""

    user: User
    roles: tuple[str, ...]
    has_password: bool
    link_until: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoleUse:
    """A role, its active people, and what is restricted to it."""

    role: Role
    people: int
    records: int
    messages: int


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
    _give_roles(store, user_id, roles)
    return user_id


def by_email(store: Store, email: str) -> User:
    """The active person with that case-folded address. Raises NotFound."""
    row = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.email = ? and u.deactivated_at is null", [email]
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no user {email}. `letterbook user add` makes one.")
    return user_from(row)


def is_empty(store: Store) -> bool:
    """Whether nobody was ever made."""
    return store.archive.conn.execute("select 1 from users limit 1").fetchone() is None


def by_public_id(store: Store, public_id: str) -> User:
    """Raises NotFound."""
    row = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.public_id = ?", [public_id]
    ).fetchone()
    if row is None:
        raise NotFound
    return user_from(row)


def get(store: Store, user_id: UserId) -> User:
    row = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.id = ?", [user_id]
    ).fetchone()
    if row is None:
        raise NotFound
    return user_from(row)


def all_active(store: Store) -> list[User]:
    rows = store.archive.conn.execute(
        f"select {COLUMNS} from users u where u.deactivated_at is null order by u.name, u.id"
    )
    return [user_from(row) for row in rows]


def every(store: Store) -> list[User]:
    """Everybody who was ever made, by name."""
    rows = store.archive.conn.execute(f"select {COLUMNS} from users u order by u.name, u.id")
    return [user_from(row) for row in rows]


def people(store: Store, *, now: datetime) -> list[Person]:
    """Everybody, those who may sign in first, by name."""
    roles: dict[int, list[str]] = {}
    for user_id, name in store.archive.conn.execute(
        "select x.user_id, r.name from user_roles x join roles r on r.id = x.role_id"
        " order by r.name"
    ):
        roles.setdefault(user_id, []).append(name)
    rows = store.archive.conn.execute(
        "select u.password_hash is not null,"
        " (select max(expires_at) from sign_in_links l where l.user_id = u.id and expires_at > ?),"
        f" u.last_seen_at, {COLUMNS}"
        " from users u order by u.deactivated_at is not null, u.name, u.id",
        [to_seconds(now)],
    )
    return [
        Person(
            user_from(row[3:]),
            tuple(roles.get(row[3], ())),
            bool(row[0]),
            maybe_from_seconds(row[1]),
            maybe_from_seconds(row[2]),
        )
        for row in rows
    ]


def change(
    store: Store, user_id: UserId, *, name: str, is_admin: bool, roles: Sequence[RoleId]
) -> None:
    """Effects: in the caller's transaction."""
    conn = store.archive.conn
    conn.execute("update users set name = ?, is_admin = ? where id = ?", [name, is_admin, user_id])
    conn.execute("delete from user_roles where user_id = ?", [user_id])
    _give_roles(store, user_id, roles)


def set_profile(store: Store, user_id: UserId, *, name: str, language: str, time_zone: str) -> None:
    """What a person may say of himself. Effects: in the caller's transaction."""
    store.archive.conn.execute(
        "update users set name = ?, language = ?, time_zone = ? where id = ?",
        [name, language, time_zone, user_id],
    )


def has_other_admin(store: Store, user_id: UserId) -> bool:
    """Whether somebody else administers who was here, or can sign in with a password."""
    found = store.archive.conn.execute(
        "select 1 from users where is_admin = 1 and deactivated_at is null and id <> ?"
        " and (password_hash is not null or last_seen_at is not null) limit 1",
        [user_id],
    )
    return found.fetchone() is not None


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
    """Effects: the person cannot sign in any more, nor his tokens; in the caller's transaction."""
    conn = store.archive.conn
    conn.execute(
        "update api_tokens set revoked_at = ? where user_id = ? and revoked_at is null",
        [to_seconds(now), user_id],
    )
    conn.execute("update users set deactivated_at = ? where id = ?", [to_seconds(now), user_id])
    conn.execute("delete from sessions where user_id = ?", [user_id])
    conn.execute("delete from sign_in_links where user_id = ?", [user_id])


def reactivate(store: Store, user_id: UserId) -> None:
    """Effects: the person may sign in again; in the caller's transaction."""
    store.archive.conn.execute("update users set deactivated_at = null where id = ?", [user_id])


def put_away(store: Store, user_id: UserId) -> frozenset[str]:
    """The hints that a person does not want to see any more."""
    (names,) = store.archive.conn.execute(
        "select put_away from users where id = ?", [user_id]
    ).fetchone()
    return frozenset(names.split())


def put_hint_away(store: Store, user_id: UserId, hint: str) -> None:
    """Note that a person does not want to see a hint. Effects: may be repeated."""
    names = " ".join(sorted(put_away(store, user_id) | {hint}))
    store.archive.conn.execute("update users set put_away = ? where id = ?", [names, user_id])


# -- roles


def add_role(store: Store, name: str) -> RoleId:
    """A new role. Raises Invalid if there is one of that name.

    The number of a role that was removed is not given again: the audit names roles by it.
    """
    conn = store.archive.conn
    if conn.execute("select 1 from roles where name = ?", [name]).fetchone():
        raise Invalid("name", f"There is a role {name!r} already.")
    added = conn.execute(
        "insert into roles (id, name) select 1 + max("
        " coalesce((select max(id) from roles), 0), coalesce((select"
        "  max(json_extract(detail, '$.id')) from audit where verb = 'remove role'), 0)), ?",
        [name],
    )
    return RoleId(added.lastrowid or 0)


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


def roles_of(store: Store, user_id: UserId) -> list[RoleId]:
    rows = store.archive.conn.execute(
        "select role_id from user_roles where user_id = ? order by role_id", [user_id]
    )
    return [RoleId(row[0]) for row in rows]


def role_uses(store: Store) -> list[RoleUse]:
    """Every role with what hangs on it, by name."""
    rows = store.archive.conn.execute(
        "select r.id, r.name,"
        " (select count(*) from user_roles x join users u on u.id = x.user_id"
        "  where x.role_id = r.id and u.deactivated_at is null),"
        " (select count(*) from record_roles x where x.role_id = r.id),"
        " (select count(*) from message_roles x where x.role_id = r.id)"
        " from roles r order by r.name"
    )
    return [RoleUse(Role(RoleId(row[0]), row[1]), *row[2:]) for row in rows]


def rename_role(store: Store, role_id: RoleId, name: str) -> None:
    """Raises Invalid if another role has the name. Effects: in the caller's transaction."""
    conn = store.archive.conn
    if conn.execute("select 1 from roles where name = ? and id <> ?", [name, role_id]).fetchone():
        raise Invalid("name", f"There is a role {name!r} already.")
    conn.execute("update roles set name = ? where id = ?", [name, role_id])


def kept_for_role(store: Store, role_id: RoleId, *, limit: int) -> list[MessageId]:
    """The messages that a role opens, itself or by a record kept for it, newest first."""
    rows = store.archive.conn.execute(
        "select message_id from message_roles where role_id = :role union"
        " select f.message_id from record_roles x join filings f on f.record_id = x.record_id"
        " where x.role_id = :role order by 1 desc limit :limit",
        {"role": role_id, "limit": limit},
    )
    return [MessageId(row[0]) for row in rows]


def replace_role(store: Store, role_id: RoleId, other: RoleId) -> None:
    """Keep for another role what is kept for this one. Effects: in the caller's transaction."""
    conn = store.archive.conn
    both = {"role": role_id, "other": other}
    conn.execute(
        "insert into index_queue (kind, subject_id)"
        " select 'record', record_id from record_roles where role_id = :role"
        " union all select 'message', f.message_id from record_roles x"
        "   join filings f on f.record_id = x.record_id where x.role_id = :role"
        " union all select 'message', message_id from message_roles where role_id = :role",
        both,
    )
    conn.execute(
        "insert or ignore into record_roles (record_id, role_id)"
        " select record_id, :other from record_roles where role_id = :role",
        both,
    )
    conn.execute("update or ignore message_roles set role_id = :other where role_id = :role", both)
    for table in ("message_roles", "record_roles"):
        conn.execute(f"delete from {table} where role_id = :role", both)


def remove_role(store: Store, role_id: RoleId) -> None:
    """Take a role from everybody and away. Effects: in the caller's transaction."""
    conn = store.archive.conn
    conn.execute("delete from user_roles where role_id = ?", [role_id])
    conn.execute("delete from roles where id = ?", [role_id])


def _give_roles(store: Store, user_id: UserId, roles: Sequence[RoleId]) -> None:
    store.archive.conn.executemany(
        "insert into user_roles (user_id, role_id) values (?, ?)",
        [(user_id, role) for role in dict.fromkeys(roles)],
    )


def user_from(row: tuple[Any, ...]) -> User:
    """The user of a row of COLUMNS."""
    return User(
        UserId(row[0]),
        PublicId(row[1]),
        row[2],
        row[3],
        bool(row[4]),
        maybe_from_seconds(row[5]),
        row[6],
        row[7],
    )
