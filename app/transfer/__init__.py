"""Mail in and out: mbox, Maildir, folders and zips of .eml, as one stream of messages.

Must not know HTTP, IMAP or SQL.
"""

from app.transfer.found import Found, Piece, Refused
from app.transfer.incoming import BATCH_MESSAGES, Imported, import_mail
from app.transfer.outgoing import Exported, export_all, export_found
from app.transfer.sources import check_mail, mail_bytes, read_mail
from app.transfer.writers import Form

__all__ = [
    "BATCH_MESSAGES",
    "Exported",
    "Form",
    "Found",
    "Imported",
    "Piece",
    "Refused",
    "check_mail",
    "export_all",
    "export_found",
    "import_mail",
    "mail_bytes",
    "read_mail",
]
