"""What many rooms' tests share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from app.people import passwords
from app.store import Store, open_store
from tests import dovecot as dovecot_server
from tests import heard
from tests import openid as openid_server


@pytest.fixture(autouse=True, scope="session")
def cheap_password_hashes() -> None:
    """A real hash takes 0.2 s and 64 MB; the tests make hundreds."""
    passwords.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture(autouse=True, scope="session")
def only_reading() -> Iterator[None]:
    """Fails the run if any IMAP server in it was ever asked for more than reading."""
    yield
    assert heard.forbidden() == set()


@pytest.fixture(scope="session")
def openid_running() -> Iterator[openid_server.OpenId]:
    with openid_server.running() as server:
        yield server


@pytest.fixture
def openid(openid_running: openid_server.OpenId) -> openid_server.OpenId:
    """The one OpenID server of the run, as if it had just been started."""
    openid_running.forget()
    return openid_running


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a new store, closed: a copy of it costs less than all migrations."""
    directory = tmp_path_factory.mktemp("empty") / "data"
    open_store(directory).close()
    return directory


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty data directory."""
    opened = open_store(shutil.copytree(empty, tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def dovecot() -> Iterator[dovecot_server.Dovecot]:
    """One real IMAP server for the whole run; each test takes a `new_user()` on it."""
    if not dovecot_server.is_installed():
        pytest.skip("Dovecot is not installed here (Debian, Ubuntu: apt install dovecot-imapd)")
    with dovecot_server.running() as server:
        yield server
