"""The outbox to the index: what changed, and the documents that stand for it."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.errors import Corrupt
from app.mail import ParsedMail, parse
from app.mail.redact import without_bcc
from app.model import AccountId, Address, CopyId, MessageId, Record, RecordId
from app.store import blobs, candidates, extracts, facts, fresh, records, snippets
from app.store.database import Store, from_seconds, transaction
from app.store.visibility import scopes_of_messages, scopes_of_record

MOST_OF_HEADER = 200_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queued:
    """The oldest entries of the queue: all up to `through`."""

    through: int
    message_ids: tuple[MessageId, ...]
    record_ids: tuple[RecordId, ...]


@dataclass(frozen=True, slots=True)
class MessageDocument:
    """A message for the index; the scopes say who may find it.

    `mail` is a copy without Bcc, and may lack the header block. `bcc` tells of every copy that has
    one, by the mailbox that holds the copy: only its members find it so (A20).
    `attachments` are the texts of those that were read, `facts` the tokens of `app.store.facts`.
    """

    message_id: MessageId
    sort_at: datetime
    mail: ParsedMail
    account_scopes: tuple[str, ...]
    record_scopes: tuple[str, ...]
    role_scopes: tuple[str, ...]
    bcc: tuple[tuple[AccountId, Address], ...] = ()
    attachments: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RecordDocument:
    """A record for the index; the scopes say who may see it."""

    record: Record
    record_scopes: tuple[str, ...]


def queued(store: Store, *, limit: int, after: int = 0) -> Queued:
    """What waits for the index, oldest first, queued after that entry; a message or record once."""
    rows = store.archive.conn.execute(
        "select id, kind, subject_id from index_queue where id > ? order by id limit ?",
        [after, limit],
    ).fetchall()
    return Queued(
        through=rows[-1][0] if rows else 0,
        message_ids=tuple(dict.fromkeys(MessageId(i) for _, kind, i in rows if kind == "message")),
        record_ids=tuple(dict.fromkeys(RecordId(i) for _, kind, i in rows if kind == "record")),
    )


def done(store: Store, finished: Queued) -> None:
    """Take entries from the queue, after they are durable in the index."""
    store.archive.conn.execute("delete from index_queue where id <= ?", [finished.through])


def backlog(store: Store) -> int:
    return int(store.archive.conn.execute("select count(*) from index_queue").fetchone()[0])


def last_queued(store: Store) -> int:
    """The entry that was queued last of those that wait; 0: none does."""
    row = store.archive.conn.execute("select max(id) from index_queue").fetchone()
    return int(row[0] or 0)


def waits(store: Store, through: int) -> bool:
    """Whether an entry up to this one waits yet."""
    row = store.archive.conn.execute("select min(id) from index_queue").fetchone()
    return row[0] is not None and bool(row[0] <= through)


def queued_record_ids(store: Store, *, limit: int) -> list[RecordId]:
    """Records that the index may not know yet, newest first."""
    rows = store.archive.conn.execute(
        "select distinct subject_id from index_queue where kind = 'record'"
        " order by id desc limit ?",
        [limit],
    )
    return [RecordId(row[0]) for row in rows]


def enqueue_all(store: Store) -> None:
    """Have everything indexed anew, newest mail first. Effects: one transaction."""
    with transaction(store):
        store.archive.conn.execute("delete from index_queue")
        store.archive.conn.execute(
            "insert into index_queue (kind, subject_id) select 'record', id from records"
        )
        store.archive.conn.execute(
            "insert into index_queue (kind, subject_id)"
            " select 'message', id from messages order by sort_at desc"
        )


def message_documents(store: Store, ids: Iterable[MessageId]) -> list[MessageDocument]:
    """The documents of messages; those that are gone are absent."""
    rows = store.archive.conn.execute(
        "select m.id, m.sort_at, m.size_bytes, c.id from json_each(?) wanted"
        " cross join messages m on m.id = wanted.value"
        " cross join copies c on c.message_id = m.id order by wanted.key, c.id",
        [json.dumps(list(ids))],
    ).fetchall()
    scopes = scopes_of_messages(store, [MessageId(row[0]) for row in rows])
    texts = extracts.indexed_texts(store, scopes)
    made: dict[MessageId, MessageDocument] = {}
    said = facts.of_messages(store, scopes)
    for message_id, sort_at, size_bytes, copy_id in rows:
        if message_id in made:
            bcc = _bcc_of(store, copy_id)
        else:
            mail, bcc = _said_by(store, copy_id)
            found = scopes[message_id]
            made[message_id] = MessageDocument(
                message_id,
                from_seconds(sort_at),
                mail,
                found.account,
                found.record,
                found.role,
                attachments=texts.get(message_id, ()),
                facts=said.get(message_id, ()),
                size_bytes=size_bytes,
            )
        if bcc:
            one = made[message_id]
            made[message_id] = replace(one, bcc=one.bcc + _held(store, copy_id, bcc))
    return list(made.values())


def _said_by(store: Store, copy_id: CopyId) -> tuple[ParsedMail, tuple[Address, ...]]:
    """What a copy says without its Bcc, and its Bcc."""
    mail = fresh.take(store, copy_id)
    if mail is not None:
        return replace(mail, bcc=()), mail.bcc
    raw = blobs.read(store, copy_id)
    shown = without_bcc(raw)
    return parse(shown), () if shown is raw else parse(raw).bcc


def _bcc_of(store: Store, copy_id: CopyId) -> tuple[Address, ...]:
    """The Bcc of a further copy; nothing where it is damaged: verification tells."""
    mail = fresh.take(store, copy_id)
    if mail is not None:
        return mail.bcc
    try:
        raw = blobs.read(store, copy_id)
    except Corrupt as exc:
        logger.warning("a copy cannot be read", extra={"problem": str(exc)})
        return ()
    return () if without_bcc(raw) is raw else parse(raw).bcc


def _held(
    store: Store, copy_id: CopyId, bcc: tuple[Address, ...]
) -> tuple[tuple[AccountId, Address], ...]:
    rows = store.archive.conn.execute(
        "select distinct f.account_id from locations l join folders f on f.id = l.folder_id"
        " where l.copy_id = ? order by 1",
        [copy_id],
    )
    return tuple((AccountId(row[0]), one) for row in rows for one in bcc)


def mail_of(store: Store, message_id: MessageId) -> ParsedMail | None:
    """What a message says in its header and its text, however large its attachments are.

    None if it is gone. The text is cut as in `snippets.texts`; a damaged copy says what is left.
    """
    row = store.archive.conn.execute(
        "select min(id) from copies where message_id = ?", [message_id]
    ).fetchone()
    if row[0] is None:
        return None
    head = candidates.beginning(store, CopyId(row[0]))[:MOST_OF_HEADER]
    return replace(parse(head), bcc=(), text=snippets.texts(store, [message_id])[message_id])


def record_documents(store: Store, ids: Iterable[RecordId]) -> list[RecordDocument]:
    """The documents of records; those that are gone are absent."""
    return [
        RecordDocument(record, scopes_of_record(store, record.id))
        for record in records.every(store, ids)
    ]


def message_count(store: Store) -> int:
    return int(store.archive.conn.execute("select count(*) from messages").fetchone()[0])


def message_ids_between(store: Store, first: MessageId, last: MessageId) -> set[MessageId]:
    """The messages with these ids."""
    rows = store.archive.conn.execute(
        "select id from messages where id between ? and ?", [first, last]
    )
    return {MessageId(row[0]) for row in rows}


def queued_message_ids(store: Store, first: MessageId, last: MessageId) -> set[MessageId]:
    """Those of them that wait for the index, to be put there or to be removed."""
    rows = store.archive.conn.execute(
        "select subject_id from index_queue where kind = 'message' and subject_id between ? and ?",
        [first, last],
    )
    return {MessageId(row[0]) for row in rows}


def last_message_id(store: Store) -> MessageId:
    """The highest id of a message; 0: there is none."""
    found = store.archive.conn.execute("select coalesce(max(id), 0) from messages").fetchone()
    return MessageId(found[0])


def all_message_ids(store: Store) -> list[MessageId]:
    """Every message, oldest arrival first: for measuring."""
    return [
        MessageId(row[0])
        for row in store.archive.conn.execute("select id from messages order by id")
    ]
