"""Signing in at Microsoft or Google in place of a password, and access tokens that are fresh.

The only importer of msal. What comes out of a sign-in is a document (JSON) with the tokens in it;
whoever keeps it seals it.
"""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msal
import requests
from msal.oauth2cli.oidc import Client as OidcClient

from app.errors import AuthFailed, Invalid, RemoteError, SignInAgain
from app.sync.faults import clean
from app.sync.provider_http import session
from app.sync.registered import Provider

FRESH_SECONDS = 300
"""A token that ends sooner is renewed before it is used."""

_MICROSOFT_SCOPES = ["https://outlook.office.com/IMAP.AccessAsUser.All"]
_GOOGLE_MAIL = "https://mail.google.com/"
_GOOGLE_SCOPES = [_GOOGLE_MAIL, "openid", "email"]
_NAMES = ("preferred_username", "upn", "email")
"""The claims of an ID token that say who signed in (OpenID Connect Core 5.1; upn: Microsoft)."""

# RFC 6749 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6.
_REFUSED = frozenset(("access_denied", "consent_required", "authorization_declined"))
_ENDED = frozenset(("invalid_grant", "interaction_required", "login_required", "consent_required"))
_REGISTRATION = frozenset(
    (
        "deleted_client",
        "disabled_client",
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "redirect_uri_mismatch",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
    )
)

Grant = Literal["code", "device"]

# msal logs an answer that it cannot read, tokens and all.
logging.getLogger("msal").setLevel(logging.CRITICAL)
# A form that another site sends us comes without our session's cookie (SameSite).
warnings.filterwarnings("ignore", "response_mode='form_post'", UserWarning)


@dataclass(frozen=True, slots=True)
class Device:
    """A sign-in on any other device, at `url` with `code`."""

    url: str
    code: str
    expires_in_seconds: int
    flow: dict[str, Any] = field(repr=False)

    @property
    def interval_seconds(self) -> int:
        """How long to wait before the provider may be asked again; it grows when it says so."""
        return int(self.flow["interval"])


def person_of(login: str) -> str:
    r"""Who signs in at the provider: `jan@firma.pl` also for `jan@firma.pl\office@firma.pl`.

    Source: Microsoft's notation for a shared mailbox, which a person opens with his own sign-in.
    """
    return login.partition("\\")[0]


def begin(provider: Provider, *, login: str, redirect_uri: str, state: str) -> tuple[str, str]:
    """The provider's page for a person to sign in at, and the flow (JSON) to keep secret till then.

    It holds the PKCE verifier and the nonce. Raises RemoteError.
    """
    person = person_of(login)
    with _translated(provider), session(provider.ca_file) as http:
        if provider.key == "microsoft":
            flow = _microsoft(provider, "code", msal.TokenCache(), http).initiate_auth_code_flow(
                _MICROSOFT_SCOPES,
                redirect_uri=redirect_uri,
                state=state,
                prompt="select_account",
                login_hint=person,
            )
        else:
            # Without these two Google gives no refresh token, at least not the second time.
            flow = _google(provider, http).initiate_auth_code_flow(
                _GOOGLE_SCOPES,
                redirect_uri=redirect_uri,
                state=state,
                access_type="offline",
                prompt="consent",
                login_hint=person,
            )
        return str(flow["auth_uri"]), json.dumps(flow)


def complete(
    provider: Provider, flow: str, answer: Mapping[str, str], *, login: str, now: datetime
) -> str:
    """Exchange what the provider's page sent back for the document with the tokens.

    Raises AuthFailed if the person or the provider said no, or another person signed in;
    RemoteError.
    """
    cache = msal.SerializableTokenCache()
    with _translated(provider), session(provider.ca_file) as http:
        if provider.key == "microsoft":
            app = _microsoft(provider, "code", cache, http)
            result = app.acquire_token_by_auth_code_flow(json.loads(flow), dict(answer))
        else:
            client = _google(provider, http)
            result = client.obtain_token_by_auth_code_flow(json.loads(flow), dict(answer))
        return _document(provider, "code", result, cache, login=login, now=now)


