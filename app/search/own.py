"""The parts of a query that only the viewer's own mailboxes and records can answer.

What he may not see counts as if it did not exist, in what is found and in what is said of it. A
mailbox, folder or record is looked up in the store at once; what the index says of a message in
its mailboxes is put right for those that wait to be indexed.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from app.model import Viewer
from app.search.analysis import fold, words
from app.search.query import Query, joined
from app.search.tokens import Caret
from app.search.tree import And, Field, Held, Ids, Node, Not, Or, Own
from app.store import (
    accounts,
    documents,
    facts,
    record_words,
    threads,
    visibility,
)
from app.store.database import Store

MOST_PENDING = 500
"""Queued changes that are looked at, so that a message that has just been hidden is not counted.

While more wait, the index cannot be believed when it counts: only what is shown is counted then.
"""

_UNREAD = "No message that you may read is called “{}”."


def answerable(store: Store, viewer: Viewer, query: Query) -> Query:
    """The query with tokens and ids in the place of names, and notes on names that are nobody's."""
    if query.ast is None or not any(_has_own(part) for part in query.parts):
        return query
    carets: list[Caret] = []
    parts = tuple(_resolved(store, viewer, part, carets) for part in query.parts)
    return replace(
        query,
        ast=joined(parts),
        parts=parts,
        notes=tuple(dict.fromkeys((*query.notes, *(one.note for one in carets)))),
        carets=(*query.carets, *carets),
    )


def _has_own(node: Node) -> bool:
    match node:
        case And(nodes=nodes) | Or(nodes=nodes):
            return any(_has_own(one) for one in nodes)
        case Not(node=inner) | Field(node=inner):
            return _has_own(inner)
        case _:
            return isinstance(node, Own)


def _resolved(store: Store, viewer: Viewer, node: Node, carets: list[Caret]) -> Node:
    again = partial(_resolved, store, viewer, carets=carets)
    match node:
        case And(nodes=nodes):
            return And(tuple(again(one) for one in nodes))
        case Or(nodes=nodes):
            return Or(tuple(again(one) for one in nodes))
        case Not(node=inner):
            return Not(again(inner))
        case Field(name=name, node=inner):
            return Field(name, again(inner))
        case Own():
            found, note = _answer(store, viewer, node)
            if note:
                carets.append(Caret(node.at, note))
            return found
        case _:
            return node


def _answer(store: Store, viewer: Viewer, node: Own) -> tuple[Node, str]:
    """What an operator stands for with this viewer, and what is to be said of it."""
    value = node.value
    match node.name:
        case "in":
            return _state(store, viewer, "queue"), ""
        case "is":
            return _state(store, viewer, "unread"), ""
        case "account":
            return _told(_accounts(store, viewer, value), "mailbox of yours", value)
        case "folder":
            return _told(_folders(store, viewer, value), "folder of your mailboxes", value)
        case "attached" if value == "none":
            scopes = visibility.scopes_of_viewer(viewer).record
            return Not(Held(scopes, "record_scope")), ""
        case "attached":
            return _told(_records(store, viewer, value), "record that you may see", value)
        case "type-of-record":
            return _told(_types(store, viewer, value), "type of record", value)
        case "thread":
            return _thread(store, viewer, value)


def _told(tokens: Iterable[str], what: str, value: str) -> tuple[Node, str]:
    held = Held(frozenset(tokens))
    return held, "" if held.tokens else f"No {what} is called “{value}”."


def _state(store: Store, viewer: Viewer, state: facts.State) -> Node:
    """As the index says; what waits to be indexed, as the store says."""
    held = Held(frozenset(f"{state}:{one}" for one in viewer.accounts))
    pending = documents.queued(store, limit=MOST_PENDING).message_ids
    if not pending:
        return held
    now = facts.so_now(store, viewer, state, pending)
    return Or((And((held, Not(Ids(frozenset(pending))))), Ids(now)))


def _accounts(store: Store, viewer: Viewer, value: str) -> list[str]:
    asked = fold(value)
    own = [(one.id, fold(one.address)) for one in accounts.of_viewer(store, viewer)]
    whole = [number for number, address in own if address == asked]
    return [f"account:{one}" for one in whole or [n for n, address in own if asked in address]]


def _folders(store: Store, viewer: Viewer, value: str) -> list[str]:
    """By the whole path, its last step or its use ("sent"); else by a part of the path."""
    asked = fold(value)
    own = [(one, fold(name), fold(use)) for one, name, use in facts.folders_of(store, viewer)]
    whole = [
        number
        for number, name, use in own
        if asked in (name, use.removeprefix("\\")) or name.endswith((f"/{asked}", f".{asked}"))
    ]
    return [f"folder:{one}" for one in whole or [n for n, name, _ in own if asked in name]]


def _records(store: Store, viewer: Viewer, value: str) -> list[str]:
    """By the whole name, code or alias; else by the beginnings of its words."""
    name = " ".join(value.split())
    found = facts.records_called(store, viewer, name, fold(name))
    typed = words(name)
    if not found and typed:
        found = record_words.begin_with(store, viewer, typed, limit=facts.MOST_RECORDS)
    return [f"record:{one}" for one in found]


def _types(store: Store, viewer: Viewer, value: str) -> list[str]:
    number = facts.record_type_id(store, value)
    scopes = visibility.scopes_of_viewer(viewer).record
    return [] if number is None else [f"kind:{number} {scope}" for scope in sorted(scopes)]


def _thread(store: Store, viewer: Viewer, value: str) -> tuple[Node, str]:
    found = threads.ids_of(store, viewer, value)
    return Ids(frozenset(found)), "" if found else _UNREAD.format(value)
