"""Dates as people type them: periods with a first moment, and ages. Pure; `now` comes in."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?\Z", re.ASCII)
_AGE = re.compile(r"(\d{1,4})([dwmy])\Z", re.ASCII | re.IGNORECASE)
_RELATIVE = re.compile(r"(this|last)[ _-]+(week|month|year)\Z", re.IGNORECASE)
_MONTHS: Final = {"m": 1, "y": 12}
_DAYS: Final = {"d": 1, "w": 7}


def period(value: str, *, zone: tzinfo, now: datetime) -> tuple[datetime, datetime] | None:
    """The first moments of a period and of the next one; None: it is not understood.

    Years, months and days ("2025", "2025-03", "2025-03-14"), today, yesterday, and this or last
    week, month or year; weeks begin on Monday.
    """
    try:
        days = _days(value.strip(), now.astimezone(zone).date())
        return days and (_midnight(days[0], zone), _midnight(days[1], zone))
    except (ValueError, OverflowError):
        return None


def moment_before(value: str, *, zone: tzinfo, now: datetime) -> datetime | None:
    """The moment an age ("6m", "2w", "3d", "1y") before `now`; None: it is not understood."""
    match = _AGE.match(value.strip())
    if match is None:
        return None
    number, unit = int(match.group(1)), match.group(2).lower()
    local = now.astimezone(zone)
    try:
        if unit in _DAYS:
            found = local - timedelta(days=number * _DAYS[unit])
        else:
            first = _month(local.date(), -number * _MONTHS[unit])
            last = (_month(first, 1) - timedelta(days=1)).day
            found = local.replace(
                year=first.year, month=first.month, day=min(local.day, last), fold=0
            )
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _days(value: str, today: date) -> tuple[date, date] | None:
    day = timedelta(days=1)
    if value.lower() == "today":
        return today, today + day
    if value.lower() == "yesterday":
        return today - day, today
    if match := _RELATIVE.match(value):
        return _relative(match.group(2).lower(), today, is_last=match.group(1).lower() == "last")
    match = _DATE.match(value)
    if match is None:
        return None
    year, month, number = (int(part) if part is not None else None for part in match.groups())
    start = date(year or 0, 1 if month is None else month, 1 if number is None else number)
    if number is not None:
        return start, start + day
    return start, _month(start, 12 if month is None else 1)


def _relative(unit: str, today: date, *, is_last: bool) -> tuple[date, date]:
    if unit == "week":
        monday = today - timedelta(days=today.weekday(), weeks=is_last)
        return monday, monday + timedelta(weeks=1)
    length = 12 if unit == "year" else 1
    start = _month(today.replace(month=1) if unit == "year" else today, -length * is_last)
    return start, _month(start, length)


def _month(day: date, later: int) -> date:
    """The first day of the month so many months later."""
    months = day.year * 12 + day.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    found = datetime(day.year, day.month, day.day, tzinfo=zone)
    found.astimezone(UTC)  # raises for the first and the last days that there are
    return found
