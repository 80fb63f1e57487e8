"""letterbook demo: a company to look at."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import letterbook
from app.demo.setup import is_demo
from tests.cli.test_serve import free_port, wait_for_page


def start(directory: Path, port: int) -> "subprocess.Popen[str]":
    words = ["demo", "--data", directory, "--port", port, "--messages", 60]
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
    )


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(tmp_path: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    process = start(tmp_path / "demo", port)
    yield process
    process.kill()
    process.communicate()


def test_the_demo_serves_and_goes(
    running: "subprocess.Popen[str]", tmp_path: Path, port: int
) -> None:
    status = wait_for_page(port, "/sign-in")

    running.terminate()
    output, _ = running.communicate(timeout=30)

    assert (status, running.returncode) == (200, 0)
    assert "Traceback" not in output
    assert is_demo(tmp_path / "demo")


def test_a_demo_starts_anew_over_an_old_one(
    running: "subprocess.Popen[str]", tmp_path: Path, port: int
) -> None:
    wait_for_page(port)
    running.kill()
    running.wait()

    again = start(tmp_path / "demo", port)
    status = wait_for_page(port)
    again.terminate()
    output, _ = again.communicate(timeout=30)

    assert (status, again.returncode) == (200, 0), output


def test_a_demo_never_takes_the_place_of_an_archive(tmp_path: Path) -> None:
    environment = {"LETTERBOOK_DATA": str(tmp_path)}
    CliRunner().invoke(letterbook, ["role", "add", "pilot"], env=environment)

    done = CliRunner().invoke(letterbook, ["demo", "--data", str(tmp_path)])

    assert done.exit_code == 1
    assert "holds an archive already" in done.stderr
    assert (tmp_path / "archive.db").exists()


def test_the_export_writes_mailboxes_records_and_the_truth(tmp_path: Path) -> None:
    target = tmp_path / "out"

    done = CliRunner().invoke(letterbook, ["demo", "--messages", "60", "--export", str(target)])

    assert done.exit_code == 0, done.stderr
    assert len(json.loads((target / "truth.json").read_text())) == 60
    assert (target / "records.csv").read_text().startswith("type,name,")
    assert len([box for box in target.iterdir() if box.is_dir()]) == 5
