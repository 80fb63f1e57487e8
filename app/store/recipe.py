"""How a copy is put together from blobs: literal runs, and parts that are stored once for all.

A recipe is a row of steps, read from the front:

    0  u32 length, bytes              a literal run
    1  32 bytes digest                the blob as it is
    2  32 bytes digest, u16 n, u8 e   the blob in base64: n characters a line (0: one line only),
                                      e = 1: LF, 2: CRLF; +4: a line end follows the last line

Numbers are big-endian. A recipe is kept only if it was proved: built, and equal to the bytes.
"""

import binascii
import struct
from collections.abc import Callable, Sequence
from hashlib import sha256

from app.errors import Corrupt
from app.mail import Leaf, decode_leaf
from app.model import Digest

SMALLEST_PART = 96
"""Bytes; a shorter part stays in the literal run, where it compresses better."""

LITERAL, WHOLE, BASE64 = 0, 1, 2
LF, CRLF, ENDS = 1, 2, 4


def cook(
    raw: bytes, leaves: Sequence[Leaf]
) -> tuple[bytes, dict[Digest, bytes], dict[int, Digest]]:
    """A proved recipe for `raw`, its blobs, and which leaf positions are blobs.

    The blobs are decoded parts by digest. A leaf that does not rebuild exactly stays literal.
    """
    steps: list[bytes] = []
    blobs: dict[Digest, bytes] = {}
    digests: dict[int, Digest] = {}
    copied_to = 0
    for leaf in leaves:
        if leaf.end - leaf.start < SMALLEST_PART or leaf.start < copied_to:
            continue
        step = _step(raw, leaf)
        if step is None:
            continue
        code, content = step
        if leaf.start > copied_to:
            steps.append(_literal(raw[copied_to : leaf.start]))
        digest = Digest(code[1:33])
        steps.append(code)
        blobs[digest] = content
        digests[leaf.position] = digest
        copied_to = leaf.end
    if copied_to < len(raw) or not steps:
        steps.append(_literal(raw[copied_to:]))
    recipe = b"".join(steps)
    if build(recipe, blobs.__getitem__) != raw:
        raise Corrupt("A recipe did not rebuild its bytes.")
    return recipe, blobs, digests


def build(recipe: bytes, get: Callable[[Digest], bytes]) -> bytes:
    """The bytes that a recipe stands for; `get` gives a blob by its digest."""
    pieces: list[bytes] = []
    at = 0
    while at < len(recipe):
        kind = recipe[at]
        if kind == LITERAL:
            (length,) = struct.unpack_from(">I", recipe, at + 1)
            pieces.append(recipe[at + 5 : at + 5 + length])
            at += 5 + length
            continue
        content = get(Digest(recipe[at + 1 : at + 33]))
        at += 33
        if kind == WHOLE:
            pieces.append(content)
        elif kind == BASE64:
            width, ending = struct.unpack_from(">HB", recipe, at)
            pieces.append(_in_base64(content, width, ending))
            at += 3
        else:
            raise Corrupt(f"A recipe has a step of unknown kind {kind}.")
    return b"".join(pieces)


def references(recipe: bytes) -> list[Digest]:
    """The blobs that a recipe needs, in order."""
    found: list[Digest] = []

    def note(digest: Digest) -> bytes:
        found.append(digest)
        return b""

    build(recipe, note)
    return found


def _literal(run: bytes) -> bytes:
    return struct.pack(">BI", LITERAL, len(run)) + run


def _step(raw: bytes, leaf: Leaf) -> tuple[bytes, bytes] | None:
    """The step that stands for a leaf, and its decoded bytes; None where none is exact."""
    encoded = raw[leaf.start : leaf.end]
    if leaf.transfer_encoding in ("", "7bit", "8bit", "binary"):
        return struct.pack(">B32s", WHOLE, sha256(encoded).digest()), encoded
    if leaf.transfer_encoding != "base64":
        return None
    content = decode_leaf(raw, leaf)
    width, ending = _line_shape(encoded)
    if not content or width > 0xFFFF or _in_base64(content, width, ending) != encoded:
        return None
    return struct.pack(">B32sHB", BASE64, sha256(content).digest(), width, ending), content


def _line_shape(encoded: bytes) -> tuple[int, int]:
    """Line length and line end of a base64 run, as its first and last line show them."""
    first = encoded.find(b"\n")
    if first < 0:
        return 0, LF
    is_crlf = first > 0 and encoded[first - 1] == 13
    ending = (CRLF if is_crlf else LF) | (ENDS if encoded.endswith(b"\n") else 0)
    return first - is_crlf, ending


def _in_base64(content: bytes, width: int, ending: int) -> bytes:
    line_end = b"\r\n" if ending & CRLF else b"\n"
    last = line_end if ending & ENDS else b""
    if width == 0 or len(content) <= width // 4 * 3:
        return binascii.b2a_base64(content, newline=False) + last
    # Block by block, so that the lines of a large attachment are not all in memory at once.
    block_bytes = 3 * width * 1024
    lines = bytearray()
    for at in range(0, len(content), block_bytes):
        text = binascii.b2a_base64(content[at : at + block_bytes], newline=False)
        for start in range(0, len(text), width):
            lines += text[start : start + width]
            lines += line_end
    return bytes(lines[: -len(line_end)]) + last
