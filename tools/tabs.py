"""python tools/tabs.py: what open tabs cost. Each asks for the two circles every five seconds.

Prints the CPU time of the web process over a minute while mail comes in.
"""

import argparse
import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from app.model import Account, UserId
from app.store import Store, accounts, folders, open_store, sessions, transaction, users
from app.store.ingest import Delivery, ingest

PEOPLE, MAILBOXES, SHARED_WITH = 12, 16, 6
POLL_SECONDS = 5
ARRIVES_EVERY = 10
"""Seconds from one mail to the next, over all mailboxes: 8,640 a day."""

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tabs", type=int, default=200)
    asked.add_argument("--messages", type=int, default=20_000)
    asked.add_argument("--seconds", type=int, default=60)
    given = asked.parse_args()
    with TemporaryDirectory() as directory:
        data = Path(directory, "data")
        store = open_store(data)
        boxes = arrange(store, given.messages)
        port = free_port()
        web = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "web", "--data", str(data), "--port", str(port)],
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(port)
            asyncio.run(measure(store, boxes, web.pid, port, given.tabs, given.seconds))
        finally:
            web.terminate()
            web.wait()
            store.close()


def arrange(store: Store, messages: int) -> list[Account]:
    """People, mailboxes that six of them share each, mail, a tenth of it unread."""
    now = datetime.now(UTC)
    with transaction(store):
        people = [add_person(store, number) for number in range(PEOPLE)]
        boxes = [add_mailbox(store, number, people) for number in range(MAILBOXES)]
    for start in range(0, messages, 500):
        box = boxes[start // 500 % MAILBOXES]
        deliver(store, box, range(start, min(start + 500, messages)), now - timedelta(days=2))
    return boxes


def add_person(store: Store, number: int) -> UserId:
    user = users.add(
        store,
        email=f"person{number}@example.com",
        name=f"Person {number}",
        is_admin=number == 0,
        roles=(),
        password_hash=None,
        now=datetime.now(UTC),
    )
    digest = sha256(token(number).encode()).digest()
    sessions.add_session(
        store, user, digest, address="127.0.0.1", agent="tabs", now=datetime.now(UTC)
    )
    return user


def token(number: int) -> str:
    return f"tab-of-person-{number % PEOPLE}"


def add_mailbox(store: Store, number: int, people: list[UserId]) -> Account:
    box = accounts.add(
        store,
        address=f"box{number}@example.com",
        host="imap.example.com",
        port=993,
        security="tls",
        login=f"box{number}",
        sealed_password=None,
        verify_certificate=True,
        skip_folders=[],
        users=[people[(number + step) % PEOPLE] for step in range(SHARED_WITH)],
        now=datetime.now(UTC),
    )
    accounts.record_check(store, box.id, unread=0, new=0, error=None, now=datetime.now(UTC))
    return box


def deliver(store: Store, box: Account, numbers: range, received_at: datetime) -> None:
    folder = folders.ensure(store, box.id, "INBOX")
    mails = [
        Delivery(
            folder.id,
            1,
            number + 1,
            mail(number),
            received_at,
            () if number % 10 == 0 else ("\\Seen",),
        )
        for number in numbers
    ]
    ingest(store, mails, now=datetime.now(UTC))


def mail(number: int) -> bytes:
    return (
        f"From: jan{number % 90}@example.org\r\nTo: office@example.com\r\n"
        f"Subject: Delivery {number}\r\nMessage-ID: <{number}@example.org>\r\n"
        f"Date: Fri, 14 Mar 2025 08:00:00 +0000\r\n\r\nThe delivery {number} is here.\r\n"
    ).encode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The web did not start.")


async def measure(
    store: Store, boxes: list[Account], pid: int, port: int, tabs: int, seconds: int
) -> None:
    answers: dict[int, int] = {}
    open_tabs = [
        asyncio.create_task(tab(port, number, POLL_SECONDS * number / tabs, answers))
        for number in range(tabs)
    ]
    await asyncio.sleep(2 * POLL_SECONDS)
    answers.clear()
    before, began_at = cpu_seconds(pid), time.monotonic()
    arriving = asyncio.create_task(arrive(store, boxes))
    await asyncio.sleep(seconds)
    used, lasted = cpu_seconds(pid) - before, time.monotonic() - began_at
    for task in (*open_tabs, arriving):
        task.cancel()
    ends = await asyncio.gather(*open_tabs, arriving, return_exceptions=True)
    if lost := [end for end in ends if not isinstance(end, asyncio.CancelledError)]:
        raise SystemExit(f"{len(lost)} tabs ended early: {lost[0]!r}")
    asked = sum(answers.values())
    print(
        f"{tabs} tabs, {lasted:.0f} s: {asked:,} requests"
        f" ({', '.join(f'{n:,} x {status}' for status, n in sorted(answers.items()))}),"
        f" {used:.2f} CPU seconds of the web process = {used / lasted:.1%} of a core,"
        f" {1000 * used / asked:.2f} ms each"
    )


async def arrive(store: Store, boxes: list[Account]) -> None:
    number = 1_000_000
    while True:
        deliver(store, boxes[number % len(boxes)], range(number, number + 1), datetime.now(UTC))
        number += 1
        await asyncio.sleep(ARRIVES_EVERY)


async def tab(port: int, number: int, delay: float, answers: dict[int, int]) -> None:
    """One browser tab on the queue: the page, then a poll every five seconds."""
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    _, page = await get(reader, writer, "/email/queue", number, port, is_fragment=False)
    state = dict(re.findall(r'class="polled" type="hidden" name="(\w+)" value="([^"]*)"', page))
    while True:
        path = f"/email/circles?{urlencode(state)}"
        status, text = await get(reader, writer, path, number, port, is_fragment=True)
        answers[status] = answers.get(status, 0) + 1
        state |= dict(re.findall(r'name="(have|newest)" value="([^"]*)"', text))
        await asyncio.sleep(POLL_SECONDS)


async def get(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    number: int,
    port: int,
    *,
    is_fragment: bool,
) -> tuple[int, str]:
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: letterbook={token(number)}\r\n"
        f"{'HX-Request: true' if is_fragment else 'Accept: text/html'}\r\n\r\n".encode()
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"(?i)content-length: (\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return int(head.split(" ", 2)[1]), body.decode()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


if __name__ == "__main__":
    main()
