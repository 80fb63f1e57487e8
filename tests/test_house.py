"""The house keeps its rules: worker.py is a shim, the Caddyfile is valid, files stay small."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 400


def test_worker_py_only_starts_the_worker() -> None:
    tree = ast.parse((ROOT / "worker.py").read_text())

    imported = [
        name.name if isinstance(node, ast.Import) else f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    ]
    assert imported == ["sys", "app.cli.main"]


def test_no_file_is_too_long_for_a_head() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for folder in ("app", "tests", "tools")
        for path in (ROOT / folder).rglob("*.py")
    }

    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_third_party_code_and_no_addresses_in_the_lock_files() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "app/static/htmx.min.js" not in tracked
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / name).read_text()


def test_the_caddyfile_is_valid() -> None:
    if not shutil.which("caddy"):
        pytest.skip("Caddy is not installed here (Debian, Ubuntu: apt install caddy)")

    done = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", "Caddyfile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
