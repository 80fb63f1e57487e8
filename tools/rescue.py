"""Write every message of a Letterbook data directory out as .eml files, without Letterbook.

    python rescue.py DATA DEST

It needs Python 3.11 and the package zstandard; docs/format.md tells how the bytes lie. Mail goes
to DEST/<mailbox>/<folder>/<uid>-<copy>.eml; all of it to DEST/<copy>.eml where archive.db cannot
be read. Each is checked against its SHA-256; what is damaged is named, and left out.
"""

import base64
import hashlib
import re
import sqlite3
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

BLOB = "select digest, start, size_bytes, kind, payload from blobs join blocks k on k.id = block_id"
RECIPES = "select b.id, '', '', 0 from blobs b join blocks k on k.id = block_id where kind = 0"
PLACES = (
    "select c.id, a.address, f.name, l.uid from copies c left join locations l on l.copy_id = c.id"
    " left join folders f on f.id = l.folder_id left join accounts a on a.id = f.account_id"
)


def content(mail: sqlite3.Connection, reference: bytes) -> bytes:
    """The bytes of a blob by its id (8 bytes) or SHA-256; a recipe is carried out."""
    by_id = BLOB + " where blobs.id = ?", [int.from_bytes(reference)]
    by_digest = BLOB + " where digest = ?", [reference]
    found = mail.execute(*(by_id if len(reference) == 8 else by_digest))
    digest, start, size, kind, payload = found.fetchone()
    raw = zstandard.ZstdDecompressor().decompress(payload)[start:][:size]
    if kind == 0:  # a recipe
        raw = b"".join(pieces(mail, raw))
    if hashlib.sha256(raw).digest() != digest:
        raise ValueError(f"the bytes of {digest.hex()} are damaged")
    return raw


def pieces(mail: sqlite3.Connection, recipe: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(recipe):
        kind, at = recipe[at], at + 1
        if kind == 0:
            start, at = at + 4, at + 4 + int.from_bytes(recipe[at : at + 4])
            yield recipe[start:at]
            continue
        end = at + {1: 32, 2: 32, 3: 8, 4: 8}[kind]
        part, at = content(mail, recipe[at:end]), end
        if kind in (2, 4):
            part, at = in_base64(part, *struct.unpack_from(">HB", recipe, at)), at + 3
        yield part


def in_base64(part: bytes, width: int, ending: int) -> bytes:
    text, step = base64.b64encode(part), width or 2 * len(part) + 4
    line_end = b"\r\n" if ending & 2 else b"\n"
    lines = [text[at : at + step] for at in range(0, len(text), step)]
    return line_end.join(lines) + (line_end if ending & 4 else b"")


def place(address: str | None, folder: str | None, uid: int | None, copy: int) -> Path:
    names = [re.sub(r"[^\w.@ -]", "_", name or "").strip(". ") for name in (address, folder)]
    return Path(*filter(None, names), f"{uid}-{copy}.eml" if address else f"{copy}.eml")


def main(data: Path, dest: Path) -> int:
    sys.setrecursionlimit(100_000)  # mail attached to mail attached to mail
    mail = sqlite3.connect(f"file:{data / 'mail.db'}?mode=ro", uri=True)
    try:
        archive = sqlite3.connect(f"file:{data / 'archive.db'}?mode=ro", uri=True)
        wanted = archive.execute(PLACES).fetchall()
    except sqlite3.Error as problem:
        print(f"archive.db cannot be read ({problem}): no folders are known", file=sys.stderr)
        wanted = mail.execute(RECIPES).fetchall()
    lost = 0
    for copy, address, folder, uid in wanted:
        try:
            raw = content(mail, copy.to_bytes(8))
        except (ValueError, TypeError, LookupError, struct.error, zstandard.ZstdError) as problem:
            print(f"copy {copy}: {problem}", file=sys.stderr)
            lost += 1
            continue
        path = dest / place(address, folder, uid, copy)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    print(f"{len(wanted) - lost} written, {lost} lost")
    return int(lost > 0)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) == 3 else __doc__)
    except (OSError, sqlite3.Error) as problem:
        sys.exit(f"rescue.py {' '.join(sys.argv[1:])} stopped: {problem}")
