"""Archives and a record's tab (R47, R53, R58, A5, A9), and what the filters keep."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from app import filing, mailboxes
from app.model import Account, MessageId, RecordId, Row, UserId
from app.store import Store, archives, queue
from app.store.archives import Filter
from tests import make
from tests.make import NOW

ALL = Filter()


@dataclass(frozen=True)
class Office:
    """Alice's mailbox holds four messages; Bob reads by records only."""

    alice: UserId
    bob: UserId
    box: Account
    company: RecordId
    project: RecordId
    secret: RecordId
    ids: list[MessageId]


@pytest.fixture
def office(store: Store) -> Office:
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    box = make.account(store, alice)
    mails = [
        make.mail(f"Mail {n}", message_id=f"<{n}@x>", date=f"Fri, 14 Mar 2025 08:00:{n:02} +0000")
        for n in range(4)
    ]
    make.deliver(store, box, *mails)
    return Office(
        alice,
        bob,
        box,
        make.record(store, "Spostex S.A."),
        make.record(store, "Playground", record_type="projects"),
        make.record(store, "Board", record_type="projects", only_for=(alice,)),
        make.message_ids(store),
    )


def file(store: Store, office: Office, *places: tuple[int, RecordId]) -> None:
    viewer = make.viewer(store, office.alice)
    for later, (number, record) in enumerate(places):
        at = NOW + timedelta(seconds=later)
        filing.file_message(store, viewer, office.ids[number], record, now=at)


def subjects(rows: tuple[Row, ...]) -> list[str]:
    return [row.message.subject for row in rows]


def found(store: Store, user: UserId, only: Filter = ALL) -> list[str]:
    return subjects(archives.rows(store, make.viewer(store, user), only=only).rows)


def test_archives_hold_what_is_archived_with_all_the_visible_places(store, office) -> None:
    """R47, R58: in the order of filing, and only places that the viewer may see."""
    file(store, office, (0, office.secret), (0, office.company), (0, office.project))

    (own,) = archives.rows(store, make.viewer(store, office.alice)).rows
    (others,) = archives.rows(store, make.viewer(store, office.bob)).rows

    assert [one.name for one in own.attached_to] == ["Board", "Spostex S.A.", "Playground"]
    assert [one.name for one in others.attached_to] == ["Spostex S.A.", "Playground"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_archives_are_paged_both_ways_without_gap_or_overlap(store, office, limit: int) -> None:
    file(store, office, *((n, office.company) for n in range(4)))
    viewer = make.viewer(store, office.bob)
    pages, back = [archives.rows(store, viewer, limit=limit)], []

    while pages[-1].older:
        pages.append(archives.rows(store, viewer, before=pages[-1].older, limit=limit))
    page = pages[-1]
    while page.newer:
        page = archives.rows(store, viewer, after=page.newer, limit=limit)
        back.append(page)

    assert [one for page in pages for one in subjects(page.rows)] == [
        "Mail 3", "Mail 2", "Mail 1", "Mail 0",
    ]  # fmt: skip
    assert [subjects(one.rows) for one in back[::-1]] == [subjects(one.rows) for one in pages[:-1]]


def test_filters_count_visible_records_only(store, office) -> None:
    """R47: by type, by record, and what lies under no record that the viewer may see."""
    bobs = make.account(store, office.bob, address="bob@firma.pl")
    make.deliver(store, bobs, make.mail("Mail 1", message_id="<1@x>",
                 date="Fri, 14 Mar 2025 08:00:01 +0000"))  # fmt: skip
    file(store, office, (0, office.company), (1, office.secret), (2, office.project))

    assert found(store, office.bob) == ["Mail 2", "Mail 1", "Mail 0"]
    assert found(store, office.bob, Filter(record_type="companies")) == ["Mail 0"]
    assert found(store, office.bob, Filter(record_type="projects")) == ["Mail 2"]
    assert found(store, office.bob, Filter(record=office.project)) == ["Mail 2"]
    assert found(store, office.bob, Filter(record=office.secret)) == []
    assert found(store, office.bob, Filter(without_record=True)) == ["Mail 1"]
    assert found(store, office.alice, Filter(record_type="projects")) == ["Mail 2", "Mail 1"]
    assert found(store, office.alice, Filter(without_record=True)) == []


def test_a_record_s_tab_holds_what_is_attached_there_and_may_be_read(store, office) -> None:
    """R62, R63, R66."""
    foreman = make.role(store, "foreman")
    viewer = make.viewer(store, office.alice)
    file(store, office, (0, office.company), (1, office.project))
    filing.file_message(store, viewer, office.ids[2], office.company, roles=[foreman], now=NOW)

    assert found(store, office.alice, Filter(record=office.company)) == ["Mail 2", "Mail 0"]
    assert found(store, office.bob, Filter(record=office.company)) == ["Mail 0"]


def test_the_archive_keeps_what_the_server_lost_and_what_left_the_queue(store, office) -> None:
    """R4, R53: whatever its age."""
    file(store, office, (0, office.company))
    store.archive.conn.execute("update holdings set is_live = 0, downloaded_at = 0")

    assert found(store, office.alice) == ["Mail 0"]
    assert queue.rows(store, make.viewer(store, office.alice), show="all", now=NOW).rows == ()


def test_the_strict_switch_binds_members_at_once_and_lets_them_in_again(store, office) -> None:
    """A5: queue and archive follow the switch, for archived mail only."""
    carol = make.user(store, "Carol")
    admin = make.viewer(store, make.user(store, "Dora", is_admin=True))
    people = [office.alice, carol]
    file(store, office, (0, office.secret))

    def seen() -> tuple[list[str], list[str]]:
        rows = queue.rows(store, make.viewer(store, carol), now=NOW).rows
        return subjects(rows), found(store, carol)

    def switch(*, is_strict: bool) -> None:
        mailboxes.share(store, admin, office.box.id, people, is_strict=is_strict, now=NOW)

    switch(is_strict=False)
    usual = seen()
    switch(is_strict=True)
    bound = seen()
    switch(is_strict=False)

    assert usual == (["Mail 3", "Mail 2", "Mail 1", "Mail 0"], ["Mail 0"])
    assert bound == (["Mail 3", "Mail 2", "Mail 1"], [])
    assert seen() == usual
    assert found(store, office.alice) == ["Mail 0"]


def test_the_strict_switch_is_audited_when_it_changes(store, office) -> None:
    """A5, R69."""
    admin = make.viewer(store, make.user(store, "Dora", is_admin=True))

    for is_strict in (False, True, True, False):
        mailboxes.share(store, admin, office.box.id, [office.alice], is_strict=is_strict, now=NOW)

    noted = store.archive.conn.execute(
        "select user_id, detail from audit where verb = 'set strict' and account_id = ?",
        [office.box.id],
    ).fetchall()
    assert noted == [
        (admin.user_id, '{"is_strict": true}'),
        (admin.user_id, '{"is_strict": false}'),
    ]
