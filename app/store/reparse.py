"""Stored mail is read again by a newer parser, from its raw bytes, without the server.

All that the parser tells is derived anew, a batch to a transaction, by the code that new mail goes
through. Old documents stay in the index until the new ones replace them.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.errors import Corrupt
from app.mail import PARSER_VERSION
from app.model import BlobId, CopyId, Digest, MessageId
from app.store import blobs, extracts, lock, unite
from app.store.database import Store, from_seconds, transaction, write
from app.store.ingest import queue_messages
from app.store.reading import Reading, add_parts, columns, new_blobs, read, recipe_of
from app.store.ties import join, threads_of

BATCH_MESSAGES = 50
BATCH_BYTES = 8_000_000

_TOP = 2**62

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reparsed:
    """`done` were read again; `failed` cannot be, and stay as they are."""

    done: int
    failed: int
    is_finished: bool


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of a message, when the server received it, and what the present parser reads."""

    id: CopyId
    received_at: datetime
    reading: Reading


_Ids = Mapping[Digest, BlobId]


def to_do(store: Store) -> int:
    """How many messages an older parser read."""
    found = store.archive.conn.execute(
        "select count(*) from messages where parser_version < ?", [PARSER_VERSION]
    )
    return int(found.fetchone()[0])


def reparse(
    store: Store,
    *,
    stop: Callable[[], bool] = lambda: False,
    rest: Callable[[], None] = lambda: None,
) -> Reparsed:
    """Read again what an older parser read, the latest arrival first; `rest` between batches.

    Raises Conflict while a backup runs. Effects: each batch is durable; may be repeated after any
    interruption, and goes on where it was.
    """
    done, failed = 0, set[MessageId]()
    below, is_new_round = _TOP, False
    while not stop():
        batch = _next(store, below)
        if not batch:
            # Messages that met became one, which is to be read once more.
            if not is_new_round:
                return Reparsed(done, len(failed), is_finished=True)
            below, is_new_round = _TOP, False
            continue
        below = batch[-1]
        copies = {one: found for one in batch if (found := _read(store, one, failed))}
        with lock.removal(store.directory):
            ids = _put(store, [copy for found in copies.values() for copy in found])
        with transaction(store):
            for message_id, found in copies.items():
                _derive(store, message_id, found, ids)
        done += len(copies)
        is_new_round = is_new_round or bool(copies)
        rest()
    return Reparsed(done, len(failed), is_finished=False)


def _next(store: Store, below: int) -> list[MessageId]:
    """The next messages to read: few enough to be read at once, but one at least."""
    rows = store.archive.conn.execute(
        "select m.id, (select sum(c.size_bytes) from copies c where c.message_id = m.id)"
        " from messages m where m.id < ? and m.parser_version < ? order by m.id desc limit ?",
        [below, PARSER_VERSION, BATCH_MESSAGES],
    )
    batch: list[MessageId] = []
    size_bytes = 0
    for message_id, its_bytes in rows.fetchall():
        size_bytes += its_bytes or 0
        if batch and size_bytes > BATCH_BYTES:
            break
        batch.append(MessageId(message_id))
    return batch


def _read(store: Store, message_id: MessageId, failed: set[MessageId]) -> list[_Copy]:
    """The copies of a message, the first one first; none if one is damaged."""
    try:
        return [
            _Copy(copy_id, received_at, read(blobs.read(store, copy_id)))
            for copy_id, received_at in _copies(store, message_id)
        ]
    except Corrupt as exc:
        if message_id not in failed:
            logger.warning("A message cannot be read again", extra={"problem": str(exc)})
        failed.add(message_id)
        return []


def _copies(store: Store, message_id: MessageId) -> list[tuple[CopyId, datetime]]:
    """The copies of a message, first stored first, and when the server received each."""
    rows = store.archive.conn.execute(
        "select c.id, coalesce((select l.received_at from locations l where l.copy_id = c.id"
        " order by l.was_known, l.first_seen_at limit 1), c.stored_at)"
        " from copies c where c.message_id = ? order by c.stored_at, c.id",
        [message_id],
    )
    return [(CopyId(row[0]), from_seconds(row[1])) for row in rows]


def _put(store: Store, copies: Sequence[_Copy]) -> _Ids:
    """Have the blobs that the copies need, and recipes as the present parser splits them."""
    with write(store.mail):
        ids = blobs.put_all(store, [blob for copy in copies for blob in new_blobs(copy.reading)])
        recipes: dict[BlobId, bytes] = {}
        for copy in copies:
            now, before = recipe_of(copy.reading, ids), blobs.stored_recipe(store, copy.id)
            if before is not None and before != now:
                recipes[BlobId(copy.id)] = now
        blobs.replace_recipes(store, recipes)
        extracts.forget(store, [copy.id for copy in copies])
    return ids


def _derive(store: Store, message_id: MessageId, copies: Sequence[_Copy], ids: _Ids) -> None:
    """Write what the copies tell, unless they changed meanwhile; then the next round does."""
    if [copy.id for copy in copies] != [copy_id for copy_id, _ in _copies(store, message_id)]:
        return
    own = _part_others(store, message_id, copies, ids)
    first = next(copy for copy in copies if copy.id in own)
    values = columns(first.reading, ids, received_at=first.received_at)
    other = unite.holder(store, first.reading.identity, besides=message_id)
    if other is not None:
        values["identity"] = unite.apart(first.reading.identity, message_id)
    names = ", ".join(f"{name} = :{name}" for name in values)
    store.archive.conn.execute(
        f"update messages set {names} where id = :id", values | {"id": message_id}
    )
    store.archive.conn.execute("delete from parts where message_id = ?", [message_id])
    add_parts(store, [(message_id, first.reading)], ids)
    store.archive.conn.execute(
        "update holdings set sort_at = ? where message_id = ? and sort_at <> ?",
        [values["sort_at"], message_id, values["sort_at"]],
    )
    _join_conversation(store, message_id, first.reading)
    queue_messages(store, [message_id])
    if other is not None:
        unite.unite(store, message_id, other, first.reading.identity)


def _part_others(
    store: Store, message_id: MessageId, copies: Sequence[_Copy], ids: _Ids
) -> set[CopyId]:
    """Give copies that are another message away; those that stay."""
    groups: dict[bytes, list[_Copy]] = {}
    for copy in copies:
        groups.setdefault(copy.reading.identity, []).append(copy)
    staying = {copy.id for copy in copies}
    if len(groups) == 1:
        return staying
    shown = unite.shown_copy(store, message_id)
    for identity, group in groups.items():
        members = [copy.id for copy in group]
        if shown in members:
            continue
        first = group[0]
        if unite.part(
            store,
            message_id,
            members,
            identity,
            reading=first.reading,
            ids=ids,
            received_at=first.received_at,
        ):
            staying -= set(members)
    return staying


def _join_conversation(store: Store, message_id: MessageId, reading: Reading) -> None:
    """A conversation may grow; one that was made too large stays."""
    mail = reading.mail
    (told,) = threads_of(store, [(message_id, mail.internet_message_id, mail.references)])
    (now,) = store.archive.conn.execute(
        "select thread_id from messages where id = ?", [message_id]
    ).fetchone()
    if told != now:
        join(store, max(told, now), min(told, now))
