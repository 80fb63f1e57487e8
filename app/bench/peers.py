"""Other programs that index the same mail: notmuch and mu, as whole processes.

They index files that are there; Letterbook parses, stores each copy byte-exact and durable, and
indexes. So their figures flatter them, and are the easier to trust.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from app.bench.clock import Spent, run_whole

PEERS = ("notmuch", "mu")


def measure_peer(name: str, maildir: Path, directory: Path) -> dict[str, float] | None:
    """Rate, wall time and size of an index over a Maildir, made in `directory`.

    None if the program is not installed.
    """
    program = shutil.which(name)
    if program is None:
        return None
    sizes = [file.stat().st_size for file in (maildir / "cur").iterdir()]
    directory.mkdir()
    spent, index = _RUNS[name](Path(program), maildir, directory)
    size_bytes = sum(file.stat().st_size for file in index.rglob("*") if file.is_file())
    return {
        f"{name}_rate": len(sizes) / spent.cpu_seconds,
        f"{name}_wall_seconds": spent.wall_seconds,
        f"{name}_index_ratio": size_bytes / sum(sizes),
    }


def bare_environment(directory: Path) -> dict[str, str]:
    """An environment in which no setting of the person who measures counts."""
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "HOME": str(directory),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def _notmuch(program: Path, maildir: Path, directory: Path) -> tuple[Spent, Path]:
    config = directory / "config"
    config.write_text(
        f"[database]\npath={maildir}\n[user]\nname=Bench\nprimary_email=bench@localhost\n"
        "[new]\ntags=new\n[maildir]\nsynchronize_flags=false\n"
    )
    env = {**bare_environment(directory), "NOTMUCH_CONFIG": str(config)}
    spent, _ = run_whole([program, "new", "--quiet", "--no-hooks"], env=env)
    return spent, maildir / ".notmuch"


def _mu(program: Path, maildir: Path, directory: Path) -> tuple[Spent, Path]:
    env, home = bare_environment(directory), f"--muhome={directory}"
    began, _ = run_whole([program, "init", home, f"--maildir={maildir}"], env=env)
    indexed, _ = run_whole([program, "index", "--quiet", home], env=env)
    return began + indexed, directory


_RUNS: dict[str, Callable[[Path, Path, Path], tuple[Spent, Path]]] = {
    "notmuch": _notmuch,
    "mu": _mu,
}
