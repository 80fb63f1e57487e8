"""Messages by UID, in batches; the next one comes while the one before is stored."""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

from app.errors import AuthFailed, LetterbookError, RemoteError
from app.model import LARGEST_MESSAGE
from app.sync.answers import Summary
from app.sync.faults import ConnectionLost, Limited, Refused, Stopped
from app.sync.remote import UIDS_PER_COMMAND, Remote, is_large
from app.sync.waiting import waiting

MOST_BYTES = 20_000_000
"""Of the batch that is stored and the one that comes, together; a larger message comes alone."""

_BATCH_BYTES = MOST_BYTES // 2
_LEAST_BYTES = 500_000
_BATCH_SECONDS = 5.0
"""A batch is to come within so long, also from a slow server: a pause takes effect after it."""

_MOST_LIMITED = 3
"""Messages in a row that a limit keeps from us: then it is none of a single message."""

_NO_CONTENT = "The server lists this message, but does not give its content."
_TOO_LARGE = (
    f"The message is larger than {LARGEST_MESSAGE:,} bytes, the most that is read. It stays on the"
    " server."
)
logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """What a fetch gave: messages with their bytes, and the reason for each one without.

    `size_bytes` as the server announced them. `problem`: why it is the last one that came.
    """

    messages: list[tuple[Summary, bytes]]
    failures: dict[int, str]
    size_bytes: int = 0
    problem: LetterbookError | None = None


@dataclass(slots=True)
class _Answers(Generic[T]):
    """What was asked of many messages: the answers, and the reasons for those without.

    `problem`: why not all could be asked.
    """

    found: dict[int, T] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    problem: LetterbookError | None = None


