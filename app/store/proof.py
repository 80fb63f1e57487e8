"""Every block of mail.db read anew and unpacked, and every blob in it proved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from app.errors import Corrupt
from app.model import Digest
from app.store import blobs, recipe
from app.store.database import Store, sound

_FIRST = -(2**63)
"""Below every id, those included that only damage makes."""

_PER_LOOK = 500


@dataclass(slots=True)
class Look:
    """A block, and what is wrong with it.

    `harm` says of blobs why they are not what was stored, `faults` what else is odd. `needs`
    holds the blobs that each recipe names.
    """

    block_id: int
    blobs: int = 0
    harm: dict[int, str] = field(default_factory=dict)
    needs: dict[int, tuple[int, ...]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def walk(store: Store, *, after: int = _FIRST, through: int | None = None) -> Iterator[Look]:
    """Look at the blocks after one, up to another or to the last, in the order of their ids.

    Each is unpacked once and every blob in it proved, recipes by building and hashing the copy.
    At the end come the blobs whose block is missing, as the block they name. Raises Corrupt if
    SQLite cannot go on. Effects: forgets `store.recent`; the caller holds `lock.no_removal`.
    """
    store.recent.clear()
    with sound("mail.db"):
        last = _last_block(store) if through is None else through
        _note_places(store, after, last)
        for block_id in _block_ids(store, after, last):
            yield _look(store, block_id)
        lost = store.mail.conn.execute(
            "select block_id, id from temp.places p"
            " where not exists (select 1 from blocks k where k.id = p.block_id)"
        ).fetchall()
    for block_id, blob_id in lost:
        yield Look(block_id, 1, {blob_id: f"Block {block_id} of mail.db is missing."})


def counts(store: Store) -> tuple[int, int]:
    """How many blocks and blobs there are."""
    with sound("mail.db"):
        found = store.mail.conn.execute(
            "select (select count(*) from blocks), (select count(*) from blobs)"
        ).fetchone()
    return int(found[0]), int(found[1])


def end_of_slice(store: Store, after: int, size_bytes: int) -> int | None:
    """The last of the blocks after one whose payloads are so many bytes; None: there is none."""
    last = None
    with sound("mail.db"):
        for block_id, payload_bytes in store.mail.conn.execute(
            "select id, length(payload) from blocks where id > ? order by id", [after]
        ):
            last = int(block_id)
            size_bytes -= payload_bytes
            if size_bytes <= 0:
                break
    return last


def ids_of(store: Store, references: Sequence[bytes]) -> tuple[int, ...]:
    """The blobs that a recipe names; -1 for a digest that is not there."""
    return tuple(
        int.from_bytes(one, signed=True)
        if len(one) == 8
        else (blobs.find(store, Digest(one)) or -1)
        for one in references
    )


def _last_block(store: Store) -> int:
    found = store.mail.conn.execute("select max(id) from blocks").fetchone()[0]
    named = store.mail.conn.execute("select max(block_id) from blobs").fetchone()[0]
    return max(int(one) for one in (found, named, 0) if isinstance(one, int))


def _note_places(store: Store, after: int, last: int) -> None:
    """Which blobs lie in which block: mail.db has no index of that, and needs it here only."""
    conn = store.mail.conn
    conn.execute("drop table if exists temp.places")
    conn.execute(
        "create temp table places (block_id integer, id integer, primary key (block_id, id))"
        " without rowid"
    )
    conn.execute(
        "insert into places select block_id, id from blobs"
        " where block_id > ? and block_id <= ? order by block_id, id",
        [after, last],
    )


def _block_ids(store: Store, after: int, last: int) -> Iterator[int]:
    """A few at a time, so that no reading transaction holds the write-ahead log back."""
    while True:
        found = store.mail.conn.execute(
            "select id from blocks where id > ? and id <= ? order by id limit ?",
            [after, last, _PER_LOOK],
        ).fetchall()
        some = sorted({row[0] for row in found if row[0] > after})
        if not some:
            return
        yield from some
        after = some[-1]


def _look(store: Store, block_id: int) -> Look:
    look, rows = Look(block_id), list[tuple[int, bytes, int, int | None]]()
    try:
        with sound(f"Block {block_id} of mail.db"):
            rows = store.mail.conn.execute(
                "select b.id, b.digest, b.start, b.size_bytes from temp.places p"
                " join blobs b on b.id = p.id where p.block_id = ?",
                [block_id],
            ).fetchall()
            look.blobs = len(rows)
            found = blobs.recent_block(store, block_id)
        if found is None:
            raise Corrupt(f"Block {block_id} of mail.db is missing.")
        kind, block = found
    except Corrupt as exc:
        look.harm = dict.fromkeys((row[0] for row in rows), str(exc))
        look.faults += [] if rows else [str(exc)]
        return look
    if kind not in (blobs.RECIPE, blobs.TEXT, blobs.OTHER):
        look.faults.append(f"Block {block_id} of mail.db is of no kind that is known.")
    for blob_id, digest, start, size_bytes in rows:
        try:
            content = blobs.slice_of(str(blob_id), block, start, size_bytes)
            if kind == blobs.RECIPE:
                look.needs[blob_id] = ids_of(store, recipe.references(content))
                blobs.read(store, blob_id)
            elif sha256(content).digest() != digest:
                raise Corrupt(f"The stored bytes of blob {blob_id} are damaged.")
        except Corrupt as exc:
            look.harm[blob_id] = str(exc)
    look.faults += _overlaps(block_id, [row for row in rows if row[0] not in look.harm])
    return look


def _overlaps(block_id: int, rows: Sequence[tuple[int, bytes, int, int | None]]) -> list[str]:
    """Blobs that lie over each other, all of them proved."""
    ordered = sorted(rows, key=lambda row: (row[2], row[0]))
    return [
        f"Blobs {one[0]} and {other[0]} lie over each other in block {block_id} of mail.db."
        for one, other in pairwise(ordered)
        if one[3] is None or one[2] + one[3] > other[2]
    ]
