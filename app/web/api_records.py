"""The API's resource "record": pushed by external id, one or many, read, listed, put away."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote

from litestar import Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.plugins.htmx import HTMXRequest
from msgspec import Meta, Struct

from app import records as verbs
from app.errors import Conflict, Invalid, NotFound
from app.model import Record, Viewer, one_line
from app.records import Done, Push
from app.search.analysis import fold
from app.search.answer import HitAnswer, hit_answer
from app.store import Store, archives, record_lists, records
from app.web.api import READ, READ_RECORDS, WRITE_RECORDS, Cursor, Limit
from app.web.api_bodies import BODY, BulkBody, Names, RecordAnswer, RecordBody, RecordItem, read
from app.web.api_problems import Problem, problem_of
from app.web.db import store_of

LARGEST_BULK: Final = 4_000_000
_MOST_ID_CHARACTERS: Final = 200
_OTHER_ACCESS: Final = (
    "Other people may see the one record than the other, and the access of the second would count"
    " for all its mail. Nothing was changed. Send other_access: true if that is meant."
)

Show = Annotated[
    Literal["current", "archived", "all"],
    QueryParameter(description="Without those put away, only those, or both."),
]

IfMatch = Annotated[
    str,
    HeaderParameter(name="If-Match", description="The ETag of the record as it was read, or *."),
]


class RecordsAnswer(Struct, frozen=True):
    """A page of records, the oldest first; `next` is "" on the last one."""

    records: list[RecordAnswer]
    next: str


class MailAnswer(Struct, frozen=True):
    """A page of a record's messages, the newest first; `next` is "" on the last one."""

    messages: list[HitAnswer]
    next: str


class TypeAnswer(Struct, frozen=True):
    """A kind of records; `key` names it in addresses."""

    key: str
    singular: str
    plural: str


class ItemAnswer(Struct, frozen=True):
    """What became of one item: `id` where there is a record, `problem` where it was refused."""

    outcome: Literal["new", "changed", "unchanged", "refused"]
    type: str
    external_id: str
    id: str | None = None
    problem: Problem | None = None


class BulkAnswer(Struct, frozen=True):
    """What became of each item, in the order they were sent, and how many of each kind."""

    new: int
    changed: int
    unchanged: int
    refused: int
    results: list[ItemAnswer]


class MergeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The record that stays, by its id; with `other_access` also where others may see that one."""

    into: Annotated[str, Meta(max_length=100, examples=["k3v9x2m4q7w1z"])]
    other_access: bool = False


@get("/record-types", sync_to_thread=True, opt=READ_RECORDS, summary="The types of records")
def list_record_types(request: HTMXRequest) -> list[TypeAnswer]:
    kinds = records.types(store_of(request))
    return [TypeAnswer(kind.key, kind.singular, kind.plural) for kind in kinds]


@get(
    "/records",
    sync_to_thread=True,
    opt=READ_RECORDS,
    summary="Records, the oldest first",
    description="Of one type or of all; `q` is a part of the name or code.",
)
def list_records(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: Annotated[str, QueryParameter(name="type", max_length=100)] = "",
    q: Annotated[str, QueryParameter(max_length=200)] = "",
    show: Show = "current",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> RecordsAnswer:
    store, like = store_of(request), fold(q.strip())
    if record_type:
        _require_type(store, record_type)
    try:
        found = record_lists.in_order_made(
            store,
            viewer,
            record_type=record_type,
            like=like,
            show=show,
            after=cursor,
            limit=limit,
        )
    except NotFound as exc:
        raise Invalid("cursor", "This cursor leads nowhere any more. Begin without one.") from exc
    names = Names(store)
    return RecordsAnswer([names.record(one) for one in found.records], found.next)


@get(
    "/records/{record_id:str}", sync_to_thread=True, opt=READ_RECORDS, summary="A record by its id"
)
def get_record(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_id: FromPath[str]
) -> Response[RecordAnswer]:
    store = store_of(request)
    return _answer(store, records.get(store, viewer, record_id))


@get(
    "/records/{record_type:str}/by-external-id/{external_id:path}",
    sync_to_thread=True,
    opt=READ_RECORDS,
    summary="A record by what another system calls it",
)
def get_pushed_record(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    external_id: FromPath[str],
) -> Response[RecordAnswer]:
    store, wanted = store_of(request), _addressed(request, external_id)
    for found in records.known_as(store, viewer, "external id", wanted, record_type=record_type):
        return _answer(store, found)
    raise NotFound


@put(
    "/records/{record_type:str}/by-external-id/{external_id:path}",
    sync_to_thread=True,
    opt=WRITE_RECORDS | {BODY: (RecordBody,)},
    summary="Make a record, or bring it up to date",
    responses={201: ResponseSpec(RecordAnswer, description="It is new.")},
    description="It is found by the external id; where no record has that, by its code or name"
    " among those without one. What is not sent, or null, stays as it is. 201: it is new. 200: it"
    " was there. With If-Match only where it is as the ETag says. May be repeated.",
)
def put_record(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    external_id: FromPath[str],
    data: JSONBody[dict[str, Any]],
    if_match: IfMatch = "",
) -> Response[RecordAnswer]:
    store, now = store_of(request), datetime.now(UTC)
    wanted = _checked_id(_addressed(request, external_id))
    pushed = Names(store).pushed(read(RecordBody, data), wanted)
    version = if_match.removeprefix("W/").strip('" ')
    (done,) = verbs.push_records(store, viewer, [Push(record_type, pushed, version)], now=now)
    if isinstance(done, Conflict):
        raise HTTPException(status_code=412, detail=str(done))
    if isinstance(done, Invalid):
        raise done
    return _answer(store, done.record, status=201 if done.outcome == "new" else 200)


@post(
    "/records/bulk",
    sync_to_thread=True,
    status_code=200,
    opt=WRITE_RECORDS | {BODY: (BulkBody, RecordItem)},
    request_max_body_size=LARGEST_BULK,
    summary="Make up to 1,000 records, or bring them up to date",
    description="Each as PUT does, and each with an outcome of its own: those that are refused"
    " keep back no other. May be repeated.",
)
def push_records(
    request: HTMXRequest, viewer: NamedDependency[Viewer], data: JSONBody[BulkBody]
) -> BulkAnswer:
    store, now = store_of(request), datetime.now(UTC)
    names = Names(store)
    asked = [_asked(names, item) for item in data.records]
    pushes = [one for one in asked if isinstance(one, Push)]
    done = iter(verbs.push_records(store, viewer, pushes, now=now))
    results = [
        _result(item, next(done) if isinstance(one, Push) else one)
        for item, one in zip(data.records, asked, strict=True)
    ]
    counts = [one.outcome for one in results]
    return BulkAnswer(
        counts.count("new"),
        counts.count("changed"),
        counts.count("unchanged"),
        counts.count("refused"),
        results,
    )


@post(
    "/records/{record_id:str}/archive",
    sync_to_thread=True,
    status_code=200,
    opt=WRITE_RECORDS,
    summary="Put a record away",
    description="Its mail stays findable; nothing is suggested for it any more.",
)
def archive_record(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_id: FromPath[str]
) -> Response[RecordAnswer]:
    store = store_of(request)
    found = records.get(store, viewer, record_id)
    verbs.archive_record(store, viewer, found.id, now=datetime.now(UTC))
    return _answer(store, records.get(store, viewer, record_id))


@post(
    "/records/{record_id:str}/restore",
    sync_to_thread=True,
    status_code=200,
    opt=WRITE_RECORDS,
    summary="Bring back a record that was put away",
)
def restore_record(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_id: FromPath[str]
) -> Response[RecordAnswer]:
    store = store_of(request)
    found = records.get(store, viewer, record_id)
    verbs.restore_record(store, viewer, found.id, now=datetime.now(UTC))
    return _answer(store, records.get(store, viewer, record_id))


@post(
    "/records/{record_id:str}/merge",
    sync_to_thread=True,
    status_code=200,
    opt=WRITE_RECORDS,
    summary="Make a record part of another one",
    description="Its mail, aliases, addresses, domains and external ids move to the record `into`,"
    " which keeps its type, name and access. Where not the same people may see both, it is refused"
    " without `other_access`: true. For administrators.",
)
def merge_record(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_id: FromPath[str],
    data: JSONBody[MergeBody],
) -> Response[RecordAnswer]:
    store, now = store_of(request), datetime.now(UTC)
    dropped, kept = records.get(store, viewer, record_id), records.get(store, viewer, data.into)
    plan = verbs.plan_merge(store, viewer, dropped.id, kept.id)
    if plan.is_other_access and not data.other_access:
        raise Invalid("other_access", _OTHER_ACCESS)
    verbs.merge_records(store, viewer, dropped.id, kept.id, version=plan.version, now=now)
    return _answer(store, records.get(store, viewer, data.into))


@get(
    "/records/{record_id:str}/messages",
    sync_to_thread=True,
    opt=READ,
    summary="The mail under a record, the newest first",
)
def list_mail(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_id: FromPath[str],
    limit: Limit = 50,
    cursor: Cursor = "",
) -> MailAnswer:
    store = store_of(request)
    record = records.get(store, viewer, record_id)
    only = archives.Filter(record=record.id)
    page = archives.rows(store, viewer, only=only, before=cursor, limit=limit)
    found = [hit_answer(store, viewer, row, row.message.preview) for row in page.rows]
    return MailAnswer(found, page.older)


def _answer(store: Store, record: Record, *, status: int = 200) -> Response[RecordAnswer]:
    headers = {"ETag": f'"{verbs.record_version(record)}"'}
    if status == 201:
        headers["Location"] = f"/api/v1/records/{record.public_id}"
    return Response(Names(store).record(record), status_code=status, headers=headers)


def _require_type(store: Store, key: str) -> None:
    known = [kind.key for kind in records.types(store, with_archived=True)]
    if key not in known:
        raise Invalid("type", f"There is no record type {key!r}. There are: {', '.join(known)}.")


def _addressed(request: HTMXRequest, external_id: str) -> str:
    """The id as it was sent: of the path, routing drops slashes at the end and doubled ones."""
    raw: bytes = request.scope["raw_path"] or b""
    sent = raw.partition(b"?")[0].partition(b"/by-external-id/")[2]
    return unquote(sent.decode("latin-1")) if sent else external_id.removeprefix("/")


def _checked_id(external_id: str) -> str:
    """The id as it is. Raises Invalid for one that could not be kept so."""
    if external_id != one_line(external_id) or not 0 < len(external_id) <= _MOST_ID_CHARACTERS:
        raise Invalid(
            "external_id",
            f"An external id is one line of 1 to {_MOST_ID_CHARACTERS} characters, without blanks"
            " around it.",
        )
    return external_id


def _asked(names: Names, item: object) -> Push | Invalid:
    try:
        found = read(RecordItem, item)
        return Push(found.type, names.pushed(found, _checked_id(found.external_id)))
    except Invalid as exc:
        return exc


def _result(item: object, done: Done | Invalid | Conflict) -> ItemAnswer:
    """What became of an item, which may be anything."""
    given = item if isinstance(item, dict) else {}
    kind, external_id = (str(given.get(name, ""))[:200] for name in ("type", "external_id"))
    if isinstance(done, Done):
        return ItemAnswer(done.outcome, kind, external_id, id=done.record.public_id)
    return ItemAnswer("refused", kind, external_id, problem=problem_of(done))


router = Router(
    "/",
    route_handlers=[
        list_record_types,
        list_records,
        push_records,
        get_record,
        get_pushed_record,
        put_record,
        archive_record,
        restore_record,
        merge_record,
        list_mail,
    ],
    tags=["records"],
)
