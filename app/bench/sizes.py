"""What the same mail takes on disk in other ways of keeping it; bytes, of every copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import zstandard

from app.bench.clock import run_whole
from app.bench.peers import bare_environment
from app.mail import parse

BLOCK_BYTES = 512
"""POSIX: st_blocks counts these, whatever the file system's own blocks are."""


def maildir_bytes(maildir: Path) -> int:
    """The disk blocks of its files."""
    return sum(file.stat().st_blocks * BLOCK_BYTES for file in (maildir / "cur").iterdir())


def zstd_bytes(maildir: Path) -> int:
    """Each message compressed by itself, level 3: the frames alone, without any place for them."""
    compress = zstandard.ZstdCompressor(level=3).compress
    return sum(len(compress(file.read_bytes())) for file in (maildir / "cur").iterdir())


def git_bytes(maildir: Path, directory: Path) -> int | None:
    """The packs of a git repository as public-inbox has it: a commit a message, its file "m".

    Without the pack's own index, and without public-inbox's search index. None without git.
    """
    git = shutil.which("git")
    if git is None:
        return None
    directory.mkdir()
    repository, stream = directory / "mail.git", directory / "stream"
    env = bare_environment(directory)
    with stream.open("wb") as file:
        file.writelines(_commits(maildir))
    run_whole([git, "init", "--quiet", "--bare", repository], env=env)
    in_repository = [git, f"--git-dir={repository}"]
    run_whole([*in_repository, "fast-import", "--quiet"], env=env, stdin=stream)
    run_whole([*in_repository, "gc", "--quiet", "--prune=now"], env=env)
    return sum(pack.stat().st_size for pack in (repository / "objects/pack").glob("*.pack"))


def _commits(maildir: Path) -> Iterator[bytes]:
    """A stream for git fast-import: author, date and subject of a commit are the message's."""
    for number, file in enumerate(sorted((maildir / "cur").iterdir()), start=1):
        raw = file.read_bytes()
        mail = parse(raw)
        name, address = (
            _plain(text) for text in (mail.sender.name, mail.sender.address or "unknown")
        )
        seconds = max(0, int(mail.sent_at.timestamp())) if mail.sent_at else 0
        subject = _plain(mail.subject).encode()
        yield b"blob\nmark :%d\ndata %d\n%b\n" % (number, len(raw), raw)
        yield f"commit refs/heads/master\nauthor {name} <{address}> {seconds} +0000\n".encode()
        yield f"committer {name} <{address}> {seconds} +0000\n".encode()
        yield b"data %d\n%b\nM 100644 :%d m\n\n" % (len(subject), subject, number)


def _plain(text: str) -> str:
    """One line without what git takes for the ends of an address."""
    return " ".join(text.replace("<", "").replace(">", "").replace("\0", "").split())
