"""The one rule of who may read what (product.md A5), as SQL and as tokens for the index.

may_read(U, m) = U is a member of a mailbox that holds m, unless every such mailbox is strict and
m is archived; or a strict mailbox holds m and U archived it; or the roles of m are empty or U has
one, and U may see at least one record that m is attached to.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from app.model import AccountId, MessageId, RecordId, RoleId, UserId, Viewer
from app.store.database import Store

_RECORD: Final = """(r.removed_at is null and (
  (not exists (select 1 from record_roles x where x.record_id = r.id)
   and not exists (select 1 from record_users x where x.record_id = r.id))
  or exists (select 1 from record_roles x where x.record_id = r.id and x.role_id in {roles})
  or exists (select 1 from record_users x where x.record_id = r.id and x.user_id = {user})
))"""
"""Whether somebody may see record `r`, which nobody may once it is removed."""

_ROLES: Final = """(
  not exists (select 1 from message_roles x where x.message_id = m.id)
  or exists (select 1 from message_roles x where x.message_id = m.id and x.role_id in {roles})
)"""

Kind = Literal["mailbox", "archiver", "record"]

_WAYS: Final[dict[Kind, tuple[str, str, str]]] = {
    "mailbox": (
        "h.account_id",
        "holdings h join accounts a on a.id = h.account_id",
        "h.message_id = m.id and h.account_id in {accounts}"
        " and (a.is_strict = 0 or m.archived_at is null)",
    ),
    "archiver": (
        "h.account_id",
        "holdings h join accounts a on a.id = h.account_id",
        "m.archived_by = {user} and h.message_id = m.id and a.is_strict = 1",
    ),
    "record": (
        "r.id",
        "filings f join records r on r.id = f.record_id",
        f"f.message_id = m.id and {_RECORD} and {_ROLES}",
    ),
}
"""The rule: the ways from somebody to message `m`. He may read it who has one.

