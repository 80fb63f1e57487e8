"""Real and odd mail of other projects: every byte comes back, nothing raises."""

import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from app.model import Digest
from app.store import Store, blobs
from app.transfer import read_mail
from tests import make

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.exists(), reason="the shared corpora are not beside this tree"),
]


def odd_mails() -> list[bytes]:
    with (
        (CORPORA / "odd-mail.tar.zst").open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        files = ((entry, archive.extractfile(entry)) for entry in archive if entry.isfile())
        return [file.read() for _, file in files if file]


def ham_mails() -> list[bytes]:
    return [found.raw for found in read_mail(CORPORA / "ham-2002.mbox.zst")]


def list_mails() -> list[bytes]:
    return [found.raw for found in read_mail(CORPORA / "list-12000.mbox.zst")]


@pytest.mark.parametrize(
    ("mails", "count"), [(odd_mails, 1_593), (ham_mails, 2_749), (list_mails, 12_000)]
)
def test_every_mail_is_stored_and_comes_back_byte_exact(store: Store, mails, count) -> None:
    raws = mails()

    make.deliver(store, make.account(store), *raws)

    assert len(raws) == count
    for raw in raws:
        assert blobs.get(store, Digest(sha256(raw).digest())) == raw
