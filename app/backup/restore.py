"""Bringing an archive back from a backup, proved before it is there."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import zstandard

from app.backup import manifest as manifests
from app.backup import place
from app.backup.manifest import MANIFEST, Manifest, Snapshot
from app.errors import Corrupt, Invalid, LetterbookError, NotFound
from app.model import PublicId
from app.store import Store, blobs, documents, messages, open_store, restored, segments
from app.store.secrets import load_key, unseal

_OVERHEAD = 1.2
_AT_A_TIME = 500
_BUILDING = ".restoring"
_IGNORED = {_BUILDING, "README.md", "lost+found"}


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `gone`: messages that were removed from the archive after the snapshot.

    `damaged`: copies whose bytes were damaged in the archive when it was backed up.
    `without_password`: addresses of the mailboxes whose passwords must be typed again.
    """

    snapshot: Snapshot
    messages: int
    copies: int
    gone: tuple[PublicId, ...]
    damaged: tuple[str, ...]
    without_password: tuple[str, ...]


def restore(
    directory: Path,
    target: Path,
    *,
    name: str | None,
    configured_key: str,
    now: datetime,
    progress: Callable[[str], None] = lambda state: None,
) -> Restored:
    """Build a data directory from a backup, prove every copy in it, then give it its name.

    `name` is a snapshot's (None: the latest), `configured_key` is `Settings.secret_key`.
    Raises Invalid if the target holds anything, Corrupt naming the file if one byte of the backup
    is not what was written, NotFound if there is no such snapshot, LetterbookError if the disk is
    full. Effects: none if it fails; all messages are queued for the index, nobody is signed in.
    """
    with place.told(target, "Nothing was restored."), place.unchanged(directory):
        manifest = manifests.read(directory / MANIFEST)
        if manifest is None:
            raise NotFound(f"There is no backup in {directory}: it has no {MANIFEST}.")
        snapshot = _chosen(manifest, name)
        _refuse_used(target)
        with _building(target) as building:
            _unpack(directory, manifest, snapshot, building, progress)
            gone = _take_removals(directory, manifest.snapshots[-1], snapshot, building)
            return _settle(building, snapshot, configured_key, gone, now=now, progress=progress)


def _chosen(manifest: Manifest, name: str | None) -> Snapshot:
    for snapshot in reversed(manifest.snapshots):
        if name in (None, snapshot.name):
            return snapshot
    names = ", ".join(snapshot.name for snapshot in manifest.snapshots)
    raise NotFound(f"The backup has no snapshot {name}. It has: {names}.")


def _refuse_used(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir() or {path.name for path in target.iterdir()} - _IGNORED:
        raise Invalid(
            "data",
            f"{target} is not empty, and nothing there is overwritten. Name a new directory with "
            "--data, or stop Letterbook and move this one aside.",
        )


@contextmanager
def _building(target: Path) -> Iterator[Path]:
    """A directory to build in, which becomes the target when the block ends well.

    It lies beside the target or, where that cannot be renamed to it, inside: the target is a file
    system of its own, holds something that may stay, or only it may be written to.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    is_kept = target.is_mount() or (target.exists() and any(target.iterdir()))
    is_inside = is_kept or not os.access(target.parent, os.W_OK)
    building = target / _BUILDING if is_inside else target.with_name(f".{target.name}{_BUILDING}")
    building.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(building, os.O_RDONLY)
    with place.held(descriptor, fcntl.LOCK_EX, f"Something is restored to {target} already."):
        try:
            for path in building.iterdir():  # what a broken run left
                path.unlink()
            yield building
            _give_name(building, target, is_inside=is_inside)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise


def _give_name(building: Path, target: Path, *, is_inside: bool) -> None:
    for path in building.iterdir():
        place.sync(path)
    place.sync(building)
    _refuse_used(target)
    if is_inside:
        # archive.db last: a directory without it is none.
        for path in sorted(building.iterdir(), key=lambda path: path.name == "archive.db"):
            path.rename(target / path.name)
        building.rmdir()
        place.sync(target)
    else:
        building.rename(target)
        place.sync(target.parent)


def _unpack(
    directory: Path,
    manifest: Manifest,
    snapshot: Snapshot,
    building: Path,
    progress: Callable[[str], None],
) -> None:
    """Check every file of the backup, then fill the data directory from them."""
    held = [segment.file for segment in manifest.segments]
    total = sum(file.size_bytes for file in held)
    needed = int(total * _OVERHEAD) + 2 * snapshot.database_bytes
    place.need_space(building, needed, "The restored archive")
    checked = 0
    for file in [snapshot.file, *held, *([manifest.key] if manifest.key else [])]:
        progress(f"{checked:,} of {total:,} bytes of the backup checked")
        manifests.check(directory, file)
        checked += file.size_bytes
    open_store(building).close()  # makes the tables
    paths = [directory / file.name for file in held]
    filling = segments.join(
        building, paths, last_block=manifest.last_block, last_blob=manifest.last_blob
    )
    for number, _ in enumerate(filling, start=1):
        progress(f"{number:,} of {len(paths):,} files brought back")
    _unpack_snapshot(directory, snapshot, building / "archive.db")
    if manifest.key:
        shutil.copyfile(directory / manifest.key.name, building / place.KEY)
        (building / place.KEY).chmod(0o600)


def _unpack_snapshot(directory: Path, snapshot: Snapshot, path: Path) -> None:
    with (directory / snapshot.file.name).open("rb") as source, path.open("wb") as database:
        zstandard.ZstdDecompressor().copy_stream(source, database)


def _take_removals(
    directory: Path, latest: Snapshot, chosen: Snapshot, building: Path
) -> list[PublicId]:
    """What was removed for good after the chosen snapshot stays so: the latest one knows it."""
    if latest == chosen:
        return []
    newer = building / "newer.db"
    manifests.check(directory, latest.file)
    _unpack_snapshot(directory, latest, newer)
    store = open_store(building)
    try:
        return restored.take_removals(store, newer)
    finally:
        store.close()
        for path in building.glob("newer.db*"):
            path.unlink()


def _settle(
    building: Path,
    snapshot: Snapshot,
    configured_key: str,
    removed: list[PublicId],
    *,
    now: datetime,
    progress: Callable[[str], None],
) -> Restored:
    """Prove the built store, and make it ready for its first start."""
    store = open_store(building)
    try:
        restored.end_sessions(store)
        gone = [*removed, *restored.forget_missing(store, now=now)]
        copies, damaged = _prove(store, snapshot, progress)
        documents.enqueue_all(store)
        return Restored(
            snapshot,
            documents.message_count(store),
            copies,
            tuple(gone),
            tuple(damaged),
            tuple(_without_password(store, configured_key)),
        )
    finally:
        store.close()


def _prove(
    store: Store, snapshot: Snapshot, progress: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Rebuild every copy: how many there are, and a sentence for each one that is damaged."""
    done = last = 0
    damaged = []
    while copies := messages.copies_after(store, last, limit=_AT_A_TIME):
        for copy in copies:
            try:
                blobs.read(store, copy.id)
            except Corrupt as exc:
                damaged.append(f"copy {copy.public_id}: {exc}")
        done, last = done + len(copies), copies[-1].id
        progress(f"{done:,} of {snapshot.copies:,} copies proved")
    return done, damaged


def _without_password(store: Store, configured_key: str) -> Iterator[str]:
    has_key = configured_key or (store.directory / place.KEY).exists()
    key = load_key(store.directory, configured_key) if has_key else b""
    for sealed in restored.sealed_secrets(store):
        try:
            if not has_key:
                raise LetterbookError
            unseal(key, sealed.public_id, sealed.secret)
        except LetterbookError:
            yield sealed.address
