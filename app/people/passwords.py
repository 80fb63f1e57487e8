"""Passwords: argon2id, never more than two at a time."""

from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Invalid

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024

hasher = PasswordHasher()
_hashing = BoundedSemaphore(2)
"""A hash takes 64 MB and 0.2 s: no more than two at a time."""

_NO_ONES_HASH: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$KKjztl38/2Boi8MODzJFhw$cE9uiiuEaY2sZH9WQDf+8LQV9hUMT42hm8qH6wNwr/U"
)
"""Checked for an unknown person, so that the answer takes as long."""


def hash_password(password: str) -> str:
    """The argon2id hash. Raises Invalid if the password is too short or too long."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password", f"A password has at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise Invalid("password", f"A password has at most {LONGEST_PASSWORD} characters.")
    with _hashing:
        return hasher.hash(password.encode(errors="replace"))


def is_right(password: str, hashed: str | None) -> bool:
    """Whether the password is the hashed one; takes as long where there is none."""
    typed = password[:LONGEST_PASSWORD].encode(errors="replace")
    with _hashing:
        try:
            hasher.verify(hashed or _NO_ONES_HASH, typed)
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None
