"""A throw-away Dovecot on loopback: what a real IMAP server does, for the tests.

Runs as root (drops to nobody) and as an ordinary user. Any user name with the password `PASSWORD`
is let in, so that each test takes a mailbox of its own (`new_user`) on one shared server.
"""

import grp
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from tests.heard import note

HOST = "127.0.0.1"
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
"""Debian keeps servers where ordinary people's PATH does not lead."""
PASSWORD = "secret"
MASTER = "admin"

Certificate = Literal["good", "expired", "other_host"]

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
ssl = yes
ssl_cert = <{directory}/certificate.pem
ssl_key = <{directory}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_master_user_separator = *
auth_verbose = yes
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 100
rawlog_dir = {directory}/raw/%{{auth_user}}
passdb {{
  driver = static
  master = yes
  args = password={password} user={master}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
  mailbox Wysłane {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
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
  executable = imap-login -R {directory}/raw/login
  chroot =
  service_count = 0
  client_limit = 200
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


def is_installed() -> bool:
    return DOVECOT is not None


@dataclass(slots=True)
class Dovecot:
    """A running server. `port` speaks plain IMAP and STARTTLS, `tls_port` TLS from the start.

    `ca_file` is a trust anchor under which its certificate verifies (but for what is wrong
    with it on purpose).
    """

    directory: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]
    host: str = HOST
    _forgotten: set[Path] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def ca_file(self) -> Path:
        return self.directory / "certificate.pem"

    def new_user(self) -> str:
        """The login of a mailbox that nobody has used; its raw log is kept."""
        user = f"user{next(self._numbers)}@ex.test"
        _own(_made(self.directory / "raw" / user))
        return user

    @contextmanager
    def admin(self, user: str, folder: str | None = None) -> Iterator[IMAPClient]:
        """A writing connection to the mailbox (as its master user: it leaves no raw log)."""
        with IMAPClient(self.host, self.port, ssl=False) as client:
            client.login(f"{user}*{MASTER}", PASSWORD)
            if folder is not None:
                client.select_folder(folder)
            yield client

    def append(
        self,
        user: str,
        folder: str,
        *raws: bytes,
        flags: Sequence[str] = (),
        received_at: datetime | None = None,
    ) -> None:
        """Put messages into a folder, which is made when it is missing."""
        with self.admin(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for raw in raws:
                client.append(folder, raw, flags, received_at)

    def expunge(self, user: str, folder: str, *uids: int) -> None:
        with self.admin(user, folder) as client:
            client.delete_messages(uids)
            client.expunge()

    def set_flags(self, user: str, folder: str, uid: int, *flags: str) -> None:
        with self.admin(user, folder) as client:
            client.set_flags([uid], flags)

    def move(self, user: str, folder: str, uid: int, target: str) -> None:
        with self.admin(user, folder) as client:
            client.move([uid], target)

    def rename(self, user: str, folder: str, new_name: str) -> None:
        with self.admin(user) as client:
            client.rename_folder(folder, new_name)

    def delete(self, user: str, folder: str) -> None:
        with self.admin(user) as client:
            client.delete_folder(folder)

    def change_uidvalidity(self, user: str, folder: str) -> None:
        """Give the folder another UIDVALIDITY; its messages stay, their UIDs start at 1 again."""
        index = self._maildir(user, folder) / "dovecot-uidlist"
        with self.admin(user) as client:
            before = client.folder_status(folder, ["UIDVALIDITY"])[b"UIDVALIDITY"]
        lines = index.read_text().splitlines()
        bodies = [f"{n} {line.split(' ', 1)[1]}" for n, line in enumerate(lines[1:], 1)]
        header = f"3 V{before + 1} N{len(bodies) + 1} G{os.urandom(16).hex()}"
        for stale in index.parent.glob("dovecot.index*"):
            stale.unlink()
        index.write_text("\n".join([header, *bodies]) + "\n")
        _own(index)

    def falsify_size(self, user: str, folder: str, *, number: int) -> None:
        """Give a stored message (counted from 0) a wrong size: Dovecot hangs up over it."""
        with self.admin(user, folder):
            path = sorted((self._maildir(user, folder) / "cur").iterdir())[number]
        name = re.sub(r",S=\d+,W=\d+", ",S=9,W=9", path.name)
        path.rename(path.with_name(name))
        for stale in self._maildir(user, folder).glob("dovecot.index*"):
            stale.unlink()

    def file_names(self, user: str) -> list[str]:
        """The paths of all messages in the Maildir: Dovecot writes the flags into them."""
        root = self.directory / "mail" / user / "Maildir"
        files = itertools.chain(root.glob("**/cur/*"), root.glob("**/new/*"))
        return sorted(str(path.relative_to(root)) for path in files)

    def write_maildir(self, user: str, raws: Sequence[bytes]) -> None:
        """Fill an INBOX that was never opened, quickly."""
        inbox = self._maildir(user, "INBOX")
        for name in ("cur", "new", "tmp"):
            _made(inbox / name)
        for number, raw in enumerate(raws):
            (inbox / "cur" / f"{1_700_000_000 + number}.M1P1.test:2,").write_bytes(raw)
        _own_tree(self.directory / "mail" / user)

    def commands(self, user: str) -> list[str]:
        """The commands that the mailbox's own connections sent after login, in order."""
        return _commands(set((self.directory / "raw" / user).glob("*.in")) - self._forgotten)

    def forget_commands(self, user: str) -> None:
        """Leave out of `commands` what was sent so far."""
        self._forgotten |= set((self.directory / "raw" / user).glob("*.in"))

    def login_commands(self) -> list[str]:
        """The commands that all connections sent before and at login."""
        return _commands(set((self.directory / "raw" / "login").glob("*.in")))

    def all_commands(self) -> list[str]:
        """Every command that was ever sent, but for those of `admin`."""
        return _commands(set((self.directory / "raw").glob("*/*.in")))

    def _maildir(self, user: str, folder: str) -> Path:
        root = self.directory / "mail" / user / "Maildir"
        return (
            root
            if folder == "INBOX"
            else root / f".{encode_utf7(folder.replace('/', '.')).decode()}"
        )


@contextmanager
def running(certificate: Certificate = "good", *, extra: str = "") -> Iterator[Dovecot]:
    """Start a server and end it with all its processes; `extra` is more configuration."""
    directory = Path(tempfile.mkdtemp(prefix="lb-"))  # unix sockets need a short path
    try:
        _write_certificate(directory, certificate)
        port, tls_port = _free_ports()
        _write_config(directory, port, tls_port, extra)
        _own_tree(directory)
        process = _start(directory)
        try:
            _wait_until_up(directory, process, port)
            server = Dovecot(directory, port, tls_port, process)
            yield server
            note(server.all_commands())
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _commands(paths: set[Path]) -> list[str]:
    lines = [line for path in sorted(paths) for line in path.read_bytes().splitlines()]
    found = [re.fullmatch(rb"(?:\d+\.\d+ )?([A-P]{4}\d+ .+)", line) for line in lines]
    return [match[1].decode("latin-1") for match in found if match]


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _own(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, _account().pw_uid, _account().pw_gid)


def _own_tree(directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        _own(path)


def _free_ports() -> tuple[int, int]:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _write_config(directory: Path, port: int, tls_port: int, extra: str) -> None:
    for name in ("run", "state", "mail", "raw/login"):
        _made(directory / name)
    account = _account()
    text = (_CONFIG + extra).format(
        directory=directory,
        port=port,
        tls_port=tls_port,
        user=account.pw_name,
        group=grp.getgrgid(account.pw_gid).gr_name,
        uid=account.pw_uid,
        gid=account.pw_gid,
        password=PASSWORD,
        master=MASTER,
    )
    (directory / "dovecot.conf").write_text(text)


def _write_certificate(directory: Path, kind: Certificate) -> None:
    """A self-signed certificate with its key: for localhost, expired, or for another host."""
    host = "mail.other.test" if kind == "other_host" else "localhost"
    alternatives: list[x509.GeneralName] = [x509.DNSName(host)]
    if kind != "other_host":
        alternatives.append(x509.IPAddress(ip_address(HOST)))
    ends_at = datetime.now(UTC) + timedelta(days=-2 if kind == "expired" else 30)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(ends_at - timedelta(days=60))
        .not_valid_after(ends_at)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _start(directory: Path) -> subprocess.Popen[bytes]:
    account = _account()
    as_root = os.geteuid() == 0
    return subprocess.Popen(
        [DOVECOT or "", "-F", "-c", str(directory / "dovecot.conf")],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=account.pw_uid if as_root else None,
        group=account.pw_gid if as_root else None,
        extra_groups=[] if as_root else None,
    )


def _wait_until_up(directory: Path, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection((HOST, port), 1) as connection:
                if connection.recv(4).startswith(b"* OK"):
                    return
        except OSError:
            time.sleep(0.02)
    log = directory / "dovecot.log"
    raise RuntimeError(f"Dovecot did not start: {log.read_text() if log.exists() else 'no log'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the master, then whatever is left of its session."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
