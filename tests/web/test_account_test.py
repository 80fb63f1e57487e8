"""Test connection: asked in the form, carried out by the worker, against a real server."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import jobs as worker
from app import sync
from app.errors import RemoteError
from app.model import Account, AccountId, PublicId
from app.settings import Settings
from app.store import accounts, audit, jobs
from app.store.secrets import load_key, seal
from tests import make
from tests.dovecot import PASSWORD, Dovecot
from tests.heard import verb
from tests.sync.scripted import listening
from tests.web.conftest import ORIGIN, Browser, Team

NEW = "/email/accounts/new"
TEST = "/email/accounts/new/test"


@dataclass
class Server:
    """A fresh mailbox on the real server."""

    dovecot: Dovecot
    login: str

    def form(self, **given: Any) -> dict[str, Any]:
        return {
            "address": self.login,
            "host": "localhost",
            "login": self.login,
            "password": PASSWORD,
            "security": "tls",
            "port": str(self.dovecot.tls_port),
            "verify_certificate": "1",
            "skip": ["Trash", "Junk"],
        } | given

    def account(self, **given: Any) -> Account:
        settings = {
            "id": AccountId(0),
            "public_id": PublicId("x"),
            "address": self.login,
            "host": "localhost",
            "port": self.dovecot.tls_port,
            "login": self.login,
        }
        return Account(**(settings | given))

    def test(self, password: str = PASSWORD, *, public_only: bool = False, **given: Any):
        return sync.test_connection(
            self.account(**given),
            password,
            now=lambda: datetime.now(UTC),
            ca_file=self.dovecot.ca_file,
            public_only=public_only,
            tell=lambda tested: None,
        )


@pytest.fixture
def server(dovecot: Dovecot) -> Server:
    return Server(dovecot, dovecot.new_user())


@pytest.fixture
def working(team: Team, dovecot: Dovecot, tmp_path: Path) -> Iterator[None]:
    """A worker on the team's data directory; nothing but jobs is due."""
    team.store.archive.conn.execute("update accounts set due_at = unixepoch() + 3600")
    settings = Settings.from_env(
        {}, data=tmp_path / "data", public_url=ORIGIN, ca_file=dovecot.ca_file
    )
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(settings, stop))
    thread.start()
    until(lambda: jobs.is_worker_alive(team.store, now=datetime.now(UTC)))
    yield
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def until(claim: Callable[[], object]) -> None:
    """Wait until the claim holds; a test whose claim never does fails after half a minute."""
    pause = threading.Event()
    for _ in range(600):
        if claim():
            return
        pause.wait(0.05)
    raise AssertionError(claim)


def states(text: str) -> list[str]:
    return re.findall(r'class="test-step (\w+)"', text)


def job_of(location: str) -> str:
    found = re.search(r"test=(\w+)", location)
    assert found
    return found.group(1)


def finished(browser: Browser, location: str) -> str:
    """The fragment of the test when it is over."""
    path = f"/email/accounts/tests/{job_of(location)}"
    until(lambda: "hx-get" not in browser.fragment(path).text)
    return browser.fragment(path).text


@pytest.mark.dovecot
def test_a_good_connection_shows_its_steps_and_what_becomes_of_each_folder(
    team, admin, working, server
) -> None:
    """R21: before saving."""
    answer = admin.post(TEST, seen_on=NEW, **server.form())
    text = finished(admin, answer.headers["location"])

    assert answer.status_code == 303
    assert states(text) == ["ok"] * 5
    assert "issued by" in text
    assert "valid until" in text
    assert "<bdi>Wysłane</bdi></td><td>imported" in text
    assert "skipped (because of &#34;Trash&#34;)" in text
    assert "Nothing is saved yet" in text
    assert server.login not in [one.address for one in accounts.all_accounts(team.store)]


@pytest.mark.dovecot
def test_the_typed_password_survives_the_test_and_confirm_saves_it(
    team, admin, working, server
) -> None:
    answer = admin.post(TEST, seen_on=NEW, **server.form(login="x" + server.login))
    finished(admin, answer.headers["location"])

    page = admin.get(answer.headers["location"].partition("#")[0]).text
    (token,) = re.findall(r'name="kept" value="([^"]+)"', page)
    saved = admin.post(NEW, seen_on=NEW, **server.form(password="", kept=token), users=_dora(team))

    assert f'name="login" type="text" value="x{server.login}"' in page
    assert PASSWORD not in re.sub(r"<h\d.*?</h\d>", "", page)
    assert saved.status_code == 303
    made = accounts.by_address(team.store, server.login)
    until(lambda: accounts.last_check(team.store, made.id))
    check = accounts.last_check(team.store, made.id)
    assert check is not None
    assert check.error is None


