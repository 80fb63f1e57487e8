"""An uploaded file on its way to disk: piece by piece, never whole in memory.

Litestar's own form parser keeps uploads in the system's temporary directory and reads the whole
form before anybody asks who sent it. Here the form's token comes first; without it nothing is
written.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from secrets import token_hex
from typing import Final

from litestar.concurrency import sync_to_thread
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ClientException
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from app.web.db import AnyRequest

_SUFFIXES: Final = frozenset((".eml", ".mbox", ".zip", ".gz", ".zst"))
_MOST_FIELDS: Final = 1000
_LONGEST_FIELD: Final = 64_000
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: where it lies, what the sender calls it, its size."""

    path: Path
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A file that was sent and is over the limit; nothing of it is kept."""

    limit_bytes: int


class _Over(Exception):
    """The file is over the limit; the rest of the form is not read."""


async def receive(
    request: AnyRequest, directory: Path, *, limit_bytes: int, token: tuple[str, str]
) -> tuple[FormMultiDict, Upload | TooLarge | None]:
    """The fields of a multipart form, and its file, written below `directory` (0600).

    `token` is the name and value of the field that must come before a file; a file that comes
    without is passed over. Raises ClientException if it is no such form. Effects: the file stays
    until the caller removes it; of a form that breaks off nothing stays.
    """
    boundary = request.content_type[1].get("boundary", "")
    if not boundary:
        raise ClientException("The form has no boundary.")
    reading = _Reading(directory, limit_bytes, token)
    try:
        with PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS) as parser:
            async for chunk in request.stream():
                if chunk:
                    for part in parser.parse(chunk):
                        await reading.take(part)
    except _Over:
        reading.abandon()
        return FormMultiDict(reading.fields), TooLarge(limit_bytes)
    except MultipartError as exc:
        reading.abandon()
        raise ClientException("The form is malformed.") from exc
    except BaseException:
        reading.abandon()
        raise
    return FormMultiDict(reading.fields), reading.upload


class _Reading:
    """What was read of a form so far: its fields, and the one file that is kept, the first."""

    def __init__(self, directory: Path, limit_bytes: int, token: tuple[str, str]) -> None:
        self.fields: list[tuple[str, str]] = []
        self.upload: Upload | None = None
        self._directory = directory
        self._limit_bytes = limit_bytes
        self._token = token
        self._name = ""
        self._text = bytearray()
        self._file: int | None = None

    async def take(self, part: MultipartSegment | bytearray | None) -> None:
        """Take what the parser gives: a part's head, pieces of its content, None at its end."""
        if isinstance(part, MultipartSegment):
            self._begin(str(part.name or ""), part.filename)
        elif part and self._file is not None:
            await self._write(bytes(part))
        elif part:
            self._text += part[: _LONGEST_FIELD - len(self._text)]
        elif self._file is not None:
            await self._flush()
            self._close()
        elif self._name:
            self.fields.append((self._name, self._text.decode(errors="replace")))

    def abandon(self) -> None:
        """Leave nothing on disk."""
        self._close()
        if self.upload is not None:
            self.upload.path.unlink(missing_ok=True)
            self.upload = None

    def _begin(self, name: str, filename: str | None) -> None:
        self._name, self._text = name, bytearray()
        if filename is None:
            return
        self._name = ""
        if not filename or self.upload is not None or not self._has_token():
            return
        shown = PurePath(filename.replace("\\", "/")).name[:200]
        suffix = PurePath(shown).suffix.lower()
        path = self._directory / (token_hex(16) + (suffix if suffix in _SUFFIXES else ""))
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.upload = Upload(path, shown, 0)

    def _has_token(self) -> bool:
        """Whether the first field of the token's name is the token, as the guard reads the form."""
        name, expected = self._token
        return next((value for key, value in self.fields if key == name), "") == expected

    async def _write(self, piece: bytes) -> None:
        """Gather to a megabyte, so that the event loop seldom waits for a thread."""
        if self.upload is not None:
            self.upload = replace(self.upload, size_bytes=self.upload.size_bytes + len(piece))
            if self.upload.size_bytes > self._limit_bytes:
                raise _Over
        self._text += piece
        if len(self._text) >= _PIECE_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        piece, self._text = bytes(self._text), bytearray()
        if self._file is not None:
            await sync_to_thread(_write_all, self._file, piece)

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _write_all(file: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(file, rest) :]
