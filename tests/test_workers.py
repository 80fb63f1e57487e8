"""Many workers at once, and clocks that jump."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import jobs as worker_of
from app.jobs import schedule, worker
from app.settings import Settings
from app.store import Store, accounts, jobs, open_store
from app.store.states import State
from tests.sync.conftest import add_account
from tests.test_jobs import until

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[1]


def test_of_twenty_workers_at_once_exactly_one_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.twenty", tmp_path / "data"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )

    *said, ended = done.stdout.splitlines()
    assert ended == f"ended: 0{' 7' * 19}"
    assert len(said) == 19
    assert all("A worker runs on" in line for line in said)


def test_a_worker_beats_on_when_the_clock_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.from_env({}, data=tmp_path / "data")
    store = open_store(settings.data)
    stop = threading.Event()
    running = threading.Thread(target=worker_of.run_worker, args=(settings, stop))
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.0)

    running.start()
    until(lambda: jobs.is_worker_alive(store, now=datetime.now(UTC)))
    earlier = datetime.now(UTC) - timedelta(days=400)
    monkeypatch.setattr(worker, "utc_now", lambda: earlier)
    until(lambda: last_beat(store) <= earlier)
    stop.set()
    running.join()
    store.close()


def last_beat(store: Store) -> datetime:
    (seconds,) = store.archive.conn.execute("select beat_at from worker").fetchone()
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("ahead", [timedelta(days=3), timedelta(days=4_000)])
def test_a_check_that_a_wrong_clock_put_off_is_due_now(store: Store, ahead: timedelta) -> None:
    account = add_account(store, login="ann@ex.test", port=993)
    accounts.set_due(store, account.id, at=NOW + ahead)

    claimed = accounts.claim_due(store, now=NOW, next_at=NOW + timedelta(minutes=1))

    assert claimed is not None
    assert claimed.id == account.id
    assert accounts.claim_due(store, now=NOW, next_at=NOW) is None


def test_a_pause_that_a_wrong_clock_set_is_none() -> None:
    right = State(wait_until=NOW + timedelta(hours=20))
    wrong = State(wait_until=NOW + timedelta(days=3_650))

    assert schedule.refusal(right, "Wait", now=NOW) is not None
    assert schedule.refusal(wrong, "Wait", now=NOW) is None
