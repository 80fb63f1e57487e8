"""A line of the audit as a sentence: what its reader may not see is told without its name (R78)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from app.model import (
    Account,
    AccountId,
    MessageId,
    PublicId,
    Record,
    RecordId,
    User,
    UserId,
    Viewer,
)
from app.store import Store, accounts, audit, records, users
from app.store.audit import Line

GROUPS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "filing": (
        "Archiving",
        {
            "archive": "archived {message} to {record}[ for {roles}]",
            "attach": "attached {message} to {record}",
            "detach": "detached {message} from {record}",
            "change access": "kept {message} for {roles_or_all}[ (before: {roles_before})]",
            "set aside": "set {message} aside",
            "take back": "took {message} back into the queue",
            "purge": "removed {purged} for good: {reason}",
        },
    ),
    "sharing": (
        "Access to mailboxes",
        {"share account": "changed who sees {account}[: added {added}][, removed {removed}]"},
    ),
    "mailboxes": (
        "Mailboxes",
        {
            "create account": "made the mailbox {account}[ for {users}]",
            "change account": "changed the settings of {account}",
            "set server": "set the mail server of {account}",
            "set login": "changed the login of {account}",
            "set strict": "bound the members of {account} to what the archive allows",
            "pause account": "paused {account}",
            "resume account": "resumed {account}",
            "close account": "closed {account}",
            "sign in": "signed the mailbox {account} in at its provider",
            "import": "imported a file into {account}",
        },
    ),
    "records": (
        "Records",
        {
            "create record": "made {record}",
            "change record": "changed {record}",
            "change record access": (
                "changed who sees {record}: {access}[ (before: {access_before})]"
            ),
            "archive record": "put {record} away",
            "restore record": "brought {record} back",
            "merge records": "merged {merged} into {record}",
            "remove record": "deleted {removed_record}",
            "create record type": "made the record type {type}",
            "rename record type": "renamed the record type {type} to {plural}",
            "change record type": "changed the record type {type}",
            "archive record type": "put the record type {type} away",
            "restore record type": "brought the record type {type} back",
            "import records": "imported records[ from {file}]",
            "export records": "exported records of the type {type}",
        },
    ),
    "people": (
        "People and roles",
        {
            "create user": "made the user {user}",
            "create link": "made a one-time link for {user}",
            "change user": "changed {user}[: {rights}]",
            "deactivate user": "deactivated {user}",
            "reactivate user": "reactivated {user}",
            "change profile": "changed the own profile",
            "create role": "made the role {role}",
            "rename role": "renamed the role {before} to {name}",
            "remove role": "removed the role {role}[ and put {by_role} in its place]",
        },
    ),
    "signing-in": (
        "Signing in",
        {
            "open session": "signed in",
            "fail sign-in": "failed to sign in[ as {user}]",
            "sign out": "signed out",
            "end session": "ended other sessions of their own",
            "set password": "set a password with a one-time link",
            "change password": "changed the own password",
            "create token": "made the API token {name}",
            "revoke token": "revoked the API token {name}[ of {user}]",
        },
    ),
    "keeping": (
        "Export, upkeep and team",
        {
            "export": "exported what they may read, as {format}[: {query}]",
            "export all": "exported all mail, as {format}",
            "export audit": "exported the audit, as {format}",
            "backup": "backed the archive up",
            "restore": "restored the archive from a backup",
            "verify": "had the archive verified",
            "repair": "had the archive repaired",
            "set up team": "set the team up",
            "set team": "changed the team",
        },
    ),
}
"""The kinds of deeds by their name in addresses; [ ] stands only where all in it is known."""

SENTENCES: Final = {verb: text for _, verbs in GROUPS.values() for verb, text in verbs.items()}
TOLD_FOR: Final = timedelta(days=30)
MOST_CHANGES: Final = 10
_UNKNOWN: Final = "{verb}[: {message}][ {record}][ {account}][ {user}]"
_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")
_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence: our words, or somebody's name, perhaps with a link."""

    text: str
    is_name: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What some lines name, as far as their reader may see it."""

    users: dict[UserId, User]
    roles: dict[int, str]
    accounts: dict[AccountId, Account]
    records: dict[RecordId, Record] = field(default_factory=dict)
    messages: dict[MessageId, PublicId] = field(default_factory=dict)
    hidden: dict[RecordId, PublicId] = field(default_factory=dict)
    reader: UserId | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A line for a page: who, and what in pieces."""

    line: Line
    who: Piece
    what: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.what)


