"""The directories of the indexes: the lock over them, whether one is whole, and its removal."""

import fcntl
import os
import shutil
from io import TextIOWrapper
from pathlib import Path

import tantivy

from app.errors import Conflict
from app.search import soundness
from app.search.reader import Damaged, engine_errors, open_index
from app.search.schema import MESSAGES, RECORDS

SORT_FIELDS = {MESSAGES: "sort_key", RECORDS: "record_id"}


def take_lock(path: Path) -> TextIOWrapper:
    """The file, locked until it is closed or the process ends. Raises Conflict."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        file.close()
        raise Conflict(
            "Another process is writing the search index. Try again when it has finished."
        ) from exc
    return file


def is_of(path: Path, file: TextIOWrapper) -> bool:
    """Whether an open file is still the one at the path: a lock on a removed one locks nothing."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def remove(path: Path) -> None:
    """Whatever lies there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def fault(path: Path, name: str) -> str | None:
    """What is wrong with an index; None if it opens and answers. Raises what is no damage."""
    if (found := soundness.fault(path)) is not None:
        return found
    try:
        searcher = open_index(path, name).searcher()
        with engine_errors():
            searcher.search(tantivy.Query.all_query(), 1, order_by_field=SORT_FIELDS[name])
    except Damaged as exc:
        return str(exc)
    return None
