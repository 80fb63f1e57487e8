"""Mail that this process has just parsed, so that its indexer need not read and parse it again."""

from dataclasses import replace
from threading import Lock

from app.mail import ParsedMail
from app.model import CopyId
from app.store.database import Store

_MOST = 6_000
_MOST_CHARACTERS = 30_000_000
_PER_ENTRY = 100
"""Characters that a part, an address or a reference counts for: a small mail may have thousands."""

_lock = Lock()
_kept: dict[tuple[str, CopyId], ParsedMail] = {}
_characters = 0


def keep(store: Store, copy_id: CopyId, mail: ParsedMail) -> None:
    """Remember what a new copy says, without its header block.

    Effects: the oldest ones are forgotten where they are too many or too long.
    """
    global _characters
    key, kept = (str(store.directory), copy_id), replace(mail, header=b"")
    with _lock:
        before = _kept.pop(key, None)
        _characters += _size(kept) - (_size(before) if before else 0)
        _kept[key] = kept
        while len(_kept) > _MOST or _characters > _MOST_CHARACTERS:
            _characters -= _size(_kept.pop(next(iter(_kept))))


def take(store: Store, copy_id: CopyId) -> ParsedMail | None:
    """What was remembered of a copy, once; None if it was not, or is forgotten."""
    global _characters
    with _lock:
        mail = _kept.pop((str(store.directory), copy_id), None)
        _characters -= _size(mail) if mail else 0
        return mail


def _size(mail: ParsedMail) -> int:
    people = (mail.from_, mail.to, mail.cc, mail.bcc, mail.reply_to)
    entries = len(mail.leaves) + len(mail.references) + sum(map(len, people))
    return len(mail.text) + _PER_ENTRY * entries
