"""Mail over the API: read, its parts and source, searched, filed and unfiled."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from app import filing
from app.cli import letterbook
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import audit, filings, transaction
from tests.make import mail
from tests.web.conftest import System, Team

NOW = datetime(2025, 3, 20, tzinfo=UTC)
WITH_FILE = (
    b"From: Jan Kowal <jan@spostex.pl>\r\nTo: office@firma.pl\r\nCc: Ewa <ewa@x.pl>\r\n"
    b"Bcc: boss@firma.pl\r\nReply-To: zamowienia@spostex.pl\r\n"
    b"Subject: =?utf-8?q?Zam=C3=B3wienie?=\r\nDate: Fri, 14 Mar 2025 08:00:00 +0000\r\n"
    b"Message-ID: <7@spostex.pl>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPrzesy\xc5\x82am.\r\n"
    b"--b\r\nContent-Type: text/html\r\n"
    b'Content-Disposition: attachment; filename="../a\xc5\x82.html"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nPHNjcmlwdD4=\r\n--b--\r\n"
)


def path_of(message: str, rest: str = "") -> str:
    return f"/messages/{message}{rest}"


def test_a_message_is_read_with_what_it_says_of_itself(team: Team, erp: System) -> None:
    (one,) = team.deliver(WITH_FILE)

    found = erp.get(path_of(one)).json()

    headers = {header["name"]: header["value"] for header in found.pop("headers")}
    assert headers["Subject"] == "Zamówienie"
    assert headers["Bcc"] == "boss@firma.pl"
    assert found == {
        "id": one,
        "subject": "Zamówienie",
        "from": {"name": "Jan Kowal", "address": "jan@spostex.pl"},
        "to": [{"name": "", "address": "office@firma.pl"}],
        "cc": [{"name": "Ewa", "address": "ewa@x.pl"}],
        "bcc": [{"name": "", "address": "boss@firma.pl"}],
        "reply_to": [{"name": "", "address": "zamowienia@spostex.pl"}],
        "sent_at": "2025-03-14T08:00:00Z",
        "internet_message_id": "7@spostex.pl",
        "text": "Przesyłam.",
        "text_is_cut": False,
        "size_bytes": len(WITH_FILE),
        "attachments": [
            {"part": 1, "name": "ał.html", "type": "text/html", "size_bytes": 8}
        ],
        "archived_at": None,
        "roles": [],
        "attached_to": [],
        "accounts": ["office@firma.pl"],
        "source": "exact",
    }  # fmt: skip


def test_parts_and_source_are_downloads_of_no_type(team: Team, erp: System) -> None:
    (one,) = team.deliver(WITH_FILE)

    part, source = erp.get(path_of(one, "/parts/1")), erp.get(path_of(one, "/source"))

    assert part.content == b"<script>"
    assert part.headers["content-type"] == "application/octet-stream"
    assert "attachment" in part.headers["content-disposition"]
    assert part.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert source.content == WITH_FILE
    assert source.headers["letterbook-source"] == "exact"
    assert erp.get(path_of(one, "/parts/9")).status_code == 404


def test_bcc_is_for_members_of_the_mailbox_only(
    team: Team, erp: System, connect: Callable[..., System]
) -> None:
    """A20."""
    (one,) = team.deliver(WITH_FILE)
    filing.file_message(team.store, team.viewer(team.alice), team.id_of(one), team.company, now=NOW)
    charlies = connect(team.charlie, "read")

    found, source = charlies.get(path_of(one)), charlies.get(path_of(one, "/source"))

    assert found.json()["bcc"] == []
    assert found.json()["source"] == "without-bcc"
    assert found.json()["accounts"] == []
    assert "boss@firma.pl" not in found.text
    assert b"boss@firma.pl" not in source.content
    assert source.headers["letterbook-source"] == "without-bcc"
    assert erp.get(path_of(one, "/source")).content == WITH_FILE


def test_a_search_answers_as_the_command_line_does(
    team: Team, erp: System, settings: Settings
) -> None:
    team.deliver(mail("Beton B25"), mail("Inny beton", message_id="<2@x>"))
    (filed,) = team.deliver(mail("Beton dla budowy", message_id="<3@x>"), uid=3)
    filing.file_message(
        team.store, team.viewer(team.alice), team.id_of(filed), team.company, now=NOW
    )
    Indexer(team.store).drain()

    over_http = erp.get("/search", q="beton").json()
    command = ["search", "beton", "--as", "alice@firma.pl", "--json"]
    there = CliRunner().invoke(letterbook, [*command, "--data", str(settings.data)])

    at_terminal = json.loads(there.stdout)
    assert over_http.pop("next") == ""
    assert over_http.pop("took_ms") >= 0
    assert at_terminal.pop("took_ms") >= 0
    assert over_http == at_terminal
    assert over_http["total"] == 3
    found = {hit["id"]: hit for hit in over_http["hits"]}[filed]
    assert found["attached_to"] == [
        {"type": "companies", "record": team.record(team.company), "name": "Spostex S.A."}
    ]
    assert list(found) == [
        "id", "subject", "from", "to", "sent_at", "snippet", "attached_to", "accounts", "copies",
    ]  # fmt: skip


def test_a_search_comes_in_pages(team: Team, erp: System) -> None:
    dates = [f"Fri, {day} Mar 2024 08:00:00 +0000" for day in (1, 8, 15, 22, 29)]
    ids = team.deliver(
        *(mail("Beton", message_id=f"<{day[5:7]}@x>", date=day, text=day) for day in dates)
    )
    Indexer(team.store).drain()
    pages, cursor = [], ""
    while (cursor or not pages) and len(pages) < 10:
        pages.append(erp.get("/search", q="beton", limit=2, cursor=cursor).json())
        cursor = pages[-1]["next"]

    assert [hit["id"] for page in pages for hit in page["hits"]] == ids[::-1]
    assert [len(page["hits"]) for page in pages] == [2, 2, 1]


def test_a_message_is_filed_and_unfiled(team: Team, erp: System) -> None:
    """R47, R51, R55, R70."""
    (one,) = team.deliver(mail())
    company, project = team.record(team.company), team.record(team.project)

    first = erp.send("POST", path_of(one, "/filings"), {"record": company, "roles": ["Foreman"]})
    again = erp.send("POST", path_of(one, "/filings"), {"record": company, "roles": ["foreman"]})
    more = erp.send("POST", path_of(one, "/filings"), {"record": project})
    found = erp.get(path_of(one)).json()
    gone = [erp.send("DELETE", path_of(one, f"/filings/{record}")) for record in (company, project)]
    late = erp.send("DELETE", path_of(one, f"/filings/{company}"))

    assert [one.status_code for one in (first, again, more, *gone, late)] == [
        201, 200, 201, 204, 204, 404,
    ]  # fmt: skip
    assert first.json() == {"message": one, "record": company, "filed": True}
    assert again.json()["filed"] is False
    assert found["roles"] == ["foreman"]
    assert [place["record"] for place in found["attached_to"]] == [company, project]
    assert found["archived_at"]
    after = erp.get(path_of(one)).json()
    assert (after["archived_at"], after["roles"], after["attached_to"]) == (None, [], [])
    verbs = [verb for verb, _ in audit.verbs_on(team.store, team.id_of(one))]
    assert verbs == ["archive", "attach", "detach", "detach"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, None),
        ({"record": 7}, 422, "record"),
        ({"record": "COMPANY", "roles": ["king"]}, 422, "roles"),
        ({"record": "COMPANY", "roles": "foreman"}, 422, "roles"),
        ({"record": "COMPANY", "colour": "red"}, 422, None),
        ({"record": "x" * 101}, 422, "record"),
        ({"record": "SECRET"}, 404, None),
        ({"record": "aaaaaaaaaaaaa"}, 404, None),
    ],
)
def test_a_wrong_filing_changes_nothing(
    team: Team,
    connect: Callable[..., System],
    body: dict[str, str],
    status: int,
    field: str | None,
) -> None:
    (one,) = team.deliver(mail())
    known = {"COMPANY": team.record(team.company), "SECRET": team.record(team.secret)}
    sent = {key: known.get(str(value), value) for key, value in body.items()}

    answer = connect(team.bob).send("POST", path_of(one, "/filings"), sent)

    assert answer.status_code == status
    assert field is None or answer.json()["field"] == field
    assert "colour" not in body or "unknown field `colour`" in answer.json()["detail"]
    assert not filings.is_archived(team.store, team.id_of(one))


def test_roles_come_with_the_first_filing_only(team: Team, erp: System) -> None:
    """R49."""
    (one,) = team.deliver(mail())
    company, project = team.record(team.company), team.record(team.project)
    erp.send("POST", path_of(one, "/filings"), {"record": company})

    late = erp.send("POST", path_of(one, "/filings"), {"record": project, "roles": ["foreman"]})

    assert late.status_code == 422
    assert late.json()["field"] == "roles"
    assert [place["record"] for place in erp.get(path_of(one)).json()["attached_to"]] == [company]


def test_only_those_who_may_take_a_message_from_a_record(
    team: Team, erp: System, connect: Callable[..., System]
) -> None:
    """R50, R70."""
    (one,) = team.deliver(mail())
    company = team.record(team.company)
    erp.send("POST", path_of(one, "/filings"), {"record": company})

    answer = connect(team.charlie).send("DELETE", path_of(one, f"/filings/{company}"))

    assert answer.status_code == 403
    assert "changed by whoever archived it" in answer.json()["detail"]
    assert filings.is_archived(team.store, team.id_of(one))


def test_a_record_that_was_put_away_takes_no_mail(team: Team, erp: System) -> None:
    (one,) = team.deliver(mail())
    company = team.record(team.company)
    erp.send("POST", f"/records/{company}/archive")

    answer = erp.send("POST", path_of(one, "/filings"), {"record": company})

    assert answer.status_code == 422
    assert answer.json()["field"] == "record"


def test_a_message_restricted_to_a_role_is_missing_for_others(
    team: Team, connect: Callable[..., System]
) -> None:
    """R44, R46."""
    (one,) = team.deliver(mail("Tajne"))
    viewer = team.viewer(team.alice)
    filing.file_message(
        team.store, viewer, team.id_of(one), team.company, roles=[team.foreman], now=NOW
    )
    Indexer(team.store).drain()
    charlies, missing = connect(team.charlie), "aaaaaaaaaaaaa"

    for rest in ("", "/source", "/parts/0"):
        hidden = charlies.get(path_of(one, rest))
        assert hidden.status_code == 404
        assert hidden.content == charlies.get(path_of(missing, rest)).content
    assert charlies.get("/search", q="tajne").json()["total"] == 0
    of_record = charlies.get(f"/records/{team.record(team.company)}/messages")
    assert of_record.json() == {"messages": [], "next": ""}
    assert charlies.get("/search", q="tajne", cursor=one).json()["hits"] == []


def test_a_token_loses_a_mailbox_with_its_person(
    team: Team, connect: Callable[..., System]
) -> None:
    """R27: the next request."""
    (one,) = team.deliver(mail())
    bobs = connect(team.bob, "read")
    seen = [bobs.get(path_of(one)).status_code]

    with transaction(team.store):
        team.store.archive.conn.execute("delete from account_users where user_id = ?", [team.bob])
    seen.append(bobs.get(path_of(one)).status_code)

    assert seen == [200, 404]
