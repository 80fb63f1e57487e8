"""Who stands behind a message that no record knows yet, as the start of a new record. Pure."""

from dataclasses import dataclass

from app.mail import ParsedMail
from app.model import Address, Team
from app.search.analysis import fold
from app.search.evidence import domains, is_own


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a new record may begin with; `domain` is empty for free mail and for our own."""

    company: str = ""
    person: str = ""
    address: str = ""
    domain: str = ""


def newcomer_of(mail: ParsedMail, team: Team) -> Newcomer:
    """The other side of the message: its sender or, where we wrote it, the first to receive it."""
    people = [*mail.from_, mail.sender, *mail.to, *mail.cc]
    outside = (one for one in people if one.address and not is_own(one.address, team))
    other = next(outside, None) or mail.sender
    domain = min(domains([other.address.lower()], team), key=len, default="")
    return Newcomer(_company(other, domain), other.name or other.address, other.address, domain)


def _company(other: Address, domain: str) -> str:
    """Its display name where the domain agrees or says nothing, else the domain as a name."""
    label = domain.partition(".")[0]
    if not label:
        return other.name
    if fold(label) in fold(other.name).replace(" ", ""):
        return other.name
    return label.capitalize()
