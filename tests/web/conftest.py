"""A team of Alice, Bob and Charlie over a real store, and browsers that they sit at."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from app import people
from app.main import create_app
from app.model import Account, MessageId, PublicId, RecordId, RoleId, UserId, Viewer
from app.settings import Settings
from app.store import Store, messages, sessions, visibility
from tests import make

ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"


@dataclass
class Team:
    """Alice and Bob share office@; Charlie has a mailbox of his own, where nothing is."""

    store: Store
    alice: UserId
    bob: UserId
    charlie: UserId
    foreman: RoleId
    office: Account
    company: RecordId
    project: RecordId
    secret: RecordId
    tokens: dict[str, str] = field(default_factory=dict)

    def viewer(self, user: UserId) -> Viewer:
        return visibility.viewer_of(self.store, user)

    def deliver(self, *raws: bytes, uid: int = 1, **given: Any) -> list[PublicId]:
        """Put mail into office@ now; the public ids, in order."""
        before = set(make.message_ids(self.store))
        now = datetime.now(UTC)
        given = {"received_at": now, "now": now} | given
        make.deliver(self.store, self.office, *raws, first_uid=uid, **given)
        new = [one for one in make.message_ids(self.store) if one not in before]
        return [make.public_id(self.store, one) for one in new]

    def id_of(self, public_id: str) -> MessageId:
        return messages.get(self.store, self.viewer(self.alice), public_id).id

    def record(self, record_id: RecordId) -> str:
        row = self.store.archive.conn.execute(
            "select public_id from records where id = ?", [record_id]
        ).fetchone()
        return str(row[0])


class Browser:
    """A person's browser without JavaScript: follows forms, keeps cookies."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self._client = client

    def get(self, path: str, **given: Any) -> Response:
        given.setdefault("follow_redirects", False)
        return self._client.get(path, **given)

    def fragment(self, path: str, *, target: str = "") -> Response:
        return self.get(path, headers={"HX-Request": "true", "HX-Target": target})

    def post(self, path: str, *, seen_on: str = "/email/queue", **fields: Any) -> Response:
        """Send a form with the token that the page `seen_on` carries."""
        return self.send(path, {**fields, "_csrf": self.token(seen_on)})

    def send(self, path: str, fields: dict[str, Any], **headers: str) -> Response:
        return self._client.post(path, data=fields, headers=headers, follow_redirects=False)

    def token(self, page: str) -> str:
        found = re.search(r'name="_csrf" value="(\w+)"', self._client.get(page).text)
        assert found
        return found.group(1)

    def request(self, method: str, path: str) -> Response:
        return self._client.request(method, path, follow_redirects=False)

    @property
    def cookies(self) -> Any:
        return self._client.cookies


class System:
    """Another system, which uses the API with a person's token; paths are those under /api/v1."""

    def __init__(self, client: TestClient[Litestar], token: str) -> None:
        self._client = client
        self.token = token

    def get(self, path: str, **asked: Any) -> Response:
        return self.request("GET", path, params=asked or None)

    def send(self, method: str, path: str, body: object = None) -> Response:
        return self.request(method, path, json=body)

    def request(self, method: str, path: str, **given: Any) -> Response:
        if "headers" not in given:
            given["headers"] = {"Authorization": f"Bearer {self.token}"}
        return self._client.request(method, f"/api/v1{path}", follow_redirects=False, **given)


@pytest.fixture
def team(store: Store) -> Team:
    foreman = make.role(store, "foreman")
    alice = make.user(store, "Alice")
    bob = make.user(store, "Bob", roles=(foreman,))
    charlie = make.user(store, "Charlie")
    office = make.account(store, alice, bob)
    make.account(store, charlie, address="charlie@firma.pl")
    company = make.record(store, "Spostex S.A.", domains=("spostex.pl",))
    project = make.record(store, "Łomianki Playground Construction", record_type="projects")
    secret = make.record(store, "Board", record_type="projects", only_for=(alice,))
    found = Team(store, alice, bob, charlie, foreman, office, company, project, secret)
    now = datetime.now(UTC)
    for name, user in (("alice", alice), ("bob", bob), ("charlie", charlie)):
        token = found.tokens[name] = f"token-of-{name}"
        digest = sha256(token.encode()).digest()
        sessions.add_session(store, user, digest, address="127.0.0.1", agent="tests", now=now)
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({}, data=tmp_path / "data", public_url=ORIGIN)


@pytest.fixture
def sit_down(team: Team, settings: Settings) -> Iterator[Callable[[str], Browser]]:
    """A function that gives a person's browser, signed in; "" for somebody unknown."""
    clients: list[TestClient[Litestar]] = []

    def browser(name: str) -> Browser:
        client = TestClient(create_app(settings), base_url=ORIGIN)
        clients.append(client.__enter__())
        if name:
            client.cookies.set("letterbook", team.tokens[name])
        return Browser(client)

    yield browser
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def alice(sit_down: Callable[[str], Browser]) -> Browser:
    return sit_down("alice")


@pytest.fixture
def charlie(sit_down: Callable[[str], Browser]) -> Browser:
    return sit_down("charlie")


@pytest.fixture
def stranger(sit_down: Callable[[str], Browser]) -> Browser:
    return sit_down("")


@pytest.fixture
def admin(team: Team, sit_down: Callable[[str], Browser]) -> Browser:
    """Dora administers; she has no mailbox and no role."""
    dora = make.user(team.store, "Dora", is_admin=True)
    token = team.tokens["dora"] = "token-of-dora"
    digest = sha256(token.encode()).digest()
    now = datetime.now(UTC)
    sessions.add_session(team.store, dora, digest, address="10.0.0.4", agent="tests", now=now)
    return sit_down("dora")


@pytest.fixture
def connect(team: Team, settings: Settings) -> Iterator[Callable[..., System]]:
    """A function that gives a system with a token of a person, for some scopes."""
    client = TestClient(create_app(settings), base_url=ORIGIN)

    def system(user: UserId, *scopes: str) -> System:
        given = {"name": "ERP", "scopes": scopes or tuple(people.SCOPES), "days": 1}
        _, token = people.create_token(team.store, user, now=datetime.now(UTC), **given)
        return System(client, token)

    with client:
        yield system


@pytest.fixture
def erp(team: Team, connect: Callable[..., System]) -> System:
    """A system with all of Alice's rights."""
    return connect(team.alice)
