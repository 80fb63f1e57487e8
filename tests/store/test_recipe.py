"""A recipe gives back exactly the bytes it was made from, whatever they are."""

import random
from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Corrupt
from app.mail import parse
from app.model import BlobId, Digest
from app.store import Store, blobs, recipe
from app.store.database import write
from tests import make
from tests.store import mime


def rebuilt(raw: bytes) -> tuple[bytes, list[recipe.Piece]]:
    """What a recipe gives back from its blobs alone, and its pieces."""
    pieces = recipe.pieces(raw, parse(raw).leaves)
    ids = {piece.digest: BlobId(number) for number, piece in enumerate(pieces, start=1)}
    contents = {ids[piece.digest].to_bytes(8): piece.content for piece in pieces}
    return recipe.build(recipe.write(raw, pieces, ids), contents.__getitem__), pieces


def test_ten_thousand_mails_of_every_shape_come_back_exactly() -> None:
    chance = random.Random(4)
    kinds: Counter[tuple[int, bool]] = Counter()

    for _ in range(10_000):
        raw = mime.mail(chance)
        back, pieces = rebuilt(raw)
        kinds.update((piece.kind, piece.is_decoded) for piece in pieces)
        assert back == raw

    # All three ways were taken, so that the test tests them.
    assert kinds[recipe.WHOLE, True] > 500
    assert kinds[recipe.BASE64, True] > 500
    assert kinds[recipe.WHOLE, False] > 500


def test_mails_of_every_shape_come_back_from_the_store(store: Store) -> None:
    """R74."""
    chance = random.Random(5)
    raws = [mime.mail(chance) for _ in range(1_000)]

    make.deliver(store, make.account(store), *raws)

    store.recent.clear()
    for raw in raws:
        assert blobs.get(store, Digest(sha256(raw).digest())) == raw


@settings(max_examples=300, deadline=None)
@given(
    content=st.binary(min_size=100, max_size=3_000),
    width=st.integers(1, 200),
    end=st.sampled_from([b"\n", b"\r\n"]),
    is_ended=st.booleans(),
    torn=st.integers(0, 4_000) | st.none(),
)
def test_base64_of_any_line_length_comes_back_exactly(content, width, end, is_ended, torn) -> None:
    text = mime.base64.b64encode(content)
    body = end.join(text[at : at + width] for at in range(0, len(text), width))
    body = body[:torn] + b" " + body[torn:] if torn is not None else body
    head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = head + body + (end if is_ended else b"")

    back, pieces = rebuilt(raw)

    assert back == raw
    # Lines of whole groups are stored decoded; others as they stand.
    if torn is None and width % 4 == 0:
        assert [piece.content for piece in pieces] == [content]


@pytest.mark.parametrize(
    "steps", [b"\x07", b"\x03\0\0\0\0\0\0\0\x09", b"\x00\0\0", b"\x04\0\0\0\0\0\0\0\x01\0"]
)
def test_a_recipe_that_is_none_is_corrupt(steps: bytes) -> None:
    with pytest.raises(Corrupt):
        recipe.build(steps, {(1).to_bytes(8): b"content"}.__getitem__)


def test_what_does_not_rebuild_is_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = make.mail(text="x" * 300)
    monkeypatch.setattr(recipe, "_runs", lambda *_: [b"something else"])

    with pytest.raises(Corrupt):
        rebuilt(raw)


def forwarded(inner: bytes, number: int) -> bytes:
    """A mail with another one attached whole."""
    head = (
        f"From: a@b.pl\r\nSubject: Fwd {number}\r\nMessage-ID: <f{number}@b.pl>\r\n"
        'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % number
    )
    part = f"--b{number}\r\nContent-Type: message/rfc822\r\n\r\n"
    return head.encode() + part.encode() + inner + f"\r\n--b{number}--\r\n".encode()


def test_mail_attached_to_mail_hundreds_deep_comes_back(store: Store) -> None:
    """Each part is the copy of the mail before: recipes of recipes."""
    box, raws = make.account(store), [make.mail(text="innermost " * 20)]
    for number in range(400):
        raws.append(forwarded(raws[-1], number))

    for uid, raw in enumerate(raws, start=1):
        make.deliver(store, box, raw, first_uid=uid)

    store.recent.clear()
    for raw in (raws[-1], raws[200], raws[0]):
        assert blobs.get(store, Digest(sha256(raw).digest())) == raw
    # An attached mail that the archive holds as a copy costs no second blob.
    assert store.mail.conn.execute("select count(*) from blobs").fetchone()[0] <= len(raws) + 2


def test_a_mail_that_was_an_attachment_first_is_a_copy_of_its_own(store: Store) -> None:
    inner = make.mail(text="inner " * 30)
    box = make.account(store)

    make.deliver(store, box, forwarded(inner, 1), inner)

    assert len(make.message_ids(store)) == 2
    assert set(map(blobs.get, [store] * 2, make.copy_digests(store))) == {
        inner,
        forwarded(inner, 1),
    }


def test_a_recipe_that_names_itself_is_corrupt(store: Store) -> None:
    raw = make.mail(text="x" * 300)
    make.deliver(store, make.account(store), raw)
    blob_id = blobs.find(store, Digest(sha256(raw).digest()))
    steps = b"\x03" + int(blob_id or 0).to_bytes(8)
    with write(store.mail):
        store.mail.conn.execute(
            "update blocks set payload = ? where kind = 0", [blobs.compressed(steps)]
        )
        store.mail.conn.execute("update blobs set size_bytes = null where id = ?", [blob_id])
    store.recent.clear()

    with pytest.raises(Corrupt, match="names itself"):
        blobs.read(store, int(blob_id or 0))
