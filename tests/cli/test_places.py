"""Commands on places that are wrong, and what the others say of a new archive."""

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli import common
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import documents, jobs, open_store
from app.store.lock import worker_lock
from tests import make
from tests.cli.test_commands import PASSWORD, read, runner

AS = ("--as", "alice@firma.pl")


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["verify"],
        ["verify", "--repair"],
        ["reindex"],
        ["sync"],
        ["raw", "aaaa"],
        ["search", "x", *AS],
        ["purge", "aaaa", "--reason", "Court", *AS],
        ["export", "--all", "--format", "mbox", "out.mbox"],
        ["import", __file__, "--address", "old@firma.pl"],
        ["backup", "dest"],
    ],
    ids=" ".join,
)
def test_a_place_without_an_archive_is_named_and_stays_as_it_was(words, tmp_path: Path) -> None:
    done = runner(tmp_path / "misspelt")(*words)

    assert done.exit_code == 1
    assert done.stderr.startswith(f"letterbook: There is no archive in {tmp_path / 'misspelt'}.")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = runner(tmp_path)("demo", "--messages", 50, "--export", tmp_path / "file" / "out")

    assert done.exit_code == 1
    assert done.stderr.startswith(f"letterbook: {tmp_path / 'file' / 'out'} cannot be used (")
    assert done.stderr.count("\n") == 1


def test_a_first_import_says_nothing_but_what_it_did(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(make.mail())
    run = runner(tmp_path / "data")
    run("user", "add", "alice@firma.pl", "--name", "A", "--password-stdin", stdin=PASSWORD + "\n")

    done = run(
        "import", tmp_path / "one.eml", "--address", "old@firma.pl", "--user", "alice@firma.pl"
    )

    assert (done.stdout, done.stderr) == ("1 read: 1 new, 0 known, 0 here already\n", "")
    assert ": archive only\n" in run("status").stdout
    assert read(run("reindex", "--json")) == {"messages": 1}


def test_reindex_says_how_far_it_is(tmp_path: Path, monkeypatch) -> None:
    store = open_store(tmp_path)
    make.deliver(store, make.account(store), make.mail(), make.mail("B", message_id="<2@x>"))
    store.close()
    monkeypatch.setattr(common, "SAY_EVERY_SECONDS", 0)

    done = runner(tmp_path)("reindex")

    assert done.stdout == "2 messages are indexed.\n"
    assert done.stderr == "Indexing: 2 of 2\n"


def test_a_command_beside_a_worker_ends_when_all_is_indexed(tmp_path: Path, monkeypatch) -> None:
    store = open_store(tmp_path)
    make.deliver(store, make.account(store), make.mail())
    monkeypatch.setattr(common.time, "sleep", lambda seconds: Indexer(store).drain())

    with worker_lock(tmp_path):
        jobs.beat(store, now=datetime.now(UTC))
        common.wait_for_all(Settings.from_env({}, data=tmp_path), store)

    assert documents.backlog(store) == 0


def test_sync_gives_the_faults_of_each_mailbox_as_json(tmp_path: Path) -> None:
    run = runner(tmp_path / "data")
    run("user", "add", "alice@firma.pl", "--name", "A")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        words = ["--host", "127.0.0.1", "--port", closed.getsockname()[1], "--security", "none"]
        added = run(
            *("account", "add", "a@firma.pl", *words, "--user", "alice@firma.pl"),
            "--password-stdin",
            stdin="x\n",
        )

        done = run("sync", "--json")

    assert done.exit_code == 1
    (account,) = json.loads(done.stdout)["accounts"]
    assert (account["id"], account["address"]) == (added.stdout.strip(), "a@firma.pl")
    ((folder, error),) = [(fault["folder"], fault["error"]) for fault in account["faults"]]
    assert folder is None
    assert f"a@firma.pl: {error}" in done.stderr
