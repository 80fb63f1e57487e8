"""Where the big providers keep their IMAP servers. A table of our own: nobody is asked.

It only fills the form, which stays editable, and links the provider's own help (R22).
"""

from dataclasses import dataclass

from app.model import Security


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's server, the page of its help, and what its customers must know first."""

    name: str
    host: str
    help_url: str
    help_title: str
    note: str = ""
    port: int = 993
    security: Security = "tls"


_APP_PASSWORD = "It wants an app password in place of the usual one."  # noqa: S105 - a hint
MICROSOFT = Provider(
    "Microsoft 365",
    "outlook.office365.com",
    "https://support.microsoft.com/office/pop-imap-and-smtp-settings-for-outlook-com-"
    "d088b986-291d-42b8-9564-9c414e2aa040",
    "POP, IMAP, and SMTP settings",
    "Microsoft lets mail programs in by oAuth login only; a password is refused.",
)
_GMAIL = Provider(
    "Gmail",
    "imap.gmail.com",
    "https://support.google.com/accounts/answer/185833",
    "Sign in with app passwords",
    _APP_PASSWORD,
)
_ICLOUD = Provider(
    "iCloud Mail",
    "imap.mail.me.com",
    "https://support.apple.com/102525",
    "iCloud Mail server settings",
    _APP_PASSWORD,
)
_YAHOO = Provider(
    "Yahoo Mail",
    "imap.mail.yahoo.com",
    "https://help.yahoo.com/kb/SLN4075.html",
    "IMAP server settings",
    _APP_PASSWORD,
)
_WP = Provider("WP Poczta", "imap.wp.pl", "https://pomoc.wp.pl/", "Pomoc WP")
_ONET = Provider("Onet Poczta", "imap.poczta.onet.pl", "https://pomoc.onet.pl/", "Pomoc Onet")
_GMX = Provider("GMX", "imap.gmx.net", "https://hilfe.gmx.net/", "GMX Hilfe")

_BY_DOMAIN: dict[str, Provider] = {
    "gmail.com": _GMAIL,
    "googlemail.com": _GMAIL,
    "icloud.com": _ICLOUD,
    "me.com": _ICLOUD,
    "mac.com": _ICLOUD,
    "yahoo.com": _YAHOO,
    "wp.pl": _WP,
    "onet.pl": _ONET,
    "op.pl": _ONET,
    "vp.pl": _ONET,
    "onet.eu": _ONET,
    "o2.pl": Provider("o2 Poczta", "poczta.o2.pl", "https://pomoc.o2.pl/", "Pomoc o2"),
    "interia.pl": Provider(
        "Interia Poczta", "poczta.interia.pl", "https://pomoc.interia.pl/", "Pomoc Interia"
    ),
    "gmx.net": _GMX,
    "gmx.de": _GMX,
    "web.de": Provider("WEB.DE", "imap.web.de", "https://hilfe.web.de/", "WEB.DE Hilfe"),
    "fastmail.com": Provider(
        "Fastmail",
        "imap.fastmail.com",
        "https://www.fastmail.help/",
        "Fastmail Help",
        _APP_PASSWORD,
    ),
    "outlook.com": MICROSOFT,
    "hotmail.com": MICROSOFT,
    "live.com": MICROSOFT,
    "msn.com": MICROSOFT,
}


def provider_of(address: str) -> Provider | None:
    """The provider of an address, by its domain; None where the domain says nothing."""
    domain = address.strip().lower().rpartition("@")[2]
    if domain.endswith(".onmicrosoft.com"):
        return MICROSOFT
    return _BY_DOMAIN.get(domain)
