"""What the two archives of tests/twins.py hold: the same mail, and in one more that is hidden."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from app import people
from app.model import Account, MessageId, RecordId, UserId
from app.search.indexer import Indexer
from app.store import Store, accounts, database, decisions, filings, open_store, transaction
from tests import make

NOW = datetime(2025, 3, 14, 12, tzinfo=UTC)
PEOPLE = ("alice", "bob", "charlie", "dora", "eve", "gone")
"""Alice sees everything. Bob shares office@ with her, Eve the strict board@, Charlie nothing; Dora
administers; Gone was deactivated."""


@contextmanager
def fixed_ids(seed: object) -> Iterator[None]:
    """Ids that would be random are the same after the same seed."""
    with mock.patch.object(database, "token_bytes", Random(repr(seed)).randbytes):
        yield


@dataclass
class _Maker:
    """Makes one archive step by step. The steps of what is hidden are left out in the other."""

    store: Store
    with_hidden: bool
    names: dict[str, str]
    people: dict[str, UserId]
    boxes: dict[str, Account]
    records: dict[str, RecordId]
    uid: int = 0

    def receive(
        self,
        name: str,
        box: str,
        raw: bytes,
        *,
        flags: tuple[str, ...] = (),
        days: float = 1,
        is_hidden: bool = False,
    ) -> MessageId | None:
        self.uid += 1
        at = NOW - timedelta(days=days)
        if is_hidden and not self.with_hidden:
            return None
        with fixed_ids(name):
            make.deliver(
                self.store,
                self.boxes[box],
                raw,
                first_uid=self.uid,
                received_at=at,
                now=at,
                flags=flags,
            )
        found = make.message_ids(self.store)[-1]
        self.names[name] = make.public_id(self.store, found)
        return found

    def file(self, message: MessageId | None, record: str, *roles: str) -> None:
        """By Alice. The store's own verb: of what she was offered, which is more where she sees
        more, nothing is learned."""
        if message is None:
            return
        ids = [make.role(self.store, role) for role in roles]
        with transaction(self.store):
            by = self.people["alice"]
            filings.add(self.store, message, self.records[record], by=by, now=NOW)
            if ids:
                filings.set_roles(self.store, message, ids)

    def refuse(self, message: MessageId | None, record: str) -> None:
        if message is not None:
            with transaction(self.store):
                decisions.refuse(self.store, message, self.records[record], now=NOW)

    def record(self, name: str, title: str, **given: Any) -> None:
        with fixed_ids(name):
            self.records[name] = made = make.record(self.store, title, **given)
        self.names[name] = public_id(self.store, "records", made)


def public_id(store: Store, table: str, found: int) -> str:
    (name,) = store.archive.conn.execute(
        f"select public_id from {table} where id = ?", [found]
    ).fetchone()
    return str(name)


def mail(number: int, subject: str, text: str, **given: Any) -> bytes:
    given = {"message_id": f"<{number}@spostex.pl>"} | given
    date = NOW - timedelta(days=20, hours=number)
    return make.mail(subject, text=text, date=f"{date:%a, %d %b %Y %H:%M:%S} +0000", **given)


def with_parts(raw: bytes) -> bytes:
    """The mail with an attachment, the same bytes in each."""
    head, _, text = raw.partition(b"\r\n\r\n")
    head = head.replace(b"text/plain; charset=utf-8", b'multipart/mixed; boundary="b"')
    return (
        head
        + b"\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>"
        + text
        + b"</p>\r\n--b\r\nContent-Type: application/pdf\r\n"
        + b'Content-Disposition: attachment; filename="plan.pdf"\r\n\r\n%PDF the plan\r\n--b--\r\n'
    )


def make_twin(directory: Path, *, with_hidden: bool) -> tuple[Store, dict[str, str]]:
    """Fills a data directory; the public ids of what is in it, by the names of the tables."""
    directory.mkdir(parents=True)
    (directory / "secret.key").write_text("k" * 43)
    (directory / "secret.key").chmod(0o600)
    store = open_store(directory)
    store.archive.conn.execute("update team set archive_id = 'twins'")
    made = _Maker(store, with_hidden, {}, {}, {}, {})
    _make_team(made)
    _make_mail(made)
    indexer = Indexer(store)
    while indexer.drain():
        pass
    _hide_what_is_indexed(made)
    return store, made.names


def _make_team(made: _Maker) -> None:
    store = made.store
    with fixed_ids("team"):
        foreman = make.role(store, "foreman")
        make.role(store, "board")
        for name in PEOPLE:
            roles = (foreman,) if name == "bob" else ()
            made.people[name] = make.user(store, name.title(), roles=roles, is_admin=name == "dora")
        people.deactivate_user(store, made.people["gone"], by=None, now=NOW)
        alice, bob, eve = (made.people[name] for name in ("alice", "bob", "eve"))
        made.boxes = {
            "office": make.account(store, alice, bob),
            "private": make.account(store, alice, address="alice@firma.pl"),
            "board": make.account(store, alice, eve, address="board@firma.pl", is_strict=True),
        }
    for account in made.boxes.values():
        accounts.record_check(store, account.id, unread=1, new=0, error=None, now=NOW)
    made.names |= {name: box.public_id for name, box in made.boxes.items()}
    for name, user_id in made.people.items():
        made.names[f"user-{name}"] = public_id(store, "users", user_id)
    made.record("company", "Spostex S.A.", domains=("spostex.pl",))
    made.record("project", "Łomianki Playground Construction", record_type="projects")
    made.record("site", "Foremen's site", record_type="projects", roles=(foreman,))
    made.record("kept", "Office")
    made.record("vault", "Vault", roles=(make.role(store, "board"),))
    if made.with_hidden:
        only_for = (made.people["alice"],)
        made.record("secret", "Spostex Secret S.A.", only_for=only_for, domains=("spostex.pl",))
        made.record("plot", "Fence", record_type="projects", only_for=only_for)


def _make_mail(made: _Maker) -> None:
    """What everybody may see lies between what is hidden, in the order in which it came."""
    fence = "Dzień dobry, the fence of Spostex S.A. is ready. Spostex Secret S.A. knows."
    hidden = made.receive(
        "h1", "private", mail(1, "Fence", fence, message_id="<twin@spostex.pl>"), is_hidden=True
    )
    v1 = made.receive("v1", "office", mail(2, "Fence", fence, message_id="<twin@spostex.pl>"))
    made.receive("v2", "office", with_parts(mail(3, "Concrete", fence)))
    hidden = made.receive(
        "h2",
        "private",
        with_parts(
            mail(
                4,
                "Re: Fence",
                "See the fence and the gatehouse.",
                headers="References: <twin@spostex.pl> <3@spostex.pl>\n",
            )
        ),
        is_hidden=True,
    )
    made.file(hidden, "secret")
    v3 = made.receive(
        "v3", "office", mail(5, "Re: Fence", fence, headers="References: <twin@spostex.pl>\n")
    )
    made.file(v1, "company")
    made.file(v3, "project", "foreman")
    hidden = made.receive(
        "h3", "private", mail(6, "Fence wages", "Wages of the gatehouse."), is_hidden=True
    )
    made.file(hidden, "company", "board")
    made.refuse(hidden, "project")
    v4 = made.receive("v4", "office", mail(7, "Gate", fence, sender="Ola <ola@gate.example>"))
    made.file(v4, "project")
    for message in (v1, v4):  # else the mark "Archived" of A9 stays when all others are taken off
        made.file(message, "kept")
    made.receive("v5", "board", mail(8, "Agenda", fence), flags=("\\Seen",))
    hidden = made.receive("h4", "board", mail(9, "Agenda fence", fence), is_hidden=True, days=0.001)
    made.file(hidden, "secret")
    if made.with_hidden:
        made.file(v1, "secret")
        made.refuse(v3, "plot")
        made.file(v4, "plot")
    made.receive("v6", "office", mail(10, "Old", fence), days=90)
    made.receive("v7", "office", mail(11, "Now", fence), days=0.002)


def _hide_what_is_indexed(made: _Maker) -> None:
    """A message that everybody could find until now, hidden while the index does not know yet."""
    hidden = made.receive("h5", "private", mail(12, "Fence late", "late fence"), is_hidden=True)
    if hidden is None:
        return
    made.file(hidden, "company")
    indexer = Indexer(made.store)
    while indexer.drain():
        pass
    with transaction(made.store):
        filings.set_roles(made.store, hidden, [make.role(made.store, "board")])
