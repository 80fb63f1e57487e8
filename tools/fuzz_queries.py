"""Ask a data directory strange queries: any exception ends it; the times are printed at the end.

.venv/bin/python tools/fuzz_queries.py DATA EMAIL [COUNT] [SEED]
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from app import people
from app.search import search_messages
from app.search.tokens import OPERATORS
from app.store import open_store

WORDS = (
    "faktura",
    "betonu",
    "the",
    "Łomianki",
    "a",
    "FV/2025/03/117",
    "jan@spostex.pl",
    "ﬅ",
    "漢字",
)
VALUES = (
    "2025",
    "2025-13-45",
    "last week",
    "last spring",
    "5M",
    "6m",
    "none",
    "queue",
    "pdf",
    "-1",
)
SIGNS = ("(", ")", '"', "„", "-", " OR ", "*", ":", "~", "\\", "[", "]", "^", "+", "/", "'", "{")
ODD = ("\x00", "\x1b", "\ud800", "\u200b", "\u202e", "\U0001f600", "\n", "e\u0301", "\uffff")
WHOLE = ("(" * 10_000, "a " * 5_000, '"' * 999, "-" * 999, "from:" * 200, "x" * 5_000, "(a " * 40)


def queries(count: int, seed: int = 1) -> Iterator[str]:
    """Lines from words, operators, signs and odd characters, the same ones for a seed."""
    chance = random.Random(seed)
    yield from WHOLE[:count]
    for _ in range(count - len(WHOLE)):
        pieces = (_piece(chance) for _ in range(chance.choice((1, 2, 3, 5, 8, 13, 40))))
        yield chance.choice((" ", " ", "")).join(pieces)


def _piece(chance: random.Random) -> str:
    operator = f"{chance.choice(OPERATORS)}:{chance.choice((*VALUES, *WORDS, *SIGNS, ''))}"
    quoted = f'"{chance.choice(WORDS)} {chance.choice(WORDS)}"'
    word = chance.choice(WORDS)
    return chance.choice(
        (
            *(word, word, operator, operator, quoted, f"-{operator}", f"{word[:4]}*"),
            *(chance.choice(SIGNS), chance.choice(ODD), chr(chance.randrange(0x11000))),
        )
    )


def main(data: str, email: str, count: str = "100000", seed: str = "1") -> None:
    store = open_store(Path(data))
    viewer = people.viewer_for(store, email)
    times = []
    for number, text in enumerate(queries(int(count), int(seed)), 1):
        started = perf_counter()
        try:
            search_messages(store, viewer, text)
        except BaseException:
            print(f"query {number} of seed {seed}: {text!r}")
            raise
        times.append((perf_counter() - started) * 1000)
    marks = quantiles(times, n=1000)
    print(
        f"{len(times):,} queries, no exception; p50 {marks[499]:.1f} ms, p95 {marks[949]:.1f} ms,"
    )
    print(f"p99 {marks[989]:.1f} ms, slowest {max(times):.1f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
