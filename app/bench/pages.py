"""How fast the pages of a large, shared archive answer: a real web and worker, asked over HTTP."""

import http.client
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from socket import create_server
from statistics import quantiles
from urllib.parse import urlencode

from app.bench.child import import_apart
from app.bench.corpus import SEED, Corpus
from app.bench.crowd import Crowd, Reader, gather
from app.bench.figures import Measured
from app.errors import LetterbookError
from app.settings import Settings
from app.store import open_store
from app.web.csrf import token_for
from app.web.session import cookie_name

Progress = Callable[[str], None]

ASKED = 200
"""How often each page is asked for."""
FOLLOWED = 20
"""How many filings are followed until their new readers find them."""
PATIENCE_SECONDS = 30.0
SMALLER = 100
"""The archive measured beside it is so many times smaller."""
_HOST = "127.0.0.1"
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Web:
    """One connection to the web process, kept open; `times` are the milliseconds of each page."""

    settings: Settings
    connection: http.client.HTTPConnection
    pid: int
    times: dict[str, list[float]] = field(default_factory=dict)

    def get(self, path: str, reader: Reader) -> tuple[int, str]:
        return self._ask("GET", path, reader, None)

    def post(self, path: str, reader: Reader, **fields: str) -> int:
        sent = {**fields, "_csrf": token_for(self.settings, reader.token)}
        return self._ask("POST", path, reader, urlencode(sent))[0]

    def show(self, path: str, reader: Reader) -> None:
        _require(self.get(path, reader)[0], 200)

    def memory(self, *, of_worker: bool = False) -> dict[str, float]:
        """Megabytes: its own pages, and pages of files, which the system may take back.

        Empty where the system does not tell.
        """
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if not children.exists():
            return {}
        pid = children.read_text().split()[0] if of_worker else self.pid
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        sizes = {line.partition(":")[0]: line.split()[1] for line in lines if "kB" in line}
        names = (("anon", "RssAnon"), ("file", "RssFile"))
        return {f"{name}_megabytes": int(sizes[key]) / 1024 for name, key in names}

    def timed(self, name: str, ask: Callable[[], object]) -> None:
        began = time.perf_counter()
        ask()
        self.times.setdefault(name, []).append((time.perf_counter() - began) * 1000)

    def _ask(self, method: str, path: str, reader: Reader, body: str | None) -> tuple[int, str]:
        headers = {"Cookie": f"{cookie_name(self.settings)}={reader.token}", "Accept": "text/html"}
        if body is not None:
            headers |= {"Content-Type": _FORM_TYPE, "Origin": self.settings.public_url}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()


