"""Upkeep is done at night, once in its time, and how it ended is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import LetterbookError
from app.jobs.upkeep import Report, Task, carry_out, due
from app.settings import Settings
from app.store import Store, first_syncs, team, transaction, upkeep
from app.store.upkeep import Upkeep
from tests import make

NIGHT = datetime(2025, 3, 15, 2, 30, tzinfo=UTC)
NOON = NIGHT + timedelta(hours=9, minutes=30)
TASK = Task("verify", timedelta(hours=20), lambda store, settings, stop: Report("Looked."))


@pytest.fixture(autouse=True)
def on_utc(store: Store) -> None:
    with transaction(store):
        store.archive.conn.execute("update team set time_zone = 'UTC'")


def ran(store: Store, at: datetime) -> None:
    upkeep.record(store, Upkeep("verify", at, at, is_good=True, summary="Looked.", detail={}))


def test_what_never_ran_is_due_at_once(store: Store) -> None:
    assert due(store, [TASK], now=NOON) == TASK


def test_by_day_it_waits_for_the_night(store: Store) -> None:
    ran(store, NOON - timedelta(hours=24))

    assert due(store, [TASK], now=NOON) is None
    assert due(store, [TASK], now=NIGHT + timedelta(days=1)) == TASK


def test_night_is_where_the_team_is(store: Store) -> None:
    ran(store, NIGHT - timedelta(hours=24))
    with transaction(store):
        store.archive.conn.execute("update team set time_zone = 'America/New_York'")

    assert team.get(store).time_zone == "America/New_York"
    assert due(store, [TASK], now=NIGHT) is None


def test_a_machine_that_is_off_at_night_does_it_by_day(store: Store) -> None:
    ran(store, NOON - timedelta(hours=33))

    assert due(store, [TASK], now=NOON) == TASK


def test_it_is_not_done_twice_in_one_night(store: Store) -> None:
    ran(store, NIGHT - timedelta(hours=1))

    assert due(store, [TASK], now=NIGHT) is None


def test_a_first_sync_goes_before_what_may_wait(store: Store) -> None:
    account = make.account(store)
    urgent = replace(TASK, urgent=lambda store: True)
    first_syncs.begin(store, account.id, {}, now=NOON)

    during = [due(store, [task], now=NOON) for task in (TASK, urgent, replace(TASK, waits=False))]
    stuck = due(store, [TASK], now=NOON + timedelta(hours=1))
    first_syncs.finish(store, account.id, now=NOON)

    assert during == [None, urgent, replace(TASK, waits=False)]
    assert stuck == TASK
    assert due(store, [TASK], now=NOON) == TASK


def test_how_a_run_ended_is_kept(store: Store) -> None:
    settings = Settings.from_env({}, data=store.directory)

    carry_out(settings, TASK, lambda: False)

    last = upkeep.last(store, "verify")
    assert last is not None
    assert (last.is_good, last.summary) == (True, "Looked.")


@pytest.mark.parametrize("error", [LetterbookError("The disk is full."), RuntimeError("x")])
def test_a_run_that_failed_says_so_and_the_last_good_one_stays(store: Store, error) -> None:
    settings = Settings.from_env({}, data=store.directory)
    ran(store, NOON)

    def fail(*_: object) -> Report:
        raise error

    carry_out(settings, Task("verify", timedelta(hours=20), fail), lambda: False)

    last, good = upkeep.last(store, "verify"), upkeep.last(store, "verify", good=True)
    assert last is not None
    assert not last.is_good
    assert good is not None
    assert good.summary == "Looked."
