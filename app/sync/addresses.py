"""Which mail servers people who are not administrators may reach: public ones, on IMAP's ports.

Otherwise whoever may add a mailbox could knock at every door of the operator's own network.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from app.errors import RemoteError

IMAP_PORTS = frozenset({143, 993})
INTERNAL = (
    "This server is not on the public internet. Only an administrator can set up a mailbox on"
    " a server inside your own network."
)
OTHER_PORT = "Only an administrator can set up a mailbox on another port than 143 and 993."

# What carries an IPv4 address inside: NAT64 (RFC 6052); 6to4 and Teredo have properties.
_NAT64 = IPv6Network("64:ff9b::/96")

# What is outside is special, local or not given out yet (IANA), though Python calls most of it
# global: site-local, local NAT64, IPv4-compatible and IPv4-translated addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def is_internal_host(host: str) -> bool:
    """Whether the host, as it is written, is an address or a name that is not public.

    A name that only leads to such an address is found out when it is resolved.
    """
    name = host.strip().rstrip(".").lower()
    try:
        return not is_public(name.strip("[]"))
    except ValueError:
        return name == "localhost" or name.endswith((".localhost", ".local", ".internal"))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet. Raises ValueError if it is none.

    Loopback, private, link-local (cloud metadata too), shared, multicast and reserved ones are
    not, nor an IPv6 address that carries such an IPv4 address.
    """
    found = ip_address(address)
    inner = _carried(found) if isinstance(found, IPv6Address) else None
    if inner is not None:
        return inner.is_global and not inner.is_multicast
    is_unicast = isinstance(found, IPv4Address) or found in _GLOBAL_UNICAST
    return is_unicast and found.is_global and not found.is_multicast


def public_addresses(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, resolved once, for connecting to just these.

    Raises RemoteError, with one sentence for all, if any of them is not public or the port is
    not one of IMAP; OSError or UnicodeError where the name leads nowhere.
    """
    if port not in IMAP_PORTS:
        raise RemoteError(OTHER_PORT, is_retryable=False)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = tuple(dict.fromkeys(str(place[0]) for *_, place in found))
    if not all(is_public(address.partition("%")[0]) for address in addresses):
        raise RemoteError(INTERNAL, is_retryable=False)
    return addresses


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour
