"""The API's own description, and what docs/api.md says of it, against the API."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app import filing, people
from app.main import create_app
from app.settings import Settings
from tests.make import mail
from tests.web.conftest import Browser, System, Team

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@pytest.fixture
def schema(stranger: Browser) -> dict[str, Any]:
    answer = stranger.get("/api/v1/schema")
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node["$ref"],) if isinstance(node.get("$ref"), str) else ()
        for child in node.values():
            yield from references(child)
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def test_the_description_is_open_api_3_1_and_whole(schema: dict[str, Any]) -> None:
    found = operations(schema)

    assert schema["openapi"] == "3.1.0"
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert len({one["operationId"] for one in found.values()}) == len(found) >= 17
    for reference in references(schema):
        node: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    for name, one in found.items():
        declared = {p["name"] for p in one.get("parameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", name)), name
        assert one["summary"], name
        assert one["security"], name
        assert {"401", "403", "404", "422", "429", "503"} <= set(one["responses"]), name
        assert any(code.startswith("2") for code in one["responses"]), name


def test_the_description_tells_every_error_as_a_problem(schema: dict[str, Any]) -> None:
    for response in schema["components"]["responses"].values():
        assert response["description"]
        (kind,) = response["content"]
        assert kind == "application/problem+json"
    assert set(schema["components"]["schemas"]["Problem"]["required"]) == {
        "title", "status", "detail",
    }  # fmt: skip


def test_bodies_are_described_field_by_field(schema: dict[str, Any]) -> None:
    put = operations(schema)["PUT /api/v1/records/{record_type}/by-external-id/{external_id}"]
    body = put["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    record = schema["components"]["schemas"][body]

    assert record["required"] == ["name"]
    assert record["additionalProperties"] is False
    assert record["properties"]["name"]["examples"] == ["Spostex S.A."]
    assert set(schema["components"]["schemas"]["RecordItem"]["required"]) == {
        "name", "type", "external_id",
    }  # fmt: skip
    assert "If-Match" in {parameter["name"] for parameter in put["parameters"]}


def test_answers_have_the_fields_that_are_described(
    team: Team, erp: System, schema: dict[str, Any]
) -> None:
    (one,) = team.deliver(mail())
    record = f"/records/{team.record(team.company)}"
    asked = {
        "MessageAnswer": erp.get(f"/messages/{one}"),
        "FoundAnswer": erp.get("/search", q="x"),
        "RecordAnswer": erp.get(record),
        "RecordsAnswer": erp.get("/records"),
        "MailAnswer": erp.get(f"{record}/messages"),
        "Problem": erp.get("/messages/x"),
    }

    for name, answer in asked.items():
        described = schema["components"]["schemas"][name]
        known = set(described["properties"]) - {"field", "scope"}
        assert set(answer.json()) == known, name


def test_every_address_in_the_documentation_is_there(schema: dict[str, Any]) -> None:
    said = re.findall(r"`(GET|PUT|POST|DELETE) (?:/api/v1)?(/[^ `?]+)[^`]*`", TEXT)
    known = {re.sub(r"\{\w+\}", "{}", name) for name in operations(schema)}

    written = {f"{verb} /api/v1{re.sub(r'{.*?}', '{}', path)}" for verb, path in said}
    assert written == known


@pytest.fixture
def address(team: Team, tmp_path: Path) -> Iterator[str]:
    """A running server on a free port of this machine."""
    config = uvicorn.Config("unused", host="127.0.0.1", port=0, log_level="warning")
    socket = config.bind_socket()
    found = f"http://127.0.0.1:{socket.getsockname()[1]}"
    config.app = create_app(Settings.from_env({}, data=tmp_path / "data", public_url=found))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    yield found
    server.should_exit = True
    thread.join(timeout=10)
    socket.close()


def test_the_example_does_what_the_documentation_says(
    team: Team, address: str, tmp_path: Path
) -> None:
    """R77."""
    (one,) = team.deliver(mail("Faktura 7"))
    now, viewer = datetime.now(UTC), team.viewer(team.alice)
    filing.file_message(team.store, viewer, team.id_of(one), team.company, now=now)
    given = {"name": "ERP", "scopes": ["read", "records"], "days": 1, "now": now}
    _, token = people.create_token(team.store, team.alice, **given)
    (example,) = re.findall(r"^```\n(import .*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(example.splitlines()) <= 40
    file = tmp_path / "customers.csv"
    file.write_text(
        "number,name,domain\nK/1,Spostex S.A.,spostex.pl\nK/2,Łoś,\nK/3,Odd,no domain\n"
    )

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-c", example, str(file)],
            env=os.environ | {"LETTERBOOK_URL": address, "LETTERBOOK_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )

    first = run()
    file.write_text("number,name,domain\nK/1,Spostex S.A.,spostex.pl\nK/2,Łoś,\n")
    second = run()

    assert first.stdout.splitlines()[:2] == [
        "1 new, 1 changed, 1 refused",
        "  K/3: 'no domain' is no domain. It looks like spostex.pl.",
    ]
    assert "GET /records/companies/by-external-id/K%2F3: There is nothing" in first.stderr
    assert second.stdout.splitlines() == [
        "0 new, 0 changed, 0 refused",
        "Spostex S.A. | 2025-03-14T08:00:00+00:00 | Faktura 7",
    ]
    assert second.stderr == ""
