"""The facts that every room shares, and the rules that need no database."""

import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, NewType
from unicodedata import category

from app.errors import Invalid

MessageId = NewType("MessageId", int)
BlobId = NewType("BlobId", int)
CopyId = NewType("CopyId", int)
"""Of a copy's row in archive.db and of its recipe in mail.db alike."""

ThreadId = NewType("ThreadId", int)
AccountId = NewType("AccountId", int)
FolderId = NewType("FolderId", int)
RecordId = NewType("RecordId", int)
RoleId = NewType("RoleId", int)
UserId = NewType("UserId", int)
PublicId = NewType("PublicId", str)
"""13 random base32 characters: the id in URLs, on the command line and in JSON."""

Digest = NewType("Digest", bytes)
"""A SHA-256 as 32 raw bytes."""

FIRST_MADE_UP_UID = 2**32
"""From here on lie the made-up UIDs of what an import could not read, or may not keep."""

LARGEST_MESSAGE = 150_000_000
"""Bytes. A mail server takes 50 MB at most; what is larger is a bomb or no mail, and not read."""

Security = Literal["tls", "starttls", "none"]
AuthType = Literal["password", "oauth"]
DEFAULT_PORTS: dict[Security, int] = {"tls": 993, "starttls": 143, "none": 143}
DEFAULT_SKIP_FOLDERS = ("Trash", "Junk", "Social", "Spam", "Deleted", "Drafts")


# -- people


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking. `roles` and `accounts` are what he holds now, read anew for each request."""

    user_id: UserId
    roles: frozenset[RoleId] = frozenset()
    accounts: frozenset[AccountId] = frozenset()
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class User:
    id: UserId
    public_id: PublicId
    email: str
    name: str
    is_admin: bool
    deactivated_at: datetime | None = None
    language: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    id: RoleId
    name: str


@dataclass(frozen=True, slots=True)
class Team:
    """The company itself: its names and domains are never suggested as a record."""

    names: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    language: str = "en"
    time_zone: str = ""


# -- mailboxes


@dataclass(frozen=True, slots=True)
class Account:
    """One remote login that is synced; an archive-only account has no `host`.

    `needs_sign_in`: of an oAuth login, that somebody must sign in at the provider first.
    """

    id: AccountId
    public_id: PublicId
    address: str
    host: str | None = None
    port: int = 993
    security: Security = "tls"
    login: str = ""
    verify_certificate: bool = True
    skip_folders: tuple[str, ...] = DEFAULT_SKIP_FOLDERS
    is_strict: bool = False
    paused_at: datetime | None = None
    closed_at: datetime | None = None
    auth_type: AuthType = "password"
    needs_sign_in: bool = False

    @property
    def is_watched(self) -> bool:
        """Whether the worker looks at it."""
        return bool(self.host) and self.paused_at is None and self.closed_at is None


@dataclass(frozen=True, slots=True)
class Folder:
    """An IMAP mailbox inside an account, as of the last pass over it.

    `name` is the decoded full path. `server_messages` and `server_unseen` are the server's own
    counts (STATUS). `mailbox_id` outlives a new name (RFC 8474); "": the server does not tell.
    """

    id: FolderId
    account_id: AccountId
    name: str
    special_use: str = ""
    skipped_by: str | None = None
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None
    server_messages: int = 0
    server_unseen: int = 0
    checked_at: datetime | None = None
    gone_since: datetime | None = None
    error: str | None = None
    mailbox_id: str = ""


@dataclass(frozen=True, slots=True)
class FolderLedger:
    """The sum that proves completeness: seen = stored + known + skipped + failed.

    `purged` of those that were skipped were removed for good.
    """

    name: str
    seen: int
    stored: int
    known: int
    skipped: int
    failed: int
    purged: int = 0

    @property
    def adds_up(self) -> bool:
        return self.seen == self.stored + self.known + self.skipped + self.failed


# -- mail


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of a header; `name` may be empty, `address` is lower case where it has an @."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a person calls one mail, as lists show it; `preview` only where a list shows it."""

    id: MessageId
    public_id: PublicId
    thread_id: ThreadId
    subject: str
    sender: Address
    to_summary: str
    sent_at: datetime | None
    sort_at: datetime
    size_bytes: int
    attachment_count: int
    archived_at: datetime | None = None
    archived_by: UserId | None = None
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of a message. `blob_id` names its decoded bytes in mail.db; None: read the copy."""

    position: int
    content_type: str
    charset: str
    filename: str
    content_id: str
    size_bytes: int
    is_attachment: bool
    blob_id: BlobId | None


@dataclass(frozen=True, slots=True)
class Copy:
    """The exact bytes of one delivery. `digest` is their SHA-256."""

    id: CopyId
    message_id: MessageId
    digest: Digest
    size_bytes: int

    @property
    def public_id(self) -> PublicId:
        """The first 65 bits of the digest: like a random id they tell nothing of other mail."""
        return PublicId(b32encode(self.digest[:10])[:13].decode().lower())


@dataclass(frozen=True, slots=True)
class Location:
    """Where a copy was seen: (folder, uidvalidity, uid)."""

    account_id: AccountId
    account: str
    folder: str
    uid: int
    received_at: datetime
    first_seen_at: datetime
    gone_since: datetime | None
    is_unread: bool


# -- records and filings


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of records; codes of a type with the prefix PRJ are offered as PRJ-42."""

    key: str
    singular: str
    plural: str
    icon: str = ""
    code_prefix: str = ""
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The team's business thing. `type` is a record type's key, e.g. "companies".

    `external_id` is what another system calls it, one of a kind within the type.
    """

    id: RecordId
    public_id: PublicId
    type: str
    name: str
    code: str = ""
    notes: str = ""
    aliases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    roles: tuple[RoleId, ...] = ()
    users: tuple[UserId, ...] = ()
    archived_at: datetime | None = None
    external_id: str = ""

    @property
    def is_open(self) -> bool:
        """Whether everybody in the team may see it."""
        return not self.roles and not self.users


@dataclass(frozen=True, slots=True)
class Filing:
    """A message under a record: who put it there, and when (UTC)."""

    message_id: MessageId
    record: Record
    filed_by: UserId
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposed record: `score` 0 to 1, `reasons` in words, at most one `is_preselected`."""

    record: Record
    score: float
    reasons: tuple[str, ...]
    is_preselected: bool = False


