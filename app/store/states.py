"""How the checks of a mailbox fare and when it is looked at again: rows, so a restart keeps it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.model import AccountId, AuthType, PublicId, Viewer
from app.store.database import Store, from_seconds, maybe_from_seconds, to_seconds

Trouble = Literal["", "passing", "settings", "login", "sign-in"]
"""What keeps a mailbox from being read. passing: mends itself; settings: goes on by itself once
somebody put the server or its certificate right; login: refused; sign-in: allowed no more."""

SYNCED = "host is not null and paused_at is null and closed_at is null"
"""Which accounts the worker looks at."""

FARTHEST_AHEAD = timedelta(days=2)
"""No check is due later, and no server waited for longer."""

READY = f"{SYNCED} and halted_at is null and (auth_type = 'password' or sealed_tokens is not null)"
"""Those of them that it may sign in to."""


@dataclass(frozen=True, slots=True)
class State:
    """A mailbox as the last check left it.

    `failures` in a row since `failing_since`, `refusals` of them of the login. `halted_at`: not
    looked at until somebody edits it. `wait_until`: the server wants to be left alone. `edits`
    counts how often somebody typed its settings.
    """

    trouble: Trouble = ""
    failures: int = 0
    refusals: int = 0
    failing_since: datetime | None = None
    halted_at: datetime | None = None
    wait_until: datetime | None = None
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Halted:
    """A mailbox that needs somebody: a banner for its users."""

    public_id: PublicId
    address: str
    trouble: Trouble
    is_shared: bool
    auth_type: AuthType


def of(store: Store, account_id: AccountId) -> State:
    row = store.archive.conn.execute(
        "select trouble, failures, refusals, failing_since, halted_at, wait_until, edits"
        " from accounts where id = ?",
        [account_id],
    ).fetchone()
    return State(
        trouble=row[0],
        failures=row[1],
        refusals=row[2],
        failing_since=maybe_from_seconds(row[3]),
        halted_at=maybe_from_seconds(row[4]),
        wait_until=maybe_from_seconds(row[5]),
        edits=row[6],
    )


def keep(store: Store, account_id: AccountId, state: State, *, due_at: datetime) -> bool:
    """Keep what a check came to; False, and nothing kept, if the settings were typed meanwhile.

    Then the check was made with others, and the mailbox is looked at again at once.
    """
    kept = store.archive.conn.execute(
        "update accounts set trouble = ?, failures = ?, refusals = ?, failing_since = ?,"
        " halted_at = ?, wait_until = ?, due_at = ? where id = ? and edits = ?",
        [
            state.trouble,
            state.failures,
            state.refusals,
            *map(
                _maybe_seconds,
                (state.failing_since, state.halted_at, state.wait_until, due_at),
            ),
            account_id,
            state.edits,
        ],
    )
    if not kept.rowcount:
        store.archive.conn.execute("update accounts set due_at = 0 where id = ?", [account_id])
    return bool(kept.rowcount)


def renew(
    store: Store, account_id: AccountId, *, is_elsewhere: bool = False, now: datetime
) -> None:
    """Somebody typed the settings or signed in anew: what was wrong before counts no more.

    What a server asked for holds, unless the mailbox `is_elsewhere` now. Effects: inside the
    caller's transaction; the worker looks at the mailbox at once.
    """
    store.archive.conn.execute(
        "update accounts set trouble = '', failures = 0, refusals = 0, failing_since = null,"
        " halted_at = null, wait_until = case when ? then null else wait_until end,"
        " due_at = ?, edits = edits + 1 where id = ?",
        [is_elsewhere, to_seconds(now), account_id],
    )


def next_try_at(store: Store, account_id: AccountId) -> datetime | None:
    """When the worker looks at a mailbox next; None: it does not."""
    row = store.archive.conn.execute(
        f"select max(due_at, coalesce(wait_until, 0)) from accounts where id = ? and {READY}",
        [account_id],
    ).fetchone()
    return None if row is None else from_seconds(row[0])


def halted(store: Store, viewer: Viewer) -> list[Halted]:
    """The mailboxes that need somebody: the viewer's own, and all for administrators (R78)."""
    rows = store.archive.conn.execute(
        "select public_id, address, trouble,"
        " (select count(*) from account_users u where u.account_id = a.id) <> 1, auth_type"
        f" from accounts a where {SYNCED} and halted_at is not null"
        " and (:is_admin or id in (select value from json_each(:accounts))) order by address",
        {"is_admin": viewer.is_admin, "accounts": json.dumps(sorted(viewer.accounts))},
    )
    return [Halted(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]


def _maybe_seconds(moment: datetime | None) -> int | None:
    return None if moment is None else to_seconds(moment)
