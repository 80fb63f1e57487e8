"""How dates, sizes and names are written on the pages."""

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import Final

from markupsafe import Markup

from app.model import Address

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: Edge and Opera say Chrome too, and Chrome says Safari."""
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)

viewer_zone: Final[ContextVar[tzinfo | None]] = ContextVar("viewer_zone", default=None)
"""The time zone of who looks, for this request; None: the machine's own. The gate sets it: macros
of the templates see neither the page nor who asked for it."""


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
    zone = viewer_zone.get()
    full = long_date(moment, zone=zone)
    text = full if is_long else short_date(moment, now=datetime.now(UTC), zone=zone)
    stamp = moment.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, full, text)


def day(moment: datetime) -> Markup:
    """12 March 2024, as a <time> element."""
    local = moment.astimezone(viewer_zone.get())
    return Markup('<time datetime="{}">{}</time>').format(
        local.date().isoformat(), f"{local.day} {local:%B %Y}"
    )


def month(moment: datetime) -> str:
    """March 2024."""
    return f"{moment.astimezone(viewer_zone.get()):%B %Y}"


def clock(moment: datetime, *, seconds: bool = False) -> str:
    """15:04, or 15:04:59."""
    local = moment.astimezone(viewer_zone.get())
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


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


def device(agent: str) -> str:
    """What a browser says it is, in two words: Firefox on Linux."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or agent[:40] or "-"
