"""Every night a slice of mail.db is proved; damage is named at once and until it is repaired."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs import upkeep as tasks
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import Store, upkeep
from app.store.upkeep import Upkeep
from app.verify import Outcome, scrub
from tests import make

NIGHT = datetime(2025, 3, 15, 2, 30, tzinfo=UTC)


@pytest.fixture
def archive(store: Store) -> Store:
    """Six deliveries, each with blocks of its own."""
    box = make.account(store, make.user(store, "Alice"), host=None)
    for number in range(6):
        raw = make.mail(text=f"Number {number}. " * 60, message_id=f"<{number}@x>")
        make.deliver(store, box, raw, first_uid=number + 1)
    Indexer(store).drain()
    return store


def night(store: Store, at: datetime, *, slice_bytes: int = 1) -> Outcome:
    """One night's work, noted as the worker notes it."""
    done = scrub(store, now=at, slice_bytes=slice_bytes)
    upkeep.record(store, Upkeep("verify", at, at, done.is_good, done.summary, done.detail))
    return done


def test_a_small_archive_is_proved_every_night(archive: Store) -> None:
    done = scrub(archive, now=NIGHT)

    assert (done.is_good, done.detail["after"]) == (True, 0)
    assert done.summary.startswith("12 stored contents in 12 blocks are as they were stored")


def test_a_large_one_is_proved_slice_after_slice_and_then_anew(
    archive: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.verify.nightly.NIGHTS", 10**9)

    ends = [night(archive, NIGHT + timedelta(days=n)).detail["after"] for n in range(13)]

    assert ends == [*range(1, 12), 0, 1]


def test_damage_beyond_the_slice_is_found_when_its_night_comes(
    archive: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.verify.nightly.NIGHTS", 10**9)
    make.damage(archive, "id = 3")

    nights = [night(archive, NIGHT + timedelta(days=n)) for n in range(4)]

    assert [done.is_good for done in nights] == [True, True, False, False]
    assert len(nights[2].detail["damaged"]) == 1
    assert nights[3].detail["damaged"] == nights[2].detail["damaged"]


def test_after_the_repair_the_next_night_is_good_again(archive: Store) -> None:
    (payload,) = archive.mail.conn.execute("select payload from blocks where id = 3").fetchone()
    make.damage(archive, "id = 3")
    assert not night(archive, NIGHT, slice_bytes=10**9).is_good
    archive.mail.conn.execute("update blocks set payload = ? where id = 3", [payload])

    assert night(archive, NIGHT + timedelta(days=1)).is_good


def test_sqlite_looks_through_its_files_once_a_week(
    archive: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "app.store.soundness.complaints", lambda *_, quick, stop: asked.append(quick) or []
    )

    for days in range(9):
        night(archive, NIGHT + timedelta(days=days))

    assert asked == [True, True]


def test_it_stops_between_blocks_and_goes_on_there(archive: Store) -> None:
    done = scrub(archive, now=NIGHT, stop=lambda: True)

    assert done.detail["after"] == 1


def test_the_worker_keeps_what_a_night_found(archive: Store) -> None:
    make.damage(archive, "id = 3")
    (task,) = (one for one in tasks.TASKS if one.kind == "verify")

    tasks.carry_out(Settings.from_env({}, data=archive.directory), task, lambda: False)

    last = upkeep.last(archive, "verify")
    assert last is not None
    assert not last.is_good
    assert "restore a backup" in last.detail["damaged"][0]["what_to_do"]
