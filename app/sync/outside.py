"""Asking the public internet: DNS and HTTPS, with bounds, and never anything that is internal.

Whoever may type an e-mail address has the worker ask servers of his choice. So every host is
resolved here, once; all its addresses must be public; the connection goes to one of just these; and
a redirect is a new question under the same rules.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import dns.exception
import httpx
from dns.asyncresolver import Resolver
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.IN.SRV import SRV

from app.errors import RemoteError
from app.sync.addresses import is_public

WITHIN_SECONDS = 5.0
LARGEST_ANSWER = 64_000
"""Bytes. The settings of a provider take about 3 KB."""

_STEP_SECONDS = WITHIN_SECONDS - 1.0
"""A step ends by itself before all do: httpx leaves a socket open whose handshake is cancelled."""

_MOST_REDIRECTS = 3
_MOST_RECORDS = 10
_HOST = re.compile(
    r"(?=.{4,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+(?!\d+\Z)[a-z0-9-]{2,63}"
)
_HEADERS = {
    "Accept": "text/xml, application/xml",
    "Accept-Encoding": "identity",
    "User-Agent": "Letterbook",
}


@dataclass(frozen=True, slots=True)
class Outside:
    """How the internet is reached. `is_allowed` says which addresses may be connected to."""

    resolver: Resolver
    context: ssl.SSLContext
    port: int = 443
    is_allowed: Callable[[str], bool] = is_public


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service is said to be (RFC 2782)."""

    host: str
    port: int


def the_internet() -> Outside:
    """As this machine reaches it. Raises RemoteError where it knows no name server."""
    with _translated("this machine"):
        resolver = Resolver()
    resolver.lifetime = WITHIN_SECONDS
    return Outside(resolver, ssl.create_default_context())


def is_host(text: str) -> bool:
    """Whether it is a full host name in ASCII small letters; an IP address is none."""
    return _HOST.fullmatch(text) is not None


async def fetch(outside: Outside, url: str) -> bytes:
    """What a page says, 64 KB at most. Raises RemoteError."""
    given = {"verify": outside.context, "timeout": _STEP_SECONDS, "trust_env": False}
    for _ in range(_MOST_REDIRECTS + 1):
        host = _host_of(url, outside.port)
        address = await _address(outside, host)
        # A client for each: no cookie goes from one host to another.
        with _translated(host):
            place = httpx.URL(url).copy_with(host=address, port=outside.port)
            async with (
                httpx.AsyncClient(**given) as client,  # type: ignore[arg-type]
                client.stream(
                    "GET",
                    place,
                    headers={"Host": host, **_HEADERS},
                    extensions={"sni_hostname": host},
                ) as answer,
            ):
                if not answer.has_redirect_location:
                    return await _limited(answer, host)
                url = urljoin(url, answer.headers["location"])
    raise RemoteError(f"{host} leads in circles.")


async def services(outside: Outside, name: str) -> list[Service]:
    """The SRV records of a name, best first; what says "not offered" is absent."""
    with _translated(name):
        found = await outside.resolver.resolve(f"{name}.", RdataType.SRV)
    records = [one for one in found if isinstance(one, SRV)]
    records.sort(key=lambda one: (one.priority, -one.weight))
    services = [Service(_text(one.target), one.port) for one in records[:_MOST_RECORDS]]
    return [one for one in services if is_host(one.host)]


async def mail_exchangers(outside: Outside, domain: str) -> list[str]:
    """The hosts that take mail for a domain, best first."""
    with _translated(domain):
        found = await outside.resolver.resolve(f"{domain}.", RdataType.MX)
    records = [one for one in found if isinstance(one, MX)]
    records.sort(key=lambda one: one.preference)
    hosts = [_text(one.exchange) for one in records[:_MOST_RECORDS]]
    return [host for host in hosts if is_host(host)]


def _host_of(url: str, port: int) -> str:
    """The host of an address that may be asked. Raises RemoteError."""
    try:
        parts = urlsplit(url)
        host, is_usual = parts.hostname or "", parts.port in (None, 443, port)
    except ValueError as exc:
        raise RemoteError(f"{url!r} is no address.") from exc
    if parts.scheme != "https" or not is_usual or "@" in parts.netloc or not is_host(host):
        raise RemoteError(f"{url!r} may not be asked.")
    return host


async def _address(outside: Outside, host: str) -> str:
    """An address of the host, all of which must be allowed; IPv4 first, it reaches further."""
    with _translated(host):
        found = list((await outside.resolver.resolve_name(f"{host}.")).addresses())
    if not found or not all(map(outside.is_allowed, found)):
        raise RemoteError(f"{host} is not on the public internet.")
    return min(found, key=lambda address: ":" in address)


async def _limited(answer: httpx.Response, host: str) -> bytes:
    if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
        raise RemoteError(f"{host} has no such page.")
    read = bytearray()
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) > LARGEST_ANSWER:
            raise RemoteError(f"{host} answers without end.")
    return bytes(read)


def _text(name: object) -> str:
    return str(name).rstrip(".").lower()


@contextmanager
def _translated(host: str) -> Iterator[None]:
    """Turn what the libraries raise into RemoteError."""
    try:
        yield
    except (dns.exception.DNSException, httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        raise RemoteError(f"{host} gives no answer ({exc.__class__.__name__}).") from exc
    except ValueError as exc:  # an address or a header that is none
        raise RemoteError(f"{host} gives no sensible answer.") from exc
