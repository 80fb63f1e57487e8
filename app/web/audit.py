"""The resource "audit", for administrators: who did what, when, from where; filtered, and exported.

State, never content (R78): mail and records that the reader may not see are told without a name.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.plugins.htmx import HTMXRequest
from litestar.response import Stream, Template

from app.errors import Invalid, NotFound
from app.model import Account, User, Viewer
from app.records import plain
from app.settings import Settings
from app.store import Store, accounts, audit, messages, open_store, records, transaction, users
from app.store.audit import NOBODY, OPERATOR, Lines, Wanted
from app.web import forms, render
from app.web.audit_words import GROUPS, Told, all_names, told
from app.web.db import store_of
from app.web.session import admins_only, zone_of

AUDIT: Final = "/audit"
PER_PAGE: Final = 100
PER_READ: Final = 500
FILTERS: Final = ("who", "kind", "account", "of", "since", "until")
COLUMNS: Final = ("time", "who", "email", "address", "verb", "what", "message", "record", "account")


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Lines as sentences, newest first; `typed` is the filter as it was asked for."""

    typed: dict[str, str]
    people: list[User]
    accounts: list[Account]
    told: list[Told] = field(default_factory=list)
    lines: Lines | None = None
    kinds: tuple[tuple[str, str], ...] = tuple((key, title) for key, (title, _) in GROUPS.items())
    errors: dict[str, str] = field(default_factory=dict)


@get("/", sync_to_thread=True)
def show(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Template:
    store = store_of(request)
    typed = {name: forms.asked(request, name, most=300) for name in FILTERS}
    page = AuditPage(typed, users.every(store), accounts.all_accounts(store))
    try:
        wanted = _wanted(store, viewer, typed, zone_of(request))
    except Invalid as exc:
        page = replace(page, errors={exc.field: exc.reason})
        return render.page(request, "audit/show.html", context=page, section="audit", status=422)
    before, after = (forms.asked(request, name) for name in ("before", "after"))
    lines = audit.page(store, wanted, before=before, after=after, limit=PER_PAGE)
    sentences = told(store, viewer, lines.lines, all_names(store))
    page = replace(page, lines=lines, told=sentences)
    return render.page(request, "audit/show.html", context=page, section="audit")


@post("/export", sync_to_thread=True, status_code=200)
def export(request: HTMXRequest, viewer: NamedDependency[Viewer]) -> Stream:
    """All the lines of a filter, as a file that is written while it is sent."""
    settings: Settings = request.app.state.settings
    store, form = store_of(request), forms.field(request, "format")
    typed = {name: forms.field(request, name)[:300] for name in FILTERS}
    if form not in _FORMATS:
        raise Invalid("format", "Choose CSV or JSON lines.")
    wanted = _wanted(store, viewer, typed, zone_of(request))
    now = datetime.now(UTC)
    with transaction(store):
        given = {name: value for name, value in typed.items() if value}
        audit.note(store, "export audit", by=viewer.user_id, now=now, format=form, filter=given)
    media_type, written = _FORMATS[form]
    name = f"audit-{now:%Y-%m-%d}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(
        written(_rows(settings.data, viewer, wanted)), media_type=media_type, headers=headers
    )


def _wanted(store: Store, viewer: Viewer, typed: dict[str, str], zone: tzinfo) -> Wanted:
    """Raises Invalid for what is not there, or not for this viewer."""
    kind, since, until = typed["kind"], _day(typed, "since"), _day(typed, "until")
    if kind and kind not in GROUPS:
        raise Invalid("kind", "There is no such kind. Choose one from the list.")
    who: Any = typed["who"] or None
    if who not in (None, OPERATOR, NOBODY):
        who = _found(users.by_public_id, store, typed, "who").id
    account = _found(accounts.by_public_id, store, typed, "account") if typed["account"] else None
    wanted = Wanted(
        who=who,
        verbs=tuple(GROUPS[kind][1]) if kind else (),
        since=datetime.combine(since, time.min, zone) if since else None,
        until=datetime.combine(until + timedelta(days=1), time.min, zone) if until else None,
        account_id=account and account.id,
    )
    return _narrowed(store, viewer, wanted, typed["of"])


def _narrowed(store: Store, viewer: Viewer, wanted: Wanted, of: str) -> Wanted:
    """To the message or record whose id, or whose page's address, was typed."""
    if not of:
        return wanted
    for name in reversed(of.replace("?", "/").split("/")):
        try:
            return replace(wanted, message_id=messages.get(store, viewer, name).id)
        except NotFound:
            pass
        try:
            return replace(wanted, record_id=records.get(store, viewer, name).id)
        except NotFound:
            continue
    raise Invalid("of", "You can read no message and no record of this id.")


def _found(
    get_one: Callable[[Store, str], Any], store: Store, typed: dict[str, str], name: str
) -> Any:  # noqa: ANN401  # a user or an account
    try:
        return get_one(store, typed[name])
    except NotFound as exc:
        raise Invalid(name, "There is none of this id. Choose from the list.") from exc


def _day(typed: dict[str, str], name: str) -> date | None:
    if not typed[name]:
        return None
    try:
        found = date.fromisoformat(typed[name])
    except ValueError as exc:
        raise Invalid(name, "A day looks like 2026-11-25.") from exc
    if not 1970 <= found.year < 2200:
        raise Invalid(name, "No lines are that old, or that young.")
    return found


# -- as a file


def _rows(directory: Path, viewer: Viewer, wanted: Wanted) -> Iterator[list[dict[str, str]]]:
    """What a file tells of each line; a store of its own, because it outlives the request."""
    store = open_store(directory, checkpoints=False)
    try:
        names = all_names(store)
        for lines in audit.every(store, wanted, per_read=PER_READ):
            yield [_row(one, names.users) for one in told(store, viewer, lines, names)]
    finally:
        store.close()


def _row(one: Told, people: dict[Any, User]) -> dict[str, str]:
    line, links = one.line, [piece.href for piece in one.what if piece.href]
    ids = [
        next((href.rpartition("/")[2] for href in links if href.startswith(start)), "")
        for start in ("/email/messages/", "/records/", "/email/accounts/")
    ]
    email = people[line.user_id].email if line.user_id in people else ""
    values = (line.at.isoformat(), one.who.text, email, line.address, line.verb, one.text)
    return dict(zip(COLUMNS, (*values, *ids), strict=True))


def _as_csv(rows: Iterator[list[dict[str, str]]]) -> Iterator[str]:
    """With a mark in front of what a spreadsheet would take for a formula."""
    yield ",".join(COLUMNS) + "\r\n"
    for some in rows:
        text = io.StringIO()
        csv.writer(text).writerows([plain(one) for one in row.values()] for row in some)
        yield text.getvalue()


def _as_json_lines(rows: Iterator[list[dict[str, str]]]) -> Iterator[str]:
    for some in rows:
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some)


_FORMATS: Final = {
    "csv": ("text/csv; charset=utf-8", _as_csv),
    "jsonl": ("application/jsonl; charset=utf-8", _as_json_lines),
}

router = Router(AUDIT, route_handlers=[show, export], guards=[admins_only])
