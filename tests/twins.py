"""Two archives that are equal but for what is hidden, and answers of both to one request.

Ids and the clock are fixed, so that the two can be compared byte by byte.
"""

import asyncio
import json
import re
import sys
from asyncio import Event
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from litestar import Litestar

from app import people
from app.main import create_app
from app.settings import Settings
from app.store import (
    Store,
    api_tokens,
    sessions,
    transaction,
)
from app.web import csrf
from tests.twin_mail import NOW, fixed_ids, make_twin

ORIGIN = "http://127.0.0.1:8000"
_SEARCH_TIME = re.compile(rb'(?<=<span class="quiet">in )\d+(?= ms</span>)|(?<="took_ms":)[\d.]+')

Sent = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers, body."""


class _FrozenType(type):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, datetime)


class _Frozen(datetime, metaclass=_FrozenType):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return NOW.astimezone(tz)


@contextmanager
def frozen_clock() -> Iterator[None]:
    """For all of the app it is NOW."""
    with mock.patch.multiple("app.store.database", datetime=_Frozen):
        patched = [
            module
            for name, module in list(sys.modules.items())
            if name.startswith("app.") and vars(module).get("datetime") is datetime
        ]
        for module in patched:
            module.datetime = _Frozen  # type: ignore[attr-defined]
        yield
        for module in patched:
            module.datetime = datetime  # type: ignore[attr-defined]


@dataclass
class Twin:
    """One of the two archives behind the real application."""

    store: Store
    app: Litestar
    settings: Settings
    loop: asyncio.AbstractEventLoop
    names: dict[str, str]

    def ask(
        self,
        user: str,
        method: str,
        address: str,
        *,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seed: object = "",
    ) -> Sent:
        """The answer, without the time that a search took; with a form its token is sent too."""
        sent = {"host": "127.0.0.1:8000", **(headers or {})}
        is_api = address.startswith("/api/")
        if user:
            sent |= (
                {"authorization": f"Bearer {token(user)}"}
                if is_api
                else {"cookie": f"letterbook={token(user)}"}
            )
        body = b""
        if form and is_api:
            sent["content-type"] = "application/json"
            body = json.dumps(form).encode()
        elif form is not None and not is_api:
            sent["content-type"] = "application/x-www-form-urlencoded"
            own = csrf.token_for(self.settings, token(user))
            body = urlencode({"_csrf": own, **form}, doseq=True).encode()
        with fixed_ids(seed):
            status, told, content = self.loop.run_until_complete(
                call(self.app, method, address, sent, body)
            )
        return _without_search_time(status, told, content)

    def sign_all_in(self) -> None:
        with transaction(self.store):
            self.store.archive.conn.execute("delete from sessions")
        for name, user_id in self.store.archive.conn.execute(
            "select lower(name), id from users where deactivated_at is null"
        ).fetchall():
            digest = sha256(token(name).encode()).digest()
            sessions.add_session(
                self.store, user_id, digest, address="10.0.0.4", agent="tests", now=NOW
            )

    def give_tokens(self) -> None:
        """A token for the API to everybody, for all that there is."""
        for name, user_id in self.store.archive.conn.execute(
            "select lower(name), id from users"
        ).fetchall():
            with fixed_ids(name), transaction(self.store):
                api_tokens.add(
                    self.store,
                    user_id,
                    sha256(token(name).encode()).digest(),
                    name="tests",
                    prefix=name,
                    scopes=list(people.SCOPES),
                    expires_at=NOW + timedelta(days=9),
                    now=NOW,
                )


def _without_search_time(status: int, told: list[tuple[bytes, bytes]], content: bytes) -> Sent:
    """What a search took is the only thing in an answer that differs from time to time."""
    length = str(len(content)).encode()
    timeless = _SEARCH_TIME.sub(b"-", content)
    if timeless != content:
        assert (b"content-length", length) in told
        told = [one for one in told if one[0] != b"content-length"]
    return status, told, timeless


def token(user: str) -> str:
    return f"token-of-{user}"


async def call(
    app: Litestar, method: str, address: str, headers: Mapping[str, str], body: bytes
) -> Sent:
    path, _, query = address.partition("?")
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    told: list[Any] = []
    parts, is_whole = iter([{"type": "http.request", "body": body, "more_body": False}]), Event()

    async def receive() -> Any:
        if part := next(parts, None):
            return part
        await is_whole.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_whole.set()

    await app(scope, receive, send)
    content = b"".join(one.get("body", b"") for one in told[1:])
    return told[0]["status"], sorted(told[0]["headers"]), content


@contextmanager
def twins(directory: Path) -> Iterator[tuple[Twin, Twin]]:
    """The archive without and the one with what is hidden; `names` are those of the latter."""
    found = []
    with frozen_clock():
        for name, with_hidden in (("without", False), ("with", True)):
            data = directory / name
            store, names = make_twin(data, with_hidden=with_hidden)
            settings = Settings.from_env({}, data=data, public_url=ORIGIN)
            loop = asyncio.new_event_loop()
            found.append(Twin(store, create_app(settings), settings, loop, names))
        plain, full = found
        full.names["missing"] = "a" * 13
        plain.names = full.names
        for twin in found:
            twin.sign_all_in()
            twin.give_tokens()
        yield plain, full
    for twin in found:
        twin.store.close()
        twin.loop.close()
