"""A newer parser reads stored mail again, and a kill at any moment costs nothing."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.jobs import upkeep as tasks
from app.mail import parse
from app.model import MessageId
from app.purge import purge_message
from app.search import search_messages
from app.search.indexer import Indexer
from app.settings import Settings
from app.store import (
    Store,
    blobs,
    messages,
    open_store,
    reading,
    reparse,
    snippets,
)
from app.store.database import write
from tests import make
from tests.store.newer import archive, dump, same_for_all, told_apart
from tests.store.test_upgrade import TEXT, write_first_version

# -- the same parser


MAILS = st.builds(
    make.mail,
    st.sampled_from(["Beton", "Re: Beton", ""]),
    text=st.sampled_from(["Faktura", "Faktura za beton. " * 20, ""]),
    to=st.sampled_from(["office@firma.pl", "Jan <jan@firma.pl>, b@x.pl, c@x.pl, d@x.pl"]),
    message_id=st.sampled_from(["<1@a>", "<2@a>", "<3@a>", ""]),
    date=st.sampled_from(["Fri, 14 Mar 2025 08:00:00 +0000", "Fri, 14 Mar 2099 08:00:00", "x"]),
    headers=st.sampled_from(["", "Received: a\n", "References: <1@a> <2@a>\n"]),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(MAILS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_the_same_parser_changes_nothing(tmp_path_factory, batches: list[list[bytes]]) -> None:
    store = open_store(tmp_path_factory.mktemp("data"))
    boxes = [make.account(store, address=f"{n}@firma.pl") for n in range(2)]
    for number, batch in enumerate(batches):
        make.deliver(store, boxes[number % 2], *batch, first_uid=number * 10 + 1)
    before = dump(store)
    with write(store.archive):
        store.archive.conn.execute("update messages set parser_version = 0")

    done = reparse.reparse(store)

    assert (done.done, done.is_finished) == (len(before["messages"]), True)
    assert dump(store) == before
    assert reparse.to_do(store) == 0
    store.close()


# -- a parser that reads otherwise


def test_what_the_parser_tells_is_derived_anew(store: Store, newer) -> None:
    box = make.account(store)
    make.deliver(store, box, make.mail("A", message_id="<a@x>"), make.mail("B", message_id="<b@x>"))
    newer(
        lambda mail: replace(
            mail,
            subject="Read well",
            sent_at=make.NOW.replace(year=2001),
            defects=("odd",),
            text="Another text",
            references=("a@x", "b@x"),
        )
    )

    reparse.reparse(store)

    rows = store.archive.conn.execute(
        "select m.subject, m.defects, m.sort_at = h.sort_at, m.sort_at < 1e9"
        " from messages m join holdings h on h.message_id = m.id"
    ).fetchall()
    assert rows == [("Read well", "odd", 1, 1)] * 2
    threads = store.archive.conn.execute("select distinct thread_id from messages").fetchall()
    assert len(threads) == 1


def test_a_search_answers_before_during_and_after(store: Store, newer) -> None:
    alice = make.user(store, "Alice")
    make.deliver(store, make.account(store, alice), make.mail("Broken"))
    viewer = make.viewer(store, alice)
    Indexer(store).drain()
    newer(lambda mail: replace(mail, subject="Mended"))

    def totals() -> list[int]:
        return [search_messages(store, viewer, word).total for word in ("broken", "mended")]

    assert totals() == [1, 0]
    reparse.reparse(store)
    assert totals() == [1, 0]
    Indexer(store).drain()
    assert totals() == [0, 1]


def test_a_copy_is_built_by_the_parts_that_the_newer_parser_finds(store: Store, newer) -> None:
    box = make.account(store)
    raw = make.mail(text="Faktura za beton. " * 20)
    with pytest.MonkeyPatch.context() as older:
        older.setattr(reading, "parse", lambda raw: replace(parse(raw), leaves=()))
        make.deliver(store, box, raw)
    (copy,) = messages.copies_after(store, 0, limit=9)
    newer(lambda mail: mail)

    reparse.reparse(store)

    assert blobs.read(store, copy.id) == raw
    assert len(blobs.stored_recipe(store, copy.id) or b"") < len(raw)
    (part,) = store.archive.conn.execute("select blob_id from parts").fetchone()
    assert blobs.read(store, part) in raw


def test_mail_that_comes_after_it_is_known_by_the_new_identity(store: Store, newer) -> None:
    box = make.account(store)
    make.deliver(store, box, make.mail())
    newer(same_for_all)

    reparse.reparse(store)
    make.deliver(store, box, make.mail(headers="Received: b\n"), first_uid=2)

    assert len(make.message_ids(store)) == 1


def test_mail_that_comes_before_it_is_found_to_be_the_same(store: Store, newer) -> None:
    box = make.account(store)
    make.deliver(store, box, make.mail())
    newer(same_for_all)
    make.deliver(store, box, make.mail(headers="Received: b\n"), first_uid=2)
    assert len(make.message_ids(store)) == 2

    reparse.reparse(store)

    assert make.message_ids(store) == [1]


def test_a_message_with_damaged_bytes_stays_as_it_was_and_holds_up_no_other(
    store: Store, newer
) -> None:
    box = make.account(store)
    make.deliver(store, box, make.mail(), make.mail("B", message_id="<2@x>"))
    damaged = messages.copies_after(store, 0, limit=1)[0]
    with write(store.mail):
        store.mail.conn.execute("delete from blobs where id = ?", [damaged.id])
    newer(lambda mail: replace(mail, subject="Mended"))

    done = reparse.reparse(store)

    subjects = store.archive.conn.execute("select subject from messages order by id").fetchall()
    assert (done.failed, done.is_finished, reparse.to_do(store)) == (1, True, 1)
    assert sorted(subjects) == [("Beton",), ("Mended",)]


# -- interruptions


class Killed(BaseException):
    pass


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    """A data directory where a newer parser unites some messages and parts others."""
    store = open_store(tmp_path / "varied")
    alice, bob = make.user(store, "Alice"), make.user(store, "Bob")
    ours, theirs = make.account(store, alice), make.account(store, bob, address="b@firma.pl")
    for number in range(6):
        mail = make.mail("Same" if number < 3 else f"Mail {number}", message_id=f"<{number}@x>")
        make.deliver(store, ours, mail, first_uid=number + 1)
        copy = mail.replace(b"To: office", b"To: bob")
        make.deliver(store, theirs, copy, first_uid=number + 1)
    archive(store, "Alice", MessageId(1), "Spostex")
    store.close()
    return tmp_path / "varied"


@pytest.mark.parametrize("point", ["_put", "_derive", "queue_messages", "_join_conversation"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_kill_at_any_step_changes_nothing_about_the_end(
    varied: Path, newer, monkeypatch: pytest.MonkeyPatch, point: str, after: int
) -> None:
    newer(lambda mail: same_for_all(mail) if mail.to[0].address[0] == "o" else told_apart(mail))
    monkeypatch.setattr(reparse, "BATCH_MESSAGES", 2)
    shutil.copytree(varied, varied.with_name("whole"))
    whole = open_store(varied.with_name("whole"))
    reparse.reparse(whole)
    broken = open_store(varied)
    step, calls = getattr(reparse, point), []

    def die(*given: object, **more: object) -> object:
        calls.append(point)
        if len(calls) == after + 1:
            raise Killed
        return step(*given, **more)

    monkeypatch.setattr(reparse, point, die)
    with pytest.raises(Killed):
        reparse.reparse(broken)
    reparse.reparse(broken)

    assert without_random(dump(broken)) == without_random(dump(whole))
    whole.close()
    broken.close()


def without_random(found: dict[str, list[tuple[object, ...]]]) -> dict[str, object]:
    """A message that parts gets an id of its own, each time another one."""
    return found | {"messages": [row[:1] + row[2:] for row in found["messages"]]}


def test_a_run_that_is_asked_to_stop_goes_on_later(varied: Path, newer, monkeypatch) -> None:
    newer(lambda mail: replace(mail, subject="Mended"))
    monkeypatch.setattr(reparse, "BATCH_MESSAGES", 2)
    store = open_store(varied)
    rests: list[int] = []

    first = reparse.reparse(store, stop=lambda: bool(rests), rest=lambda: rests.append(1))
    left = reparse.to_do(store)
    second = reparse.reparse(store)

    assert (first.done, first.is_finished, left) == (2, False, 4)
    assert (second.done, second.is_finished) == (4, True)
    store.close()


# -- upkeep, and the first version


def test_it_begins_soon_after_an_upgrade_and_then_is_done(store: Store, newer) -> None:
    task = next(one for one in tasks.TASKS if one.kind == "reparse")
    options = Settings.from_env({}, data=store.directory)
    make.deliver(store, make.account(store), make.mail())
    tasks.carry_out(options, task, lambda: False)
    noon = tasks.upkeep.last(store, "reparse").finished_at
    assert tasks.due(store, [task], now=noon) is None

    newer(lambda mail: replace(mail, subject="Mended"))

    assert tasks.due(store, [task], now=noon) == task
    tasks.carry_out(options, task, lambda: False)
    assert tasks.due(store, [task], now=noon) is None
    assert reparse.to_do(store) == 0


def test_it_gives_way_to_the_sweep_after_a_removal(store: Store, newer) -> None:
    reading_again, sweeping = (
        next(one for one in tasks.TASKS if one.kind == kind) for kind in ("reparse", "sweep")
    )
    options = Settings.from_env({}, data=store.directory)
    box = make.account(store)
    make.deliver(store, box, make.mail(), make.mail("B", message_id="<2@x>"))
    for task in (sweeping, reading_again):
        tasks.carry_out(options, task, lambda: False)
    now = tasks.upkeep.last(store, "reparse").finished_at
    newer(lambda mail: replace(mail, subject="Mended"))
    admin = make.viewer(store, make.user(store, "Dora", is_admin=True))
    purge_message(store, admin, "<2@x>", reason="Court", now=make.NOW)

    tasks.carry_out(options, reading_again, lambda: False)

    assert reparse.to_do(store) == 1
    assert tasks.due(store, tasks.TASKS[:1], now=now) == sweeping
    tasks.carry_out(options, sweeping, lambda: False)
    assert tasks.due(store, [sweeping, reading_again], now=now) == reading_again


def test_a_store_of_the_first_version_is_read_again(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    store = open_store(tmp_path)
    assert reparse.to_do(store) == 1

    reparse.reparse(store)
    box = make.account(store, address="boss@firma.pl")
    (copy,) = messages.copies_after(store, 0, limit=10)
    make.deliver(store, box, b"Received: x\r\n" + blobs.read(store, copy.id))

    assert make.message_ids(store) == [1]
    assert snippets.texts(store, [MessageId(1)]) == {MessageId(1): TEXT.decode()}
    store.close()
