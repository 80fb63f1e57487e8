"""The running demo: its IMAP server, its store, and a new mail now and then."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from app.demo.company import COMPANY, Colleague, Company
from app.demo.mail import DemoMail, fresh_mail, generate
from app.demo.served import ServedFolder, ServedMailbox, Stored
from app.demo.server import DemoServer
from app.demo.setup import Filer, fill, mark, random_passwords
from app.errors import Conflict
from app.store import open_store

NEW_MAIL_EVERY = timedelta(seconds=40)


class Demo:
    """The demo company over a fresh data directory. A context manager; call `tick` every second.

    `secret_key` is `Settings.secret_key`. Entering makes the mail, starts the server and fills
    the store; the worker then syncs it as any other. Entering raises Conflict if the directory
    holds an archive. All mail is held in memory, about 25 KB for each.
    """

    def __init__(
        self,
        directory: Path,
        *,
        now: Callable[[], datetime],
        messages: int = 2_000,
        seed: int = 1,
        secret_key: str = "",
        company: Company = COMPANY,
    ) -> None:
        self.directory = directory
        self.company = company
        self._now = now
        self._messages = messages
        self._seed = seed
        self._secret_key = secret_key
        self._next_at = now() + NEW_MAIL_EVERY
        self._live = 0
        self._server = DemoServer([])
        self._filer = Filer([])

    @property
    def people(self) -> tuple[Colleague, ...]:
        """Those who can sign in by a click."""
        return self.company.people

    @property
    def port(self) -> int:
        """The IMAP server's, on 127.0.0.1."""
        return self._server.port

    @property
    def left_to_file(self) -> int:
        return self._filer.waiting

    def __enter__(self) -> Self:
        if (self.directory / "archive.db").exists():
            raise Conflict(
                f"{self.directory} holds an archive already. The demo starts on an empty "
                "directory: choose another with --data."
            )
        now = self._now()
        mails = list(generate(messages=self._messages, seed=self._seed, end=now))
        passwords = random_passwords(self.company)
        self._server = DemoServer(serve(self.company, mails, passwords))
        self._filer = Filer(mails)
        self._server.start()
        try:
            self._fill(passwords, now)
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    def tick(self) -> int:
        """Deliver a mail if one is due, file what has arrived; gives how many were filed."""
        now = self._now()
        if now >= self._next_at:
            self._next_at = now + NEW_MAIL_EVERY
            self.deliver_next(now)
        if not self._filer.waiting:
            return 0
        store = open_store(self.directory, checkpoints=False)
        try:
            return self._filer.file_arrived(store, now=now)
        finally:
            store.close()

    def deliver_next(self, now: datetime) -> DemoMail:
        """Deliver the next new mail at once."""
        mail = fresh_mail(self._seed, self._live, now)
        self._live += 1
        for copy in mail.deliveries:
            self._server.deliver(copy.mailbox, copy.folder, copy.raw, copy.flags, copy.received_at)
        return mail

    def _fill(self, passwords: dict[str, str], now: datetime) -> None:
        store = open_store(self.directory)
        try:
            mark(self.directory)
            fill(
                store,
                self.company,
                secret_key=self._secret_key,
                server_port=self._server.port,
                passwords=passwords,
                now=now,
            )
        finally:
            store.close()


def serve(
    company: Company, mails: Iterable[DemoMail], passwords: dict[str, str]
) -> list[ServedMailbox]:
    """The mailboxes as the server holds them."""
    made = {
        mailbox.address: ServedMailbox(
            mailbox.address,
            passwords[mailbox.address],
            {one.name: ServedFolder(one.name, one.special_use) for one in mailbox.folders},
        )
        for mailbox in company.mailboxes
    }
    for mail in mails:
        for copy in mail.deliveries:
            folder = made[copy.mailbox].folders[copy.folder]
            folder.messages.append(Stored(copy.raw, copy.flags, copy.received_at))
    return list(made.values())
