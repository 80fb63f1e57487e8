"""What was removed from the archive goes from the backup; older snapshots still come back."""

from pathlib import Path

import pytest

from app import people
from app.errors import AuthFailed
from app.model import Account, MessageId
from app.purge import purge_message
from app.store import Store, folders, messages, open_store, reparse, sessions, sweep, visibility
from app.store.database import write
from app.verify import verify
from tests import make
from tests.backups import back, bring_back, deliver, files, remove


@pytest.fixture
def box(store: Store) -> Account:
    box = make.account(store, make.user(store, "Alice"))
    deliver(store, box, 4)
    store.archive.conn.execute("update folders set server_messages = 4, checked_at = 1")
    return box


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def payloads_of(store: Store, subject: str) -> list[bytes]:
    """The stored bytes of the recipe and the text of a message that shares none of them."""
    rows = store.mail.conn.execute(
        "select k.payload from blobs b join blocks k on k.id = b.block_id where b.id in (?, ?)",
        store.archive.conn.execute(
            "select c.id, m.text_blob from copies c join messages m on m.id = c.message_id"
            " where m.subject = ?",
            [subject],
        ).fetchone(),
    )
    return [row[0] for row in rows]


def is_in(dest: Path, payload: bytes) -> bool:
    """Looks for the first bytes of a payload: SQLite puts the rest on pages of their own."""
    return any(payload[:200] in path.read_bytes() for path in dest.glob("mail/*"))


def test_removed_bytes_are_gone_after_the_next_run(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)
    payloads = payloads_of(store, "Mail 1.2")
    assert all(is_in(dest, payload) for payload in payloads)
    remove(store, "Mail 1.2")

    back(store, dest)

    assert len(payloads) == 2
    assert not any(is_in(dest, payload) for payload in payloads)
    assert not (dest / "mail" / "000001.db").exists()


def test_the_id_of_removed_bytes_is_not_given_to_others(
    store: Store, box: Account, dest: Path
) -> None:
    """An older snapshot, brought back, would show these in their place."""
    older = back(store, dest).snapshot.name
    remove(store, "Mail 1.3")
    back(store, dest)
    bring_back(dest, dest.with_name("new"))
    new = open_store(dest.with_name("new"))
    deliver(new, box, 1, seed=2)
    back(new, dest)

    came = bring_back(dest, dest.with_name("older"), name=older)

    assert (came.copies, len(came.gone), came.damaged) == (3, 1, ())
    new.close()


def test_a_segment_without_removed_bytes_stays(store: Store, box: Account, dest: Path) -> None:
    back(store, dest)
    deliver(store, box, 2, seed=2)
    back(store, dest)
    before = files(dest)["mail/000001.db"]
    remove(store, "Mail 2.1")

    back(store, dest)

    assert files(dest)["mail/000001.db"] == before
    assert {path.name for path in dest.glob("mail/*")} == {"000001.db", "000003.db"}


def test_an_older_snapshot_comes_back_and_says_what_is_gone(
    store: Store, box: Account, dest: Path
) -> None:
    older = back(store, dest).snapshot.name
    public_id = make.public_id(store, make.message_ids(store)[2])
    kept = [digest for number, digest in enumerate(copies(store)) if number != 2]
    remove(store, "Mail 1.2")
    back(store, dest)

    came = bring_back(dest, dest.with_name("new"), name=older)

    new = open_store(dest.with_name("new"))
    (ledger,) = folders.ledger(new, box.id)
    assert (came.gone, came.copies, came.damaged) == ((public_id,), 3, ())
    assert copies(new) == kept
    assert (ledger.adds_up, ledger.failed) == (True, 1)
    assert [fault for fault in verify(new).faults if not fault.startswith("index")] == []
    new.close()


def copies(store: Store) -> list[bytes]:
    return [copy.digest for copy in messages.copies_after(store, 0, limit=99)]


