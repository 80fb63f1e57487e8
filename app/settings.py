"""Settings from the environment. The only module that reads it; fails loudly, with one line.

Owns names, defaults and checks (docs/settings.md is tested against FIELDS); knows no other room.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from app.errors import Invalid

PREFIX = "LETTERBOOK_"
SECRETS = ("secret_key", "microsoft_client_secret", "google_client_secret")
"""Also to be had from a file: LETTERBOOK_<NAME>_FILE."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set; each field is LETTERBOOK_<NAME IN CAPITALS>.

    Secrets may also be named as files (LETTERBOOK_SECRET_KEY_FILE). An empty `secret_key` means
    `<data>/secret.key`, made at the first start. `public_url` is the only source of host and
    scheme for links, cookies, oAuth logins and the Origin check.
    """

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    secret_key: str = field(default="", repr=False)
    ca_file: Path | None = None
    poll_seconds: int = 60
    allow_clear_passwords: str = "no"
    find_settings: str = "yes"
    upload_limit: int = 4_000_000_000
    backup_dir: Path | None = None
    backup_every_hours: int = 24
    backup_keep: int = 14
    microsoft_client_id: str = ""
    microsoft_client_secret: str = field(default="", repr=False)
    microsoft_authority: str = "https://login.microsoftonline.com/common"
    microsoft_servers: str = "outlook.office365.com imap-mail.outlook.com"
    google_client_id: str = ""
    google_client_secret: str = field(default="", repr=False)
    google_authorize_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    google_token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    google_servers: str = "imap.gmail.com imap.googlemail.com"
    log_level: str = "info"

    @property
    def is_loopback(self) -> bool:
        """Whether the public address is this machine only."""
        return is_loopback_host(urlsplit(self.public_url).hostname or "")

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: object) -> "Settings":
        """The environment's settings; `given` (from the command line) goes before it.

        Raises Invalid, naming the variable and what would be right.
        """
        known = {f"{PREFIX}{one.name.upper()}": one.name for one in fields(cls)}
        values: dict[str, object] = {}
        for name, text in environ.items():
            if name.startswith(PREFIX):
                setting, value = _read_variable(name, text, known)
                values[setting] = _CHECKS[setting](name, value)
        values |= {name: value for name, value in given.items() if value is not None}
        settings = cls(**values)  # type: ignore[arg-type]  # checked one by one just above
        if settings.public_url:
            return settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return cls(**(values | {"public_url": f"http://{host}:{settings.port}"}))  # type: ignore[arg-type]  # as above


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address always means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def machine_zone() -> str:
    """The name of this machine's time zone, as its files say it; "UTC" where they do not."""
    with suppress(OSError):
        target = str(Path("/etc/localtime").resolve(strict=True))
        _, found, name = target.partition("/zoneinfo/")
        if found:
            return name.removeprefix("Etc/") if name.endswith("/UTC") else name
    with suppress(OSError, UnicodeDecodeError):
        return Path("/etc/timezone").read_text().strip() or "UTC"
    return "UTC"


def _read_variable(name: str, text: str, known: Mapping[str, str]) -> tuple[str, str]:
    """The field a variable sets and its text; NAME_FILE is read for NAME."""
    if name in known:
        return known[name], text
    secret = name.removeprefix(PREFIX).removesuffix("_FILE").lower()
    if name.endswith("_FILE") and secret in SECRETS:
        try:
            return secret, Path(text).read_text().strip()
        except OSError as exc:
            raise Invalid(name, f"{name}: cannot read {text} ({exc.strerror}).") from exc
    raise Invalid(name, f"{name} is not a setting. The settings are: {', '.join(sorted(known))}.")


def _whole_number(low: int, high: int) -> Callable[[str, str], int]:
    def check(name: str, text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            reason = f"{name} must be a whole number from {low} to {high}, not {text!r}."
            raise Invalid(name, reason)
        return int(text)

    return check


def _path(name: str, text: str) -> Path:
    if not text:
        raise Invalid(name, f"{name} is empty. Name a path or leave it out.")
    return Path(text)


def _existing_file(name: str, text: str) -> Path:
    path = _path(name, text)
    if not path.is_file():
        raise Invalid(name, f"{name}: there is no file {text}.")
    return path


def _host(name: str, text: str) -> str:
    if not text or any(c.isspace() or c == "/" for c in text):
        raise Invalid(name, f"{name} must be a host name or an IP address, not {text!r}.")
    return text


def _url(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise Invalid(name, f"{name} must look like https://mail.example.com, not {text!r}.")
    return text.rstrip("/")


def _secret(name: str, text: str) -> str:
    if len(text) < 32:
        raise Invalid(name, f"{name} must have 32 characters or more.")
    return text


def _endpoint(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or not parts.path.strip("/"):
        raise Invalid(name, f"{name} must be an https address with a path, not {text!r}.")
    return text.rstrip("/")


def _client_text(name: str, text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid(name, f"{name} must be as the provider's console shows it, without blanks.")
    return text


def _servers(name: str, text: str) -> str:
    return " ".join(_host(name, one) for one in text.lower().split() or [""])


def _yes_or_no(name: str, text: str) -> str:
    if text not in ("yes", "no"):
        raise Invalid(name, f"{name} must be yes or no, not {text!r}.")
    return text


def _log_level(name: str, text: str) -> str:
    levels = ("debug", "info", "warning", "error")
    if text not in levels:
        raise Invalid(name, f"{name} must be one of {', '.join(levels)}, not {text!r}.")
    return text


_CHECKS: dict[str, Callable[[str, str], object]] = {
    "data": _path,
    "host": _host,
    "port": _whole_number(1, 65535),
    "public_url": _url,
    "secret_key": _secret,
    "ca_file": _existing_file,
    "poll_seconds": _whole_number(5, 86_400),
    "allow_clear_passwords": _yes_or_no,
    "find_settings": _yes_or_no,
    "upload_limit": _whole_number(1_000_000, 1_000_000_000_000),
    "backup_dir": _path,
    "backup_every_hours": _whole_number(1, 720),
    "backup_keep": _whole_number(1, 1_000),
    "microsoft_client_id": _client_text,
    "microsoft_client_secret": _client_text,
    "microsoft_authority": _endpoint,
    "microsoft_servers": _servers,
    "google_client_id": _client_text,
    "google_client_secret": _client_text,
    "google_authorize_url": _endpoint,
    "google_token_url": _endpoint,
    "google_servers": _servers,
    "log_level": _log_level,
}
