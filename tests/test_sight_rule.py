"""A5 in every rendering and on every list of the store, against an oracle written from its text."""

from pathlib import Path

import pytest

from app import filing
from app.model import MessageId, UserId
from app.search import search_messages
from app.search.indexer import Indexer
from app.search.suggest import suggest
from app.sight import may_ask, sight
from app.store import (
    archives,
    filings,
    open_store,
    queue,
    record_lists,
    records,
    threads,
    visibility,
)
from app.store.archives import Filter
from tests import make
from tests.make import NOW
from tests.worlds import VERBS, Mail, World, drawn

MOST = 100


@pytest.fixture(params=range(14))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return drawn(open_store(tmp_path / "data"), request.param)


def test_the_oracle_and_every_rendering_of_the_rule_agree(world: World) -> None:
    """R45: the predicate for one viewer, for everybody, for a plan, the ways and the index's
    tokens are one rule."""
    store = world.store
    scopes = visibility.scopes_of_messages(store, world.ids)

    for user in world.has:
        viewer = make.viewer(store, user)
        own = visibility.scopes_of_viewer(viewer)
        by_index = {
            one
            for one in world.ids
            if set(scopes[one].account) & own.account
            or (set(scopes[one].record) & own.record and set(scopes[one].role) & own.role)
        }
        assert visibility.readable(store, viewer, world.ids) == world.read_by(user)
        assert by_index == world.read_by(user)
    for one, mail in zip(world.ids, world.mails, strict=True):
        expected = {user for user in world.active if world.may_read(user, mail)}
        assert visibility.who_may_read(store, one) == expected
        assert set(visibility.ways(store, one)) == expected


def test_each_way_is_one_by_itself(world: World) -> None:
    """R79: what is said to let somebody read a message does so without all the rest."""
    for one, mail in zip(world.ids, world.mails, strict=True):
        for user, found in visibility.ways(world.store, one).items():
            through = {
                (way.kind, way.record if way.kind == "record" else way.account) for way in found
            }
            expected = {
                (kind, world.boxes[box].id)
                for box in mail.held
                for kind in ("mailbox", "archiver")
                if world.may_read(user, only(mail, kind, box, user, world))
            }
            expected |= {
                ("record", world.records[record])
                for record in mail.under
                if world.may_read(user, Mail(0, under={record}, roles=mail.roles))
            }
            assert through == expected


def test_who_can_see_a_message_is_who_may_read_it_as_far_as_one_may_know(world: World) -> None:
    """R79: everybody whom a mailbox of the asker's or a record that he sees lets in, no more."""
    store = world.store
    for one, mail in zip(world.ids, world.mails, strict=True):
        for user in sorted(u for u in world.active if world.may_read(u, mail)):
            viewer = make.viewer(store, user)
            found = sight(store, viewer, one)
            known = Mail(
                0,
                {box for box in mail.held if user in world.members[box]},
                set(),
                {record for record in mail.under if world.may_see(user, record)},
                mail.roles,
                mail.archiver,
            )

            assert found.own
            assert (found.others is not None) == may_ask(store, viewer, one)
            assert found.others is None or {other.user.id for other in found.others} == {
                other for other in world.active if other != user and world.may_read(other, known)
            }


def only(mail: Mail, kind: str, box: int, user: UserId, world: World) -> Mail:
    """The message as if nothing but this one way led to it."""
    if kind == "archiver":
        is_way = world.strict[box] and mail.archiver == user
        return Mail(0, held={box} if is_way else set(), archiver=mail.archiver)
    is_way = user in world.members[box] and not (world.strict[box] and mail.archiver is not None)
    return Mail(0, held={box} if is_way else set())


def test_a_planned_filing_names_its_readers(world: World) -> None:
    """R44, R63: who could read it is who can, once it is filed so."""
    store, dice = world.store, world.dice
    for one, mail in zip(world.ids, world.mails, strict=True):
        archiver = mail.archiver or dice.choice(sorted(world.active))
        record, roles = dice.randrange(len(world.records)), world.some(world.roles)
        planned = Mail(0, mail.held, set(), mail.under | {record}, roles, archiver)

        found = visibility.readers(
            store,
            one,
            records=[world.records[n] for n in planned.under],
            is_open=False,
            roles=roles,
            archiver=archiver,
        )
        open_to = visibility.readers(
            store, one, records=[], is_open=True, roles=roles, archiver=archiver
        )

        assert found == {user for user in world.active if world.may_read(user, planned)}
        open_planned = Mail(0, mail.held, set(), set(), set(), archiver)
        assert open_to == {
            user
            for user in world.active
            if not roles or roles & world.has[user] or world.may_read(user, open_planned)
        }


