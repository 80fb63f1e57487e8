"""The worker: due accounts, jobs that people asked for, the index queue, until it is stopped.

It holds the lock on the data directory; the web talks to it through rows only.
"""

import json
import logging
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from app import mailboxes
from app.errors import LetterbookError
from app.jobs.attachments import Reading
from app.jobs.checks import check_account, told
from app.jobs.importing import import_file
from app.jobs.indexing import IndexThread
from app.jobs.keeper import Keeper
from app.jobs.listening import Listening
from app.jobs.memory import give_back_large
from app.jobs.slots import Slots
from app.jobs.upkeep import Report
from app.model import Account, AccountId
from app.search.indexer import PER_COMMIT, Indexer, Progress
from app.settings import Settings
from app.store import Store, accounts, documents, jobs, open_store
from app.store.jobs import Job
from app.store.lock import worker_lock
from app.store.secrets import load_key
from app.sync import Checked, Tested, test_connection
from app.sync.connect import Secret
from app.sync.registered import providers

SWITCH_SECONDS = 0.0005
"""A thread that left the interpreter for a database or a socket gets it back so soon: with Python's
own 5 ms fetching, storing and indexing wait for each other longer, 7 % of a first sync."""

TICK_SECONDS = 0.3
REST_SECONDS = 5.0
"""After a turn that failed, before the next try."""

PASS_SECONDS = 60.0
"""After so long a pass over much mail begins anew, with the newest."""

ACCOUNTS_AT_ONCE = 4
"""At work; beside them as many as wait for servers that keep silent."""

MOST_PASSES = 200
TESTS_AT_ONCE = mailboxes.MOST_OPEN + 1
"""One person's tests of a server that drips leave room for another's."""

BEAT_SECONDS = 5.0
LOOK_AT_INDEX_SECONDS = 10.0
INDEX_SECONDS = 2.0
NEVER = -1e9
"""On the monotonic clock, which no change of the time of day moves."""

_NOT_INDEXED = ("test", "find", "verify", "repair")
"""Jobs that bring nothing into the index, and so do not wait for it."""

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def run_worker(settings: Settings, stop: Event) -> None:
    """Work until `stop` is set. Raises Conflict if another worker has the data directory."""
    store = open_store(settings.data)
    with worker_lock(settings.data), _worker(settings, store, stop, is_lasting=True) as worker:
        jobs.void_old_tests(store, now=utc_now())
        jobs.requeue_begun(store)
        mailboxes.sweep(store, now=utc_now())
        logger.info("worker started")
        while not stop.is_set():
            try:
                is_busy = worker.turn()
            except Exception:  # a full disk or a locked database passes; the worker stays
                logger.exception("the worker's turn failed")
                stop.wait(REST_SECONDS)
                continue
            if not is_busy:
                stop.wait(TICK_SECONDS)
    logger.info("worker stopped")


def sync_now(settings: Settings, account_id: AccountId | None = None) -> dict[AccountId, Checked]:
    """One pass over one account or all that are watched, to the end, index included.

    The caller holds the worker's lock. Raises AuthFailed or RemoteError of a single account;
    over all accounts, each error is kept as the account's last check.
    """
    store = open_store(settings.data)
    with _worker(settings, store, Event()) as worker:
        chosen = [
            account
            for account in accounts.all_accounts(store)
            if account.is_watched and account_id in (None, account.id)
        ]
        worker.pass_seconds = math.inf
        passes = {account.id: worker.check(account) for account in chosen}
        while wait(passes.values(), TICK_SECONDS).not_done:
            worker.keep_index()
        worker.drain()
        done = {}
        for account, running in passes.items():
            error = running.exception()
            if error is None:
                done[account] = running.result()
            elif account_id is not None or not isinstance(error, LetterbookError):
                raise error
        return done


def drain_index(settings: Settings, progress: Progress = lambda written, total: None) -> None:
    """Bring the index up to date. The caller holds the worker's lock."""
    store = open_store(settings.data)
    with _worker(settings, store, Event()) as worker:
        worker.drain(progress)


def read_attachments(settings: Settings, progress: Progress = lambda read, total: None) -> None:
    """Read the attachments that wait, and bring the index up to date with their text.

    The caller holds the worker's lock.
    """
    store = open_store(settings.data)
    with _worker(settings, store, Event()) as worker:
        worker.read_attachments(progress)