def _dora(team: Team) -> str:
    row = team.store.archive.conn.execute(
        "select public_id from users where name = 'Dora'"
    ).fetchone()
    return str(row[0])


@pytest.mark.dovecot
def test_a_wrong_password_fails_at_the_login(team, admin, working, server) -> None:
    answer = admin.post(TEST, seen_on=NEW, **server.form(password="wrong"))

    text = finished(admin, answer.headers["location"])

    assert states(text) == ["ok", "ok", "ok", "failed", "never"]
    assert "does not accept the user name or password" in text


@pytest.mark.dovecot
def test_one_persons_tests_of_a_silent_server_leave_room_for_anothers(
    team, admin, alice, working
) -> None:
    has_ended = threading.Event()
    given = {"address": "a@b.pl", "login": "a", "password": "p", "security": "none"}
    with listening(lambda caller: has_ended.wait(30) and None) as port:
        for _ in range(5):
            admin.post(TEST, seen_on=NEW, **given, host="127.0.0.1", port=str(port))

        answer = alice.post(
            TEST, seen_on=NEW, **(given | {"security": "tls"}), host="nowhere.invalid"
        )

        text = finished(alice, answer.headers["location"])
        waiting = team.store.archive.conn.execute(
            "select count(*) from jobs where finished_at is null"
        ).fetchone()
        has_ended.set()
    assert states(text)[0] == "failed"
    assert waiting == (5,)


@pytest.mark.parametrize(("who", "is_bound"), [("alice", True), ("admin", False)])
def test_others_than_administrators_test_public_servers_only(team, who, is_bound, request) -> None:
    browser = request.getfixturevalue(who)
    given = {"address": "a@b.pl", "host": "x.pl", "login": "a", "password": "p"}

    browser.post(TEST, seen_on=NEW, **given)

    job = jobs.claim(team.store, now=datetime.now(UTC))
    assert job is not None
    assert job.arguments["public_only"] is is_bound


@pytest.mark.dovecot
def test_a_pass_goes_no_further_than_the_one_who_set_the_server_may(team, server, settings) -> None:
    """A name may lead inside: that shows only when the worker resolves it."""
    account = make.account(team.store, team.bob, address=server.login, host="localhost")
    audit.note(team.store, "set server", by=team.bob, now=datetime.now(UTC), account_id=account.id)

    with pytest.raises(RemoteError, match="not on the public internet"):
        worker.sync_now(settings, account.id)

    assert server.dovecot.commands(server.login) == []


@pytest.mark.dovecot
def test_the_steps_are_the_same_over_starttls(server) -> None:
    tested = server.test(security="starttls", port=server.dovecot.port)

    assert [step.state for step in tested.steps] == ["ok"] * 5
    assert tested.is_good


@pytest.mark.dovecot
def test_a_connection_in_the_clear_and_an_unchecked_certificate_are_warned_of(server) -> None:
    clear = server.test(security="none", port=server.dovecot.port)
    unchecked = server.test(host="127.0.0.1", verify_certificate=False)

    assert clear.steps[2].state == unchecked.steps[2].state == "warning"
    assert "not encrypted" in clear.steps[2].text
    assert "is not checked" in unchecked.steps[2].text


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({"host": "nowhere.invalid"}, "dns"),
        ({"port": 1}, "tcp"),
        ({"login": "", "address": ""}, "login"),
    ],
)
def test_what_fails_ends_the_test_with_a_sentence(server, given, step) -> None:
    tested = server.test("wrong" if step == "login" else PASSWORD, **given)

    assert (tested.steps[-1].name, tested.steps[-1].state) == (step, "failed")
    assert tested.steps[-1].text.endswith((".", ")."))
    assert not tested.is_good


