"""A small internet on this machine: one name server, and one web server for all its hosts."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dns.asyncresolver import Resolver

from app.sync.outside import Outside

HERE = "127.0.0.1"


@dataclass
class Page:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Internet:
    """`records` by (name, type), `pages` by address; what was asked is kept, in order."""

    dns_port: int
    web_port: int
    ca_file: Path
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    asked_names: list[tuple[str, str]] = field(default_factory=list)
    asked_pages: list[str] = field(default_factory=list)

    def add_page(self, url: str, body: str | bytes = b"", **given: object) -> None:
        """Put a page there; its host leads to this machine."""
        raw = body.encode() if isinstance(body, str) else body
        self.pages[url] = Page(raw, **given)  # type: ignore[arg-type]
        self.records.setdefault((url.split("/")[2], "A"), [HERE])

    def outside(self, *, is_strict: bool = False) -> Outside:
        """The way into it; `is_strict`: this machine is not allowed, as in the real one."""
        resolver = Resolver(configure=False)
        resolver.nameservers = [HERE]
        resolver.port = self.dns_port
        resolver.lifetime = 5.0
        way = Outside(
            resolver,
            ssl.create_default_context(cafile=self.ca_file),
            port=self.web_port,
            is_allowed=lambda address: address == HERE,
        )
        return Outside(resolver, way.context, port=self.web_port) if is_strict else way


@contextmanager
def running(directory: Path, *hosts: str) -> Iterator[Internet]:
    """The internet while it is there; its certificate is valid for these hosts."""
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((HERE, 0))
    web = ThreadingHTTPServer((HERE, 0), _Pages)
    ca_file = _write_certificate(directory, hosts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, directory / "key.pem")
    web.socket = context.wrap_socket(web.socket, server_side=True)
    net = Internet(names.getsockname()[1], web.server_address[1], ca_file)
    web.net = net  # type: ignore[attr-defined]
    web.handle_error = lambda request, address: None  # type: ignore[method-assign]
    threads = [
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}),
        threading.Thread(target=_serve_names, args=(names, net)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield net
    finally:
        web.shutdown()
        web.server_close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", names.getsockname())
        for thread in threads:
            thread.join(timeout=10)
        names.close()


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        net: Internet = self.server.net  # type: ignore[attr-defined]
        url = f"https://{self.headers['Host']}{self.path}"
        net.asked_pages.append(url)
        page = net.pages.get(url, Page(status=404))
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, *args: object) -> None:
        pass


def _serve_names(names: socket.socket, net: Internet) -> None:
    while True:
        wire, client = names.recvfrom(4096)
        if not wire:
            return
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name = str(question.name).rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        net.asked_names.append((name, kind))
        if name in net.silent:
            continue
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        found = net.records.get((name, kind), [])
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        names.sendto(answer.to_wire(), client)


def _write_certificate(directory: Path, hosts: tuple[str, ...]) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A small internet")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
