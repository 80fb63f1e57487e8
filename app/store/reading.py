"""What the bytes of a copy tell: the columns of a message, its parts and text, its identity.

All of it is derived by the parser, and derived anew when a newer one reads otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from app.mail import PARSER_VERSION, Leaf, ParsedMail, decode_leaf, display, parse
from app.model import Address, BlobId, Digest, MessageId
from app.store import blobs, recipe
from app.store.blobs import NewBlob
from app.store.database import Store, to_seconds

TEXT_BYTES = 65_536
"""Of the readable text, kept for snippets where it cannot be read straight from a part."""

IDENTITY_BYTES = 16

NAMED_RECIPIENTS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What a copy's bytes hold: facts, and the parts and text that are to be blobs.

    `identity` is the same for every copy of one message: of its Message-ID and content digest.
    """

    raw: bytes
    identity: bytes
    mail: ParsedMail
    pieces: dict[int, recipe.Piece]
    text: NewBlob | None
    text_charset: str


def read(raw: bytes) -> Reading:
    """What bytes hold, as the present parser reads them."""
    mail = parse(raw)
    pieces = {piece.position: piece for piece in recipe.pieces(raw, mail.leaves)}
    piece, charset = _own_text_part(mail, pieces)
    text = None
    if piece is not None:
        text = NewBlob(piece.digest, blobs.TEXT, piece.content)
    elif mail.text:
        content = mail.text.encode()[:TEXT_BYTES]
        text = NewBlob(Digest(sha256(content).digest()), blobs.TEXT, content)
    return Reading(raw, _identity(mail), mail, pieces, text, charset)


def _identity(mail: ParsedMail) -> bytes:
    internet_message_id = mail.internet_message_id.encode(errors="replace")
    return sha256(internet_message_id + b"\0" + mail.content_digest).digest()[:IDENTITY_BYTES]


def new_blobs(reading: Reading) -> Iterator[NewBlob]:
    """The parts and the text, to be put."""
    for piece in reading.pieces.values():
        is_text = reading.mail.leaves[piece.position].content_type.startswith("text/")
        yield NewBlob(piece.digest, blobs.TEXT if is_text else blobs.OTHER, piece.content)
    if reading.text is not None:
        yield reading.text


def recipe_of(reading: Reading, ids: Mapping[Digest, BlobId]) -> bytes:
    """The proved recipe of the copy from its parts, whose blobs have these ids."""
    return recipe.write(reading.raw, [*reading.pieces.values()], ids)


def columns(
    reading: Reading, ids: Mapping[Digest, BlobId], *, received_at: datetime
) -> dict[str, object]:
    """The columns of a message that the parser fills, but for its conversation."""
    mail = reading.mail
    return {
        "identity": reading.identity,
        "subject": display(mail.subject),
        "sender_name": display(mail.sender.name),
        "sender_address": display(mail.sender.address),
        "to_summary": display(_summary(mail.to)),
        "sent_at": None if mail.sent_at is None else to_seconds(mail.sent_at),
        "sort_at": to_seconds(_sort_time(mail.sent_at, received_at)),
        "size_bytes": len(reading.raw),
        "attachment_count": sum(leaf.is_attachment for leaf in mail.leaves),
        "text_blob": None if reading.text is None else ids[reading.text.digest],
        "text_charset": reading.text_charset,
        "defects": " ".join(mail.defects),
        "parser_version": PARSER_VERSION,
    }


def add_parts(
    store: Store, read: Iterable[tuple[MessageId, Reading]], ids: Mapping[Digest, BlobId]
) -> None:
    """Write the parts of messages that have none, and have their attachments read.

    Effects: inside the caller's transaction.
    """
    read = list(read)
    store.archive.conn.executemany(
        "insert or ignore into extract_queue (sort_at, message_id)"
        " select sort_at, id from messages where id = ?",
        [
            (message_id,)
            for message_id, reading in read
            if any(leaf.is_attachment for leaf in reading.mail.leaves)
        ],
    )
    store.archive.conn.executemany(
        "insert into parts (message_id, position, content_type, charset, filename, content_id,"
        " size_bytes, is_attachment, blob_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                message_id,
                leaf.position,
                display(leaf.content_type),
                display(leaf.charset),
                display(leaf.filename),
                display(leaf.content_id),
                _size(reading, leaf),
                leaf.is_attachment,
                _blob_of(reading, leaf, ids),
            )
            for message_id, reading in read
            for leaf in reading.mail.leaves
        ],
    )


def _own_text_part(
    mail: ParsedMail, pieces: dict[int, recipe.Piece]
) -> tuple[recipe.Piece | None, str]:
    """The part and charset of the readable text, if one stored part is just that."""
    texts = [leaf for leaf in mail.leaves if not leaf.is_attachment]
    if len(texts) == 1 and texts[0].content_type == "text/plain" and _is_short(texts[0]):
        piece = pieces.get(texts[0].position)
        if piece is not None and piece.is_decoded:
            return piece, texts[0].charset
    return None, "utf-8"


def _is_short(leaf: Leaf) -> bool:
    """Whether its text is as fast to read as the one that would be kept in its place."""
    return leaf.end - leaf.start <= TEXT_BYTES


def _size(reading: Reading, leaf: Leaf) -> int:
    piece = reading.pieces.get(leaf.position)
    is_decoded = piece is not None and piece.is_decoded
    return len(piece.content) if piece and is_decoded else len(decode_leaf(reading.raw, leaf))


def _blob_of(reading: Reading, leaf: Leaf, ids: Mapping[Digest, BlobId]) -> BlobId | None:
    piece = reading.pieces.get(leaf.position)
    return ids[piece.digest] if piece is not None and piece.is_decoded else None


def _sort_time(sent_at: datetime | None, received_at: datetime) -> datetime:
    """The claimed date where it can be believed, else when the server received it."""
    if sent_at is None or sent_at.year < 1980 or sent_at > received_at + timedelta(days=1):
        return received_at
    return sent_at


def _summary(recipients: tuple[Address, ...]) -> str:
    names = [person.name or person.address for person in recipients[:NAMED_RECIPIENTS]]
    more = len(recipients) - len(names)
    return ", ".join(names) + (f" +{more}" if more else "")
