"""With and without what is hidden every answer is the same, byte for byte (A7, R46, search.md).

The routes are the application's own; what they are asked with stands in tests/asked.py.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from tests.asked import FORMS, QUERIES, RANDOM, VALUES
from tests.twins import Twin, twins

LEAST, LEAST_SENT = 3_000, 600
READERS = ("bob", "charlie", "dora", "eve")
KEPT_OUT = ("", "gone")
"""Not signed in, and deactivated: asked for each address once, without a query."""

SAFE = ("GET", "HEAD")
_ACCOUNTS = "/email/accounts"
STATE = {
    ("dora", "GET", "/audit"),
    ("dora", "GET", "/audit/records/{record_id:str}"),
    ("dora", "GET", "/roles"),
    ("dora", "GET", "/roles/{role_id:str}/edit"),
    *(
        (user, "GET", path)
        for user in ("dora", "eve")
        for path in (
            _ACCOUNTS,
            f"{_ACCOUNTS}/{{account_id:str}}",
            f"{_ACCOUNTS}/{{account_id:str}}/ledger",
        )
    ),
}
"""The only pages that differ: administrators see the state of all, and members that of their own
mailbox, of which they see the same on its server (R73, R78). None shows more than numbers."""

STATE_CHANGED = {
    ("dora", "POST", "/audit/export"),
    ("dora", "POST", "/audit/records/{record_id:str}"),
    ("dora", "POST", "/roles/{role_id:str}/edit"),
    ("dora", "POST", "/roles/{role_id:str}/remove"),
}
AFTERWARDS = (
    "/email/queue?show=all",
    "/email/archives",
    "/search?q=fence",
    "/records/companies",
    "/records/projects",
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twin, Twin]]:
    with twins(tmp_path_factory.mktemp("twins")) as made:
        yield made


def routes(twin: Twin) -> list[tuple[str, str]]:
    """Every path of the application with its methods, OPTIONS apart."""
    return [
        (method, route.path)
        for route in twin.app.routes
        if isinstance(route, HTTPRoute)
        for method in sorted(route.methods)
        if method != "OPTIONS"
    ]


def paths(route: str, names: dict[str, str]) -> Iterator[str]:
    """The route's path with each of its values."""
    parts = re.findall(r"\{(\w+):\w+\}", route)
    for values in product(*(VALUES[part] for part in parts)):
        path = route
        for value in values:
            said = value.removeprefix("=") if value.startswith("=") else names[value]
            path = re.sub(r"\{\w+:\w+\}", said, path, count=1)
        yield path


def line_of(method: str, route: str) -> str:
    """The key of FORMS."""
    return route if method == "POST" else f"{method} {route}"


def filled(sent: Any, names: dict[str, str]) -> Any:
    """What is sent, with ids in the place of names."""
    if isinstance(sent, dict):
        return {key: filled(value, names) for key, value in sent.items()}
    if isinstance(sent, list):
        return [filled(one, names) for one in sent]
    return sent.format_map(names)


def are_equal(pair: tuple[Twin, Twin], user: str, method: str, address: str, **sent: Any) -> bool:
    """Whether both answer the same."""
    one, other = (
        twin.ask(user, method, address, seed=(user, address, sent), **sent) for twin in pair
    )
    return one == other


def test_every_route_has_a_line(pair: tuple[Twin, Twin]) -> None:
    """A new route is asked too, or this fails."""
    found = routes(pair[0])

    assert {path for method, path in found if method == "GET"} == set(QUERIES)
    assert {line_of(*one) for one in found if one[0] not in SAFE} == set(FORMS)


def test_no_page_shows_what_is_hidden(pair: tuple[Twin, Twin]) -> None:
    """R46, A6, A7, A9: lists, preview, parts, source, search, counts, suggestions, errors."""
    names, asked, differing = pair[1].names, 0, set()
    for method, route in routes(pair[1]):
        if method not in SAFE:
            continue
        for path, query in product(paths(route, names), QUERIES[route]):
            address = f"{path}?{query.format_map(names)}" if query else path
            for user in (*READERS, *(KEPT_OUT if not query and route not in RANDOM else ())):
                asked += 1
                if not are_equal(pair, user, method, address):
                    differing.add((user, method, route))

    assert differing == STATE
    print(f"{asked} answers compared")
    assert asked >= LEAST


def test_a_hidden_message_is_a_missing_one(pair: tuple[Twin, Twin]) -> None:
    """A7: the answer for a hidden id is the one for an id that there never was."""
    full = pair[1]
    for route in (one for _, one in routes(full) if one.startswith("/email/messages/")):
        for name in ("h1", "h2", "h3", "h5"):
            path = route.replace("{message_id:str}", "{}").replace("{position:int}", "0")
            for user, method in product(READERS, ("GET", "POST")):
                form = {} if method == "POST" else None
                hidden, missing = (
                    full.ask(user, method, path.format(id_), form=form)
                    for id_ in (full.names[name], full.names["missing"])
                )
                told = hidden[2].replace(full.names[name].encode(), full.names["missing"].encode())
                assert (*hidden[:2], told) == missing


def test_no_change_shows_what_is_hidden(pair: tuple[Twin, Twin]) -> None:
    """R46: nor does what is sent, and what is shown afterwards is the same again."""
    names, asked, differing = pair[1].names, 0, set()
    for method, route in routes(pair[1]):
        if method in SAFE:
            continue
        for path, form in product(paths(route, names), FORMS[line_of(method, route)]):
            sent = filled(form, names)
            for user in READERS if route not in RANDOM else ():
                asked += 1
                if not are_equal(pair, user, method, path, form=sent):
                    differing.add((user, method, route))
        for twin in pair:
            twin.sign_all_in()
    for user, address in product(READERS, AFTERWARDS):
        asked += 1
        if not are_equal(pair, user, "GET", address):
            differing.add((user, "GET", address))

    assert differing == STATE_CHANGED
    print(f"{asked} answers compared")
    assert asked >= LEAST_SENT
