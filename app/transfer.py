"""Import: mbox, Maildir, folders and zips of .eml, as one stream of deliveries."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO

import zstandard

from app.errors import Invalid
from app.model import AccountId, Digest, Folder
from app.store import Store, folders, locations
from app.store.ingest import Delivery, ingest

BATCH_BYTES = 20_000_000
BATCH_MESSAGES = 500
LARGEST_MESSAGE = 150_000_000
"""Bytes. A mail server takes 50 MB at most; what is larger here is a bomb or no mail."""

MOST_ZIP_RATIO = 200
_LINE_BYTES = 1 << 20
_BROKEN_OFF = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
IMPORTED_FLAGS = ("\\Seen",)

_FROM_LINE = re.compile(rb"From \S.*\d\d:\d\d.*\d{4}|From \S+(@\S+)? +\w{3} \w{3}")
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")
_RECEIVED = re.compile(rb"(?im)^received:((?:[^\n]|\n[ \t])*)")
_DATE = re.compile(rb"(?im)^date:([^\n]{5,80})")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought: read = stored + known + present + failed.

    `stored`: new bytes; `known`: bytes that another folder has; `present`: in this folder
    already; `failed`: the reasons, one a piece.
    """

    read: int = 0
    stored: int = 0
    known: int = 0
    present: int = 0
    failed: tuple[str, ...] = ()


def import_mail(
    store: Store,
    path: Path,
    account_id: AccountId,
    *,
    folder: str,
    now: datetime,
    progress: Callable[[Imported], None] = lambda done: None,
    read_bytes: Callable[[int], None] = lambda size_bytes: None,
) -> Imported:
    """Bring the mail of a file or folder into an account's folder.

    `read_bytes` hears how much mail was brought so far, to be held against `mail_bytes`.

    Raises Invalid if there is no mail at `path`. Effects: durable batch by batch; may be repeated
    and resumed, what is there already changes nothing.
    """
    failed: list[str] = []
    found = read_mail(path, failed)
    target = folders.ensure(store, account_id, folder)
    done = Imported()
    size_bytes = 0
    with _readable(path):
        for batch in _batches(found):
            done = _import_batch(store, target, batch, done, now=now)
            size_bytes += sum(map(len, batch))
            progress(done)
            read_bytes(size_bytes)
    if not done.read and not failed:
        raise Invalid("path", f"There is no mail in {path}.")
    return Imported(done.read + len(failed), done.stored, done.known, done.present, tuple(failed))


def check_mail(path: Path) -> None:
    """Raises Invalid if there is no mail at a path. Effects: none, so that nothing is begun."""
    failed: list[str] = []
    with _readable(path):
        if path.is_file() and _start(path).startswith(b"From "):
            # Its first message may be large: the first line is enough.
            has_mail = _FROM_LINE.match(_first_line(path)) is not None
        else:
            has_mail = next(read_mail(path, failed), None) is not None
    if not has_mail and not failed:
        raise Invalid("path", f"There is no mail in {path}.")


def mail_bytes(path: Path) -> int | None:
    """About how much mail a file holds; None where only reading it to the end would tell."""
    if path.suffix in (".gz", ".zst") or not path.is_file():
        return None
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist() if _is_eml(entry))


