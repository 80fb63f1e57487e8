"""The resource "filing of many messages": the form for a selection, its results, its undoing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Redirect, Template

from app import filing
from app.errors import Invalid, NotFound
from app.filing import MOST_AT_ONCE, Outcome
from app.model import Message, Record, RecordId, Viewer
from app.records import add_record
from app.store import Store, holdings, messages, records
from app.web import flash, render
from app.web.db import store_of
from app.web.filing_form import (
    Choice,
    FilingForm,
    Planned,
    choice_asked,
    choice_sent,
    chosen_roles,
    known_roles,
    new_record,
    offered_roles,
    require_record,
    select,
    way_back,
)
from app.web.forms import asked, field, fields

_DONE: Final = ("archived", "attached")


@dataclass(frozen=True, slots=True)
class ManyPage:
    form: FilingForm


@dataclass(frozen=True, slots=True)
class ResultPage:
    """What became of each; `at` is the second it was done in, for the undoing."""

    record: Record
    planned: tuple[Planned, ...]
    at: str
    back: str
    has_undo: bool


@get("/", sync_to_thread=True)
def show(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    chosen = _chosen(request.query_params.getall("message", []))
    choice = choice_asked(request)
    if len(chosen) > MOST_AT_ONCE:
        return render.back_to(choice.back, done=flash.TOO_MANY)
    return _form(request, _form_of(store_of(request), viewer, chosen, choice))


@post("/", sync_to_thread=True)
def create(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template | Redirect:
    store, choice, chosen = store_of(request), choice_sent(request), _chosen_in(request)
    if len(chosen) > MOST_AT_ONCE:
        return render.back_to(choice.back, done=flash.TOO_MANY)
    if choice.is_new and choice.draft is None:
        return _form(request, _form_of(store, viewer, chosen, choice))
    now = datetime.now(UTC)
    try:
        record, outcomes = _file(request, store, viewer, chosen, choice, now=now)
    except Invalid as exc:
        errors = {exc.field: exc.reason}
        page = _form_of(store, viewer, chosen, choice, errors=errors)
        return _form(request, page, status=422)
    back, at = way_back(choice.back, record), str(int(now.timestamp()))
    rest: dict[str, list[str]] = {}
    for public_id, outcome in outcomes.items():
        if outcome not in _DONE:
            rest.setdefault(outcome, []).append(public_id)
    if rest:
        given = {"record": record.public_id, "at": at, "back": back, **rest}
        return render.to("/email/attach/result", **given)
    return render.back_to(
        back,
        done=flash.FILED_MANY,
        record=record.public_id,
        message=chosen[0],
        n=str(len(outcomes)),
        at=at,
    )


@get("/result", sync_to_thread=True)
def result(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    """What one "Confirm" did. Raises NotFound for a record that the viewer may not see."""
    store, at = store_of(request), asked(request, "at")
    record = records.get(store, viewer, asked(request, "record"))
    moment = _moment(at)
    filed = filing.filed_at(store, viewer, record.id, moment)
    found = messages.by_ids(store, viewer, filed)
    planned = [
        Planned(one.public_id, one, "archived" if one.archived_at == moment else "attached")
        for one in found
    ]
    for outcome in ("already", "refused", "cleared", "missing"):
        planned += _rest(request, store, viewer, outcome)
    back = render.place(asked(request, "back", most=2000))
    page = ResultPage(record, tuple(planned), at, back, bool(filed))
    return render.page(request, "attach/result.html", context=page, section="queue")


@post("/undo", sync_to_thread=True)
def undo(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Redirect:
    """Take back what one press of a button did in that second: a filing, or a setting aside."""
    store, now, back = store_of(request), datetime.now(UTC), field(request, "back")
    moment = _moment(field(request, "at"))
    if name := field(request, "record"):
        record = records.get(store, viewer, name)
        done = filing.unfile_all(store, viewer, record.id, moment, now=now)
        verb = flash.UNFILED_MANY
    else:
        aside = holdings.set_aside_at(store, viewer, moment)
        done = filing.take_all_back(store, viewer, aside, now=now)
        verb = flash.BACK_MANY
    first = messages.by_ids(store, viewer, done[:1])
    return render.back_to(
        back, done=verb, n=str(len(done)), message=first[0].public_id if first else ""
    )


def _form(request: HTMXRequest, form: FilingForm, *, status: int = 200) -> Template:
    return render.page(
        request,
        "attach/many.html",
        context=ManyPage(form),
        section="queue" if form.has_roles else "archives",
        fragment="attach/_form.html",
        status=status,
    )


def _form_of(
    store: Store,
    viewer: Viewer,
    chosen: list[str],
    choice: Choice,
    *,
    errors: dict[str, str] | None = None,
) -> FilingForm:
    """Raises NotFound if none of the messages is there for the viewer."""
    found = messages.by_public_ids(store, viewer, chosen)
    if not found:
        raise NotFound
    ids = [one.id for one in found]
    suggestions = filing.suggest_for_all(store, viewer, ids)
    selected = select(store, viewer, choice, suggestions)
    readers = None
    new = [one.id for one in found if one.archived_at is None]
    if selected.record or selected.is_new:
        roles = known_roles(choice.roles)
        readers = filing.readers_of_all(store, viewer, new or ids, selected.record, roles)
    newcomer = filing.newcomer(store, viewer, ids[0])
    return FilingForm(
        action="/email/attach",
        cancel=render.place(choice.back),
        types=selected.types,
        type=selected.type,
        record=selected.record,
        text=selected.text,
        suggestions=suggestions,
        reasons=selected.reasons,
        found=selected.found,
        has_roles=bool(new),
        roles=offered_roles(store, has_roles=bool(new)),
        chosen_roles=choice.roles,
        standing=(),
        keepers=filing.keepers_of_all(store, viewer, new),
        stricts=filing.keepers_of_all(store, viewer, new, is_strict=True),
        readers=readers,
        draft=new_record(choice, selected, newcomer) if selected.is_new else None,
        back=choice.back,
        errors=errors or {},
        planned=_planned(store, viewer, chosen, found, selected.record),
    )


def _planned(
    store: Store,
    viewer: Viewer,
    chosen: list[str],
    found: list[Message],
    record: Record | None,
) -> tuple[Planned, ...]:
    known = {str(one.public_id): one for one in found}
    plan = filing.plan(store, viewer, [one.id for one in found], record.id if record else None)
    return tuple(
        Planned(public_id, one, plan[one.id] if one else "missing")
        for public_id in chosen
        for one in [known.get(public_id)]
    )


def _file(
    request: HTMXRequest,
    store: Store,
    viewer: Viewer,
    chosen: list[str],
    choice: Choice,
    *,
    now: datetime,
) -> tuple[Record, dict[str, Outcome]]:
    """The record, and what became of each public id. Raises Invalid, NotFound."""
    found = messages.by_public_ids(store, viewer, chosen)
    if not found:
        raise NotFound
    kept = messages.by_public_ids(store, viewer, fields(request, "standing")[:MOST_AT_ONCE])
    record_id, outcomes = filing.file_messages(
        store,
        viewer,
        [one.id for one in found],
        lambda: _record_id(store, viewer, choice, now=now),
        roles=chosen_roles(choice.roles),
        standing={one.id for one in kept},
        now=now,
    )
    record = records.by_ids(store, viewer, [record_id])[record_id]
    ids = {str(one.public_id): one.id for one in found}
    return record, {one: outcomes[ids[one]] if one in ids else "missing" for one in chosen}


def _record_id(store: Store, viewer: Viewer, choice: Choice, *, now: datetime) -> RecordId:
    """The chosen record, or a new one. Raises Invalid. Effects: in the caller's transaction."""
    if choice.is_new and choice.draft is not None:
        by = viewer.user_id
        return add_record(store, record_type=choice.type, draft=choice.draft, by=by, now=now)
    return require_record(store, viewer, choice).id


def _rest(request: HTMXRequest, store: Store, viewer: Viewer, outcome: Outcome) -> list[Planned]:
    """What the address says was not done, as far as the viewer may read it."""
    named = _chosen(request.query_params.getall(outcome, []))[:MOST_AT_ONCE]
    known = {str(one.public_id): one for one in messages.by_public_ids(store, viewer, named)}
    return [Planned(one, known.get(one), outcome if one in known else "missing") for one in named]


def _chosen(values: list[object]) -> list[str]:
    return [one for one in dict.fromkeys(map(str, values)) if one.isalnum()]


def _chosen_in(request: HTMXRequest) -> list[str]:
    return _chosen(list(fields(request, "message")))


def _moment(text: str) -> datetime:
    """Raises NotFound for what is no second of our time."""
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise NotFound
    return datetime.fromtimestamp(int(text), UTC)


router = Router("/email/attach", route_handlers=[show, create, result, undo])
