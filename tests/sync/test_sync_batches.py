"""How much is asked of a server at once."""

import pytest

from app.sync import fetching
from app.sync.answers import Summary

MB = 1_000_000


def first_batch(*sizes: int, most_bytes: int = 2 * MB) -> list[int]:
    summaries = [Summary(uid, size, None, ()) for uid, size in enumerate(sizes, start=1)]
    return [one.size_bytes for one in fetching._first_batch(summaries, most_bytes)]


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        ([MB, MB, MB], [MB, MB]),
        ([3 * MB, MB], [3 * MB]),
        ([MB, 50 * MB, MB], [MB]),
        ([50 * MB, MB], [50 * MB]),
        ([10, 20], [10, 20]),
    ],
)
def test_a_batch_is_bounded_and_a_large_message_goes_alone(
    sizes: list[int], taken: list[int]
) -> None:
    assert first_batch(*sizes) == taken


@pytest.mark.parametrize(
    ("size_bytes", "seconds", "allowed"),
    [
        (MB, 1.0, 5 * MB),
        (MB, 0.0, 10 * MB),
        (10 * MB, 0.5, 10 * MB),
        (MB, 60.0, MB // 2),
        (3_000, 0.1, MB // 2),
    ],
)
def test_a_slow_server_is_asked_for_less_at_once(
    size_bytes: int, seconds: float, allowed: int
) -> None:
    assert fetching._within_seconds(size_bytes, seconds) == allowed


def test_what_comes_fits_beside_what_is_stored() -> None:
    room = fetching._Room()

    room.take(50 * MB)
    room.give(50 * MB)
    room.take(10 * MB)
    room.take(10 * MB)
    room.close()

    with pytest.raises(fetching.Stopped):
        room.take(1)
