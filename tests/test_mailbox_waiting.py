"""What waits on a mailbox's way: typed passwords, tests, uploaded files, imported folders."""

from dataclasses import replace

import pytest

from app import mailboxes
from app.errors import Forbidden, Invalid
from app.mailboxes import Wanted
from app.model import Viewer
from app.store import Store, folders, jobs, kept
from app.store.folders import Listed
from app.store.secrets import load_key
from tests import make
from tests.make import NOW

WANTED = Wanted(address="office@firma.pl", host="imap.firma.pl", login="office", port=993)


@pytest.fixture
def admin(store: Store) -> Viewer:
    return make.viewer(store, make.user(store, "Anna", is_admin=True))


@pytest.fixture
def bob(store: Store) -> Viewer:
    return make.viewer(store, make.user(store, "Bob"))


def test_a_kept_password_is_sealed_for_its_person_and_ten_minutes(store, admin, bob) -> None:
    key = load_key(store.directory)
    token = mailboxes.keep_password(store, bob, "pass word", key=key, now=NOW)

    later = NOW + mailboxes.probe.KEPT_FOR

    assert mailboxes.kept_password(store, bob, token, key=key, now=NOW) == "pass word"
    assert mailboxes.kept_password(store, admin, token, key=key, now=NOW) == ""
    assert mailboxes.kept_password(store, bob, token, key=key, now=later) == ""
    kept.drop_old(store, now=NOW + mailboxes.probe.KEPT_FOR)
    assert store.archive.conn.execute("select count(*) from kept_passwords").fetchone() == (0,)


def test_the_database_holds_no_password_of_a_test(store, bob) -> None:
    key = load_key(store.directory)
    wanted = replace(WANTED, users=(bob.user_id,))

    asked = mailboxes.request_test(
        store,
        bob,
        wanted,
        "canary word",
        key=key,
        is_typed=True,
        public_only=True,
        now=NOW,
        action="/x",
        typed={},
    )
    job = jobs.claim(store, now=NOW)
    assert job is not None
    password = mailboxes.asked_test(job, key=key).password
    jobs.finish(store, job, result="[]", error=None, now=NOW)

    assert password == "canary word"
    files = [path.read_bytes() for path in store.directory.glob("archive.db*")]
    assert files
    assert not any(b"canary" in content for content in files)
    assert "sealed" not in jobs.arguments(store, bob, asked, "test")


def test_a_test_that_waited_too_long_is_void_and_its_password_wiped(store, bob) -> None:
    key = load_key(store.directory)
    wanted = replace(WANTED, users=(bob.user_id,))
    asked = mailboxes.request_test(
        store,
        bob,
        wanted,
        "x",
        key=key,
        is_typed=False,
        public_only=True,
        now=NOW,
        action="/x",
        typed={},
    )

    jobs.void_old_tests(store, now=NOW + jobs.TEST_WITHIN * 2)

    assert jobs.result(store, bob, asked).is_error
    assert "sealed" not in jobs.arguments(store, bob, asked, "test")


def test_a_saved_password_is_not_kept_for_the_form(store, bob) -> None:
    key = load_key(store.directory)

    token = mailboxes.request_test(
        store,
        bob,
        WANTED,
        "saved",
        key=key,
        is_typed=False,
        public_only=True,
        now=NOW,
        action="/x",
        typed={},
    )

    assert mailboxes.kept_password(store, bob, token, key=key, now=NOW) == ""


def test_an_archive_of_somebody_else_is_not_imported_into(store, admin, bob) -> None:
    mailboxes.open_archive(store, admin, "old@firma.pl", [admin.user_id], now=NOW)

    with pytest.raises(Invalid, match="not yours"):
        mailboxes.open_archive(store, bob, "old@firma.pl", [bob.user_id], now=NOW)
    with pytest.raises(Forbidden):
        mailboxes.open_archive(store, bob, "new@firma.pl", [admin.user_id], now=NOW)


def test_an_archive_is_found_again(store, bob) -> None:
    first = mailboxes.open_archive(store, bob, "Old@firma.pl", [bob.user_id], now=NOW)

    assert mailboxes.open_archive(store, bob, "old@FIRMA.pl", [bob.user_id], now=NOW) == first


def test_the_sweep_leaves_what_is_needed(store, bob) -> None:
    box = mailboxes.open_archive(store, bob, "old@firma.pl", [bob.user_id], now=NOW)
    directory = mailboxes.uploads_directory(store)
    (directory / "needed").write_bytes(b"x")
    (directory / "left-over").write_bytes(b"x")
    mailboxes.request_import(store, bob, box.id, upload="needed", name="a.mbox", now=NOW)
    later = NOW.replace(year=2099)

    mailboxes.sweep(store, now=later)

    assert [path.name for path in directory.iterdir()] == ["needed"]


def test_imported_folders_of_a_synced_mailbox_stay_and_add_up(store, bob) -> None:
    """R72, R73: they are on no server, so that they cannot vanish there."""
    box = make.account(store, bob.user_id)
    make.deliver(store, box, make.mail(), folder="Imported")

    folders.record_listing(store, box.id, [Listed("INBOX", "", None)], now=NOW)

    (line,) = (one for one in folders.ledger(store, box.id) if one.name == "Imported")
    assert (line.seen, line.stored, line.adds_up) == (1, 1, True)
    gone = store.archive.conn.execute("select count(gone_since) from locations").fetchone()
    assert gone == (0,)
