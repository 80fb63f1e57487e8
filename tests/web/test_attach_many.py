"""A selection put under one record: the form, a result for each, and undoing it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from app import filing
from app.store import filings, holdings, queue, transaction, users
from tests.make import mail
from tests.web.conftest import Browser, Team

FORM = "/email/attach"
MISSING = "aaaaaaaaaaaaa"


def deliver(team: Team, count: int) -> list[str]:
    return team.deliver(*[mail(f"Mail {n}", message_id=f"<{n}@x>", text="x") for n in range(count)])


def archive(team: Team, public_id: str, record, *, roles=()) -> None:
    viewer, now = team.viewer(team.alice), datetime.now(UTC) - timedelta(hours=1)
    filing.file_message(team.store, viewer, team.id_of(public_id), record, roles=roles, now=now)


def address(ids: list[str], **more: str) -> str:
    return f"{FORM}?" + "&".join(
        [f"message={one}" for one in ids] + [f"{name}={value}" for name, value in more.items()]
    )


def send(browser: Browser, ids: list[str], record: str, **fields):
    return browser.post(FORM, message=ids, record=record, **fields)


def is_archived(team: Team, ids: list[str]) -> list[bool]:
    return [filings.is_archived(team.store, team.id_of(one)) for one in ids]


def words(answer) -> str:
    return " ".join(answer.text.split())


def test_the_toolbar_leads_to_the_form_of_a_selection(team: Team, alice: Browser) -> None:
    """R39, R61: with the record of the picker filled in."""
    ids, record = deliver(team, 2), team.record(team.project)

    step = alice.post("/email/act", do="archive", message=ids, back="/email/queue?show=all")
    picked = alice.post(
        "/email/act", do="attach", message=ids, type="projects", record=record, way="record"
    )
    form = alice.get(picked.headers["location"])

    asked = parse_qs(urlsplit(step.headers["location"]).query)
    assert asked == {"message": ids, "back": ["/email/queue?show=all"]}
    assert f'name="record" value="{record}"' in form.text
    assert all(f'name="message" value="{one}"' in form.text for one in ids)
    assert all(label in form.text for label in ("Record Type", "Select Record", "Confirm"))


def test_the_form_says_what_will_happen_to_each(team: Team, alice: Browser) -> None:
    """R55, R64."""
    ids = deliver(team, 3)
    archive(team, ids[1], team.project)
    archive(team, ids[2], team.company)

    text = words(alice.get(address([*ids, MISSING], record=team.record(team.company))))

    assert text.count("Will be archived") == 1
    assert text.count("will be attached, its roles stay as they are") == 1
    assert text.count("Lies there already: nothing changes") == 1
    assert text.count("Is not there, or not for you to read") == 1
    assert "3 people will be able to read this" in text


def test_all_alike_lead_back_to_the_list_with_one_undo(team: Team, alice: Browser) -> None:
    """R47, R70."""
    ids, record = deliver(team, 3), team.record(team.company)

    answer = send(alice, ids, record, roles=str(team.foreman), back="/email/queue?show=all")
    queue_page = words(alice.get(answer.headers["location"]))
    at = parse_qs(urlsplit(answer.headers["location"]).query)["at"][0]
    after = is_archived(team, ids)
    undone = alice.post(f"{FORM}/undo", record=record, at=at, back=answer.headers["location"])

    assert answer.headers["location"].startswith("/email/queue?show=all&done=filed-many&")
    assert "3 messages put under" in queue_page
    assert "Undo" in queue_page
    assert after == [True] * 3
    assert undone.headers["location"].startswith("/email/queue?show=all&done=unfiled-many&n=3")
    assert "3 messages taken away again." in words(alice.get(undone.headers["location"]))
    assert is_archived(team, ids) == [False] * 3
    assert filings.roles_of(team.store, team.id_of(ids[0])) == []


def test_unlike_ones_each_say_their_result(team: Team, alice: Browser) -> None:
    """R49, R55: archived, attached, there already, archived meanwhile, missing."""
    ids, record = deliver(team, 4), team.record(team.company)
    archive(team, ids[1], team.project)
    archive(team, ids[2], team.company)
    archive(team, ids[3], team.project)

    answer = send(
        alice, [*ids, MISSING], record, standing=ids[1:3], roles=str(team.foreman), back="/search"
    )
    page = alice.get(answer.headers["location"])

    assert urlsplit(answer.headers["location"]).path == f"{FORM}/result"
    said = [
        "Archived</span>",
        "Attached; its roles stay as they are",
        "Lay there already",
        "Not done: somebody archived it in the meantime",
        "Not done: it is not there, or not for you to read",
    ]
    assert [words(page).count(one) for one in said] == [1] * 5
    assert 'href="/search"' in page.text
    assert "Undo" in page.text


def test_a_hidden_message_is_as_an_unknown_one(
    team: Team, charlie: Browser, alice: Browser
) -> None:
    """R46: alone, and inside a selection, byte by byte."""
    (own,) = team.deliver(mail("Own", message_id="<own@x>"))
    (hidden,) = team.deliver(mail("Geheim", message_id="<g@x>"), uid=2)
    archive(team, own, team.company)
    archive(team, hidden, team.secret)
    record = team.record(team.project)

    def seen(other: str) -> list[str]:
        sent = send(charlie, [own, other], record)
        shown = charlie.get(sent.headers["location"]).text
        with_at = [charlie.get(address([own, other])).text, sent.headers["location"], shown]
        at = parse_qs(urlsplit(sent.headers["location"]).query)["at"][0]
        charlie.post(f"{FORM}/undo", record=record, at=at)
        return [one.replace(other, "ID").replace(at, "AT") for one in with_at]

    alone = [charlie.get(address([one])) for one in (hidden, MISSING)]
    tried = [send(charlie, [one], record) for one in (hidden, MISSING)]

    assert seen(hidden) == seen(MISSING)
    assert [one.status_code for one in (*alone, *tried)] == [404] * 4
    assert alone[0].text == alone[1].text
    assert tried[0].text == tried[1].text


def test_an_unknown_record_is_as_a_hidden_one(team: Team, sit_down) -> None:
    """R41, R46."""
    ids, bob = deliver(team, 2), sit_down("bob")

    answers = [send(bob, ids, one) for one in (team.record(team.secret), MISSING)]
    results = [
        bob.get(f"{FORM}/result?record={one}&at=1") for one in (team.record(team.secret), MISSING)
    ]

    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].text == answers[1].text
    assert [one.status_code for one in results] == [404, 404]
    assert results[0].text == results[1].text
    assert is_archived(team, ids) == [False, False]


def test_a_role_removed_meanwhile_saves_nothing(team: Team, alice: Browser) -> None:
    ids = deliver(team, 2)
    with transaction(team.store):
        users.remove_role(team.store, team.foreman)

    answer = send(alice, ids, team.record(team.company), roles=str(team.foreman))

    assert answer.status_code == 422
    assert "not there any more" in answer.text
    assert is_archived(team, ids) == [False, False]


def test_a_new_record_for_all_of_them(team: Team, alice: Browser) -> None:
    """R41, R67: its fields first, then both at once."""
    ids = deliver(team, 2)

    opened = send(alice, ids, "new", type="companies", like="Wilga")
    answer = send(alice, ids, "new", type="companies", name="Wilga 🌲")

    assert 'id="name" name="name" value="Wilga"' in opened.text
    assert "done=filed-many" in answer.headers["location"]
    (filed,) = filings.visible(team.store, team.viewer(team.alice), team.id_of(ids[1]))
    assert filed.record.name == "Wilga 🌲"


def test_five_hundred_at_once_and_not_one_more(team: Team, alice: Browser) -> None:
    """One transaction; 501 are refused with words, and nothing is changed."""
    ids, record = deliver(team, 501), team.record(team.company)

    refused = [
        alice.post("/email/act", do="archive", message=ids).headers["location"],
        send(alice, ids, record).headers["location"],
        alice.get(address(ids)).headers["location"],
    ]
    before = any(is_archived(team, ids))
    step = alice.post("/email/act", do="archive", message=ids[:500]).headers["location"]
    shown = alice.get(step)
    answer = send(alice, ids[:500], record)

    assert {urlsplit(one).query for one in refused} == {"done=too-many"}
    assert "At most 500 messages at once." in alice.get(refused[0]).text
    assert not before
    assert words(shown).count("Will be archived") == 500
    assert "n=500" in answer.headers["location"]
    assert is_archived(team, ids) == [True] * 500 + [False]


def test_a_selection_is_set_aside_and_taken_back(team: Team, alice: Browser) -> None:
    """A2: what is archived stays."""
    ids = deliver(team, 3)
    archive(team, ids[0], team.company)

    answer = alice.post("/email/act", do="aside", message=ids, back="/email/queue")
    text = words(alice.get(answer.headers["location"]))
    at = parse_qs(urlsplit(answer.headers["location"]).query)["at"][0]
    aside = [holdings.is_set_aside(team.store, team.viewer(team.alice), team.id_of(i)) for i in ids]
    undone = alice.post(f"{FORM}/undo", at=at)

    assert "2 messages set aside" in text
    assert aside == [False, True, True]
    assert "2 messages wait in the queue again." in words(alice.get(undone.headers["location"]))
    now = datetime.now(UTC)
    waiting = queue.rows(team.store, team.viewer(team.alice), now=now, show="open").rows
    assert len(waiting) == 2


def test_the_tab_of_set_asides_takes_many_back(team: Team, alice: Browser) -> None:
    ids = deliver(team, 2)
    alice.post("/email/act", do="aside", message=ids)

    answer = alice.post("/email/act", do="back", message=ids, back="/email/queue?show=aside")

    assert "done=back-many" in answer.headers["location"]
    assert not holdings.is_set_aside(team.store, team.viewer(team.alice), team.id_of(ids[0]))


def test_without_a_selection_it_works_on_the_current_row_or_explains(
    team: Team, alice: Browser
) -> None:
    (one, _) = deliver(team, 2)

    current = alice.post("/email/act", do="archive", current=one)
    none = alice.post("/email/act", do="archive", back="/email/archives")
    two = alice.post("/email/act", do="display", message=[one, MISSING])

    assert current.headers["location"] == f"/email/messages/{one}/attach"
    assert none.headers["location"] == "/email/archives?done=choose"
    assert "Select a message first" in alice.get(none.headers["location"]).text
    assert two.headers["location"] == "/email/queue?done=choose-one"
    assert "Select one message only" in alice.get(two.headers["location"]).text


@pytest.mark.parametrize("path", ["/email/act", FORM, f"{FORM}/undo"])
def test_changes_need_the_token(alice: Browser, path: str) -> None:
    """R68."""
    assert alice.send(path, {"message": MISSING}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        f"{FORM}/result?at=1",
        f"{FORM}/result?at=99999999999999&record=x",
        FORM,
        f"{FORM}?message=../x&message=",
    ],
)
def test_odd_addresses_are_missing_pages(alice: Browser, path: str) -> None:
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize("at", ["", "x", "-1", "9" * 30])
def test_an_odd_moment_undoes_nothing(team: Team, alice: Browser, at: str) -> None:
    (one,) = deliver(team, 1)
    archive(team, one, team.company)

    answer = alice.post(f"{FORM}/undo", record=team.record(team.company), at=at)

    assert answer.status_code == 404
    assert is_archived(team, [one]) == [True]


def test_the_fragment_is_a_part_of_the_page(team: Team, alice: Browser) -> None:
    path = address(deliver(team, 2), record=team.record(team.company))

    full, fragment = words(alice.get(path)), words(alice.fragment(path))

    assert "<!doctype" not in fragment
    assert fragment in full
