"""What the two databases say of themselves, and whether they agree with each other."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from app.errors import Corrupt
from app.store import blobs, derived
from app.store.database import Store, sound

MOST_COMPLAINTS = 100
_STEPS_PER_STOP = 100_000
_OF_INDEX = ("missing from index", "entries in index", "values differ from index")
"""How SQLite ends what it says of an index alone, which is made anew from its table."""

_REPAIR = "; `letterbook verify --repair` makes it anew"


def complaints(store: Store, *, quick: bool, stop: Callable[[], bool]) -> list[str]:
    """What SQLite finds wrong with the structure of the databases; empty: nothing.

    `quick` leaves out whether indexes agree with their tables. Raises LetterbookError if stopped.
    """
    check = "quick_check" if quick else "integrity_check"
    found: list[str] = []
    for name, db in (("mail.db", store.mail), ("archive.db", store.archive)):
        db.conn.set_progress_handler(stop, _STEPS_PER_STOP)
        try:
            with sound(name):
                rows = db.conn.execute(f"pragma main.{check}({MOST_COMPLAINTS})").fetchall()
        except Corrupt as exc:
            rows = [(str(exc),)]
        finally:
            db.conn.set_progress_handler(None, 0)
        said = [f"{name}: {row[0]}" for row in rows if row[0] != "ok"]
        found += [f"{one}{_REPAIR if is_of_words(one) else ''}" for one in said]
    return found


def is_of_words(complaint: str) -> bool:
    """Whether no more is wrong than by which words records are found."""
    return complaint.startswith("archive.db: ") and "fts5" in complaint.lower()


def is_of_index(complaint: str) -> bool:
    """Whether no more than an index of mail.db is wrong."""
    lines = complaint.splitlines()
    return complaint.startswith("mail.db: ") and all(
        any(word in line for word in _OF_INDEX) for line in lines
    )


def differing(store: Store) -> list[str]:
    """What archive.db derives, and what differs from that."""
    return [
        f"archive.db: {table} differs in {number:,} place{'s' * (number != 1)} from what it is"
        f" derived from{_REPAIR}."
        for table, number in derived.differing(store).items()
    ]


def broken_references(store: Store) -> list[str]:
    """Rows of archive.db that name rows which are not there, and messages without a copy."""
    with sound("archive.db"):
        conn = store.archive.conn
        found = [
            f"archive.db: a row of {table} ({'without a number' if row is None else row}) names"
            f" one of {parent} that is not there."
            for table, row, parent, _ in conn.execute("pragma main.foreign_key_check")
        ]
        found += [
            f"Message {row[0]} has no copy."
            for row in conn.execute(
                "select public_id from messages m"
                " where not exists (select 1 from copies c where c.message_id = m.id)"
            )
        ]
        unreadable = conn.execute("select id from audit where not json_valid(detail)")
        found += [f"Line {row[0]} of the audit cannot be read." for row in unreadable]
    return found + _broken_count(store)


def _broken_count(store: Store) -> list[str]:
    """SQLite's note of the last block id, below which a backup takes a new block for an old one."""
    with sound("mail.db"):
        last, noted = store.mail.conn.execute(
            "select coalesce((select max(id) from blocks), 0),"
            " coalesce((select max(seq) from sqlite_sequence where name = 'blocks'), 0)"
        ).fetchone()
    if isinstance(noted, int) and noted >= last:
        return []
    return ["mail.db: The number of the last block is noted wrongly."]


class Named:
    """Which blobs are named by archive.db or by a recipe, gathered in a temporary table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with sound("archive.db"):
            conn = store.archive.conn
            conn.execute("drop table if exists temp.named")
            conn.execute("create temp table named (id integer primary key)")
            conn.execute(f"insert or ignore into named {blobs.NAMED.format('main')}")

    def add(self, ids: Iterable[int]) -> None:
        self._store.archive.conn.executemany(
            "insert or ignore into named values (?)", [(one,) for one in ids]
        )

    def missing(self) -> list[int]:
        """The blobs that are named and not there."""
        with _attached(self._store):
            rows = self._store.archive.conn.execute(
                "select id from temp.named where id not in (select id from mail.blobs) order by id"
            )
            return [row[0] for row in rows]

    def orphans(self) -> int:
        """How many blobs are there that nobody names."""
        with _attached(self._store):
            found = self._store.archive.conn.execute(
                "select count(*) from mail.blobs where id not in (select id from temp.named)"
            )
            return int(found.fetchone()[0])


@contextmanager
def _attached(store: Store) -> Iterator[None]:
    """mail.db beside archive.db as `mail`."""
    with sound("mail.db"):
        store.archive.conn.execute("attach ? as mail", [str(store.directory / "mail.db")])
        try:
            yield
        finally:
            store.archive.conn.execute("detach mail")
