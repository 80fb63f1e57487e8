"""python tools/pushes.py: what another system's records cost over the JSON API.

Pushes --records records, 1,000 a request, to a real web and worker; then asks for one, pushes one,
and lists. A tenth of the records are for one person only.
"""

import argparse
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory

from app import people
from app.store import open_store

EMAIL, ASKED, AT_ONCE = "erp@example.com", 200, 1000


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--records", type=int, default=100_000)
    given = asked.parse_args()
    with TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as free:
        port, data = free.getsockname()[1], Path(directory, "data")
        free.close()
        token = make_token(data)
        command = [sys.executable, "-m", "app.cli", "run", "--data", str(data), "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            measure(Api(port, token), given.records)
        finally:
            server.terminate()
            server.wait()


def make_token(data: Path) -> str:
    store, now = open_store(data), datetime.now(UTC)
    user = people.create_user(store, email=EMAIL, name="ERP", by=None, now=now)
    scopes = list(people.SCOPES)
    _, token = people.create_token(store, user, name="ERP", scopes=scopes, days=1, now=now)
    store.close()
    return token


class Api:
    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for _ in range(300):
            try:
                self.connection.connect()
            except OSError:
                time.sleep(0.1)
            else:
                break
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, method: str, path: str, body: object = None) -> dict:
        sent = None if body is None else json.dumps(body)
        self.connection.request(method, f"/api/v1{path}", sent, self.headers)
        answer = self.connection.getresponse()
        document = json.loads(answer.read())
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {document}")
        return document


def record(number: int, word: str) -> dict:
    return {
        "type": "companies" if number % 2 else "projects",
        "external_id": f"K/{number}",
        "code": f"C-{number}",
        "name": f"Firma Budowlana {number} {word}",
        "aliases": [f"FB{number}"],
        "addresses": [f"biuro@firma{number}.example"],
        "domains": [f"firma{number}.example"],
        "users": [EMAIL] if number % 10 == 0 else [],
    }


def measure(api: Api, records: int) -> None:
    for label, word in (("new", "one"), ("unchanged", "one"), ("changed", "two")):
        count = records if label == "new" else min(records, 20_000)
        began = time.perf_counter()
        for start in range(0, count, AT_ONCE):
            items = [record(n, word) for n in range(start, min(start + AT_ONCE, count))]
            done = api("POST", "/records/bulk", {"records": items})
            assert done[label] == len(items), done
        print(f"bulk, {label}: {count / (time.perf_counter() - began):,.0f} records/s")
    drawn = Random(7)
    by_id = "/records/companies/by-external-id/"
    cursor = [""]

    def page() -> None:
        cursor[0] = api("GET", f"/records?limit=50&cursor={cursor[0]}")["next"]

    show("PUT, new", lambda: api("PUT", f"{by_id}N{drawn.random()}", {"name": "Nowa"}))
    show("PUT, changed", lambda: api("PUT", f"{by_id}N", {"name": f"Nowa {drawn.random()}"}))
    show("GET by external id", lambda: api("GET", f"{by_id}K/{drawn.randrange(1, records, 2)}"))
    show("list, 50 of all", page)
    show(
        "list, a part of a name",
        lambda: api("GET", f"/records?q=lana%20{drawn.randrange(records)}"),
    )


def show(label: str, ask: Callable[[], object]) -> None:
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    cuts = quantiles(times, n=20)
    print(f"{label}: median {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms")


if __name__ == "__main__":
    main()
