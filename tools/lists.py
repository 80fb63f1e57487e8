"""What a page of the queue and of the archive costs, for few rows and for many.

    python tools/lists.py [--rows 200000] [--times 40]

Two worlds are made twice, with 200 rows and with many, and every view is asked for in turn, small
and large, over the pages themselves without a network. Ada has twenty mailboxes with mail that
waits, was archived, and is older; Cleo reads ten messages of an archive in which Dan reads all.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from litestar import Litestar
from litestar.testing import TestClient

from app import mailboxes
from app.main import create_app
from app.model import RoleId, UserId
from app.records import create_record
from app.settings import Settings
from app.store import Store, open_store, sessions, transaction, users
from app.store.database import new_public_id, to_seconds

SMALL = 200
MAILBOXES = 20
ORIGIN = "http://127.0.0.1:8000"
DAY = 86_400
AT_ONCE = 10_000


@dataclass(frozen=True)
class World:
    """A team over a store; `paths` are the views by name, each with who asks."""

    clients: dict[str, TestClient[Litestar]]
    paths: dict[str, tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=40)
    given = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for make in (make_queue, make_archive):
            small = make(place / f"{make.__name__}-small", SMALL, stack)
            large = make(place / f"{make.__name__}-large", given.rows, stack)
            compare(small, large, given.rows, given.times)


def compare(small: World, large: World, rows: int, times: int) -> None:
    print(f"{'ms':<34} {SMALL:>7,} rows p50/p95 {rows:>12,} rows p50/p95")
    for name in small.paths:
        spent: tuple[list[float], list[float]] = ([], [])
        for _ in range(times):
            for world, taken in zip((small, large), spent, strict=True):
                who, path = world.paths[name]
                began = perf_counter()
                answer = world.clients[who].get(path)
                taken.append((perf_counter() - began) * 1000)
                assert answer.status_code == 200, (name, answer.status_code)
        figures = [f"{middle(one):8.1f} {high(one):8.1f}" for one in spent]
        print(f"{name:<34} {figures[0]:>22} {figures[1]:>26}", flush=True)


def middle(taken: list[float]) -> float:
    return quantiles(taken, n=100)[49]


def high(taken: list[float]) -> float:
    return quantiles(taken, n=100)[94]


# -- worlds


def make_queue(directory: Path, rows: int, stack: ExitStack) -> World:
    """Ada's queue of `rows`, half as many older messages besides."""
    chance, now = random.Random(1), to_seconds(datetime.now(UTC))
    store = open_store(directory)
    ada = add_user(store, "ada")
    boxes = [add_account(store, ada, f"box{n}@firma.pl", now) for n in range(MAILBOXES)]
    firms = [add_record(store, "companies", f"Firma {n}") for n in range(20)]
    public = add_messages(store, rows * 3 // 2, now, chance)
    held, archived = [], []
    for number in range(1, len(public) + 1):
        is_waiting, at = number <= rows, now - chance.randrange(29 * DAY)
        is_archived = is_waiting and number % 4 == 0
        received = at if is_waiting else now - 400 * DAY - chance.randrange(2000 * DAY)
        # A third of what was archived was downloaded too long ago to be in the queue.
        downloaded = now - 90 * DAY if number % 12 == 0 else at
        held.append((boxes[number % MAILBOXES], number, received, downloaded, not is_waiting))
        if is_archived:
            archived.append((number, chance.choice(firms)))
    hold(store, held)
    file(store, archived, ada, now)
    store.close()
    middle_id, last = cursors(directory, rows)
    return World(
        serve(directory, {"ada": ada}, stack),
        {
            "queue": ("ada", "/email/queue?show=waiting"),
            "queue, in the middle": ("ada", f"/email/queue?show=waiting&before={middle_id}"),
            "queue, last page": ("ada", f"/email/queue?show=waiting&before={last}"),
            "queue, back from there": ("ada", f"/email/queue?show=waiting&after={last}"),
            "queue, not archived": ("ada", "/email/queue?show=open"),
            "queue, all": ("ada", "/email/queue?show=all"),
            "queue, set aside": ("ada", "/email/queue?show=aside"),
            "archives": ("ada", "/email/archives"),
        },
    )


def make_archive(directory: Path, rows: int, stack: ExitStack) -> World:
    """Half under a hidden record, half for a role; ten of them for everybody."""
    chance, now = random.Random(2), to_seconds(datetime.now(UTC))
    store = open_store(directory)
    with transaction(store):
        boss = users.add_role(store, "boss")
    cleo, dan = add_user(store, "cleo"), add_user(store, "dan", boss)
    box = add_account(store, add_user(store, "ada"), "box@firma.pl", now)
    hidden = add_record(store, "projects", "Board", only_for=(dan,))
    known = add_record(store, "companies", "Spostex S.A.")
    depot = add_record(store, "warehouse", "Concrete")
    public = add_messages(store, rows * 3 // 2, now, chance)
    numbers = range(1, len(public) + 1)
    hold(store, [(box, n, now - n, now - n, False) for n in numbers])
    open_ones = set(chance.sample(numbers, 10))
    file(store, [(n, known if n in open_ones or n % 2 else hidden) for n in numbers], dan, now)
    file(store, [(n, depot) for n in list(open_ones)[:3]], dan, now)
    with transaction(store):
        store.archive.conn.executemany(
            "insert into message_roles (message_id, role_id) values (?, ?)",
            [(n, boss) for n in numbers if n % 2 and n not in open_ones],
        )
    company = store.archive.conn.execute(
        "select public_id from records where id = ?", [known]
    ).fetchone()[0]
    store.close()
    views = {
        "archives": "/email/archives",
        "type=companies": "/email/archives?type=companies",
        "type=warehouse": "/email/archives?type=warehouse",
        "type=projects": "/email/archives?type=projects",
        "record=": f"/email/archives?record={company}",
        "attached=none": "/email/archives?attached=none",
        "record tab": f"/records/companies/{company}/emails",
        "picker": f"/records/companies/{company}/emails/pick",
    }
    paths = {
        f"{who} of {'ten' if who == 'cleo' else 'all'}: {name}": (who, path)
        for who in ("cleo", "dan")
        for name, path in views.items()
    }
    return World(serve(directory, {"cleo": cleo, "dan": dan}, stack), paths)


def cursors(directory: Path, rows: int) -> tuple[str, str]:
    store = open_store(directory)
    found = store.archive.conn.execute(
        "select m.public_id from messages m join holdings h on h.message_id = m.id"
        " where h.is_old = 0 order by m.sort_at desc, m.id desc"
    ).fetchall()
    store.close()
    return found[len(found) // 2][0], found[-30][0]


def add_user(store: Store, name: str, *roles: RoleId) -> UserId:
    with transaction(store):
        return users.add(
            store,
            email=f"{name}@firma.pl",
            name=name.title(),
            is_admin=False,
            roles=roles,
            password_hash=None,
            now=datetime.now(UTC),
        )


def add_account(store: Store, user: UserId, address: str, now: int) -> int:
    added = datetime.fromtimestamp(now - 100 * DAY, UTC)
    made = mailboxes.open_archive(store, None, address, [user], now=added)
    return made.id


def add_record(store: Store, kind: str, name: str, *, only_for: tuple[UserId, ...] = ()) -> int:
    now = datetime.now(UTC)
    return create_record(store, record_type=kind, name=name, users=only_for, by=None, now=now)


def add_messages(store: Store, number: int, now: int, chance: random.Random) -> list[str]:
    public = [str(new_public_id()) for _ in range(number)]

    def values() -> Iterator[tuple[object, ...]]:
        for n, public_id in enumerate(public, start=1):
            sort_at = now - chance.randrange(900 * DAY)
            yield (n, public_id, n.to_bytes(16), n, f"Offer {n}", sort_at, sort_at)

    in_parts(
        store,
        "insert into messages (id, public_id, identity, thread_id, subject, sender_name,"
        " sender_address, to_summary, sent_at, sort_at, size_bytes, attachment_count, text_charset,"
        " defects, parser_version) values (?, ?, ?, ?, ?, 'Jan', 'jan@spostex.pl', 'office', ?, ?,"
        " 3000, 0, 'utf-8', '', 1)",
        list(values()),
    )
    return public


def hold(store: Store, held: list[tuple[int, int, int, int, bool]]) -> None:
    in_parts(
        store,
        "insert into holdings (account_id, message_id, sort_at, downloaded_at, received_at,"
        " is_unread, is_live, is_old)"
        " select ?, ?2, (select sort_at from messages where id = ?2), ?4, ?3, 0, 1, ?5",
        held,
    )


def file(store: Store, filed: list[tuple[int, int]], by: UserId, now: int) -> None:
    in_parts(
        store,
        f"insert into filings (message_id, record_id, filed_by, filed_at)"
        f" values (?, ?, {by}, {now})",
        filed,
    )
    in_parts(
        store,
        f"update messages set archived_at = {now}, archived_by = {by} where id = ?",
        [one[:1] for one in filed],
    )


def in_parts(store: Store, statement: str, values: list[tuple[object, ...]]) -> None:
    for at in range(0, len(values), AT_ONCE):
        with transaction(store):
            store.archive.conn.executemany(statement, values[at : at + AT_ONCE])


def serve(
    directory: Path, people: dict[str, UserId], stack: ExitStack
) -> dict[str, TestClient[Litestar]]:
    store = open_store(directory)
    settings = Settings.from_env({}, data=directory, public_url=ORIGIN)
    found = {}
    for name, user in people.items():
        digest = sha256(name.encode()).digest()
        sessions.add_session(
            store, user, digest, address="127.0.0.1", agent="lists", now=datetime.now(UTC)
        )
        client = stack.enter_context(TestClient(create_app(settings), base_url=ORIGIN))
        client.cookies.set("letterbook", name)
        found[name] = client
    store.close()
    return found


if __name__ == "__main__":
    main()
