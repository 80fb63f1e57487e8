"""API tokens: one's own on the profile, everybody's for administrators."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app import people
from app.errors import AuthFailed, Invalid, NotFound
from app.store import api_tokens, audit, users
from app.store.api_tokens import ApiToken
from tests.web.conftest import Browser, Team

PAGE, ALL = "/profile/tokens", "/users/tokens"
FIELDS = {"name": "ERP \U0001f600", "scopes": ["read", "records"], "days": "30"}


def make_token(browser: Browser, **changed: object) -> str:
    answer = browser.post(PAGE, seen_on=PAGE, **FIELDS | changed)
    found = re.search(r'value="(lbk_[\w-]{43})"', answer.text)
    assert found
    return found.group(1)


def token_of(team: Team) -> ApiToken:
    (one,) = api_tokens.of_user(team.store, team.alice)
    return one


def is_let_in(team: Team, token: str, *, now: datetime | None = None) -> bool:
    try:
        people.viewer_of_token(team.store, token, address="10.0.0.9", now=now or datetime.now(UTC))
    except AuthFailed:
        return False
    return True


@pytest.mark.parametrize("page", [PAGE, ALL])
def test_the_pages_need_a_sign_in(stranger: Browser, page: str) -> None:
    assert stranger.get(page).headers["location"] == f"/sign-in?next={page}"
    assert stranger.send(f"{page}/x/revoke", {}).headers["location"] == "/sign-in"


@pytest.mark.parametrize("page", [PAGE, f"{PAGE}/x/revoke", f"{ALL}/x/revoke"])
def test_changes_need_a_form_of_ours(admin: Browser, page: str) -> None:
    assert admin.send(page, {}).status_code == 403


def test_a_token_is_shown_once_and_kept_as_a_digest(team: Team, alice: Browser) -> None:
    token = make_token(alice)

    listed, found = alice.get(PAGE).text, token_of(team)
    kept = [
        row
        for (table,) in team.store.archive.conn.execute(
            "select name from sqlite_master where type = 'table'"
        ).fetchall()
        for row in team.store.archive.conn.execute(f"select * from {table}")
    ]
    assert token not in listed
    assert token not in repr(kept)
    assert f"{token[:10]}…" in listed
    assert "ERP \U0001f600" in listed
    assert "read, records" in listed
    assert "never" in listed
    assert found.scopes == ("read", "records")
    assert timedelta(days=29) < found.expires_at - datetime.now(UTC) <= timedelta(days=30)
    assert audit.latest_verbs(team.store, 1) == ["create token"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": ""}, "Give the token a name"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"scopes": []}, "Choose what the token is for"),
        ({"scopes": ["read", "admin"]}, "Choose what the token is for"),
        ({"days": "0"}, "1 to 365"),
        ({"days": "366"}, "1 to 365"),
        ({"days": "ł"}, "1 to 365"),
        ({"days": "9" * 5000}, "1 to 365"),
    ],
)
def test_a_wrong_field_comes_back(
    team: Team, alice: Browser, changed: dict[str, object], reason: str
) -> None:
    answer = alice.post(PAGE, seen_on=PAGE, **FIELDS | changed)

    assert answer.status_code == 422
    assert reason in answer.text
    assert api_tokens.of_user(team.store, team.alice) == []


def test_nobody_makes_tokens_without_end(team: Team) -> None:
    now = datetime.now(UTC)
    given = {"name": "ERP", "scopes": ["read"], "days": 1, "now": now}
    for _ in range(people.MOST_TOKENS):
        people.create_token(team.store, team.alice, **given)

    with pytest.raises(Invalid, match="Revoke some first"):
        people.create_token(team.store, team.alice, **given)


def test_a_revoked_token_opens_nothing(team: Team, alice: Browser) -> None:
    token = make_token(alice)
    page = f"{PAGE}/{token_of(team).public_id}/revoke"

    first, again = alice.post(page), alice.post(page)

    assert first.headers["location"] == again.headers["location"] == f"{PAGE}?done=saved"
    assert not is_let_in(team, token)
    assert "revoked" in alice.get(PAGE).text
    assert audit.latest_verbs(team.store, 2) == ["revoke token", "create token"]


def test_nobody_revokes_the_token_of_another(team: Team, alice: Browser, charlie: Browser) -> None:
    token = make_token(alice)
    theirs = token_of(team).public_id

    answers = [charlie.post(f"{PAGE}/{one}/revoke") for one in (theirs, "x", "aaaaaaaaaaaaa")]

    assert [one.status_code for one in answers] == [404] * 3
    assert len({one.text for one in answers}) == 1
    assert charlie.get(ALL).status_code == 404
    assert charlie.post(f"{ALL}/{theirs}/revoke").status_code == 404
    assert "ERP \U0001f600" not in charlie.get(PAGE).text
    assert is_let_in(team, token)


def test_administrators_see_and_revoke_all_tokens(
    team: Team, alice: Browser, admin: Browser
) -> None:
    token = make_token(alice)

    text = admin.get(ALL).text
    answer = admin.post(f"{ALL}/{token_of(team).public_id}/revoke", seen_on=ALL)

    assert "Alice" in text
    assert "ERP \U0001f600" in text
    assert token not in text
    assert f'href="{ALL}"' in admin.get("/users").text
    assert answer.headers["location"] == f"{ALL}?done=saved"
    assert not is_let_in(team, token)


def test_a_token_ends_with_its_days_and_with_its_person(team: Team, alice: Browser) -> None:
    token, now = make_token(alice), datetime.now(UTC)

    later = [is_let_in(team, token, now=now + timedelta(days=days)) for days in (29, 31)]
    people.deactivate_user(team.store, team.alice, by=None, now=now)
    while_away = is_let_in(team, token)
    people.reactivate_user(team.store, team.alice, by=None, now=now)

    assert later == [True, False]
    assert not while_away
    assert not is_let_in(team, token)


def test_a_token_of_somebody_who_is_out_opens_nothing(team: Team, alice: Browser) -> None:
    """However he came to be out."""
    token = make_token(alice)
    team.store.archive.conn.execute("update users set deactivated_at = 1 where name = 'Alice'")

    assert token_of(team).revoked_at is None
    assert not is_let_in(team, token)


def test_a_token_has_its_persons_rights_of_now(team: Team, alice: Browser) -> None:
    token, now = make_token(alice), datetime.now(UTC)

    before, _ = people.viewer_of_token(team.store, token, address="x", now=now)
    users.change(team.store, team.alice, name="A", is_admin=True, roles=[team.foreman])
    after, _ = people.viewer_of_token(team.store, token, address="x", now=now)

    assert (before.is_admin, before.roles) == (False, frozenset())
    assert (after.is_admin, after.roles) == (True, {team.foreman})


def test_the_last_use_is_noted_at_most_once_a_minute(team: Team, alice: Browser) -> None:
    token = make_token(alice)
    now = datetime.now(UTC).replace(microsecond=0)
    noted = []
    for seconds in (0, 59, 61):
        assert is_let_in(team, token, now=now + timedelta(seconds=seconds))
        noted.append(token_of(team).last_used_at)

    assert noted == [now, now, now + timedelta(seconds=61)]
    assert "never" not in alice.get(PAGE).text


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(team: Team, alice: Browser) -> None:
    """A bad client must not shut out the others behind its address."""
    token, now = make_token(alice), datetime.now(UTC)
    said = []
    for number in range(people.MOST_FAILURES["token"] + 1):
        with pytest.raises(AuthFailed) as failed:
            people.viewer_of_token(team.store, f"lbk_{number}", address="10.6.6.6", now=now)
        said.append(str(failed.value))

    assert len(set(said[:-1])) == 1
    assert "Too many attempts" in said[-1]
    assert people.viewer_of_token(team.store, token, address="10.6.6.6", now=now)
    with pytest.raises(AuthFailed, match="wrong, has expired or was revoked"):
        people.viewer_of_token(team.store, "lbk_x", address="10.7.7.7", now=now)


def test_what_ended_long_ago_is_not_listed(team: Team, alice: Browser) -> None:
    make_token(alice)
    found, long_ago = token_of(team), datetime.now(UTC) - timedelta(days=91)
    api_tokens.revoke(team.store, found.id, now=long_ago)

    assert "You have no tokens." in alice.get(PAGE).text


def test_an_unknown_token_is_not_there(team: Team) -> None:
    with pytest.raises(NotFound):
        api_tokens.get(team.store, "x")
