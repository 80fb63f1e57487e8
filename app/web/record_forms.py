"""The forms of a record: made, changed, put away and brought back."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import records as verbs
from app.errors import Conflict, Invalid
from app.model import Record, RecordType, Role, User, UserId, Viewer, some_lines
from app.records import Draft
from app.store import Store, audit, record_lists, records, users
from app.web import flash, forms, render
from app.web.db import store_of
from app.web.records import found_record

_UNSEEN: Final = (
    "Saved so, you could not see this record any more yourself. Add yourself or one of your roles,"
    " or confirm that this is meant."
)


@dataclass(frozen=True, slots=True)
class RecordFormPage:
    """The form of a record, as typed; `record` is None for a new one.

    `saved` is what somebody else saved in between, `saved_by` who it was. `attached` is the number
    of messages here that the viewer may read, `same` another record of this name.
    """

    type: RecordType
    record: Record | None
    draft: Draft
    is_open: bool
    version: str
    roles: list[Role]
    people: list[User]
    attached: int = 0
    asks_unseen: bool = False
    same: Record | None = None
    saved: tuple[tuple[str, str], ...] = ()
    saved_by: str = ""
    saved_at: datetime | None = None
    errors: dict[str, str] = field(default_factory=dict)


@get("/new", sync_to_thread=True)
def new(request: HTMXRequest, record_type: FromPath[str]) -> Template:
    store = store_of(request)
    kind = verbs.find_type(store, record_type)
    draft = Draft(name=forms.asked(request, "name"), code=verbs.next_code(store, kind))
    page = _form(store, kind, None, draft, is_open=True)
    return _page(request, page)


@post("/new", sync_to_thread=True)
def create(
    request: HTMXRequest, viewer: NamedDependency[Viewer], record_type: FromPath[str]
) -> Template | Redirect:
    store = store_of(request)
    kind, draft = verbs.find_type(store, record_type), _typed(request, store)
    try:
        _check_access(request, viewer, draft)
        record_id = verbs.create_record(
            store,
            record_type=kind.key,
            name=draft.name,
            code=draft.code,
            external_id=draft.external_id,
            notes=draft.notes,
            may_share_name=_may_share(request),
            aliases=draft.aliases,
            addresses=draft.addresses,
            domains=draft.domains,
            roles=draft.roles,
            users=draft.users,
            by=viewer.user_id,
            now=datetime.now(UTC),
        )
    except Invalid as exc:
        return _page(request, _refused(request, store, kind, None, draft, exc), status=422)
    made = records.by_ids(store, viewer, [record_id]).get(record_id)
    return render.to(_address(kind, made), done=flash.SAVED)


@get("/{record_id:str}/edit", sync_to_thread=True)
def edit(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template:
    store = store_of(request)
    kind, record = found_record(store, viewer, record_type, record_id)
    page = _form(store, kind, record, verbs.draft_of(record), is_open=record.is_open)
    return _page(request, replace(page, attached=_attached(store, viewer, record)))


@post("/{record_id:str}/edit", sync_to_thread=True)
def update(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Template | Redirect:
    store = store_of(request)
    kind, record = found_record(store, viewer, record_type, record_id)
    draft, version = _typed(request, store), forms.field(request, "version")
    try:
        _check_access(request, viewer, draft)
        now = datetime.now(UTC)
        verbs.change_record(
            store,
            viewer,
            record.id,
            draft,
            version=version,
            may_share_name=_may_share(request),
            now=now,
        )
    except Invalid as exc:
        return _page(request, _refused(request, store, kind, record, draft, exc), status=422)
    except Conflict as exc:
        _, kept = found_record(store, viewer, record_type, record_id)
        return _page(request, _conflict(request, store, kind, kept, draft, str(exc)), status=422)
    saved = records.by_ids(store, viewer, [record.id]).get(record.id)
    return render.to(_address(kind, saved), done=flash.SAVED)


@post("/{record_id:str}/archive", sync_to_thread=True)
def archive(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Redirect:
    store = store_of(request)
    _, record = found_record(store, viewer, record_type, record_id)
    verbs.archive_record(store, viewer, record.id, now=datetime.now(UTC))
    return render.to(f"/records/{record.type}/{record.public_id}", done=flash.SAVED)


@post("/{record_id:str}/restore", sync_to_thread=True)
def restore(
    request: HTMXRequest,
    viewer: NamedDependency[Viewer],
    record_type: FromPath[str],
    record_id: FromPath[str],
) -> Redirect:
    store = store_of(request)
    _, record = found_record(store, viewer, record_type, record_id)
    verbs.restore_record(store, viewer, record.id, now=datetime.now(UTC))
    return render.to(f"/records/{record.type}/{record.public_id}", done=flash.SAVED)


def _page(request: HTMXRequest, page: RecordFormPage, *, status: int = 200) -> Template:
    return render.page(
        request, "records/form.html", context=page, section=page.type.key, status=status
    )


def _address(kind: RecordType, record: Record | None) -> str:
    """The record's page, or the list where its maker may not see it."""
    return f"/records/{kind.key}/{record.public_id}" if record else f"/records/{kind.key}"


