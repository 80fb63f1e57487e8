"""The resource "import": mail without a server, from a file that somebody has (mbox, .eml, zip)."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import mailboxes
from app.errors import Invalid
from app.model import Account, User, Viewer
from app.settings import Settings
from app.store import Store, accounts, jobs, users
from app.transfer import check_mail
from app.web import render
from app.web.account_form import ACCOUNTS, chosen_users, people_for
from app.web.db import store_of
from app.web.format import size
from app.web.forms import field, fields
from app.web.uploads import TooLarge, Upload


@dataclass(frozen=True, slots=True)
class TypedImport:
    """What the form says: an own mailbox, or the address and people of an archive-only one."""

    account: str = ""
    address: str = ""
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The form; `mailboxes` may be imported into, `people` chosen for a new one."""

    typed: TypedImport
    mailboxes: list[Account]
    people: list[User]
    is_locked: bool
    limit_bytes: int
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class ImportingPage:
    """How an import stands. `share` is 0 to 100, None where nobody knows the end."""

    job: str
    account: Account
    name: str
    is_done: bool
    error: str
    read: int
    new: int
    known: int
    skipped: int
    failed: tuple[str, ...]
    share: int | None
    is_worker_alive: bool


@get("/import", sync_to_thread=True)
def new(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    me = users.get(store_of(request), viewer.user_id).public_id
    return _form(request, viewer, TypedImport(users=(me,)))


@post("/import", sync_to_thread=True, request_max_body_size=None, opt={"takes_upload": True})
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    store = store_of(request)
    upload: Upload | TooLarge | None = request.scope["state"].get("upload")
    typed = TypedImport(
        field(request, "account"), field(request, "address"), tuple(fields(request, "users"))
    )
    try:
        job = _begin(store, viewer, typed, upload)
    except Invalid as exc:
        status = 413 if isinstance(upload, TooLarge) else 422
        return _form(request, viewer, typed, {exc.field: exc.reason}, status=status)
    return render.to(f"{ACCOUNTS}/imports/{job}")


@get("/imports/{job:str}", sync_to_thread=True)
def show(request: HTMXRequest, viewer: NamedDependency[Viewer], job: FromPath[str]) -> Template:
    return render.page(
        request,
        "accounts/importing.html",
        context=_importing(store_of(request), viewer, job),
        section="accounts",
        fragment="accounts/_importing.html",
    )


def _begin(
    store: Store, viewer: Viewer, typed: TypedImport, upload: Upload | TooLarge | None
) -> str:
    """Check the file, find or make its mailbox, and have the worker bring it in.

    Raises Invalid, Forbidden. Effects: the file is removed unless the import is on its way.
    """
    try:
        found = _checked(upload)
        account = _target(store, viewer, typed)
        return mailboxes.request_import(
            store,
            viewer,
            account.id,
            upload=found.path.name,
            name=found.name,
            now=datetime.now(UTC),
        )
    except BaseException:
        if isinstance(upload, Upload):
            upload.path.unlink(missing_ok=True)
        raise


def _checked(upload: Upload | TooLarge | None) -> Upload:
    """The file, if there is mail in it. Raises Invalid."""
    if upload is None:
        raise Invalid("file", "Choose a file of mail: mbox, .eml, or a zip of .eml files.")
    if isinstance(upload, TooLarge):
        raise Invalid(
            "file",
            f"The file is larger than {size(upload.limit_bytes)}, the most that comes in here. Cut"
            " it, or import it on the server with: letterbook import",
        )
    if not upload.size_bytes:
        raise Invalid("file", f"{upload.name} is empty.")
    try:
        check_mail(upload.path)
    except Invalid as exc:
        raise Invalid("file", exc.reason.replace(str(upload.path), upload.name)) from exc
    return upload


def _target(store: Store, viewer: Viewer, typed: TypedImport) -> Account:
    if typed.account:
        return _own(store, viewer, typed.account)
    chosen = chosen_users(viewer, people_for(store, viewer, None), typed.users)
    return mailboxes.open_archive(store, viewer, typed.address, chosen, now=datetime.now(UTC))


def _own(store: Store, viewer: Viewer, public_id: str) -> Account:
    for account in _into(store, viewer):
        if account.public_id == public_id:
            return account
    raise Invalid("account", "Choose one of the mailboxes of the list.")


def _into(store: Store, viewer: Viewer) -> list[Account]:
    """The mailboxes that the viewer may bring mail into: his own, an administrator any."""
    return accounts.all_accounts(store) if viewer.is_admin else accounts.of_viewer(store, viewer)


def _form(
    request: HTMXRequest,
    viewer: Viewer,
    typed: TypedImport,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Template:
    store = store_of(request)
    settings: Settings = request.app.state.settings
    context = ImportPage(
        typed=typed,
        mailboxes=_into(store, viewer),
        people=people_for(store, viewer, None),
        is_locked=not viewer.is_admin,
        limit_bytes=settings.upload_limit,
        errors=errors or {},
    )
    return render.page(
        request, "accounts/import.html", context=context, section="accounts", status=status
    )


def _importing(store: Store, viewer: Viewer, job: str) -> ImportingPage:
    """How an import of the viewer's own stands. Raises NotFound."""
    result = jobs.result(store, viewer, job)
    asked_for = jobs.arguments(store, viewer, job, "import")
    so_far = json.loads(result.progress) if result.progress else {}
    is_good = result.is_done and not result.is_error
    (done,) = json.loads(result.text) if is_good else ({},)
    total = so_far.get("total")
    return ImportingPage(
        job=job,
        account=accounts.get(store, jobs.account_of(store, viewer, job)),
        name=str(asked_for.get("name", "")),
        is_done=result.is_done,
        error=result.text if result.is_error else "",
        read=int(done.get("read", so_far.get("read", 0))),
        new=int(done.get("stored", 0)),
        known=int(done.get("known", 0)) + int(done.get("present", 0)),
        skipped=int(done.get("skipped", 0)),
        failed=tuple(done.get("failed", ())),
        share=min(100, 100 * int(so_far["bytes"]) // total) if total else None,
        is_worker_alive=jobs.is_worker_alive(store, now=datetime.now(UTC)),
    )


router = Router("/", route_handlers=[new, create, show])