class _Room:
    """What may be in memory at a time; who takes more than there is waits for it."""

    def __init__(self) -> None:
        self._taken = 0
        self._is_closed = False
        self._changed = Condition()

    def take(self, size_bytes: int) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or not self._taken or self._taken + size_bytes <= MOST_BYTES
            )
            if self._is_closed:
                raise Stopped
            self._taken += size_bytes

    def give(self, size_bytes: int) -> None:
        with self._changed:
            self._taken -= size_bytes
            self._changed.notify()

    def close(self) -> None:
        """Let nobody wait or take any more: that raises Stopped."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()


def read_ahead(remote: Remote, missing: Sequence[int]) -> Generator[Batch]:
    """As `fetched`; a thread of its own fetches the next batch while one is worked on.

    Closed early, it waits for the batch that is under way: then the connection is free again.
    """
    room = _Room()
    batches = fetched(remote, missing, room.take)
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as reader:
        try:
            coming = reader.submit(next, batches, None)
            while (batch := _awaited(coming)) is not None:
                size_bytes = batch.size_bytes
                coming = reader.submit(next, batches, None)
                yield batch
                del batch
                room.give(size_bytes)
        finally:
            room.close()


def _awaited(coming: Future[Batch | None]) -> Batch | None:
    with waiting():
        return coming.result()


def fetched(
    remote: Remote, missing: Sequence[int], room: Callable[[int], None] = lambda size_bytes: None
) -> Iterator[Batch]:
    """The messages of these UIDs, in their order, in batches of bounded bytes.

    `room` is called with the announced bytes of each before it is fetched. What came before a
    problem is given before it is raised.
    """
    most_bytes = _LEAST_BYTES
    for start in range(0, len(missing), UIDS_PER_COMMAND):
        chunk = missing[start : start + UIDS_PER_COMMAND]
        answers = _ask(remote, chunk, lambda uids: _by_uid(remote.summaries(uids)))
        told, failures = answers.found, answers.failures
        failures |= {uid: _TOO_LARGE for uid in told if told[uid].size_bytes > LARGEST_MESSAGE}
        if failures:
            yield Batch([], failures)
        if answers.problem:
            raise answers.problem
        wanted = [told[uid] for uid in chunk if uid in told and uid not in failures]
        while wanted:
            summaries = _first_batch(wanted, most_bytes)
            del wanted[: len(summaries)]
            size_bytes = sum(summary.size_bytes for summary in summaries)
            room(size_bytes)
            began = time.monotonic()
            batch = _fetch(remote, summaries, size_bytes)
            most_bytes = _within_seconds(size_bytes, time.monotonic() - began)
            problem = batch.problem
            yield batch
            del batch
            if problem:
                raise problem


def _within_seconds(size_bytes: int, seconds: float) -> int:
    """How many bytes come in time, if so many took so long."""
    in_time = int(size_bytes / max(seconds, 0.001) * _BATCH_SECONDS)
    return min(_BATCH_BYTES, max(_LEAST_BYTES, in_time))


def _fetch(remote: Remote, summaries: Sequence[Summary], size_bytes: int) -> Batch:
    by_uid = _by_uid(summaries)

    def ask(uids: Sequence[int]) -> dict[int, bytes]:
        if is_large(by_uid[uids[0]]):
            raw = remote.body(by_uid[uids[0]])
            found = {} if raw is None else {uids[0]: raw}
        else:
            found = remote.bodies(uids)
        # Servers announce wrong sizes; an empty answer for what has a size is no message.
        return {uid: raw for uid, raw in found.items() if raw or not by_uid[uid].size_bytes}

    answers = _ask(remote, list(by_uid), ask)
    messages = [(by_uid[uid], raw) for uid, raw in answers.found.items()]
    return Batch(messages, answers.failures, size_bytes, answers.problem)


def _ask(
    remote: Remote, uids: Sequence[int], ask: Callable[[Sequence[int]], Mapping[int, T]]
) -> _Answers[T]:
    """Ask for all at once, and one by one where that fails: a bad message holds up no other.

    Dovecot, for one, hangs up over a message whose size in the file name is wrong. A message that
    is there, but without an answer, has a reason.
    """
    answers: _Answers[T] = _Answers()
    try:
        _ask_each(remote, uids, ask, answers)
        unanswered = [uid for uid in uids if uid not in answers.found]
        still_there = remote.uids(unanswered) if unanswered else set()
        answers.failures = {
            uid: answers.failures.get(uid, _NO_CONTENT) for uid in sorted(still_there)
        }
    except (RemoteError, AuthFailed) as exc:
        answers.problem = exc
    return answers


def _ask_each(
    remote: Remote,
    uids: Sequence[int],
    ask: Callable[[Sequence[int]], Mapping[int, T]],
    answers: _Answers[T],
) -> None:
    try:
        answers.found.update(ask(uids))
    except (Refused, ConnectionLost) as problem:
        logger.warning(
            "the server fails over a batch, asking one by one",
            extra={"count": len(uids), "problem": type(problem).__name__},
        )
        if isinstance(problem, ConnectionLost):
            remote.reopen()
        limited = 0
        for uid in uids:
            try:
                answers.found.update(ask([uid]))
                limited = 0
            except Refused as exc:
                answers.failures[uid] = str(exc)
                limited = limited + 1 if isinstance(exc, Limited) else 0
                if limited == _MOST_LIMITED:
                    raise
            except ConnectionLost as exc:
                answers.failures[uid] = str(exc)
                remote.reopen()


def _by_uid(summaries: Sequence[Summary]) -> dict[int, Summary]:
    return {summary.uid: summary for summary in summaries}


def _first_batch(summaries: Sequence[Summary], most_bytes: int) -> list[Summary]:
    """The first ones, of so many bytes together; a large message goes alone."""
    batch: list[Summary] = []
    size_bytes = 0
    for summary in summaries:
        size_bytes += summary.size_bytes
        if batch and (is_large(summary) or size_bytes > most_bytes):
            break
        batch.append(summary)
        if is_large(summary):
            break
    return batch