def _form(
    store: Store,
    kind: RecordType,
    record: Record | None,
    draft: Draft,
    *,
    is_open: bool,
    version: str = "",
) -> RecordFormPage:
    """People who were kept out are offered only where they have access: it must not get lost."""
    chosen = {*draft.users, *(record.users if record else ())}
    return RecordFormPage(
        kind,
        record,
        draft,
        is_open,
        version or (verbs.record_version(record) if record else ""),
        users.roles(store),
        [one for one in users.every(store) if not one.deactivated_at or one.id in chosen],
    )


def _refused(
    request: HTMXRequest,
    store: Store,
    kind: RecordType,
    record: Record | None,
    draft: Draft,
    error: Invalid,
) -> RecordFormPage:
    page = _form(
        store,
        kind,
        record,
        draft,
        is_open=forms.field(request, "access") != "some",
        version=forms.field(request, "version"),
    )
    return replace(
        page,
        asks_unseen=error.reason == _UNSEEN or bool(forms.field(request, "unseen")),
        same=error.record if isinstance(error, verbs.SameName) else None,
        errors=verbs.problems(draft) | {error.field: error.reason},
    )


def _conflict(
    request: HTMXRequest,
    store: Store,
    kind: RecordType,
    kept: Record,
    draft: Draft,
    reason: str,
) -> RecordFormPage:
    """What was typed, beside what is saved now; sent again, it is saved over that."""
    is_open = forms.field(request, "access") != "some"
    page = _form(store, kind, kept, draft, is_open=is_open)
    by, at = audit.last_on_record(store, kept.id) or (None, None)
    return replace(
        page,
        saved=_differences(page, kept, draft),
        saved_by=users.get(store, by).name if by else "",
        saved_at=at,
        errors={"conflict": reason},
    )


def _differences(page: RecordFormPage, kept: Record, draft: Draft) -> tuple[tuple[str, str], ...]:
    """What is saved otherwise than it was typed: the label and the saved value."""
    names = [one.name for one in page.roles if one.id in kept.roles]
    names += [one.name for one in page.people if one.id in kept.users]
    access = (set(kept.roles), set(kept.users)) != (set(draft.roles), set(draft.users))
    lines = (
        ("Name", kept.name, kept.name != draft.name),
        ("Code", kept.code, kept.code != draft.code),
        ("External id", kept.external_id, kept.external_id != draft.external_id),
        ("Known as", ", ".join(kept.aliases), set(kept.aliases) != set(draft.aliases)),
        ("Addresses", ", ".join(kept.addresses), set(kept.addresses) != set(draft.addresses)),
        ("Domains", ", ".join(kept.domains), set(kept.domains) != set(draft.domains)),
        ("Notes", kept.notes, kept.notes.split() != draft.notes.split()),
        ("Access", ", ".join(names) or "everybody", access),
    )
    return tuple((label, value or "-") for label, value, differs in lines if differs)


def _may_share(request: HTMXRequest) -> bool:
    """Whether another record may have the name too: it was asked, and answered."""
    return bool(forms.field(request, "same_name"))


def _typed(request: HTMXRequest, store: Store) -> Draft:
    is_some = forms.field(request, "access") == "some"
    ids: dict[str, UserId] = {user.public_id: user.id for user in users.every(store)}
    chosen = tuple(ids.get(one, UserId(0)) for one in forms.fields(request, "people"))
    return Draft(
        forms.field(request, "name"),
        forms.field(request, "code"),
        forms.field(request, "notes"),
        some_lines(forms.field(request, "aliases")),
        some_lines(forms.field(request, "addresses")),
        some_lines(forms.field(request, "domains")),
        tuple(forms.role_ids(request, "roles")) if is_some else (),
        chosen if is_some else (),
        forms.field(request, "external_id"),
    )


def _check_access(request: HTMXRequest, viewer: Viewer, draft: Draft) -> None:
    """Raises Invalid for access that was not said, and for what its maker could not see."""
    access = forms.field(request, "access")
    if access not in ("all", "some"):
        raise Invalid("access", "Say who may see this record.")
    if access == "some" and not (draft.roles or draft.users):
        raise Invalid("access", "Mark at least one role or person, or open it to everybody.")
    if not (verbs.would_see(viewer, draft) or forms.field(request, "unseen")):
        raise Invalid("access", _UNSEEN)


def _attached(store: Store, viewer: Viewer, record: Record) -> int:
    return record_lists.attached_counts(store, viewer, [record.id])[record.id]


router = Router(
    "/records/{record_type:str}", route_handlers=[new, create, edit, update, archive, restore]
)
