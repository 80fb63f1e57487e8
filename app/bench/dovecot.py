"""A throw-away Dovecot on loopback with one mailbox, for as long as something is measured.

Runs as root (drops to nobody) and as an ordinary user.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.bench.corpus import Corpus, write_maildir
from app.errors import LetterbookError

HOST = "127.0.0.1"
USER = "bench"
PASSWORD = "bench"  # noqa: S105  # of a server on loopback, for mail that is measured
_START_SECONDS = 15

_CONFIG = """
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """`messages` are in its INBOX; `version` as the program tells it."""

    port: int
    messages: int
    version: str


def program() -> Path | None:
    """Debian keeps servers where ordinary people's PATH does not lead."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    return None if found is None else Path(found)


@contextmanager
def serving(dovecot: Path, corpus: Corpus, most: int) -> Iterator[Server]:
    """Serve the first `most` mails of a corpus as the INBOX of `USER`.

    Raises LetterbookError, with the server's own words, if it does not start.
    """
    directory = Path(tempfile.mkdtemp(prefix="lb-"))  # unix sockets need a short path
    try:
        maildir = write_maildir(corpus, directory / USER / "Maildir", most=most)
        messages = len(list((maildir / "cur").iterdir()))
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        _prepare(directory, port)
        process = _start(dovecot, directory)
        try:
            _wait_until_up(directory, process, port)
            yield Server(port, messages, _version(dovecot))
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())


def _prepare(directory: Path, port: int) -> None:
    account = _account()
    for name in ("run", "state"):
        (directory / name).mkdir()
    text = _CONFIG.format(
        directory=directory,
        port=port,
        user=account.pw_name,
        group=grp.getgrgid(account.pw_gid).gr_name,
        uid=account.pw_uid,
        gid=account.pw_gid,
        password=PASSWORD,
    )
    (directory / "dovecot.conf").write_text(text)
    if os.geteuid() == 0:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)


def _start(dovecot: Path, directory: Path) -> subprocess.Popen[bytes]:
    account, as_root = _account(), os.geteuid() == 0
    return subprocess.Popen(  # noqa: S603  # a program that was looked up, no shell
        [dovecot, "-F", "-c", directory / "dovecot.conf"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=account.pw_uid if as_root else None,
        group=account.pw_gid if as_root else None,
        extra_groups=[] if as_root else None,
    )


def _wait_until_up(directory: Path, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port), 1) as connection:
            if connection.recv(4).startswith(b"* OK"):
                return
        time.sleep(0.02)
    log = directory / "dovecot.log"
    said = log.read_text(errors="replace")[-500:] if log.exists() else "nothing"
    raise LetterbookError(f"Dovecot did not start; nothing was measured. It said: {said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the master, then whatever is left of its session."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _version(dovecot: Path) -> str:
    told = subprocess.run([dovecot, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  # as above
    return told.stdout.split(" ")[0].strip()
