"""Where the big providers keep their IMAP servers. A table of our own: nobody is asked.

It only fills the form, which stays editable, and links the provider's own help (R22).
Source of the hosts: the providers' help, and Thunderbird's directory (ispdb) where it has them.
"""

from dataclasses import dataclass
from typing import Literal

from app.model import AuthType, Security


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's server, the page of its help, and what its customers must know first.

    `auth_type` is the only way it takes; None: it takes both.
    """

    name: str
    host: str
    help_url: str
    help_title: str
    note: str = ""
    port: int = 993
    security: Security = "tls"
    auth_type: AuthType | None = "password"


Source = Literal["domain", "directory", "dns", "guess"]


@dataclass(frozen=True, slots=True)
class Found:
    """A server that somebody names for a mailbox; `told_by` is the host or domain that does.

    `wants_oauth`: it takes no password.
    """

    host: str
    port: int
    security: Security
    login: str
    source: Source
    told_by: str
    wants_oauth: bool = False


_APP_PASSWORD = "It wants an app password in place of the usual one."  # noqa: S105 - a hint
MICROSOFT = Provider(
    "Microsoft 365",
    "outlook.office365.com",
    "https://support.microsoft.com/office/pop-imap-and-smtp-settings-for-outlook-com-"
    "d088b986-291d-42b8-9564-9c414e2aa040",
    "POP, IMAP, and SMTP settings",
    "Microsoft lets mail programs in by oAuth login only; a password is refused.",
    auth_type="oauth",
)
_GMAIL = Provider(
    "Gmail",
    "imap.gmail.com",
    "https://support.google.com/accounts/answer/185833",
    "Sign in with app passwords",
    "It wants an app password in place of the usual one, or the oAuth login.",
    auth_type=None,
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

_AOL = Provider("AOL Mail", "imap.aol.com", "https://help.aol.com/", "AOL Help", _APP_PASSWORD)
_O2 = Provider("o2 Poczta", "poczta.o2.pl", "https://pomoc.o2.pl/", "Pomoc o2")
_INTERIA = Provider(
    "Interia Poczta", "poczta.interia.pl", "https://pomoc.interia.pl/", "Pomoc Interia"
)
_GMX_COM = Provider("GMX", "imap.gmx.com", "https://support.gmx.com/", "GMX Support")
_WEB_DE = Provider("WEB.DE", "imap.web.de", "https://hilfe.web.de/", "WEB.DE Hilfe")
_T_ONLINE = Provider(
    "T-Online",
    "secureimap.t-online.de",
    "https://www.telekom.de/hilfe/apps-dienste/e-mail/einstellungen/posteingang-postausgang-server",
    "E-Mail-Einstellungen",
    "It wants the e-mail password, which is not the one of the website.",
)
_POSTEO = Provider("Posteo", "posteo.de", "https://posteo.de/en/help", "Posteo Help")
_MAILBOX_ORG = Provider(
    "mailbox.org", "imap.mailbox.org", "https://kb.mailbox.org/", "mailbox.org Knowledge Base"
)
_FASTMAIL = Provider(
    "Fastmail",
    "imap.fastmail.com",
    "https://www.fastmail.help/",
    "Fastmail Help",
    _APP_PASSWORD,
)
_SEZNAM = Provider(
    "Seznam Email", "imap.seznam.cz", "https://o-seznam.cz/napoveda/email/", "Nápověda"
)
_ORANGE = Provider("Orange", "imap.orange.fr", "https://assistance.orange.fr/", "Assistance Orange")
_FREE = Provider("Free", "imap.free.fr", "https://assistance.free.fr/", "Assistance Free")
_LA_POSTE = Provider(
    "La Poste", "imap.laposte.net", "https://aide.laposte.net/", "Aide laposte.net"
)
_LIBERO = Provider("Libero Mail", "imapmail.libero.it", "https://aiuto.libero.it/", "Aiuto Libero")

_DOMAINS: tuple[tuple[Provider, str], ...] = (
    (_GMAIL, "gmail.com googlemail.com"),
    (MICROSOFT, "outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.cz hotmail.com"),
    (MICROSOFT, "hotmail.co.uk hotmail.de hotmail.fr hotmail.es hotmail.it live.com live.co.uk"),
    (MICROSOFT, "live.de live.fr live.it live.nl live.se live.dk msn.com"),
    (_ICLOUD, "icloud.com me.com mac.com"),
    (_YAHOO, "yahoo.com yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ro yahoo.se"),
    (_YAHOO, "yahoo.co.uk yahoo.co.in yahoo.com.au yahoo.com.br yahoo.ca ymail.com rocketmail.com"),
    (_AOL, "aol.com aol.de aol.fr aol.co.uk aim.com"),
    (_WP, "wp.pl"),
    (_ONET, "onet.pl onet.eu onet.com.pl op.pl vp.pl poczta.onet.pl poczta.onet.eu"),
    (_O2, "o2.pl go2.pl tlen.pl prokonto.pl"),
    (_INTERIA, "interia.pl interia.eu interia.com poczta.fm intmail.pl"),
    (_GMX, "gmx.net gmx.de gmx.at gmx.ch"),
    (_GMX_COM, "gmx.com gmx.us gmx.co.uk"),
    (_WEB_DE, "web.de"),
    (_T_ONLINE, "t-online.de magenta.de"),
    (_POSTEO, "posteo.de posteo.net posteo.eu posteo.org"),
    (_MAILBOX_ORG, "mailbox.org"),
    (_FASTMAIL, "fastmail.com fastmail.fm"),
    (_SEZNAM, "seznam.cz email.cz post.cz"),
    (_ORANGE, "orange.fr wanadoo.fr"),
    (_FREE, "free.fr"),
    (_LA_POSTE, "laposte.net"),
    (_LIBERO, "libero.it"),
)
_BY_DOMAIN = {domain: provider for provider, domains in _DOMAINS for domain in domains.split()}
_BY_HOST = {provider.host: provider for provider, _ in _DOMAINS}

# Who takes the mail of other people's domains, by the end of the host's name.
_BY_EXCHANGER: tuple[tuple[str, Provider], ...] = (
    (".google.com", _GMAIL),
    (".googlemail.com", _GMAIL),
    (".protection.outlook.com", MICROSOFT),
    (".mx.microsoft", MICROSOFT),
    (".mail.icloud.com", _ICLOUD),
    (".messagingengine.com", _FASTMAIL),
    (".mailbox.org", _MAILBOX_ORG),
    (".posteo.de", _POSTEO),
)


def provider_of(address: str) -> Provider | None:
    """The provider of an address, by its domain; None where the domain says nothing."""
    domain = address.strip().lower().rpartition("@")[2]
    if domain.endswith(".onmicrosoft.com"):
        return MICROSOFT
    return _BY_DOMAIN.get(domain)


def provider_at(host: str) -> Provider | None:
    """The provider whose IMAP server this is."""
    return _BY_HOST.get(host)


def provider_by_exchanger(host: str) -> Provider | None:
    """The provider that takes mail at this host (MX) for the domains of others."""
    return next((one for end, one in _BY_EXCHANGER if host.endswith(end)), None)
