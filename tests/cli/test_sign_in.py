"""oAuth logins at the command line: a server without a browser is signed in with a code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import letterbook
from app.store import accounts, open_store, sign_ins
from tests import make
from tests.openid import OpenId

Run = Callable[..., Result]
ADD = ("account", "add", "jan@firma.pl", "--user", "alice@firma.pl")


@pytest.fixture
def run(tmp_path: Path, openid: OpenId) -> Run:
    """Runs `letterbook` on a data directory with Alice, where both providers are set up."""
    environ = {
        **openid.settings("microsoft", "outlook.office365.com"),
        **openid.settings("google", "imap.gmail.com"),
        "LETTERBOOK_DATA": str(tmp_path / "data"),
    }
    store = open_store(tmp_path / "data")
    make.user(store, "Alice")
    store.close()
    openid.device_interval = 0
    return lambda *words: CliRunner().invoke(letterbook, [str(w) for w in words], env=environ)


def secrets(directory: Path, public_id: str) -> tuple[bool, bool]:
    """Whether there is a password, and whether there are tokens."""
    store = open_store(directory)
    found = accounts.by_public_id(store, public_id)
    password = accounts.sealed_password(store, found.id)
    tokens = sign_ins.sealed_tokens(store, found.id)
    store.close()
    return password is not None, tokens is not None


def test_a_mailbox_is_added_and_signed_in_with_a_code(
    run: Run, openid: OpenId, tmp_path: Path
) -> None:
    openid.device_person = "jan@firma.pl"

    public_id = run(*ADD, "--host", "outlook.office365.com", "--oauth").stdout.strip()
    before = secrets(tmp_path / "data", public_id)
    done = run("account", "sign-in", public_id)

    (code,) = openid.devices
    assert before == (False, False)
    assert done.exit_code == 0, done.stderr
    assert f"Open {openid.url}/device on any device, type {code}" in done.stdout
    assert "jan@firma.pl is signed in." in done.stdout
    assert secrets(tmp_path / "data", public_id) == (False, True)
    assert [form["grant_type"].rpartition(":")[2] for form in openid.requests] == [
        "device_code",
        "device_code",
    ]


def test_another_persons_code_is_refused(run: Run, openid: OpenId, tmp_path: Path) -> None:
    openid.device_person = "ewa@firma.pl"
    public_id = run(*ADD, "--host", "outlook.office365.com", "--oauth").stdout.strip()

    done = run("account", "sign-in", public_id)

    assert done.exit_code == 1
    assert "You signed in as ewa@firma.pl, but the login of this mailbox is jan@" in done.stderr
    assert secrets(tmp_path / "data", public_id) == (False, False)


def test_google_is_signed_in_on_the_page(run: Run) -> None:
    public_id = run(*ADD, "--host", "imap.gmail.com", "--oauth").stdout.strip()

    done = run("account", "sign-in", public_id)

    assert done.exit_code == 1
    assert f"http://127.0.0.1:8000/email/accounts/{public_id}/sign-in" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host", "imap.gmail.com"], "--password-stdin, or choose --oauth"),
        (["--host", "imap.gmail.com", "--oauth", "--password-stdin"], "or choose --oauth"),
        (["--host", "imap.firma.pl", "--oauth"], "choose Password login"),
    ],
)
def test_what_does_not_go_together_is_said(run: Run, words: list[str], sentence: str) -> None:
    done = run(*ADD, *words)

    assert done.exit_code == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_sync_says_that_somebody_must_sign_in(run: Run) -> None:
    public_id = run(*ADD, "--host", "imap.gmail.com", "--oauth").stdout.strip()

    done = run("sync", "--account", public_id)

    assert done.exit_code == 1
    assert "Sign in at Google" in done.stderr
