"""Mailbox passwords, sealed: AEAD bound to the account, under the key of `<data>/secret.key`."""

import os
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from app.errors import LetterbookError
from app.model import PublicId

NONCE_BYTES = 12


def load_key(directory: Path, configured: str = "") -> bytes:
    """The 32-byte key: from the settings, else from `<data>/secret.key`, made where missing.

    Effects: the file is written once, for its owner only (0600).
    """
    if configured:
        return sha256(configured.encode()).digest()
    path = directory / "secret.key"
    if not path.exists():
        _make_key(path)
    return _read_key(path)


def seal(key: bytes, account: PublicId, secret: str) -> bytes:
    """The secret, readable only with the key and for this account."""
    nonce = token_bytes(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, secret.encode(), account.encode())


def unseal(key: bytes, account: PublicId, sealed: bytes) -> str:
    """The secret. Raises LetterbookError if sealed with another key or for another account."""
    nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, text, account.encode()).decode()
    except InvalidTag as exc:
        raise LetterbookError(
            "The password of this mailbox cannot be read with the present secret key. "
            "Type it again, or bring back the data directory's secret.key."
        ) from exc


def _make_key(path: Path) -> None:
    """Write a key beside and link it in place: others see all of it or nothing, and one wins."""
    beside = path.with_name(f".{path.name}.{token_bytes(8).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(urlsafe_b64encode(token_bytes(32)))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()


def _read_key(path: Path) -> bytes:
    text = path.read_bytes().strip()
    if len(text) < 43:
        raise LetterbookError(
            f"{path} is damaged. Bring it back from the backup, or remove it and type the "
            "passwords of the mailboxes again."
        )
    return sha256(text).digest()