@pytest.mark.parametrize("is_swept", [True, False])
def test_what_was_removed_for_good_does_not_come_back_with_an_older_snapshot(
    store: Store, box: Account, dest: Path, is_swept: bool
) -> None:
    admin = make.user(store, "Boss", is_admin=True)
    older = back(store, dest).snapshot.name
    message = make.message_ids(store)[1]
    public_id = make.public_id(store, message)
    purge_message(store, make.viewer(store, admin), public_id, reason="a court", now=make.NOW)
    if is_swept:
        sweep.sweep(store)
    back(store, dest)

    came = bring_back(dest, dest.with_name("new"), name=older)

    new = open_store(dest.with_name("new"))
    assert came.gone == (public_id,)
    assert (came.messages, came.copies, came.damaged) == (3, 3, ())
    (ledger,) = folders.ledger(new, box.id)
    assert ledger.adds_up
    assert (ledger.stored, ledger.skipped, ledger.failed) == (3, 1, 0)
    deliver(new, box, 4)
    assert len(make.message_ids(new)) == 3
    assert [fault for fault in verify(new).faults if "index" not in fault] == []
    new.close()


def test_what_was_removed_after_a_newer_parser_read_it_does_not_come_back(
    store: Store, box: Account, dest: Path
) -> None:
    admin = make.viewer(store, make.user(store, "Boss", is_admin=True))
    store.archive.conn.execute(
        "update messages set identity = zeroblob(16), parser_version = 0 where id = 2"
    )
    older = back(store, dest).snapshot.name
    reparse.reparse(store)
    public_id = make.public_id(store, MessageId(2))
    purge_message(store, admin, public_id, reason="a court", now=make.NOW)
    back(store, dest)

    came = bring_back(dest, dest.with_name("new"), name=older)

    assert (came.gone, came.messages, came.copies) == ((public_id,), 3, 3)


def test_a_message_that_lost_one_of_two_copies_stays(
    store: Store, box: Account, dest: Path
) -> None:
    raw = make.mail("Two copies", text="x" * 200, message_id="<two@x>")
    other = make.account(store, address="boss@firma.pl")
    make.deliver(store, box, raw, first_uid=9)
    make.deliver(store, other, b"Received: by b\r\n" + raw)
    older = back(store, dest).snapshot.name
    last = copies(store)[-1]
    with write(store.mail):
        store.mail.conn.execute("delete from blobs where digest = ?", [last])
    back(store, dest)

    came = bring_back(dest, dest.with_name("new"), name=older)

    new = open_store(dest.with_name("new"))
    assert (came.gone, came.messages, came.copies) == ((), 5, 5)
    (held,) = new.archive.conn.execute(
        "select group_concat(account_id) from holdings where message_id = 5"
    ).fetchone()
    assert held == str(box.id)
    new.close()


def test_text_that_was_swept_is_read_from_the_message_again(
    store: Store, box: Account, dest: Path
) -> None:
    """An older reading's text: the copy itself is whole."""
    raw = (
        b"From: jan@spostex.pl\r\nSubject: HTML\r\nMessage-ID: <h@x>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html\r\n\r\n<p>" + b"Dzien dobry. " * 20 + b"</p>\r\n"
    )
    make.deliver(store, box, raw, first_uid=9)
    older = back(store, dest).snapshot.name
    with write(store.mail):
        store.mail.conn.execute(
            "delete from blobs where id = ?",
            store.archive.conn.execute(
                "select text_blob from messages where subject = 'HTML'"
            ).fetchone(),
        )

    came = bring_back(dest, dest.with_name("new"), name=older)

    new = open_store(dest.with_name("new"))
    assert (came.gone, came.damaged) == ((), ())
    new.close()


def test_nobody_is_signed_in_after_a_restore(store: Store, box: Account, dest: Path) -> None:
    alice = visibility.viewer_of(store, make.user(store, "Bob")).user_id
    sessions.add_session(store, alice, b"s" * 32, address="::1", agent="x", now=make.NOW)
    sessions.add_link(store, alice, b"l" * 32, expires_at=make.NOW, now=make.NOW)
    given = {"name": "ERP", "scopes": ["read"], "days": 1, "now": make.NOW}
    _, token = people.create_token(store, alice, **given)
    back(store, dest)

    bring_back(dest, dest.with_name("new"))

    new = open_store(dest.with_name("new"))
    with pytest.raises(AuthFailed):
        people.viewer_of_token(new, token, address="x", now=make.NOW)
    assert sessions.session(store, b"s" * 32) is not None
    assert sessions.session(new, b"s" * 32) is None
    assert new.archive.conn.execute("select count(*) from sign_in_links").fetchone() == (0,)
    assert people.find_user(new, "alice@firma.pl") is not None
    new.close()
