"""The child process: one document after the other from standard input, its text to standard output.

What it reads is hostile. Memory, time and open files are limited before the first byte comes: with
no file to be opened it reaches neither disk nor network.
"""

import encodings.aliases
import json
import os
import resource
import struct
import sys
from contextlib import suppress
from importlib import import_module
from typing import IO, Final

from app.extract.kinds import Document, read_document

MEMORY_BYTES: Final = 300 << 20
CPU_SECONDS: Final = 5
"""For one document; the child is killed at its end."""

LOWEST_PRIORITY: Final = 19
LENGTHS: Final = struct.Struct(">II")
"""Before a document: of what is said of it, in JSON, and of its bytes."""

LENGTH: Final = struct.Struct(">I")
"""Before an answer, which is JSON: [status, text]."""


def main() -> None:
    _limit()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while lengths := requests.read(LENGTHS.size):
        said, size_bytes = LENGTHS.unpack(lengths)
        document = _asked(requests, said, size_bytes)
        _limit_time()
        answer = json.dumps(read_document(document)).encode()
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _asked(requests: IO[bytes], said_bytes: int, size_bytes: int) -> Document:
    said = json.loads(requests.read(said_bytes))
    return Document(requests.read(size_bytes), **said)


def _limit() -> None:
    # Python looks codecs up in files when they are first asked for.
    for name in set(encodings.aliases.aliases.values()):
        with suppress(ImportError):
            import_module(f"encodings.{name}")
    os.nice(LOWEST_PRIORITY)
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_NOFILE, sys.stderr.fileno() + 1)
    with suppress(ValueError):  # macOS does not know it
        _set(resource.RLIMIT_AS, MEMORY_BYTES)


def _set(limit: int, value: int) -> None:
    resource.setrlimit(limit, (value, value))


def _limit_time() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    last = int(usage.ru_utime + usage.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (last, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
