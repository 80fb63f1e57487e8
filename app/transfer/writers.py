"""The forms in which mail goes out: one mbox, .eml files in a folder or zip, Maildir++."""

import os
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from app.errors import Invalid
from app.mail.utf7 import encode_name, shifted
from app.model import Copy
from app.transfer.mbox import written

Form = Literal["mbox", "eml", "maildir"]

MOST_IN_ZIP = 300_000
"""Messages; the list of a zip's contents is read into memory, also by who reads it."""

LAST_YEAR_IN_ZIP = 2107

LONGEST_NAME = 200
_LETTERS = {
    "\\Draft": "D",
    "\\Flagged": "F",
    "$Forwarded": "P",
    "\\Answered": "R",
    "\\Seen": "S",
    "\\Deleted": "T",
}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:]")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A copy on its way out, and where it lies: `mailbox` is a safe name, "" is not kept."""

    copy: Copy
    raw: bytes
    received_at: datetime
    flags: tuple[str, ...] = ()
    mailbox: str = ""
    folder: str = ""
    is_exact: bool = True


def write(items: Iterable[Outgoing], form: Form, path: Path) -> None:
    """Write mail to a path where there is nothing yet. Raises OSError, Invalid."""
    if form == "mbox":
        _write_mbox(items, path)
    elif form == "maildir":
        _write_maildir(items, path)
    elif path.suffix.lower() == ".zip":
        _write_zip(items, path)
    else:
        _write_files(items, path)


def _write_mbox(items: Iterable[Outgoing], path: Path) -> None:
    with path.open("xb") as file:
        for item in items:
            file.write(written(item.raw, item.received_at))
        file.flush()
        os.fsync(file.fileno())


def _write_files(items: Iterable[Outgoing], path: Path) -> None:
    path.mkdir()
    for item in items:
        file = path / _eml_name(item)
        file.parent.mkdir(exist_ok=True)
        _write_file(item, file)


def _write_zip(items: Iterable[Outgoing], path: Path) -> None:
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        for number, item in enumerate(items):
            if number == MOST_IN_ZIP:
                raise Invalid(
                    "dest",
                    f"A zip takes {MOST_IN_ZIP:,} messages at most, and these are more. Name a"
                    " folder.",
                )
            at = item.received_at
            year = min(max(at.year, 1980), LAST_YEAR_IN_ZIP)
            date = (year, at.month, at.day, at.hour, at.minute, at.second)
            entry = zipfile.ZipInfo(_eml_name(item), date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, item.raw)


def _write_maildir(items: Iterable[Outgoing], path: Path) -> None:
    """One Maildir, or one for each mailbox with its folders as Maildir++."""
    path.mkdir()
    made: set[Path] = set()
    for number, item in enumerate(items):
        root = path / item.mailbox
        place = root / folder_directory(item.folder)
        for directory in {root, place} - made:
            for name in ("cur", "new", "tmp"):
                (directory / name).mkdir(parents=True)
            made.add(directory)
        letters = "".join(sorted(_LETTERS[flag] for flag in item.flags if flag in _LETTERS))
        seconds, size = int(item.received_at.timestamp()), len(item.raw)
        name = f"{seconds}.{item.copy.public_id}_{number}.letterbook,S={size}:2,{letters}"
        _write_file(item, place / "cur" / name)


def folder_directory(folder: str) -> str:
    """A folder in Maildir++: "." for INBOX, ".Wys&AUI-ane.2024" for "Wysłane/2024".

    A dot in a name would part it in two, so it is written as a number.
    """
    if folder in ("", "INBOX"):
        return "."
    parts = [encode_name(part).replace(".", shifted(".")) for part in folder.split("/")]
    name = "." + ".".join(parts)
    if len(name) > LONGEST_NAME or name == "..":
        return f".{sha256(folder.encode(errors='replace')).hexdigest()[:32]}"
    return name


def _write_file(item: Outgoing, path: Path) -> None:
    path.write_bytes(item.raw)
    seconds = item.received_at.timestamp()
    os.utime(path, (seconds, seconds))


def _eml_name(item: Outgoing) -> str:
    mark = "" if item.is_exact else "-without-bcc"
    at = item.received_at
    return f"{at:%Y-%m}/{at:%Y%m%d-%H%M%S}-{item.copy.public_id}{mark}.eml"


def safe_name(address: str) -> str:
    """An address as a name that leads nowhere else."""
    name = _UNSAFE.sub("_", address)[:LONGEST_NAME]
    return f"_{name}" if name.startswith(".") else name
