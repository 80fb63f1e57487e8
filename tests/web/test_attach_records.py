"""Select Record: the list it offers while somebody types, and what the form makes of a text."""

import pytest

from app.store import filings
from tests.make import mail
from tests.web.conftest import Browser, Team

OPTIONS = "/email/attach/records"


def test_it_offers_records_and_a_new_one(team: Team, alice: Browser) -> None:
    """R41."""
    text = alice.fragment(f"{OPTIONS}?type=projects&like=Łomiankach").text

    assert f'data-record="{team.record(team.project)}" data-type="projects"' in text
    assert "<bdi>Łomianki Playground Construction</bdi>" in text
    assert 'data-record="new"' in text
    assert "1 record" in text


def test_records_of_another_type_say_so(team: Team, alice: Browser) -> None:
    text = alice.fragment(f"{OPTIONS}?type=companies&like=lomian").text

    assert '<span class="chip neutral">Project</span>' in text


def test_what_one_may_not_see_is_as_what_is_not_there(team: Team, sit_down) -> None:
    """R41, R46: whoever asks by name or by id."""
    bob, hidden = sit_down("bob"), team.record(team.secret)

    asked = [
        bob.fragment(f"{OPTIONS}?type=projects&like={text}&first={first}").text
        for text, first in (("board", hidden), ("board", "aaaaaaaaaaaaa"), ("", hidden), ("", "a"))
    ]

    assert asked[0] == asked[1]
    assert asked[2] == asked[3]
    assert "Board" in sit_down("alice").fragment(f"{OPTIONS}?type=projects&like=board").text


def test_it_needs_a_sign_in_and_a_type(alice: Browser, stranger: Browser) -> None:
    assert stranger.get(OPTIONS).headers["location"].startswith("/sign-in")
    assert alice.fragment(f"{OPTIONS}?type=nothing").status_code == 404
    assert alice.get(f"{OPTIONS}?type=companies").headers["location"] == "/email/queue"
    assert alice.request("DELETE", OPTIONS).status_code == 405


def test_its_names_are_text(team: Team, alice: Browser) -> None:
    """Names with markup, an emoji and marks of direction, shown apart from what stands around."""
    name = 'שלום <img src=x> "🌲"'
    team.store.archive.conn.execute(
        "update records set name = ?, folded_name = 'x1' where id = ?", [name, team.company]
    )

    text = alice.fragment(f"{OPTIONS}?type=companies&like=x1").text

    assert "<img" not in text
    assert "<bdi>שלום &lt;img src=x&gt; &#34;🌲&#34;</bdi>" in text


@pytest.mark.parametrize("like", ["x" * 5000, "%00", "%ED%A0%80", "☃", "' or 1=1"])
def test_an_odd_text_is_no_error(alice: Browser, like: str) -> None:
    assert alice.fragment(f"{OPTIONS}?type=companies&like={like}").status_code == 200


def test_a_whole_name_typed_is_chosen(team: Team, alice: Browser) -> None:
    """R67: without a script, and without looking for it first."""
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))
    page = f"/email/messages/{one}/attach"

    answer = alice.post(page, seen_on=page, type="companies", record="", like="spostex s.a.")

    assert f"record={team.record(team.company)}" in answer.headers["location"]


def test_who_types_on_after_choosing_has_not_chosen(team: Team, alice: Browser) -> None:
    """The record filled in before is not taken for another that was typed over it."""
    (one,) = team.deliver(mail(text="Spostex S.A."))
    page = f"/email/messages/{one}/attach"
    chosen = team.record(team.company)

    answer = alice.post(page, seen_on=page, type="companies", record=chosen, like="Wilga")
    other = alice.post(page, seen_on=page, type="projects", record=chosen, like="Spostex S.A.")

    assert (answer.status_code, other.status_code) == (422, 422)
    assert 'name="like" value="Wilga"' in answer.text
    assert 'name="like" value=""' in other.text
    assert f'name="candidate" value="{team.record(team.project)}"' in other.text
    assert not filings.is_archived(team.store, team.id_of(one))


def test_unknown_and_hidden_records_get_the_very_same_answer(team: Team, sit_down) -> None:
    """R46: in the address and in the form, byte by byte."""
    (one,) = team.deliver(mail(text="x", sender="x@gmail.com"))
    page, bob = f"/email/messages/{one}/attach", sit_down("bob")
    ids = (team.record(team.secret), "aaaaaaaaaaaaa")

    shown = [bob.fragment(f"{page}?type=projects&record={record}").text for record in ids]
    named = [bob.fragment(f"{page}?candidate={record}").text for record in ids]
    sent = [bob.post(page, seen_on=page, type="projects", candidate=one).text for one in ids]
    typed = [
        bob.post(page, seen_on=page, type="projects", like=one).text.replace(one, "")
        for one in ("Board", "Brett")
    ]

    assert shown[0] == shown[1]
    assert named[0] == named[1]
    assert sent[0] == sent[1]
    assert typed[0] == typed[1]