def rebuild_index(settings: Settings, progress: Progress = lambda written, total: None) -> None:
    """Build the index anew. The caller holds the worker's lock."""
    store = open_store(settings.data)
    with _worker(settings, store, Event()) as worker:
        worker.index.submit(lambda indexer: indexer.rebuild(progress)).result()


@contextmanager
def _worker(
    settings: Settings, store: Store, stop: Event, *, is_lasting: bool = False
) -> Iterator["_Worker"]:
    give_back_large()
    sys.setswitchinterval(SWITCH_SECONDS)
    with (
        ThreadPoolExecutor(MOST_PASSES, thread_name_prefix="account") as pool,
        ThreadPoolExecutor(TESTS_AT_ONCE, thread_name_prefix="test") as test_pool,
        ThreadPoolExecutor(1, thread_name_prefix="upkeep") as upkeep_thread,
        ThreadPoolExecutor(1, thread_name_prefix="attachments") as reading_thread,
    ):
        index = IndexThread(settings.data, keeps_open=is_lasting)
        reading = Reading(settings, store, reading_thread, stop)
        keeper = Keeper(settings, store, upkeep_thread, stop)
        worker = _Worker(settings, store, pool, test_pool, index, keeper, reading, stop)
        try:
            yield worker
        finally:
            stop.set()
            worker.listening.close()
            worker.index.close()
    reading.close()
    store.close()


@dataclass(slots=True)
class _Begun:
    """A job, what is under way for it, and the last index entry that it may have brought."""

    job: Job
    futures: dict[Future[Any], str]
    queued_through: int | None = None


