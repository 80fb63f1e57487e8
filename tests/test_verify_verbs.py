"""Whatever people, servers and other systems do: what is derived stays as if derived anew (R47)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from app import filing, mailboxes, people, purge, records
from app.errors import LetterbookError
from app.jobs import upkeep as tasks
from app.mail import PARSER_VERSION, ParsedMail, parse
from app.model import MessageId, Record, Viewer
from app.records import Pushed, draft_of, record_version
from app.search import search_messages
from app.search.indexer import Indexer
from app.store import (
    accounts,
    documents,
    folders,
    locations,
    open_store,
    reading,
    reparse,
    unite,
    users,
)
from app.store import records as store_records
from app.store.derived import differing
from app.store.folders import Listed
from app.store.visibility import readable
from tests import make
from tests.backups import back, bring_back
from tests.make import NOW

STEPS, SEEDS = 160, 3


class Office:
    """A small archive, its administrator who does everything, and chance."""

    def __init__(self, directory: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.dice, self.patch = directory, Random(seed), monkeypatch
        self.store = open_store(directory / "data")
        self.now, self.made, self.parser = NOW, 0, PARSER_VERSION
        self.boss = make.user(self.store, "Boss", is_admin=True)
        self.team = [self.boss, *(make.user(self.store, f"U{n}") for n in range(3))]
        for n in range(3):
            make.role(self.store, f"role {n}")
            some = self.dice.sample(self.team, 2)
            address = f"b{n}@firma.pl"
            make.account(self.store, *some, self.boss, address=address, is_strict=n == 1)
        for n in range(4):
            make.record(self.store, f"Los {n}", record_type=("companies", "projects")[n % 2])
        for _ in range(8):
            receive(self)

    @property
    def viewer(self) -> Viewer:
        return make.viewer(self.store, self.boss)

    def ids(self) -> list[MessageId]:
        return make.message_ids(self.store)

    def message(self) -> MessageId:
        return self.dice.choice(self.ids())

    def record(self) -> Record:
        found = store_records.select(self.store, self.viewer, "1", {})
        return self.dice.choice([one for one in found if one.archived_at is None] or found)

    def roles(self) -> list[int]:
        found = [row[0] for row in self.store.archive.conn.execute("select id from roles")]
        return self.dice.sample(found, self.dice.randint(0, 2))

    def people(self) -> list[int]:
        return self.dice.choice([[], [self.boss], [self.boss, self.dice.choice(self.team)]])


def receive(office: Office, number: int | None = None) -> None:
    """New mail, or mail that is there (by its number) once more, with another header block."""
    office.made += 1
    number = office.made if number is None else number
    raw = make.mail(
        f"Mail {number % 5}",
        message_id=f"<{number}@x>",
        headers=f"Received: {office.dice.choice('ab')}\n",
        date=f"Fri, {1 + number % 28:02} Mar 2025 08:00:00 +0000",
    )
    box = office.dice.choice(accounts.all_accounts(office.store))
    at = NOW - timedelta(days=office.dice.choice([0, 20, 40]))
    folder = office.dice.choice(["INBOX", "Sent"])
    make.deliver(
        office.store, box, raw, first_uid=office.made, folder=folder, received_at=at, now=office.now
    )


def receive_again(office: Office) -> None:
    receive(office, office.dice.randint(1, office.made))


def lose(office: Office) -> None:
    conn = office.store.archive.conn
    places = conn.execute("select folder_id, uidvalidity, uid from locations").fetchall()
    folder, validity, uid = office.dice.choice(places)
    if office.dice.random() < 0.5:
        locations.mark_gone(office.store, folder, validity, [uid], now=office.now)
    else:
        locations.revive(office.store, folder, validity, [uid])


def read_on_server(office: Office) -> None:
    conn = office.store.archive.conn
    places = conn.execute("select folder_id, uidvalidity, uid from locations").fetchall()
    folder, validity, uid = office.dice.choice(places)
    flags = {uid: office.dice.choice([(), ("\\Seen",)])}
    locations.set_flags(office.store, folder, validity, flags)


def list_anew(office: Office) -> None:
    """The server has fewer folders, or skips one; or numbers the mail of one anew."""
    box = office.dice.choice(accounts.all_accounts(office.store))
    listed = [
        Listed(name, "", office.dice.choice([None, None, "Sent"]))
        for name in office.dice.sample(["INBOX", "Sent", "Old"], 2)
    ]
    folders.record_listing(office.store, box.id, listed, now=office.now)
    one = office.dice.choice(folders.of_account(office.store, box.id))
    if office.dice.random() < 0.2:
        locations.retire_other_validities(office.store, one.id, 2, now=office.now)
    elif office.dice.random() < 0.4:
        uids = locations.known_uids(office.store, one.id, 1)
        locations.set_apart(office.store, one.id, 1, sorted(uids)[:2], now=office.now)


def file(office: Office) -> None:
    roles = office.roles() if office.dice.random() < 0.5 else []
    filing.file_message(
        office.store,
        office.viewer,
        office.message(),
        office.record().id,
        roles=roles,
        now=office.now,
    )


def file_many(office: Office) -> None:
    record = office.record().id
    some = office.dice.sample(office.ids(), 4)
    filing.file_messages(
        office.store, office.viewer, some, lambda: record, roles=[], standing=[], now=office.now
    )
    if office.dice.random() < 0.5:
        filing.unfile_all(office.store, office.viewer, record, office.now, now=office.now)


def detach(office: Office) -> None:
    filed = office.store.archive.conn.execute("select message_id, record_id from filings")
    message, record = office.dice.choice(filed.fetchall())
    assert filing.unfile(office.store, office.viewer, message, record, now=office.now)


def restrict(office: Office) -> None:
    message, viewer = office.message(), office.viewer
    seen = filing.access_version(office.store, message)
    filing.set_roles(office.store, viewer, message, office.roles(), version=seen, now=office.now)


def put_aside(office: Office) -> None:
    change = office.dice.choice([filing.set_aside, filing.take_back])
    change(office.store, office.viewer, office.message(), now=office.now)


def open_record(office: Office) -> None:
    old = office.record()
    draft = replace(
        draft_of(old),
        name=f"Los {office.dice.randint(0, 99)}",
        aliases=tuple(office.dice.sample(["Łoś", "Betoß", "x y"], office.dice.randint(0, 2))),
        roles=tuple(office.roles()),
        users=tuple(office.people()),
    )
    version = record_version(old)
    records.change_record(
        office.store, office.viewer, old.id, draft, version=version, now=office.now
    )


def put_away(office: Office) -> None:
    change = office.dice.choice([records.archive_record, records.restore_record])
    change(office.store, office.viewer, office.record().id, now=office.now)


def merge(office: Office) -> None:
    one, other = office.record().id, office.record().id
    plan = records.plan_merge(office.store, office.viewer, one, other)
    records.merge_records(
        office.store, office.viewer, one, other, version=plan.version, now=office.now
    )


def remove(office: Office) -> None:
    one = office.record().id
    plan = records.plan_removal(office.store, office.viewer, one)
    records.remove_record(office.store, office.viewer, one, version=plan.version, now=office.now)


def push(office: Office) -> None:
    """As the API does."""
    number = office.dice.randint(0, 9)
    pushed = Pushed(
        f"Pushed {number}", external_id=f"e{number}", users=tuple(office.people()), aliases=("a b",)
    )
    records.upsert_record(
        office.store, office.viewer, record_type="companies", pushed=pushed, now=office.now
    )


def bring_in(office: Office) -> None:
    number = office.dice.randint(0, 9)
    table = office.directory / "table.csv"
    table.write_text(f"type,name,code,aliases\ncompanies,Row {number},R-{number},Los {number}\n")
    plan = records.plan_import(office.store, office.viewer, table)
    records.import_records(office.store, office.viewer, plan, name="t.csv", now=office.now)


def rename_type(office: Office) -> None:
    kind = records.find_type(office.store, "companies")
    plural = office.dice.choice(["Companies", "Firms"])
    records.change_type(
        office.store,
        replace(kind, plural=plural),
        version=records.type_version(kind),
        by=office.boss,
        now=office.now,
    )


def replace_role(office: Office) -> None:
    found = [row[0] for row in office.store.archive.conn.execute("select id from roles")]
    one, other = office.dice.sample(found, 2)
    people.remove_role(office.store, one, in_its_place=other, by=office.boss, now=office.now)
    people.create_role(office.store, f"role of {office.now}", by=office.boss, now=office.now)


def change_roles(office: Office) -> None:
    user = users.get(office.store, office.dice.choice(office.team[1:]))
    people.change_user(
        office.store,
        user.id,
        name=user.name,
        is_admin=user.is_admin,
        roles=office.roles(),
        version=people.user_version(office.store, user),
        by=office.boss,
        now=office.now,
    )


def let_go(office: Office) -> None:
    change = office.dice.choice([people.deactivate_user, people.reactivate_user])
    change(office.store, office.dice.choice(office.team[1:]), by=office.boss, now=office.now)


def share(office: Office) -> None:
    box = office.dice.choice(accounts.all_accounts(office.store))
    some = [office.boss, office.dice.choice(office.team[1:])]
    is_strict = office.dice.random() < 0.5
    mailboxes.share(office.store, None, box.id, some, is_strict=is_strict, now=office.now)


def remove_for_good(office: Office) -> None:
    public_id = make.public_id(office.store, office.message())
    purge.purge_message(office.store, office.viewer, public_id, reason="x", now=office.now)


def read_anew(office: Office) -> None:
    """By a next parser, which dates some mail otherwise, and takes some for one or for two."""
    office.parser += 1
    turn, kind = office.dice.randint(0, 4), office.dice.choice(["date", "one", "two"])

    def change(mail: ParsedMail) -> ParsedMail:
        if mail.subject != f"Mail {turn}":
            return mail
        if kind == "one":
            return replace(mail, internet_message_id="o", content_digest=sha256(b"o").digest())
        if kind == "two":
            return replace(mail, content_digest=sha256(str(mail.headers).encode()).digest())
        return replace(mail, sent_at=NOW - timedelta(days=50 + turn))

    for module in (reading, documents):
        office.patch.setattr(module, "parse", lambda raw: change(parse(raw)))
    for module in (reading, reparse, unite, tasks):
        office.patch.setattr(module, "PARSER_VERSION", office.parser)
    assert reparse.reparse(office.store).is_finished


def restore(office: Office) -> None:
    """To an earlier snapshot of the same backup; what was removed for good stays away."""
    back(office.store, office.directory / "backup", now=office.now)
    remove_for_good(office)
    detach(office)
    back(office.store, office.directory / "backup", now=office.now + timedelta(seconds=1))
    office.store.close()
    name = f"{office.now:%Y%m%dT%H%M%SZ}"
    target = office.directory / f"data {office.now:%d%H%M}"
    bring_back(office.directory / "backup", target, name=name, now=office.now)
    office.store = open_store(target)
    office.directory = office.directory / f"of {office.now:%d%H%M}"
    office.directory.mkdir()


VERBS: dict[Callable[[Office], None], int] = {
    file: 12, file_many: 6, open_record: 8, restrict: 6, detach: 4, put_aside: 3, put_away: 2,
    receive: 4, receive_again: 4, lose: 3, read_on_server: 2, list_anew: 3, merge: 3, remove: 2,
    push: 3, bring_in: 2, rename_type: 1, replace_role: 3, change_roles: 5, let_go: 1, share: 4,
    remove_for_good: 1, read_anew: 3, restore: 1,
}  # fmt: skip


def found_by(office: Office) -> list[int]:
    """How much mail each person finds."""
    viewers = [make.viewer(office.store, one) for one in office.team]
    return [search_messages(office.store, viewer, "mail").total for viewer in viewers]


def read_by(office: Office) -> list[int]:
    """How much mail each person may read."""
    viewers = [make.viewer(office.store, one) for one in office.team]
    return [len(readable(office.store, viewer, office.ids())) for viewer in viewers]


def test_no_verb_lets_what_is_derived_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = set()
    for seed in range(SEEDS):
        office = Office(tmp_path / str(seed), seed, monkeypatch)
        verbs = office.dice.choices([*VERBS], [*VERBS.values()], k=STEPS)
        for step, verb in enumerate(verbs):
            office.now += timedelta(minutes=1)
            with suppress(LetterbookError, IndexError):  # refused: then nothing changed
                verb(office)
                done.add(verb)

            assert differing(office.store) == {}, f"seed {seed}: {verb.__name__}"
            if step % 8 == 7:
                Indexer(office.store).drain()
                assert found_by(office) == read_by(office), f"seed {seed}, step {step}"
        assert office.store.archive.conn.execute("pragma foreign_key_check").fetchall() == []
        office.store.close()
    assert done == set(VERBS)
