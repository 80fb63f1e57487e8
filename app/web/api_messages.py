"""The API's resource "message": read, its parts and source, searched, filed and unfiled."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.plugins.htmx import HTMXRequest
from msgspec import Meta, Struct

from app import filing
from app.errors import NotFound
from app.mail import ParsedMail, parse
from app.model import Address, Part, Row, Viewer
from app.search import Sort, search_messages
from app.search.answer import Place, SearchAnswer, answer, place
from app.store import filings, messages, queue, records
from app.web.api import FILE, READ, Cursor, Limit, caller_of
from app.web.api_bodies import Names
from app.web.db import store_of
from app.web.messages import part_file, source_file

LONGEST_TEXT = 500_000


class AddressAnswer(Struct, frozen=True):
    name: str
    address: str


class HeaderAnswer(Struct, frozen=True):
    name: str
    value: str


class AttachmentAnswer(Struct, frozen=True):
    """A file in a message: its content is at `parts/{part}`."""

    part: int
    name: str
    type: str
    size_bytes: int


class MessageAnswer(Struct, frozen=True, rename={"sender": "from"}):
    """A message as its text says it.

    `roles`: who may read it where it is archived; empty: whoever may see one of its records.
    `attached_to` and `accounts` name what the caller may see. `text_is_cut`: the source has more.
    `source` is "exact", or "without-bcc" where it is not in a mailbox of the caller's own.
    """

    id: str
    subject: str
    sender: AddressAnswer
    to: list[AddressAnswer]
    cc: list[AddressAnswer]
    bcc: list[AddressAnswer]
    reply_to: list[AddressAnswer]
    sent_at: datetime | None
    internet_message_id: str
    headers: list[HeaderAnswer]
    text: str
    text_is_cut: bool
    size_bytes: int
    attachments: list[AttachmentAnswer]
    archived_at: datetime | None
    roles: list[str]
    attached_to: list[Place]
    accounts: list[str]
    source: Literal["exact", "without-bcc"]


class FoundAnswer(SearchAnswer, frozen=True, kw_only=True):
    """A page of what was found; `next` is the cursor of the one after it, "" on the last."""

    next: str


class NewFiling(Struct, frozen=True, forbid_unknown_fields=True):
    """Under which record, by its id; `roles`, by name, only where it is not archived yet."""

    record: Annotated[str, Meta(max_length=100, examples=["k3v9x2m4q7w1z"])]
    roles: Annotated[list[str], Meta(max_length=100, examples=[["office worker"]])] = []


class FilingAnswer(Struct, frozen=True):
    """`filed` is false where the message lay under the record already."""

    message: str
    record: str
    filed: bool


@get("/messages/{message_id:str}", sync_to_thread=True, opt=READ, summary="A message")
def get_message(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> MessageAnswer:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    copy = messages.best_copy(store, viewer, message.id)
    row = queue.row(store, viewer, message.id)
    parts = messages.parts(store, viewer, message.id)
    roles = [role.name for role in filings.roles_of(store, message.id)]
    return _message(row, parse(copy.raw), parts, roles, is_own=copy.is_own)


@get(
    "/messages/{message_id:str}/parts/{part:int}",
    sync_to_thread=True,
    opt=READ,
    summary="The content of a part, decoded",
    media_type="application/octet-stream",
)
def get_part(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    message_id: FromPath[str],
    part: FromPath[int],
) -> Response[bytes]:
    return part_file(store_of(request), viewer, message_id, part)


@get(
    "/messages/{message_id:str}/source",
    sync_to_thread=True,
    opt=READ,
    summary="The message as it came, byte for byte",
    description="For members of a mailbox that holds it exactly as it came; for others without"
    " Bcc, which the header Letterbook-Source says.",
    media_type="message/rfc822",
)
def get_source(
    request: HTMXRequest, viewer: NamedDependency[Viewer], message_id: FromPath[str]
) -> Response[bytes]:
    return source_file(store_of(request), viewer, message_id)


@get(
    "/search",
    sync_to_thread=True,
    opt=READ,
    summary="Search over everything the caller may read",
    description="The query language is that of the search box.",
)
def search(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    q: Annotated[str, QueryParameter(min_length=1, max_length=1000, description="The query.")],
    sort: Annotated[Sort, QueryParameter(description="Newest first, or best first.")] = "date",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> FoundAnswer:
    store, zone = store_of(request), caller_of(request).zone
    page = search_messages(store, viewer, q, before=cursor, limit=limit, sort=sort, zone=zone)
    found = answer(store, viewer, q, page)
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return FoundAnswer(**fields, next=page.older)


@post(
    "/messages/{message_id:str}/filings",
    sync_to_thread=True,
    opt=FILE,
    summary="Archive a message under a record, or attach it to one more",
    description="201: it lies there now. 200: it lay there already.",
    responses={200: ResponseSpec(FilingAnswer, description="It lay there already.")},
)
def file_message(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    message_id: FromPath[str],
    data: JSONBody[NewFiling],
) -> Response[FilingAnswer]:
    store, now = store_of(request), datetime.now(UTC)
    message = messages.get(store, viewer, message_id)
    record, roles = records.get(store, viewer, data.record), Names(store).role_ids(data.roles)
    filed = filing.file_message(store, viewer, message.id, record.id, roles=roles, now=now)
    done = FilingAnswer(message.public_id, record.public_id, filed)
    return Response(done, status_code=201 if filed else 200)


@delete(
    "/messages/{message_id:str}/filings/{record_id:str}",
    sync_to_thread=True,
    opt=FILE,
    summary="Detach a message from a record",
    description="With the last record it is not archived any more and lies in the queue again.",
)
def unfile_message(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    message_id: FromPath[str],
    record_id: FromPath[str],
) -> None:
    store = store_of(request)
    message = messages.get(store, viewer, message_id)
    record = records.get(store, viewer, record_id)
    if not filing.unfile(store, viewer, message.id, record.id, now=datetime.now(UTC)):
        raise NotFound


def _message(
    row: Row, mail: ParsedMail, parts: list[Part], roles: list[str], *, is_own: bool
) -> MessageAnswer:
    message = row.message
    return MessageAnswer(
        id=message.public_id,
        subject=message.subject,
        sender=AddressAnswer(message.sender.name, message.sender.address),
        to=_addresses(mail.to),
        cc=_addresses(mail.cc),
        bcc=_addresses(mail.bcc),
        reply_to=_addresses(mail.reply_to),
        sent_at=message.sent_at,
        internet_message_id=mail.internet_message_id,
        headers=[HeaderAnswer(*header) for header in mail.headers],
        text=mail.text[:LONGEST_TEXT],
        text_is_cut=len(mail.text) > LONGEST_TEXT,
        size_bytes=message.size_bytes,
        attachments=[
            AttachmentAnswer(part.position, part.filename, part.content_type, part.size_bytes)
            for part in parts
            if part.is_attachment
        ],
        archived_at=message.archived_at,
        roles=roles,
        attached_to=[place(record) for record in row.attached_to],
        accounts=list(row.accounts),
        source="exact" if is_own else "without-bcc",
    )


def _addresses(found: tuple[Address, ...]) -> list[AddressAnswer]:
    return [AddressAnswer(one.name, one.address) for one in found]


router = Router(
    "/",
    route_handlers=[get_message, get_part, get_source, search, file_message, unfile_message],
    tags=["messages"],
)
