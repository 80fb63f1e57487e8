"""What a message and a record look like in the index, and nothing of it is stored there."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache

import tantivy

from app.mail import split_quoted, split_signature
from app.model import Address, MessageId
from app.search.analysis import analyse, words
from app.search.kinds import kinds_of
from app.store.documents import MessageDocument, RecordDocument

MESSAGES = "messages-v6"
"""The directory of the message index. The number goes up with the schema, the languages and every
change of `analysis`: an index with another number is removed and made anew."""

RECORDS = "records-v2"

ID_BITS = 24
MOST_SECONDS = 1 << 38
MOST_POINTS = 256
"""More than an answer's points can be (`ranking`)."""

_FIRST_YEAR = 315_532_800
_LAST_YEARS = 1 << 31
USUAL_NAME = 100

TEXT = ("subject", "body", "quoted", "attachment")
PEOPLE = ("from", "to", "cc")
BCC = "bcc"
"""Words as "3:jan", by the mailbox that holds the copy: nobody else finds them (A20)."""

EVERYWHERE = (*TEXT, *PEOPLE, "filename")


def sort_key(sort_at: datetime, message_id: MessageId) -> int:
    """One number per message, larger for newer ones; ids break ties."""
    seconds = max(-MOST_SECONDS, min(MOST_SECONDS, int(sort_at.timestamp())))
    return (seconds << ID_BITS) | (message_id & ((1 << ID_BITS) - 1))


def recency(sort_at: datetime) -> float:
    """What the engine weighs points by: it multiplies by the logarithm to base 2 of this plus 2.

    From 1980 to 2048 it grows by so little that it decides among equal points only.
    """
    age = (sort_at.timestamp() - _FIRST_YEAR) / _LAST_YEARS
    return max(0.0, min(age, 1.0)) / MOST_POINTS


def message_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Signed: tantivy takes Python integers as signed, and an unsigned fast field would panic.
    builder.add_integer_field("message_id", indexed=True, fast=True)
    builder.add_integer_field("sort_key", indexed=True, fast=True)
    builder.add_float_field("recency", fast=True)
    builder.add_integer_field("size", indexed=True, fast=True)
    for name in EVERYWHERE:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in TEXT:
        builder.add_text_field(f"{name}_stem", tokenizer_name="whitespace", index_option="basic")
    builder.add_boolean_field("has_attachment", indexed=True)
    builder.add_boolean_field("is_archived", indexed=True)
    builder.add_text_field(BCC, tokenizer_name="whitespace", index_option="position")
    for name in ("account_scope", "record_scope", "role_scope", "fact"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    return builder.build()


def record_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("record_id", indexed=True, fast=True)
    for name in ("name", "part", "address", "domain", "scope"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    return builder.build()


SCHEMAS: dict[str, Callable[[], tantivy.Schema]] = {
    MESSAGES: message_schema,
    RECORDS: record_schema,
}


def message_entry(document: MessageDocument) -> tantivy.Document:
    mail, entry = document.mail, tantivy.Document()
    entry.add_integer("message_id", document.message_id)
    entry.add_integer("sort_key", sort_key(document.sort_at, document.message_id))
    entry.add_float("recency", recency(document.sort_at))
    written, quoted = split_quoted(mail.text)
    new, signature = split_signature(written)
    quoted = f"{quoted}\n{signature}" if signature else quoted
    texts = [("subject", mail.subject), ("body", new), ("quoted", quoted)]
    for name, text in (*texts, *(("attachment", text) for text in document.attachments)):
        exact, stems = analyse(text)
        if exact:
            entry.add_text(name, exact)
        if stems:
            entry.add_text(f"{name}_stem", stems)
    for name, people in (("from", (*mail.from_, mail.sender)), ("to", mail.to), ("cc", mail.cc)):
        _add_people(entry, name, people)
    for account_id, person in document.bcc:
        for text in (person.name, person.address):
            if found := words(text):
                entry.add_text(BCC, " ".join(f"{account_id}:{word}" for word in found))
    attachments = [leaf for leaf in mail.leaves if leaf.is_attachment]
    for leaf in attachments:
        if leaf.filename:
            entry.add_text("filename", " ".join(words(leaf.filename)))
    entry.add_integer("size", document.size_bytes)
    kinds = [kind for leaf in attachments for kind in kinds_of(leaf.content_type, leaf.filename)]
    _add_all(entry, "fact", (*document.facts, *(f"type:{kind}" for kind in kinds)))
    entry.add_boolean("has_attachment", bool(attachments))
    entry.add_boolean("is_archived", bool(document.record_scopes))
    _add_all(entry, "account_scope", document.account_scopes)
    _add_all(entry, "record_scope", document.record_scopes)
    _add_all(entry, "role_scope", document.role_scopes)
    return entry


def record_entry(
    document: RecordDocument, names: Iterable[str], parts: Iterable[str]
) -> tantivy.Document:
    """`names`, `parts`: the keys of the record's names and of their words (`app.search.names`)."""
    record, entry = document.record, tantivy.Document()
    entry.add_integer("record_id", record.id)
    _add_all(entry, "name", names)
    _add_all(entry, "part", parts)
    _add_all(entry, "address", (address.lower() for address in record.addresses))
    _add_all(entry, "domain", (domain.lower() for domain in record.domains))
    _add_all(entry, "scope", document.record_scopes)
    return entry


def _add_people(entry: tantivy.Document, name: str, people: Sequence[Address]) -> None:
    """Names and addresses as values of their own, so that no phrase runs from one to the next."""
    for person in dict.fromkeys(people):
        for text in (person.name, person.address):
            found = _words_of(text) if len(text) > USUAL_NAME else _usual_words_of(text)
            if found:
                entry.add_text(name, found)


def _words_of(text: str) -> str:
    return " ".join(words(text))


_usual_words_of = lru_cache(maxsize=4096)(_words_of)
"""Of a name or an address: the same people write again and again."""


def _add_all(entry: tantivy.Document, name: str, values: Iterable[str]) -> None:
    for value in dict.fromkeys(values):
        entry.add_text(name, value)