class _Worker:
    """The state of a running worker: passes under way, jobs that wait for them, the index."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        pool: ThreadPoolExecutor,
        test_pool: ThreadPoolExecutor,
        index: IndexThread,
        keeper: Keeper,
        reading: Reading,
        stop: Event,
    ) -> None:
        self.settings = settings
        self.store = store
        self._pool = pool
        self._test_pool = test_pool
        self.index = index
        self._keeper = keeper
        self._reading = reading
        self._indexing: Future[int] | None = None
        self._indexed = NEVER
        self._stop = stop
        self.pass_seconds = PASS_SECONDS
        self._slots = Slots(ACCOUNTS_AT_ONCE)
        self._key = load_key(settings.data, settings.secret_key)
        self._providers = providers(settings)
        self.listening = Listening(settings, self._key)
        self._passes: dict[AccountId, Future[Checked]] = {}
        self._jobs: list[_Begun] = []
        self._beaten = NEVER

    def turn(self) -> bool:
        """Begin and finish what is due now; False if there was nothing."""
        self._beat()
        self.keep_index()
        self._finish_jobs()
        self._keeper.turn()
        self._reading.turn()
        self.listening.turn(self.store, is_checking=self._is_checking)
        return self._begin_job() or self._begin_due()

    def drain(self, progress: Progress = lambda written, total: None) -> None:
        """Bring the index up to date, however long it takes."""
        while self.index.submit(lambda indexer: indexer.drain(progress)).result():
            pass

    def read_attachments(self, progress: Progress = lambda read, total: None) -> None:
        """Read the attachments that wait, and index their text, however long it takes."""
        self._reading.read_all(progress)
        self.drain()

    def check(self, account: Account) -> Future[Checked]:
        """A pass over the account: the one under way, or a new one."""
        if not self._is_checking(account.id):
            self._passes[account.id] = self._pool.submit(self._pass, account)
        return self._passes[account.id]

    def _is_checking(self, account_id: AccountId) -> bool:
        running = self._passes.get(account_id)
        return running is not None and not running.done()

    def _pass(self, account: Account) -> Checked:
        with self._slots.one():
            return check_account(
                self.settings,
                self._key,
                account,
                self._stop,
                pass_seconds=self.pass_seconds,
                make_room=lambda: self.listening.call_off_account(account.id),
            )

    def _beat(self) -> None:
        if time.monotonic() - self._beaten > BEAT_SECONDS:
            jobs.beat(self.store, now=utc_now())
            self._beaten = time.monotonic()

    def keep_index(self) -> None:
        """Index what is queued; look now and then whether the index is still there and sound."""
        if self._indexing is not None:
            if not self._indexing.done():
                return
            finished = self._indexing
            self._indexing = None
            finished.result()
        waited, waiting = time.monotonic() - self._indexed, documents.backlog(self.store)
        is_due = waiting >= PER_COMMIT or waited > INDEX_SECONDS or not self._is_bringing_mail()
        if waited > LOOK_AT_INDEX_SECONDS or (waiting and is_due):
            self._indexed = time.monotonic()
            self._indexing = self.index.submit(Indexer.drain)

    def _is_bringing_mail(self) -> bool:
        """Whether more is to come at once: then fewer and larger commits cost half as much."""
        running = [*self._passes.values(), *(one for work in self._jobs for one in work.futures)]
        return not all(future.done() for future in running)

    def _begin_due(self) -> bool:
        now = utc_now()
        next_at = now + timedelta(seconds=self.settings.poll_seconds)
        account = accounts.claim_due(self.store, now=now, next_at=next_at)
        if account is None:
            return False
        self.check(account)
        return True

    def _begin_job(self) -> bool:
        job = jobs.claim(self.store, now=utc_now())
        if job is None:
            return False
        self._jobs.append(_Begun(job, self._start(job)))
        return True

    def _start(self, job: Job) -> dict[Future[Any], str]:
        """What is under way for a job; checks with their mailbox's address."""
        if job.kind in ("check", "sync"):
            wanted = [accounts.get(self.store, i) for i in job.arguments["accounts"]]
            return {self.check(one): one.address for one in wanted if one.is_watched}
        return {self._start_one(job): ""}

    def _start_one(self, job: Job) -> Future[Any]:
        if job.kind == "import":
            return self._pool.submit(self._import, job)
        if job.kind == "test":
            return self._test_pool.submit(self._test, job)
        if job.kind == "find":
            return self._test_pool.submit(self._find, job)
        if job.kind in ("verify", "repair"):
            return self._keeper.prove(job)
        return self.index.submit(Indexer.begin_rebuild)

    def _finish_jobs(self) -> None:
        for work in list(self._jobs):
            if not all(future.done() for future in work.futures) or self._waits_for_index(work):
                continue
            result, error = self._outcome(work.job, work.futures)
            jobs.finish(self.store, work.job, result=result, error=error, now=utc_now())
            self._jobs.remove(work)
            mailboxes.remove_upload(self.store, work.job)

    def _waits_for_index(self, work: "_Begun") -> bool:
        """Whether what it brought is not searchable yet. What others bring meanwhile can wait."""
        if work.job.kind in _NOT_INDEXED:
            return False
        if work.queued_through is None:
            work.queued_through = documents.last_queued(self.store)
        return documents.waits(self.store, work.queued_through)

    def _outcome(self, job: Job, futures: dict[Future[Any], str]) -> tuple[str, str | None]:
        if job.kind == "check":
            return told([(to, one.exception() or one.result()) for one, to in futures.items()])
        errors = [str(e) for e in (future.exception() for future in futures) if e]
        if errors:
            return "", " ".join(errors)
        return json.dumps([_jsonable(future.result()) for future in futures]), None

    def _import(self, job: Job) -> dict[str, Any]:
        with self._slots.one():
            return import_file(self.settings, job, now=utc_now())

    def _test(self, job: Job) -> dict[str, Any]:
        """Try the way to a mailbox that is not saved yet; each step is shown when it is done."""
        store = open_store(self.settings.data)
        try:
            asked = mailboxes.asked_test(job, key=self._key)
            done = test_connection(
                asked.account,
                self._tested_secret(store, asked),
                now=utc_now,
                ca_file=self.settings.ca_file,
                public_only=asked.public_only,
                tell=lambda tested: jobs.record_progress(store, job, asdict(tested)),
            )
        finally:
            store.close()
        return asdict(done)

    def _tested_secret(self, store: Store, asked: mailboxes.AskedTest) -> Secret | None:
        if asked.account.auth_type == "password":
            return asked.password
        if asked.saved_as is None:
            return None
        saved = accounts.get(store, asked.saved_as)
        return mailboxes.secret_of(store, saved, key=self._key, known=self._providers, now=utc_now)

    def _find(self, job: Job) -> dict[str, Any]:
        """Look up the settings of a mailbox, where the operator lets us ask others."""
        # A third of a second to load, and seldom needed.
        from app.sync.autoconfig import find_settings

        if self.settings.find_settings == "no":
            raise LetterbookError("Look-ups are switched off here (LETTERBOOK_FIND_SETTINGS).")
        found = find_settings(str(job.arguments["address"]))
        return {"found": [asdict(one) for one in found]}


def _jsonable(value: object) -> object:
    return asdict(value) if isinstance(value, Checked | Tested | Report) else value