def run_pages_bench(
    *,
    messages: int,
    records: int,
    asked: int = ASKED,
    followed: int = FOLLOWED,
    progress: Progress = lambda text: None,
) -> Measured:
    """Pages of the demo company's archive with so many mails and records, and 40 people.

    Each figure stands beside that of an archive a hundred times smaller, of the same run.
    Milliseconds from the request to the last byte of the answer, on one connection.
    """
    figures: dict[str, float] = {}
    for share, ending in ((SMALLER, "_small"), (1, "")):
        size = max(messages // share, 300)
        with tempfile.TemporaryDirectory(prefix="letterbook-bench-") as place:
            progress(f"importing {size:,} mails")
            import_apart(Path(place), Corpus(messages=size))
            progress("making records and filing under them")
            crowd = _crowd(Path(place), max(records // share, 100), followed)
            progress(f"asking for pages of {size:,} mails")
            with serving(Path(place)) as web:
                found = _ask_for_all(web, crowd, asked) | _follow(web, crowd)
        figures |= {f"{name}{ending}": value for name, value in found.items()}
    return Measured(figures | {"page_messages": messages, "page_records": records}, ())


def _crowd(directory: Path, records: int, followed: int) -> Crowd:
    store = open_store(directory)
    try:
        return gather(store, records, followed=followed, now=datetime.now(UTC))
    finally:
        store.close()


@contextmanager
def serving(directory: Path) -> Iterator[Web]:
    with create_server((_HOST, 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603  # ourselves, no shell
        [sys.executable, "-m", "app.cli", "run", "--data", str(directory), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    connection = http.client.HTTPConnection(_HOST, port, timeout=PATIENCE_SECONDS)
    try:
        _wait_for(connection, process)
        yield Web(Settings.from_env({}, data=directory, port=port), connection, process.pid)
    finally:
        connection.close()
        process.terminate()
        process.wait()


def _wait_for(connection: http.client.HTTPConnection, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            connection.close()
            time.sleep(0.05)
        else:
            return
    raise LetterbookError("The web did not start; no page was measured.")


# -- what is asked


def _ask_for_all(web: Web, crowd: Crowd, asked: int) -> dict[str, float]:
    """Each page by people and for mails drawn anew each time, the same at each run."""
    random = Random(SEED)  # noqa: S311  # the same questions each time
    for reader in crowd.readers:
        web.show("/email/queue", reader)
    for _ in range(asked):
        for name, path, reader in _questions(crowd, random):
            web.timed(name, partial(web.show, path, reader))
        _file_and_undo(web, crowd, random)
    figures = {f"{name}_p95": quantiles(times, n=20)[-1] for name, times in web.times.items()}
    figures |= {f"{name}_p50": quantiles(times, n=2)[0] for name, times in web.times.items()}
    return figures | {"page_p95": max(v for k, v in figures.items() if k.endswith("_p95"))}


def _questions(crowd: Crowd, random: Random) -> list[tuple[str, str, Reader]]:
    reader = random.choice(crowd.readers)
    member = random.choice(crowd.members)
    own = random.choice(member.messages)
    filed_by, filed = random.choice(crowd.filed)
    record = random.choice(crowd.open_records)
    return [
        ("page_queue", "/email/queue", member),
        ("page_queue_older", f"/email/queue?show=all&before={own}", member),
        ("page_archives", "/email/archives", reader),
        ("page_archives_of_type", "/email/archives?type=projects", reader),
        ("page_message", f"/email/messages/{filed}", filed_by),
        ("page_form", f"/email/messages/{own}/attach", member),
        ("page_record", f"/records/{record.type}/{record.public_id}/emails", reader),
    ]


def _file_and_undo(web: Web, crowd: Crowd, random: Random) -> None:
    member = random.choice(crowd.members)
    message, record = random.choice(member.unfiled), random.choice(crowd.open_records)
    path = f"/email/messages/{message}"
    fields = {"type": record.type, "record": record.public_id}
    web.timed("page_file", lambda: _require(web.post(f"{path}/attach", member, **fields), 303))
    undone = {"record": record.public_id}
    web.timed("page_detach", lambda: _require(web.post(f"{path}/detach", member, **undone), 303))


def _follow(web: Web, crowd: Crowd) -> dict[str, float]:
    """Seconds until somebody new finds what was filed; hits after he was excluded again."""
    found_after, still_seen = [], 0
    for followed in crowd.followed:
        message = f"/email/messages/{followed.message}"
        record = crowd.open_records[0]
        fields = {"type": record.type, "record": record.public_id}
        _require(web.post(f"{message}/attach", followed.by, **fields), 303)
        found_after.append(_seconds_until_found(web, followed.word, message, followed.stranger))
        _restrict(web, message, followed.by, crowd.role_of_nobody)
        page = web.get(f"/search?{urlencode({'q': followed.word})}", followed.stranger)[1]
        still_seen += message in page or web.get(message, followed.stranger)[0] != 404
    return {"filed_found_seconds": max(found_after), "narrowed_still_seen": still_seen}


def _seconds_until_found(web: Web, word: str, message: str, stranger: Reader) -> float:
    began = time.perf_counter()
    while (lasted := time.perf_counter() - began) < PATIENCE_SECONDS:
        if message in web.get(f"/search?{urlencode({'q': word})}", stranger)[1]:
            return lasted
        time.sleep(0.02)
    raise LetterbookError("What was filed was not found by its new reader; nothing counts.")


def _restrict(web: Web, message: str, by: Reader, role: str) -> None:
    page = web.get(f"{message}/access", by)[1]
    version = re.search(r'name="version" value="([^"]*)"', page)
    if version is None:
        raise LetterbookError("The form of a message's access has no version.")
    _require(web.post(f"{message}/access", by, roles=role, version=version[1]), 303)


def _require(status: int, wanted: int) -> None:
    if status != wanted:
        raise LetterbookError(f"A page answered {status} instead of {wanted}; nothing counts.")
