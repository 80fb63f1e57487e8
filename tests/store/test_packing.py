"""Thin blocks are packed together; nothing about the mail changes."""

from pathlib import Path

import pytest

from app.errors import Conflict
from app.jobs.upkeep import TASKS, carry_out
from app.settings import Settings
from app.store import Store, blobs, lock, messages, open_store, packing, upkeep
from app.store.database import write
from tests import make
from tests.store.test_upgrade import HEAD, TEXT, write_first_version


@pytest.fixture
def trickled(store: Store) -> Store:
    """Forty mails that came one by one, each with a text of its own."""
    box = make.account(store)
    for number in range(40):
        raw = make.mail(f"Mail {number}", text=f"Text {number}. " * 60, message_id=f"<{number}@x>")
        make.deliver(store, box, raw, first_uid=number + 1)
    return store


def blocks(store: Store) -> int:
    return int(store.mail.conn.execute("select count(*) from blocks").fetchone()[0])


def contents(store: Store) -> dict[bytes, bytes]:
    return {c.digest: blobs.read(store, c.id) for c in messages.copies_after(store, 0, limit=99)}


def test_mail_that_came_one_by_one_is_stored_in_few_blocks(trickled: Store) -> None:
    before, size_bytes = contents(trickled), blobs.stored_bytes(trickled)
    assert blocks(trickled) == 80

    done = packing.repack(trickled)

    assert (done.taken, done.made, blocks(trickled)) == (80, 2, 2)
    assert blobs.stored_bytes(trickled) == size_bytes - done.saved_bytes
    assert blobs.stored_bytes(trickled) * 4 < size_bytes
    assert contents(trickled) == before


def test_blobs_that_shared_a_thin_block_lie_in_the_new_one_in_their_places(store: Store) -> None:
    box = make.account(store)
    for number in range(0, 40, 2):
        raws = [
            make.mail(message_id=f"<{n}@x>", text=f"Text {n}. " * 60) for n in (number, number + 1)
        ]
        make.deliver(store, box, *raws, first_uid=number + 1)
    before = contents(store)

    assert packing.repack(store).made == 2

    assert len(before) == 40
    assert contents(store) == before


def test_packing_again_changes_nothing(trickled: Store) -> None:
    packing.repack(trickled)

    assert packing.repack(trickled) == packing.Repacked()


def test_a_few_thin_blocks_wait_for_more(store: Store) -> None:
    box = make.account(store)
    for number in range(5):
        raw = make.mail(message_id=f"<{number}@x>", text=f"Text {number}. " * 60)
        make.deliver(store, box, raw, first_uid=number + 1)

    assert packing.repack(store).made == 0


def test_block_ids_are_never_given_twice(trickled: Store) -> None:
    """A backup takes the blocks above its last one."""
    (highest,) = trickled.mail.conn.execute("select max(id) from blocks").fetchone()

    packing.repack(trickled)

    assert trickled.mail.conn.execute("select min(id) > ? from blocks", [highest]).fetchone() == (
        1,
    )


def test_a_reader_that_looked_before_finds_the_blob_where_it_is_now(trickled: Store) -> None:
    reader = open_store(trickled.directory)
    before = contents(reader)

    packing.repack(trickled)

    assert contents(reader) == before
    reader.close()


def test_a_damaged_block_is_left_and_the_others_are_packed(trickled: Store) -> None:
    with write(trickled.mail):
        trickled.mail.conn.execute(
            "update blocks set payload = substr(payload, 1, 20) where id = 1"
        )

    done = packing.repack(trickled)

    assert done.made == 1
    assert trickled.mail.conn.execute("select 1 from blocks where id = 1").fetchone()


def test_a_block_whose_first_bytes_are_damaged_is_left_too(trickled: Store) -> None:
    with write(trickled.mail):
        trickled.mail.conn.execute(
            "update blocks set payload = cast(zeroblob(20) || substr(payload, 21) as blob)"
            " where id = 1"
        )

    done = packing.repack(trickled)

    assert (done.taken, done.made) == (79, 2)


def test_few_of_many_blocks_are_in_memory_at_a_time(
    trickled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(trickled)
    asked: list[int] = []
    members = packing.members

    def spy(store: Store, block_ids: set[int]):
        asked.append(len(block_ids))
        return members(store, block_ids)

    monkeypatch.setattr(packing, "members", spy)
    monkeypatch.setattr(packing, "_AT_ONCE", 20)

    done = packing.repack(trickled)

    assert asked == [20, 20, 20, 20]
    assert (done.taken, done.made) == (80, 4)
    assert contents(trickled) == before


def test_a_stop_leaves_the_rest_for_the_next_time(trickled: Store) -> None:
    before = contents(trickled)

    assert packing.repack(trickled, stop=lambda: True).made == 0
    assert packing.repack(trickled).made == 2
    assert contents(trickled) == before


def test_the_first_version_s_blobs_are_packed_too(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    store = open_store(tmp_path)
    box = make.account(store, address="boss@firma.pl")
    for number in range(40):
        raw = make.mail(message_id=f"<{number}@x>", text=f"Text {number}. " * 60)
        make.deliver(store, box, raw, first_uid=number + 1)

    packing.repack(store)

    assert HEAD + TEXT in contents(store).values()


def test_the_worker_packs_at_night_and_says_what_it_saved(trickled: Store) -> None:
    (task,) = [task for task in TASKS if task.kind == "repack"]

    carry_out(Settings.from_env({}, data=trickled.directory), task, lambda: False)

    last = upkeep.last(trickled, "repack")
    assert last is not None
    assert last.summary.startswith("80 small blocks became 2: ")


def test_nothing_is_moved_while_a_backup_reads(trickled: Store) -> None:
    with (
        lock.no_removal(trickled.directory),
        pytest.raises(Conflict, match="backup"),
        lock.removal(trickled.directory),
    ):
        pass
