"""Records from a table, for administrators: a preview of what it would do, then "Confirm"."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Template

from app import records
from app.errors import Invalid, NotFound
from app.model import Viewer
from app.records import LARGEST_TABLE, MOST_SHOWN, Plan, Refused
from app.web import forms, render
from app.web.db import store_of
from app.web.messages import disposition
from app.web.session import admins_only
from app.web.uploads import TooLarge, Upload

PATH: Final = "/record-import"
MOST_ON_PAGE: Final = 25_000
"""Changes that a page waits for, some ten seconds; more are for the command line."""

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_TEMPLATE: Final = (
    "type,name,code,aliases,domains,addresses,notes,external_id,roles,users\r\n"
    "companies,Example & Sons Ltd,,Example;Sons,example.com,office@example.com,,ERP-1001,,\r\n"
)


@dataclass(frozen=True, slots=True)
class RecordImportPage:
    """The form, then the preview (`plan`, under the `upload` that is kept), then what was done.

    `failed` are the rows that were left out.
    """

    columns: tuple[str, ...] = records.COLUMNS
    limit_bytes: int = LARGEST_TABLE
    most_shown: int = MOST_SHOWN
    plan: Plan | None = None
    upload: str = ""
    name: str = ""
    is_done: bool = False
    failed: tuple[Refused, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True, guards=[admins_only])
def new(request: HTMXRequest) -> Template:
    return _page(request, RecordImportPage())


@get("/template.csv", sync_to_thread=False, guards=[admins_only])
def template() -> Response[bytes]:
    return table_file(_TEMPLATE.encode("utf-8-sig"), "records.csv")


@post(
    "/",
    sync_to_thread=True,
    request_max_body_size=None,
    opt={"takes_upload": True, "upload_limit": LARGEST_TABLE},
)
def preview(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    """No guard: the file of somebody who may not is to be removed."""
    upload: Upload | TooLarge | None = request.scope["state"].get("upload")
    path = upload.path if isinstance(upload, Upload) else None
    try:
        if not viewer.is_admin:
            raise NotFound
        if path is None or not isinstance(upload, Upload):
            raise Invalid("file", _missing(upload))
        plan = _planned(request, viewer, path)
    except BaseException as exc:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(exc, Invalid):
            return _page(request, RecordImportPage(errors={"file": exc.reason}), status=422)
        raise
    if not plan.good:
        path.unlink(missing_ok=True)
    page = RecordImportPage(
        plan=plan,
        upload=path.stem if plan.good else "",
        name=upload.name,
        failed=tuple(plan.refused),
    )
    return _page(request, page, status=200 if plan.good or not plan.refused else 422)


@post("/confirm", sync_to_thread=True, guards=[admins_only])
def confirm(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store, token = store_of(request), forms.field(request, "upload")
    name = forms.field(request, "name")[:200]
    path = store.directory / "uploads" / token
    try:
        if not _TOKEN.fullmatch(token):
            raise Invalid("file", _missing(None))
        plan = _planned(request, viewer, path)
    except Invalid as exc:
        return _page(request, RecordImportPage(errors={"file": exc.reason}), status=422)
    late = records.import_records(store, viewer, plan, name=name, now=datetime.now(UTC))
    path.unlink(missing_ok=True)
    failed = (*plan.refused, *late)
    return _page(request, RecordImportPage(plan=plan, name=name, is_done=True, failed=failed))


def table_file(content: bytes, name: str) -> Response[bytes]:
    """A table for a spreadsheet, as a download."""
    headers = {"Content-Disposition": disposition(name), "Cache-Control": "private, no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _planned(request: HTMXRequest, viewer: Viewer, path: Path) -> Plan:
    """The plan as things are now. Raises Invalid where the file is not kept any more."""
    try:
        plan = records.plan_import(store_of(request), viewer, path)
    except FileNotFoundError as exc:
        raise Invalid(
            "file", "The file was imported already, or is not kept any more. Choose it again."
        ) from exc
    if len(plan.good) > MOST_ON_PAGE:
        raise Invalid(
            "file",
            f"The file would make or change {len(plan.good):,} records; a page does"
            f" {MOST_ON_PAGE:,} at most. Import it on the server with: letterbook record import"
            " FILE.csv",
        )
    return plan


def _missing(upload: TooLarge | Upload | None) -> str:
    if isinstance(upload, TooLarge):
        return (
            f"The file is larger than {upload.limit_bytes >> 20} MB, the most that comes in here."
            " Cut it into several; each needs the line of column names."
        )
    return "Choose a CSV file."


def _page(request: HTMXRequest, context: RecordImportPage, *, status: int = 200) -> Template:
    return render.page(
        request, "records/import.html", context=context, section="record-types", status=status
    )


router = Router(PATH, route_handlers=[new, template, preview, confirm])
