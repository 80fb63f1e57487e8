"""A connection cut at any byte of a folder's pass: the next pass makes up for it."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from app.errors import RemoteError
from app.store import Store, blobs, folders, locations
from app.sync import sync_account
from tests.sync.conftest import Clock, add_account, raw_mail
from tests.sync.scripted import Cutting, ScriptedImap, listening

CUTS = 500
"""In all: a quarter each in a first pass and in a later one, for good and once."""

SIZES = (20, 3_000, 40, 900, 60, 1_500)


@dataclass
class Rig:
    """A server with one folder; each try is an account of its own, with mail of its own."""

    store: Store
    server: ScriptedImap
    cutting: Cutting
    port: int
    _tries: Iterator[int] = field(default_factory=itertools.count)

    def begin(self) -> None:
        """A new mailbox: four messages, checked once; then two are new, one gone, one marked."""
        self._first = next(self._tries) * 10
        self._raws = {
            uid: raw_mail(self._first + uid, "x" * size + "\n") for uid, size in enumerate(SIZES, 1)
        }
        self.account = add_account(
            self.store, login=f"{self._first}@ex.test", port=self.port, security="none"
        )
        self.server.flags = {}
        self.server.messages = {uid: self._raws[uid] for uid in (1, 2, 3, 4)}

    def change(self) -> None:
        self.server.messages = {uid: self._raws[uid] for uid in (1, 3, 4, 5, 6)}
        self.server.flags = {3: "\\Flagged", 5: "\\Answered \\Seen"}

    def sync(self) -> None:
        sync_account(
            self.store, self.account, "secret", now=Clock(datetime(2025, 3, 14, tzinfo=UTC))
        )

    def cut_sync(self, after: int, *, comes_back: bool) -> None:
        self.cutting.left, self.cutting.comes_back = after, comes_back
        with suppress(RemoteError):
            self.sync()
        self.cutting.left = None

    def state(self) -> tuple[Any, ...]:
        """The places by UID, with the number of the mail there; the failures; the ledger."""
        (folder,) = folders.of_account(self.store, self.account.id)
        rows = self.store.archive.conn.execute(
            "select uid, flags, gone_since is null, copy_id from locations where folder_id = ?"
            " order by uid",
            [folder.id],
        ).fetchall()
        numbers = {raw: uid for uid, raw in self._raws.items()}
        places = [(*row[:3], numbers.get(blobs.read(self.store, row[3]))) for row in rows]
        (line,) = folders.ledger(self.store, self.account.id)
        sums = (line.seen, line.stored + line.known, line.skipped, line.failed, line.adds_up)
        cursor = (folder.uidnext, folder.server_messages, folder.server_unseen, folder.error)
        return places, locations.failed_uids(self.store, folder.id, 1), sums, cursor


@pytest.fixture
def rig(store: Store) -> Iterator[Rig]:
    store.archive.conn.execute("pragma synchronous = off")
    store.mail.conn.execute("pragma synchronous = off")
    server = ScriptedImap()
    cutting = Cutting(server.talk)
    with listening(cutting) as port:
        yield Rig(store, server, cutting, port)


def undisturbed(rig: Rig) -> tuple[tuple[Any, ...], int, int]:
    """The state after a first pass and one that finds changes, and how many bytes each takes."""
    rig.begin()
    rig.sync()
    first = rig.cutting.said
    rig.change()
    rig.sync()
    return rig.state(), first, rig.cutting.said - first


@pytest.mark.parametrize("comes_back", [False, True], ids=["gone", "comes-back"])
def test_a_pass_cut_at_any_byte_ends_where_an_uninterrupted_one_does(
    rig: Rig, comes_back: bool
) -> None:
    expected, first, second = undisturbed(rig)
    differing = []

    for after in range(0, first, first // (CUTS // 4)):
        rig.begin()
        rig.cut_sync(after, comes_back=comes_back)
        rig.sync()
        rig.change()
        rig.sync()
        if rig.state() != expected:
            differing.append((after, rig.state()))
    for after in range(0, second, second // (CUTS // 4)):
        rig.begin()
        rig.sync()
        rig.change()
        rig.cut_sync(after, comes_back=comes_back)
        rig.sync()
        if rig.state() != expected:
            differing.append((first + after, rig.state()))

    assert differing == []
    assert expected[2] == (6, 6, 0, 0, True)
