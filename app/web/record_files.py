"""The tab "Attachments" of a record: every file in its mail, once."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app.model import Record, RecordType, Row, Viewer
from app.search.analysis import fold
from app.store import Store, queue, record_mail
from app.store.record_mail import Attachment
from app.web import render
from app.web.db import store_of
from app.web.forms import asked
from app.web.records import found_record

_ON_PAGE: Final = 50
KINDS: Final = {
    "pdf": ("pdf",),
    "document": ("doc", "docx", "odt", "rtf", "txt", "md"),
    "spreadsheet": ("xls", "xlsx", "ods", "csv"),
    "image": ("png", "jpg", "jpeg", "gif", "webp", "tif", "tiff", "bmp", "heic", "svg"),
    "drawing": ("dwg", "dxf", "dwf", "ifc", "skp"),
    "archive": ("zip", "7z", "rar", "gz", "tar"),
}
"""The kinds that a list is filtered by, and their endings; what is none of them is "other"."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment beside its newest message."""

    file: Attachment
    kind: str
    row: Row


@dataclass(frozen=True, slots=True)
class RecordFilesPage:
    """A page of a record's attachments; `total` of those that the filter keeps."""

    type: RecordType
    record: Record
    shown: tuple[Shown, ...]
    total: int
    like: str
    kind: str
    next: str
    is_first: bool
    kinds: tuple[str, ...] = (*KINDS, "other")
    tab: str = "attachments"


@get("/attachments", sync_to_thread=True)
def attachments(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = found_record(store, viewer, record_type, record_id)
    page = _page(
        store,
        viewer,
        kind,
        record,
        like=asked(request, "like"),
        wanted=asked(request, "kind"),
        after=asked(request, "after"),
    )
    return render.page(request, "records/attachments.html", context=page, section=record_type)


def kind_of(file: Attachment) -> str:
    ending = PurePath(file.filename.lower()).suffix.removeprefix(".")
    for kind, endings in KINDS.items():
        if ending in endings:
            return kind
    if file.content_type.startswith("image/"):
        return "image"
    return "pdf" if file.content_type == "application/pdf" else "other"


def _page(
    store: Store,
    viewer: Viewer,
    kind: RecordType,
    record: Record,
    *,
    like: str,
    wanted: str,
    after: str,
) -> RecordFilesPage:
    wanted = wanted if wanted in (*KINDS, "other") else ""
    folded = fold(like)
    kept = [
        file
        for file in record_mail.attachments(store, viewer, record.id)
        if folded in fold(file.filename) and wanted in ("", kind_of(file))
    ]
    start = next((at for at, one in enumerate(kept, start=1) if _cursor(one) == after), 0)
    page = kept[start : start + _ON_PAGE]
    rows = queue.rows_by_ids(store, viewer, {one.message_id for one in page})
    return RecordFilesPage(
        kind,
        record,
        tuple(
            Shown(one, kind_of(one), rows[one.message_id]) for one in page if one.message_id in rows
        ),
        len(kept),
        like,
        wanted,
        _cursor(page[-1]) if len(kept) > start + _ON_PAGE else "",
        start == 0,
    )


def _cursor(file: Attachment) -> str:
    """Where a file stands in the list."""
    return f"{file.message}.{file.position}"


router = Router("/records/{record_type:str}/{record_id:str}", route_handlers=[attachments])
