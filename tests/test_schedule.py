"""When a mailbox is looked at next, by how its last checks went."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AuthFailed, LetterbookError, OutOfSpace, RemoteError, SignInAgain
from app.jobs import schedule
from app.jobs.checks import told
from app.store.states import State
from app.sync import Checked, Throttled
from app.sync.faults import Server

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def fail(
    state: State, error: Exception, *, chance: float = 0.5, has_progressed: bool = False
) -> tuple[State, timedelta]:
    """The state after a failure, and the pause before the next try."""
    after, due_at = schedule.after_failure(
        state, error, has_progressed=has_progressed, now=NOW, interval=MINUTE, chance=chance
    )
    return after, due_at - NOW


def pauses(error: Exception, count: int) -> list[timedelta]:
    state, found = State(), []
    for _ in range(count):
        state, pause = fail(state, error)
        found.append(pause)
    return found


def test_a_passing_fault_is_tried_again_in_growing_pauses_and_never_given_up() -> None:
    found = pauses(RemoteError("down"), 100)

    assert found[:5] == list(accumulate([MINUTE] * 5, lambda pause, _: 2 * pause))
    assert set(found[5:]) == {schedule.LONGEST_PAUSE}


@given(st.floats(0, 1), st.integers(0, 500))
def test_no_fault_but_of_the_login_halts_a_mailbox(chance: float, failures: int) -> None:
    for error in (RemoteError("x"), RemoteError("x", is_retryable=False), OutOfSpace("x")):
        state, pause = fail(State(failures=failures), error, chance=chance)

        assert state.halted_at is None
        assert MINUTE * 0.8 <= pause <= schedule.LONGEST_SETTINGS_PAUSE * 1.2


def test_pauses_of_two_mailboxes_differ_by_chance() -> None:
    assert fail(State(), RemoteError("x"), chance=0)[1] == MINUTE * 0.8
    assert fail(State(), RemoteError("x"), chance=1)[1] == MINUTE * 1.2


@given(st.floats(0, 1), st.integers(0, 50))
def test_a_server_that_asks_for_a_pause_is_never_asked_sooner(chance: float, failures: int) -> None:
    words = "Request is throttled. Suggested Backoff Time: 7200000 milliseconds"
    error = Throttled(Server("imap.firma.pl", 993, "tls"), words)

    state, pause = fail(State(failures=failures), error, chance=chance)

    assert timedelta(hours=2) <= pause <= timedelta(hours=2, minutes=24)
    assert state.wait_until == NOW + pause
    assert schedule.refusal(state, "slowly", now=NOW + timedelta(hours=1)) is not None
    assert schedule.refusal(state, "slowly", now=NOW + pause) is None


def test_a_refused_login_is_tried_twice_and_then_no_more() -> None:
    once, pause = fail(State(), AuthFailed("no"))
    twice, _ = fail(once, AuthFailed("no"))

    assert once.halted_at is None
    assert schedule.refusal(once, "no", now=NOW) is None
    assert pause == schedule.REFUSED_PAUSE
    assert twice.halted_at == NOW
    refusal = schedule.refusal(twice, "It said no.", now=NOW + timedelta(days=9))
    assert isinstance(refusal, AuthFailed)
    assert str(refusal).startswith("It said no. Nothing more is tried until")


def test_refusals_count_across_a_server_that_was_down_in_between() -> None:
    once, _ = fail(State(), AuthFailed("no"))
    down, _ = fail(once, RemoteError("down"))

    assert fail(down, AuthFailed("no"))[0].halted_at == NOW


def test_a_dead_refresh_token_halts_at_once() -> None:
    state, _ = fail(State(), SignInAgain("expired"))

    assert (state.trouble, state.halted_at) == ("sign-in", NOW)


def test_a_good_check_forgets_what_was_wrong() -> None:
    state, _ = fail(fail(State(), AuthFailed("no"))[0], RemoteError("down"))

    good, due_at = schedule.after_good(state, now=NOW, interval=MINUTE)

    assert good == State()
    assert due_at == NOW + MINUTE


def test_a_server_that_cuts_a_long_first_sync_is_asked_again_soon() -> None:
    state = State(failures=9, refusals=1, failing_since=NOW - timedelta(hours=1))

    after, pause = fail(state, RemoteError("cut"), has_progressed=True)

    assert pause == MINUTE
    assert after.failures == 1


def test_a_fault_says_since_when_it_lasts() -> None:
    since = NOW - timedelta(hours=1)

    assert fail(State(failing_since=since), RemoteError("x"))[0].failing_since == since
    assert fail(State(), RemoteError("x"))[0].failing_since == NOW


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (RemoteError("down"), "passing"),
        (LetterbookError("ours"), "passing"),
        (RemoteError("certificate", is_retryable=False), "settings"),
        (AuthFailed("no"), "login"),
        (SignInAgain("no"), "sign-in"),
    ],
)
def test_each_fault_has_its_kind(error: Exception, trouble: str) -> None:
    assert fail(State(), error)[0].trouble == trouble


# -- what a check that somebody asked for came to (R30)


def checked(new: int, failed_folders: int = 0, *, is_stopped: bool = False) -> Checked:
    return Checked(unread=9, new=new, failed_folders=failed_folders, is_stopped=is_stopped)


@pytest.mark.parametrize(
    ("outcomes", "sentence", "error"),
    [
        ([checked(3)], "3 new", None),
        ([checked(1), checked(2)], "3 new", None),
        ([checked(0)], "nothing new", None),
        ([checked(0, is_stopped=True)], "nothing new so far; a long check goes on", None),
        ([RemoteError("It sleeps.")], "", "It sleeps."),
        ([RemoteError("It sleeps."), checked(0)], "", "a: It sleeps."),
        ([checked(3), RemoteError("It sleeps.")], "", "3 new. b: It sleeps."),
        ([checked(1, failed_folders=2)], "", "1 new. 2 folders could not be read."),
    ],
)
def test_a_check_tells_what_is_new_and_what_went_wrong(
    outcomes: list[Checked | BaseException], sentence: str, error: str | None
) -> None:
    assert told(list(zip("ab", outcomes, strict=False))) == (sentence, error)


def test_a_check_of_nothing_says_so() -> None:
    assert "No mailbox of yours" in (told([])[1] or "")


def test_a_fault_of_our_own_is_no_riddle() -> None:
    assert "the log has the details" in (told([("a", ValueError("x"))])[1] or "")
