"""Tokens: of sessions, links and the API. The store holds their digest only."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from app.errors import AuthFailed, Busy, Invalid, NotFound
from app.model import PublicId, UserId, Viewer, one_line
from app.people.throttle import note_failure, require_calm
from app.store import Store, api_tokens, audit, transaction, visibility
from app.store.api_tokens import ApiToken

SCOPES: Final = {
    "read": "Read and search the mail and the records that I may see",
    "file": "Archive and attach mail to records, and detach it",
    "records": "Read, create, change, put away and merge records",
}
"""What a token may be for, in words."""

MOST_DAYS: Final = 365
MOST_TOKENS: Final = 50
MOST_NAME_CHARACTERS: Final = 100
_BEGINS: Final = "lbk_"
_SHOWN: Final = len(_BEGINS) + 6
_LONGEST: Final = 200
_TOUCH_EVERY: Final = timedelta(minutes=1)
_WRONG: Final = "This token is wrong, has expired or was revoked. Make a new one on your profile."


def digest_of(token: str) -> bytes:
    """32 raw bytes."""
    return sha256(token.encode(errors="replace")).digest()


def create_token(
    store: Store,
    user_id: UserId,
    *,
    name: str,
    scopes: Sequence[str],
    days: int,
    now: datetime,
) -> tuple[PublicId, str]:
    """A new token of a person for the API: its id, and the token itself, told only here.

    Raises Invalid. Effects: one transaction, audited.
    """
    name = _checked(name, scopes, days)
    token = _BEGINS + token_urlsafe(32)
    with transaction(store):
        if sum(one.is_good(now) for one in api_tokens.of_user(store, user_id)) >= MOST_TOKENS:
            raise Invalid("name", f"There are {MOST_TOKENS} tokens already. Revoke some first.")
        public_id = api_tokens.add(
            store,
            user_id,
            digest_of(token),
            name=name,
            prefix=token[:_SHOWN],
            scopes=[scope for scope in SCOPES if scope in scopes],
            expires_at=now + timedelta(days=days),
            now=now,
        )
        audit.note(
            store,
            "create token",
            by=user_id,
            now=now,
            token=public_id,
            name=name,
            scopes=list(scopes),
            days=days,
        )
    return public_id, token


def revoke_token(store: Store, viewer: Viewer, public_id: str, *, now: datetime) -> None:
    """End a token of one's own or, as an administrator, of anybody.

    Raises NotFound. Effects: one transaction, audited; may be repeated.
    """
    with transaction(store):
        found = api_tokens.get(store, public_id)
        if found.user.id != viewer.user_id and not viewer.is_admin:
            raise NotFound
        if found.revoked_at is None:
            api_tokens.revoke(store, found.id, now=now)
            audit.note(
                store,
                "revoke token",
                by=viewer.user_id,
                now=now,
                token=found.public_id,
                name=found.name,
                user=found.user.id,
            )


def viewer_of_token(
    store: Store, token: str, *, address: str, now: datetime
) -> tuple[Viewer, ApiToken]:
    """Whom a token stands for, with his rights as they are now.

    Raises AuthFailed with one sentence whatever is wrong with it; with another after too many
    wrong ones from that address. A right one is let in even then: 256 random bits are not found
    by guessing, and one bad client must not shut out the others behind its address.

    Effects: notes at most once a minute that the token is in use, or a failure.
    """
    found = api_tokens.by_digest(store, digest_of(token)) if len(token) <= _LONGEST else None
    if found is None or not found.is_good(now):
        keys = {"token": f"token:{address}"}
        require_calm(store, keys, now=now)
        with suppress(Busy):
            note_failure(store, keys, now=now)
        raise AuthFailed(_WRONG)
    if found.last_used_at is None or now - found.last_used_at > _TOUCH_EVERY:
        with suppress(Busy):  # a request that only reads waits for no write
            api_tokens.touch(store, found.id, now=now)
    return visibility.viewer_of(store, found.user.id), found


def _checked(name: str, scopes: Sequence[str], days: int) -> str:
    """The name as it is kept. Raises Invalid."""
    name = one_line(name)
    if not 0 < len(name) <= MOST_NAME_CHARACTERS:
        reason = f"Give the token a name of at most {MOST_NAME_CHARACTERS} characters."
        raise Invalid("name", reason)
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid("scopes", "Choose what the token is for.")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("days", f"Type for how many days it is good, 1 to {MOST_DAYS}.")
    return name
