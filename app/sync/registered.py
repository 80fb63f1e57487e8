"""Letterbook as the operator registered it at the providers of oAuth logins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.errors import Invalid
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, and Letterbook as the operator registered it there ("" if he did not).

    `servers`: the IMAP servers that take its tokens, which go nowhere else.
    """

    key: Literal["microsoft", "google"]
    title: str
    servers: tuple[str, ...]
    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str
    token_url: str = ""
    ca_file: Path | None = None

    @property
    def has_device_code(self) -> bool:
        """Google gives no device code for mail."""
        return self.key == "microsoft"


def providers(settings: Settings) -> tuple[Provider, ...]:
    return (
        Provider(
            "microsoft",
            "Microsoft 365",
            tuple(settings.microsoft_servers.split()),
            settings.microsoft_client_id,
            settings.microsoft_client_secret,
            settings.microsoft_authority,
            ca_file=settings.ca_file,
        ),
        Provider(
            "google",
            "Google",
            tuple(settings.google_servers.split()),
            settings.google_client_id,
            settings.google_client_secret,
            settings.google_authorize_url,
            settings.google_token_url,
            ca_file=settings.ca_file,
        ),
    )


def provider_for(known: Sequence[Provider], host: str) -> Provider:
    """Who gives tokens for an IMAP server. Raises Invalid if nobody does, or none is set up."""
    for provider in known:
        if host.lower() in provider.servers:
            if provider.client_id:
                return provider
            raise Invalid(
                "auth_type",
                f"oAuth login for {provider.title} is not set up here. Whoever runs Letterbook "
                f"registers it there once and sets LETTERBOOK_{provider.key.upper()}_CLIENT_ID: "
                "see docs/mailboxes.md.",
            )
    servers = ", ".join(server for provider in known for server in provider.servers)
    raise Invalid(
        "auth_type",
        f"oAuth login is for the servers of Microsoft 365 and Google ({servers}). For any other "
        "server choose Password login.",
    )
