"""One pass over an account and what it leaves: its last check, and when the next one is due."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import random
from threading import Event

from app import mailboxes
from app.errors import AuthFailed, LetterbookError
from app.jobs import schedule
from app.model import Account
from app.settings import Settings
from app.store import Store, accounts, open_store, states
from app.store.states import State
from app.sync import Checked, Progress, Throttled, sync_account
from app.sync.registered import providers

_OUR_FAULT = "The pass ended with a fault of Letterbook's own; the log has the details."

_NOTHING = Checked(unread=0, new=0, failed_folders=0, is_stopped=True)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pass:
    """A pass under way; `state` as it began, `stored` what it brought."""

    settings: Settings
    store: Store
    account: Account
    state: State
    pass_seconds: float
    began: float
    stored: int = 0

    def note(self, progress: Progress) -> None:
        self.stored += progress.done

    def is_long(self) -> bool:
        return time.monotonic() > self.began + self.pass_seconds

    def is_unwatched(self) -> bool:
        """Whether somebody paused or closed the mailbox meanwhile."""
        return not accounts.get(self.store, self.account.id).is_watched


def check_account(
    settings: Settings,
    key: bytes,
    account: Account,
    stop: Event,
    *,
    pass_seconds: float,
    make_room: Callable[[], bool],
) -> Checked:
    """One pass over an account, with a store of its own; how it went is kept.

    After `pass_seconds` it ends early if much mail is to come, and is due again at once: so new
    mail does not wait for the old. `make_room` is asked to give up connections of ours to a server
    that takes no more of them; if there were any, the pass is tried once more. Where no connection
    may be opened now this raises what the last check said, and keeps nothing.

    Raises AuthFailed, RemoteError. Effects: may be repeated after any interruption.
    """
    if stop.is_set():
        return _NOTHING
    store = open_store(settings.data)
    try:
        # It may have waited for minutes: its settings are those of now.
        account = accounts.get(store, account.id)
        if not account.is_watched:
            return _NOTHING
        state = states.of(store, account.id)
        last = accounts.last_check(store, account.id)
        standing = schedule.refusal(state, (last and last.error) or "", now=_now())
        if standing is not None:
            raise standing
        begun = _Pass(settings, store, account, state, pass_seconds, time.monotonic())
        return _carry_out(begun, key, stop, make_room)
    finally:
        store.close()


def told(outcomes: Sequence[tuple[str, Checked | BaseException]]) -> tuple[str, str | None]:
    """What checks of these addresses came to: a sentence, and what went wrong or None.

    ("3 new", None), ("nothing new", None), ("", "3 new. office@firma.pl: the server sleeps.")
    """
    if not outcomes:
        return "", "No mailbox of yours is looked at now: each is paused, closed or without server."
    good = [one for _, one in outcomes if isinstance(one, Checked)]
    new = sum(one.new for one in good)
    sentence = f"{new} new" if new else "nothing new"
    if any(one.is_stopped for one in good):
        sentence += " so far; a long check goes on"
    problems = [(address, _problem(one)) for address, one in outcomes]
    is_one = len(outcomes) == 1
    errors = [text if is_one else f"{address}: {text}" for address, text in problems if text]
    if not errors:
        return sentence, None
    return "", " ".join([f"{sentence}."] * (new > 0) + errors)


def _problem(outcome: Checked | BaseException) -> str:
    if isinstance(outcome, Checked):
        return failed_folders(outcome.failed_folders)
    return str(outcome) if isinstance(outcome, LetterbookError) else _OUR_FAULT


def failed_folders(count: int) -> str:
    """A sentence; "" for none."""
    return f"{count} folder{'s' * (count > 1)} could not be read." if count else ""


def _carry_out(begun: _Pass, key: bytes, stop: Event, make_room: Callable[[], bool]) -> Checked:
    account = begun.account
    try:
        try:
            checked = _sync(begun, key, stop)
        except Throttled as exc:
            if exc.wait is not None or not make_room():
                raise
            checked = _sync(begun, key, stop)
    except LetterbookError as exc:
        if isinstance(exc, AuthFailed):
            mailboxes.doubt_token(begun.store, account, key=key)
        _note_failure(begun, exc)
        raise
    except Exception:
        logger.exception("account pass failed", extra={"account": account.id})
        _note_failure(begun, LetterbookError(_OUR_FAULT))
        raise
    if not checked.is_stopped:
        _note_end(begun, checked)
    elif begun.is_long():
        states.keep(begun.store, account.id, schedule.after_part(begun.state), due_at=_now())
    elif not stop.is_set() and not begun.is_unwatched():  # paused, and resumed by now
        accounts.set_due(begun.store, account.id, at=_now())
    return checked


def _sync(begun: _Pass, key: bytes, stop: Event) -> Checked:
    store, account = begun.store, begun.account
    known = providers(begun.settings)
    secret = mailboxes.secret_of(store, account, key=key, known=known, now=_now)
    if accounts.get(store, account.id) != account:
        # Edited at this moment: the new password is not for the old server. It is due at once.
        return _NOTHING
    return sync_account(
        store,
        account,
        secret,
        now=_now,
        ca_file=begun.settings.ca_file,
        public_only=mailboxes.is_bound_to_public(store, account),
        stop=lambda: stop.is_set() or begun.is_unwatched(),
        enough=begun.is_long,
        is_over=stop.is_set,
        progress=begun.note,
    )


def _note_end(begun: _Pass, checked: Checked) -> None:
    after, due_at = schedule.after_good(begun.state, now=_now(), interval=_interval(begun))
    if states.keep(begun.store, begun.account.id, after, due_at=due_at):
        accounts.record_check(
            begun.store,
            begun.account.id,
            unread=checked.unread,
            new=checked.new,
            error=failed_folders(checked.failed_folders) or None,
            now=_now(),
        )


def _note_failure(begun: _Pass, error: LetterbookError) -> None:
    after, due_at = schedule.after_failure(
        begun.state,
        error,
        has_progressed=begun.stored > 0,
        now=_now(),
        interval=_interval(begun),
        chance=random(),  # noqa: S311  # spreads the tries, guards nothing
    )
    if states.keep(begun.store, begun.account.id, after, due_at=due_at):
        accounts.record_check(
            begun.store, begun.account.id, unread=None, new=None, error=str(error), now=_now()
        )


def _interval(begun: _Pass) -> timedelta:
    return timedelta(seconds=begun.settings.poll_seconds)


def _now() -> datetime:
    return datetime.now(UTC)
