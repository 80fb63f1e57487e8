"""Where mail comes from: mbox files, packed or not, Maildirs, folders and zips of .eml files."""

import gzip
import io
import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import zstandard

from app.errors import Invalid
from app.mail import display
from app.mail.utf7 import decode_name
from app.model import LARGEST_MESSAGE, one_line
from app.transfer.found import SEEN, TOO_LARGE, Found, Piece, Refused
from app.transfer.mbox import BROKEN_OFF, read_mbox, starts_mbox

MOST_ZIP_RATIO = 200
MOST_DIRECTORY_BYTES = 32_000_000
"""Of a zip's list of contents, which is read into memory: some 300,000 messages."""

NO_MAIL = "There is no mail in {path}."
_READ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ERRORS = (
    *(*BROKEN_OFF, zipfile.BadZipFile, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, struct.error),
)
_ZSTD_PIECE = 1 << 8  # bytes; unpacked to 8 MB at the very most
_INFO = re.compile(r"[:;!]2,([A-Za-z]*)\Z")
_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": SEEN, "T": "\\Deleted"}


def check_mail(path: Path) -> None:
    """Raises Invalid if there is no mail at a path. Effects: none, so that nothing is begun."""
    if path.is_file() and _start(path).startswith(b"From "):
        # Its first message may be large: the first line is enough.
        with _opened(path) as file:
            has_mail = starts_mbox(file)
    else:
        has_mail = next(read_mail(path), None) is not None
    if not has_mail:
        raise Invalid("path", NO_MAIL.format(path=path))


def mail_bytes(path: Path) -> int | None:
    """About how much mail a file holds; None where only reading it to the end would tell."""
    if not path.is_file() or _packing(path):
        return None
    if not _start(path).startswith(b"PK"):
        return path.stat().st_size
    with _zip(path) as archive:
        return sum(entry.file_size for entry in archive.infolist() if _is_eml(entry.filename))


def read_mail(path: Path, name: str = "") -> Iterator[Piece]:
    """The messages at a path, one after the other, and what cannot be read.

    `name`: what people call the file, where that is not the path's.

    Raises Invalid, before the first message, if the path is no mbox, Maildir, .eml or zip.
    """
    if not path.exists():
        raise Invalid("path", f"There is no file or folder {path}.")
    if path.is_dir():
        return _read_directory(path)
    start = _start(path)
    if start.startswith(b"PK"):
        return _read_zip(path)
    if start.startswith(b"From "):
        return _read_mbox(path, display(name or path.name))
    if path.suffix.lower() == ".eml":
        return iter([_read_file(path, name or path.name)])
    raise Invalid(
        "path",
        f"{path} is neither an mbox file, a Maildir, an .eml file nor a zip of .eml files. "
        'An mbox file begins with "From ".',
    )


# -- files


def _read_mbox(path: Path, name: str) -> Iterator[Piece]:
    with _opened(path) as file:
        yield from read_mbox(file, name)


def _start(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(8)
    except BROKEN_OFF as exc:
        raise Invalid("path", f"{path} is damaged ({exc}).") from exc


def _packing(path: Path) -> str:
    """ "gzip", "zstd" or "", by the first bytes or the name."""
    with _plain(path) as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if start == b"\x28\xb5\x2f\xfd" or path.suffix == ".zst" else ""


@contextmanager
def _opened(path: Path) -> Iterator["io.BufferedReader | gzip.GzipFile"]:
    """A file, unpacked on the way. Raises Invalid if it cannot be read or is no ordinary file."""
    packing = _packing(path)
    with _plain(path) as file:
        if packing == "gzip":
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        elif packing == "zstd":
            yield io.BufferedReader(_Unzstd(file), 1 << 18)
        else:
            yield file


@contextmanager
def _plain(path: Path) -> Iterator[io.BufferedReader]:
    try:
        file = _open_ordinary(path, follow=True)
    except OSError as exc:
        raise Invalid("path", f"{path} cannot be read ({exc.strerror}).") from exc
    with file:
        yield file


def _open_ordinary(path: Path, *, follow: bool) -> io.BufferedReader:
    """Open a file that is neither a pipe nor a device, over which one could wait for ever.

    Raises OSError. `follow=False`: neither a link, which may lead outside.
    """
    mode = path.stat(follow_symlinks=follow).st_mode
    if stat.S_ISLNK(mode):
        raise OSError(0, "it is a link, and links are not followed")
    if not stat.S_ISREG(mode):
        raise OSError(0, "it is no ordinary file")
    no_link = 0 if follow else os.O_NOFOLLOW
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | no_link), "rb")


