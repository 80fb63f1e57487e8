"""What every IMAP server of a test run has heard: it must never be more than reading."""

import re
from collections.abc import Iterable

READ_ONLY_VERBS = {
    "CAPABILITY", "ID", "ENABLE", "LOGIN", "AUTHENTICATE", "NAMESPACE", "LIST", "STATUS", "EXAMINE",
    "UID SEARCH", "UID FETCH", "IDLE", "NOOP", "LOGOUT", "STARTTLS",
}  # fmt: skip
"""All that Letterbook may ever send."""

_LEAVES_UNREAD = re.compile(
    r"UID|FLAGS|MODSEQ|INTERNALDATE|RFC822\.SIZE|EMAILID|THREADID|X-GM-\w+|ENVELOPE|BODYSTRUCTURE"
    r"|CHANGEDSINCE|\d+|BODY\.PEEK\[.*?\](<\d+\.\d+>)?"
)
_forbidden: set[str] = set()


def verb(command: str) -> str:
    """The verb of a logged command: `UID FETCH` for `A1 UID FETCH 1 (FLAGS)`."""
    words = command.split(" ")
    return " ".join(words[1:3]).upper() if words[1].upper() == "UID" else words[1].upper()


def is_reading(command: str) -> bool:
    """Whether it changes nothing on the server, not even \\Seen. With its tag: `A1 NOOP`."""
    if verb(command) == "UID FETCH":
        items = command.split(" ", 4)[4].upper()
        return not re.sub(r"[() ]", "", _LEAVES_UNREAD.sub("", items))
    return verb(command) in READ_ONLY_VERBS


def note(commands: Iterable[str]) -> None:
    """Remember what was heard, for the end of the run."""
    _forbidden.update(command for command in commands if not is_reading(command))


def forbidden() -> set[str]:
    """All that any server has heard in this run and that was more than reading."""
    return _forbidden
