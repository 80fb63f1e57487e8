"""Several people, and the worker, change what hangs together at the very same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from app import filing, people, records
from app.errors import Conflict, LetterbookError
from app.model import RecordId, UserId
from app.store import Store, open_store
from app.store.derived import differing
from tests import make
from tests.make import NOW

MAILS = 60


@pytest.fixture
def boss(store: Store) -> UserId:
    """An administrator, whose mailbox holds mail to file."""
    made = make.user(store, "Boss", is_admin=True)
    mails = [make.mail(message_id=f"<{n}@x>") for n in range(MAILS)]
    make.deliver(store, make.account(store, made), *mails)
    return made


def at_once(directory: Path, *works: Callable[[Store], object]) -> list[object]:
    """What each gives or is refused with, from threads with stores of their own."""
    gate = Barrier(len(works))

    def run(work: Callable[[Store], object]) -> object:
        own = open_store(directory)
        try:
            gate.wait()
            return work(own)
        except LetterbookError as exc:
            return exc
        finally:
            own.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def file_each(
    boss: UserId, record: RecordId, roles: tuple[int, ...] = ()
) -> Callable[[Store], int]:
    """Files message after message until one is refused; gives how many were."""

    def work(store: Store) -> int:
        done = 0
        for one in make.message_ids(store):
            try:
                filing.file_message(
                    store, make.viewer(store, boss), one, record, roles=roles, now=NOW
                )
            except LetterbookError:
                break
            done += 1
        return done

    return work


def is_sound(store: Store) -> bool:
    conn = store.archive.conn
    (odd,) = conn.execute(
        "select count(*) from messages m where (m.archived_at is not null) <>"
        " exists (select 1 from filings f join records r on r.id = f.record_id"
        "   where f.message_id = m.id and r.removed_at is null)"
    ).fetchone()
    broken = conn.execute("pragma foreign_key_check").fetchall()
    return not odd and not broken and differing(store) == {}


def test_mail_that_is_filed_while_its_record_merges_lies_under_the_one_or_waits(
    store: Store, boss: UserId
) -> None:
    one, other = make.record(store, "Los"), make.record(store, "Spostex")

    def merge(own: Store) -> None:
        plan = records.plan_merge(own, make.viewer(own, boss), one, other)
        records.merge_records(
            own, make.viewer(own, boss), one, other, version=plan.version, now=NOW
        )

    done, _ = at_once(store.directory, file_each(boss, one), retried(merge))

    under = store.archive.conn.execute("select record_id, count(*) from filings group by 1")
    assert under.fetchall() == ([(other, done)] if done else [])
    assert is_sound(store)


def test_mail_that_is_filed_while_its_record_is_removed_waits_again(
    store: Store, boss: UserId
) -> None:
    one = make.record(store, "Los")

    def remove(own: Store) -> None:
        plan = records.plan_removal(own, make.viewer(own, boss), one)
        records.remove_record(own, make.viewer(own, boss), one, version=plan.version, now=NOW)

    at_once(store.directory, file_each(boss, one), retried(remove))

    assert store.archive.conn.execute("select count(*) from filings").fetchone() == (0,)
    assert is_sound(store)


def test_mail_that_is_filed_for_a_role_while_that_goes_is_open_to_nobody_else(
    store: Store, boss: UserId
) -> None:
    """It is kept for the role in its place, or not filed: never for nobody, which is for all."""
    role, other = make.role(store, "a"), make.role(store, "b")
    record = make.record(store)

    def remove(own: Store) -> None:
        people.remove_role(own, role, in_its_place=other, by=boss, now=NOW)

    done, refused = at_once(store.directory, file_each(boss, record, (role,)), remove)

    assert refused is None
    kept = store.archive.conn.execute("select role_id, count(*) from message_roles group by 1")
    assert kept.fetchall() == ([(other, done)] if done else [])
    assert store.archive.conn.execute("select count(*) from filings").fetchone() == (done,)
    assert is_sound(store)


def test_much_mail_is_filed_at_once_while_more_comes(store: Store, boss: UserId) -> None:
    """R34, A2: the worker's batches and one press of Confirm for all wait for each other."""
    box = make.account(store, boss, address="b@firma.pl")
    record = make.record(store)
    ids = make.message_ids(store)

    def file_all(own: Store) -> int:
        _, outcomes = filing.file_messages(
            own, make.viewer(own, boss), ids, lambda: record, roles=[], standing=[], now=NOW
        )
        return sum(outcome == "archived" for outcome in outcomes.values())

    def ingest(own: Store) -> int:
        came = 0
        for n in range(0, MAILS, 5):
            again = [make.mail(message_id=f"<{n + k}@x>", headers="X-A: b\n") for k in range(5)]
            new = [make.mail(message_id=f"<new {n + k}@x>") for k in range(5)]
            came += make.deliver(own, box, *again, *new, first_uid=2 * n + 1).stored
        return came

    done = at_once(store.directory, file_all, ingest)

    assert done == [MAILS, 2 * MAILS]
    states = store.archive.conn.execute(
        "select account_id, state, count(*) from holdings group by 1, 2 order by 1, 2"
    )
    assert states.fetchall() == [(1, 3, MAILS), (2, 0, MAILS), (2, 3, MAILS)]
    assert is_sound(store)


def retried(work: Callable[[Store], None]) -> Callable[[Store], None]:
    """As people do who are shown the plan anew: until it is what was shown."""

    def again(store: Store) -> None:
        while True:
            try:
                return work(store)
            except Conflict:
                continue

    return again