def all_names(store: Store) -> Names:
    """The people, roles and mailboxes: state, which an administrator sees."""
    roles = audit.removed_roles(store) | {int(role.id): role.name for role in users.roles(store)}
    return Names(
        {user.id: user for user in users.every(store)},
        roles,
        {account.id: account for account in accounts.all_accounts(store)},
    )


def told(store: Store, viewer: Viewer, lines: Sequence[Line], known: Names) -> list[Told]:
    """The lines as sentences for this viewer."""
    record_ids = {line.record_id for line in lines if line.record_id is not None}
    seen = records.by_ids(store, viewer, record_ids)
    unseen = records.every(store, record_ids - seen.keys()) if viewer.is_admin else []
    message_ids = [line.message_id for line in lines if line.message_id is not None]
    names = Names(
        known.users,
        known.roles,
        known.accounts,
        seen,
        audit.readable_ids(store, viewer, message_ids),
        {one.id: one.public_id for one in unseen},
        viewer.user_id,
    )
    return [Told(line, _who(line, names), _sentence(line, names)) for line in lines]


def access_given(store: Store, viewer: Viewer, *, now: datetime) -> list[Told]:
    """What others changed lately of who sees the viewer's mailboxes, and he did not put away."""
    lines = audit.access_given(store, viewer, since=now - TOLD_FOR)
    return told(store, viewer, lines, all_names(store)) if lines else []


def access_changes(store: Store, viewer: Viewer, account_id: AccountId) -> list[Told]:
    """Who was let into a mailbox or kept out, the latest first."""
    lines = audit.access_changes(store, account_id, limit=MOST_CHANGES)
    return told(store, viewer, lines, all_names(store)) if lines else []


def _who(line: Line, names: Names) -> Piece:
    if line.user_id is None:
        return Piece("Somebody" if line.address else "The operator")
    return _user(line.user_id, names)


def _sentence(line: Line, names: Names) -> tuple[Piece, ...]:
    values = _values(line, names)

    def kept(found: re.Match[str]) -> str:
        return found[1] if all(values.get(name) for name in _PLACE.findall(found[1])) else ""

    text = _OPTIONAL.sub(kept, _pattern(line))
    pieces: list[Piece] = []
    for number, part in enumerate(_PLACE.split(text)):
        if number % 2:
            pieces += values.get(part) or [Piece("?")]
        elif part:
            pieces.append(Piece(part))
    return tuple(pieces)


def _pattern(line: Line) -> str:
    if line.verb == "share account":
        added, removed = line.detail.get("added"), line.detail.get("removed")
        if added == [line.user_id] and not removed:
            return "gave themselves access to {account}"
        if added and not removed:
            return "gave {added} access to {account}"
        if removed and not added:
            return "took access to {account} from {removed}"
    if line.verb == "set strict" and not line.detail.get("is_strict"):
        return "let the members of {account} read all its mail, archived or not"
    return SENTENCES.get(line.verb, _UNKNOWN)


