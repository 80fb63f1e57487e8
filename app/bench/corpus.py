"""The mail that is measured: of mbox files, or of the demo company; the same at each run."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import count, islice
from pathlib import Path

from app import mailboxes
from app.demo.company import COMPANY
from app.demo.mail import DemoDelivery, DemoMail, generate
from app.demo.setup import fill, random_passwords
from app.model import FolderId, UserId
from app.store import Store, accounts, folders, transaction
from app.store.ingest import Delivery, ingest
from app.transfer import Found, mbox, read_mail
from app.transfer.incoming import BATCH_BYTES, BATCH_MESSAGES

SEED = 7
DEMO_END = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""Of the demo company's mail: the same mail every day."""

MAILBOX = "import@bench.example"

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_IDS = re.compile(rb"(?im)^(?:message-id|references|in-reply-to):[^\n]*(?:\n[ \t][^\n]*)*")
_DATE = re.compile(rb"(?im)^date:([^\r\n]*)")
_LINE_OF_WORDS = re.compile(rb"(?m)^(?!This is a multi-?part)[A-Za-z]+ [a-z]+ [^\r\n]*")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The mail of `mboxes`; where there are none, `messages` mails of the demo company."""

    mboxes: tuple[Path, ...] = ()
    messages: int = 0

    @property
    def mailbox(self) -> str:
        """One of its mailboxes."""
        return MAILBOX if self.mboxes else COMPANY.mailboxes[0].address

    def copies(self) -> Iterator[DemoDelivery]:
        """Every copy as its mailbox holds it."""
        if not self.mboxes:
            return (copy for mail in self.demo() for copy in mail.deliveries)
        pieces = (piece for mbox in self.mboxes for piece in read_mail(mbox))
        return (_copy(piece.raw) for piece in pieces if isinstance(piece, Found))

    def demo(self) -> Iterator[DemoMail]:
        return generate(messages=self.messages, seed=SEED, end=DEMO_END)

    def grown(self, number: int, *, slice_size: int) -> Iterator[DemoDelivery]:
        """`number` copies of different mails, for as much time to each slice of them.

        From an mbox a slice is the same mails each time, with other ids, dates and words.
        """
        if not self.mboxes:
            return islice(replace(self, messages=number).copies(), number)
        copies = (
            replace(copy, raw=_another(copy.raw, turn)) if turn else copy
            for turn in count()
            for copy in islice(self.copies(), slice_size)
        )
        return islice(copies, number)


def times_over(corpus: Corpus, times: int, path: Path) -> Corpus:
    """An mbox at `path` that holds each mail of the corpus's mboxes so many times: other mail of
    the same kind, with other ids, dates and words."""
    with path.open("wb") as file:
        for turn in range(times):
            for copy in corpus.copies():
                raw = _another(copy.raw, turn) if turn else copy.raw
                file.write(mbox.written(raw, copy.received_at))
    return Corpus((path,))


def write_maildir(corpus: Corpus, path: Path, *, most: int | None = None) -> Path:
    """Every copy, or the first `most`, as a file of one Maildir, in its `cur`."""
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for number, copy in enumerate(islice(corpus.copies(), most)):
        (path / "cur" / f"{number:09}.bench:2,S").write_bytes(copy.raw)
    return path


def open_places(
    store: Store, corpus: Corpus, user: UserId, *, now: datetime
) -> dict[tuple[str, str], FolderId]:
    """The mailboxes and folders for a corpus, which `user` may read, in an empty store."""
    if not corpus.mboxes:
        return _open_company(store, user)
    account = mailboxes.open_archive(store, None, MAILBOX, [user], now=now)
    return {(MAILBOX, "import"): folders.ensure(store, account.id, "import").id}


def bring(
    store: Store,
    places: dict[tuple[str, str], FolderId],
    copies: Iterable[DemoDelivery],
    *,
    first_uid: int = 1,
    now: datetime,
    progress: Callable[[str], None] = lambda text: None,
) -> int:
    """Keep copies, as a worker would have brought them; how many."""
    batch: list[Delivery] = []
    size_bytes = uid = 0
    for uid, copy in enumerate(copies, start=1):
        place = places[copy.mailbox, copy.folder]
        number = first_uid + uid - 1
        batch.append(Delivery(place, 1, number, copy.raw, copy.received_at, copy.flags))
        size_bytes += len(copy.raw)
        if len(batch) == BATCH_MESSAGES or size_bytes > BATCH_BYTES:
            ingest(store, batch, now=now)
            batch, size_bytes = [], 0
            progress(f"{number:,} copies imported")
    ingest(store, batch, now=now)
    return uid


def _open_company(store: Store, user: UserId) -> dict[tuple[str, str], FolderId]:
    passwords = random_passwords(COMPANY)
    fill(store, COMPANY, secret_key="", server_port=1, passwords=passwords, now=DEMO_END)
    places: dict[tuple[str, str], FolderId] = {}
    for mailbox in COMPANY.mailboxes:
        account = accounts.by_address(store, mailbox.address)
        with transaction(store):
            accounts.add_users(store, account.id, [user])
        for folder in mailbox.folders:
            place = folders.ensure(store, account.id, folder.name)
            places[mailbox.address, folder.name] = place.id
    return places


def _copy(raw: bytes) -> DemoDelivery:
    return DemoDelivery(MAILBOX, "import", raw, ("\\Seen",), DEMO_END)


def _another(raw: bytes, turn: int) -> bytes:
    """Another mail of the same kind: its ids, its date and a line of its text are others.

    All ids of a turn change alike, so that its conversations hold together.
    """
    found = _HEADER_END.search(raw)
    at = found.start() if found else len(raw)
    head, body = raw[:at], raw[at:]
    head = _IDS.sub(lambda ids: ids[0].replace(b"@", b".%d@" % turn), head)
    head = _DATE.sub(lambda date: b"Date: " + _earlier(date[1], turn), head, count=1)
    return head + _LINE_OF_WORDS.sub(
        lambda line: line[0] + b" turn%dline%d" % (turn, len(line[0])), body, count=1
    )


def _earlier(date: bytes, turn: int) -> bytes:
    try:
        moment = parsedate_to_datetime(date.decode("ascii", "replace").strip())
        return format_datetime(moment - timedelta(days=turn)).encode()
    except (ValueError, TypeError, IndexError, OverflowError):
        return date.strip()
