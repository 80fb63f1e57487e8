"""Finding the settings of a mailbox from its address (product.md R22).

Asked at once, for five seconds in all: the domain's own pages and Thunderbird's directory of
providers (draft-ietf-mailmaint-autoconfig), DNS (RFC 6186), and last, as a guess, who takes the
domain's mail. Only the domain leaves this machine, never what stands before the @. What comes back
fills a form and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from app.errors import RemoteError
from app.model import Security, one_line
from app.sync.addresses import is_internal_host
from app.sync.outside import (
    WITHIN_SECONDS,
    Outside,
    fetch,
    is_host,
    mail_exchangers,
    services,
    the_internet,
)
from app.sync.providers import Found, Source, provider_by_exchanger

DIRECTORY = "https://autoconfig.thunderbird.net/v1.1/"
_MOST_FOUND = 3
_LONGEST_LOGIN = 320
_SECURITIES: dict[str, Security] = {"ssl": "tls", "starttls": "starttls"}
_PASSWORDS = frozenset({"password-cleartext", "plain", "password-encrypted", "secure"})


def find_settings(
    address: str, *, outside: Callable[[], Outside] = the_internet
) -> tuple[Found, ...]:
    """What is known of the server of an address, best first, three hosts at most.

    Never an unencrypted one. Empty where nobody knows, or where the domain is internal.
    """
    domain = _ascii(address.rpartition("@")[2])
    if not is_host(domain) or is_internal_host(domain):
        return ()
    try:
        return asyncio.run(_find(outside(), address, domain))
    except RemoteError:
        return ()


async def _find(outside: Outside, address: str, domain: str) -> tuple[Found, ...]:
    """All sources in the order in which they count; who is too slow is not heard."""
    questions: list[Awaitable[list[Found]]] = [
        _page(outside, f"https://autoconfig.{domain}/mail/config-v1.1.xml", address, "domain"),
        _page(
            outside, f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml", address,
            "domain",
        ),
        _page(outside, f"{DIRECTORY}{domain}", address, "directory"),
        _service(outside, "_imaps._tcp", domain, address),
        _service(outside, "_imap._tcp", domain, address),
        _guess(outside, domain, address),
    ]  # fmt: skip
    tasks = [asyncio.create_task(_unless_silent(question)) for question in questions]
    await asyncio.wait(tasks, timeout=WITHIN_SECONDS)
    answers = [one for task in tasks if task.done() for one in task.result()]
    await _give_up([task for task in tasks if not task.done()])
    sure = [one for one in answers if one.source != "guess"]
    by_host: dict[str, Found] = {}
    for one in sure or answers:
        by_host.setdefault(one.host, one)
    return tuple(by_host.values())[:_MOST_FOUND]


async def _unless_silent(question: Awaitable[list[Found]]) -> list[Found]:
    try:
        return await question
    except RemoteError:
        return []


async def _give_up(late: list[asyncio.Task[list[Found]]]) -> None:
    for one in late:
        one.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def _page(outside: Outside, url: str, address: str, source: Source) -> list[Found]:
    told_by = url.split("/")[2]
    return read_config(await fetch(outside, url), address, source=source, told_by=told_by)


async def _service(outside: Outside, service: str, domain: str, address: str) -> list[Found]:
    security: Security = "tls" if service == "_imaps._tcp" else "starttls"
    found = await services(outside, f"{service}.{domain}")
    return [
        Found(one.host, one.port, security, address, "dns", domain) for one in found if one.port
    ]


async def _guess(outside: Outside, domain: str, address: str) -> list[Found]:
    """By who takes the domain's mail: our own table, else the directory asked for that host."""
    exchangers = await mail_exchangers(outside, domain)
    if not exchangers:
        return []
    (host, *_) = exchangers
    known = provider_by_exchanger(host)
    if known:
        return [Found(known.host, known.port, known.security, address, "guess", host)]
    for parent in _parents(host):
        found = await _unless_silent(_page(outside, f"{DIRECTORY}{parent}", address, "guess"))
        if found:
            return [replace(one, told_by=host) for one in found]
    return []


def read_config(raw: bytes, address: str, *, source: Source, told_by: str) -> list[Found]:
    """The encrypted IMAP servers of a clientConfig 1.1, in its order. Raises RemoteError."""
    root = _parsed(raw)
    servers = [one for one in root.iter("incomingServer") if one.get("type") == "imap"]
    found = [_server(one, address, source, told_by) for one in servers]
    return [one for one in found if one is not None]


def _server(server: Element, address: str, source: Source, told_by: str) -> Found | None:
    host = _filled(server.findtext("hostname") or "", address).lower()
    port = (server.findtext("port") or "").strip()
    security = _SECURITIES.get((server.findtext("socketType") or "").strip().lower())
    is_port = port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536
    if security is None or not is_port or not is_host(host):
        return None
    login = _filled(server.findtext("username") or "", address)[:_LONGEST_LOGIN]
    ways = {(one.text or "").strip().lower() for one in server.findall("authentication")}
    return Found(
        host, int(port), security, login or address, source, told_by,
        wants_oauth="oauth2" in ways and not ways & _PASSWORDS,
    )  # fmt: skip


def _parsed(raw: bytes) -> Element:
    """The document. Raises RemoteError; a document type is refused, for it declares entities."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(raw, True)  # noqa: FBT003 - expat's
    except (expat.ExpatError, LookupError, ValueError) as exc:  # an encoding that is none
        raise RemoteError("This is no settings page.") from exc
    root: Element = builder.close()
    return root


def _refuse_doctype(*_: object) -> None:
    raise RemoteError("A settings page has no document type.")


def _filled(text: str, address: str) -> str:
    local, _, domain = address.rpartition("@")
    for name, value in (
        ("%EMAILADDRESS%", address),
        ("%EMAILLOCALPART%", local),
        ("%EMAILDOMAIN%", domain),
    ):
        text = text.replace(name, value)
    return one_line(text)


def _parents(host: str) -> list[str]:
    """What the directory may know a mail exchanger by, without a list of public suffixes.

    _parents("mx1.mail.home.co.uk") == ["mail.home.co.uk", "home.co.uk"]
    """
    labels = host.split(".")
    wanted = 3 if len(labels) > 2 and len(labels[-2]) < 4 and len(labels[-1]) == 2 else 2
    names = [".".join(labels[1:]), ".".join(labels[-wanted:])]
    return [name for name in dict.fromkeys(names) if name.count(".") >= wanted - 1]


def _ascii(domain: str) -> str:
    """A domain as DNS knows it; "" if it cannot be one."""
    try:
        return domain.strip().encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
