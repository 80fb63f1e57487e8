"""Settings fail loudly, with one line that names the variable."""

from dataclasses import fields
from pathlib import Path

import pytest

from app.errors import Invalid
from app.settings import Settings

DOCS = Path(__file__).parents[1] / "docs" / "settings.md"


def test_an_empty_environment_gives_a_local_archive() -> None:
    settings = Settings.from_env({})

    assert (settings.data, settings.public_url) == (Path("data"), "http://127.0.0.1:8000")
    assert settings.is_loopback


def test_the_command_line_goes_before_the_environment() -> None:
    settings = Settings.from_env({"LETTERBOOK_PORT": "9000", "PATH": "/bin"}, port=9001, host=None)

    assert (settings.port, settings.public_url) == (9001, "http://127.0.0.1:9001")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")

    settings = Settings.from_env({"LETTERBOOK_SECRET_KEY_FILE": str(tmp_path / "key")})

    assert settings.secret_key == "k" * 40


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("HOST", "a b"),
        ("HOST", ""),
        ("PUBLIC_URL", "mail.firma.pl"),
        ("PUBLIC_URL", "https://mail.firma.pl/archive"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FILE", "/nowhere/key"),
        ("CA_FILE", "/nowhere/ca.pem"),
        ("DATA", ""),
        ("POLL_SECONDS", "0"),
        ("LOG_LEVEL", "loud"),
        ("ALLOW_CLEAR_PASSWORDS", "perhaps"),
        ("UPLOAD_LIMIT", "4 GB"),
        ("PROT", "8000"),
    ],
)
def test_a_wrong_setting_is_named(name: str, text: str) -> None:
    with pytest.raises(Invalid, match=f"LETTERBOOK_{name}"):
        Settings.from_env({f"LETTERBOOK_{name}": text})


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://192.168.1.5", False),
        ("https://mail.firma.pl", False),
    ],
)
def test_loopback_is_told_from_other_hosts(url: str, *, is_loopback: bool) -> None:
    assert Settings.from_env({"LETTERBOOK_PUBLIC_URL": url}).is_loopback is is_loopback


def test_every_setting_is_documented_with_its_default() -> None:
    text = DOCS.read_text()

    for field in fields(Settings):
        row = f"| `LETTERBOOK_{field.name.upper()}` | `{field.default}` |"
        unset = f"| `LETTERBOOK_{field.name.upper()}` | not set |"
        assert (unset if field.default in ("", None) else row) in text
