"""Archives, search, records and accounts."""

from datetime import UTC, datetime

import pytest

from app import filing
from app.search.indexer import Indexer
from tests.make import mail
from tests.web.conftest import Browser, Team


@pytest.fixture
def archived(team: Team) -> str:
    """A message under Spostex S.A."""
    (one,) = team.deliver(mail("Faktura za beton"))
    filing.file_message(
        team.store, team.viewer(team.alice), team.id_of(one), team.company, now=datetime.now(UTC)
    )
    Indexer(team.store).drain()
    return one


def test_archives_list_what_is_archived(team: Team, alice: Browser, archived: str) -> None:
    """R47, R57, R58."""
    team.deliver(mail("Offen", message_id="<2@x>"), uid=2)

    text = alice.get("/email/archives").text

    assert "Faktura za beton" in text
    assert "Offen" not in text
    assert "Email attached to" in text
    assert "Attach this email to another record" in text


def test_archives_are_searched(team: Team, alice: Browser, archived: str) -> None:
    assert "<mark>" in alice.get("/email/archives?q=betonu").text
    assert "Nothing found in the archive." in alice.get("/email/archives?q=zebra").text


def test_empty_archives_say_what_to_do(alice: Browser) -> None:
    assert "Nothing archived yet." in alice.get("/email/archives").text


@pytest.mark.parametrize(
    ("sent", "leads_to"),
    [
        (
            {"message": "{id}", "do": "attach"},
            "/email/messages/{id}/attach?back=%2Femail%2Farchives%3Fq%3Da",
        ),
        ({"message": "{id}", "do": "display"}, "/email/messages/{id}"),
        ({"current": "{id}", "do": "edit"}, "/email/messages/{id}/access"),
        ({"do": "attach"}, "/email/archives?q=a&done=choose"),
    ],
)
def test_the_archives_toolbar(
    alice: Browser, archived: str, sent: dict[str, str], leads_to: str
) -> None:
    """R57, R59, R50."""
    chosen = {name: value.format(id=archived) for name, value in sent.items()}

    answer = alice.post("/email/act", **chosen, back="/email/archives?q=a&done=saved")

    assert answer.headers["location"] == leads_to.format(id=archived)


def test_search_marks_what_it_found(alice: Browser, archived: str) -> None:
    text = alice.get("/search?q=faktury").text

    assert "<mark>Faktura</mark>" in text
    assert "1 message" in text
    assert "Understood:" in text


def test_search_shows_nothing_of_others(team: Team, charlie: Browser) -> None:
    team.deliver(mail("Geheim"))
    Indexer(team.store).drain()

    assert "Geheim</" not in charlie.get("/search?q=geheim").text
    assert "Nothing found for" in charlie.get("/search?q=geheim").text


@pytest.mark.parametrize("query", ['"', "((((", "from:", "a OR", "-x", "%00", "x" * 600, "🙂"])
def test_odd_queries_are_answered(alice: Browser, archived: str, query: str) -> None:
    assert alice.get("/search", params={"q": query}).status_code == 200
    assert alice.get("/email/archives", params={"q": query}).status_code == 200


def test_a_query_is_only_text(alice: Browser) -> None:
    assert "<script>x" not in alice.get("/search", params={"q": "<script>x"}).text


def test_records_are_filtered_whatever_their_letters(alice: Browser) -> None:
    assert "Łomianki Playground" in alice.get("/records/projects?like=LOMIANKI").text
    assert "No name contains" in alice.get("/records/projects?like=zebra").text


def test_hidden_records_are_as_missing_ones(team: Team, alice: Browser, charlie: Browser) -> None:
    secret = team.record(team.secret)

    assert "Board" in alice.get("/records/projects").text
    assert "Board" not in charlie.get("/records/projects").text
    for tab in ("", "/emails", "/emails/pick"):
        hidden = charlie.get(f"/records/projects/{secret}{tab}")
        missing = charlie.get(f"/records/projects/aaaaaaaaaaaaa{tab}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text == missing.text


def test_a_record_of_another_type_is_not_found(team: Team, alice: Browser) -> None:
    assert alice.get(f"/records/projects/{team.record(team.company)}").status_code == 404
    assert alice.get("/records/nothing").status_code == 404


def test_a_record_shows_itself_and_its_emails(team: Team, alice: Browser, archived: str) -> None:
    """R60, R62."""
    base = f"/records/companies/{team.record(team.company)}"

    overview, emails = alice.get(base).text, alice.get(f"{base}/emails").text

    assert "spostex.pl" in overview
    assert f'href="{base}/emails">Attached - Emails' in overview
    assert "Faktura za beton" in emails
    assert "Attach archived email" in emails


def test_the_picker_leads_to_a_form_filled_in(team: Team, alice: Browser, archived: str) -> None:
    """R61, R65."""
    record = team.record(team.project)
    base = f"/records/projects/{record}/emails"

    picker = alice.get(f"{base}/pick?q=faktura").text
    sent = {"type": "projects", "record": record, "way": "record"}
    answer = alice.post("/email/act", do="attach", message=archived, **sent)
    form = alice.get(answer.headers["location"]).text

    assert "Attach this email to another record" in picker
    assert f'value="{archived}"' in picker
    assert f'name="record" value="{record}"' in form
    assert '<option value="projects" selected>' in form


def test_the_picker_marks_what_is_there_already(team: Team, alice: Browser, archived: str) -> None:
    """R65."""
    base = f"/records/companies/{team.record(team.company)}/emails"

    assert "Attached here" in alice.get(f"{base}/pick").text


def test_accounts_are_ones_own(team: Team, alice: Browser, charlie: Browser) -> None:
    text = alice.get("/email/accounts").text

    assert "office@firma.pl" in text
    assert "Last check" in text
    assert "charlie@firma.pl</bdi></td>" not in text
    assert "office@firma.pl" not in charlie.get("/email/accounts").text


def test_no_page_offers_to_write_mail(team: Team, alice: Browser, archived: str) -> None:
    """R1."""
    pages = ["/email/queue", "/email/archives", f"/email/messages/{archived}", "/email/accounts"]

    for page in pages:
        text = alice.get(page).text.lower()
        assert "compose" not in text
        assert "smtp" not in text
        assert ">reply" not in text
        assert ">forward" not in text
