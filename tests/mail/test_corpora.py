"""Thousands of real mails; skipped where they are not laid out beside the tree."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from app.mail import decode_leaf, parse

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the shared corpora are not here")


def unpacked(name: str) -> bytes:
    with (CORPORA / name).open("rb") as source:
        return zstandard.ZstdDecompressor().stream_reader(source).read()


def odd_mail() -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(unpacked("odd-mail.tar.zst"))) as archive:
        yield from (archive.extractfile(one).read() for one in archive if one.isfile())  # type: ignore[union-attr]


def ham() -> Iterator[bytes]:
    yield from unpacked("ham-2002.mbox.zst").split(b"\nFrom ")


@pytest.mark.parametrize("mails", [odd_mail, ham])
def test_every_mail_is_parsed_with_its_leaves_in_order(mails: object) -> None:
    assert callable(mails)
    for raw in mails():
        mail = parse(raw)

        edges = [edge for leaf in mail.leaves for edge in (leaf.start, leaf.end)]
        assert edges == sorted(edges)
        assert edges[-1] <= len(raw)
        assert all(decode_leaf(raw, leaf) is not None for leaf in mail.leaves)
