"""Settings found from an address, and that nobody can have other things asked."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import RemoteError
from app.sync import autoconfig
from app.sync.autoconfig import DIRECTORY, find_settings, read_config
from app.sync.providers import _DOMAINS, Found, provider_of
from tests.internet import Internet, running

ADDRESS = "anna.nowak@firma-a.pl"
OWN = "https://autoconfig.firma-a.pl/mail/config-v1.1.xml"
WELL_KNOWN = "https://firma-a.pl/.well-known/autoconfig/mail/config-v1.1.xml"
HOSTS = (
    "firma-a.pl",
    "autoconfig.firma-a.pl",
    "settings.firma-b.pl",
    "autoconfig.thunderbird.net",
    "autoconfig.xn--d-uga0v4h.pl",
)


def config(host: str = "imap.firma-a.pl", **given: str) -> str:
    said = {
        "port": "993",
        "socketType": "SSL",
        "username": "%EMAILADDRESS%",
        "authentication": "password-cleartext",
    } | given
    rest = "".join(f"<{name}>{text}</{name}>" for name, text in said.items())
    return (
        '<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">'
        '<incomingServer type="pop3"><hostname>pop.firma-a.pl</hostname><port>995</port>'
        "<socketType>SSL</socketType></incomingServer>"
        f'<incomingServer type="imap"><hostname>{host}</hostname>{rest}</incomingServer>'
        "</emailProvider></clientConfig>"
    )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    with running(tmp_path_factory.mktemp("internet"), *HOSTS) as net:
        yield net


@pytest.fixture
def net(machine: Internet) -> Internet:
    """The internet, empty."""
    for one in (machine.records, machine.pages, machine.silent):
        one.clear()
    machine.asked_names.clear()
    machine.asked_pages.clear()
    return machine


def found(net: Internet, address: str = ADDRESS) -> list[Found]:
    return list(find_settings(address, outside=net.outside))


def read(raw: str | bytes) -> list[Found]:
    raw = raw.encode() if isinstance(raw, str) else raw
    return read_config(raw, ADDRESS, source="domain", told_by="x")


# -- who is asked, and whose answer counts


def test_the_domains_own_page_counts_first(net: Internet) -> None:
    net.add_page(OWN, config("imap.firma-a.pl"))
    net.add_page(DIRECTORY + "firma-a.pl", config("imap.other.pl"))

    first, second = found(net)

    assert first == Found("imap.firma-a.pl", 993, "tls", ADDRESS, "domain", "autoconfig.firma-a.pl")
    assert (second.host, second.source) == ("imap.other.pl", "directory")


@pytest.mark.parametrize(
    ("url", "source"),
    [(OWN, "domain"), (WELL_KNOWN, "domain"), (DIRECTORY + "firma-a.pl", "directory")],
)
def test_each_page_is_asked(net: Internet, url: str, source: str) -> None:
    net.add_page(url, config())

    (only,) = found(net)

    assert (only.source, only.told_by) == (source, url.split("/")[2])


def test_the_part_before_the_at_stays_here(net: Internet) -> None:
    net.add_page(OWN, config())
    net.add_page(DIRECTORY + "firma-a.pl", config())

    found(net)

    asked = [*net.asked_pages, *(name for name, _ in net.asked_names)]
    assert asked
    assert not any("anna" in one or "@" in one or "?" in one for one in asked)


def test_dns_names_the_service_by_priority(net: Internet) -> None:
    """RFC 6186."""
    net.records["_imaps._tcp.firma-a.pl", "SRV"] = [
        "20 1 993 second.firma-a.pl.",
        "10 1 9993 first.firma-a.pl.",
    ]
    net.records["_imap._tcp.firma-a.pl", "SRV"] = ["10 1 143 plain.firma-a.pl."]

    first, second, third = found(net)

    assert first == Found("first.firma-a.pl", 9993, "tls", ADDRESS, "dns", "firma-a.pl")
    assert second.host == "second.firma-a.pl"
    assert (third.host, third.port, third.security) == ("plain.firma-a.pl", 143, "starttls")


def test_a_service_that_is_not_offered_is_none(net: Internet) -> None:
    net.records["_imaps._tcp.firma-a.pl", "SRV"] = ["0 0 0 ."]

    assert found(net) == []


def test_a_domain_at_a_big_provider_is_known_by_who_takes_its_mail(net: Internet) -> None:
    net.records["firma-a.pl", "MX"] = ["20 alt.example.pl.", "10 aspmx.l.google.com."]

    (only,) = found(net)

    assert only == Found("imap.gmail.com", 993, "tls", ADDRESS, "guess", "aspmx.l.google.com")


def test_the_directory_knows_hosts_that_take_mail(net: Internet) -> None:
    net.records["firma-a.pl", "MX"] = ["10 mx00.kundenserver.de."]
    net.add_page(DIRECTORY + "kundenserver.de", config("imap.1und1.de"))

    (only,) = found(net)

    assert (only.host, only.source, only.told_by) == (
        "imap.1und1.de",
        "guess",
        "mx00.kundenserver.de",
    )


def test_a_guess_is_not_shown_beside_what_is_known(net: Internet) -> None:
    net.records["firma-a.pl", "MX"] = ["10 aspmx.l.google.com."]
    net.add_page(OWN, config())

    assert [one.source for one in found(net)] == ["domain"]


def test_who_is_silent_holds_up_nobody(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoconfig, "WITHIN_SECONDS", 3.0)
    net.add_page(DIRECTORY + "firma-a.pl", config())
    net.silent |= {"autoconfig.firma-a.pl", "firma-a.pl", "_imaps._tcp.firma-a.pl"}

    assert [one.source for one in found(net)] == ["directory"]


def test_a_domain_with_letters_outside_ascii_is_asked_as_dns_spells_it(net: Internet) -> None:
    net.add_page(OWN.replace("firma-a.pl", "xn--d-uga0v4h.pl"), config())

    assert found(net, normalize("NFC", "anna@łódź.pl"))


@pytest.mark.parametrize(
    "address",
    [
        "a@localhost",
        "a@127.0.0.1",
        "a@10.0.0.10",
        "a@[::1]",
        "a@nas.local",
        "a@x.internal",
        "a@0x7f.1",
        "a@x..pl",
        "a@x.pl/../y",
        "a@x.pl:8080",
        "a@b@",
        "@",
        "",
        "a@" + "x" * 300 + ".pl",
    ],
)
def test_what_is_no_public_domain_asks_nobody(net: Internet, address: str) -> None:
    assert found(net, address) == []
    assert net.asked_names == net.asked_pages == []


# -- hostile pages


def typed(doctype: str, host: str) -> str:
    """A page with a document type."""
    return config(host).replace("?>", "?>" + doctype, 1)


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    + "]>"
)


@pytest.mark.parametrize(
    "raw",
    [
        typed(BOMB, "imap.firma-a.pl"),
        typed(BOMB, "&g;"),
        typed('<!DOCTYPE x SYSTEM "file:///etc/passwd">', "imap.firma-a.pl"),
        typed('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"),
        typed('<!DOCTYPE x [<!ENTITY e "imap.evil.pl">]>', "&e;"),
        config("&nbsp;"),
        config()[:-4],
        "",
        "<html>Not here",
        b"\xff\xfe",
        '<?xml version="1.0" encoding="no-such"?>' + config().partition("?>")[2],
        '<?xml version="1.0" encoding="utf-7"?>' + config().partition("?>")[2],
    ],
)
def test_a_hostile_page_is_refused(raw: str | bytes) -> None:
    with pytest.raises(RemoteError):
        read(raw)


def test_a_deep_page_is_read_without_harm() -> None:
    assert read("<a>" * 10_000 + "</a>" * 10_000) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(RemoteError):
        read(raw)


@pytest.mark.parametrize(
    "page",
    [
        config(socketType="plain"),
        config(socketType=""),
        config(port="0"),
        config(port="65536"),
        config(port="99999999999999999999"),
        config(port="٣"),
        config("10.0.0.1"),
        config("imap.firma-a.pl\r\nX: y"),
        config("<![CDATA[<script>]]>"),
        config("localhost"),
        config(""),
        "<clientConfig><incomingServer type='imap'/></clientConfig>",
    ],
)
def test_a_server_that_is_none_or_not_encrypted_is_left_out(page: str) -> None:
    assert read(page) == []


def test_placeholders_are_filled_in_here() -> None:
    page = config("imap.%EMAILDOMAIN%", username="%EMAILLOCALPART%", socketType="STARTTLS")

    (only,) = read(page)

    assert (only.host, only.login, only.security) == ("imap.firma-a.pl", "anna.nowak", "starttls")


@pytest.mark.parametrize(
    ("ways", "wants_oauth"),
    [
        ("OAuth2", True),
        ("OAuth2</authentication><authentication>password-cleartext", False),
        ("password-cleartext", False),
    ],
)
def test_a_server_without_passwords_is_told(ways: str, wants_oauth: bool) -> None:
    (only,) = read(config(authentication=ways))

    assert only.wants_oauth is wants_oauth


# -- the table


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("a@gmail.com", "imap.gmail.com"),
        ("A@OUTLOOK.com ", "outlook.office365.com"),
        ("a@firma.onmicrosoft.com", "outlook.office365.com"),
        ("a@wp.pl", "imap.wp.pl"),
        ("a@tlen.pl", "poczta.o2.pl"),
        ("a@yahoo.de", "imap.mail.yahoo.com"),
        ("a@gmx.at", "imap.gmx.net"),
        ("a@t-online.de", "secureimap.t-online.de"),
    ],
)
def test_the_big_providers_are_known_without_asking(address: str, host: str) -> None:
    known = provider_of(address)

    assert known is not None
    assert known.host == host


def test_the_table_is_sound() -> None:
    domains = [domain for _, some in _DOMAINS for domain in some.split()]

    assert len(domains) == len(set(domains))
    assert all(known.help_url.startswith("https://") for known, _ in _DOMAINS)
    assert {(known.port, known.security) for known, _ in _DOMAINS} == {(993, "tls")}


def test_an_unknown_domain_is_in_no_table() -> None:
    assert provider_of(ADDRESS) is None
    assert provider_of(str(Path("x"))) is None
