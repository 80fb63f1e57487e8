"""What the lists are read from is derived: it stays true whatever people do, and finds the same."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from app import filing
from app.model import MessageId
from app.people import remove_role
from app.records import change_record, draft_of, record_version
from app.store import Store, archives, open_store, queue, records
from app.store.archives import Filter
from tests import make
from tests.make import NOW
from tests.worlds import VERBS, World, drawn

MOST = 100
SEEDS = range(6)


@pytest.fixture(params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return drawn(open_store(tmp_path / "data"), request.param)


def derived(store: Store) -> tuple[list[tuple[object, ...]], ...]:
    conn = store.archive.conn
    return tuple(
        conn.execute(one).fetchall()
        for one in (
            "select token, sort_at, message_id from reach order by 1, 2, 3",
            "select message_id, record_id, sort_at from filings order by 1, 2",
            "select account_id, message_id, is_archived from holdings order by 1, 2",
        )
    )


def made_anew(store: Store) -> tuple[list[tuple[object, ...]], ...]:
    conn = store.archive.conn
    conn.execute("delete from reach")
    conn.execute("insert into reach_stale (message_id) select id from messages")
    conn.execute(
        "update filings set sort_at = (select sort_at from messages m where m.id = message_id)"
    )
    conn.execute(
        "update holdings set is_archived = (select archived_at is not null from messages m"
        " where m.id = message_id)"
    )
    return derived(store)


def test_what_is_derived_stays_as_if_made_anew(world: World) -> None:
    """R47: after whatever people do to records, roles, filings and mailboxes."""
    dice = Random(world.seed)
    for _ in range(3):
        for verb in VERBS:
            verb(world, dice, world.store)

            assert derived(world.store) == made_anew(world.store)


@pytest.mark.parametrize("few", [0, 1_000])
def test_however_a_list_is_read_it_is_the_same(
    world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R46, R47, R53: by what the filter names or by what the viewer reads, page by page."""
    monkeypatch.setattr(archives, "FEW", few)
    monkeypatch.setattr(queue, "FEW", few)
    store = world.store
    for user in world.has:
        viewer, allowed = make.viewer(store, user), world.read_by(user)
        under = {
            one: {number for number in mail.under if world.may_see(user, number)}
            for one, mail in zip(world.ids, world.mails, strict=True)
            if one in allowed and mail.archiver is not None
        }

        assert in_pages(store, viewer, Filter()) == set(under)
        assert in_pages(store, viewer, Filter(without_record=True)) == {
            one for one, numbers in under.items() if not numbers
        }
        for kind in ("companies", "projects"):
            assert in_pages(store, viewer, Filter(record_type=kind)) == {
                one
                for one, numbers in under.items()
                if any(type_of(store, world.records[number]) == kind for number in numbers)
            }
        for number, record in enumerate(world.records):
            assert in_pages(store, viewer, Filter(record=record)) == {
                one for one, numbers in under.items() if number in numbers
            }
        found = [
            {row.message.id for row in queue.rows(store, viewer, show=show, now=NOW).rows}
            for show in ("waiting", "open", "all", "all-open")
        ]
        assert found[0] == found[2] == found[1] | (found[0] & set(under))
        assert found[1] == found[3] == found[0] - set(under)


def type_of(store: Store, record_id: int) -> str:
    row = store.archive.conn.execute(
        "select t.key from records r join record_types t on t.id = r.type_id where r.id = ?",
        [record_id],
    ).fetchone()
    return str(row[0])


def in_pages(store: Store, viewer, only: Filter) -> set[MessageId]:
    """The list of two rows a page, forwards; the same backwards."""
    page = archives.rows(store, viewer, only=only, limit=2)
    pages = [page]
    while page.older:
        page = archives.rows(store, viewer, only=only, before=page.older, limit=2)
        pages.append(page)
    there = [row.message.id for one in pages for row in one.rows]
    back = [row.message.id for row in pages[-1].rows][::-1]
    while page.newer:
        page = archives.rows(store, viewer, only=only, after=page.newer, limit=2)
        back += [row.message.id for row in page.rows][::-1]
    assert there == back[::-1]
    assert len(set(there)) == len(there)
    return set(there)


def test_a_removed_record_s_mail_is_reached_by_it_no_more(store: Store) -> None:
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    make.deliver(store, make.account(store, alice), make.mail())
    (message,) = make.message_ids(store)
    record = make.record(store)
    filing.file_message(store, make.viewer(store, alice), message, record, now=NOW)
    before = archives.rows(store, make.viewer(store, bob)).rows

    store.archive.conn.execute("update records set removed_at = 5")

    assert len(before) == 1
    assert archives.rows(store, make.viewer(store, bob)).rows == ()
    assert derived(store)[0] == []


def test_a_message_that_is_dated_anew_moves_in_every_list(store: Store) -> None:
    alice = make.user(store, "Alice")
    box = make.account(store, alice)
    make.deliver(store, box, make.mail("A", message_id="<a@x>"), make.mail("B", message_id="<b@x>"))
    viewer, record = make.viewer(store, alice), make.record(store)
    for one in make.message_ids(store):
        filing.file_message(store, viewer, one, record, now=NOW)

    store.archive.conn.execute("update messages set sort_at = 5 where subject = 'B'")

    for only in (Filter(record=record), Filter(record_type="companies")):
        rows = archives.rows(store, make.viewer(store, make.user(store, only.record_type or "C")),
                             only=only).rows  # fmt: skip
        assert [row.message.subject for row in rows] == ["A", "B"]
    assert derived(store) == made_anew(store)


def test_each_one_who_is_let_in_costs_a_row_a_message(store: Store) -> None:
    """Or else thirty people at 20,000 mails keep everybody from writing for 20 seconds."""
    alice, foreman = make.user(store, "Alice"), make.role(store, "foreman")
    people = [alice, *(make.user(store, f"U{n}") for n in range(19))]
    mails = [make.mail(message_id=f"<{n}@x>") for n in range(40)]
    make.deliver(store, make.account(store, alice), *mails)
    viewer, number = make.viewer(store, alice), make.record(store)
    for one in make.message_ids(store):
        filing.file_message(store, viewer, one, number, now=NOW)
    conn, most = store.archive.conn, 2 * len(mails)
    costs = []
    for users, roles in ((people, []), (people[:1], [foreman]), (people[:2], []), ([], [])):
        (record,) = records.every(store, [number])
        draft = replace(draft_of(record), users=tuple(users), roles=tuple(roles))
        version, before = record_version(record), conn.total_changes
        change_record(store, viewer, number, draft, version=version, now=NOW)
        costs.append(conn.total_changes - before)

        assert derived(store) == made_anew(store)
    assert costs[0] < len(people) * most
    assert costs[1] < len(people) * most
    assert costs[2] < 4 * most
    assert costs[3] < 5 * most


def test_a_role_s_mail_is_renewed_once_for_the_role_in_its_place(store: Store) -> None:
    alice, mails = make.user(store, "Alice"), 40
    foreman, buyer = make.role(store, "foreman"), make.role(store, "buyer")
    make.deliver(
        store,
        make.account(store, alice),
        *(make.mail(message_id=f"<{n}@x>") for n in range(mails)),
    )
    people = [alice, *(make.user(store, f"U{n}") for n in range(19))]
    number = make.record(store, only_for=tuple(people))
    for n, one in enumerate(make.message_ids(store)):
        roles = [foreman, buyer] if n % 2 else [foreman]
        filing.file_message(store, make.viewer(store, alice), one, number, roles=roles, now=NOW)
    before = store.archive.conn.total_changes

    remove_role(store, foreman, in_its_place=buyer, by=alice, now=NOW)

    assert store.archive.conn.total_changes - before < 3 * mails * len(people)
    assert derived(store) == made_anew(store)
    assert {row[0].split()[2] for row in derived(store)[0]} == {f"role:{buyer}"}