# -- lists


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue or the archive, for one viewer.

    `attached_to` holds visible records only, oldest filing first; `accounts` the names of the
    viewer's own mailboxes that hold it.
    """

    message: Message
    attached_to: tuple[Record, ...] = ()
    accounts: tuple[str, ...] = ()
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, newest first; the cursors are opaque and empty where there is no more."""

    rows: tuple[Row, ...]
    older: str = ""
    newer: str = ""


# -- what people type

_DOMAIN = re.compile(r"(?=.{3,253}\Z)([\w-]{1,63}\.)+[\w-]{2,63}")
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """Typed text with single blanks; without controls, lone surrogates and direction overrides.

    Marks and joiners stay: emoji and right-to-left names are made with them.
    """
    if text.isprintable():  # holds none of them
        return " ".join(text.split())
    return " ".join(
        "".join(
            sign
            for sign in text
            if sign.isspace() or (category(sign) not in ("Cc", "Cs") and sign not in _DIRECTIONS)
        ).split()
    )


def some_lines(text: str) -> tuple[str, ...]:
    """The lines of a typed text that hold something, each as `one_line`, none twice."""
    return tuple(dict.fromkeys(line for line in map(one_line, text.splitlines()) if line))


def checked_domain(domain: str, *, field: str = "domains") -> str:
    """A mail domain in small letters. Raises Invalid."""
    domain = one_line(domain).lower().removeprefix("@")
    if not _DOMAIN.fullmatch(domain):
        raise Invalid(field, f"{domain!r} is no domain. It looks like spostex.pl.")
    return domain


def checked_address(address: str, *, field: str = "addresses") -> str:
    """An e-mail address in small letters. Raises Invalid."""
    address = one_line(address).lower()
    local, _, domain = address.rpartition("@")
    if not local or " " in local or len(local) > 64 or not _DOMAIN.fullmatch(domain):
        raise Invalid(field, f"{address!r} is no e-mail address.")
    return address


def version_of(*shown: object) -> str:
    """Stands for what a form showed: another one means that somebody saved in between."""
    return sha256(repr(shown).encode(errors="backslashreplace")).hexdigest()[:16]
