"""What the worker asks outside: public hosts over https, a little at a time, and nothing inside."""

import asyncio

import pytest

from app.errors import RemoteError
from app.sync.outside import LARGEST_ANSWER, fetch
from tests.internet import HERE, Internet
from tests.sync import test_sync_autoconfig
from tests.sync.test_sync_autoconfig import OWN, config

OTHER = "https://settings.firma-b.pl/config.xml"
machine = test_sync_autoconfig.machine
net = test_sync_autoconfig.net


@pytest.mark.parametrize(
    "records",
    [
        {"A": [HERE]},
        {"A": ["10.0.0.1"]},
        {"A": ["169.254.169.254"]},
        {"A": ["100.64.0.1"]},
        {"A": ["0.0.0.0"]},
        {"AAAA": ["::1"]},
        {"AAAA": ["fd00::1"]},
        {"AAAA": ["::ffff:127.0.0.1"]},
        {"AAAA": ["64:ff9b::7f00:1"]},
        {"A": ["93.184.215.14", HERE]},
        {"A": ["93.184.215.14"], "AAAA": ["fe80::1"]},
    ],
)
def test_a_host_that_leads_inside_is_not_reached(
    net: Internet, records: dict[str, list[str]]
) -> None:
    for kind, values in records.items():
        net.records["autoconfig.firma-a.pl", kind] = values

    with pytest.raises(RemoteError, match="not on the public internet"):
        asyncio.run(fetch(net.outside(is_strict=True), OWN))

    assert net.asked_pages == []


def test_a_redirect_that_leads_inside_is_not_followed(net: Internet) -> None:
    net.add_page(OWN, status=302, headers={"Location": OTHER})
    net.add_page(OTHER, config())
    net.records["settings.firma-b.pl", "A"] = ["192.168.1.1"]

    with pytest.raises(RemoteError, match=r"settings\.firma-b\.pl is not on the public internet"):
        asyncio.run(fetch(net.outside(), OWN))


def test_a_name_is_resolved_once_and_the_connection_goes_there(net: Internet) -> None:
    """Against a name that leads elsewhere at the second question."""
    net.add_page(OWN, config())

    asyncio.run(fetch(net.outside(), OWN))

    assert net.asked_names.count(("autoconfig.firma-a.pl", "A")) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://settings.firma-b.pl/config.xml",
        "https://127.0.0.1/config.xml",
        "https://[::1]/config.xml",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://settings.firma-b.pl:8443/config.xml",
        "https://user:secret@settings.firma-b.pl/config.xml",
        "https://localhost/",
        "file:///etc/passwd",
        "gopher://settings.firma-b.pl/",
        "//settings.firma-b.pl:22/",
        "https://[",
    ],
)
def test_a_redirect_goes_to_https_on_a_named_host_only(net: Internet, location: str) -> None:
    net.add_page(OWN, status=301, headers={"Location": location})
    net.add_page(OTHER, config())

    with pytest.raises(RemoteError, match=r"may not be asked|no sensible answer"):
        asyncio.run(fetch(net.outside(), OWN))

    assert all(page.startswith("https://autoconfig.firma-a.pl/") for page in net.asked_pages)


def test_a_redirect_to_another_host_is_followed(net: Internet) -> None:
    net.add_page(OWN, status=301, headers={"Location": OTHER})
    net.add_page(OTHER, config())

    assert asyncio.run(fetch(net.outside(), OWN)) == config().encode()


def test_a_redirect_in_circles_ends(net: Internet) -> None:
    net.add_page(OWN, status=302, headers={"Location": OWN})

    with pytest.raises(RemoteError, match="in circles"):
        asyncio.run(fetch(net.outside(), OWN))

    assert len(net.asked_pages) == 4


def test_a_certificate_of_another_host_is_refused(net: Internet) -> None:
    net.add_page("https://www.firma-c.pl/x", config())

    with pytest.raises(RemoteError):
        asyncio.run(fetch(net.outside(), "https://www.firma-c.pl/x"))

    assert net.asked_pages == []


@pytest.mark.parametrize(
    "given",
    [
        {"body": b"x" * (LARGEST_ANSWER + 1)},
        {"status": 404},
        {"status": 500},
        {"headers": {"Content-Encoding": "gzip"}},
    ],
)
def test_what_is_no_page_of_settings_is_not_read(net: Internet, given: dict[str, object]) -> None:
    net.add_page(OWN, **{"body": config(), **given})  # type: ignore[arg-type]

    with pytest.raises(RemoteError):
        asyncio.run(fetch(net.outside(), OWN))
