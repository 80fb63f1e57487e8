"""Making a backup while people and the worker go on: a snapshot, the new blocks, the manifest."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import zstandard

from app.backup import manifest as manifests
from app.backup import place
from app.backup.manifest import MANIFEST, File, Manifest, Segment, Snapshot
from app.errors import Conflict, Corrupt
from app.store import Store, segments
from app.store.lock import no_removal
from app.store.segments import Blocks, Counts

SEGMENT_BYTES = 1_000_000_000
"""Of a segment, at most."""

SMALL_BYTES = 64_000_000
MOST_SMALL = 30
"""So many small segments become one."""

_LEVEL = 3
_OVERHEAD = 1.1
_SPARE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a run did. `new_bytes` are those of the files it wrote, `size_bytes` of the whole.

    `faults`: a sentence for everything that is damaged or missing in the archive itself.
    """

    snapshot: Snapshot
    new_bytes: int
    size_bytes: int
    with_key: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The segments there are: those that stay, and those whose blocks are written anew."""

    kept: tuple[Segment, ...]
    retired: tuple[Segment, ...]


def back_up(
    store: Store,
    directory: Path,
    *,
    with_key: bool,
    keep: int,
    now: datetime,
    segment_bytes: int = SEGMENT_BYTES,
    progress: Callable[[str], None] = lambda state: None,
) -> BackedUp:
    """Add the archive, as it is now, to the backup in a directory, and check what was written.

    Raises Invalid if the directory is not fit for it, Conflict if another backup runs there or it
    is of another archive, LetterbookError if the disk is full. Effects: the earlier backup stays
    whole until the new manifest has its name; may be repeated after any interruption.
    """
    with place.told(directory, "The backup before this one is intact."):
        place.prepare(directory, store.directory)
        with place.alone(directory):
            before = _before(store, directory)
            place.clean(directory, before)
            try:
                run = _Run(store, directory, before, segment_bytes, progress)
                done = run.add(with_key=with_key, keep=keep, now=now)
            except BaseException:
                place.clean(directory, manifests.read(directory / MANIFEST))
                raise
            return done


def _before(store: Store, directory: Path) -> Manifest | None:
    before = manifests.read(directory / MANIFEST)
    if before is not None and before.archive_id != segments.archive_id(store):
        raise Conflict(
            f"{directory} is the backup of another archive, and was left as it is. To bring that "
            "archive back, use `letterbook restore`; for this one name another directory."
        )
    return before


class _Run:
    """One backup under way."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        before: Manifest | None,
        segment_bytes: int,
        progress: Callable[[str], None],
    ) -> None:
        self._store = store
        self._directory = directory
        self._before = before or Manifest(segments.archive_id(store), 0, 0, (), (), None)
        self._segment_bytes = segment_bytes
        self._progress = progress
        self._partial = place.partial(directory)
        self._done_bytes = 0

    def add(self, *, with_key: bool, keep: int, now: datetime) -> BackedUp:
        database = self._partial / "archive.db"
        with no_removal(self._store.directory):
            archive_bytes = segments.archive_bytes(self._store)
            place.need_space(self._directory, archive_bytes + _SPARE_BYTES, "The backup")
            counts = segments.snapshot(self._store, database)
            blocks = Blocks(self._store)
            try:
                kept, new = self._copy(blocks)
            finally:
                blocks.close()
        faults = self._check(new)
        held = [self._directory / s.file.name for s in kept]
        held += [self._partial / Path(s.file.name).name for s in new]
        named, missing = segments.missing_blobs(database, held)
        if missing:
            faults.append(
                f"Missing in mail.db: {missing:,} of {named:,} stored contents. "
                "`letterbook verify` names the messages."
            )
        snapshot = self._pack(database, counts, named, now=now)
        key = self._key() if with_key else None
        after = Manifest(
            self._before.archive_id,
            blocks.last_block,
            blocks.last_blob,
            (*self._before.snapshots, snapshot)[-keep:],
            (*kept, *new),
            key,
        )
        new_bytes = self._publish(after, new, snapshot)
        return BackedUp(snapshot, new_bytes, after.size_bytes, key is not None, tuple(faults))

    def _copy(self, blocks: Blocks) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """Write the blocks that are in no segment to new ones: gives those kept, those new."""
        found = self._sort(blocks)
        wanted = blocks.want()
        # As if the snapshot could not be compressed.
        needed = int(wanted * _OVERHEAD) + segments.archive_bytes(self._store)
        place.need_space(self._directory, needed, "The backup")
        sources = [self._directory / s.file.name for s in found.retired if self._is_whole(s.file)]
        number = max((int(Path(s.file.name).stem) for s in self._before.segments), default=0)
        new: list[Segment] = []
        self._done_bytes = 0

        def tick(size_bytes: int) -> None:
            self._done_bytes += size_bytes
            self._progress(f"{self._done_bytes:,} of {wanted:,} bytes copied")

        self._progress("looking for what is new")
        while True:
            number += 1
            path = self._partial / f"{number:06}.db"
            written = blocks.write(path, sources, most_bytes=self._segment_bytes, progress=tick)
            if written is None:
                return found.kept, tuple(new)
            file = manifests.described(path, f"mail/{path.name}")
            new.append(Segment(file, written.blocks, written.payload_bytes))

    def _sort(self, blocks: Blocks) -> _Sorted:
        """Which segments stay. One that is missing, or has other bytes than it had, is left out.

        What was removed from the archive must go from here too. What only moved may stay for a
        while, so that a small change does not cost a large file.
        """
        kept: list[Segment] = []
        retired: list[Segment] = []
        for segment in self._before.segments:
            path = self._directory / segment.file.name
            try:
                if path.stat().st_size != segment.file.size_bytes:
                    continue
                held = blocks.look(path)
            except (FileNotFoundError, Corrupt):
                continue
            is_half_gone = held.gone_bytes * 2 > segment.payload_bytes
            (retired if held.is_removed or is_half_gone else kept).append(segment)
        if self._before.last_block > blocks.last_block or not blocks.is_of_them():
            raise Conflict(
                f"{self._directory} has mail that this archive never had: it was brought back from "
                "an older backup since. Nothing was changed; name another directory."
            )
        small = [s for s in kept if s.payload_bytes < min(SMALL_BYTES, self._segment_bytes // 4)]
        if len(small) >= MOST_SMALL:
            retired += small
        for segment in retired:
            blocks.retire(self._directory / segment.file.name)
        return _Sorted(tuple(s for s in kept if s not in retired), tuple(retired))

    def _is_whole(self, file: File) -> bool:
        try:
            manifests.check(self._directory, file)
        except Corrupt:
            return False
        return True

    def _check(self, new: tuple[Segment, ...]) -> list[str]:
        """Read the new segments again; gives a sentence for what was damaged already."""
        total = sum(segment.payload_bytes for segment in new)
        self._done_bytes = 0

        def tick(size_bytes: int) -> None:
            self._done_bytes += size_bytes
            self._progress(f"{self._done_bytes:,} of {total:,} bytes checked")

        paths = [self._partial / Path(segment.file.name).name for segment in new]
        damaged = sum(segments.damaged_blocks(path, tick) for path in paths)
        if not damaged:
            return []
        return [f"Damaged blocks in mail.db: {damaged:,}. `letterbook verify` names the messages."]

    def _pack(self, database: Path, counts: Counts, named: int, *, now: datetime) -> Snapshot:
        """Compress the snapshot, and prove that it unpacks to the same."""
        taken = {snapshot.name for snapshot in self._before.snapshots}
        while (name := f"{now:%Y%m%dT%H%M%SZ}") in taken:
            now += timedelta(seconds=1)
        packed = self._partial / f"{name}.db.zst"
        self._progress("packing the snapshot")
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with database.open("rb") as source, packed.open("wb") as target:
            compressor.copy_stream(source, target)
        digest = sha256()
        with packed.open("rb") as source:
            for chunk in zstandard.ZstdDecompressor().read_to_iter(source):
                digest.update(chunk)
        if digest.hexdigest() != manifests.hex_digest(database):
            raise Corrupt(f"{packed} was not written as it should be; run the backup again.")
        return Snapshot(
            name,
            f"{now:%Y-%m-%dT%H:%M:%SZ}",
            manifests.letterbook_version(),
            manifests.described(packed, f"archive/{packed.name}"),
            database.stat().st_size,
            counts.messages,
            counts.copies,
            named,
        )

    def _key(self) -> File | None:
        """The secret key, copied; None where no file holds it."""
        source, copy = self._store.directory / place.KEY, self._partial / place.KEY
        if not source.exists():
            return None
        shutil.copyfile(source, copy)
        return manifests.described(copy, place.KEY)

    def _publish(self, after: Manifest, new: tuple[Segment, ...], snapshot: Snapshot) -> int:
        """Name everything, the manifest last; then what it names no more goes. Gives the bytes."""
        files = [*(segment.file for segment in new), snapshot.file]
        files += [after.key] if after.key else []
        for file in files:
            place.publish(self._partial / Path(file.name).name, self._directory / file.name)
        text = manifests.render(after)
        (self._partial / MANIFEST).write_bytes(text)
        place.publish(self._partial / MANIFEST, self._directory / MANIFEST)
        place.clean(self._directory, after)
        if after.key is None:
            (self._directory / place.KEY).unlink(missing_ok=True)
        return sum(file.size_bytes for file in files) + len(text)