class _Unzstd(io.RawIOBase):
    """Unpacks zstd frames, one after the other. Raises EOFError where the last is cut off."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._left = b""
        self._ready = memoryview(b"")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        while not self._ready:
            packed = self._left or self._packed.read(_ZSTD_PIECE)
            if not packed:
                if self._is_inside:
                    raise EOFError("it breaks off in the middle")
                return 0
            self._ready = memoryview(self._frame.decompress(packed))
            self._left, self._is_inside = b"", True
            if self._frame.eof:
                self._left, self._is_inside = self._frame.unused_data, False
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


# -- directories


def _read_directory(root: Path) -> Iterator[Piece]:
    """Every Maildir under a directory, with a folder name each, and every .eml file.

    ".Sent.2024" of Maildir++ is the folder "Sent/2024", as are nested Maildirs. Links are not
    followed: they are said.
    """
    unread: list[OSError] = []
    for place, names, files in os.walk(root, onerror=unread.append):
        names.sort()
        here = Path(place)
        inside = here.relative_to(root)
        is_maildir = "cur" in names or "new" in names
        folder = _folder_name(inside) if is_maildir else ""
        linked = [name for name in names if (here / name).is_symlink()]
        for name in linked:
            yield _refused(root, inside / name, folder, "it is a link, and links are not followed")
        if is_maildir:
            for name in ("cur", "new"):
                if name in names and name not in linked:
                    yield from _read_maildir(root, inside / name, folder)
            names[:] = [name for name in names if name not in ("cur", "new", "tmp")]
        else:
            for name in sorted(filter(_is_eml, files)):
                yield _read_below(root, inside / name, "", (SEEN,))
    for error in unread:
        where = Path(error.filename).relative_to(root)
        yield _refused(root, where, "", error.strerror or "it cannot be read")


def _folder_name(inside: Path) -> str:
    """ ".Sent.2024" and "Sent/2024" are "Sent/2024"; modified UTF-7 is decoded."""
    parts: list[str] = []
    for name in inside.parts:
        parts += name[1:].split(".") if name.startswith(".") else [name]
    return "/".join(one_line(decode_name(part)) for part in parts)


def _read_maildir(root: Path, inside: Path, folder: str) -> Iterator[Piece]:
    """One of a Maildir's directories. Where a name tells no flags, mail in cur was read."""
    try:
        names = sorted(os.listdir(root / inside))  # noqa: PTH208  # names only: there are many
    except OSError as exc:
        yield _refused(root, inside, folder, exc.strerror or "it cannot be read")
        return
    silent = () if inside.name == "new" else (SEEN,)
    for name in names:
        if name.startswith("."):
            continue
        told = _INFO.search(name)
        flags = tuple(_FLAGS[one] for one in told[1] if one in _FLAGS) if told else silent
        yield _read_below(root, inside / name, folder, flags)


def _read_below(root: Path, inside: Path, folder: str, flags: tuple[str, ...]) -> Piece:
    # The flags in a Maildir's file name change, its place does not.
    key = _INFO.sub("", f"{root.name}/{inside}")
    return _read_file(root / inside, str(inside), key, folder=folder, flags=flags, follow=False)


