"""The demo company as files: Maildirs, records.csv and truth.json."""

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path

from app.demo.company import Company
from app.demo.mail import DemoDelivery, DemoMail
from app.errors import Invalid
from app.mail.utf7 import encode_name

_LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}
_COLUMNS = ("type", "name", "code", "aliases", "addresses", "domains", "roles")


def export(directory: Path, company: Company, mails: Iterable[DemoMail]) -> int:
    """Write the mail into an empty directory; gives the number of copies.

    A Maildir for each mailbox, named by its address, with Maildir++ sub-folders (".Wys&AUI-ane"),
    flags in the file names and INTERNALDATE as the time of the file. records.csv: several values
    are joined by ";". truth.json: for each Message-ID header, without its angle brackets, {"type",
    "name"} or null. Raises Invalid if the directory is not empty.
    """
    if directory.exists() and any(directory.iterdir()):
        raise Invalid("export", f"{directory} is not empty. Name a new directory.")
    directory.mkdir(parents=True, exist_ok=True)
    _write_records(directory / "records.csv", company)
    for mailbox in company.mailboxes:
        for folder in mailbox.folders:
            for name in ("cur", "new", "tmp"):
                (_maildir(directory, mailbox.address, folder.name) / name).mkdir(parents=True)
    copies = 0
    with (directory / "truth.json").open("w", encoding="utf-8") as truth:
        separator = "{\n"
        for mail in mails:
            for copy in mail.deliveries:
                copies += 1
                _write_copy(directory, copy, copies)
            told = (
                None
                if mail.record is None
                else dict(zip(("type", "name"), mail.record, strict=True))
            )
            row = json.dumps(told, ensure_ascii=False)
            truth.write(f"{separator}{json.dumps(mail.internet_message_id)}: {row}")
            separator = ",\n"
        truth.write("\n}\n" if copies else "{}\n")
    return copies


def _write_records(path: Path, company: Company) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for record in company.records:
            several = (record.aliases, record.addresses, record.domains, record.roles)
            writer.writerow([record.type, record.name, record.code, *map(";".join, several)])


def _maildir(directory: Path, address: str, folder: str) -> Path:
    """INBOX is the Maildir itself; Maildir++ puts the others beside its cur/ with a dot."""
    root = directory / address
    return root if folder == "INBOX" else root / f".{encode_name(folder)}"


def _write_copy(directory: Path, copy: DemoDelivery, number: int) -> None:
    seconds = int(copy.received_at.timestamp())
    letters = "".join(sorted(_LETTERS[flag] for flag in copy.flags))
    name = f"{seconds}.{number}.demo,S={len(copy.raw)}:2,{letters}"
    path = _maildir(directory, copy.mailbox, copy.folder) / "cur" / name
    path.write_bytes(copy.raw)
    os.utime(path, (seconds, seconds))
