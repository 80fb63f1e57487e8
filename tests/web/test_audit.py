"""The page "Audit", for administrators: sentences, filters, pages, files; never content (R78)."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from app import filing, mailboxes, people
from app.model import PublicId, UserId
from app.store import audit, transaction, users
from app.store.database import sqlite3
from app.web.audit_words import SENTENCES
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

NOW = datetime.now(UTC)
AUDIT, EXPORT = "/audit", "/audit/export"


def dora_of(team: Team) -> UserId:
    return people.find_user(team.store, "dora@firma.pl").id


def id_of(team: Team, user: UserId) -> str:
    return users.get(team.store, user).public_id


def note(team: Team, verb: str, by: UserId | None = None, **given: Any) -> None:
    with transaction(team.store):
        audit.note(team.store, verb, by=by, **{"now": NOW, **given})


def file_one(
    team: Team, subject: str = "Beton", *, record: Any = None, roles: Any = ()
) -> PublicId:
    """Alice archives a new mail."""
    (one,) = team.deliver(mail(subject, message_id=f"<{subject}@x>"), uid=len(subject) + 1)
    filing.file_message(
        team.store,
        team.viewer(team.alice),
        team.id_of(one),
        record or team.company,
        roles=roles,
        now=NOW,
    )
    return one


def sentences(text: str) -> list[str]:
    """What each line of the page says, tags left out."""
    cells = re.findall(r'<td class="deed-line">(.*?)</td>', text, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", cell)).split()) for cell in cells]


# -- who sees it


def test_for_others_the_page_is_not_there(
    alice: Browser, stranger: Browser, admin: Browser
) -> None:
    assert alice.get(AUDIT).status_code == 404
    assert alice.get(AUDIT).text == alice.get("/records/companies/aaaaaaaaaaaaa").text
    assert stranger.get(AUDIT).headers["location"] == f"/sign-in?next={AUDIT}"
    assert admin.get(AUDIT).status_code == 200


def test_others_export_nothing(
    team: Team, alice: Browser, stranger: Browser, admin: Browser
) -> None:
    before = audit.latest_verbs(team.store, 100)

    assert alice.post(EXPORT, format="csv").status_code == 404
    assert stranger.send(EXPORT, {"format": "csv"}).headers["location"] == "/sign-in"
    assert admin.send(EXPORT, {"format": "csv"}).status_code == 403
    assert admin.get(EXPORT).status_code == 405
    assert audit.latest_verbs(team.store, 100) == before


# -- sentences


def test_lines_are_sentences(team: Team, admin: Browser) -> None:
    """R69."""
    mailboxes.share(
        team.store,
        None,
        team.office.id,
        [team.alice, team.bob, dora_of(team)],
        is_strict=False,
        now=NOW,
    )
    one = file_one(team, roles=[team.foreman])
    note(team, "fail sign-in", user=team.bob)

    said = sentences(admin.get(AUDIT).text)

    assert said[:2] == [
        "The operator failed to sign in as Bob",
        f"Alice archived message {one} to Spostex S.A. for foreman",
    ]
    assert "The operator gave Dora access to office@firma.pl" in said


def test_an_administrator_sees_state_and_never_content(team: Team, admin: Browser) -> None:
    """R78: neither the subject, nor the id, nor the record that he may not see."""
    one = file_one(team, "Salaries", record=team.secret)

    text = admin.get(AUDIT).text
    files = [admin.post(EXPORT, seen_on=AUDIT, format=form).text for form in ("csv", "jsonl")]

    assert "Alice archived a message to a record that you may not see" in sentences(text)
    for told in (text, *files):
        for secret in ("Salaries", "Board", one):
            assert secret not in told
    assert not any(team.record(team.secret) in told for told in files)


def test_a_record_that_is_gone_is_named_for_who_ended_it(team: Team, admin: Browser) -> None:
    """R78: he saw it; another administrator did not have to."""
    other = make.user(team.store, "Ola", is_admin=True)
    for verb, ended in (("remove record", "removed"), ("merge records", "merged")):
        for by in (other, dora_of(team)):
            note(team, verb, by=by, record_id=team.company, **{ended: {"name": "Layoffs"}})

    said = sentences(admin.get(AUDIT).text)

    assert said[:4] == [
        "Dora merged Layoffs into Spostex S.A.",
        "Ola merged another record into Spostex S.A.",
        "Dora deleted Layoffs",
        "Ola deleted a record",
    ]


def test_what_he_may_read_is_a_link(team: Team, admin: Browser) -> None:
    one = file_one(team)

    text = admin.get(AUDIT).text

    assert f'href="/email/messages/{one}"' in text
    assert f'href="/records/companies/{team.record(team.company)}"' in text


def test_a_role_that_was_removed_keeps_its_name_and_its_number(team: Team, admin: Browser) -> None:
    role = make.role(team.store, "\u200fאבי \U0001f477")
    file_one(team, roles=[role])
    people.remove_role(team.store, role, in_its_place=team.foreman, by=team.alice, now=NOW)
    make.role(team.store, "later")

    said = sentences(admin.get(AUDIT).text)

    assert "Alice removed the role \u200fאבי \U0001f477 and put foreman in its place" in said
    assert any(line.endswith("for \u200fאבי \U0001f477") for line in said)


def test_names_stand_in_their_own_direction(team: Team, admin: Browser) -> None:
    note(team, "create role", by=team.bob, role="\u200f<b>אבי")

    assert "<bdi>\u200f&lt;b&gt;אבי</bdi>" in admin.get(AUDIT).text


def test_every_verb_of_the_code_has_its_sentence() -> None:
    code = "".join(path.read_text() for path in Path("app").rglob("*.py"))

    noted = set(
        re.findall(r'(?:audit\.note|_note_aside|note_deed)\(\s*store,(?:[^")]*?)"([\w -]+)"', code)
    )

    assert len(noted) > 40
    assert noted - SENTENCES.keys() == set()


# -- filters and pages


def test_filters_narrow_and_stand_in_the_address(team: Team, admin: Browser) -> None:
    one = file_one(team)
    note(team, "create role", by=team.bob, role="x")
    note(team, "verify")
    note(team, "pause account", by=team.alice, account_id=team.office.id)
    record = team.record(team.company)

    def found(**asked: str) -> list[str]:
        return sentences(admin.get(AUDIT, params=asked).text)

    filed = f"Alice archived message {one} to Spostex S.A."
    assert found(who=id_of(team, team.bob)) == ["Bob made the role x"]
    assert "The operator had the archive verified" in found(who="operator")
    assert found(who="nobody") == []
    assert found(kind="filing") == [filed]
    assert found(kind="filing", who=id_of(team, team.bob)) == []
    assert found(account=team.office.public_id) == ["Alice paused office@firma.pl"]
    assert found(of=one) == found(of=f"http://127.0.0.1:8000/email/messages/{one}?x=1") == [filed]
    assert filed in found(of=f"/records/companies/{record}/emails")
    assert "Bob made the role x" not in found(of=record)


def test_days_are_those_of_the_reader_and_count_to_their_end(team: Team, admin: Browser) -> None:
    people.change_team(team.store, make_team("Europe/Warsaw"), by=None, now=NOW)
    for hour in (21, 22):
        at = datetime(2025, 6, 13, hour, 30, tzinfo=UTC)
        note(team, "create role", by=team.bob, now=at, role=f"at {hour}")

    thirteenth = admin.get(AUDIT, params={"since": "2025-06-13", "until": "2025-06-13"})
    fourteenth = admin.get(AUDIT, params={"since": "2025-06-14", "until": "2025-06-14"})

    assert sentences(thirteenth.text) == ["Bob made the role at 21"]
    assert sentences(fourteenth.text) == ["Bob made the role at 22"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("who", "aaaaaaaaaaaaa", "There is none of this id."),
        ("kind", "spying", "There is no such kind."),
        ("account", "\x00", "There is none of this id."),
        ("since", "yesterday", "A day looks like"),
        ("until", "9999-12-31", "No lines are that old"),
        ("of", "aaaaaaaaaaaaa", "You can read no message and no record"),
    ],
)
def test_a_filter_that_makes_no_sense_says_so(admin: Browser, name, value, reason) -> None:
    answer = admin.get(AUDIT, params={name: value})

    assert answer.status_code == 422
    assert reason in answer.text
    assert sentences(answer.text) == []


def test_hidden_and_missing_are_the_same_to_the_filter(team: Team, admin: Browser) -> None:
    """R46."""
    one = file_one(team, record=team.secret)

    hidden = admin.get(AUDIT, params={"of": one}).text
    missing = admin.get(AUDIT, params={"of": "b" * 13}).text

    assert hidden.replace(one, "") == missing.replace("b" * 13, "")


def test_pages_hold_every_line_once_whatever_comes_meanwhile(team: Team, admin: Browser) -> None:
    for number in range(250):
        note(
            team,
            "create role",
            by=team.bob,
            role=f"r{number}",
            now=NOW - timedelta(seconds=number % 3),
        )
    asked = f"{AUDIT}?who={id_of(team, team.bob)}&kind=people"

    first = admin.get(asked).text
    note(team, "create role", by=team.bob, role="late")
    second = admin.get(older(first)).text
    third = admin.get(older(second)).text
    back = admin.get(newer(second)).text

    told = [*sentences(first), *sentences(second), *sentences(third)]
    assert len(told) == len(set(told)) == 250
    assert older(third) == ""
    assert sentences(back) == sentences(first)
    assert "who=" in older(first)


@pytest.mark.parametrize("cursor", ["x", "1-", "9" * 40, "1-2-3", "-1"])
def test_a_cursor_that_is_none_begins_at_the_top(team: Team, admin: Browser, cursor: str) -> None:
    note(team, "create role", by=team.bob, role="x")

    assert sentences(admin.get(f"{AUDIT}?before={cursor}").text) == sentences(admin.get(AUDIT).text)


# -- files


def test_the_filtered_lines_come_as_a_table_and_as_json(team: Team, admin: Browser) -> None:
    one = file_one(team)
    asked = {"who": id_of(team, team.alice), "kind": "filing"}

    table = admin.post(EXPORT, seen_on=AUDIT, format="csv", **asked)
    lines = admin.post(EXPORT, seen_on=AUDIT, format="jsonl", **asked)

    (row,) = csv.DictReader(io.StringIO(table.text))
    assert row == json.loads(lines.text)
    assert row["what"] == f"archived message {one} to Spostex S.A."
    assert (row["email"], row["verb"], row["message"]) == ("alice@firma.pl", "archive", one)
    assert re.fullmatch(
        r'attachment; filename="audit-[\d-]+\.csv"', table.headers["content-disposition"]
    )
    assert audit.latest_verbs(team.store, 2) == ["export audit", "export audit"]


def test_no_cell_is_a_formula(team: Team, admin: Browser) -> None:
    evil = make.user(team.store, '=cmd|"/c calc"!A1')
    note(team, "sign out", by=evil)
    note(team, "sign out", by=make.user(team.store, "@SUM(1)"))

    table = admin.post(EXPORT, seen_on=AUDIT, format="csv").text
    (first, second) = [row["who"] for row in csv.DictReader(io.StringIO(table))][1:3]

    assert (first, second) == ("'@SUM(1)", '\'=cmd|"/c calc"!A1')


def test_no_cell_is_a_formula_where_lines_are_cut_at_semicolons(team: Team, admin: Browser) -> None:
    """As spreadsheets do where a comma is the decimal sign."""
    note(team, "sign out", by=make.user(team.store, 'Eve;=cmd|"/c calc"!A1;"=1+1"'))

    table = admin.post(EXPORT, seen_on=AUDIT, format="csv").text
    cut = [cell.strip('"') for line in table.splitlines() for cell in line.split(";")]

    assert "Eve" in table
    assert [cell for cell in cut if cell.startswith("=")] == []


@pytest.mark.parametrize("fields", [{}, {"format": "xls"}, {"format": "csv", "kind": "x"}])
def test_a_wrong_export_is_refused(team: Team, admin: Browser, fields: dict[str, str]) -> None:
    answer = admin.post(EXPORT, seen_on=AUDIT, **fields)

    assert answer.status_code == 422
    assert "export audit" not in audit.latest_verbs(team.store, 5)


# -- lines stay


@pytest.mark.parametrize(
    "change", ["delete from audit", "update audit set user_id = 1", "update audit set at = 1"]
)
def test_a_line_stays_as_it_was_written(team: Team, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="lines of the audit"):
        team.store.archive.conn.execute(change)


def make_team(zone: str) -> Any:
    from app.model import Team as Company

    return Company(("Firma",), (), "en", zone)


def older(text: str) -> str:
    return link(text, "next")


def newer(text: str) -> str:
    return link(text, "prev")


def link(text: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', text)
    return unescape(found.group(1)) if found else ""
