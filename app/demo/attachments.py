"""Files for the demo's mails: PDF, DOCX, XLSX, PNG and JPEG that open, byte for byte the same.

Nothing is compressed: zlib's output differs from build to build.
"""

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from xml.sax.saxutils import escape
from zlib import adler32, crc32

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LINES_PER_PAGE = 46
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Polish letters stand at codes that WinAnsi leaves to us: PDF 32000-1, 9.6.6.1.
_GLYPHS = {
    "ą": "aogonek", "ć": "cacute", "ę": "eogonek", "ł": "lslash", "ń": "nacute", "ś": "sacute",
    "ź": "zacute", "ż": "zdotaccent", "Ą": "Aogonek", "Ć": "Cacute", "Ę": "Eogonek",
    "Ł": "Lslash", "Ń": "Nacute", "Ś": "Sacute", "Ź": "Zacute", "Ż": "Zdotaccent",
}  # fmt: skip
_FIRST_GLYPH = 128
_CODES = {letter: chr(_FIRST_GLYPH + at) for at, letter in enumerate(_GLYPHS)}
_PDF_TEXT = str.maketrans(_CODES | {"\\": "\\\\", "(": "\\(", ")": "\\)"})


@dataclass(frozen=True, slots=True)
class Attachment:
    filename: str
    content_type: str
    content: bytes


def pdf(filename: str, lines: Sequence[str]) -> Attachment:
    """A PDF of one page for each 46 lines, its text readable by any program."""
    pages = [lines[at : at + _LINES_PER_PAGE] for at in range(0, len(lines), _LINES_PER_PAGE)]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    differences = " ".join(f"/{glyph}" for glyph in _GLYPHS.values())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        (
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Type /Encoding"
            f" /BaseEncoding /WinAnsiEncoding /Differences [{_FIRST_GLYPH} {differences}] >> >>"
        ).encode(),
    ]
    for number, page in enumerate(pages):
        objects.append(
            (
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources"
                f" << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
            ).encode()
        )
        shown = "\n".join(f"({line.translate(_PDF_TEXT)}) Tj T*" for line in page)
        text = f"BT /F1 11 Tf 16 TL 56 780 Td\n{shown}\nET".encode("latin-1", "replace")
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text))
    return Attachment(filename, "application/pdf", _pdf_file(objects))


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def docx(filename: str, paragraphs: Iterable[str]) -> Attachment:
    body = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'
        for text in paragraphs
    )
    document = f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    main = f"{_DOCX}.main+xml"
    files = {
        "[Content_Types].xml": _content_types({"/word/document.xml": main}),
        "_rels/.rels": _relations({"officeDocument": "word/document.xml"}),
        "word/document.xml": document,
    }
    return Attachment(filename, _DOCX, _zip(files))


def xlsx(filename: str, rows: Iterable[Sequence[str | float]]) -> Attachment:
    lines = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    sheet = f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{lines}</sheetData></worksheet>'
    book = (
        f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Arkusz1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    types = {
        "/xl/workbook.xml": f"{_XLSX}.main+xml",
        "/xl/worksheets/sheet1.xml": _XLSX.replace(".sheet", ".worksheet") + "+xml",
    }
    files = {
        "[Content_Types].xml": _content_types(types),
        "_rels/.rels": _relations({"officeDocument": "xl/workbook.xml"}),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _relations({"worksheet": "worksheets/sheet1.xml"}),
        "xl/worksheets/sheet1.xml": sheet,
    }
    return Attachment(filename, _XLSX, _zip(files))


def png(filename: str, random: Random, *, width: int = 96, height: int = 32) -> Attachment:
    """A drawing of coloured bars: a logo, a plan."""
    colours = [random.randbytes(3) for _ in range(6)]
    bars = [colours[at * len(colours) // width] for at in range(width)]
    row = b"\0" + b"".join(bars)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", _stored(row * height))
        + _chunk(b"IEND", b"")
    )
    return Attachment(filename, "image/png", content)


def jpeg(filename: str, random: Random, *, size_bytes: int = 40_000) -> Attachment:
    """A grey mosaic of 40 x 30 blocks, with the maker's notes that give a photo its size."""
    quantization = b"\xff\xdb\x00\x43\x00" + b"\x10" * 64
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 240, 320) + b"\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + _mosaic(random, blocks=1200)
    notes = b""
    while size_bytes > 0:
        piece = random.randbytes(min(size_bytes, 65_533))
        notes += b"\xff\xfe" + struct.pack(">H", len(piece) + 2) + piece
        size_bytes -= 65_533
    jfif = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    tables = _huffman(0x00, _DC_COUNTS, _DC_VALUES) + _huffman(0x10, _AC_COUNTS, b"\x00")
    content = b"\xff\xd8" + jfif + notes + quantization + frame + tables + scan + b"\xff\xd9"
    return Attachment(filename, "image/jpeg", content)


# -- JPEG, grey, DC only (ITU T.81): for each block a difference of 0 or of 8 to 15

_DC_COUNTS = bytes([0, 2, *[0] * 14])
"""Two codes of two bits: 00 for no difference, 01 for one of four bits."""

_DC_VALUES = b"\x00\x04"
_AC_COUNTS = bytes([1, *[0] * 15])
"""The one code 0: end of block."""


def _huffman(kind: int, counts: bytes, values: bytes) -> bytes:
    body = bytes([kind]) + counts + values
    return b"\xff\xc4" + struct.pack(">H", len(body) + 2) + body


def _mosaic(random: Random, *, blocks: int) -> bytes:
    bits: list[str] = []
    level = 0
    for _ in range(blocks):
        step = int(random.random() * 16)
        if step < 8:
            bits.append("000")
            continue
        step = step if level < 0 else -step
        level += step
        bits.append(f"01{step if step > 0 else step + 15:04b}0")
    row = "".join(bits)
    row += "1" * (-len(row) % 8)
    return int(row, 2).to_bytes(len(row) // 8, "big").replace(b"\xff", b"\xff\x00")


# -- PNG and zip


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc32(kind + body))


def _stored(raw: bytes) -> bytes:
    """A zlib stream of stored blocks (RFC 1950, 1951 3.2.4)."""
    out = bytearray(b"\x78\x01")
    for at in range(0, len(raw), 65_535):
        block = raw[at : at + 65_535]
        is_last = at + 65_535 >= len(raw)
        out += struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + struct.pack(">I", adler32(raw)))


def _zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, _FIXED_DATE)
            entry.create_system = 3
            archive.writestr(entry, text)
    return buffer.getvalue()


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _content_types(parts: dict[str, str]) -> str:
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'{_XML}<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="{relations}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(targets: dict[str, str]) -> str:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets.items(), start=1)
    )
    return f'{_XML}<Relationships xmlns="{_RELATIONS}">{rows}</Relationships>'
