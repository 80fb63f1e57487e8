"""run, web and worker as processes: two of them, gone together, one sentence when they cannot."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.serve import bound
from app.settings import Settings
from app.store import open_store
from app.store.lock import worker_lock
from tests import make


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data: Path, port: int) -> dict[str, str]:
    return {
        "LETTERBOOK_DATA": str(data),
        "LETTERBOOK_PORT": str(port),
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
    }


def start(data: Path, port: int, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(data, port),
    )


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(tmp_path: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    process = start(tmp_path, port, "run")
    yield process
    process.kill()
    output, _ = process.communicate()
    print(output)  # what a failed test shows


def wait_for_page(port: int, path: str = "/healthz") -> int:
    pause = threading.Event()
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return int(answer.status)
        except OSError:
            pause.wait(0.1)
    raise AssertionError("no answer in half a minute")


def wait_for_worker(directory: Path) -> int:
    pause = threading.Event()
    for _ in range(300):
        lock = directory / "worker.lock"
        if lock.exists() and lock.read_text():
            return int(lock.read_text())
        pause.wait(0.1)
    raise AssertionError("no worker in half a minute")


def is_gone(pid: int) -> bool:
    pause = threading.Event()
    for _ in range(300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        pause.wait(0.1)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_serves_with_its_worker_and_both_go_together(
    running: "subprocess.Popen[str]", tmp_path: Path, port: int, number: int
) -> None:
    status, worker = wait_for_page(port, "/sign-in"), wait_for_worker(tmp_path)
    of_five_hundred = wait_for_page(port, "/email/attach?" + "&message=abcdefghijklm" * 500)

    running.send_signal(number)
    output, _ = running.communicate(timeout=30)

    assert status == of_five_hundred == 200
    assert running.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert "Traceback" not in output
    assert f"http://127.0.0.1:{port}" in output


def test_the_terminal_shows_a_code_while_nobody_is_set_up(
    running: "subprocess.Popen[str]", port: int
) -> None:
    wait_for_page(port)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=30)

    assert re.search(r"If it asks for a code: [A-Z2-9]{4}-[A-Z2-9]{4}\n", output)


def test_the_terminal_shows_no_code_once_somebody_is_there(tmp_path: Path, port: int) -> None:
    store = open_store(tmp_path)
    make.user(store, "Alice")
    store.close()
    process = start(tmp_path, port, "web")
    wait_for_page(port)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)

    assert "code" not in output


def test_a_killed_run_leaves_no_worker_behind(
    running: "subprocess.Popen[str]", tmp_path: Path, port: int
) -> None:
    wait_for_page(port)
    worker = wait_for_worker(tmp_path)

    running.kill()

    assert is_gone(worker)


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = start(tmp_path, port, "run")
        output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert output.startswith(f"letterbook: Cannot listen on 127.0.0.1 port {port}")
    assert "Traceback" not in output


def test_no_answer_waits_for_an_acknowledgement(port: int) -> None:
    has_no_delay: list[int] = []

    class Browser(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connection = transport.get_extra_info("socket")
            has_no_delay.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def connect() -> None:
        server = await asyncio.get_running_loop().create_server(Browser, sock=listener)
        async with server:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            while not has_no_delay:
                await asyncio.sleep(0)
            writer.close()

    with bound(Settings.from_env({}, port=port)) as listener:
        asyncio.run(connect())

    assert has_no_delay == [1]


def test_a_second_worker_stops_with_one_sentence(tmp_path: Path, port: int) -> None:
    open_store(tmp_path).close()

    with worker_lock(tmp_path):
        process = start(tmp_path, port, "worker")
        output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert f"A worker runs on {tmp_path} already (process {os.getpid()})" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("words", [["run"], ["web"], ["worker"], ["status"]])
def test_a_wrong_setting_stops_every_process_with_one_line(
    tmp_path: Path, words: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        capture_output=True,
        text=True,
        env={"LETTERBOOK_DATA": str(tmp_path), "LETTERBOOK_PORT": "eighty"},
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("letterbook: LETTERBOOK_PORT must be a whole number")
    assert done.stderr.count("\n") == 1


def test_worker_py_is_the_same_worker(tmp_path: Path, port: int) -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, str(root / "worker.py")], env=environment(tmp_path, port)
    )

    worker = wait_for_worker(tmp_path)
    process.terminate()

    assert worker == process.pid
    assert process.wait(timeout=30) == 0
