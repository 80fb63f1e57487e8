"""The team itself: set up once, changed by administrators; and what each person prefers."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from secrets import choice
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from app.errors import AuthFailed, Conflict, Invalid
from app.model import Team, User, UserId, checked_domain, one_line, version_of
from app.people.members import checked_email, checked_name
from app.people.passwords import hash_password
from app.people.sign_in import open_session
from app.people.throttle import note_failure, require_calm
from app.people.tokens import digest_of
from app.settings import machine_zone
from app.store import Store, audit, transaction, users
from app.store import team as teams

LANGUAGES: Final = {"en": "English", "pl": "Polski"}
MOST_NAMES: Final = 20
MOST_NAME_CHARACTERS: Final = 200
MOST_DOMAINS: Final = 50

_AREAS: Final = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia"),
    *("Europe", "Indian", "Pacific"),
)
_CODE_SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_DONE: Final = "The team is set up already. Sign in."


def needs_set_up(store: Store) -> bool:
    """Whether nobody was ever made: then every page leads to the first one."""
    return users.is_empty(store)


def new_code() -> str:
    """A code for the terminal: eight signs that cannot be taken for one another."""
    signs = "".join(choice(_CODE_SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"


def digest_of_code(code: str) -> bytes:
    """Case, blanks and dashes do not count."""
    return digest_of("".join(sign for sign in code.upper() if sign.isalnum()))


def check_code(
    store: Store, typed: str, expected: bytes | None, *, address: str, now: datetime
) -> None:
    """Raises Invalid unless it is the code that the terminal shows; AuthFailed after too many."""
    keys = {"code": f"code:{address}", "codes": "code"}
    try:
        require_calm(store, keys, now=now)
    except AuthFailed as exc:
        raise Invalid("code", str(exc)) from exc
    if expected is None or not hmac.compare_digest(digest_of_code(typed), expected):
        note_failure(store, keys, now=now)
        raise Invalid("code", "This is not the code that the terminal shows.")


def set_up(
    store: Store,
    team: Team,
    *,
    email: str,
    name: str,
    password: str,
    address: str,
    agent: str,
    now: datetime,
) -> str:
    """Make the team and its first administrator; gives the token of his session.

    Raises Conflict if somebody is there already: of two who try at once, one wins. Raises Invalid
    for what was typed wrong. Effects: one transaction, audited.
    """
    if not needs_set_up(store):
        raise Conflict(_DONE)
    name, email = checked_name(name), checked_email(email)
    team = checked_team(team)
    hashed = hash_password(password)
    with transaction(store):
        if not needs_set_up(store):
            raise Conflict(_DONE)
        user_id = users.add(
            store,
            email=email,
            name=name,
            is_admin=True,
            roles=(),
            password_hash=hashed,
            now=now,
        )
        users.set_profile(store, user_id, name=name, language=team.language, time_zone="")
        teams.put(store, team)
        teams.mark_set_up(store, now=now)
        audit.note(store, "set up team", by=user_id, now=now)
    return open_session(store, user_id, address=address, agent=agent, now=now)


def team_version(team: Team) -> str:
    """Stands for what the form of the team shows."""
    return version_of(team.names, team.domains, team.language, team.time_zone)


def change_team(
    store: Store, team: Team, *, version: str | None = None, by: UserId | None, now: datetime
) -> Team:
    """Save the team's names, domains, language and time zone; gives them as they are kept.

    Raises Invalid, and Conflict if somebody saved since `version`. Effects: one transaction,
    audited.
    """
    team = checked_team(team)
    with transaction(store):
        if version is not None and team_version(teams.get(store)) != version:
            raise Conflict("Somebody else saved the team in the meantime.")
        teams.put(store, team)
        audit.note(store, "set team", by=by, now=now)
    return team


def change_profile(
    store: Store, user_id: UserId, *, name: str, language: str, time_zone: str, now: datetime
) -> None:
    """Save what a person says of himself; "" for the browser's language and the team's time zone.

    Raises Invalid. Effects: one transaction, audited.
    """
    name = checked_name(name)
    language = checked_language(language) if language else ""
    time_zone = checked_zone(time_zone)
    with transaction(store):
        users.set_profile(store, user_id, name=name, language=language, time_zone=time_zone)
        audit.note(store, "change profile", by=user_id, now=now)


def zone_of(store: Store, user: User) -> tzinfo:
    """The time zone a person lives in: his own, else the team's, else the machine's."""
    return zone_named(user.time_zone or teams.get(store).time_zone)


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo:
    """The zone of that name; the machine's where it is empty or not known here any more."""
    for one in (name, machine_zone()):
        try:
            return ZoneInfo(one)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return UTC


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """The time zones to choose from, by name: those of places, without old and odd ones."""
    places = (name for name in available_timezones() if name.split("/")[0] in _AREAS)
    return ("UTC", *sorted(places))


def checked_team(team: Team) -> Team:
    """The team as it is kept. Raises Invalid."""
    return Team(
        _checked_names(team.names),
        _checked_domains(team.domains),
        checked_language(team.language),
        checked_zone(team.time_zone),
    )


def checked_language(language: str) -> str:
    """Raises Invalid."""
    if language not in LANGUAGES:
        raise Invalid("language", f"Choose a language: {', '.join(LANGUAGES.values())}.")
    return language


def checked_zone(name: str) -> str:
    """The name of a time zone, or "". Raises Invalid."""
    name = one_line(name)
    if not name:
        return ""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        reason = f"{name[:100]!r} is no time zone. One is Europe/Warsaw."
        raise Invalid("time_zone", reason) from exc
    return name


def _checked_names(typed: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for name in map(one_line, typed) if name))
    if len(names) > MOST_NAMES or any(len(name) > MOST_NAME_CHARACTERS for name in names):
        raise Invalid(
            "names",
            f"At most {MOST_NAMES} names of at most {MOST_NAME_CHARACTERS} characters each.",
        )
    return names


def _checked_domains(typed: Sequence[str]) -> tuple[str, ...]:
    domains = tuple(dict.fromkeys(checked_domain(one) for one in typed if one_line(one)))
    if len(domains) > MOST_DOMAINS:
        raise Invalid("domains", f"At most {MOST_DOMAINS} domains.")
    return domains
