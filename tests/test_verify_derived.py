"""What archive.db derives from its rows is compared with them, made anew, and never trusted."""

from datetime import UTC, datetime

import pytest

from app import filing
from app.model import RecordId, Viewer
from app.search import search_messages
from app.search.indexer import Indexer
from app.store import Store, archives, queue, record_lists, record_words, visibility
from app.store.archives import Filter
from app.store.derived import differing
from app.verify import repair, scrub, verify
from tests import make
from tests.test_verify_repair import forbidden

DAMAGE = {
    "insert into reach values ('1 all any', 5, 1)": "reach",
    "insert into reach values ('1 all any', 5, 99)": "reach",
    "delete from reach": "reach",
    "update reach set sort_at = sort_at + 1": "reach",
    "update filings set sort_at = 5": "filings",
    "update holdings set is_archived = 0": "holdings",
    "update holdings set is_old = 1": "holdings",
    "update holdings set sort_at = 5": "holdings",
    "delete from holdings where message_id = 1": "holdings",
    "insert into holdings (account_id, message_id, sort_at, downloaded_at, received_at, is_unread,"
    " is_live) values (2, 1, 5, 5, 5, 0, 1)": "holdings",
    "update record_words set scope = 'all'": "record_words",
    "delete from record_words where rowid = 1": "record_words",
    "insert into record_words (rowid, name) values (99, 'beton')": "record_words",
    "update record_words_content set c3 = 'zement'": "record_words",
    "delete from record_words_data where id > 10": "fts5",
}
OPENING = (
    "insert into reach values ('1 all any', 5, 1)",
    "insert into reach values ('2 all any', 5, 1)",
    "update holdings set is_archived = 0, is_unread = 1",
    "update record_words set scope = 'all'",
)
"""What would show Bob the mail, if lists were read from what is derived alone."""


@pytest.fixture
def hidden(store: Store) -> Store:
    """Alice archived the mail of a strict mailbox, that Bob reads too, where only she sees it."""
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    make.deliver(store, make.account(store, alice, bob, is_strict=True), make.mail("Zement"))
    make.account(store, bob, address="bob@firma.pl")
    record = make.record(store, "Los", only_for=(alice,))
    filing.file_message(store, make.viewer(store, alice), 1, record, now=make.NOW)
    Indexer(store).drain()
    return store


@pytest.mark.parametrize("statement", DAMAGE)
def test_what_differs_is_told_and_made_anew(hidden: Store, statement: str) -> None:
    hidden.archive.conn.execute(statement)

    found = verify(hidden)
    night = scrub(hidden, now=datetime(2025, 3, 15, 2, tzinfo=UTC))
    done = repair(hidden, forbidden)

    assert all("`letterbook verify --repair` makes it anew" in fault for fault in found.faults)
    assert any(DAMAGE[statement] in fault for fault in found.faults)
    assert not night.is_good
    assert done.is_derived_anew
    assert done.verified.faults == ()
    assert differing(hidden) == {}
    assert visibility.who_may_read(hidden, 1) == {1}
    assert record_words.begin_with(hidden, make.viewer(hidden, 1), ["los"]) == [1]


def seen(store: Store, viewer: Viewer) -> dict[str, object]:
    """What lists, counts and searches show somebody."""
    only = [
        Filter(),
        Filter(record=RecordId(1)),
        Filter(record_type="companies"),
        Filter(without_record=True),
    ]
    return {
        "archives": [archives.rows(store, viewer, only=one).rows for one in only],
        "few": [archives.few(store, viewer, only=one) for one in only],
        "queue": [
            queue.rows(store, viewer, show=show, now=make.NOW).rows
            for show in ("waiting", "open", "all", "all-open")
        ],
        "counts": record_lists.attached_counts(store, viewer, [RecordId(1)]),
        "records": record_words.begin_with(store, viewer, ["los"]),
        "search": search_messages(store, viewer, "zement").total,
    }


def test_what_is_hidden_stays_so_whatever_the_derived_rows_say(hidden: Store) -> None:
    """A5: each list asks the rule itself for what it found."""
    before = seen(hidden, make.viewer(hidden, 2))

    for statement in OPENING:
        hidden.archive.conn.execute(statement)

    assert seen(hidden, make.viewer(hidden, 2)) == before
    assert before["counts"] == {1: 0}
    assert not any(before["archives"] + before["few"] + before["queue"])
    assert (before["records"], before["search"]) == ([], 0)
    assert seen(hidden, make.viewer(hidden, 1))["search"] == 1


def test_a_sound_archive_differs_in_nothing(hidden: Store) -> None:
    done = repair(hidden, forbidden)

    assert (done.is_derived_anew, done.verified.faults) == (False, ())
    assert done.summary.startswith("No damage was repaired.")
