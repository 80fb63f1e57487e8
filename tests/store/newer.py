"""Parsers that read otherwise, and what people made of the mail before."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from app import filing
from app.mail import ParsedMail
from app.model import MessageId, UserId
from app.store import (
    Store,
    blobs,
)
from tests import make

Change = Callable[[ParsedMail], ParsedMail]
TABLES = (
    "messages",
    "copies",
    "parts",
    "locations",
    "holdings",
    "filings",
    "message_roles",
    "thread_references",
    "thread_joins",
    "former_messages",
    "audit",
)


def same_for_all(mail: ParsedMail) -> ParsedMail:
    """Take mails of one subject for one message."""
    return replace(
        mail, internet_message_id="same", content_digest=sha256(mail.subject.encode()).digest()
    )


def told_apart(mail: ParsedMail) -> ParsedMail:
    """Take each recipient's mail for a message of its own."""
    return replace(mail, content_digest=sha256(mail.to[0].address.encode()).digest())


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All that is known, but for the parser's version and the queue of the index."""
    found = {
        table: sorted(store.archive.conn.execute(f"select * from {table}").fetchall(), key=repr)
        for table in TABLES
    }
    columns = [row[1] for row in store.archive.conn.execute("pragma table_info(messages)")]
    at = columns.index("parser_version")
    found["messages"] = [row[:at] + row[at + 1 :] for row in found["messages"]]
    found["bytes"] = sorted(
        (one, sha256(blobs.read(store, one)).digest()) for one in blobs.ids(store)
    )
    return found


def person(store: Store, name: str) -> UserId:
    (user_id,) = store.archive.conn.execute(
        "select id from users where name = ?", [name]
    ).fetchone()
    return UserId(user_id)


def archive(store: Store, name: str, message_id: MessageId, record: str, **more: object) -> None:
    filing.file_message(
        store,
        make.viewer(store, person(store, name)),
        message_id,
        make.record(store, record, **more),
        now=make.NOW,
    )
