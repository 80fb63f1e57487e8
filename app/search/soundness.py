"""Whether the files of an index are those that were written, down to the last byte.

The engine ends each file with a sum over it, and compares none. What it does with other bytes than
it wrote may be anything: a wrong answer, an error, the end of the process.
"""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from app.errors import LetterbookError

NOTED = "written.json"
"""Beside the engine's files: how far an index was written at least."""

_ENDINGS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
_OF_SEGMENT = re.compile(r"[0-9a-f]{32}\.(?:[0-9]+\.)?[a-z]+")
_MAGIC = 1337
_TAIL = struct.Struct("<II")
_CHUNK_BYTES = 1 << 20
_LOOKS = 5


def fault(path: Path) -> str | None:
    """What is wrong with an index, in words; None: every byte is as it was written.

    Another process may go on writing it. Raises LetterbookError where it cannot be read now.
    """
    for _ in range(_LOOKS):
        listing = _listing(path)
        wrong = _fault(path, listing)
        if wrong is None or _listing(path) == listing:
            return wrong
    return None


def note_written(path: Path, opstamp: int) -> None:
    """Note a durable commit by its number: an index that ends earlier, or with another number of
    documents, is not the one that was written."""
    new = path / f"{NOTED}.new"
    documents = _documents(json.loads(_listing(path) or b"{}"))
    new.write_text(json.dumps({"opstamp": opstamp, "documents": documents}))
    new.replace(path / NOTED)


def sweep(path: Path) -> int:
    """Remove what crashes left: files of the engine that its list does not name; how many.

    For the one writer, before it writes.
    """
    listing = _listing(path)
    if listing is None:
        return 0
    named = set(_named(json.loads(listing)))
    unnamed = [
        file
        for file in path.iterdir()
        if file.name not in named and _OF_SEGMENT.fullmatch(file.name) and file.is_file()
    ]
    for file in unnamed:
        file.unlink(missing_ok=True)
    return len(unnamed)


def _listing(path: Path) -> bytes | None:
    return _read(path / "meta.json")


def _fault(path: Path, listing: bytes | None) -> str | None:
    if listing is None:
        return "its list of files is missing"
    try:
        meta = json.loads(listing)
        opstamp, documents = _noted(path)
        if meta["opstamp"] < opstamp:
            return "it ends before what was written"
        # Where files are put together meanwhile, neither of the two changes.
        if meta["opstamp"] == opstamp and _documents(meta) != documents:
            return "it has another number of documents than were written"
        wrong = ((name, _fault_of_file(path / name)) for name in _named(meta))
        return next((f"{name} {what}" for name, what in wrong if what), None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "its list of files cannot be read"


def _noted(path: Path) -> tuple[int, int]:
    """The last commit that was noted, and its documents; -1: nothing that can be read."""
    try:
        noted = json.loads(_read(path / NOTED) or b"")
        return int(noted["opstamp"]), int(noted["documents"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return -1, 0


def _documents(meta: dict[str, Any]) -> int:
    return sum(
        one["max_doc"] - (one["deletes"] or {"num_deleted_docs": 0})["num_deleted_docs"]
        for one in meta["segments"]
    )


def _named(meta: dict[str, Any]) -> Iterator[str]:
    """The files of each segment. Raises what a list of another shape leads to."""
    for segment in meta["segments"]:
        stem = str(segment["segment_id"]).replace("-", "")
        names = [f"{stem}.{ending}" for ending in _ENDINGS]
        if isinstance(deletes := segment["deletes"], dict):
            names.append(f"{stem}.{deletes['opstamp']}.del")
        if not all(map(_OF_SEGMENT.fullmatch, names)):
            raise ValueError(stem)
        yield from names


def _fault_of_file(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size < _TAIL.size:
                return "is cut"
            file.seek(size - _TAIL.size)
            length, magic = _TAIL.unpack(file.read(_TAIL.size))
            rest = size - _TAIL.size - length
            if magic != _MAGIC or rest < 0:
                return "is cut or has another end"
            file.seek(rest)
            wanted = json.loads(file.read(length))["crc"]
            file.seek(0)
            found = 0
            while rest > 0 and (chunk := file.read(min(rest, _CHUNK_BYTES))):
                found, rest = crc32(chunk, found), rest - len(chunk)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return "is missing"
    except (ValueError, KeyError, TypeError):
        return "has another end"
    except OSError as exc:
        raise LetterbookError(f"The search index cannot be read now: {exc}") from exc
    return None if found == wanted else "has other bytes than were written"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as exc:
        raise LetterbookError(f"The search index cannot be read now: {exc}") from exc
