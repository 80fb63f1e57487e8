"""How a copy is put together from blobs: literal runs, and parts that are stored once for all.

A recipe is a row of steps, read from the front:

    0  u32 length, bytes      a literal run
    3  u64 id                 the blob as it is
    4  u64 id, u16 n, u8 e    the blob in base64: n characters a line (0: one line only),
                              e = 1: LF, 2: CRLF; +4: a line end follows the last line

Numbers are big-endian. 1 and 2 are 3 and 4 with a digest of 32 bytes in place of the id, as the
first version wrote them. A recipe is kept only if it was proved: built, and equal to the bytes.
"""

import binascii
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.errors import Corrupt
from app.mail import Leaf, decode_leaf
from app.model import BlobId, Digest

SMALLEST_PART = 96
"""Bytes; a shorter part stays in the literal run, where it compresses better."""

LITERAL, WHOLE_BY_DIGEST, BASE64_BY_DIGEST, WHOLE, BASE64 = range(5)
REFERENCE_BYTES = {WHOLE_BY_DIGEST: 32, BASE64_BY_DIGEST: 32, WHOLE: 8, BASE64: 8}
LF, CRLF, ENDS = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A leaf of a copy that is a blob: raw[start:end] stands for `content`.

    `kind` and `shape` are its step without the id. `is_decoded`: the content is what the leaf
    decodes to, otherwise the leaf as it stands.
    """

    position: int
    start: int
    end: int
    digest: Digest
    content: bytes
    kind: int
    shape: bytes
    is_decoded: bool


def pieces(raw: bytes, leaves: Sequence[Leaf]) -> list[Piece]:
    """The leaves that are stored as blobs, so that other copies share them."""
    found: list[Piece] = []
    copied_to = 0
    for leaf in leaves:
        if leaf.end - leaf.start < SMALLEST_PART or leaf.start < copied_to:
            continue
        found.append(_piece(raw, leaf))
        copied_to = leaf.end
    return found


def write(raw: bytes, pieces: Sequence[Piece], ids: Mapping[Digest, BlobId]) -> bytes:
    """The proved recipe for `raw` from its pieces, whose blobs have these ids."""
    steps: list[bytes] = []
    copied_to = 0
    for piece in pieces:
        if piece.start > copied_to:
            steps.append(_literal(raw[copied_to : piece.start]))
        steps.append(struct.pack(">BQ", piece.kind, ids[piece.digest]) + piece.shape)
        copied_to = piece.end
    if copied_to < len(raw) or not steps:
        steps.append(_literal(raw[copied_to:]))
    recipe = b"".join(steps)
    contents = {ids[piece.digest].to_bytes(8): piece.content for piece in pieces}
    if not _is_at(raw, 0, len(raw), _runs(recipe, contents.__getitem__)):
        raise Corrupt("A recipe did not rebuild its bytes.")
    return recipe


def build(recipe: bytes, get: Callable[[bytes], bytes]) -> bytes:
    """The bytes that a recipe stands for; `get` gives a blob by its id in 8 bytes, or by digest.

    Raises Corrupt.
    """
    try:
        return b"".join(_runs(recipe, get))
    except (struct.error, KeyError) as exc:
        raise Corrupt("A recipe is cut off, or names a blob that is not there.") from exc


def _runs(recipe: bytes, get: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The same bytes bit by bit, so that a large copy is not in memory a second time."""
    at = 0
    while at < len(recipe):
        kind = recipe[at]
        if kind == LITERAL:
            (length,) = struct.unpack_from(">I", recipe, at + 1)
            yield recipe[at + 5 : at + 5 + length]
            at += 5 + length
            continue
        if kind not in REFERENCE_BYTES:
            raise Corrupt(f"A recipe has a step of unknown kind {kind}.")
        end = at + 1 + REFERENCE_BYTES[kind]
        content = get(recipe[at + 1 : end])
        at = end
        if kind in (WHOLE, WHOLE_BY_DIGEST):
            yield content
        else:
            width, ending = struct.unpack_from(">HB", recipe, at)
            yield from _in_base64(content, width, ending)
            at += 3


def _is_at(raw: bytes, start: int, end: int, runs: Iterable[bytes]) -> bool:
    """Whether raw[start:end] is just these runs."""
    for run in runs:
        if not raw.startswith(run, start, end):
            return False
        start += len(run)
    return start == end


def beginning(recipe: bytes) -> bytes:
    """The bytes before the first blob: the header block, for parts begin behind it."""
    if recipe[:1] != bytes([LITERAL]):
        return b""
    return recipe[5 : 5 + int.from_bytes(recipe[1:5])]


def references(recipe: bytes) -> list[bytes]:
    """The blobs that a recipe needs, in order: ids in 8 bytes, or digests."""
    found: list[bytes] = []

    def note(reference: bytes) -> bytes:
        found.append(reference)
        return b""

    build(recipe, note)
    return found


def _literal(run: bytes) -> bytes:
    return struct.pack(">BI", LITERAL, len(run)) + run


def _piece(raw: bytes, leaf: Leaf) -> Piece:
    """A leaf as a blob: decoded if it is base64 that is rebuilt exactly, else as it stands."""
    start, end = leaf.start, leaf.end
    if leaf.transfer_encoding == "base64":
        content = decode_leaf(raw, leaf)
        width, ending = _line_shape(raw, start, end)
        is_short = content and width <= 0xFFFF
        if is_short and _is_at(raw, start, end, _in_base64(content, width, ending)):
            shape = struct.pack(">HB", width, ending)
            return _piece_of(leaf, content, BASE64, shape, is_decoded=True)
    is_plain = leaf.transfer_encoding in ("", "7bit", "8bit", "binary")
    return _piece_of(leaf, raw[start:end], WHOLE, b"", is_decoded=is_plain)


def _piece_of(leaf: Leaf, content: bytes, kind: int, shape: bytes, *, is_decoded: bool) -> Piece:
    digest = Digest(sha256(content).digest())
    return Piece(leaf.position, leaf.start, leaf.end, digest, content, kind, shape, is_decoded)


def _line_shape(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Line length and line end of a base64 run, as its first and last line show them."""
    first = raw.find(b"\n", start, end)
    if first < 0:
        return 0, LF
    is_crlf = first > start and raw[first - 1] == 13
    ending = (CRLF if is_crlf else LF) | (ENDS if raw.endswith(b"\n", start, end) else 0)
    return first - start - is_crlf, ending


def _in_base64(content: bytes, width: int, ending: int) -> Iterator[bytes]:
    """The run block by block: a large attachment is not in memory a second time."""
    line_end = b"\r\n" if ending & CRLF else b"\n"
    last = line_end if ending & ENDS else b""
    if width == 0 or len(content) <= width // 4 * 3:
        yield binascii.b2a_base64(content, newline=False) + last
        return
    block_bytes = 3 * width * 1024
    for at in range(0, len(content), block_bytes):
        text = binascii.b2a_base64(content[at : at + block_bytes], newline=False)
        lines = [text[start : start + width] for start in range(0, len(text), width)]
        is_last = at + block_bytes >= len(content)
        yield line_end.join(lines) + (last if is_last else line_end)
