"""The parent's side: a child process that reads documents, watched and replaced when it falls."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from app.extract.child import LENGTH, LENGTHS
from app.mail import display
from app.store.extracts import MOST_CHARACTERS, STATUSES, Attachment, Extract, Status

MOST_BYTES: Final = 32 << 20
"""A larger document is not read."""

WALL_SECONDS: Final = 60.0
"""Of a child of low priority on a busy machine; its own time is limited in `child`."""

MOST_ANSWER: Final = 8 << 20
_LOOK_SECONDS: Final = 0.1
_FALLS: Final[dict[int, Status]] = {signal.SIGXCPU: "slow", signal.SIGABRT: "large"}
"""PDFium aborts where there is no more memory."""

_PRIVATE: Final = "LETTERBOOK_"


class Stopped(Exception):
    """The worker is to end; the document that was being read is read again later."""


@dataclass(slots=True)
class Reader:
    """One child for many documents. `stop` is asked while it reads; `program` is what runs."""

    stop: Callable[[], bool] = lambda: False
    program: tuple[str, ...] = ("-m", "app.extract.child")
    _child: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the next document has another one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def read(self, attachment: Attachment, content: bytes) -> Extract:
        """The text of an attachment, or why there is none. Raises Stopped."""
        if len(content) > MOST_BYTES:
            return Extract("large")
        said = {
            "content_type": attachment.content_type,
            "charset": attachment.charset,
            "filename": attachment.filename,
        }
        head = json.dumps(said).encode()
        child = self._child = self._child or _begun(self.program)
        requests, answers = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
        try:
            requests.write(LENGTHS.pack(len(head), len(content)) + head)
            requests.write(content)
            requests.flush()
            return _extract(json.loads(self._answer(answers)))
        except _Ended as exc:
            child.kill()  # of one that is dead already the reason stays
            code = signal.SIGXCPU if exc.is_late else -child.wait()
            self.close()
            return Extract(_FALLS.get(code, "failed"))
        except BrokenPipeError:
            self.close()
            return Extract("failed")
        except BaseException:
            self.close()
            raise

    def _answer(self, stream: IO[bytes]) -> bytes:
        until = time.monotonic() + WALL_SECONDS
        (length,) = LENGTH.unpack(self._exactly(stream, LENGTH.size, until))
        if length > MOST_ANSWER:
            raise _Ended
        return self._exactly(stream, length, until)

    def _exactly(self, stream: IO[bytes], size_bytes: int, until: float) -> bytes:
        found = bytearray()
        while len(found) < size_bytes:
            if self.stop():
                raise Stopped
            if time.monotonic() > until:
                raise _Ended(is_late=True)
            if select.select([stream], [], [], _LOOK_SECONDS)[0]:
                piece = os.read(stream.fileno(), size_bytes - len(found))
                if not piece:
                    raise _Ended
                found += piece
        return bytes(found)


class _Ended(Exception):
    """The child is dead, says what makes no sense, or is to be killed because it is late."""

    def __init__(self, *, is_late: bool = False) -> None:
        super().__init__()
        self.is_late = is_late


def _begun(program: Sequence[str]) -> "subprocess.Popen[bytes]":
    """A child that knows no secret and does not hear Ctrl-C."""
    return subprocess.Popen(  # noqa: S603  # our own program, no shell
        [sys.executable, *program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)},
        start_new_session=True,
    )


def _extract(answer: Any) -> Extract:  # noqa: ANN401  # JSON of a process that read hostile bytes
    """What the child said, as far as it may say it."""
    match answer:
        case [str(status), str(text)] if status in STATUSES:
            return Extract(status, display(text[:MOST_CHARACTERS]))
    return Extract("failed")
