"""Twenty workers on one new data directory at the same instant: prints how each of them ended.

Usage: python -m tests.twenty DIRECTORY. The one that holds the lock is asked to end by SIGTERM.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from app.errors import Conflict
from app.jobs import run_worker
from app.settings import Settings

WORKERS = 20
REFUSED = 7


def work(settings: Settings, begin: int) -> int:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.read(begin, 1)  # ends for all of them when the parent closes its end
    try:
        run_worker(settings, stop)
    except Conflict as exc:
        os.write(1, f"{exc}\n".encode())  # in one piece, among all the others
        return REFUSED
    return 0


def main(directory: str) -> None:
    settings = Settings.from_env({}, data=Path(directory))
    begin, hold = os.pipe()
    workers = []
    for _ in range(WORKERS):
        workers.append(os.fork())
        if workers[-1] == 0:
            os.close(hold)
            os._exit(work(settings, begin))
    os.close(hold)
    ended: dict[int, int] = {}
    while len(ended) < WORKERS - 1:
        worker, status = os.wait()
        ended[worker] = os.waitstatus_to_exitcode(status)
    (running,) = set(workers) - ended.keys()
    while (settings.data / "worker.lock").read_text() != str(running):
        time.sleep(0.01)
    os.kill(running, signal.SIGTERM)
    ended[running] = os.waitstatus_to_exitcode(os.waitpid(running, 0)[1])
    print("ended:", *sorted(ended.values()))


if __name__ == "__main__":
    main(*sys.argv[1:])
