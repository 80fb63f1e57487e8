"""A mailbox whose server or login was changed: what was archived stays, and nothing is mixed up."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.store import Store, accounts, folders, queue, transaction
from app.transfer import import_mail
from tests import make
from tests.dovecot import Dovecot
from tests.sync.conftest import LATER, Bench, Mailbox, add_account, copies, raw_mail
from tests.sync.scripted import listening

HERE, THERE = (raw_mail(1), raw_mail(2)), (raw_mail(3), raw_mail(4))


def change(bench: Bench, **settings: object) -> None:
    with transaction(bench.store):
        accounts.change(bench.store, replace(bench.account, **settings))
    bench.account = accounts.get(bench.store, bench.account.id)


@pytest.mark.parametrize("settings", [{"host": "localhost"}, {"login": "ann.b@ex.test"}])
def test_mail_elsewhere_under_the_same_numbers_is_fetched(
    bench: Bench, settings: dict[str, str]
) -> None:
    bench.server.messages = dict(enumerate(HERE, 1))
    bench.sync()
    bench.server.messages = dict(enumerate(THERE, 1))
    change(bench, **settings)

    bench.sync()
    bench.sync()

    assert sorted(copies(bench.store)) == sorted([*HERE, *THERE])
    assert bench.flags().keys() == {1, 2}
    (line,) = folders.ledger(bench.store, bench.account.id)
    assert (line.seen, line.stored) == (4, 4)
    assert bench.adds_up()


def test_the_same_mail_elsewhere_is_there_again_and_not_doubled(bench: Bench) -> None:
    bench.server.messages = dict(enumerate(HERE, 1))
    bench.sync()

    for login in ("ann.b@ex.test", "ann@ex.test", "ann.b@ex.test"):
        change(bench, login=login)
        bench.sync()

    assert sorted(copies(bench.store)) == sorted(HERE)
    assert bench.flags().keys() == {1, 2}
    assert bench.adds_up()


def test_another_port_is_the_same_server(bench: Bench) -> None:
    bench.server.messages = dict(enumerate(HERE, 1))
    bench.sync()
    bench.server.heard.clear()

    with listening(bench.server.talk) as port:
        change(bench, port=port)
        bench.sync()

    assert bench.flags().keys() == {1, 2}
    assert not [command for command in bench.server.heard if b"BODY" in command]


@pytest.mark.dovecot
def test_the_same_mail_in_five_folders_of_three_mailboxes_is_one_row(
    dovecot: Dovecot, store: Store
) -> None:
    alice = make.user(store, "Alice")
    for number in range(3):
        user = dovecot.new_user()
        account = add_account(store, login=user, port=dovecot.tls_port, users=[alice])
        for folder in ("INBOX", "Wysłane", "A", "B", "C"):
            dovecot.append(user, folder, b"Received: from relay\r\n" * number + raw_mail(1))
        Mailbox(dovecot, store, account).sync()

    page = queue.rows(store, make.viewer(store, alice), now=datetime.now(UTC))
    counts = store.archive.conn.execute(
        "select (select count(*) from messages), (select count(*) from copies),"
        " (select count(*) from locations)"
    ).fetchone()

    assert len(page.rows) == 1
    assert counts == (1, 3, 15)


@pytest.mark.parametrize("uidvalidity", [1, 7])
def test_mail_imported_before_the_server_was_read_is_another_folder_s(
    bench: Bench, tmp_path: Path, uidvalidity: int
) -> None:
    for number, raw in enumerate(HERE):
        (tmp_path / f"{number}.eml").write_bytes(raw)
    for name in ("INBOX", "INBOX (imported)"):
        import_mail(bench.store, tmp_path, bench.account.id, folder=name, name="in", now=LATER)
    bench.server.uidvalidity = uidvalidity
    bench.server.messages = dict(enumerate(THERE, 1))

    bench.sync()
    bench.sync()

    ledger = folders.ledger(bench.store, bench.account.id)
    assert [(line.name, line.seen) for line in ledger] == [
        ("INBOX", 2),
        ("INBOX (imported 2)", 2),
        ("INBOX (imported)", 2),
    ]
    assert sorted(copies(bench.store)) == sorted([*HERE, *THERE])
    assert live_messages(bench.store) == 4
    assert bench.adds_up()


def live_messages(store: Store) -> int:
    (count,) = store.archive.conn.execute("select sum(is_live) from holdings").fetchone()
    return int(count)