def read_mail(path: Path, failed: list[str]) -> Iterator[bytes]:
    """The raw messages at a path, one after the other; what cannot be read goes to `failed`.

    Raises Invalid, before the first message, if the path is no mbox, Maildir, .eml or zip.
    """
    if not path.exists():
        raise Invalid("path", f"There is no file or folder {path}.")
    if path.is_dir():
        return _read_directory(path, failed)
    start = _start(path)
    if start.startswith(b"PK\x03\x04"):
        return _read_zip(path, failed)
    if start.startswith(b"From "):
        return _read_mbox(path, failed)
    if path.suffix.lower() == ".eml":
        return _read_files([path], failed)
    raise Invalid(
        "path",
        f"{path} is neither an mbox file, a Maildir, an .eml file nor a zip of .eml files. "
        'An mbox file begins with "From ".',
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in our words that a compressed file broke off."""
    try:
        yield
    except _BROKEN_OFF as exc:
        raise Invalid(
            "path", f"{path} is damaged ({exc}). What was read before that is kept."
        ) from exc


def _start(path: Path) -> bytes:
    try:
        with _open(path) as file:
            return file.read(8)
    except (OSError, EOFError, zstandard.ZstdError) as exc:
        raise Invalid("path", f"{path} is damaged ({exc}).") from exc


def _first_line(path: Path) -> bytes:
    with _open(path) as file:
        return file.readline(_LINE_BYTES)


def _read_mbox(path: Path, failed: list[str]) -> Iterator[bytes]:
    """The messages of an mbox (RFC 4155), its quoted From lines (mboxrd) restored.

    What goes on without end, as in a file that only begins like an mbox, is passed over.
    """
    with _open(path) as file:
        lines: list[bytes] = []
        size_bytes = 0
        was_blank = True
        started = False
        # In pieces: a file of one line would be as large in memory.
        for line in iter(partial(file.readline, _LINE_BYTES), b""):
            if was_blank and line.startswith(b"From ") and _FROM_LINE.match(line):
                yield from _ended(lines, size_bytes, failed, path) if started else ()
                lines, size_bytes, started = [], 0, True
            elif started:
                size_bytes += len(line)
                if size_bytes <= LARGEST_MESSAGE:
                    lines.append(line)
                else:
                    lines.clear()
            was_blank = line in (b"\n", b"\r\n")
        yield from _ended(lines, size_bytes, failed, path) if started else ()


def _ended(lines: list[bytes], size_bytes: int, failed: list[str], path: Path) -> Iterator[bytes]:
    if size_bytes > LARGEST_MESSAGE:
        failed.append(f"{path.name}: a message larger than {LARGEST_MESSAGE:,} bytes")
    else:
        yield _unquoted(lines)


def _unquoted(lines: list[bytes]) -> bytes:
    """The message without the blank line that ends it in an mbox and without From quoting."""
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines.pop()
    return _QUOTED_FROM.sub(rb"\1", b"".join(lines))


def _read_directory(path: Path, failed: list[str]) -> Iterator[bytes]:
    if any((path / name).is_dir() for name in ("cur", "new")):
        files = [f for name in ("cur", "new") for f in sorted((path / name).glob("*"))]
    else:
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() == ".eml")
    files = [f for f in files if f.is_file()]
    if not files:
        raise Invalid("path", f"{path} holds no .eml files and is no Maildir.")
    return _read_files(files, failed)


def _read_files(files: Iterable[Path], failed: list[str]) -> Iterator[bytes]:
    for file in files:
        try:
            if file.stat().st_size > LARGEST_MESSAGE:
                failed.append(f"{file.name}: larger than {LARGEST_MESSAGE:,} bytes")
                continue
            yield file.read_bytes()
        except OSError as exc:
            failed.append(f"{file.name}: {exc.strerror}")


def _read_zip(path: Path, failed: list[str]) -> Iterator[bytes]:
    """The .eml files of a zip; nothing is unpacked on disk, so names cannot lead anywhere."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as exc:
        raise Invalid("path", f"{path} is a damaged zip file.") from exc
    with archive:
        for entry in archive.infolist():
            if not _is_eml(entry):
                continue
            is_bomb = entry.file_size > MOST_ZIP_RATIO * max(entry.compress_size, 1024)
            if is_bomb or entry.file_size > LARGEST_MESSAGE:
                failed.append(f"{entry.filename}: unpacks to {entry.file_size:,} bytes")
                continue
            try:
                yield archive.read(entry)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as exc:
                failed.append(f"{entry.filename}: {exc}")


def _is_eml(entry: zipfile.ZipInfo) -> bool:
    return not entry.is_dir() and entry.filename.lower().endswith(".eml")


def _batches(found: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The messages in batches; what came before a file broke off is a batch too."""
    batch: list[bytes] = []
    size_bytes = 0
    broken_off: Exception | None = None
    try:
        for raw in found:
            if batch and (size_bytes + len(raw) > BATCH_BYTES or len(batch) >= BATCH_MESSAGES):
                yield batch
                batch, size_bytes = [], 0
            batch.append(raw)
            size_bytes += len(raw)
    except _BROKEN_OFF as exc:
        broken_off = exc
    if batch:
        yield batch
    if broken_off:
        raise broken_off


def _import_batch(
    store: Store,
    folder: Folder,
    batch: list[bytes],
    done: Imported,
    *,
    now: datetime,
) -> Imported:
    uid = locations.next_import_uid(store, folder.id)
    deliveries: list[Delivery] = []
    digests = [Digest(sha256(raw).digest()) for raw in batch]
    present = locations.held_digests(store, folder.id, set(digests))
    for raw, digest in zip(batch, digests, strict=True):
        if digest in present:
            continue
        present.add(digest)
        received_at = _received_at(raw, now)
        place = folder.uidvalidity or 1
        deliveries.append(
            Delivery(folder.id, place, uid + len(deliveries), raw, received_at, IMPORTED_FLAGS)
        )
    counted = ingest(store, deliveries, now=now)
    return Imported(
        read=done.read + len(batch),
        stored=done.stored + counted.stored,
        known=done.known + counted.known,
        present=done.present + len(batch) - len(deliveries),
    )


def _received_at(raw: bytes, now: datetime) -> datetime:
    """When the message came: its top Received header, else its Date, else now."""
    head = raw[:65_536].split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0]
    for pattern in (_RECEIVED, _DATE):
        match = pattern.search(head)
        if match:
            try:
                text = match[1].rpartition(b";")[2].decode("ascii", "replace")
                date = parsedate_to_datetime(text.strip())
                date = date if date.tzinfo else date.replace(tzinfo=UTC)
                if 0 < date.timestamp() <= now.timestamp():
                    return date.astimezone(UTC)
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
    return now


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    """The file, unpacked on the way where its name ends in .gz or .zst."""
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rb")
        if path.suffix == ".zst":
            return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(path.open("rb")))
        return path.open("rb")
    except OSError as exc:
        raise Invalid("path", f"{path} cannot be read ({exc.strerror}).") from exc
