"""Records made, changed, put away and brought back; their list; and who may see them."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from app import filing
from app.records import find_record
from app.search.indexer import Indexer
from app.store import documents, record_lists, records, users
from tests import make
from tests.make import mail
from tests.web.conftest import Browser, Team

NEW = "/records/companies/new"


def base(team: Team, record: str = "company") -> str:
    kind = "companies" if record == "company" else "projects"
    return f"/records/{kind}/{team.record(getattr(team, record))}"


def version_on(browser: Browser, page: str) -> str:
    found = re.search(r'name="version" value="(\w+)"', browser.get(page).text)
    assert found
    return found.group(1)


def save(browser: Browser, page: str, **fields: object) -> object:
    fields = {
        "name": "Spostex S.A.",
        "access": "all",
        "version": version_on(browser, page),
    } | fields
    return browser.post(page, seen_on=page, **fields)


def alice_id(team: Team) -> str:
    return users.get(team.store, team.alice).public_id


def archive_mail(team: Team) -> str:
    (one,) = team.deliver(mail())
    filing.file_message(
        team.store, team.viewer(team.alice), team.id_of(one), team.company, now=datetime.now(UTC)
    )
    return one


def test_everybody_may_make_a_record(team: Team, charlie: Browser) -> None:
    """R77."""
    answer = charlie.post(
        NEW,
        seen_on=NEW,
        name="Wilga Sp. z o.o. \U0001f3d7",
        code="W-1",
        aliases="Wilga\r\nBetoniarnia Wilga\r\n\r\nWilga",
        addresses="Info@Wilga.pl",
        domains="@wilga.pl",
        notes="Pays late.\r\nCall Ewa.",
        access="all",
    )
    page = charlie.get(answer.headers["location"]).text

    made = find_record(
        team.store,
        team.viewer(team.charlie),
        record_type="companies",
        name="wilga sp. z o.o. \U0001f3d7",
    )
    assert answer.status_code == 303
    assert "Saved." in page
    assert (made.aliases, made.addresses) == (("Betoniarnia Wilga", "Wilga"), ("info@wilga.pl",))
    assert (made.domains, made.code, made.notes) == (
        ("wilga.pl",),
        "W-1",
        "Pays late.\nCall Ewa.",
    )
    assert made.is_open


def test_the_form_has_its_labels(alice: Browser) -> None:
    text = alice.get(NEW).text

    assert "New company</h1>" in text
    for label in ("Name", "Code", "Known as", "Addresses", "Domains", "Notes", "Who may see it"):
        assert label in text
    assert alice.get("/records/nothing/new").status_code == 404


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"name": ""}, "Give the record a name.", "name"),
        ({"name": "\u200f \x00"}, "Give the record a name.", "name"),
        ({"name": "x" * 201}, "at most 200 characters", "name"),
        ({"name": "SPOSTEX s.a."}, "of this type already", "name"),
        ({"name": "N", "code": "x" * 101}, "at most 100 characters", "code"),
        ({"name": "N", "aliases": "x" * 201}, "at most 200 characters", "aliases"),
        ({"name": "N", "aliases": "\n".join(map(str, range(201)))}, "At most 200", "aliases"),
        ({"name": "N", "addresses": "nobody"}, "is no e-mail address", "addresses"),
        ({"name": "N", "domains": "no domain"}, "is no domain", "domains"),
        ({"name": "N", "notes": "x" * 10_001}, "at most 10,000 characters", "notes"),
        ({"name": "N", "access": ""}, "Say who may see this record.", "access"),
        ({"name": "N", "access": "some"}, "Mark at least one role", "access"),
        ({"name": "N", "access": "some", "roles": "99", "unseen": "1"}, "any more", "access"),
        ({"name": "N", "access": "some", "people": "zzz", "unseen": "1"}, "any more", "access"),
    ],
)
def test_a_wrong_field_comes_back_with_the_rest(
    team: Team, alice: Browser, fields: dict[str, str], reason: str, field: str
) -> None:
    sent = {"access": "all", "code": "KEEP-1"} | fields

    answer = alice.post(NEW, seen_on=NEW, **sent)

    assert answer.status_code == 422
    assert reason in answer.text
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert "<title>Error:" in answer.text
    assert sent["code"] in answer.text
    assert (
        len(records.list_visible(team.store, team.viewer(team.alice), record_type="companies")) == 1
    )


def test_a_record_is_changed(team: Team, alice: Browser) -> None:
    page = f"{base(team)}/edit"

    answer = save(alice, page, name="Spostex International", domains="spostex.eu")
    text = alice.get(base(team)).text

    assert (answer.status_code, answer.headers["location"]) == (303, f"{base(team)}?done=saved")
    assert "Spostex International" in text
    assert "spostex.eu" in text
    assert "spostex.pl" not in text


@pytest.mark.parametrize("what", ["edit", "archive", "restore"])
def test_hidden_records_are_as_missing_ones(
    team: Team, charlie: Browser, stranger: Browser, what: str
) -> None:
    page = f"{base(team, 'secret')}/{what}"

    hidden = charlie.post(page, name="Mine", access="all")
    missing = charlie.post(f"/records/projects/aaaaaaaaaaaaa/{what}", name="Mine", access="all")

    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text
    assert stranger.send(page, {}).headers["location"] == "/sign-in"
    assert charlie.get(f"{base(team, 'secret')}/edit").status_code == 404


def test_a_record_of_another_type_is_not_found(team: Team, alice: Browser) -> None:
    wrong = f"/records/projects/{team.record(team.company)}"

    assert alice.get(f"{wrong}/edit").status_code == 404
    assert alice.post(f"{wrong}/archive").status_code == 404


def test_two_who_save_the_same_record_do_not_undo_each_other(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    page = f"{base(team)}/edit"
    version = version_on(alice, page)
    save(charlie, page, name="Spostex Group", domains="spostex.pl")

    late = save(alice, page, version=version, name="Spostex", notes="Mine \U0001f600")
    again = version_on_text(late.text)
    kept = records.get(team.store, team.viewer(team.alice), team.record(team.company)).name
    saved = save(alice, page, version=again, name="Spostex", notes="Mine")

    assert late.status_code == 422
    assert "Somebody else saved this record in the meantime." in late.text
    assert "Charlie" in late.text
    assert "Spostex Group" in late.text
    assert 'value="Spostex"' in late.text
    assert "Mine \U0001f600" in late.text
    assert kept == "Spostex Group"
    assert saved.status_code == 303


def version_on_text(text: str) -> str:
    found = re.search(r'name="version" value="(\w+)"', text)
    assert found
    return found.group(1)


def test_a_form_without_its_version_is_refused(team: Team, alice: Browser) -> None:
    page = f"{base(team)}/edit"

    answer = alice.post(page, seen_on=page, name="Other", access="all")

    assert answer.status_code == 422
    assert "Spostex S.A." in answer.text


def test_nobody_hides_a_record_from_himself_unawares(team: Team, charlie: Browser) -> None:
    page = f"{base(team)}/edit"

    warned = save(charlie, page, access="some", people=alice_id(team))
    before = charlie.get(base(team)).status_code
    meant = save(charlie, page, access="some", people=alice_id(team), unseen="1")

    assert warned.status_code == 422
    assert "you could not see this record any more yourself" in warned.text
    assert 'name="unseen"' in warned.text
    assert (before, charlie.get(base(team)).status_code) == (200, 404)
    assert meant.headers["location"] == "/records/companies?done=saved"


def test_narrowing_a_record_hides_its_mail_at_once(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    """R46."""
    one = archive_mail(team)
    Indexer(team.store).drain()
    before = charlie.get(f"/email/messages/{one}").status_code

    save(alice, f"{base(team)}/edit", access="some", people=alice_id(team))

    assert before == 200
    assert charlie.get(f"/email/messages/{one}").status_code == 404
    assert one not in charlie.get("/search?q=beton").text
    assert one not in charlie.get("/email/archives").text
    waiting = documents.queued(team.store, limit=10)
    assert (waiting.message_ids, waiting.record_ids) == ((team.id_of(one),), (team.company,))


def test_widening_a_record_shows_its_mail_once_the_index_has_it(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    """R63."""
    page = f"{base(team)}/edit"
    save(alice, page, access="some", people=alice_id(team))
    one = archive_mail(team)
    Indexer(team.store).drain()

    save(alice, page)
    Indexer(team.store).drain()

    assert one in charlie.get("/search?q=beton").text


def test_other_changes_do_not_index_the_mail_again(team: Team, alice: Browser) -> None:
    archive_mail(team)
    Indexer(team.store).drain()

    save(alice, f"{base(team)}/edit", name="Spostex Group")

    assert documents.queued(team.store, limit=10).message_ids == ()


def test_access_of_somebody_deactivated_is_not_lost(team: Team, alice: Browser) -> None:
    page = f"{base(team, 'secret')}/edit"
    team.store.archive.conn.execute(
        "insert into record_users (record_id, user_id) values (?, ?)", [team.secret, team.bob]
    )
    team.store.archive.conn.execute("update users set deactivated_at = 1 where id = ?", [team.bob])

    text = alice.get(page).text

    bob = users.get(team.store, team.bob).public_id
    assert f'name="people" value="{bob}" checked' in text
    assert "(deactivated)" in text


def test_a_record_put_away_keeps_its_mail(team: Team, alice: Browser, charlie: Browser) -> None:
    """A18: archived is not deleted."""
    one = archive_mail(team)
    address = base(team)

    alice.post(f"{address}/archive", seen_on=address)

    assert "Spostex" not in alice.get("/records/companies").text.split("<main")[1]
    assert "Spostex" in alice.get("/records/companies?show=archived").text
    assert one in alice.get(f"{address}/emails").text
    assert charlie.get(f"/email/messages/{one}").status_code == 200
    assert (
        f'value="{team.record(team.company)}"'
        not in alice.get(f"/email/messages/{one}/attach?type=companies").text
    )
    assert filing.suggest(team.store, team.viewer(team.alice), team.id_of(one)) == []


def test_a_record_comes_back(team: Team, alice: Browser) -> None:
    address = base(team)
    alice.post(f"{address}/archive", seen_on=address)

    alice.post(f"{address}/restore", seen_on=address)

    assert "Spostex" in alice.get("/records/companies").text.split("<main")[1]


def test_the_list_counts_only_what_one_may_read(
    team: Team, alice: Browser, charlie: Browser
) -> None:
    """R46."""
    team.deliver(mail(), mail("Geheim", message_id="<2@x>"))
    first, second = make.message_ids(team.store)
    viewer, now = team.viewer(team.alice), datetime.now(UTC)
    filing.file_message(team.store, viewer, first, team.company, now=now)
    filing.file_message(team.store, viewer, second, team.company, roles=[team.foreman], now=now)

    counts = [
        record_lists.attached_counts(team.store, team.viewer(one), [team.company])[team.company]
        for one in (team.alice, team.charlie)
    ]

    assert counts == [2, 1]
    assert '/emails">2<' in alice.get("/records/companies").text
    assert '/emails">1<' in charlie.get("/records/companies").text


def test_the_list_has_pages(team: Team, alice: Browser) -> None:
    """R68."""
    for number in range(60):
        make.record(team.store, f"Firma {number:02}")

    first = alice.get("/records/companies").text
    onwards = re.search(r'rel="next" href="([^"]+)"', first)
    assert onwards
    second = alice.get(onwards.group(1).replace("&amp;", "&")).text
    back = re.search(r'rel="prev" href="([^"]+)"', second)
    assert back
    again = alice.get(back.group(1).replace("&amp;", "&")).text

    assert "Firma 49" in first
    assert "Firma 50" not in first
    assert "Firma 50" in second
    assert "Spostex" in second
    assert "Firma 00" in again
    assert 'rel="prev"' not in again


def test_the_list_is_filtered_by_code_too(team: Team, alice: Browser) -> None:
    save(alice, f"{base(team)}/edit", code="PRJ-42")

    assert "Spostex" in alice.get("/records/companies?like=prj-4").text
    assert "No name contains" in alice.get("/records/companies?like=%25").text


def test_names_stand_in_their_own_direction(alice: Browser) -> None:
    alice.post(NEW, seen_on=NEW, name="\u200fאבי\u202e & <i>\U0001f600", access="all")

    text = alice.get("/records/companies").text

    assert "<bdi>\u200fאבי &amp; &lt;i&gt;\U0001f600</bdi>" in text
    assert "\u202e" not in text


def test_changes_need_the_form_token_and_a_post(team: Team, alice: Browser) -> None:
    assert alice.send(NEW, {"name": "N", "access": "all"}).status_code == 403
    assert alice.send(f"{base(team)}/archive", {}).status_code == 403
    assert alice.get(f"{base(team)}/archive").status_code == 405


def test_changes_are_in_the_audit(team: Team, alice: Browser) -> None:
    """R69."""
    save(alice, f"{base(team)}/edit", access="some", people=alice_id(team))

    rows = team.store.archive.conn.execute(
        "select verb, user_id from audit where record_id = ? order by id", [team.company]
    ).fetchall()

    assert rows == [
        ("create record", None),
        ("change record", team.alice),
        ("change record access", team.alice),
    ]


@pytest.mark.parametrize("typed", ['<i hx-post="/users">', "10%", "%(x)s"])
def test_what_is_wrong_is_told_as_it_was_typed(alice: Browser, typed: str) -> None:
    """An error names what was typed, which is neither HTML nor a pattern."""
    page = "/records/companies/new"
    answer = alice.post(page, seen_on=page, name="A", access="all", domains=typed)

    assert answer.status_code == 422
    assert f"{typed!r} is no domain." in unescape(answer.text)
    assert "<i hx-post" not in answer.text