def _read_file(
    path: Path,
    name: str,
    key: str = "",
    *,
    folder: str = "",
    flags: tuple[str, ...] = (SEEN,),
    follow: bool = True,
) -> Piece:
    key = key or name
    try:
        with _open_ordinary(path, follow=follow) as file:
            status = os.fstat(file.fileno())
            raw = b"" if status.st_size > LARGEST_MESSAGE else file.read(status.st_size)
    except OSError as exc:
        return Refused(f"{display(name)}: {exc.strerror}", key, folder)
    if status.st_size > LARGEST_MESSAGE:
        return Refused(f"{display(name)} {TOO_LARGE}", key, folder)
    return Found(raw, key, folder, flags, datetime.fromtimestamp(status.st_mtime, UTC))


def _refused(root: Path, inside: Path, folder: str, reason: str) -> Refused:
    return Refused(f"{display(str(inside))}: {reason}", f"{root.name}/{inside}", folder)


def _is_eml(name: str) -> bool:
    return name.lower().endswith(".eml")


# -- zips


def _read_zip(path: Path) -> Iterator[Piece]:
    """The .eml files of a zip; nothing is unpacked on disk, so names cannot lead anywhere."""
    with _zip(path) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        end = 0
        for entry in entries:
            is_over_another = entry.header_offset < end
            end = max(end, entry.header_offset + entry.compress_size)
            if _is_eml(entry.filename):
                yield _read_entry(archive, entry, is_over_another=is_over_another)


def _read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, is_over_another: bool
) -> Piece:
    name = display(entry.filename)
    key = f"{entry.filename} {entry.CRC} {entry.file_size}"
    if is_over_another:
        return Refused(f"{name} lies over another file of the zip", key)
    is_bomb = entry.file_size > MOST_ZIP_RATIO * max(entry.compress_size, 1024)
    if is_bomb or entry.file_size > LARGEST_MESSAGE:
        return Refused(f"{name}: unpacks to {entry.file_size:,} bytes", key)
    if entry.compress_type not in _READ_METHODS:
        return Refused(f"{name} is packed in a way that is not read", key)
    try:
        with archive.open(entry) as file:
            raw = file.read(LARGEST_MESSAGE)
    except _ZIP_ERRORS as exc:
        return Refused(f"{name}: {exc}", key)
    if len(raw) != entry.file_size:
        return Refused(f"{name} has another length than the zip says", key)
    return Found(raw, key, received_at=_entry_date(entry))


def _entry_date(entry: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*entry.date_time, tzinfo=UTC)
    except ValueError:
        return None


@contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip, opened. Raises Invalid if it is damaged or its list of contents too long."""
    with _plain(path) as file:
        if (size := _directory_bytes(file)) > MOST_DIRECTORY_BYTES:
            raise Invalid(
                "path",
                f"{path} holds too many files ({size:,} bytes of names). Unpack it, and import the"
                " folder.",
            )
        try:
            archive = zipfile.ZipFile(file)
        except _ZIP_ERRORS as exc:
            raise Invalid(
                "path",
                f"{path} is a damaged zip file. Nothing of it was brought in. If its end is"
                " missing, get it anew, or mend it with `zip -FF`.",
            ) from exc
        with archive:
            yield archive


def _directory_bytes(file: IO[bytes]) -> int:
    """The size of a zip's list of contents, from its end record (APPNOTE 4.3.14, 4.3.16)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 70_000))
    tail = file.read()
    file.seek(0)
    large, small = tail.rfind(b"PK\x06\x06"), tail.rfind(b"PK\x05\x06")
    if small < 0 or small + 16 > len(tail):
        return 0
    (told,) = struct.unpack_from("<L", tail, small + 12)
    if told == 0xFFFFFFFF and 0 <= large <= len(tail) - 48:
        (told,) = struct.unpack_from("<Q", tail, large + 40)
    return int(told)
