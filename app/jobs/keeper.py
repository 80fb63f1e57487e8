"""When the worker does upkeep: one thing at a time, and only while no mail waits for the index."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

from app.jobs import proving
from app.jobs.backup import backup_tasks
from app.jobs.upkeep import TASKS, Report, carry_out, due
from app.settings import Settings
from app.store import Store, documents, jobs, open_store
from app.store.jobs import Job

LOOK_SECONDS = 60.0


class Keeper:
    """The upkeep under way, and when it was last looked what is due."""

    def __init__(
        self, settings: Settings, store: Store, thread: ThreadPoolExecutor, stop: Event
    ) -> None:
        self._settings = settings
        self._store = store
        self._thread = thread
        self._stop = stop
        self._running: Future[Report | None] | None = None
        self._looked = time.monotonic()

    def turn(self) -> None:
        """Begin what is due, if nothing is under way. Raises what a run could not keep."""
        if self._running is not None:
            if not self._running.done():
                return
            finished, self._running = self._running, None
            if finished.result() is not None:
                self._looked = time.monotonic() - LOOK_SECONDS  # what else is due need not wait
        if time.monotonic() - self._looked < LOOK_SECONDS or documents.backlog(self._store):
            return
        self._looked = time.monotonic()
        task = due(self._store, (*TASKS, *backup_tasks(self._settings)), now=datetime.now(UTC))
        if task is not None:
            self._running = self._thread.submit(carry_out, self._settings, task, self._stop.is_set)

    def prove(self, job: Job) -> Future[Report | None]:
        """Have a verification or repair done that somebody asked for."""
        return self._thread.submit(self._prove, job)

    def _prove(self, job: Job) -> Report | None:
        """Verify or repair everything, with how far it is; None if the worker is to end."""
        store = open_store(self._settings.data)

        def tell(done: int, total: int) -> None:
            jobs.record_progress(store, job, {"done": done, "total": total})

        make_task = proving.repair_task if job.kind == "repair" else proving.verify_task
        try:
            return carry_out(self._settings, make_task(tell), self._stop.is_set)
        finally:
            store.close()
