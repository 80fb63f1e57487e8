"""A small OpenID server on loopback, for oAuth logins: Microsoft and Google, as far as used.

It speaks https only, because msal does. Whoever is typed into its page is signed in; its access
tokens are JWTs (HS256) that Dovecot verifies with the same key (`dovecot_config`).
"""

import hmac
import json
import secrets
import ssl
import tempfile
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt

from tests import dovecot

KEY = b"k" * 32
CLIENT_ID = "letterbook-client"
CLIENT_SECRET = "letterbook-client-secret"
MAIL_SCOPES = ("https://outlook.office.com/IMAP.AccessAsUser.All", "https://mail.google.com/")

_PAGE = """<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1>
<form method="post"><label>Account <input name="person" value="{person}"></label>
<button name="do" value="accept">Accept</button><button name="do" value="deny">Deny</button></form>
"""


@dataclass(slots=True)
class Granted:
    """What a code, a device code or a refresh token stands for. `person` "": nobody yet."""

    person: str
    scope: str
    nonce: str = ""
    challenge: str = ""
    redirect_uri: str = ""


@dataclass(slots=True)
class OpenId:
    """A running server, and what it shall do. `requests` are the forms sent to /token.

    With a `failing_status` of 3xx it sends them on, to where they are `moved`.

    `opens`: the mailbox of a delegation that tokens are good for, "": the person's own.
    `device_person` signs in with a device code after it was first asked about.
    """

    port: int
    ca_file: Path
    secret: str = CLIENT_SECRET
    lifetime_seconds: int = 3600
    withheld_scope: str = ""
    opens: str = ""
    device_person: str = ""
    device_interval: int = 1
    rotates: bool = True
    signing_key: bytes = KEY
    failing_status: int = 0
    audience: str = CLIENT_ID
    error: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    moved: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, Granted] = field(default_factory=dict)
    devices: dict[str, Granted] = field(default_factory=dict)
    refresh: dict[str, Granted] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def forget(self) -> None:
        """Be as at the start."""
        fresh = OpenId(self.port, self.ca_file)
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    def settings(self, kind: str = "microsoft", host: str = dovecot.HOST) -> dict[str, str]:
        """The environment under which this is Microsoft, or Google, for the mail server `host`."""
        endpoints = {
            "microsoft": {"AUTHORITY": f"{self.url}/tenant"},
            "google": {"AUTHORIZE_URL": f"{self.url}/authorize", "TOKEN_URL": f"{self.url}/token"},
        }[kind]
        given = {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": self.secret, "SERVERS": host, **endpoints}
        named = {f"LETTERBOOK_{kind.upper()}_{name}": text for name, text in given.items() if text}
        return {**named, "LETTERBOOK_CA_FILE": str(self.ca_file)}

    def answer(self, url: str, person: str, *, denies: bool = False) -> dict[str, str]:
        """What comes back to the redirect address when a person accepts at the page, or denies."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        if denies:
            said = {"error": "access_denied", "error_description": "The user said no."}
            return {**said, "state": asked["state"]}
        code = secrets.token_urlsafe(16)
        self.codes[code] = Granted(
            person, asked["scope"], asked["nonce"], asked["code_challenge"], asked["redirect_uri"]
        )
        return {"code": code, "state": asked["state"]}

    def accept_device(self, user_code: str, person: str) -> None:
        self.devices[user_code].person = person

    def revoke_all(self) -> None:
        self.refresh.clear()

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint (RFC 6749 5)."""
        self.requests.append(form)
        if self.error:
            return {"error": self.error, "error_description": f"{self.error}, it said."}
        if form["client_id"] != CLIENT_ID or not self._knows(form):
            return {"error": "invalid_client", "error_description": "Not registered here."}
        grant = form["grant_type"]
        if grant == "authorization_code":
            return self._by_code(form)
        if grant == "refresh_token":
            return self._by_refresh_token(form)
        return self._by_device(form)

    def _knows(self, form: dict[str, str]) -> bool:
        if form["grant_type"].endswith("device_code"):
            return "client_secret" not in form
        return hmac.compare_digest(form.get("client_secret", ""), self.secret)

    def _by_code(self, form: dict[str, str]) -> dict[str, Any]:
        granted = self.codes.pop(form["code"], None)
        digest = sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        if not granted or granted.challenge != challenge:
            return {"error": "invalid_grant", "error_description": "The code is not good."}
        assert granted.redirect_uri == form["redirect_uri"]
        return self._tokens(granted)

    def _by_refresh_token(self, form: dict[str, str]) -> dict[str, Any]:
        granted = self.refresh.get(form["refresh_token"])
        if granted is None:
            return {"error": "invalid_grant", "error_description": "The token was revoked."}
        if self.rotates:
            return self._tokens(granted)
        tokens = self._tokens(granted)
        del self.refresh[tokens.pop("refresh_token")]
        return tokens

    def _by_device(self, form: dict[str, str]) -> dict[str, Any]:
        granted = self.devices.get(form["device_code"].removeprefix("device-"))
        if granted is None:
            return {"error": "expired_token"}
        if not granted.person:
            granted.person = self.device_person
            return {"error": "authorization_pending"}
        return self._tokens(granted)

    def _tokens(self, granted: Granted) -> dict[str, Any]:
        now, renewal = int(time.time()), secrets.token_urlsafe(16)
        self.refresh[renewal] = granted
        claims = {"iss": self.url, "sub": granted.person, "iat": now, "nbf": now}
        mail = {**claims, "email": self.opens or granted.person, "exp": now + self.lifetime_seconds}
        who = {**claims, "aud": self.audience, "exp": now + 3600, "nonce": granted.nonce}
        who |= {"preferred_username": granted.person, "email": granted.person}
        # Microsoft says with `client_info` whose tokens they are (base64 of JSON).
        info = urlsafe_b64encode(json.dumps({"uid": granted.person, "utid": "t"}).encode())
        return {
            "token_type": "Bearer",
            "access_token": jwt.encode(mail, self.signing_key, "HS256"),
            "expires_in": self.lifetime_seconds,
            "refresh_token": renewal,
            "id_token": jwt.encode(who, KEY, "HS256"),
            "client_info": info.decode().rstrip("="),
            "scope": " ".join(s for s in granted.scope.split() if s != self.withheld_scope),
        }

    def device_code(self, form: dict[str, str]) -> dict[str, Any]:
        code = secrets.token_hex(4).upper()
        self.devices[code] = Granted("", form["scope"])
        return {
            "device_code": f"device-{code}",
            "user_code": code,
            "verification_uri": f"{self.url}/device",
            "expires_in": 900,
            "interval": self.device_interval,
        }

    def configuration(self) -> dict[str, str]:
        return {
            "issuer": f"{self.url}/tenant/v2.0",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/tenant/token",
            "device_authorization_endpoint": f"{self.url}/devicecode",
        }


class _Server(ThreadingHTTPServer):
    openid: OpenId


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path.startswith("/authorize"):
            hint = dict(parse_qsl(urlsplit(self.path).query)).get("login_hint", "")
            self._send(200, _PAGE.format(person=hint), "text/html")
        else:
            self._send(200, json.dumps(self.server.openid.configuration()))

    def do_POST(self) -> None:
        openid = self.server.openid
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body))
        if self.path.startswith("/authorize"):
            asked = dict(parse_qsl(urlsplit(self.path).query))
            denies = form["do"] == "deny"
            back = openid.answer(self.path, form["person"], denies=denies)
            self._send(302, "", location=f"{asked['redirect_uri']}?{urlencode(back)}")
        elif self.path.startswith("/moved"):
            openid.moved.append(form)
            self._send(200, "{}")
        elif openid.failing_status:
            away = "/moved" if 300 <= openid.failing_status < 400 else ""
            self._send(openid.failing_status, "<h1>Out of order</h1>", location=away)
        else:
            verb = openid.device_code if self.path.startswith("/devicecode") else openid.token
            answer = verb(form)
            self._send(400 if "error" in answer else 200, json.dumps(answer))

    def _send(
        self, status: int, text: str, kind: str = "application/json", *, location: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(directory: Path | None = None) -> Iterator[OpenId]:
    """Start a server, and end it. `directory` holds the certificate of a Dovecot to share."""
    with tempfile.TemporaryDirectory() as own:
        if directory is None:
            directory = Path(own)
            dovecot._write_certificate(directory, "good")
        server = _Server(("localhost", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
        context.set_alpn_protocols(["http/1.1"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        server.openid = OpenId(server.server_address[1], directory / "certificate.pem")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.openid
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextmanager
def dovecot_running(mechanisms: str = "xoauth2 oauthbearer") -> Iterator[dovecot.Dovecot]:
    """A Dovecot that takes the tokens, besides passwords."""
    with tempfile.TemporaryDirectory(prefix="lb-keys-") as made:
        directory = Path(made)
        key = directory / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_text(b64encode(KEY).decode())
        (directory / "oauth2.conf").write_text(
            "introspection_mode = local\nusername_attribute = email\nforce_introspection = no\n"
            f"local_validation_key_dict = fs:posix:prefix={directory}/keys/\n"
        )
        dovecot._own_tree(directory)
        extra = (
            f"auth_mechanisms = plain login {mechanisms}\npassdb {{{{\n  driver = oauth2\n"
            f"  mechanisms = xoauth2 oauthbearer\n  args = {directory}/oauth2.conf\n}}}}\n"
        )
        with dovecot.running(extra=extra) as server:
            yield server
