"""When a mailbox is looked at next. Pure: the clock and chance come in."""

from dataclasses import replace
from datetime import datetime, timedelta

from app.errors import AuthFailed, LetterbookError, RemoteError, SignInAgain
from app.store.states import FARTHEST_AHEAD, State, Trouble
from app.sync import Throttled

MOST_REFUSALS = 2
"""So often a login is tried: more could lock the account at its provider."""

REFUSED_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(minutes=30)
SETTINGS_PAUSE = timedelta(minutes=5)
LONGEST_SETTINGS_PAUSE = timedelta(hours=1)
_HALTED = "Nothing more is tried until somebody saves the mailbox anew or signs in again."
_LEFT_ALONE = "It was not asked now: it is left alone for as long as it wanted."
_SPREAD = 0.2
"""Pauses differ by so much each way, so that mailboxes do not come back all at once."""


def after_good(state: State, *, now: datetime, interval: timedelta) -> tuple[State, datetime]:
    """The state after a check that came to its end, and when the next one is due."""
    return State(edits=state.edits), now + interval


def after_part(state: State) -> State:
    """The state after a check that went well as far as it went."""
    return State(edits=state.edits)


def after_failure(
    state: State,
    error: Exception,
    *,
    has_progressed: bool,
    now: datetime,
    interval: timedelta,
    chance: float,
) -> tuple[State, datetime]:
    """The state after a check that failed, and when the next one is due.

    Pauses grow from one failure to the next, but not after a check that stored something: a
    server that cuts a long first sync is asked again soon. `chance`: from 0 to 1.
    """
    trouble = trouble_of(error)
    failures = 1 if has_progressed else state.failures + 1
    refusals = (0 if has_progressed else state.refusals) + isinstance(error, AuthFailed)
    is_over = trouble == "sign-in" or refusals >= MOST_REFUSALS
    pause = _pause(trouble, failures, interval) * (1 - _SPREAD + 2 * _SPREAD * chance)
    asked = error.wait if isinstance(error, Throttled) else None
    if asked is not None:  # never sooner than the server said
        pause = max(pause, asked * (1 + _SPREAD * chance))
    return replace(
        state,
        trouble=trouble,
        failures=failures,
        refusals=refusals,
        failing_since=state.failing_since or now,
        halted_at=now if is_over else None,
        wait_until=None if asked is None else now + pause,
    ), now + pause


def trouble_of(error: Exception) -> Trouble:
    if isinstance(error, SignInAgain):
        return "sign-in"
    if isinstance(error, AuthFailed):
        return "login"
    if isinstance(error, RemoteError) and not error.is_retryable:
        return "settings"
    return "passing"


def refusal(state: State, reason: str, *, now: datetime) -> LetterbookError | None:
    """Why no connection is to be opened now, whoever asks; None: it may be.

    `reason` is what the last check said.
    """
    if state.halted_at is not None:
        return AuthFailed(f"{reason} {_HALTED}")
    if state.wait_until is not None and now < state.wait_until <= now + FARTHEST_AHEAD:
        return RemoteError(f"{reason} {_LEFT_ALONE}")
    return None


def _pause(trouble: Trouble, failures: int, interval: timedelta) -> timedelta:
    """Doubled from failure to failure, up to the longest."""
    first, longest = {
        "settings": (SETTINGS_PAUSE, LONGEST_SETTINGS_PAUSE),
        "login": (REFUSED_PAUSE, LONGEST_SETTINGS_PAUSE),
    }.get(trouble, (interval, LONGEST_PAUSE))
    doublings = min(failures - 1, 20)
    return max(interval, min(longest, first * (1 << doublings)))
