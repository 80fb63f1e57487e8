"""Signing a mailbox in at its provider: the form, the page, and the way back."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from app.model import Account
from app.settings import Settings
from app.store import accounts, sign_ins
from tests import make
from tests.openid import OpenId
from tests.web.conftest import ORIGIN, Browser, Team
from tests.web.test_accounts import FORM, LIST, NEW, named, own

OAUTH: dict[str, Any] = FORM | {"host": "imap.gmail.com", "auth_type": "oauth", "password": ""}
BACK = f"{LIST}/sign-in"


@pytest.fixture
def settings(settings: Settings, openid: OpenId) -> Settings:
    environ = openid.settings("google", "imap.gmail.com")
    return Settings.from_env(environ, data=settings.data, public_url=ORIGIN)


@pytest.fixture
def box(team: Team) -> Account:
    """Charlie's mailbox, with an oAuth login that nobody has signed in."""
    account = own(team)
    oauth = replace(account, auth_type="oauth", host="imap.gmail.com")
    accounts.change(team.store, oauth)
    return accounts.get(team.store, account.id)


def page(account: Account) -> str:
    return f"{LIST}/{account.public_id}/sign-in"


def link(text: str) -> str:
    """The provider's page, where our own page leads."""
    (found,) = re.findall(r'<a class="button primary" href="([^"]+)"', text)
    return unescape(found)


def begin(browser: Browser, account: Account) -> str:
    return link(browser.post(page(account), seen_on=page(account)).text)


def come_back(browser: Browser, answer: dict[str, str]) -> Any:
    return browser.get(f"{BACK}?{urlencode(answer)}")


def is_signed_in(team: Team, account: Account) -> bool:
    return sign_ins.sealed_tokens(team.store, account.id) is not None


# -- the form


def test_the_type_of_authorization_has_exactly_two_ways(alice) -> None:
    """R16: literal labels."""
    text = alice.get(NEW).text
    (select,) = re.findall(r'<select id="auth_type".*?</select>', text, re.DOTALL)

    options = re.findall(r"<option [^>]*>([^<]+)</option>", select)

    assert options == ["Password login", "oAuth login"]
    assert 'value="password" selected' in select


def test_confirm_of_an_oauth_login_leads_to_the_sign_in(team, charlie) -> None:
    answer = charlie.post(NEW, seen_on=NEW, **OAUTH)

    made = named(team, "biuro@firma.pl")
    assert answer.status_code == 303
    assert answer.headers["location"] == page(made)
    assert accounts.sealed_password(team.store, made.id) is None
    assert "Sign in at Google" in charlie.get(page(made)).text


def test_a_typed_password_is_not_kept_for_an_oauth_login(team, charlie) -> None:
    charlie.post(NEW, seen_on=NEW, **(OAUTH | {"password": "pass word"}))

    made = named(team, "biuro@firma.pl")
    assert accounts.sealed_password(team.store, made.id) is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"host": "imap.firma.pl"}, "For any other server choose Password login"),
        ({"host": "outlook.office365.com"}, "LETTERBOOK_MICROSOFT_CLIENT_ID"),
        ({"auth_type": "magic"}, "Choose Password login or oAuth login."),
    ],
)
def test_a_server_without_a_provider_is_said_at_the_field(team, charlie, wrong, sentence) -> None:
    answer = charlie.post(NEW, seen_on=NEW, **(OAUTH | wrong))

    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert 'href="#auth_type"' in answer.text
    assert "biuro@firma.pl" not in [one.address for one in accounts.all_accounts(team.store)]


def test_a_form_that_comes_again_keeps_the_choice(charlie) -> None:
    text = charlie.post(NEW, seen_on=NEW, **(OAUTH | {"port": "x"})).text

    assert 'value="oauth" selected' in text


def test_switching_to_a_password_asks_for_it(team, charlie, box, openid) -> None:
    come_back(charlie, openid.answer(begin(charlie, box), box.login))
    edit = f"{LIST}/{box.public_id}/edit"
    form = OAUTH | {"address": box.address, "login": box.login, "auth_type": "password"}

    without = charlie.post(edit, seen_on=edit, **form)
    kept = is_signed_in(team, box)
    done = charlie.post(edit, seen_on=edit, **(form | {"password": "pass word"}))

    assert without.status_code == 422
    assert "Type the password" in without.text
    assert kept
    assert done.status_code == 303
    assert not is_signed_in(team, box)
    assert accounts.sealed_password(team.store, box.id) is not None