def begin_device(provider: Provider) -> Device:
    """A code to sign in with on any device. Raises RemoteError, Invalid where there is none."""
    if not provider.has_device_code:
        raise Invalid("account", f"{provider.title} gives no device code for mail.")
    with _translated(provider), session(provider.ca_file) as http:
        app = _microsoft(provider, "device", msal.TokenCache(), http)
        flow = app.initiate_device_flow(_MICROSOFT_SCOPES)
        if "user_code" not in flow:
            raise _refusal(provider, flow)
        return Device(
            clean(flow["verification_uri"]),
            clean(flow["user_code"]),
            flow["expires_in"],
            flow,
        )


def poll_device(provider: Provider, device: Device, *, login: str, now: datetime) -> str | None:
    """The document with the tokens, None while nobody has signed in yet.

    Raises as `complete` does. Effects: not to be called sooner than the interval allows.
    """
    cache = msal.SerializableTokenCache()
    with _translated(provider), session(provider.ca_file) as http:
        app = _microsoft(provider, "device", cache, http)
        result = app.acquire_token_by_device_flow(device.flow, exit_condition=lambda _: True)
        if result.get("error") in ("authorization_pending", "slow_down"):
            return None
        return _document(provider, "device", result, cache, login=login, now=now)


def access_token(provider: Provider, document: str, *, now: datetime) -> tuple[str, str]:
    """An access token that is valid for five minutes or more, and the document to keep from now on.

    Raises SignInAgain if the provider wants the person to sign in again, RemoteError otherwise.
    """
    known = json.loads(document)
    if known["provider"] != provider.key:
        raise SignInAgain(f"This mailbox was signed in elsewhere. Sign in at {provider.title}.")
    if now.timestamp() + FRESH_SECONDS < known["expires_at"]:
        return known["access_token"], document
    with _translated(provider), session(provider.ca_file) as http:
        if provider.key == "microsoft":
            renewed = _renew_microsoft(provider, known, http)
        else:
            renewed = _renew_google(provider, known, http)
    renewed["expires_at"] = now.timestamp() + renewed.pop("expires_in")
    return renewed["access_token"], json.dumps(known | renewed)


def doubted(document: str) -> str:
    """The same document, whose access token is renewed before it is used again."""
    return json.dumps(json.loads(document) | {"expires_at": 0})


def _renew_microsoft(
    provider: Provider, known: dict[str, Any], http: requests.Session
) -> dict[str, Any]:
    cache = msal.SerializableTokenCache()
    cache.deserialize(known["cache"])
    app = _microsoft(provider, known["grant"], cache, http)
    accounts = app.get_accounts()
    if not accounts:
        raise _ended(provider, {})
    result = app.acquire_token_silent_with_error(
        _MICROSOFT_SCOPES, account=accounts[0], force_refresh=True
    )
    return _renewed(provider, result or {}, cache=cache.serialize())


def _renew_google(
    provider: Provider, known: dict[str, Any], http: requests.Session
) -> dict[str, Any]:
    token = known["refresh_token"]
    result = _google(provider, http).obtain_token_by_refresh_token(token)
    return _renewed(provider, result, refresh_token=result.get("refresh_token", token))


def _renewed(provider: Provider, result: dict[str, Any], **kept: str) -> dict[str, Any]:
    """What changes in the document. `kept` is the provider's own part of it."""
    if not result or result.get("error") in _ENDED:
        raise _ended(provider, result)
    if "access_token" not in result:
        raise _refusal(provider, result)
    return {
        "access_token": str(result["access_token"]),
        "expires_in": int(result["expires_in"]),
        **kept,
    }


def _document(
    provider: Provider,
    grant: Grant,
    result: dict[str, Any],
    cache: msal.SerializableTokenCache,
    *,
    login: str,
    now: datetime,
) -> str:
    if "access_token" not in result:
        raise _refusal(provider, result)
    _check_person(provider, result["id_token_claims"], person_of(login))
    if provider.key == "google" and _GOOGLE_MAIL not in result["scope"].split():
        raise AuthFailed(
            "Google signed you in, but without access to the mail. Sign in again and leave the box"
            " for Gmail ticked."
        )
    renewal = (
        {"cache": cache.serialize()}
        if provider.key == "microsoft"
        else {"refresh_token": str(result["refresh_token"])}
    )
    return json.dumps(
        {
            "provider": provider.key,
            "grant": grant,
            "access_token": str(result["access_token"]),
            "expires_at": now.timestamp() + int(result["expires_in"]),
            **renewal,
        }
    )


