"""The mail that the demo's IMAP server serves, in memory."""

from dataclasses import dataclass, field
from datetime import datetime

UIDVALIDITY = 20_260_101


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in a folder. `at` is its INTERNALDATE."""

    raw: bytes
    flags: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class ServedFolder:
    """A folder; the message with UID n is `messages[n - 1]`."""

    name: str
    special_use: str = ""
    messages: list[Stored] = field(default_factory=list)

    @property
    def unseen(self) -> int:
        return sum("\\Seen" not in message.flags for message in self.messages)


@dataclass(slots=True)
class ServedMailbox:
    """A login and its folders, by name in the order that LIST gives."""

    login: str
    password: str
    folders: dict[str, ServedFolder] = field(default_factory=dict)