def _values(line: Line, names: Names) -> dict[str, list[Piece]]:
    """Everything that a sentence may name; what a line does not have is empty."""
    detail = line.detail
    values = {
        name: [Piece(str(detail[name]), is_name=True)]
        for name in (
            "type",
            "plural",
            "role",
            "before",
            "name",
            "reason",
            "format",
            "query",
            "file",
        )
        if detail.get(name)
    }
    for name in ("users", "added", "removed"):
        values[name] = _several([_user(UserId(one), names) for one in _ids(detail, name)])
    for name in ("roles", "roles_before"):
        values[name] = _several([_role(one, names) for one in _ids(detail, name)])
    values |= {
        "verb": [Piece(line.verb)],
        "message": [_message(line, names)] if line.message_id or "message" in detail else [],
        "purged": [Piece(f"message {detail.get('message', '')}")],
        "record": [_record(line.record_id, names)] if line.record_id else [],
        "merged": [_former(line, "merged", names)],
        "removed_record": [_former(line, "removed", names)],
        "account": [_account(line.account_id, names)] if line.account_id else [],
        "user": [_user(UserId(detail["user"]), names)] if detail.get("user") else [],
        "by_role": [_role(detail["by_role"], names)] if detail.get("by_role") else [],
        "roles_or_all": values["roles"] or [Piece("everybody who sees its records")],
        "access": _access(detail, "roles", "users", names),
        "access_before": _access(detail, "roles_before", "users_before", names),
        "rights": _rights(detail, names),
    }
    return values


def _ids(detail: dict[str, Any], name: str) -> list[int]:
    found = detail.get(name, [])
    return [one for one in found if isinstance(one, int)] if isinstance(found, list) else []


def _access(detail: dict[str, Any], roles: str, people: str, names: Names) -> list[Piece]:
    if roles not in detail:
        return []
    some = [_role(one, names) for one in _ids(detail, roles)]
    some += [_user(UserId(one), names) for one in _ids(detail, people)]
    return _several(some) or [Piece("everybody")]


def _rights(detail: dict[str, Any], names: Names) -> list[Piece]:
    """What a change of a person gave and took."""
    if "roles_before" not in detail:
        return []
    now, before = set(_ids(detail, "roles")), set(_ids(detail, "roles_before"))
    changes = [("gave the role", one) for one in sorted(now - before)]
    changes += [("took the role", one) for one in sorted(before - now)]
    pieces = [[Piece(f"{verb} "), _role(one, names)] for verb, one in changes]
    if detail.get("is_admin") != detail.get("was_admin"):
        pieces.append([Piece(f"{'gave' if detail.get('is_admin') else 'took'} administration")])
    if detail.get("name") != detail.get("name_before"):
        pieces.append([Piece("name before: "), Piece(str(detail.get("name_before")), is_name=True)])
    return [part for number, one in enumerate(pieces) for part in _after(number, one)]


def _several(pieces: Sequence[Piece]) -> list[Piece]:
    return [part for number, one in enumerate(pieces) for part in _after(number, [one])]


def _after(number: int, pieces: list[Piece]) -> list[Piece]:
    return [Piece(", "), *pieces] if number else pieces


def _user(user_id: UserId, names: Names) -> Piece:
    found = names.users.get(user_id)
    return Piece(found.name, is_name=True) if found else Piece("somebody who is not there")


def _role(role_id: int, names: Names) -> Piece:
    name = names.roles.get(role_id)
    return Piece(name, is_name=True) if name else Piece("a role that was removed")


def _account(account_id: AccountId, names: Names) -> Piece:
    found = names.accounts.get(account_id)
    if found is None:
        return Piece("a mailbox")
    return Piece(found.address, is_name=True, href=f"/email/accounts/{found.public_id}")


def _record(record_id: RecordId, names: Names) -> Piece:
    found = names.records.get(record_id)
    if found is None:
        hidden = names.hidden.get(record_id)
        href = f"/audit/records/{hidden}" if hidden else ""
        return Piece("a record that you may not see", href=href)
    return Piece(found.name, is_name=True, href=f"/records/{found.type}/{found.public_id}")


def _former(line: Line, name: str, names: Names) -> Piece:
    """A record that is no more, by name for whoever ended it: he saw it."""
    told = line.detail.get(name)
    if isinstance(told, dict) and line.user_id == names.reader:
        return Piece(str(told.get("name")), is_name=True)
    return Piece("another record" if name == "merged" else "a record")


def _message(line: Line, names: Names) -> Piece:
    public_id = names.messages.get(line.message_id) if line.message_id else None
    if public_id is None:
        return Piece("a message")
    return Piece(f"message {public_id}", href=f"/email/messages/{public_id}")