def _check_person(provider: Provider, claims: dict[str, Any], person: str) -> None:
    """Raises AuthFailed if the tokens are somebody else's, or for somebody else than Letterbook.

    The ID token came straight from the provider over TLS (OpenID Connect Core 3.1.3.7, 6), and
    msal leaves all but its nonce to us.
    """
    if claims.get("aud") != provider.client_id:
        raise RemoteError(f"{provider.title} answered with the sign-in of another application.")
    names = {clean(str(claims[name])).lower() for name in _NAMES if claims.get(name)}
    if person.lower() not in names:
        who = ", ".join(sorted(names)) or "somebody without a name"
        raise AuthFailed(
            f"You signed in as {who}, but the login of this mailbox is {person}. Nothing was "
            f"saved. Sign in again as {person}, or change the login."
        )


def _microsoft(
    provider: Provider, grant: Grant, cache: msal.TokenCache, http: requests.Session
) -> Any:  # noqa: ANN401 - msal is not typed
    """Letterbook at Microsoft; the secret belongs to sign-ins by redirect only.

    No instance discovery: the operator names the authority, and nobody else is asked about it.
    """
    given = {
        "authority": provider.authorize_url,
        "instance_discovery": False,
        "token_cache": cache,
        "http_client": http,
    }
    if provider.client_secret and grant == "code":
        return msal.ConfidentialClientApplication(
            provider.client_id, client_credential=provider.client_secret, **given
        )
    return msal.PublicClientApplication(provider.client_id, **given)


def _google(provider: Provider, http: requests.Session) -> Any:  # noqa: ANN401 - msal is not typed
    return OidcClient(
        {
            "authorization_endpoint": provider.authorize_url,
            "token_endpoint": provider.token_url,
        },
        provider.client_id,
        default_body={"client_secret": provider.client_secret},
        http_client=http,
    )


@contextmanager
def _translated(provider: Provider) -> Iterator[None]:
    """Turn whatever the libraries raise into RemoteError; their own texts may hold tokens."""
    try:
        yield
    except requests.exceptions.SSLError as exc:
        raise RemoteError(
            f"The certificate of {provider.title}'s sign-in server is not valid here. Behind a "
            "proxy that looks into connections, LETTERBOOK_CA_FILE names its authority.",
            is_retryable=False,
        ) from exc
    except (requests.RequestException, msal.exceptions.MsalServiceError) as exc:
        raise RemoteError(
            f"The sign-in server of {provider.title} cannot be reached at the moment "
            f"({type(exc).__name__}). Letterbook tries again."
        ) from exc
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as exc:
        raise RemoteError(
            f"The sign-in server of {provider.title} gave an answer that cannot be used."
        ) from exc


def _ended(provider: Provider, result: dict[str, Any]) -> SignInAgain:
    return SignInAgain(
        f"Sign in at {provider.title} again: the sign-in of this mailbox has ended"
        f"{_words(result)}. What is stored stays."
    )


def _refusal(provider: Provider, result: dict[str, Any]) -> AuthFailed | RemoteError:
    """Why there are no tokens, by the error code of RFC 6749."""
    error, words = str(result.get("error", "")), _words(result)
    if error in _REFUSED:
        return AuthFailed(
            f"{provider.title} was told not to let Letterbook read this mailbox{words}. Nothing was"
            " saved. Sign in again and agree; some organisations want an administrator to agree."
        )
    if error == "invalid_grant" or error == "expired_token":
        return AuthFailed(f"This sign-in took too long or was used already{words}. Sign in again.")
    if error not in _REGISTRATION:
        return RemoteError(f"{provider.title} cannot sign anybody in at the moment{words}.")
    return RemoteError(
        f"{provider.title} does not accept Letterbook's registration{words}. Whoever runs "
        f"Letterbook checks LETTERBOOK_{provider.key.upper()}_CLIENT_ID, its secret (it may have "
        "expired) and the redirect address: see docs/mailboxes.md.",
        is_retryable=False,
    )


def _words(result: dict[str, Any]) -> str:
    said = clean(str(result.get("error_description") or result.get("error") or ""))
    return f" (it said: {said})" if said else ""
