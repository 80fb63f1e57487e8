"""The manifest of a backup: what belongs to it, with sizes and SHA-256. Written last."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.errors import Conflict, Corrupt

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class File:
    """A file of the backup; `name` is its path in there ("mail/000001.db"), the digest is hex."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Blocks of mail.db; `payload_bytes` are theirs, without the file around them."""

    file: File
    blocks: int
    payload_bytes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """archive.db at one moment, compressed; `database_bytes` are those of the unpacked file."""

    name: str
    made_at: str
    letterbook: str
    file: File
    database_bytes: int
    messages: int
    copies: int
    blobs: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a backup holds: snapshots, oldest first; the segments serve all of them.

    `last_block` and `last_blob` are the highest ids that mail.db ever gave.
    """

    archive_id: str
    last_block: int
    last_blob: int
    snapshots: tuple[Snapshot, ...]
    segments: tuple[Segment, ...]
    key: File | None

    @property
    def files(self) -> list[File]:
        held = [snapshot.file for snapshot in self.snapshots]
        held += [segment.file for segment in self.segments]
        return held + ([self.key] if self.key else [])

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def letterbook_version() -> str:
    return version("letterbook")


def render(manifest: Manifest) -> bytes:
    """The manifest as its file holds it: JSON that ends with the SHA-256 of what is before."""
    return _sealed({"format": FORMAT, "letterbook": letterbook_version(), **asdict(manifest)})


def read(path: Path) -> Manifest | None:
    """The manifest of a backup; None if there is none.

    Raises Corrupt if a byte of it was changed, Conflict if a newer Letterbook wrote it.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        document: dict[str, Any] = json.loads(raw)
        if int(document["format"]) > FORMAT:
            raise Conflict(
                f"{path} was written by a newer version of Letterbook (format "
                f"{document['format']}, this program knows {FORMAT}). Use that version; nothing "
                "was changed."
            )
        del document["sha256"]
        is_whole = _sealed(document) == raw
    except (ValueError, KeyError, TypeError) as exc:
        raise Corrupt(_damaged(path)) from exc
    if not is_whole:
        raise Corrupt(_damaged(path))
    return _from(document)


def check(directory: Path, file: File) -> None:
    """Raises Corrupt if a file of the backup is not what was written, byte for byte."""
    path = directory / file.name
    try:
        is_whole = path.stat().st_size == file.size_bytes and hex_digest(path) == file.sha256
    except FileNotFoundError as exc:
        raise Corrupt(f"{path} is missing. Bring it back from another copy.") from exc
    if not is_whole:
        raise Corrupt(_damaged(path))


def hex_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def described(path: Path, name: str) -> File:
    """A file as the manifest names it; read again from the disk."""
    return File(name, path.stat().st_size, hex_digest(path))


def _sealed(document: dict[str, Any]) -> bytes:
    digest = sha256(json.dumps(document).encode()).hexdigest()
    return (json.dumps(document | {"sha256": digest}, indent=1) + "\n").encode()


def _damaged(path: Path) -> str:
    return f"{path} is damaged: it is not what the backup wrote. Bring it back from another copy."


def _from(document: dict[str, Any]) -> Manifest:
    key = document["key"]
    return Manifest(
        document["archive_id"],
        document["last_block"],
        document["last_blob"],
        tuple(Snapshot(**s | {"file": File(**s["file"])}) for s in document["snapshots"]),
        tuple(Segment(**s | {"file": File(**s["file"])}) for s in document["segments"]),
        File(**key) if key else None,
    )