@pytest.mark.dovecot
def test_public_only_goes_no_further_than_the_name(server) -> None:
    tested = server.test(public_only=True, port=993)

    assert [step.name for step in tested.steps] == ["dns"]
    assert "Only an administrator" in tested.steps[0].text
    assert server.dovecot.commands(server.login) == []


@pytest.mark.dovecot
def test_a_test_only_signs_in_and_lists(server) -> None:
    """R2."""
    server.test()

    verbs = {verb(command) for command in server.dovecot.commands(server.login)}

    assert verbs <= {"CAPABILITY", "LIST", "LOGOUT"}


def test_without_a_worker_it_says_so_and_offers_to_look_again(team, admin) -> None:
    answer = admin.post(TEST, seen_on=NEW, address="a@b.pl", host="x.pl", login="a", password="p")

    page = admin.get(answer.headers["location"].partition("#")[0]).text

    assert "no worker runs" in page
    assert ">Refresh</a>" in page
    assert states(page) == ["waits"] * 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"host": ""}, "host"),
        ({"password": ""}, "password"),
        ({"port": "x"}, "port"),
        ({"address": "x"}, "address"),
    ],
)
def test_what_is_plainly_wrong_is_said_before_a_test(team, alice, wrong, field) -> None:
    given = {"address": "a@b.pl", "host": "x.pl", "login": "a", "password": "p"}

    answer = alice.post(TEST, seen_on=NEW, **(given | wrong))

    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert jobs.claim(team.store, now=datetime.now(UTC)) is None


@pytest.mark.parametrize(
    "elsewhere",
    [{"host": "imap.evil.example"}, {"port": "9993"}, {"security": "starttls"}],
)
def test_the_saved_password_is_tested_on_the_saved_server_only(
    team, admin, settings, elsewhere
) -> None:
    """Another port is another server, and less security is somebody on the way."""
    page, key = f"/email/accounts/{team.office.public_id}", load_key(settings.data)
    sealed = seal(key, team.office.public_id, "canary-4711")
    team.store.archive.conn.execute(
        "update accounts set sealed_password = ? where id = ?", [sealed, team.office.id]
    )
    given = {"address": "office@firma.pl", "login": "x", "host": "imap.firma.pl", "port": "993"}

    refused = admin.post(f"{page}/test", seen_on=f"{page}/edit", **(given | elsewhere))
    asked = admin.post(f"{page}/test", seen_on=f"{page}/edit", **given)

    assert refused.status_code == 422
    assert 'href="#password"' in refused.text
    assert asked.status_code == 303


def test_a_saved_password_that_no_key_opens_is_asked_for(team, admin) -> None:
    page = f"/email/accounts/{team.office.public_id}"
    team.store.archive.conn.execute(
        "update accounts set sealed_password = ? where id = ?", [b"x" * 40, team.office.id]
    )
    given = {"address": "office@firma.pl", "login": "x", "host": "imap.firma.pl", "port": "993"}

    answer = admin.post(f"{page}/test", seen_on=f"{page}/edit", **given)

    assert answer.status_code == 422
    assert 'href="#password"' in answer.text


def test_anothers_test_is_not_there(team, alice, charlie) -> None:
    given = {"address": "a@b.pl", "host": "x.pl", "login": "a", "password": "p"}
    job = job_of(alice.post(TEST, seen_on=NEW, **given).headers["location"])

    hidden = charlie.get(f"/email/accounts/tests/{job}")

    assert hidden.status_code == 404
    assert hidden.text == charlie.get("/email/accounts/tests/aaaaaaaaaaaaa").text
    assert "a@b.pl" not in charlie.get(f"{NEW}?test={job}").text


def test_the_fragment_is_a_part_of_both_pages(alice) -> None:
    given = {"address": "a@b.pl", "host": "x.pl", "login": "a", "password": "p"}
    job = job_of(alice.post(TEST, seen_on=NEW, **given).headers["location"])
    path = f"/email/accounts/tests/{job}"

    fragment = " ".join(alice.fragment(path).text.split())

    assert "<!doctype" not in fragment
    assert fragment in " ".join(alice.get(path).text.split())
    assert fragment in " ".join(alice.get(f"{NEW}?test={job}").text.split())


def test_it_needs_the_token(team, alice) -> None:
    assert alice.send(TEST, {"address": "a@b.pl"}).status_code == 403
