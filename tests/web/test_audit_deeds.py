"""Every page that changes something leaves a line in the audit: who, when, from where (R69).

A route that is new stands in no list here and fails: write it into DEEDS, with the page that its
form stands on, or into WITHOUT with the reason.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from app import filing, people, records
from app.main import create_app
from app.settings import Settings
from app.store import Store, accounts, audit, transaction, users
from tests import make
from tests.make import mail
from tests.web.conftest import ORIGIN, PASSWORD, Browser, System, Team
from tests.web.test_accounts import FORM
from tests.web.test_import import MBOX, upload
from tests.web.test_setup import FIELDS

MESSAGE, RECORDS, ACCOUNTS = (
    "/email/messages/{message_id}",
    "/records/{record_type}",
    "/email/accounts",
)
RECORD, ACCOUNT, USER = f"{RECORDS}/{{record_id}}", f"{ACCOUNTS}/{{account_id}}", "/users/{user_id}"
BULK = {"type": "companies", "external_id": "1", "name": "Nowa"}
NEW_PASSWORD = {"password": "another long one", "again": "another long one"}


@dataclass(frozen=True)
class Deed:
    """A form: the page it stands on, what is typed into it, and the verb of its line."""

    verb: str
    seen_on: str
    typed: dict[str, Any]
    named: dict[str, str]


def deed(verb: str, seen_on: str, typed: dict[str, Any] | None = None, **named: str) -> Deed:
    return Deed(verb, seen_on, typed or {}, named)


DEEDS = {
    f"{MESSAGE}/attach": deed("archive", f"{MESSAGE}/attach", {"record": "{company}"}),
    "/email/attach": deed(
        "archive",
        "/email/attach?message={message_id}&message={filed}",
        {"record": "{company}"},
    ),
    f"{MESSAGE}/detach": deed("detach", f"{MESSAGE}/access", {}, message_id="{filed}"),
    f"{MESSAGE}/access": deed(
        "change access", f"{MESSAGE}/access", {"roles": "{foreman}"}, message_id="{filed}"
    ),
    f"{MESSAGE}/aside": deed("set aside", MESSAGE),
    f"{MESSAGE}/take-back": deed("take back", MESSAGE, message_id="{aside}"),
    f"{MESSAGE}/purge": deed("purge", f"{MESSAGE}/purge", {"reason": "x", "word": "REMOVE"}),
    f"{RECORDS}/new": deed("create record", f"{RECORDS}/new", {"name": "Nowa"}),
    f"{RECORD}/edit": deed("change record", f"{RECORD}/edit", {"name": "Nowa"}),
    f"{RECORD}/archive": deed("archive record", RECORD),
    f"{RECORD}/restore": deed("restore record", RECORD, record_id="{away}"),
    f"{RECORD}/merge": deed("merge records", f"{RECORD}/merge?into={{into}}"),
    f"{RECORD}/delete": deed("remove record", f"{RECORD}/delete"),
    "/audit/records/{record_id}": deed(
        "change record access",
        "/audit/records/{record_id}",
        {"people": "{bob}"},
        record_id="{secret}",
    ),
    "/record-types": deed(
        "create record type", "/record-types/new", {"singular": "A", "plural": "B"}
    ),
    "/record-types/{key}/edit": deed(
        "change record type", "/record-types/{key}/edit", {"singular": "Firm"}
    ),
    "/record-types/{key}/archive": deed("archive record type", "/record-types", key="{own}"),
    "/record-types/{key}/restore": deed("restore record type", "/record-types", key="{put_away}"),
    "/users": deed("create user", "/users/new", {"email": "e@firma.pl", "name": "Ewa"}),
    f"{USER}/edit": deed("change user", f"{USER}/edit", {"name": "Robert"}),
    f"{USER}/link": deed("create link", f"{USER}/edit"),
    f"{USER}/deactivate": deed("deactivate user", f"{USER}/edit"),
    f"{USER}/reactivate": deed("reactivate user", f"{USER}/edit", user_id="{out}"),
    "/roles": deed("create role", "/roles/new", {"name": "auditor"}),
    "/roles/{role_id}/edit": deed("rename role", "/roles/{role_id}/edit", {"name": "gaffer"}),
    "/roles/{role_id}/remove": deed("remove role", "/roles/{role_id}/edit"),
    "/team": deed("set team", "/team", {"names": "Firma"}),
    "/upkeep/verify": deed("verify", "/upkeep"),
    "/audit/export": deed("export audit", "/audit", {"format": "csv"}),
    "/profile": deed("change profile", "/profile", {"name": "Dora D."}),
    "/profile/password": deed(
        "change password", "/profile/password", {"old": PASSWORD, **NEW_PASSWORD}
    ),
    "/profile/tokens": deed(
        "create token", "/profile/tokens", {"name": "ERP", "days": "1", "scopes": "read"}
    ),
    "/profile/tokens/{token_id}/revoke": deed("revoke token", "/profile/tokens"),
    "/users/tokens/{token_id}/revoke": deed("revoke token", "/users/tokens"),
    "/profile/sessions/end": deed("end session", "/profile/sessions"),
    "/profile/sessions/end-others": deed("end session", "/profile/sessions"),
    f"{ACCOUNTS}/new": deed("create account", f"{ACCOUNTS}/new", FORM),
    f"{ACCOUNT}/edit": deed("share account", f"{ACCOUNT}/edit", FORM | {"users": "{bob}"}),
    f"{ACCOUNT}/pause": deed("pause account", ACCOUNTS),
    f"{ACCOUNT}/resume": deed("resume account", ACCOUNTS, account_id="{paused}"),
    f"{ACCOUNT}/close": deed("close account", f"{ACCOUNT}/edit"),
    "/sign-out": deed("sign out", "/email/queue"),
}

API = "/api/v1"
PUSHED = "/records/{record_type}/by-external-id/{external_id}"
CALLS = {
    "/messages/{message_id}/filings": ("POST", "archive", {"record": "{company}"}, {}),
    "/messages/{message_id}/filings/{record_id}": (
        "DELETE",
        "detach",
        None,
        {"message_id": "{filed}"},
    ),
    "/records/bulk": ("POST", "create record", {"records": [BULK]}, {}),
    PUSHED: ("PUT", "create record", {"name": "Nowa"}, {}),
    "/records/{record_id}/merge": ("POST", "merge records", {"into": "{into}"}, {}),
    "/records/{record_id}/archive": ("POST", "archive record", None, {}),
    "/records/{record_id}/restore": ("POST", "restore record", None, {"record_id": "{away}"}),
}

WITHOUT = {
    "/set-up": "has its own test below",
    "/sign-in": "has its own test below",
    "/sign-in/{link}": "has its own test below",
    "/sign-in/as/{public_id}": "the demo's: opens a session, as signing in does",
    "/record-import": "a preview, which saves nothing",
    "/record-import/confirm": "has its own test: a file is sent (test_record_import.py)",
    f"{ACCOUNTS}/import": "has its own test below: a file is sent",
    f"{ACCOUNT}/sign-in": "begins; coming back from the provider is audited",
    "/email/act": "does what aside and take-back do, or leads to a form",
    "/email/attach/undo": "has its own test: what is undone is audited (test_filing_many.py)",
    "/email/queue/steps": "puts a hint away that only its reader saw",
    "/email/notices": "puts away what was told to its reader only",
    "/email/queue/check": "looks at the servers earlier; changes nothing that people made",
    f"{ACCOUNT}/check": "looks at a server earlier; changes nothing that people made",
    f"{ACCOUNTS}/new/test": "asks a server and saves nothing",
    f"{ACCOUNT}/test": "asks a server and saves nothing",
    f"{ACCOUNTS}/new/find": "looks a server up and saves nothing",
    f"{ACCOUNT}/find": "looks a server up and saves nothing",
}


def test_every_writing_route_is_in_one_of_the_lists(settings: Settings) -> None:
    app = create_app(settings)

    writing = {
        route.path_format
        for route in app.routes
        if set(getattr(route, "methods", ())) - {"GET", "HEAD", "OPTIONS"}
    }

    told = DEEDS.keys() | WITHOUT.keys() | {f"{API}{path}" for path in CALLS}
    assert writing - told == set(), "say how it is audited, or why not"
    assert told - writing == set()


@pytest.mark.parametrize("route", DEEDS)
def test_every_writing_route_leaves_a_line(team: Team, admin: Browser, route: str) -> None:
    """R69: what, who, when and from where."""
    one = DEEDS[route]
    ids = {name: str(value) for name, value in known(team).items()}
    ids |= {name: value.format_map(ids) for name, value in one.named.items()}
    page = one.seen_on.format_map(ids)
    before = len(lines(team))
    began_at = datetime.now(UTC).replace(microsecond=0)

    path = route.format_map(ids)
    fields = form_on(admin.get(page).text, path) | filled(one.typed, ids)
    answer = admin.send(path, fields)

    assert answer.status_code in (200, 303), answer.text
    new = lines(team)[: len(lines(team)) - before]
    line = {line.verb: line for line in new}[one.verb]
    assert line.user_id == users.by_email(team.store, "dora@firma.pl").id
    assert line.address == "testclient"
    assert line.at >= began_at


@pytest.mark.parametrize("route", CALLS)
def test_every_writing_call_of_the_api_leaves_a_line(
    team: Team, admin: Browser, connect: Callable[..., System], route: str
) -> None:
    """R69."""
    method, verb, body, named = CALLS[route]
    ids = {name: str(value) for name, value in known(team).items()}
    ids |= {name: value.format_map(ids) for name, value in named.items()}
    before = len(lines(team))

    dora = users.by_email(team.store, "dora@firma.pl").id
    answer = connect(dora).send(method, route.format_map(ids), body and filled(body, ids))

    assert answer.is_success, answer.text
    new = {line.verb: line for line in lines(team)[: len(lines(team)) - before]}
    assert (new[verb].user_id, new[verb].address) == (dora, "testclient")


def test_signing_in_and_failing_to_is_told(team: Team, stranger: Browser) -> None:
    """R69; what was typed is not kept."""
    with transaction(team.store):
        users.set_password_hash(team.store, team.bob, people.hash_password(PASSWORD))

    stranger.post("/sign-in", seen_on="/sign-in", email="bob@firma.pl", password="hunter2")
    stranger.post("/sign-in", seen_on="/sign-in", email="hunter2", password="x")
    stranger.post("/sign-in", seen_on="/sign-in", email="bob@firma.pl", password=PASSWORD)

    opened, unknown, failed = lines(team)[:3]
    assert (opened.verb, opened.user_id, opened.address) == ("open session", team.bob, "testclient")
    assert (failed.verb, failed.user_id, failed.detail) == (
        "fail sign-in",
        None,
        {"user": team.bob},
    )
    assert (unknown.verb, unknown.user_id, unknown.detail) == ("fail sign-in", None, {"user": None})
    assert "hunter2" not in repr(lines(team))


def test_a_one_time_link_is_told_when_it_is_made_and_used(team: Team, stranger: Browser) -> None:
    link = people.create_link(team.store, team.bob, by=team.alice, now=datetime.now(UTC))

    stranger.post(f"/sign-in/{link}", seen_on=f"/sign-in/{link}", **NEW_PASSWORD)

    assert audit.latest_verbs(team.store, 3) == ["open session", "set password", "create link"]
    assert link not in repr(lines(team))


def test_the_first_administrator_is_told(store: Store, tmp_path: Path) -> None:
    settings = Settings.from_env({}, data=tmp_path / "data", public_url=ORIGIN)
    with TestClient(create_app(settings, set_up_code="AB"), base_url=ORIGIN) as client:
        browser = Browser(client)
        browser.post("/set-up", seen_on="/set-up", **{**FIELDS, "code": "AB"})

    assert audit.latest_verbs(store, 2) == ["open session", "set up team"]


def test_an_import_is_told(team: Team, alice: Browser) -> None:
    upload(alice, MBOX)

    assert audit.latest_verbs(team.store, 2) == ["import", "create account"]


def test_a_proxy_s_word_on_where_it_comes_from_counts_from_this_machine_only(
    team: Team, admin: Browser
) -> None:
    fields = {"_csrf": admin.token("/roles/new"), "name": "auditor"}

    admin.send("/roles", fields, **{"X-Forwarded-For": "203.0.113.7"})

    assert lines(team)[0].address == "testclient"


def lines(team: Team) -> list[audit.Line]:
    return [line for some in audit.every(team.store, audit.Wanted(), per_read=100) for line in some]


def known(team: Team) -> dict[str, object]:
    """What the deeds are done to; Dora may do all of them."""
    store, now = team.store, datetime.now(UTC)
    dora = users.by_email(store, "dora@firma.pl").id
    accounts.add_users(store, team.office.id, [dora])
    people.open_session(store, dora, address="10.0.0.9", agent="other", now=now)
    with transaction(store):
        store.archive.conn.execute(
            "update users set password_hash = ? where id = ?",
            [people.hash_password(PASSWORD), dora],
        )
    paused = make.account(store, dora, address="paused@firma.pl")
    with transaction(store):
        accounts.pause(store, paused.id, at=now)
    one, filed, aside = team.deliver(*(mail(message_id=f"<{n}@x>", text=str(n)) for n in range(3)))
    alice = team.viewer(team.alice)
    filing.file_message(store, alice, team.id_of(filed), team.company, now=now)
    filing.set_aside(store, team.viewer(dora), team.id_of(aside), now=now)
    away = make.record(store, "Old")
    records.archive_record(store, alice, away, now=now)
    own, put_away = (
        records.create_type(store, singular=name, plural=f"{name}s", by=dora, now=now)
        for name in ("Van", "Ship")
    )
    records.archive_type(store, put_away.key, by=dora, now=now)
    token_id, _ = people.create_token(store, dora, name="A", scopes=["read"], days=1, now=now)
    people.deactivate_user(store, team.charlie, by=None, now=now)
    return {
        "message_id": one,
        "filed": filed,
        "aside": aside,
        "record_type": "companies",
        "record_id": team.record(team.company),
        "company": team.record(team.company),
        "away": team.record(away),
        "key": "companies",
        "account_id": team.office.public_id,
        "paused": paused.public_id,
        "user_id": users.get(store, team.bob).public_id,
        "role_id": team.foreman,
        "bob": users.get(store, team.bob).public_id,
        "foreman": team.foreman,
        "own": own.key,
        "put_away": put_away.key,
        "token_id": token_id,
        "secret": team.record(team.secret),
        "into": team.record(make.record(store, "Kept")),
        "external_id": "1",
        "out": users.get(store, team.charlie).public_id,
    }


def form_on(text: str, action: str) -> dict[str, Any]:
    """The fields that the form to an address sends as it stands, or only its page's token."""
    for form in re.findall(r"<form.*?</form>", text, re.DOTALL):
        if f'action="{action}"' in form:
            return fields_of(form)
    raise AssertionError(f"no form to {action}")


def fields_of(form: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        is_sent = given.get("type") not in ("checkbox", "radio") or " checked" in tag
        if given.get("name") and is_sent and " disabled" not in tag:
            found.setdefault(given["name"], []).append(given.get("value", ""))
    for name, body in re.findall(
        r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', form, re.DOTALL
    ):
        found[name] = [unescape(body)]
    for name, body in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', body)
        found[name] = chosen or re.findall(r'<option value="([^"]*)"', body)[:1]
    return found


def filled(typed: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    return {
        name: value.format_map(ids) if isinstance(value, str) else value
        for name, value in typed.items()
    }
