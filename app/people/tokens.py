"""Tokens of sessions and links: the store holds their digest only."""

from hashlib import sha256


def digest_of(token: str) -> bytes:
    """32 raw bytes."""
    return sha256(token.encode(errors="replace")).digest()
