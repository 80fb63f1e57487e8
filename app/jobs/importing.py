"""A file of mail brought in by the worker, as somebody asked."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from app import mailboxes
from app.errors import Invalid
from app.model import AccountId
from app.settings import Settings
from app.store import jobs, open_store
from app.store.jobs import Job
from app.transfer import Imported, import_mail, mail_bytes


def import_file(settings: Settings, job: Job, *, now: datetime) -> dict[str, Any]:
    """Bring in a file; an uploaded one is removed when the job is finished. Raises Invalid."""
    store = open_store(settings.data)
    upload = job.arguments.get("upload")
    path = mailboxes.upload_path(store, upload) if upload else Path(job.arguments["path"])
    name = str(job.arguments.get("name", path))
    so_far, total = Imported(), None

    def note(done: Imported) -> None:
        nonlocal so_far
        so_far = done

    def note_bytes(size_bytes: int) -> None:
        progress = {"read": so_far.read, "bytes": size_bytes, "total": total}
        jobs.record_progress(store, job, progress)

    try:
        total = mail_bytes(path)
        done = import_mail(
            store,
            path,
            AccountId(job.account_id or 0),
            folder=job.arguments["folder"],
            name=Path(name).name,
            now=now,
            progress=note,
            read_bytes=note_bytes,
        )
    except Invalid as exc:
        raise Invalid(exc.field, exc.reason.replace(str(path), name)) from exc
    finally:
        store.close()
    return asdict(done)
