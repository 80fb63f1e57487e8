"""oAuth logins against an OpenID server and a Dovecot that verifies its tokens."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.errors import AuthFailed, Invalid, RemoteError, SignInAgain
from app.model import Account, AccountId, PublicId
from app.settings import Settings
from app.sync import oauth, provider_http, registered
from app.sync.connect import connect
from tests import dovecot as dovecot_server
from tests import openid as openid_server
from tests.dovecot import Dovecot
from tests.openid import OpenId
from tests.sync.conftest import Clock

pytestmark = pytest.mark.dovecot
BACK = "http://127.0.0.1:8000/email/accounts/sign-in"


@pytest.fixture(scope="module", params=["xoauth2 oauthbearer", "oauthbearer"])
def server(request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    if not dovecot_server.is_installed():
        pytest.skip("Dovecot is not installed here")
    with openid_server.dovecot_running(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Dovecot]:
    if not dovecot_server.is_installed():
        pytest.skip("Dovecot is not installed here")
    with openid_server.dovecot_running() as running:
        yield running


def provider(openid: OpenId, kind: str, **environ: str) -> registered.Provider:
    settings = Settings.from_env({**openid.settings(kind), **environ})
    return registered.provider_for(registered.providers(settings), dovecot_server.HOST)


def signed_in(openid: OpenId, of: registered.Provider, login: str, **given: Any) -> str:
    """The document of a sign-in by code flow."""
    person, now = given.pop("person", oauth.person_of(login)), given.pop("now", utc_now())
    url, flow = oauth.begin(of, login=login, redirect_uri=BACK, state="s" * 40)
    answer = openid.answer(url, person, **given)
    return oauth.complete(of, flow, answer, login=login, now=now)


def utc_now() -> datetime:
    return datetime.now(UTC)


def folders(server: Dovecot, login: str, token: str) -> int:
    """Open a session with the token and give the number of folders."""
    account = Account(
        AccountId(1),
        PublicId("x"),
        login,
        dovecot_server.HOST,
        server.tls_port,
        login=login,
        auth_type="oauth",
    )
    with connect(account, lambda: token, now=utc_now, ca_file=server.ca_file) as remote:
        return len(remote.list_folders())


# -- the code flow, to the mailbox


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_sign_in_by_code_opens_the_mailbox(server: Dovecot, openid: OpenId, kind: str) -> None:
    of, login = provider(openid, kind), server.new_user()

    token, _ = oauth.access_token(of, signed_in(openid, of, login), now=utc_now())

    assert folders(server, login, token) == 5


def test_a_token_opens_its_own_mailbox_only(server: Dovecot, openid: OpenId) -> None:
    of, login, other = provider(openid, "google"), server.new_user(), server.new_user()
    token, _ = oauth.access_token(of, signed_in(openid, of, login), now=utc_now())

    with pytest.raises(AuthFailed, match="does not accept the oAuth login"):
        folders(server, other, token)


def test_an_expired_token_is_a_refused_login(server: Dovecot, openid: OpenId) -> None:
    of, login = provider(openid, "google"), server.new_user()
    openid.lifetime_seconds = -60
    document = signed_in(openid, of, login, now=datetime(2999, 1, 1, tzinfo=UTC))
    token, _ = oauth.access_token(of, document, now=utc_now())

    with pytest.raises(AuthFailed, match="does not accept the oAuth login"):
        folders(server, login, token)


def test_a_server_without_the_mechanisms_is_told_as_such(dovecot: Dovecot) -> None:
    with pytest.raises(RemoteError, match="offers no oAuth login") as raised:
        folders(dovecot, dovecot.new_user(), "token")

    assert not raised.value.is_retryable


def test_a_shared_mailbox_is_opened_with_a_persons_own_sign_in(
    server: Dovecot, openid: OpenId
) -> None:
    """Microsoft lets the token of a delegate into the shared mailbox that the login names."""
    of, office = provider(openid, "microsoft"), server.new_user()
    login, openid.opens = f"jan@ex.test\\{office}", office

    document = signed_in(openid, of, login, person="jan@ex.test")
    token, _ = oauth.access_token(of, document, now=utc_now())

    assert folders(server, login, token) == 5


# -- the device code


def test_a_device_code_opens_the_mailbox(mail_server: Dovecot, openid: OpenId) -> None:
    of, login = provider(openid, "microsoft"), mail_server.new_user()
    device = oauth.begin_device(of)

    openid.accept_device(device.code, login)
    document = oauth.poll_device(of, device, login=login, now=utc_now())

    assert document is not None
    token, _ = oauth.access_token(of, document, now=utc_now())
    assert folders(mail_server, login, token) == 5
    assert device.url == f"{openid.url}/device"


def test_a_device_code_waits_for_somebody_to_sign_in(openid: OpenId) -> None:
    of = provider(openid, "microsoft")
    device = oauth.begin_device(of)

    assert oauth.poll_device(of, device, login="ann@ex.test", now=utc_now()) is None


def test_a_device_code_that_ran_out_is_said(openid: OpenId) -> None:
    of = provider(openid, "microsoft")
    device = oauth.begin_device(of)
    openid.devices.clear()

    with pytest.raises(AuthFailed, match="took too long"):
        oauth.poll_device(of, device, login="ann@ex.test", now=utc_now())


def test_google_has_no_device_code(openid: OpenId) -> None:
    with pytest.raises(Invalid, match="no device code"):
        oauth.begin_device(provider(openid, "google"))


# -- fresh tokens


@pytest.mark.parametrize("kind", ["microsoft", "google"])
@pytest.mark.parametrize("rotates", [True, False])
def test_a_token_is_renewed_when_it_is_about_to_end_and_not_before(
    mail_server: Dovecot, openid: OpenId, kind: str, *, rotates: bool
) -> None:
    of, login, clock = provider(openid, kind), mail_server.new_user(), Clock()
    openid.rotates = rotates
    document = signed_in(openid, of, login, now=clock())
    clock.advance(seconds=3600 - oauth.FRESH_SECONDS - 10)

    first, same = oauth.access_token(of, document, now=clock())
    clock.advance(seconds=20)
    second, renewed = oauth.access_token(of, document, now=clock())
    clock.advance(hours=1)
    third, _ = oauth.access_token(of, renewed, now=clock())

    assert same == document
    assert renewed != document
    assert [form["grant_type"] for form in openid.requests] == [
        "authorization_code",
        "refresh_token",
        "refresh_token",
    ]
    assert {folders(mail_server, login, token) for token in (first, second, third)} == {5}


def test_a_sign_in_by_device_is_renewed_without_the_secret(openid: OpenId) -> None:
    """Microsoft refuses a secret with the tokens of a public client."""
    openid.secret = ""
    of = replace(provider(openid, "microsoft"), client_secret="given for the web")
    device = oauth.begin_device(of)
    openid.accept_device(device.code, "ann@ex.test")
    document = oauth.poll_device(of, device, login="ann@ex.test", now=utc_now())
    assert document is not None

    oauth.access_token(of, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    assert "client_secret" not in openid.requests[-1]
    assert openid.requests[-1]["grant_type"] == "refresh_token"


@pytest.mark.parametrize("kind", ["microsoft", "google"])
@pytest.mark.parametrize("error", ["", "invalid_grant", "interaction_required"])
def test_a_dead_refresh_token_asks_to_sign_in_again(openid: OpenId, kind: str, error: str) -> None:
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")
    openid.revoke_all()
    openid.error = error

    with pytest.raises(SignInAgain, match="the sign-in of this mailbox has ended"):
        oauth.access_token(of, document, now=datetime(2999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["microsoft", "google"])
@pytest.mark.parametrize("status", [200, 307, 429, 500, 503])
def test_trouble_of_the_token_endpoint_passes(openid: OpenId, kind: str, status: int) -> None:
    """Also an answer that is no JSON, and one that would carry the token elsewhere."""
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")
    openid.failing_status = status

    with pytest.raises(RemoteError, match="sign-in server of") as raised:
        oauth.access_token(of, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    assert raised.value.is_retryable
    assert openid.moved == []


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_provider_that_falls_silent_is_given_up(
    openid: OpenId, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")
    monkeypatch.setattr(provider_http, "TIMEOUT_SECONDS", 0.2)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = f"https://127.0.0.1:{silent.getsockname()[1]}/tenant"
        gone = replace(of, authorize_url=away, token_url=away)
        with pytest.raises(RemoteError, match="cannot be reached") as raised:
            oauth.access_token(gone, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    assert raised.value.is_retryable


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_token_endpoint_that_does_not_answer_passes(openid: OpenId, kind: str) -> None:
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")
    away = "https://localhost:9/tenant"
    gone = replace(of, authorize_url=away, token_url=away)

    with pytest.raises(RemoteError, match="cannot be reached") as raised:
        oauth.access_token(gone, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    assert raised.value.is_retryable


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_certificate_that_nobody_vouches_for_is_refused(openid: OpenId, kind: str) -> None:
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")

    with pytest.raises(RemoteError, match="LETTERBOOK_CA_FILE") as raised:
        oauth.access_token(
            replace(of, ca_file=None), document, now=datetime(2999, 1, 1, tzinfo=UTC)
        )

    assert not raised.value.is_retryable


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_secret_that_expired_is_the_operators_to_mend(openid: OpenId, kind: str) -> None:
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")
    openid.secret = "another"

    with pytest.raises(RemoteError, match="CLIENT_ID, its secret") as raised:
        oauth.access_token(of, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    assert not raised.value.is_retryable


@pytest.mark.parametrize("kind", ["microsoft", "google"])
@pytest.mark.parametrize(
    ("error", "passes"),
    [
        ("temporarily_unavailable", True),
        ("server_error", True),
        ("something_new", True),
        ("unauthorized_client", False),
        ("invalid_scope", False),
        ("deleted_client", False),
    ],
)
def test_what_the_operator_must_mend_is_told_from_what_passes(
    openid: OpenId, kind: str, error: str, *, passes: bool
) -> None:
    of = provider(openid, kind)
    document = signed_in(openid, of, "ann@ex.test")
    openid.error = error

    with pytest.raises(RemoteError, match=error) as raised:
        oauth.access_token(of, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    assert raised.value.is_retryable is passes


def test_tokens_of_one_provider_are_not_shown_to_another(openid: OpenId) -> None:
    document = signed_in(openid, provider(openid, "google"), "ann@ex.test")

    with pytest.raises(SignInAgain, match="signed in elsewhere"):
        oauth.access_token(provider(openid, "microsoft"), document, now=utc_now())
