"""Records as other systems push them: many at once, each with an outcome of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from app.errors import Conflict, Invalid
from app.model import Record, Viewer
from app.records.draft import record_version
from app.records.verbs import Outcome, Pushed, push_record
from app.store import Store, records, transaction
from app.store.database import attempt

AT_ONCE: Final = 100
"""Pushes in one transaction: other people's clicks wait for no more."""


@dataclass(frozen=True, slots=True)
class Push:
    """A record that is pushed; with `version`, only where it is as it was then.

    "*" stands for any version.
    """

    record_type: str
    pushed: Pushed
    version: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The record as it is now, and what was done to it."""

    record: Record
    outcome: Outcome


def push_records(
    store: Store, viewer: Viewer, pushes: Sequence[Push], *, now: datetime
) -> list[Done | Invalid | Conflict]:
    """Make or change each record as `upsert_record` does, or say why not, in order.

    Invalid also for a record that the viewer could not see any more himself, Conflict for one
    that is not as `version` says. Effects: a transaction for each hundred, audited; may be
    repeated.
    """
    waiting, done = iter(pushes), list[Done | Invalid | Conflict]()
    while some := list(islice(waiting, AT_ONCE)):
        with transaction(store):
            done += _push_each(store, viewer, some, now)
    return done


def _push_each(
    store: Store, viewer: Viewer, pushes: Sequence[Push], now: datetime
) -> Iterator[Done | Invalid | Conflict]:
    for push in pushes:
        try:
            with attempt(store):
                done: Done | Invalid | Conflict = _push(store, viewer, push, now)
        except (Invalid, Conflict) as exc:
            done = exc
        yield done


def _push(store: Store, viewer: Viewer, push: Push, now: datetime) -> Done:
    if push.version:
        _require_version(store, viewer, push)
    record_id, outcome = push_record(
        store, viewer, record_type=push.record_type, pushed=push.pushed, now=now
    )
    found = records.by_ids(store, viewer, [record_id]).get(record_id)
    if found is None:
        raise Invalid(
            "roles",
            "Saved so, you could not see this record any more yourself. Add one of your roles, or"
            " yourself to its users.",
        )
    return Done(found, outcome)


def _require_version(store: Store, viewer: Viewer, push: Push) -> None:
    external_id = push.pushed.external_id
    known = records.known_as(
        store, viewer, "external id", external_id, record_type=push.record_type
    )
    if not any(push.version in (record_version(one), "*") for one in known):
        raise Conflict("It is not as it was when you read it. Read it again, then send it anew.")
