"""Verification and repair that somebody asked for: as upkeep that is done at once."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from app import mailboxes, verify
from app.jobs.upkeep import VERIFY_EVERY, Report, Task, carry_out
from app.model import AccountId
from app.settings import Settings
from app.store import Store, accounts, upkeep
from app.store.harm import Place
from app.store.secrets import load_key
from app.sync import fetch_again
from app.sync.registered import providers

Tell = Callable[[int, int], None]
_TELL_EVERY_SECONDS = 1.0


def unheard(done: int, total: int) -> None:
    del done, total


def verify_task(tell: Tell = unheard) -> Task:
    """A look at everything."""

    def run(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report:
        del settings
        verified = verify.verify(store, stop=stop, progress=_seldom(tell))
        return _report(store, verified, verified.summary)

    return Task("verify", VERIFY_EVERY, run)


def repair_task(tell: Tell = unheard) -> Task:
    """A look at everything, the repair of what is damaged, and another look."""

    def run(store: Store, settings: Settings, stop: Callable[[], bool]) -> Report:
        done = verify.repair(store, _fetcher(store, settings), stop=stop, progress=_seldom(tell))
        return _report(store, done.verified, done.summary)

    return Task("verify", VERIFY_EVERY, run)


def repair_now(settings: Settings, tell: Tell = unheard) -> Report | None:
    """Repair here. The caller holds the worker's lock."""
    return carry_out(settings, repair_task(tell), lambda: False)


def _report(store: Store, verified: verify.Verified, summary: str) -> Report:
    before = upkeep.last(store, "verify")
    ended = verify.outcome(verified, before.detail if before else {}, now=datetime.now(UTC))
    return Report(summary, ended.is_good, ended.detail)


def _fetcher(store: Store, settings: Settings) -> verify.Fetch:
    key, known = load_key(settings.data, settings.secret_key), providers(settings)

    def now() -> datetime:
        return datetime.now(UTC)

    def fetch(account_id: AccountId, places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        account = accounts.get(store, account_id)
        return fetch_again(
            account,
            mailboxes.secret_of(store, account, key=key, known=known, now=now),
            places,
            now=now,
            ca_file=settings.ca_file,
            public_only=mailboxes.is_bound_to_public(store, account),
        )

    return fetch


def _seldom(tell: Tell) -> Tell:
    """At most once a second: each time is a write."""
    said = 0.0

    def maybe(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _TELL_EVERY_SECONDS:
            said = time.monotonic()
            tell(done, total)

    return maybe
