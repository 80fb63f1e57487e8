"""Records from a CSV file on the page: preview, "Confirm", and the files to take away."""

import re
from pathlib import Path

import pytest
from httpx import Response

from app.store import audit, records
from app.web import record_import
from tests.web.conftest import Browser, Team

PAGE = "/record-import"
TABLE = "Typ;Nazwa;Kod;Rola\ncompanies;Łódź <b>;L-1;foreman\nships;X;;\n".encode("cp1250")


def upload(browser: Browser, content: bytes, *, seen_on: str = PAGE) -> Response:
    return browser._client.post(
        PAGE,
        data={"_csrf": browser.token(seen_on)},
        files={"file": ("\u202etable.csv", content)},
        follow_redirects=False,
    )


def uploads(team: Team) -> list[Path]:
    return list((team.store.directory / "uploads").glob("*"))


def kept_as(answer: Response) -> str:
    found = re.search(r'name="upload" value="(\w+)"', answer.text)
    assert found
    return found.group(1)


def names(team: Team) -> list[str]:
    return sorted(one.name for one in records.every(team.store, range(20)))


def test_nothing_is_saved_before_it_is_confirmed(team: Team, admin: Browser) -> None:
    """R77."""
    before = names(team)
    seen = upload(admin, TABLE)
    after_preview = names(team)

    done = admin.post(PAGE + "/confirm", seen_on=PAGE, upload=kept_as(seen), name="table.csv")

    assert (seen.status_code, after_preview) == (200, before)
    assert "1 new, 0 changed, 0 unchanged, 1 refused" in seen.text
    assert "Windows-1250, semicolon" in seen.text
    assert "<bdi>Łódź &lt;b&gt;</bdi>" in seen.text
    assert "Row 3:</span>" in seen.text or "Row 3:" in seen.text
    assert "Imported." in done.text
    assert names(team) == sorted([*before, "Łódź <b>"])
    assert uploads(team) == []
    assert audit.latest_verbs(team.store, 2) == ["import records", "create record"]


def test_confirming_twice_says_so(admin: Browser) -> None:
    sent = {"upload": kept_as(upload(admin, TABLE)), "name": "t.csv"}
    admin.post(PAGE + "/confirm", seen_on=PAGE, **sent)

    again = admin.post(PAGE + "/confirm", seen_on=PAGE, **sent)

    assert again.status_code == 422
    assert "imported already" in again.text


@pytest.mark.parametrize("token", ["", "../secret.key", "0" * 31, "0" * 32])
def test_only_a_file_that_was_sent_is_confirmed(admin: Browser, token: str) -> None:
    answer = admin.post(PAGE + "/confirm", seen_on=PAGE, upload=token)

    assert answer.status_code == 422
    assert 'id="file-error"' in answer.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b'type,name\ncompanies,"A\n', "a quote is opened that never ends"),
        (b"PK\x03\x04", "workbook"),
        (b"name\nA\n", "is missing"),
        (b"type,name\nships,A\n", "nothing to import"),
    ],
)
def test_a_bad_file_is_told_and_not_kept(
    team: Team, admin: Browser, content: bytes, said: str
) -> None:
    answer = upload(admin, content)

    assert answer.status_code == 422
    assert said in answer.text
    assert uploads(team) == []


def test_no_file_and_one_too_large_are_told(
    team: Team, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(record_import.preview.opt, "upload_limit", 1000)
    admin: Browser = request.getfixturevalue("admin")

    none = admin.post(PAGE, seen_on=PAGE)
    large = upload(admin, b"type,name\n" + b"companies,A\n" * 1000)

    assert (none.status_code, large.status_code) == (422, 422)
    assert "Choose a CSV file." in none.text
    assert "larger than" in large.text
    assert uploads(team) == []


def test_more_than_a_page_waits_for_is_for_the_command_line(
    team: Team, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_import, "MOST_ON_PAGE", 1)

    answer = upload(admin, b"type,name\ncompanies,A\ncompanies,B\n")

    assert answer.status_code == 422
    assert "letterbook record import" in answer.text
    assert uploads(team) == []


def test_for_others_it_is_not_there(team: Team, alice: Browser, stranger: Browser) -> None:
    answer = upload(alice, TABLE, seen_on="/email/queue")

    assert answer.status_code == 404
    assert uploads(team) == []
    assert alice.get(PAGE).status_code == 404
    assert alice.get(PAGE + "/template.csv").status_code == 404
    assert alice.post(PAGE + "/confirm", upload="0" * 32).status_code == 404
    assert stranger.get(PAGE).headers["location"].startswith("/sign-in")


def test_a_form_without_token_is_refused(team: Team, admin: Browser) -> None:
    answer = admin._client.post(PAGE, files={"file": ("t.csv", TABLE)}, follow_redirects=False)

    assert answer.status_code == 403
    assert uploads(team) == []
    assert admin.send(PAGE + "/confirm", {"upload": "0" * 32}).status_code == 403


def test_the_template_is_good(admin: Browser) -> None:
    answer = admin.get(PAGE + "/template.csv")

    assert answer.headers["content-disposition"].startswith("attachment")
    assert "1 new, 0 changed, 0 unchanged, 0 refused" in upload(admin, answer.content).text


def test_the_export_holds_what_one_may_see(alice: Browser, charlie: Browser) -> None:
    page = "/records/projects/export.csv"

    assert "Board" in alice.get(page).text
    assert "Board" not in charlie.get(page).text
    assert alice.get(page).content.startswith(b"\xef\xbb\xbftype,name")
    assert alice.get("/records/nothing/export.csv").status_code == 404
