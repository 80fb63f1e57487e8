"""What the documentation says can be done can be done: its commands, its tables, its way out."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from app.cli import letterbook
from app.store import Store, blobs, messages
from tests import make
from tests.backups import back, deliver

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "data/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
SNAPSHOT = "20250314T023000Z"
"""The one that the documentation takes as its example."""


def code(text: str) -> list[str]:
    """The lines of the blocks of code, and the code in sentences."""
    fenced = re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^    (?! )(.+)$", text, re.MULTILINE)
    prose = re.sub(r"^ *```\n.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`]+)`", prose)
    return [line for block in fenced for line in block.splitlines()] + indented + spans


def commands(page: Path) -> list[str]:
    """Every use of `letterbook` on a page: "letterbook verify --sample 500"."""
    return [
        use.strip()
        for line in code(page.read_text())
        for use in re.split(r"&&|#", line)
        if re.match(r"(\.venv/bin/)?letterbook ", use.strip())
    ]


def unknown(use: str) -> list[str]:
    """The words of a use that the command line does not know."""
    command: click.Command = letterbook
    words = shlex.split(use.translate(str.maketrans("[]", "  ")))[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.commands.get(words[0])
        if found is None:
            return [words[0]]
        command, words = found, words[1:]
    context = click.Context(command, help_option_names=["-h", "--help"])
    known = {name for one in command.get_params(context) for name in one.opts}
    return [word for word in words if word.startswith("-") and word not in known]


def test_every_command_in_the_documentation_is_there_with_its_options() -> None:
    uses = [(page.name, use) for page in PAGES for use in commands(page)]

    assert len(uses) > 30
    assert [(page, use, unknown(use)) for page, use in uses if unknown(use)] == []


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("letterbook verify --sample 5 [--nonsense]", ["--nonsense"]),
        ("letterbook frobnicate x", ["frobnicate"]),
        ("letterbook user frobnicate", ["frobnicate"]),
        ("letterbook --nonsense", ["--nonsense"]),
        ("letterbook account add A --host H", []),
    ],
)
def test_a_command_that_is_not_there_is_noticed(use: str, words: list[str]) -> None:
    assert unknown(use) == words


def test_the_format_names_every_table_and_the_versions(store: Store) -> None:
    text = (ROOT / "docs" / "format.md").read_text()

    tables = {
        row[0]
        for db in (store.archive, store.mail)
        for row in db.conn.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        )
    }
    versions = [
        db.conn.execute("pragma user_version").fetchone()[0] for db in (store.archive, store.mail)
    ]
    assert {table for table in tables if f"`{table}`" not in text} == set()
    said = re.search(r"version: (\d+) of\s`archive.db` and (\d+) of `mail.db`", text)
    assert said
    assert [int(number) for number in said.groups()] == versions


def test_all_mail_comes_out_of_a_backup_by_the_documentations_own_words(
    store: Store, tmp_path: Path
) -> None:
    for program in ("zstd", "sqlite3"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed here (Debian, Ubuntu: apt install {program})")
    dest = tmp_path / "the backup"
    box = make.account(store)
    deliver(store, box, 3)
    back(store, dest)
    deliver(store, box, 2, seed=2)
    snapshot = back(store, dest).snapshot.name
    assert len(list((dest / "mail").iterdir())) == 2

    (block,) = re.findall(
        r"^```\n(mkdir rescue\n.*?)^```$",
        (ROOT / "docs" / "backup.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    script = (
        block.replace("/backup/letterbook", shlex.quote(str(dest)))
        .replace(SNAPSHOT, snapshot)
        .replace("python tools/", f"{shlex.quote(sys.executable)} -I {ROOT}/tools/")
    )
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    rescued = sorted(path.read_bytes() for path in (tmp_path / "rescued").rglob("*.eml"))
    copies = messages.copies_after(store, 0, limit=100)
    assert rescued == sorted(blobs.read(store, copy.id) for copy in copies)
    assert len(rescued) == 5