def test_an_edit_that_leaves_the_sign_in_goes_back_to_the_list(team, charlie, box, openid) -> None:
    come_back(charlie, openid.answer(begin(charlie, box), box.login))
    edit = f"{LIST}/{box.public_id}/edit"
    form = OAUTH | {"address": box.address, "login": box.login, "skip": ["Alt"]}

    answer = charlie.post(edit, seen_on=edit, **form)

    assert answer.headers["location"].startswith(f"{LIST}?saved=")
    assert is_signed_in(team, box)


def test_who_edits_a_signed_in_mailbox_may_sign_it_in_again(charlie, box, openid) -> None:
    edit = f"{LIST}/{box.public_id}/edit"
    before = charlie.get(edit).text
    come_back(charlie, openid.answer(begin(charlie, box), box.login))

    assert f'<a href="{page(box)}">Sign in</a>' in before
    assert f'<a href="{page(box)}">Sign in again</a>' in charlie.get(edit).text


# -- the way there and back


def test_the_way_there_is_a_link_to_the_provider(charlie, box, openid) -> None:
    """A form that is redirected there is stopped by our own policy."""
    answer = charlie.post(page(box), seen_on=page(box))

    asked = dict(parse_qsl(urlsplit(link(answer.text)).query))
    assert answer.status_code == 200
    assert link(answer.text).startswith(f"{openid.url}/authorize?")
    assert asked["redirect_uri"] == f"{ORIGIN}{BACK}"
    assert asked["login_hint"] == box.login
    assert asked["access_type"] == "offline"
    assert "https://mail.google.com/" in asked["scope"]


def test_who_comes_back_has_signed_the_mailbox_in(team, charlie, box, openid) -> None:
    before = charlie.get(LIST).text
    answer = come_back(charlie, openid.answer(begin(charlie, box), box.login))

    assert "waits for somebody to sign in" in before
    assert f'href="{page(box)}"' in before
    assert answer.status_code == 303
    shown = charlie.get(answer.headers["location"]).text
    assert "Signed in. The mailbox is read from now on." in shown
    assert "not signed in" not in shown
    assert is_signed_in(team, box)


def test_no_page_shows_a_token(team, charlie, box, openid) -> None:
    come_back(charlie, openid.answer(begin(charlie, box), box.login))
    (renewal,) = openid.refresh

    shown = "".join(
        charlie.get(path).text
        for path in (LIST, f"{LIST}/{box.public_id}", f"{LIST}/{box.public_id}/edit", page(box))
    )

    assert renewal not in shown
    assert "eyJ" not in shown


def test_an_answer_works_once(team, charlie, box, openid) -> None:
    answer = openid.answer(begin(charlie, box), box.login)
    come_back(charlie, answer)
    first = sign_ins.sealed_tokens(team.store, box.id)

    again = come_back(charlie, answer)

    assert again.status_code == 422
    assert "out of date" in again.text
    assert sign_ins.sealed_tokens(team.store, box.id) == first
    assert len(openid.requests) == 1


@pytest.mark.parametrize("who", ["alice", "dora"])
def test_another_persons_browser_cannot_bring_it_back(
    team, charlie, admin, sit_down: Callable[[str], Browser], box, openid, who
) -> None:
    """Nor an administrator's: a sign-in belongs to the session that began it."""
    answer = openid.answer(begin(charlie, box), box.login)

    foreign = come_back(sit_down(who), answer)

    assert foreign.status_code == 422
    assert not openid.requests
    assert not is_signed_in(team, box)
    assert come_back(charlie, answer).status_code == 303


@pytest.mark.parametrize("state", ["", "x", "x" * 9_000, "ż"])
def test_a_state_that_nobody_knows_is_refused(charlie, state) -> None:
    answer = come_back(charlie, {"state": state, "code": "c"})

    assert answer.status_code == 422
    assert "out of date" in answer.text