def test_every_list_shows_what_the_rule_allows(world: World) -> None:
    """R36, R46, R47, R66: queue, archives, record tab, conversation, counts, suggestions."""
    store = world.store
    for user in world.has:
        viewer, allowed = make.viewer(store, user), world.read_by(user)
        seen = {n for n in range(len(world.records)) if world.may_see(user, n)}

        assert shown(queue.rows(store, viewer, show="all", limit=MOST, now=NOW)) == {
            one
            for one, mail in zip(world.ids, world.mails, strict=True)
            if one in allowed
            and any(
                user in world.members[box] and (mail.archiver is not None or box in mail.live)
                for box in mail.held
            )
        }
        archived = {
            one: mail
            for one, mail in zip(world.ids, world.mails, strict=True)
            if mail.archiver is not None and one in allowed
        }
        assert shown(archives.rows(store, viewer, limit=MOST)) == set(archived)
        for number, record in enumerate(world.records):
            tab = shown(archives.rows(store, viewer, only=Filter(record=record), limit=MOST))
            here = {one for one, mail in archived.items() if number in mail.under}
            assert tab == (here if number in seen else set())
            assert record_lists.attached_counts(store, viewer, [record])[record] == len(here)
        for one, mail in zip(world.ids, world.mails, strict=True):
            others = {
                other
                for other, its in zip(world.ids, world.mails, strict=True)
                if its.thread == mail.thread and {one, other} <= allowed
            }
            assert {found.id for found in threads.thread(store, viewer, one)} == others
        named = filings.records_of(store, viewer, world.ids)
        for one, mail in zip(world.ids, world.mails, strict=True):
            assert {record.id for record in named.get(one, [])} == {
                world.records[number] for number in mail.under & seen
            }


def shown(page: queue.Page) -> set[MessageId]:
    return {row.message.id for row in page.rows}


def test_search_and_suggestions_obey_the_rule_before_and_after_indexing(world: World) -> None:
    """R46: what is hidden is never found; once the index has caught up, all that may be is."""
    store = world.store
    indexer = Indexer(store)
    while indexer.drain():
        pass
    for _ in range(6):
        VERBS[world.seed % len(VERBS)](world, world.dice, store)

    for user in world.has:
        found = search_messages(store, make.viewer(store, user), "beton", limit=MOST)
        hits = {hit.row.message.id for hit in found.hits}
        assert hits <= world.read_by(user)
        assert found.total == len(hits)
    while indexer.drain():
        pass
    for user in world.has:
        viewer, allowed = make.viewer(store, user), world.read_by(user)
        found = search_messages(store, viewer, "beton", limit=MOST)
        assert {hit.row.message.id for hit in found.hits} == allowed
        assert found.total == len(allowed)
        for number, one in enumerate(world.ids):
            offered = suggest(store, viewer, one)
            ids = {world.records.index(suggestion.record.id) for suggestion in offered}
            assert all(world.may_see(user, record) for record in ids)
            assert one in allowed or not offered
            told = {
                world.records.index(suggestion.record.id)
                for suggestion in offered
                if any("conversation" in reason for reason in suggestion.reasons)
            }
            assert told <= {
                record
                for other, mail in zip(world.ids, world.mails, strict=True)
                if other in allowed and mail.thread == world.mails[number].thread
                for record in mail.under
            }


def test_who_could_read_is_what_the_form_says(world: World) -> None:
    """R63: the number that the form shows before it is confirmed."""
    store = world.store
    for one, mail in zip(world.ids, world.mails, strict=True):
        for user in sorted(world.active):
            viewer = make.viewer(store, user)
            seen = records.by_ids(store, viewer, world.records)
            if one not in world.read_by(user) or not seen:
                continue
            record = next(iter(seen.values()))
            number = world.records.index(record.id)
            roles = mail.roles if mail.archiver is not None else set(world.roles[:1])
            planned = Mail(0, mail.held, set(), mail.under | {number}, roles, mail.archiver or user)
            readers = filing.readers(store, viewer, one, record, world.roles[:1])
            assert readers.people == sum(world.may_read(u, planned) for u in world.active)
