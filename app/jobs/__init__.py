"""The worker process: due accounts, jobs that people asked for, the index queue, upkeep.

The composition root of that process; it knows no HTTP.
"""

from app.jobs.proving import repair_now
from app.jobs.worker import drain_index, read_attachments, rebuild_index, run_worker, sync_now

__all__ = [
    "drain_index",
    "read_attachments",
    "rebuild_index",
    "repair_now",
    "run_worker",
    "sync_now",
]