def test_who_denied_is_told_and_may_try_again(team, charlie, box, openid) -> None:
    answer = come_back(charlie, openid.answer(begin(charlie, box), box.login, denies=True))

    assert answer.status_code == 422
    assert "was told not to let Letterbook read this mailbox" in unescape(answer.text)
    assert "The user said no." in answer.text
    assert f'action="{page(box)}"' in answer.text
    assert not is_signed_in(team, box)


def test_an_answer_without_a_code_changes_nothing(team, charlie, box, openid) -> None:
    state = openid.answer(begin(charlie, box), box.login)["state"]

    answer = come_back(charlie, {"state": state})

    assert answer.status_code == 422
    assert "came back without an answer" in answer.text
    assert not is_signed_in(team, box)


def test_a_false_code_is_refused(team, charlie, box, openid) -> None:
    state = openid.answer(begin(charlie, box), box.login)["state"]

    answer = come_back(charlie, {"state": state, "code": "<script>"})

    assert answer.status_code == 422
    assert "took too long or was used already" in answer.text
    assert not is_signed_in(team, box)


def test_another_persons_sign_in_is_said_with_both_names(team, charlie, box, openid) -> None:
    answer = come_back(charlie, openid.answer(begin(charlie, box), "jan@firma.pl"))

    assert answer.status_code == 422
    assert f"You signed in as jan@firma.pl, but the login of this mailbox is {box.login}" in (
        answer.text
    )
    assert not is_signed_in(team, box)


@pytest.mark.parametrize("status", [200, 503])
def test_a_provider_in_trouble_is_said(team, charlie, box, openid, status) -> None:
    url = begin(charlie, box)
    openid.failing_status = status

    answer = come_back(charlie, openid.answer(url, box.login))

    assert answer.status_code == 422
    assert "sign-in server of Google" in answer.text
    assert not is_signed_in(team, box)


# -- the checklist


def test_it_needs_sign_in(stranger, box) -> None:
    for path in (page(box), f"{BACK}?state=x&code=c"):
        assert stranger.get(path).headers["location"].startswith("/sign-in")


def test_anothers_mailbox_is_as_one_that_is_missing(alice, box) -> None:
    missing = f"{LIST}/aaaaaaaaaaaaa/sign-in"

    assert alice.get(page(box)).status_code == alice.get(missing).status_code == 404
    assert alice.get(page(box)).text == alice.get(missing).text
    assert alice.post(page(box)).status_code == 404


def test_members_of_a_shared_mailbox_do_not_sign_it_in(team, alice) -> None:
    """R9: a shared mailbox is an administrator's to change."""
    office = replace(team.office, auth_type="oauth", host="imap.gmail.com")
    accounts.change(team.store, office)

    assert alice.get(page(office)).status_code == 403
    assert alice.post(page(office)).status_code == 403
    assert f'href="{page(office)}"' not in alice.get(LIST).text


def test_it_needs_the_token(team, charlie, box, openid) -> None:
    assert charlie.send(page(box), {}).status_code == 403


def test_a_mailbox_with_a_password_is_not_signed_in(team, charlie) -> None:
    answer = charlie.get(page(own(team)))

    assert answer.status_code == 422
    assert "not signed in to at a provider" in answer.text


def test_a_sign_in_that_ended_asks_for_another(team, charlie, admin, box, openid) -> None:
    """Wherever its people look, with the way there."""
    team.store.archive.conn.execute(
        "update accounts set trouble = 'sign-in', halted_at = 1 where id = ?", [box.id]
    )
    accounts.record_check(
        team.store, box.id, unread=None, new=None, error="It ended.", now=datetime.now(UTC)
    )

    for browser in (charlie, admin):
        for path in (LIST, f"{LIST}/{box.public_id}", "/email/queue"):
            assert f'href="{page(box)}">Sign in again</a>' in browser.get(path).text
    come_back(charlie, openid.answer(begin(charlie, box), box.login))

    assert "Sign in again" not in charlie.get(LIST).text
    assert accounts.next_due_at(team.store, frozenset({box.id})) is not None


def test_a_mailbox_of_a_person_who_left_the_list_is_not_his_to_finish(
    team, charlie, box, openid
) -> None:
    answer = openid.answer(begin(charlie, box), box.login)
    accounts.put_users(team.store, box.id, [make.user(team.store, "Ewa")])

    assert come_back(charlie, answer).status_code == 404
    assert not is_signed_in(team, box)
