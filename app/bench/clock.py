"""CPU and wall seconds, of this process and of others from their start to their end."""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.errors import LetterbookError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spent:
    """`cpu_seconds`: of the user and of the system, over all threads."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu_seconds + other.cpu_seconds, self.wall_seconds + other.wall_seconds)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu_seconds - other.cpu_seconds, self.wall_seconds - other.wall_seconds)


def spent_here() -> Spent:
    """Since this process began (wall: since any moment); two of them are subtracted."""
    return Spent(time.process_time(), time.perf_counter())


class Aside:
    """What this process spends on making the mail, so that it can be taken off its work."""

    def __init__(self) -> None:
        self.spent = Spent()

    @contextmanager
    def counted(self) -> Iterator[None]:
        began = spent_here()
        yield
        self.spent += spent_here() - began

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items; making each is counted."""
        iterator = iter(items)
        while True:
            with self.counted():
                item = next(iterator, None)
            if item is None:
                return
            yield item


def run_whole(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdin: Path | None = None,
) -> tuple[Spent, str]:
    """What a program spent from its start to its end, and what it printed.

    Raises LetterbookError with its last words if it failed.
    """
    began = time.perf_counter()
    with (stdin or Path(os.devnull)).open("rb") as source:
        child = subprocess.Popen(  # noqa: S603  # programs that the bench names itself, no shell
            command, env=env, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    with child:
        assert child.stdout is not None  # noqa: S101  # for mypy
        said = child.stdout.read().decode(errors="replace")
        # wait4 and no other way to wait: only it tells what this one child used.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if child.returncode:
        raise LetterbookError(
            f"{Path(command[0]).name} failed ({child.returncode}); nothing of it was measured. "
            f"It said: {said.strip()[-500:]}"
        )
    return Spent(usage.ru_utime + usage.ru_stime, wall), said
