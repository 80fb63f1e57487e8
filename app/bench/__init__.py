"""letterbook bench: the figures of docs/benchmarks.md, measured in one run.

Owns what is measured, on which mail, and beside which other programs. It must not know SQL or how
the store keeps its bytes: it asks what any other room may ask, and the pages what a browser asks.
"""

from app.bench.figures import Measured, table
from app.bench.pages import run_pages_bench
from app.bench.run import run_bench
from app.bench.searching import run_search_bench
from app.bench.suggestions import run_suggest_bench
from app.bench.sync import run_sync_bench

__all__ = [
    "Measured",
    "run_bench",
    "run_pages_bench",
    "run_search_bench",
    "run_suggest_bench",
    "run_sync_bench",
    "table",
]
