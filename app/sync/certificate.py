"""What is wrong with a server's certificate, in one sentence. Pure: no connection, no clock."""

from datetime import datetime
from ssl import SSLCertVerificationError

from cryptography import x509
from cryptography.x509.oid import NameOID

from app.sync.faults import clean

_ADVICE = (
    'Or clear the box "Verify the correctness of the SSL/TLS server certificate" for this '
    "mailbox, if you know that this is your server."
)
# OpenSSL's X509_V_ERR_ numbers (openssl-verification-options(1)).
_NOT_YET_VALID = 9
_EXPIRED = 10
_SELF_SIGNED = 18
_UNKNOWN_ISSUERS = frozenset({2, 19, 20, 21})
_OTHER_NAMES = frozenset({62, 64})


def certificate_problem(
    error: SSLCertVerificationError, der: bytes | None, *, host: str, now: datetime
) -> str:
    """Name what is wrong and what to do.

    `der` is the certificate that the server showed (DER); None where it could not be had.
    """
    facts = x509.load_der_x509_certificate(der) if der else None
    problem = _problem(error, facts, host)
    too_old = facts is not None and facts.not_valid_after_utc < now
    if facts is not None and too_old and error.verify_code != _EXPIRED:
        problem += f" It also expired on {_day(facts.not_valid_after_utc)}."
    return f"{problem} {_told(facts)}{_ADVICE}"


def describe(der: bytes) -> str:
    """Issuer and end of a certificate (DER): issued by "R11", valid until 3 November 2026."""
    facts = x509.load_der_x509_certificate(der)
    return f'issued by "{_issuer(facts)}", valid until {_day(facts.not_valid_after_utc)}'


def _problem(error: SSLCertVerificationError, facts: x509.Certificate | None, host: str) -> str:
    code = error.verify_code
    if code == _EXPIRED:
        on = f" on {_day(facts.not_valid_after_utc)}" if facts else ""
        return f"The certificate of {host} expired{on}. Ask whoever runs the server to renew it."
    if code == _NOT_YET_VALID:
        on = f" before {_day(facts.not_valid_before_utc)}" if facts else " yet"
        return f"The certificate of {host} is not valid{on}. Check this computer's clock."
    if code == _SELF_SIGNED:
        return f"The certificate of {host} is self-signed. Ask for one of a known authority."
    if code in _UNKNOWN_ISSUERS:
        return (
            f"No authority known to this computer stands behind the certificate of {host}. Ask "
            "whoever runs the server for the whole chain."
        )
    if code in _OTHER_NAMES:
        return f"The certificate is not valid for {host}. Use a name it is valid for."
    return f"The certificate of {host} cannot be verified ({error.verify_message})."


def _told(facts: x509.Certificate | None) -> str:
    """What the certificate says of itself: whoever is to mend it asks for just that."""
    if facts is None:
        return ""
    since, until = _day(facts.not_valid_before_utc), _day(facts.not_valid_after_utc)
    names = clean(", ".join(_names(facts))) or "no name at all"
    issuer = clean(_issuer(facts))
    return f'It was issued by "{issuer}", is valid from {since} to {until}, and for: {names}. '


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _issuer(facts: x509.Certificate) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in facts.issuer.get_attributes_for_oid(oid):
            return str(attribute.value)
    return facts.issuer.rfc4514_string()


def _names(facts: x509.Certificate) -> list[str]:
    """The DNS names and addresses of the certificate, ten at most."""
    try:
        extension = facts.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return [
        *extension.value.get_values_for_type(x509.DNSName),
        *(str(address) for address in addresses),
    ][:10]
