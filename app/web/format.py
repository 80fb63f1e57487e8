"""How dates, sizes and names are written on the pages."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from markupsafe import Markup

from app.model import Address

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")


def short_date(moment: datetime, *, now: datetime, zone: tzinfo | None = None) -> str:
    """15:04 today, 14 Mar this year, else 2024-03-14; without `zone` in the machine's own."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if local.year == today.year:
        return f"{local.day} {local:%b}"
    return f"{local:%Y-%m-%d}"


def long_date(moment: datetime, *, zone: tzinfo | None = None) -> str:
    """Thu 14 March 2024, 15:04."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%B %Y, %H:%M}"


def when(moment: datetime | None, *, is_long: bool = False) -> Markup:
    """A date as a <time> element with the full text beneath; empty if there is none."""
    if moment is None:
        return Markup("")
    text = long_date(moment) if is_long else short_date(moment, now=datetime.now(UTC))
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, long_date(moment), text)


def clock(moment: datetime) -> str:
    """15:04."""
    return f"{moment.astimezone():%H:%M}"


def size(size_bytes: int) -> str:
    """812 B, 3.4 KB, 12 MB."""
    amount, unit = float(size_bytes), _UNITS[0]
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"


def count(number: int) -> str:
    """8,300."""
    return f"{number:,}"


def person(address: Address) -> str:
    """The name, else the address, else a dash."""
    return address.name or address.address or "-"


def badge(number: int) -> str:
    """What fits on a badge: 12, 99+."""
    return str(number) if number < 100 else "99+"
