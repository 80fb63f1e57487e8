"""Messages over which the server hangs up or refuses: they hold up no other, however many."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from app.errors import RemoteError
from app.store import Store
from tests.sync.conftest import Bench, copies, raw_mail
from tests.sync.scripted import ScriptedImap, listening


@dataclass(slots=True)
class HangsUp(ScriptedImap):
    """Over the content of some messages."""

    bad: frozenset[int] = frozenset()

    def _answer(self, caller, tag, command):  # type: ignore[no-untyped-def]
        if b"BODY.PEEK" in command and self.bad & set(self._named(command)):
            return False
        return ScriptedImap._answer(self, caller, tag, command)


@pytest.fixture
def bench(store: Store) -> Iterator[Bench]:
    server = HangsUp(messages={uid: raw_mail(uid) for uid in range(1, 31)})
    with listening(server.talk) as port:
        yield Bench(store, server, port)


def test_many_bad_messages_among_good_ones_hold_up_none(bench: Bench) -> None:
    bench.server.bad = frozenset(range(1, 31, 3))  # type: ignore[attr-defined]

    bench.sync()

    assert len(copies(bench.store)) == 20
    assert bench.failures() == dict.fromkeys(range(1, 31, 3), 1)
    assert bench.adds_up()


def test_many_bad_messages_in_a_row_are_passed_in_the_end(bench: Bench) -> None:
    bench.server.bad = frozenset(range(19, 31))  # type: ignore[attr-defined]

    with pytest.raises(RemoteError, match="again and again"):
        bench.sync()
    first = set(bench.failures())
    for _ in range(2):
        with suppress(RemoteError):
            bench.sync()
    after_three = sorted(copies(bench.store))
    for _ in range(6):
        with suppress(RemoteError):
            bench.sync()

    assert first == {30, 29, 28, 27, 26}
    assert after_three == sorted(raw_mail(uid) for uid in range(1, 19))
    assert set(bench.failures()) == set(range(19, 31))
    assert bench.adds_up()


def test_what_came_before_the_server_is_gone_is_kept(bench: Bench) -> None:
    bench.server.bad = frozenset(range(1, 11))  # type: ignore[attr-defined]

    with pytest.raises(RemoteError, match="again and again"):
        bench.sync()

    assert len(copies(bench.store)) == 20
    assert bench.failures() == dict.fromkeys(range(5, 11), 1)
