"""The worker backs up by itself where a place is set, and rehearses the restore."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from app.backup import MANIFEST
from app.jobs import keeper, worker
from app.jobs.backup import backup_tasks
from app.jobs.upkeep import Report, Task, carry_out, due
from app.model import Team
from app.settings import Settings
from app.store import Store, team, upkeep
from app.store.upkeep import Upkeep
from tests import make
from tests.backups import bring_back, deliver

NIGHT = datetime(2025, 3, 15, 2, 30, tzinfo=UTC)


@pytest.fixture
def settings(store: Store, tmp_path: Path) -> Settings:
    team.put(store, Team((), (), time_zone="UTC"))
    deliver(store, make.account(store), 2)
    return Settings.from_env(
        {"LETTERBOOK_BACKUP_DIR": str(tmp_path / "backup"), "LETTERBOOK_BACKUP_KEEP": "1"},
        data=store.directory,
    )


def run(settings: Settings, kind: str, *, stop: bool = False) -> None:
    (task,) = (task for task in backup_tasks(settings) if task.kind == kind)
    carry_out(settings, task, lambda: stop)


def last(store: Store, kind: upkeep.Kind) -> Upkeep:
    found = upkeep.last(store, kind)
    assert found is not None
    return found


def ran(store: Store, kind: upkeep.Kind, at: datetime) -> None:
    upkeep.record(store, Upkeep(kind, at, at, is_good=True, summary="", detail={}))


def kind_of(task: Task | None) -> str | None:
    return task and task.kind


def test_without_a_place_there_is_nothing_to_do(store: Store) -> None:
    assert backup_tasks(Settings.from_env({}, data=store.directory)) == []


def test_a_backup_is_made_and_its_outcome_kept(store: Store, settings: Settings) -> None:
    run(settings, "backup")
    run(settings, "backup")

    made = last(store, "backup")
    assert settings.backup_dir is not None
    assert made.is_good
    assert made.summary.startswith(f"2 messages are backed up in {settings.backup_dir}: ")
    assert "new bytes, checked" in made.summary
    assert made.detail["new_bytes"] < made.detail["bytes"]
    assert len(list(settings.backup_dir.glob("archive/*"))) == 1
    assert not (settings.backup_dir / "secret.key").exists()
    assert bring_back(settings.backup_dir, settings.data.with_name("new")).copies == 2


def test_a_failed_backup_says_what_to_do(store: Store, settings: Settings) -> None:
    assert settings.backup_dir is not None
    settings.backup_dir.mkdir()
    settings.backup_dir.chmod(0o755)

    run(settings, "backup")

    made = last(store, "backup")
    assert not made.is_good
    assert "chmod 700" in made.summary


def test_a_disk_that_is_not_mounted_is_not_taken_for_an_empty_one(
    store: Store, settings: Settings
) -> None:
    run(settings, "backup")
    assert settings.backup_dir is not None
    shutil.rmtree(settings.backup_dir)

    run(settings, "backup")

    made = last(store, "backup")
    assert (made.is_good, settings.backup_dir.exists()) == (False, False)
    assert "is its disk mounted?" in made.summary


def test_a_rehearsal_proves_the_backup_and_leaves_nothing(store: Store, settings: Settings) -> None:
    run(settings, "backup")
    before = {path.name for path in settings.data.iterdir()}

    run(settings, "rehearsal")

    made = last(store, "rehearsal")
    assert made.is_good
    assert made.summary.startswith("2 messages of the backup")
    assert {path.name for path in settings.data.iterdir()} <= before


def test_a_rehearsal_names_the_file_that_is_damaged(store: Store, settings: Settings) -> None:
    run(settings, "backup")
    assert settings.backup_dir is not None
    (settings.backup_dir / "mail" / "000001.db").write_bytes(b"")

    run(settings, "rehearsal")

    made = last(store, "rehearsal")
    assert not made.is_good
    assert "000001.db is damaged" in made.summary


def test_it_is_rehearsed_once_there_is_a_backup(store: Store, settings: Settings) -> None:
    kinds = [task.kind for task in backup_tasks(settings)]

    run(settings, "backup")

    assert kinds == ["backup"]
    assert [task.kind for task in backup_tasks(settings)] == ["backup", "rehearsal"]


@pytest.mark.parametrize("kind", ["backup", "rehearsal"])
def test_a_worker_that_stops_ends_it_without_a_trace(
    store: Store, settings: Settings, kind: upkeep.Kind
) -> None:
    run(settings, "backup")
    assert settings.backup_dir is not None
    manifest = (settings.backup_dir / MANIFEST).read_bytes()
    before = last(store, "backup"), {path.name for path in settings.data.iterdir()}

    run(settings, kind, stop=True)

    assert (settings.backup_dir / MANIFEST).read_bytes() == manifest
    assert not (settings.backup_dir / ".partial").exists()
    assert (last(store, "backup"), {path.name for path in settings.data.iterdir()}) == before
    assert upkeep.last(store, "rehearsal") is None


def test_a_daily_one_is_done_every_night(store: Store, settings: Settings) -> None:
    """Also when the last one ended later in the night than this one begins."""
    ran(store, "backup", NIGHT)
    tasks = backup_tasks(settings)

    assert due(store, tasks, now=NIGHT + timedelta(hours=2)) is None
    assert due(store, tasks, now=NIGHT + timedelta(hours=12)) is None
    assert kind_of(due(store, tasks, now=NIGHT + timedelta(hours=23))) == "backup"


def test_a_frequent_one_is_done_by_day_too(store: Store, settings: Settings) -> None:
    ran(store, "backup", NIGHT)
    often = Settings.from_env(
        {"LETTERBOOK_BACKUP_DIR": "backup", "LETTERBOOK_BACKUP_EVERY_HOURS": "6"},
        data=store.directory,
    )

    assert due(store, backup_tasks(often), now=NIGHT + timedelta(hours=5)) is None
    assert kind_of(due(store, backup_tasks(often), now=NIGHT + timedelta(hours=7))) == "backup"


def test_a_running_worker_does_it(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds, both = [], Event()

    def carry_out_and_tell(*arguments: Any) -> Report | None:
        report = carry_out(*arguments)
        kinds.append(arguments[1].kind)
        if len(kinds) == 2:
            both.set()
        return report

    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0)
    monkeypatch.setattr(keeper, "TASKS", ())
    monkeypatch.setattr(keeper, "carry_out", carry_out_and_tell)
    stop = Event()
    thread = Thread(target=worker.run_worker, args=[settings, stop])
    thread.start()
    came = both.wait(30)
    stop.set()
    thread.join()

    assert came
    assert kinds == ["backup", "rehearsal"]
    assert last(store, "rehearsal").is_good
