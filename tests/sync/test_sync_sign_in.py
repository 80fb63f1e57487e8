"""Sign-ins at a provider that fail: who is told what, and that nothing is given away."""

import socket
from datetime import UTC, datetime

import pytest

from app.errors import AuthFailed, Invalid, RemoteError
from app.settings import Settings
from app.sync import oauth, registered
from app.sync.connect import tls_context
from tests.openid import OpenId
from tests.sync.test_sync_oauth import BACK, provider, signed_in, utc_now


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_another_persons_sign_in_is_refused_and_both_are_named(openid: OpenId, kind: str) -> None:
    of = provider(openid, kind)

    with pytest.raises(AuthFailed) as raised:
        signed_in(openid, of, "office@ex.test", person="Jan@ex.test")

    assert "You signed in as jan@ex.test" in str(raised.value)
    assert "the login of this mailbox is office@ex.test" in str(raised.value)


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_the_case_of_a_name_does_not_matter(openid: OpenId, kind: str) -> None:
    assert signed_in(openid, provider(openid, kind), "ann@ex.test", person="Ann@Ex.Test")


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_who_denies_is_told_what_that_means(openid: OpenId, kind: str) -> None:
    with pytest.raises(AuthFailed, match="was told not to let Letterbook read"):
        signed_in(openid, provider(openid, kind), "ann@ex.test", denies=True)


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_a_code_works_once(openid: OpenId, kind: str) -> None:
    of = provider(openid, kind)
    url, flow = oauth.begin(of, login="ann@ex.test", redirect_uri=BACK, state="s" * 40)
    answer = openid.answer(url, "ann@ex.test")
    oauth.complete(of, flow, answer, login="ann@ex.test", now=utc_now())

    with pytest.raises(AuthFailed, match="used already"):
        oauth.complete(of, flow, answer, login="ann@ex.test", now=utc_now())


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_the_code_of_another_flow_is_refused(openid: OpenId, kind: str) -> None:
    """PKCE: a code that somebody else was given is of no use here, nor ours to him."""
    of = provider(openid, kind)
    url, _ = oauth.begin(of, login="ann@ex.test", redirect_uri=BACK, state="s" * 40)
    _, own = oauth.begin(of, login="ann@ex.test", redirect_uri=BACK, state="s" * 40)

    with pytest.raises(AuthFailed):
        oauth.complete(
            of, own, openid.answer(url, "ann@ex.test"), login="ann@ex.test", now=utc_now()
        )


@pytest.mark.parametrize("kind", ["microsoft", "google"])
def test_the_sign_in_of_another_application_is_refused(openid: OpenId, kind: str) -> None:
    openid.audience = "another application"

    with pytest.raises(RemoteError, match="sign-in of another application"):
        signed_in(openid, provider(openid, kind), "ann@ex.test")


def test_google_without_the_box_for_mail_is_said(openid: OpenId) -> None:
    openid.withheld_scope = "https://mail.google.com/"

    with pytest.raises(AuthFailed, match="without access to the mail"):
        signed_in(openid, provider(openid, "google"), "ann@ex.test")


def test_tokens_are_for_the_providers_own_servers_only(openid: OpenId) -> None:
    known = registered.providers(Settings.from_env(openid.settings("google")))

    with pytest.raises(Invalid, match="servers of Microsoft 365 and Google"):
        registered.provider_for(known, "imap.evil.test")
    with pytest.raises(Invalid, match="LETTERBOOK_MICROSOFT_CLIENT_ID"):
        registered.provider_for(known, "outlook.office365.com")


def test_what_mail_servers_must_prove_is_not_changed_by_a_sign_in(openid: OpenId) -> None:
    """urllib3 makes the context that it is given speak HTTP, which a mail server may refuse."""
    signed_in(openid, provider(openid, "google"), "ann@ex.test")

    shared = tls_context(verify=True, ca_file=openid.ca_file)
    with (
        socket.create_connection(("localhost", openid.port)) as bare,
        shared.wrap_socket(bare, server_hostname="localhost") as secured,
    ):
        assert secured.selected_alpn_protocol() is None


def test_nothing_of_a_token_is_logged(openid: OpenId, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    of = provider(openid, "microsoft")
    document = signed_in(openid, of, "ann@ex.test")
    openid.failing_status = 200

    with pytest.raises(RemoteError):
        oauth.access_token(of, document, now=datetime(2999, 1, 1, tzinfo=UTC))

    (renewal,) = openid.refresh
    assert renewal not in caplog.text
    assert "Out of order" not in caplog.text
