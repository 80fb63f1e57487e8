"""Many workers at once, and clocks that jump."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_of_twenty_workers_at_once_exactly_one_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.twenty", tmp_path / "data"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )

    *said, ended = done.stdout.splitlines()
    assert ended == f"ended: 0{' 7' * 19}"
    assert len(said) == 19
    assert all("A worker runs on" in line for line in said)
