"""How long a job, a worker and a sync last: to the end of what is theirs."""

import socket
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from app import jobs as worker
from app.cli import letterbook
from app.jobs import worker as running
from app.jobs.worker import _Begun as Begun
from app.jobs.worker import _worker as running_worker
from app.store import accounts, documents, jobs, open_store
from app.sync import Checked, fetching
from tests import make
from tests.sync.scripted import listening
from tests.test_jobs import Office, office, until

pytestmark = pytest.mark.dovecot
__all__ = ["office"]


def test_a_worker_that_ends_waits_for_no_silent_server(office: Office) -> None:
    stop, is_over, was_asked = (threading.Event() for _ in range(3))

    def fall_silent(caller: socket.socket) -> None:
        caller.sendall(b"* OK ready\r\n")
        caller.recv(100)
        was_asked.set()
        is_over.wait(60)

    with listening(fall_silent) as port:
        accounts.change(office.store, replace(office.account, host="127.0.0.1", port=port))
        thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))
        thread.start()
        assert was_asked.wait(30)
        stop.set()
        thread.join(timeout=30)  # half as long as a server may be silent

        assert not thread.is_alive()
        is_over.set()
    assert accounts.last_check(office.store, office.account.id) is None


def test_a_job_waits_for_what_it_brought_to_be_searchable_and_no_longer(office: Office) -> None:
    viewer = make.viewer(office.store, office.alice)
    own, others = make.account(office.store), make.account(office.store, address="b@ex.test")
    make.deliver(office.store, own, make.mail("Ours"))
    asked = jobs.request_check(office.store, viewer, now=datetime.now(UTC))
    job = jobs.claim(office.store, now=datetime.now(UTC))
    assert job
    checked: Future[Any] = Future()
    checked.set_result(Checked(unread=0, new=1, failed_folders=0))
    with running_worker(office.settings, office.store, threading.Event()) as begun:
        begun._jobs.append(Begun(job, {checked: office.login}))

        begun._finish_jobs()
        before = jobs.result(office.store, viewer, asked).is_done
        indexed = documents.last_queued(office.store)
        make.deliver(office.store, others, make.mail("Others'", message_id="<o@ex.test>"))
        documents.done(office.store, documents.Queued(indexed, (), ()))
        begun._finish_jobs()

        assert (before, jobs.result(office.store, viewer, asked).text) == (False, "1 new")
        assert documents.backlog(office.store) == 1
        office.store = open_store(office.settings.data)


def test_a_sync_beside_the_worker_goes_on_to_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though a pass of the worker's ends early, so that new mail elsewhere does not wait."""
    monkeypatch.setattr(running, "PASS_SECONDS", 0.0)
    monkeypatch.setattr(fetching, "UIDS_PER_COMMAND", 1)
    office.server.append(office.login, "INBOX", *[make.mail(f"Nr {n}") for n in range(4)])
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(office.settings, stop))
    thread.start()
    until(lambda: jobs.is_worker_alive(office.store, now=datetime.now(UTC)))

    done = CliRunner().invoke(letterbook, ["sync", "--data", str(office.settings.data)])
    stop.set()
    thread.join(timeout=30)

    assert done.exit_code == 0, done.output
    assert len(office.subjects()) == 4
