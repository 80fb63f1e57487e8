"""A message that an administrator removes is gone for good, and stays away."""

import json
from pathlib import Path

import pytest

from app import filing
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.model import MessageId, Viewer
from app.purge import purge_message
from app.search import search_messages
from app.search.indexer import Indexer
from app.store import Store, blobs, folders, messages
from app.transfer import import_mail
from tests import make
from tests.purging import OTHER, SECRET, WORD, fill, remove, sweep_now


@pytest.fixture
def admin(store: Store) -> Viewer:
    """Dora administers; she reads no mailbox."""
    return make.viewer(store, make.user(store, "Dora", is_admin=True))


@pytest.fixture
def filled(store: Store) -> Store:
    return fill(store)


@pytest.fixture
def alice(filled: Store) -> Viewer:
    (user_id,) = filled.archive.conn.execute("select id from users where name = 'Alice'").fetchone()
    return make.viewer(filled, user_id)


# -- the verb


def test_all_that_is_known_of_it_goes_and_the_audit_stays(filled, alice, admin) -> None:
    company = make.record(filled)
    filing.file_message(filled, alice, MessageId(1), company, now=make.NOW)

    public_id = remove(filled, admin)

    with pytest.raises(NotFound):
        messages.get(filled, alice, public_id)
    for table in ("copies", "parts", "holdings", "filings", "message_roles"):
        assert filled.archive.conn.execute(
            f"select count(*) from {table} where message_id = 1"
        ).fetchone() == (0,)
    rows = filled.archive.conn.execute(
        "select verb, user_id, message_id, detail from audit order by id desc limit 2"
    ).fetchall()
    assert [row[:3] for row in rows] == [
        ("purge", admin.user_id, None),
        ("archive", alice.user_id, None),
    ]
    assert json.loads(rows[0][3]) == {"message": public_id, "reason": "Court order 7"}
    assert json.loads(rows[1][3])["message"] == public_id
    assert filled.archive.conn.execute("pragma foreign_key_check").fetchall() == []
    assert filled.archive.conn.execute("select count(*) from thread_references").fetchone() == (1,)


def test_only_administrators_remove(filled, alice) -> None:
    stranger = make.viewer(filled, make.user(filled, "Charlie"))

    with pytest.raises(Forbidden):
        remove(filled, alice)
    with pytest.raises(NotFound):
        remove(filled, stranger)


def test_a_message_id_names_one_message_or_the_ids_of_several(filled, admin) -> None:
    draft = make.mail("Draft", message_id="<other@a>")
    make.deliver(filled, make.account(filled, address="x@y.pl"), draft)

    purge_message(filled, admin, "<secret@a>", reason="Court", now=make.NOW)
    with pytest.raises(Conflict, match=make.public_id(filled, MessageId(3))):
        purge_message(filled, admin, "other@a", reason="Court", now=make.NOW)
    with pytest.raises(NotFound):
        purge_message(filled, admin, "<secret@a>", reason="Court", now=make.NOW)

    assert make.message_ids(filled) == [2, 3]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_required(filled, admin, reason: str) -> None:
    with pytest.raises(Invalid):
        purge_message(
            filled, admin, make.public_id(filled, MessageId(1)), reason=reason, now=make.NOW
        )

    assert make.message_ids(filled) == [1, 2]


def test_an_id_is_not_given_to_another_message(filled, admin) -> None:
    remove(filled, admin, 2)
    make.deliver(filled, make.account(filled), make.mail("New", message_id="<new@a>"))

    assert make.message_ids(filled) == [1, 3]


def test_a_search_finds_it_no_more(filled, alice, admin) -> None:
    assert search_messages(filled, alice, WORD).total == 1

    remove(filled, admin)

    assert search_messages(filled, alice, WORD).total == 0
    Indexer(filled).drain()
    assert search_messages(filled, alice, WORD).total == 0


# -- it does not come back


@pytest.mark.parametrize("again", [SECRET, b"Received: from elsewhere\r\n" + SECRET])
@pytest.mark.parametrize("is_swept", [False, True])
def test_it_is_not_stored_again_and_the_ledger_adds_up(
    filled, admin, again: bytes, is_swept: bool
) -> None:
    remove(filled, admin)
    if is_swept:
        sweep_now(filled)
    box = make.account(filled, address="boss@firma.pl", host=None)
    stored = list(blobs.ids(filled))

    done = make.deliver(filled, box, again, make.mail("New", message_id="<3@a>"))

    assert (done.stored, done.known, done.skipped) == (1, 0, 1)
    assert len(list(blobs.ids(filled))) == len(stored) + 2
    (ledger,) = folders.ledger(filled, box.id)
    assert (ledger.seen, ledger.stored, ledger.skipped, ledger.purged) == (2, 1, 1, 1)
    assert ledger.adds_up


def test_the_ledger_adds_up_where_it_lay(filled, admin) -> None:
    remove(filled, admin)

    (ledger,) = folders.ledger(filled, 1)

    assert (ledger.seen, ledger.stored, ledger.skipped, ledger.adds_up) == (2, 1, 1, True)


def test_an_import_counts_it_as_skipped(filled, admin, tmp_path: Path) -> None:
    remove(filled, admin)
    for number, raw in enumerate((SECRET, OTHER, make.mail("New", message_id="<3@a>"))):
        (tmp_path / f"{number}.eml").write_bytes(raw)

    done = import_mail(
        filled, tmp_path, make.account(filled, address="x@y.pl").id, folder="Old", now=make.NOW
    )

    assert (done.read, done.stored, done.known, done.skipped, done.failed) == (3, 1, 1, 1, ())


def test_importing_it_again_and_again_counts_it_once(filled, admin, tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(SECRET)
    box = make.account(filled, address="x@y.pl", host=None).id
    import_mail(filled, tmp_path, box, folder="Old", now=make.NOW)
    remove(filled, admin)

    again = [import_mail(filled, tmp_path, box, folder="Old", now=make.NOW) for _ in range(2)]

    assert [(done.read, done.skipped) for done in again] == [(1, 1), (1, 1)]
    (ledger,) = folders.ledger(filled, box)
    assert (ledger.seen, ledger.skipped, ledger.purged, ledger.adds_up) == (1, 1, 1, True)
    (tmp_path / "2.eml").write_bytes(make.mail("New", message_id="<3@a>"))
    assert import_mail(filled, tmp_path, box, folder="Old", now=make.NOW).stored == 1


def test_a_message_of_the_same_id_and_other_content_is_kept(filled, admin) -> None:
    remove(filled, admin)

    again = SECRET.replace(b"nic innego", b"co innego")
    done = make.deliver(filled, make.account(filled, address="x@y.pl"), again)

    assert done.stored == 1