Each is the mailbox or record that it leads through, where that is found, and on what condition.
"""

_MAY_READ: Final = (
    "("
    + " or ".join(
        f"exists (select 1 from {places} where {condition})"
        for _, places, condition in _WAYS.values()
    )
    + ")"
)
_VIEWER: Final = {
    "user": ":user_id",
    "roles": "(select value from json_each(:roles))",
    "accounts": "(select value from json_each(:accounts))",
}
_ANYBODY: Final = {
    "user": "u.id",
    "roles": "(select y.role_id from user_roles y where y.user_id = u.id)",
    "accounts": "(select y.account_id from account_users y where y.user_id = u.id)",
}
_NEW_RECORD: Final = RecordId(0)
"""A record that is not there yet: without roles and people of its own, so open to everybody."""

RECORD_VISIBLE: Final = _RECORD.format(**_VIEWER)
"""Whether the viewer may see record `r`; takes the parameters of `viewer_parameters`."""

READABLE: Final = _MAY_READ.format(**_VIEWER)
"""Whether the viewer may read message `m`; takes the parameters of `viewer_parameters`."""

_READERS: Final = (
    "select u.id from messages m cross join users u"
    f" where m.id = :message_id and u.deactivated_at is null and {_MAY_READ.format(**_ANYBODY)}"
)


@dataclass(frozen=True, slots=True)
class Way:
    """What lets somebody read a message: the mailbox (`account`) or the `record` it leads through.

    "archiver": he archived it from that strict mailbox.
    """

    kind: Kind
    account: AccountId | None = None
    record: RecordId | None = None


@dataclass(frozen=True, slots=True)
class Scopes:
    """The tokens of a message: found by whoever holds one of `account`, or one of each other."""

    account: tuple[str, ...]
    record: tuple[str, ...]
    role: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViewerScopes:
    """The tokens that a viewer holds."""

    account: frozenset[str]
    record: frozenset[str]
    role: frozenset[str]


def viewer_of(store: Store, user_id: UserId) -> Viewer:
    """The viewer that a user is now: his roles and mailboxes are read anew."""
    conn = store.archive.conn
    (is_admin,) = conn.execute("select is_admin from users where id = ?", [user_id]).fetchone()
    roles = conn.execute("select role_id from user_roles where user_id = ?", [user_id])
    accounts = conn.execute("select account_id from account_users where user_id = ?", [user_id])
    return Viewer(
        user_id,
        frozenset(RoleId(row[0]) for row in roles),
        frozenset(AccountId(row[0]) for row in accounts),
        bool(is_admin),
    )


def viewer_parameters(viewer: Viewer) -> dict[str, object]:
    """The named parameters that RECORD_VISIBLE and READABLE take."""
    return {
        "user_id": viewer.user_id,
        "roles": json.dumps(sorted(viewer.roles)),
        "accounts": json.dumps(sorted(viewer.accounts)),
    }


def readable(store: Store, viewer: Viewer, ids: Iterable[MessageId]) -> set[MessageId]:
    """Those of the messages that the viewer may read."""
    rows = store.archive.conn.execute(
        "select m.id from json_each(:ids) wanted join messages m on m.id = wanted.value"
        f" where {READABLE}",
        viewer_parameters(viewer) | {"ids": json.dumps(list(ids))},
    )
    return {MessageId(row[0]) for row in rows}


def readers(
    store: Store,
    message_id: MessageId,
    *,
    records: Iterable[RecordId],
    is_open: bool,
    roles: Iterable[RoleId],
    archiver: UserId,
) -> set[UserId]:
    """Who could read the message, archived by `archiver` under these records and for these roles.

    `is_open`: it lies under a record too that everybody may see. Active people only.
    """
    under = [*records, *([_NEW_RECORD] if is_open else [])]
    rows = store.archive.conn.execute(
        # What is planned stands in the place of what the tables say.
        "with messages as (select :message_id as id, 1 as archived_at, :archiver as archived_by),"
        " filings as (select :message_id as message_id, value as record_id"
        "   from json_each(:records)),"
        " records as (select id, removed_at from main.records"
        "   where id in (select value from json_each(:records))"
        f"   union all select {_NEW_RECORD}, null),"
        " message_roles as (select :message_id as message_id, value as role_id"
        f"   from json_each(:roles)) {_READERS}",
        {
            "message_id": message_id,
            "archiver": archiver,
            "roles": json.dumps(list(roles)),
            "records": json.dumps(under),
        },
    )
    return {UserId(row[0]) for row in rows}


def who_may_read(store: Store, message_id: MessageId) -> set[UserId]:
    """The active people who may read the message as it is now."""
    rows = store.archive.conn.execute(_READERS, {"message_id": message_id})
    return {UserId(row[0]) for row in rows}


def ways(store: Store, message_id: MessageId) -> dict[UserId, list[Way]]:
    """Who may read the message now, active people only, and everything that lets them."""
    found: dict[UserId, list[Way]] = {}
    for kind, (through, places, condition) in _WAYS.items():
        rows = store.archive.conn.execute(
            f"select u.id, {through} from messages m cross join users u cross join {places}"
            f" where m.id = :message_id and u.deactivated_at is null"
            f" and {condition.format(**_ANYBODY)} order by 1, 2",
            {"message_id": message_id},
        )
        for user_id, one in rows:
            way = Way(kind, record=one) if kind == "record" else Way(kind, account=one)
            found.setdefault(UserId(user_id), []).append(way)
    return found


def scopes_of_viewer(viewer: Viewer) -> ViewerScopes:
    user = f"user:{viewer.user_id}"
    roles = {f"role:{role}" for role in viewer.roles}
    return ViewerScopes(
        account=frozenset({user} | {f"account:{account}" for account in viewer.accounts}),
        record=frozenset({"all", user} | roles),
        role=frozenset({"any"} | roles),
    )


def scopes_of_messages(store: Store, ids: Iterable[MessageId]) -> dict[MessageId, Scopes]:
    """The tokens by which the index finds each message for those who may read it."""
    wanted = list(ids)
    asked = {"ids": json.dumps(wanted)}
    account: dict[int, list[str]] = {message_id: [] for message_id in wanted}
    record: dict[int, set[str]] = {message_id: set() for message_id in wanted}
    role: dict[int, list[str]] = {message_id: [] for message_id in wanted}
    conn = store.archive.conn
    for message_id, account_id, is_strict, archived_at, archived_by in conn.execute(
        # Cross joins keep this order: the planner would begin with every holding of an account.
        "select m.id, a.id, a.is_strict, m.archived_at, m.archived_by"
        " from json_each(:ids) wanted cross join messages m on m.id = wanted.value"
        " cross join holdings h on h.message_id = m.id"
        " cross join accounts a on a.id = h.account_id",
        asked,
    ):
        if not is_strict or archived_at is None:
            account[message_id].append(f"account:{account_id}")
        elif archived_by is not None:
            account[message_id].append(f"user:{archived_by}")
    filed = conn.execute(
        "select f.message_id, f.record_id from filings f join records r on r.id = f.record_id"
        " where r.removed_at is null and f.message_id in (select value from json_each(:ids))",
        asked,
    ).fetchall()
    for message_id, record_id in filed:
        record[message_id].update(scopes_of_record(store, RecordId(record_id)))
    for message_id, role_id in conn.execute(
        "select message_id, role_id from message_roles"
        " where message_id in (select value from json_each(:ids))",
        asked,
    ):
        role[message_id].append(f"role:{role_id}")
    return {
        one: Scopes(
            tuple(dict.fromkeys(account[one])),
            tuple(sorted(record[one])),
            tuple(role[one]) or ("any",),
        )
        for one in wanted
    }


def scopes_of_record(store: Store, record_id: RecordId) -> tuple[str, ...]:
    """The tokens of those who may see a record: ("all",), or its roles and users."""
    rows = store.archive.conn.execute(
        "select 'role:' || role_id from record_roles where record_id = :id"
        " union all select 'user:' || user_id from record_users where record_id = :id",
        {"id": record_id},
    )
    return tuple(row[0] for row in rows) or ("all",)
