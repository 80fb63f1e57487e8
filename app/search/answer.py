"""What a search answers to programs: the JSON of `letterbook search --json` and of the API."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from app.model import Message, Record, Row, Viewer
from app.search import FoundIn, Mark, SearchPage
from app.store import Store, messages


class Place(Struct, frozen=True):
    """A record that a message is attached to."""

    type: str
    record: str
    name: str


class CopyAnswer(Struct, frozen=True):
    """The exact bytes of one delivery to a mailbox of the viewer's; `sha256` in hex."""

    id: str
    sha256: str


class FoundInAnswer(Struct, frozen=True):
    """The attachment that holds what the message's own text does not, and where in it."""

    file: str
    place: str
    snippet: str


class HitAnswer(Struct, frozen=True, omit_defaults=True, rename={"sender": "from"}):
    """A message in a list. `attached_to` and `accounts` name what the viewer may see."""

    id: str
    subject: str
    sender: str
    to: str
    sent_at: str | None
    snippet: str
    attached_to: list[Place]
    accounts: list[str]
    copies: list[CopyAnswer]
    found_in: FoundInAnswer | None = None


class SearchAnswer(Struct, frozen=True):
    """What was found, and what of the query was understood; `notes` say what was not done."""

    query: str
    understood: str
    notes: list[str]
    total: int
    total_is_exact: bool
    took_ms: float
    hits: list[HitAnswer]


def answer(store: Store, viewer: Viewer, text: str, page: SearchPage) -> SearchAnswer:
    """The page that a search for `text` gave."""
    return SearchAnswer(
        query=text,
        understood=page.query.understood,
        notes=list(page.query.notes),
        total=page.total,
        total_is_exact=page.total_is_exact,
        took_ms=round(page.took_ms, 2),
        hits=[
            replace(
                hit_answer(store, viewer, hit.row, _plain(hit.snippet)),
                found_in=_found_in(hit.found_in),
            )
            for hit in page.hits
        ],
    )


def _found_in(found: FoundIn | None) -> FoundInAnswer | None:
    return FoundInAnswer(found.filename, found.place, _plain(found.passage)) if found else None


def _plain(pieces: Iterable[Mark]) -> str:
    return "".join(piece.text for piece in pieces)


def hit_answer(store: Store, viewer: Viewer, row: Row, snippet: str) -> HitAnswer:
    """One message that the viewer may read."""
    message = row.message
    return HitAnswer(
        id=message.public_id,
        subject=message.subject,
        sender=person(message),
        to=message.to_summary,
        sent_at=message.sent_at.isoformat() if message.sent_at else None,
        snippet=snippet,
        attached_to=[place(record) for record in row.attached_to],
        accounts=list(row.accounts),
        copies=[
            CopyAnswer(copy.public_id, copy.digest.hex())
            for copy in messages.copies(store, viewer, message.id)
        ],
    )


def place(record: Record) -> Place:
    return Place(record.type, record.public_id, record.name)


def person(message: Message) -> str:
    """The sender as one line."""
    sender = message.sender
    return f"{sender.name} <{sender.address}>" if sender.name else sender.address
